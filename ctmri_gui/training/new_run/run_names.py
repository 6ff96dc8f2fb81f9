"""How a run and its folder are called. Never by what the data are called, which may tell of a patient."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

from ctmri_core.domain import Direction
from ctmri_core.method import MethodCard

LONGEST = 80
_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f]')
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def usual_name(card: MethodCard, direction: Direction | None, folder: Path, given: Collection[Path] = ()) -> str:
    """`pix2pix_ct_to_mr_t1`, with a number where `folder` has it already. `given`: folders that runs will make soon."""
    name = card.name if direction is None else f"{card.name}_{direction.name}"
    number = 1
    while (path := folder / (named := name if number == 1 else f"{name}_{number}")).exists() or path in given:
        number += 1
    return named


def name_problem(name: str, folder: Path) -> str:
    """Why `name` cannot be the name of a new folder in `folder`; empty when it can."""
    if not name:
        return "Give the run a name."
    if len(name) > LONGEST:
        return f"The run's name is longer than {LONGEST} signs."
    wrong = _FORBIDDEN.search(name)
    if wrong is not None:
        return f"The run's name becomes that of a folder, which cannot hold {wrong[0]!r}."
    if name.startswith(".") or name.endswith((".", " ")) or _RESERVED.fullmatch(name):
        return f"{name!r} cannot be the name of a folder on every system. Choose another name for the run."
    if (folder / name).exists():
        return f"There is a run called {name} already. Choose another name."
    return ""
