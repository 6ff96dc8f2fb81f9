"""Truth and answer brought to the scale of the convention: what each measure is shown."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ctmri_core.domain import Domain
from ctmri_core.metrics.synthrad import HU_LOW, HU_RANGE

Image = NDArray[np.float32]
Mask = NDArray[np.bool_]
MR_RANGE = 100.0
"""MR is brought to 0 to 100, so that errors are in % of the range."""
PHOTOGRAPH_HU = (-1000.0, 1000.0)
"""Black and white of CT for networks that know photographs: of all HU soft tissue would be one grey."""
_QUANTILES = (0.5, 99.5)


@dataclass(frozen=True, eq=False)
class PreparedImages:
    """Of one grid. `truth`, `synthetic`: values that errors are of: HU as they are, or % of range; `data_range`: by convention.

    `spans`: for MR the values of each that became 0 and 100.
    """

    truth: Image = field(repr=False)
    synthetic: Image = field(repr=False)
    mask: Mask = field(repr=False)
    data_range: float
    is_ct: bool
    spans: tuple[tuple[float, float], tuple[float, float]] | None = None

    def structure(self, part: tuple[Any, ...] = ()) -> tuple[Image, Image]:
        """Both for windows of structure (SSIM, gradients), from 0 to the data range, 0 outside the mask. `part`: an index."""
        mask = self.mask[part]
        truth, synthetic = self.truth[part], self.synthetic[part]
        if self.is_ct:
            truth, synthetic = (np.clip(image - np.float32(HU_LOW), 0, HU_RANGE) for image in (truth, synthetic))
        return np.where(mask, truth, np.float32(0)), np.where(mask, synthetic, np.float32(0))

    def photographs(self) -> tuple[Image, Image]:
        """Both from 0 to 1 for networks that see photographs, 0 outside the mask: CT by `PHOTOGRAPH_HU`, MR as errors are."""
        low, high = PHOTOGRAPH_HU if self.is_ct else (0.0, MR_RANGE)
        shares = (np.clip((image - np.float32(low)) / np.float32(high - low), 0, 1) for image in (self.truth, self.synthetic))
        first, second = (np.where(self.mask, share, np.float32(0)) for share in shares)
        return first, second


def prepared(truth: NDArray[Any], synthetic: NDArray[Any], mask: Mask, domain: Domain) -> PreparedImages:
    """(k, j, i) of any type. What is no number outside the mask becomes background. `mask` is not empty."""
    if domain is Domain.CT:
        pair = [np.nan_to_num(image.astype(np.float32), copy=False, nan=HU_LOW) for image in (truth, synthetic)]
        return PreparedImages(pair[0], pair[1], mask, HU_RANGE, True)
    spans = (span_of(truth[mask]), span_of(synthetic[mask]))
    pair = [_to_range(image, span) for image, span in zip((truth, synthetic), spans, strict=True)]
    return PreparedImages(pair[0], pair[1], mask, MR_RANGE, False, spans)


def span_of(values: NDArray[Any]) -> tuple[float, float]:
    """The values that become 0 and 100 of an image with these inside the mask."""
    low, high = (float(value) for value in np.percentile(values, _QUANTILES))
    return low, max(high, low + 1e-6 * max(1.0, abs(low)))


def _to_range(image: NDArray[Any], span: tuple[float, float]) -> Image:
    low, high = span
    scaled = (image.astype(np.float32) - np.float32(low)) * np.float32(MR_RANGE / (high - low))
    result: Image = np.clip(np.nan_to_num(scaled, copy=False, nan=0.0), 0, MR_RANGE)
    return result
