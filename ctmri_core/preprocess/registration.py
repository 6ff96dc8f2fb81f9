"""Rigid registration of two volumes of one patient by mutual information, from several starts.

Mattes et al., IEEE TMI 22, 2003, as in ITK. Files may name the axes in any order and direction, so all 24 turns that carry axes
onto axes are starts; the best of them are refined on finer and finer cells. Samples lie on a regular grid with a fixed seed
and are summed in one thread, so the same pictures give the same answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from ctmri_core.domain import Domain
from ctmri_core.events import Progress, StopSignal, Work
from ctmri_core.geometry import FloatArray, Geometry
from ctmri_core.preprocess.body_mask import coarse_body_mask
from ctmri_core.preprocess.resample import coarsened, resample_array
from ctmri_core.volume import Volume

_FIRST_MM = 12.0
_REFINED_MM = ((8.0, 6), (4.0, 3), (2.0, 1))
"""Cells, and how many of the best places so far are refined on them."""
_AFFINE_MM, _AFFINE_STEP = 4.0, 0.1  # it begins at the best rigid place: a step as long as a cell led from there to a shear
_SAME_MIDDLE_MM = 10.0
_BINS = 32
_MOST_SAMPLES = 150_000
_SEED = 1
_CT_RANGE = (-300.0, 1300.0)
_MASK_MM = 4.0
_FEWEST_CELLS = 200
# Chosen, not fitted. Measured beside them: digital heads and a pork phantom that came out right overlapped by 0.93 or more at a
# metric of 0.6 or more; noise got 0.60 and 0.0; a third of a head that came out upside down had a rival. Scans of two people
# pass all three (0.80 to 0.87, 0.23 to 0.40): whoever uses the result looks at its alignment too, as `aligning` does.
_LEAST_OVERLAP = 0.65
_LEAST_METRIC = 0.08
_RIVAL = 0.98
_SAME_PLACE_MM = 15.0


@dataclass(frozen=True, eq=False)
class Registration:
    """`matrix`: (4, 4) LPS -> LPS, carries a point of the moving volume's space into the fixed one's.

    `metric`: Mattes mutual information in nats at the end; `overlap`: Dice of both outlines in the common field of view;
    `problem`: why the result is not to be trusted, in a sentence for people, or "".
    """

    matrix: FloatArray
    metric: float
    overlap: float
    problem: str = ""


def register_rigid(fixed: Volume, moving: Volume, stop: StopSignal) -> Work[Registration | None]:
    """Where `moving` lies in the space of `fixed`; None when stopped. Yields `Progress` after each start.

    Where the pictures are too small to say, the matrix is the identity and `problem` tells so.
    """
    first = _Level(fixed, moving, _FIRST_MM)
    if min(first.cells) < _FEWEST_CELLS:
        return Registration(np.eye(4), 0.0, 0.0, "The pictures are too small to be registered.")
    starts = _starts(fixed, moving)
    total = len(starts) + sum(count for _, count in _REFINED_MM)
    level, found, done, rival = first, [(0.0, start) for start in starts], 0, 0.0
    for cell, count in ((_FIRST_MM, len(starts)), *_REFINED_MM):
        level = first if cell == _FIRST_MM else _Level(fixed, moving, cell)
        climbed = []
        for number, (_, start) in enumerate(found[:count]):
            if stop():
                return None
            yield Progress(done=done + number, total=total, unit="positions", message="registering")
            climbed.append(level.optimised(start))
        found, done = _distinct(climbed, moving.geometry), done + count
        rival = found[1][0] / max(found[0][0], 1e-9) if len(found) > 1 else rival
    metric, matrix = found[0]
    overlap = _overlap(fixed, moving, matrix)
    return Registration(matrix, metric, overlap, _problem(metric, overlap, rival))


def affine_from(fixed: Volume, moving: Volume, start: FloatArray) -> tuple[float, FloatArray]:
    """(metric, matrix from moving to fixed), sizes and angles of which may differ from those of `start`, a rigid one."""
    return _Level(fixed, moving, _AFFINE_MM).optimised(start, affine=True)


def _problem(metric: float, overlap: float, rival: float) -> str:
    numbers = f"mutual information {metric:.2f}, outline overlap {overlap:.2f}"
    if metric < _LEAST_METRIC:
        return f"The pictures have too little in common to be registered ({numbers})."
    if overlap < _LEAST_OVERLAP:
        return f"The outlines do not fall on each other after registration ({numbers})."
    if rival > _RIVAL:
        return f"Two positions fit equally well, so neither is certain ({numbers})."
    return ""


class _Level:
    """Both volumes in cells of one size.

    Samples are taken in the smaller field of view: where they left the other one on the way, the gradient would point past
    the best place (thick T2 slices of three digital heads in a larger CT: 4 to 6 mm beside it, against 0.6 to 1 mm).
    """

    def __init__(self, fixed: Volume, moving: Volume, cell_mm: float) -> None:
        self._swapped = np.prod(moving.geometry.extent) < np.prod(fixed.geometry.extent)
        sampled, other = (moving, fixed) if self._swapped else (fixed, moving)
        self._sampled, self._other = (clipped_image(coarsened(volume, cell_mm)) for volume in (sampled, other))
        self.cells = (self._sampled.GetNumberOfPixels(), self._other.GetNumberOfPixels())
        self._centre = tuple(sampled.geometry.centre)
        self._cell = cell_mm

    def optimised(self, start: FloatArray, *, affine: bool = False) -> tuple[float, FloatArray]:
        """(metric, matrix from moving to fixed) from `start`, a rigid one. `affine`: what changes sizes and angles, too."""
        if not self._swapped:
            return self._optimised(start, affine)
        metric, matrix = self._optimised(np.asarray(np.linalg.inv(start), np.float64), affine)
        return metric, np.asarray(np.linalg.inv(matrix), np.float64)

    def _optimised(self, start: FloatArray, affine: bool) -> tuple[float, FloatArray]:
        """The same from the other volume to the sampled one. `start` is put into the other's grid first: the angles that are
        looked for are small then."""
        import SimpleITK as sitk

        moved = _placed(self._other, start)
        with one_thread():
            method = sitk.ImageRegistrationMethod()
            transform = sitk.AffineTransform(3) if affine else sitk.Euler3DTransform()
            return self._climbed(method, moved, start, transform, self._cell * (_AFFINE_STEP if affine else 1.0))

    def _climbed(self, method: Any, moved: Any, start: FloatArray, transform: Any, step: float) -> tuple[float, FloatArray]:
        import SimpleITK as sitk

        method.SetMetricAsMattesMutualInformation(_BINS)
        share = min(1.0, _MOST_SAMPLES / self.cells[0])
        method.SetMetricSamplingStrategy(method.REGULAR if share < 1 else method.NONE)
        method.SetMetricSamplingPercentage(share, _SEED)
        method.SetInterpolator(sitk.sitkLinear)
        method.SetOptimizerAsRegularStepGradientDescent(
            learningRate=step, minStep=step / 200, numberOfIterations=120, relaxationFactor=0.6
        )
        method.SetOptimizerScalesFromPhysicalShift()
        transform.SetCenter(self._centre)
        method.SetInitialTransform(transform, inPlace=True)
        try:
            method.Execute(self._sampled, moved)
        except RuntimeError:  # ITK's word for pictures that do not meet
            return 0.0, start
        return -float(method.GetMetricValue()), np.asarray(np.linalg.inv(_matrix(transform)) @ start, np.float64)


@contextmanager
def one_thread() -> Iterator[None]:
    """Sums over several threads differ in their last digits from run to run, which the way to the best place makes larger. ITK's
    metric asks for the number of threads of the whole process when it is made, and for no other."""
    from SimpleITK import ProcessObject

    before = ProcessObject.GetGlobalDefaultNumberOfThreads()
    ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    try:
        yield
    finally:
        ProcessObject.SetGlobalDefaultNumberOfThreads(before)


def _starts(fixed: Volume, moving: Volume) -> list[FloatArray]:
    """Moving to fixed: as the files say; middles of the bodies laid on each other, turned every way that carries axes onto axes;
    and where these are not the middles of the grids (one picture shows more of the body), those too, with half turns."""
    from scipy.spatial.transform import Rotation

    every = np.rint(Rotation.create_group("O").as_matrix())
    half = [turn for turn in every if np.abs(turn).trace() == 3]
    bodies = tuple(_centroid(volume) for volume in (fixed, moving))
    grids = (fixed.geometry.centre, moving.geometry.centre)
    starts = [np.eye(4), *(_laid(turn, *bodies) for turn in every)]
    if np.linalg.norm((bodies[0] - bodies[1]) - (grids[0] - grids[1])) > _SAME_MIDDLE_MM:
        starts += [_laid(turn, *grids) for turn in half]
    return starts


def _laid(turn: FloatArray, to: FloatArray, of: FloatArray) -> FloatArray:
    """(4, 4): turned so, and `of` carried to `to`."""
    matrix = np.eye(4)
    matrix[:3, :3] = turn
    matrix[:3, 3] = to - turn @ of
    return matrix


def _centroid(volume: Volume) -> FloatArray:
    mask, grid = coarse_body_mask(volume, _MASK_MM)
    if not mask.any():
        return volume.geometry.centre
    return grid.index_to_mm(np.argwhere(mask).mean(0))


def _distinct(found: Sequence[tuple[float, FloatArray]], grid: Geometry) -> list[tuple[float, FloatArray]]:
    """Best first; of those that lie in the same place only the best."""
    kept: list[tuple[float, FloatArray]] = []
    for metric, matrix in sorted(found, key=lambda entry: -entry[0]):
        if all(_distance(matrix, other, grid) > _SAME_PLACE_MM for _, other in kept):
            kept.append((metric, matrix))
    return kept


def _distance(one: FloatArray, other: FloatArray, grid: Geometry) -> float:
    """mm between the places that both give the farthest corner of `grid`, the moving volume's."""
    corners = np.c_[grid.corners, np.ones(8)]
    difference = corners @ (one - other).T
    return float(np.linalg.norm(difference[:, :3], axis=1).max())


def _overlap(fixed: Volume, moving: Volume, matrix: FloatArray) -> float:
    """Dice of both outlines where both volumes see."""
    body, grid = coarse_body_mask(fixed, _MASK_MM)
    other, lattice = coarse_body_mask(moving, _MASK_MM)
    placed = Geometry.from_affine(lattice.shape, matrix @ lattice.affine)
    seen = resample_array(np.ones(lattice.shape, np.bool_), placed, grid)
    there = resample_array(other, placed, grid) & seen
    total = np.count_nonzero(body & seen) + np.count_nonzero(there)
    return 2 * np.count_nonzero(body & there) / total if total else 0.0


def clipped_image(volume: Volume) -> Any:
    """A SimpleITK image whose values are clipped to what tells tissues apart."""
    import SimpleITK as sitk

    values = np.nan_to_num(volume.voxels, nan=volume.background)
    low, high = _CT_RANGE if volume.domain is Domain.CT else tuple(np.percentile(values, (0.0, 99.8)))
    image = sitk.GetImageFromArray(np.clip(values, low, max(high, low + 1e-3)).astype(np.float32))
    spacing, origin, direction = volume.geometry.to_itk()
    image.SetSpacing(spacing)
    image.SetOrigin(origin)
    image.SetDirection(direction)
    return image


def _placed(image: Any, matrix: FloatArray) -> Any:
    """The same voxels on a grid moved by `matrix`."""
    import SimpleITK as sitk

    moved = sitk.Image(image)
    moved.SetOrigin((matrix @ np.asarray([*image.GetOrigin(), 1.0]))[:3].tolist())
    moved.SetDirection((matrix[:3, :3] @ np.asarray(image.GetDirection()).reshape(3, 3)).ravel().tolist())
    return moved


def _matrix(transform: Any) -> FloatArray:
    """(4, 4) of a transform of SimpleITK that has a matrix and a centre."""
    matrix = np.eye(4)
    matrix[:3, :3] = np.asarray(transform.GetMatrix()).reshape(3, 3)
    centre = np.asarray(transform.GetCenter())
    matrix[:3, 3] = np.asarray(transform.GetTranslation()) + centre - matrix[:3, :3] @ centre
    return matrix
