"""Which slices of a synthetic volume are recorded as unlike what its model learnt from, as runs and on other grids."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ctmri_core.geometry import FloatArray, Geometry
from ctmri_core.volume import Volume

_WORDS = {
    "values": "grey values", "size": "size of the body", "small": "smaller than learnt", "cut off": "body is cut off",
    "no body": "no body",
}  # fmt: skip
_PARALLEL = 0.999


@dataclass(frozen=True)
class Run:
    """Slices `first` to `last`, from 0, along `axis` of the stored voxels."""

    axis: int
    first: int
    last: int
    reasons: tuple[str, ...]

    @property
    def text(self) -> str:
        """`Slices 1 to 8: grey values`."""
        which = f"Slice {self.first + 1}" if self.first == self.last else f"Slices {self.first + 1} to {self.last + 1}"
        return f"{which}: {_in_words(self.reasons)}"

    def place_in(self, volume: Volume) -> FloatArray:
        """LPS mm: the middle of its middle slice."""
        at = (np.asarray(volume.geometry.shape) - 1) / 2
        at[self.axis] = (self.first + self.last) // 2
        return volume.geometry.index_to_mm(at)


def runs_of(volume: Volume | None) -> tuple[Run, ...]:
    """What is recorded of a synthetic volume's slices: neighbours with the same reasons together."""
    details: Mapping[str, Any] = volume.synthetic.details if volume is not None and volume.synthetic is not None else {}
    told = details.get("slice_flags")
    if not isinstance(told, Mapping) or not isinstance(told.get("slices"), Mapping):
        return ()
    runs: list[Run] = []
    axis = int(told.get("axis", 0))
    for number, reasons in sorted((int(number), tuple(reasons)) for number, reasons in told["slices"].items()):
        if runs and runs[-1].last == number - 1 and runs[-1].reasons == reasons:
            runs[-1] = Run(axis, runs[-1].first, number, reasons)
        else:
            runs.append(Run(axis, number, number, reasons))
    return tuple(runs)


def flagged_on(grid: Geometry, volume: Volume | None) -> dict[int, str]:
    """Of the slices of `grid`, from 0, those that lie on slices of which something is recorded, and what; none where it cuts
    otherwise than they lie."""
    runs = runs_of(volume)
    if not runs or volume is None:
        return {}
    axis, count = runs[0].axis, grid.shape[0]
    if abs(float(grid.axes[0] @ volume.geometry.axes[axis])) < _PARALLEL:
        return {}
    middle = (np.asarray(grid.shape) - 1) / 2
    places = [(k, middle[1], middle[2]) for k in range(count)]
    there = np.rint(volume.geometry.mm_to_index(grid.index_to_mm(places))[:, axis])
    told = {number: _in_words(run.reasons) for run in runs for number in range(run.first, run.last + 1)}
    return {k: told[int(number)] for k, number in enumerate(there) if int(number) in told}


def _in_words(reasons: Iterable[str]) -> str:
    return ", ".join(_WORDS.get(reason, reason) for reason in reasons)
