"""What a kind of hostile file is: how it is made, and what must become of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

SHAPE = (6, 12, 10)
SPACING = (2.0, 1.5, 1.25)
"""Along (k, j, i), mm, of every file here that can carry it."""

VOXELS = np.random.default_rng(7).integers(-1000, 3000, SHAPE).astype(np.int16)
"""(k, j, i): what stands in every volume; noise, so that a lost or moved byte shows."""

OUTSIDE = "outside"
"""The folder beside the one of a kind, which no reader may look into or change."""
SECRET = np.int16(31337)
"""The value of all voxels of the files in there."""

Bytes = bytes | Callable[[], bytes]


@dataclass(frozen=True)
class Expectation:
    """`word`: what the refusal must name. `truth`: the voxels that must come out; None where nobody can say.
    `finding`: a kind that must be among the findings of what opens. `either`: refused, or opened with these voxels.
    """

    outcome: Literal["refused", "opens", "either"]
    word: str = ""
    truth: Any = None
    finding: str = ""


@dataclass(frozen=True)
class Kind:
    """`make(folder)` writes into an empty folder and returns what is to be opened."""

    name: str
    make: Callable[[Path], Path]
    expectation: Expectation
    row: str = ""
    """The promise that it belongs to, such as R6, where there is one."""


def refused(word: str = "") -> Expectation:
    return Expectation("refused", word)


def opens(truth: Any = VOXELS, finding: str = "") -> Expectation:
    return Expectation("opens", truth=truth, finding=finding)


def either(truth: Any = VOXELS) -> Expectation:
    return Expectation("either", truth=truth)


def file_kind(name: str, file_name: str, content: Bytes, expectation: Expectation, row: str = "", **beside: Bytes) -> Kind:
    """One file, and others beside it by name."""

    def make(folder: Path) -> Path:
        for each, data in {file_name: content, **beside}.items():
            target = folder / each
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data() if callable(data) else data)
        return folder / file_name

    return Kind(name, make, expectation, row)


ODD_SPACINGS = {
    "nan": float("nan"), "inf": float("inf"), "minus_inf": float("-inf"), "zero": 0.0, "negative": -1.0,
    "huge": 1e30, "tiny": 1e-30,
}  # fmt: skip
"""R6: all refused, with the field named."""
