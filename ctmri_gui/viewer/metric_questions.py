"""What may be asked of a comparison. Equal questions have equal answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from ctmri_core.geometry import Geometry
from ctmri_gui.viewer.metric_kinds import Scores
from ctmri_gui.viewer.roles import Pair

Inside = Literal["body", "slice"]


class Scope(StrEnum):
    """Of what the metrics are. The value is what a person reads."""

    SLICE = "This slice, all of it"
    REGION = "This slice, in the region"
    BODY = "This slice, in the body"
    VOLUME = "All slices, in the body"


class ScoresPlaces(Protocol):
    """`ctmri_core.comparison.Comparison` as far as questions use it."""

    def scores(
        self, k: int, axis: Geometry, *, inside: Inside, truth: NDArray[np.float32] | None
    ) -> Scores | None: ...
    def region_scores(self, region: NDArray[np.bool_], lattice: Geometry) -> Scores | None: ...


class Region(Protocol):
    """What has an inside on a slice: `ctmri_core.measuring.shapes.Shape`."""

    @property
    def lattice(self) -> Geometry: ...
    def mask_on(self, plane: Geometry) -> NDArray[np.bool_]: ...


class Question(Protocol):
    """Asked on a helper thread."""

    def ask(self, comparison: Any) -> Scores | None: ...


@dataclass(frozen=True)
class OfSlice:
    """The scores of slice `k` of `grid`. `truth`: its samples there, where a pane has them already."""

    k: int
    grid: Geometry
    inside: Inside = "body"
    truth: NDArray[np.float32] | None = field(default=None, compare=False, repr=False)

    def ask(self, comparison: ScoresPlaces) -> Scores | None:
        return comparison.scores(self.k, self.grid, inside=self.inside, truth=self.truth)


@dataclass(frozen=True)
class OfRegion:
    """The scores under the outline of a region, called `name`, on slice `k` of `grid`."""

    k: int
    grid: Geometry
    region: Region
    name: str

    def ask(self, comparison: ScoresPlaces) -> Scores | None:
        plane = self.grid.cropped((self.k, 0, 0), (1, *self.grid.shape[1:]))
        return comparison.region_scores(self.region.mask_on(plane)[None], plane)


@dataclass(frozen=True)
class OfEach:
    """The same question to several comparisons, by pair: those after the first find sampled what they have in common."""

    question: Question

    def ask(self, comparisons: Mapping[Pair, Any]) -> dict[Pair, Scores | None]:
        return {pair: self.question.ask(comparison) for pair, comparison in comparisons.items()}


def lies_on(region: Region, grid: Geometry) -> bool:
    """Whether a region was drawn on slices of this plane, so that its outline means the same on any of them."""
    return bool(abs(region.lattice.axes[0] @ grid.axes[0]) > 1 - 1e-6)
