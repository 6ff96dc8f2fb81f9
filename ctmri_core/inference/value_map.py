"""What is told of a synthetic volume voxel by voxel: how uncertain it is, how far its source comes back."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ctmri_core.domain import Domain
from ctmri_core.geometry import Geometry
from ctmri_core.preprocess.body_mask import body_mask
from ctmri_core.preprocess.slice_grid import axial_order
from ctmri_core.volume import Volume

Kind = Literal["uncertainty", "cycle"]
_TITLES: dict[Kind, str] = {"uncertainty": "Uncertainty", "cycle": "Cycle error"}


@dataclass(frozen=True, eq=False)
class ValueMap:
    """`values`: float32 (k, j, i), not negative, in `unit`, on the grid of the volume that it tells of. `what`: how they were
    found, in words that go on from "is"; `summary`: figures inside the body."""

    kind: Kind
    values: NDArray[np.float32] = field(repr=False)
    geometry: Geometry
    unit: str
    what: str
    summary: dict[str, float]

    @classmethod
    def inside(cls, kind: Kind, values: NDArray[np.float32], unit: str, what: str, source: Volume) -> ValueMap:
        """With its summary inside the body of `source`, on whose grid it lies: mean, 95th percentile, largest mean of an axial
        slice and where that is, from the feet, counted from 0."""
        mask = body_mask(source)
        geometry = source.geometry
        inner = values[mask]
        if not inner.size:
            return cls(kind, values, geometry, unit, what, {})
        order, flips = axial_order(geometry)
        axis = order[0]
        others = tuple(other for other in range(3) if other != axis)
        count = mask.sum(others)
        means = np.where(count > 0, (values * mask).sum(others, dtype=np.float64) / np.maximum(count, 1), -1.0)
        if flips[0]:
            means = means[::-1]
        summary = {
            "mean": float(inner.mean(dtype=np.float64)),
            "p95": float(np.percentile(inner, 95)),
            "worst_slice": int(means.argmax()),
            "worst_slice_mean": float(means.max()),
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
        mean, p95 = (f"{self.summary[name]:.3g} {self.unit}" for name in ("mean", "p95"))
        worst = int(self.summary["worst_slice"]) + 1
        body = f"{mean} on average inside the body, {p95} at the 95th percentile"
        return f"{self.title} ({self.what}): {body}, most in slice {worst} from the feet."

    def as_volume(self, of: Volume) -> Volume:
        """As a volume of no modality beside `of`, the synthetic one, to be saved or shown."""
        history = (*of.history, f"{self.title.lower()}: {self.what}, in {self.unit}")
        return replace(
            of, voxels=self.values, domain=Domain.UNKNOWN, name=f"{self.title} of {of.name}", history=history, findings=(),
            window=None, windows=(),
        )  # fmt: skip
