"""What is told of a synthetic volume voxel by voxel: how uncertain it is, how far its source comes back."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ctmri_core.domain import Domain
from ctmri_core.geometry import Geometry
from ctmri_core.preprocess.slice_grid import slice_order
from ctmri_core.volume import Finding, Volume

_LARGE = 100
Kind = Literal["uncertainty", "cycle"]
_TITLES: dict[Kind, str] = {"uncertainty": "Uncertainty", "cycle": "Cycle error"}
_ENOUGH_BODY = 0.1
"""Share of the body in the slice with most of it, below which the mean of a slice is that of hardly anything."""


@dataclass(frozen=True, eq=False)
class ValueMap:
    """`values`: float32 (k, j, i), not negative, in `unit`, on the grid of the volume that it tells of. `what`: how they were
    found, in words that go on from "is"; `summary`: figures inside the body, empty where there is none."""

    kind: Kind
    values: NDArray[np.float32] = field(repr=False)
    geometry: Geometry
    unit: str
    what: str
    summary: dict[str, float]

    @classmethod
    def inside(
        cls, kind: Kind, values: NDArray[np.float32], unit: str, what: str, body: NDArray[np.bool_], geometry: Geometry
    ) -> ValueMap:  # fmt: skip
        """With its summary inside `body`, on whose grid it lies: mean, 95th percentile, largest mean of an axial slice (of those
        with enough body) and where that is, from the feet, counted from 0."""
        if not body.any():
            return cls(kind, values, geometry, unit, what, {})
        order, flips = slice_order(geometry)
        turned, inner = (array.transpose(order)[:: -1 if flips[0] else 1] for array in (values, body))
        counts = inner.sum((1, 2))
        sums = [float(plane[within].sum(dtype=np.float64)) for plane, within in zip(turned, inner, strict=True)]
        means = np.array(sums) / np.maximum(counts, 1)
        enough = np.where(counts >= _ENOUGH_BODY * counts.max(), means, -1.0)
        summary = {
            "mean": sum(sums) / float(counts.sum()),
            "p95": float(np.percentile(values[body], 95, overwrite_input=True)),
            "worst_slice": int(enough.argmax()),
            "worst_slice_mean": float(enough.max()),
        }
        return cls(kind, values, geometry, unit, what, summary)

    @property
    def title(self) -> str:
        return _TITLES[self.kind]

    @property
    def sentence(self) -> str:
        """For people: mean and 95th percentile inside the body, and what that is."""
        if not self.summary:
            return f"{self.title} ({self.what}): no body is seen."
        mean, p95 = (f"{figure(self.summary[name])} {self.unit}" for name in ("mean", "p95"))
        worst = int(self.summary["worst_slice"]) + 1
        body = f"{mean} on average inside the body, {p95} at the 95th percentile"
        return f"{self.title} ({self.what}): {body}, most in slice {worst} from the feet."

    def as_volume(self, of: Volume) -> Volume:
        """As a volume of no modality beside `of`, the synthetic one, to be saved or shown."""
        no_picture = Finding("value_map", f"This is no picture of a patient: {self.what}, in {self.unit}.")
        return replace(
            of,
            voxels=self.values,
            domain=Domain.UNKNOWN,
            name=f"{self.title} of {of.name}",
            history=(*of.history, f"{self.title.lower()}: {self.what}, in {self.unit}"),
            findings=(no_picture,),
            window=None,
            windows=(),
        )


def figure(value: float) -> str:
    """Three digits, never in powers of ten: `1028`, `23.4`, `0.846`."""
    return f"{value:.0f}" if abs(value) >= _LARGE else f"{value:.3g}"
