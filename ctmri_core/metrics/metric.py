"""What there is to know of a measure before its numbers are believed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from ctmri_core.errors import GeometryMismatch, NotComparable
from ctmri_core.metrics.checks import Image, Mask

Better = Literal["higher", "lower", "nearer to 0"]
Takes = Literal["images", "outlines", "feature sets", "feature layers"]
AS_IMAGES = "as the images"
"""The unit of what the images hold: HU for CT, parts of the range for MR brought to [0, 1]."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One measure.

    `lowest` and `highest` bound its values, both possible unless infinite; `convention` belongs beside every printed value.
    `dimensions`: of the images. `mask`: whether one is taken. `data_range`: whether it must be given. `ct_only`: in HU.
    `function` takes what `takes` says, by place: two images, boolean outlines (and `spacing`), sets of features, or layers.
    """

    key: str
    title: str
    function: Callable[..., float]
    source: str
    convention: str
    unit: str = ""
    lowest: float = 0.0
    highest: float = 1.0
    better: Better = "higher"
    takes: Takes = "images"
    dimensions: tuple[int, ...] = (2, 3)
    mask: Literal["optional", "required", "none"] = "optional"
    data_range: bool = False
    ct_only: bool = False
    spacing: bool = False

    def of_images(
        self, truth: Image, synthetic: Image, *, mask: Mask | None = None, data_range: float | None = None
    ) -> float:
        """The score of two images, of what is given that which it takes. For `takes` "images" only.

        Raises `GeometryMismatch` on shapes it does not take, `NotComparable` where it lacks something or says nothing.
        """
        if self.takes != "images":
            raise NotComparable(f"{self.title} takes {self.takes}, not images.")
        if truth.ndim not in self.dimensions:
            taken = " or ".join(f"{n}-D" for n in self.dimensions)
            raise GeometryMismatch(f"{self.title} compares {taken} images; these have {truth.ndim} dimensions.")
        if self.mask == "required" and mask is None:
            raise NotComparable(f"{self.title} needs the outline of the body.")
        if not self.data_range:
            return self.function(truth, synthetic, mask=mask)
        if data_range is None:
            raise NotComparable(f"{self.title} needs the data range of the convention (4024 for HU from -1024 to 3000).")
        return self.function(truth, synthetic, mask=mask, data_range=data_range)
