"""Whether a synthetic volume may be compared with a real one, and its scores slice by slice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ctmri_core.domain import Domain
from ctmri_core.geometry import FloatArray, Geometry, rigid_transform
from ctmri_core.metrics.alignment import normalized_mutual_information, outline_dice
from ctmri_core.metrics.errors import mae
from ctmri_core.metrics.psnr import psnr
from ctmri_core.metrics.ssim import ssim
from ctmri_core.metrics.synthrad import HU_HIGH, HU_LOW, HU_RANGE
from ctmri_core.preprocess.body_mask import coarse_body_mask
from ctmri_core.preprocess.mr_range import body_range
from ctmri_core.preprocess.resample import coarsened, lattices_coincide, resample_array, sample_plane
from ctmri_core.volume import Volume

# Calibrated on registered CT / MR pairs (one volume, 150 head slices of three centres in three planes, each way round)
# against copies moved by 10 mm, turned by 10 degrees, or both. At rest the mutual information of a registered pair exceeds
# that of the truth moved by 8 mm or 8 degrees along or about any axis, by a factor of 1.05 to 3.6 above independence; of
# 450 displaced copies 448 stay below 1.03, of those moved by 5 mm nine in ten. Outlines overlap by 0.87-0.98 when
# registered, but by up to 0.97 when displaced: they only catch what is far off.
_LEAST_OUTLINE = 0.80
_LEAST_PEAK = 1.05
_MOVE_MM, _MOVE_DEGREES = 8.0, 8.0
_BINS = 16
_CELL_MM, _FINE_CELL_MM, _FEWEST_CELLS = 3.5, 2.0, 20_000
_LEAST_COMMON = 0.10
_FEWEST_PIXELS = 200
_WINDOW = 7


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether numbers may be shown. `message` says why not, or how well the volumes lie on each other.

    `outline_dice` and `mutual_information` (normalized, 1 to 2) compare truth and source; None where they were not measured.
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
        pair = _CoarsePair(source, truth)
        self.verdict = pair.alignment().verdict(_wrong_contrast(synthetic, truth))
        if not self.verdict.comparable:
            return
        self._body, self._grid = pair.body.astype(np.float32), pair.grid
        self._body_box = _fine_box(pair.body, pair.grid, source.geometry)
        self._ranges = None if synthetic.domain is Domain.CT else (pair.range_of(synthetic), pair.range_of(truth))

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


def alignment_of(source: Volume, other: Volume) -> Verdict:
    """How well two real volumes of one patient lie on each other, whatever they show; `comparable` when they do."""
    return _CoarsePair(source, other).alignment().verdict("")


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


@dataclass(frozen=True, slots=True)
class _Alignment:
    state: Literal["good", "not aligned", "no overlap"]
    outline_dice: float
    mutual_information: float

    def verdict(self, wrong_contrast: str) -> Verdict:
        """The alignment is told even where the contrast alone forbids numbers: the pictures lie side by side all the same."""
        numbers = f"outline overlap {self.outline_dice:.2f}, mutual information {self.mutual_information:.2f}"
        if wrong_contrast:
            message = f"{wrong_contrast} Alignment: {self.state} ({numbers})."
        elif self.state == "no overlap":
            message = "No overlap: the ground truth shows another part of space than the source."
        elif self.state == "not aligned":
            message = f"Not aligned: register the ground truth to the source first ({numbers})."
        else:
            message = f"Aligned: {numbers}."
        comparable = self.state == "good" and not wrong_contrast
        return Verdict(comparable, message, self.outline_dice, self.mutual_information)


class _CoarsePair:
    """Source and truth in cells of a few millimetres on the source's lattice."""

    def __init__(self, source: Volume, truth: Volume) -> None:
        cells = float(np.prod([max(1.0, extent / _CELL_MM) for extent in source.geometry.extent]))
        cell = _CELL_MM if cells >= _FEWEST_CELLS else _FINE_CELL_MM
        self.source, self.truth = coarsened(source, cell), coarsened(truth, cell)
        self.body, self.grid = coarse_body_mask(source, cell)
        self.truth_body, self._truth_grid = coarse_body_mask(truth, cell)

    def alignment(self) -> _Alignment:
        common, dice, information = self._measured(np.eye(4))
        if common < _LEAST_COMMON:
            return _Alignment("no overlap", dice, information)
        moved = [self._measured(move) for move in self._moves()]
        best = max((other for share, _, other in moved if share >= 0.6 * common), default=1.0)
        good = dice >= _LEAST_OUTLINE and information - 1 >= _LEAST_PEAK * (best - 1)
        return _Alignment("good" if good else "not aligned", dice, information)

    def range_of(self, volume: Volume) -> tuple[float, float]:
        """0.5-99.5 % of the volume's own voxels at the cells of the body that it covers."""
        inside = self.body & self._seen(volume.geometry)
        values: NDArray[Any] = resample_array(volume.voxels, volume.geometry, self.grid, order=0)
        low, high = np.nanpercentile(values[inside], (0.5, 99.5)) if inside.any() else body_range(volume)
        return float(low), float(max(high, low + 1e-6 * max(1.0, abs(low))))

    def _measured(self, move: FloatArray) -> tuple[float, float, float]:
        """(share of the body in the common field of view, outline Dice there, mutual information) with the truth moved."""
        lattice = Geometry.from_affine(self.truth.geometry.shape, move @ self.truth.geometry.affine)
        seen = self._seen(lattice)
        body = self.body & seen
        other = resample_array(self.truth_body, lattice, self.grid) & seen
        if not body.any() or not other.any():
            return 0.0, 0.0, 1.0
        truth: NDArray[Any] = resample_array(self.truth.voxels, lattice, self.grid)
        information = normalized_mutual_information(self.source.voxels, truth, body | other, _BINS)
        return float(body.sum() / self.body.sum()), outline_dice(body, other), information

    def _seen(self, lattice: Geometry) -> NDArray[np.bool_]:
        """Which cells lie within the field of view of `lattice`."""
        whole = Geometry((1, 1, 1), lattice.extent, tuple(lattice.centre), lattice.direction)
        return resample_array(np.ones((1, 1, 1), np.bool_), whole, self.grid)

    def _moves(self) -> Iterator[FloatArray]:
        """Both ways along and about every axis through the middle of the source."""
        centre = tuple(self.grid.centre)
        for axis in range(3):
            for sign in (-1.0, 1.0):
                step = [sign if n == axis else 0.0 for n in range(3)]
                yield rigid_transform((0.0, 0.0, 0.0), tuple(_MOVE_MM * s for s in step))  # type: ignore[arg-type]  # three numbers
                yield rigid_transform(tuple(_MOVE_DEGREES * s for s in step), (0.0, 0.0, 0.0), centre)  # type: ignore[arg-type]  # as above
