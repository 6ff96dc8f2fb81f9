"""What a layout must be able to do, and what it finds: cases that have not been read yet."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from ctmri_core.case import Case
from ctmri_core.data.layouts.heeding import go_on
from ctmri_core.domain import Domain
from ctmri_core.errors import FileRefused

_Item = TypeVar("_Item")
Side = Literal["", "train", "validation", "test"]
Planes = Literal["all", "axial", "coronal", "sagittal"]
SIDES: dict[str, Side] = {
    "": "", "train": "train", "training": "train", "val": "validation", "valid": "validation", "validation": "validation",
    "test": "test", "testing": "test",
}  # fmt: skip
"""Which side a folder of this name (in small letters) is, none for the collection itself."""


class LayoutOptions(BaseModel):
    """What files do not say of themselves."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pixel_mm: float = Field(default=1.0, ge=0.05, le=20, description="edge of a pixel of pictures (PNG, JPEG) in mm")
    ct_window_low: float = Field(default=0.0, ge=-4096, le=32767, description="HU of black in 8-bit pictures of CT")
    ct_window_high: float = Field(default=80.0, ge=-4096, le=32767, description="HU of white in 8-bit pictures of CT")
    pair_by_name: bool = Field(default=False, description="pictures of equal name in two folders show the same slice")
    plane: Planes = Field(default="all", description="which pictures to take where a patient has some of several planes")


@dataclass(frozen=True)
class CaseReference:
    """A case that has not been read yet. `load` may raise `FileRefused`.

    `patient`: whom a split must keep together, by default the case itself. `centre`: where it comes from; empty where unknown.
    `side`: on which side of the split the folder has put it. `domains`: what it will hold; None where only loading tells.
    `together`: whether its volumes lie in one space, so that they may be laid on each other. `pictures`: whether it is made of
    pictures, which say no millimetres. `labels`: names of the labels 1, 2, ... of its mask, where its files give them.
    """

    identifier: str
    load: Callable[[], Case]
    patient: str = ""
    centre: str = ""
    side: Side = ""
    domains: tuple[Domain, ...] | None = None
    together: bool = True
    pictures: bool = False
    labels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "patient", self.patient or self.identifier)


class Layout(Protocol):
    """One way to lay out a collection. `name`: on the command line; `looks`: how it looks, one line for people."""

    @property
    def name(self) -> str: ...

    @property
    def looks(self) -> str: ...

    def recognises(self, folder: Path) -> bool:
        """Whether `folder` looks like it, from names and a few headers."""
        ...

    def find(self, folder: Path, domains: Sequence[Domain], options: LayoutOptions) -> Iterable[CaseReference]:
        """The cases with at least one of `domains`, in a fixed order. May raise `CtmriError`."""
        ...


def as_asked(found: Domain, asked: Iterable[Domain]) -> Domain | None:
    """Which of the domains asked for a picture of `found` is; None when it is none of them.

    An MR of unsaid weighting is the one MR that is asked for, where it is only one.
    """
    asked = tuple(asked)
    if found in asked:
        return found
    fitting = [domain for domain in asked if domain.accepts(found) and domain is not Domain.UNKNOWN]
    return fitting[0] if len(fitting) == 1 else None


def assigned(found: Iterable[tuple[Domain, _Item]], asked: Iterable[Domain]) -> dict[Domain, _Item]:
    """The first of `found` for each of the domains asked for, in their order: what says that it is the domain, before an MR of
    unsaid weighting that may be it.
    """
    found, asked = list(found), tuple(asked)
    best: dict[Domain, _Item] = {}
    for domain in asked:
        exact = [item for said, item in found if said is domain]
        fitting = exact or [item for said, item in found if as_asked(said, asked) is domain]
        if fitting:
            best[domain] = fitting[0]
    return best


def shown(chosen: Iterable[Domain], asked: Iterable[Domain], *, masked: bool) -> tuple[Domain, ...]:
    """What a case will hold: the domains of its pictures, and the mask where it is asked for and there is one."""
    return (*chosen, Domain.MASK) if masked and Domain.MASK in asked else tuple(chosen)


def side_of(name: str) -> Side:
    """The side of the split that a folder of this name is; empty where it is none."""
    return SIDES.get(name.lower(), "")


def sides_of(folder: Path) -> list[tuple[Side, Path]]:
    """(side, folder) of `folder` itself and of those in it that are named by sides."""
    return [("", folder), *((side, path) for path in folders(folder) if (side := side_of(path.name)))]


def folders(folder: Path) -> list[Path]:
    """The folders in `folder` by name, hidden ones and what systems leave behind left out. Raises `FileRefused`."""
    return [folder / entry.name for entry in _entries(folder) if _answered(entry.is_dir)]


def files(folder: Path) -> list[Path]:
    """The files in `folder` by name, hidden ones left out. Raises `FileRefused`."""
    return [folder / entry.name for entry in _entries(folder) if _answered(entry.is_file)]


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    entries = []
    try:
        with os.scandir(folder) as listing:
            for entry in listing:
                go_on()
                if not entry.name.startswith(".") and entry.name != "__MACOSX":
                    entries.append(entry)
    except OSError as error:
        problem = f"cannot be read: {error.strerror or 'input error'}."
        raise FileRefused(folder, problem, "Change its permissions or copy it.") from error
    return sorted(entries, key=lambda entry: entry.name)


def _answered(question: Callable[[], bool]) -> bool:
    """False for what cannot be looked at, such as links in a ring."""
    try:
        return question()
    except OSError:
        return False
