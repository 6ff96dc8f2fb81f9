"""The convention of a comparison, and the scores of two images under it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ctmri_core.domain import Domain
from ctmri_core.metrics.ssim import ssim
from ctmri_core.metrics.synthrad import HU_HIGH, HU_LOW, HU_RANGE
from ctmri_core.metrics.volume_ssim import VolumeSsim

WINDOW = 7
REACH = WINDOW // 2
Inside = Literal["body", "slice"]
Range = tuple[float, float]
_Image = NDArray[np.float32]
_Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Scores:
    """How alike two images are where they were compared.

    `ssim` is NaN where no window fits; `psnr` in dB, infinite for equal images; `mae` in `unit`; `voxels`: how many were
    compared; `convention`: in words fit to be printed beside.
    """

    ssim: float
    psnr: float
    mae: float
    unit: str
    voxels: int
    convention: str


@dataclass(frozen=True, slots=True)
class Compared:
    """Synthetic and truth on the voxels of one lattice (k, j, i), not finite outside either volume, and where they count.

    `alone`: what lies outside the mask is nothing, even beneath a window that reaches over its edge. `where`: in words.
    """

    synthetic: _Image
    truth: _Image
    mask: _Mask
    alone: bool
    where: str


@dataclass(frozen=True, slots=True)
class _Sums:
    """Over the mask: voxels, sum of |x - y| as the images are, and of |a - b| and (a - b)² on the scale of the convention."""

    count: float = 0.0
    raw: float = 0.0
    absolute: float = 0.0
    squares: float = 0.0

    def __add__(self, other: _Sums) -> _Sums:
        return _Sums(
            self.count + other.count, self.raw + other.raw, self.absolute + other.absolute, self.squares + other.squares
        )


@dataclass(frozen=True, slots=True)
class Convention:
    """CT in HU as SynthRAD2023; MR, whose values have no unit, in parts of the `ranges` of the synthetic and of the truth."""

    ranges: tuple[Range, Range] | None = None

    @classmethod
    def of(cls, domain: Domain, synthetic: Range, truth: Range) -> Convention:
        return cls() if domain is Domain.CT else cls((synthetic, truth))

    @property
    def data_range(self) -> float:
        return HU_RANGE if self.ranges is None else 1.0

    def scores_of_slice(self, compared: Compared, n: int) -> Scores | None:
        """Of slice `n` of what is compared; None where nothing is."""
        a, b, mask, sums = self.mapped(compared, n)
        windows = min(mask.shape) >= WINDOW and mask[REACH:-REACH, REACH:-REACH].any()
        similarity = ssim(a, b, data_range=self.data_range, mask=mask) if windows else math.nan
        return self.scores(sums, similarity, compared.where, "7 × 7")

    def mapped(self, compared: Compared, n: int) -> tuple[_Image, _Image, _Mask, _Sums]:
        """Slice `n` on the scale of the convention, where it counts, and the sums over that."""
        from ctmri_core.metrics.mapping_kernel import mapped  # numba costs 0.2 s: not before the first score

        ranges = self.ranges or ((HU_LOW, HU_HIGH),) * 2
        (low_x, factor_x), (low_y, factor_y) = ((low, self.data_range / (high - low)) for low, high in ranges)
        x, y = (np.ascontiguousarray(image[n]) for image in (compared.synthetic, compared.truth))
        mask, a, b = np.array(compared.mask[n], order="C"), np.empty_like(x), np.empty_like(y)
        sums = mapped(x, y, mask, compared.alone, low_x, factor_x, low_y, factor_y, self.data_range, a, b)
        return a, b, mask, _Sums(*sums)

    def scores(self, sums: _Sums, similarity: float, where: str, window: str) -> Scores | None:
        if not sums.count:
            return None
        mean_square = sums.squares / sums.count
        ratio = 10 * math.log10(self.data_range**2 / mean_square) if mean_square else math.inf
        if self.ranges is None:
            error, unit = sums.raw / sums.count, "HU"
            words = f"HU clipped to [−1024, 3000], data range 4024; SSIM uniform {window} of HU + 1024"
        else:
            error, unit = 100 * sums.absolute / sums.count, "% of range"
            words = f"each image's in-body 0.5–99.5 % to [0, 1], data range 1; SSIM uniform {window}"
        return Scores(similarity, ratio, error, unit, round(sums.count), f"{where}; {words}")


class VolumeTally:
    """Scores of a volume whose slices come in order, all of one size, and need never be in the memory together."""

    def __init__(self, convention: Convention) -> None:
        self._convention, self._sums, self._where = convention, _Sums(), ""
        self._ssim = VolumeSsim(convention.data_range)

    def add(self, compared: Compared) -> None:
        """The next slices."""
        self._where = compared.where
        for n in range(len(compared.mask)):
            a, b, mask, sums = self._convention.mapped(compared, n)
            self._sums += sums
            if min(mask.shape) >= WINDOW:
                self._ssim.add(a, b, mask)

    @property
    def scores(self) -> Scores | None:
        """None where nothing was compared."""
        return self._convention.scores(self._sums, self._ssim.mean, self._where, "7 × 7 × 7")
