"""Whether a synthetic volume may be compared with a real one, and its scores slice by slice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ctmri_core.alignment import Alignment, CoarsePair
from ctmri_core.domain import Domain
from ctmri_core.geometry import Geometry
from ctmri_core.metrics.errors import mae
from ctmri_core.metrics.psnr import psnr
from ctmri_core.metrics.ssim import ssim
from ctmri_core.metrics.synthrad import HU_HIGH, HU_LOW, HU_RANGE
from ctmri_core.preprocess.mr_range import body_range
from ctmri_core.preprocess.resample import lattices_coincide, resample_array, sample_plane
from ctmri_core.volume import Volume

_FEWEST_PIXELS = 200
_WINDOW = 7


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether numbers may be shown. `message` says why not, or how well the volumes lie on each other.

    `outline_dice` and `mutual_information` (see `Alignment`) compare truth and source; None where they were not measured.
    """

    comparable: bool
    message: str
    outline_dice: float | None = None
    mutual_information: float | None = None


@dataclass(frozen=True, slots=True)
class SliceScores:
    """Scores of slice `k` inside the body. `psnr` in dB, `mae` in `unit`, `convention` in words fit to be printed beside."""

    k: int
    ssim: float
    psnr: float
    mae: float
    unit: str
    convention: str


class Comparison:
    """A synthetic volume beside the real one of the same patient.

    `source`: what was translated; it is real, so the alignment of `truth` is judged against it. Slices are counted on the
    grid that it shares with `synthetic`. Immutable after construction (some tenths of a second), so any thread may ask it.
    """

    def __init__(self, source: Volume, synthetic: Volume, truth: Volume) -> None:
        self.synthetic = synthetic
        self.truth = truth
        refused = _no_truth(truth) or _wrong_grid(source, synthetic)
        if refused:
            self.verdict = Verdict(False, refused)
            return
        pair = CoarsePair(source, truth)
        self.verdict = _verdict(pair.alignment(), _wrong_contrast(synthetic, truth))
        if not self.verdict.comparable:
            return
        self._body, self._grid = pair.body.astype(np.float32), pair.grid
        self._body_box = _fine_box(pair.body, pair.grid, source.geometry)
        self._ranges = None if synthetic.domain is Domain.CT else (_range_of(synthetic, pair), _range_of(truth, pair))

    def scores(self, k: int) -> SliceScores | None:
        """Scores of slice `k` of the source's grid; None where there is no slice, body or truth, or no comparison."""
        slices, rows, columns = self.synthetic.geometry.shape
        if not self.verdict.comparable or not 0 <= k < slices or min(rows, columns) < _WINDOW:
            return None
        plane = _part(self.synthetic.geometry.cropped((k, 0, 0), (1, rows, columns)), self._body_box)
        body = resample_array(self._body, self._grid, plane)[0] >= 0.5
        if np.count_nonzero(body) < _FEWEST_PIXELS:
            return None
        box = _box(body)
        plane = _part(plane, box)  # the truth is resampled nowhere else: most of the time of a slice goes there
        truth = sample_plane(self.truth, plane, outside=np.nan)
        mask = body[box] & np.isfinite(truth)
        if np.count_nonzero(mask) < _FEWEST_PIXELS or not mask[3:-3, 3:-3].any():
            return None
        synthetic = self.synthetic.voxels[k][self._body_box][box].astype(np.float32)
        moved = "" if lattices_coincide(self.truth.geometry, plane) else "truth resampled (linear) to source's grid; "
        score = _ct_scores if self._ranges is None else self._mr_scores
        return score(k, synthetic, truth, mask, f"body only; {moved}")

    def _mr_scores(
        self, k: int, synthetic: NDArray[np.float32], truth: NDArray[np.float32], mask: NDArray[np.bool_], where: str
    ) -> SliceScores:
        assert self._ranges is not None
        (low_s, high_s), (low_t, high_t) = self._ranges
        a = np.where(mask, np.clip((synthetic - low_s) / (high_s - low_s), 0, 1), np.float32(0))
        b = np.where(mask, np.clip((truth - low_t) / (high_t - low_t), 0, 1), np.float32(0))
        return SliceScores(
            k,
            ssim(a, b, data_range=1.0, mask=mask),
            psnr(a, b, data_range=1.0, mask=mask),
            100 * mae(a, b, mask),
            "% of range",
            f"{where}each image's in-body 0.5–99.5 % to [0, 1], data range 1; SSIM uniform 7 × 7",
        )


def _ct_scores(
    k: int, synthetic: NDArray[np.float32], truth: NDArray[np.float32], mask: NDArray[np.bool_], where: str
) -> SliceScores:
    """As SynthRAD2023, but on one slice."""
    a, b = (np.where(mask, np.clip(image, HU_LOW, HU_HIGH) - HU_LOW, np.float32(0)) for image in (synthetic, truth))
    return SliceScores(
        k,
        ssim(a, b, data_range=HU_RANGE, mask=mask),
        psnr(a, b, data_range=HU_RANGE, mask=mask),
        mae(synthetic, truth, mask),
        "HU",
        f"{where}HU clipped to [−1024, 3000], data range 4024; SSIM uniform 7 × 7 of HU + 1024",
    )


_Box = tuple[slice, slice]


def _box(mask: NDArray[np.bool_]) -> _Box:
    """Rows and columns that hold the mask and the windows centred in it: all that the scores need."""
    rows, columns = (np.flatnonzero(mask.any(axis)) for axis in (1, 0))
    reach = _WINDOW // 2
    return tuple(slice(max(0, n[0] - reach), n[-1] + 1 + reach) for n in (rows, columns))  # type: ignore[return-value]  # two


def _fine_box(body: NDArray[np.bool_], grid: Geometry, source: Geometry) -> _Box:
    """Rows and columns of `source` that any slice's scores need, from the body in cells of whole voxels on `grid`."""
    box = []
    for axis in (1, 2):
        cells = np.flatnonzero(body.any(axis=(0, 3 - axis)))
        step = round(grid.spacing[axis] / source.spacing[axis])
        first, last = ((cells[0] - 1), (cells[-1] + 2)) if cells.size else (0, 0)  # interpolated up to the next cell
        reach = _WINDOW // 2
        box.append(slice(max(0, first * step - reach), min(source.shape[axis], last * step + reach)))
    return box[0], box[1]


def _part(plane: Geometry, box: _Box) -> Geometry:
    shape = [len(range(n)[part]) for n, part in zip(plane.shape[1:], box, strict=True)]
    return plane.cropped((0, box[0].start, box[1].start), (1, *shape))


def _no_truth(truth: Volume) -> str:
    return "The ground truth is itself synthetic, so there is nothing real to compare with." if truth.synthetic else ""


def _wrong_contrast(synthetic: Volume, truth: Volume) -> str:
    if truth.domain is synthetic.domain:
        return ""
    if truth.domain is Domain.UNKNOWN or (truth.domain is Domain.MR and synthetic.domain.is_mr):
        unknown = "weighting" if truth.domain is Domain.MR else "kind"
        return f"The {unknown} of the ground truth is not known; say that it is {synthetic.domain.label} if that is so."
    return f"{truth.domain.label} is not the target of a {synthetic.domain.label} model."


def _wrong_grid(source: Volume, synthetic: Volume) -> str:
    if synthetic.geometry.is_close(source.geometry):
        return ""
    return "The synthetic volume does not lie on the grid of the source; translate this source again."


def _verdict(alignment: Alignment, wrong_contrast: str) -> Verdict:
    """The alignment is told even where the contrast alone forbids numbers: the pictures lie side by side all the same."""
    if wrong_contrast:
        message = f"{wrong_contrast} Alignment: {alignment.state} ({alignment.numbers})."
    elif alignment.state == "no overlap":
        message = "No overlap: the ground truth shows another part of space than the source."
    elif not alignment.good:
        message = f"Not aligned: register the ground truth to the source first ({alignment.numbers})."
    else:
        message = f"Aligned: {alignment.numbers}."
    comparable = alignment.good and not wrong_contrast
    return Verdict(comparable, message, alignment.outline_dice, alignment.mutual_information)


def _range_of(volume: Volume, pair: CoarsePair) -> tuple[float, float]:
    """0.5-99.5 % of the volume's own voxels at the cells of the body that it covers."""
    inside = pair.body & pair.seen(volume.geometry)
    values: NDArray[Any] = resample_array(volume.voxels, volume.geometry, pair.grid, order=0)
    low, high = np.nanpercentile(values[inside], (0.5, 99.5)) if inside.any() else body_range(volume)
    return float(low), float(max(high, low + 1e-6 * max(1.0, abs(low))))
