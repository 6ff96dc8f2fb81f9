"""Elastic registration by a coarse field of cubic B-splines, begun at a matrix. Rueckert et al., IEEE TMI 18, 1999, with the
mutual information of Mattes et al., IEEE TMI 22, 2003, as in ITK.

Control points lie about 60 mm apart: enough for a bent neck or a jaw, too far apart to make one anatomy of another.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ctmri_core.events import StopSignal
from ctmri_core.geometry import FloatArray
from ctmri_core.preprocess.registration import clipped_image, one_thread
from ctmri_core.preprocess.resample import coarsened
from ctmri_core.preprocess.spatial_transform import SpatialTransform, spline_of
from ctmri_core.volume import Volume

_CELL_MM = 4.0
_POINTS_MM = 60.0
_BINS = 32
_ROUNDS, _ITERATIONS = 5, 4  # ITK's L-BFGS-B heeds no stop before it ends, so it is asked for a little at a time
_MOST_SAMPLES = 60_000
_SEED = 1


def elastic_from(fixed: Volume, moving: Volume, to_moving: FloatArray, stop: StopSignal) -> tuple[float, SpatialTransform]:
    """(metric, transform) from `to_moving`, (4, 4) from the fixed space to the moving one. A stop is noticed between rounds; what
    is returned then is not finished."""
    import SimpleITK as sitk

    over, moved = clipped_image(coarsened(fixed, _CELL_MM)), clipped_image(coarsened(moving, _CELL_MM))
    mesh = [max(1, round(extent / _POINTS_MM)) for extent in fixed.geometry.extent[::-1]]
    spline = sitk.BSplineTransformInitializer(over, mesh, 3)
    before = sitk.AffineTransform(3)
    before.SetMatrix(to_moving[:3, :3].ravel().tolist())
    before.SetTranslation(to_moving[:3, 3].tolist())
    metric = 0.0
    for _ in range(_ROUNDS):
        if stop():
            break
        with one_thread():
            metric = _climbed(sitk.ImageRegistrationMethod(), over, moved, before, spline)
    return metric, SpatialTransform(np.asarray(to_moving, np.float64), spline_of(spline))


def _climbed(method: Any, over: Any, moved: Any, before: Any, spline: Any) -> float:
    import SimpleITK as sitk

    method.SetMetricAsMattesMutualInformation(_BINS)
    share = min(1.0, _MOST_SAMPLES / over.GetNumberOfPixels())
    method.SetMetricSamplingStrategy(method.REGULAR if share < 1 else method.NONE)
    method.SetMetricSamplingPercentage(share, _SEED)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsLBFGSB(gradientConvergenceTolerance=1e-5, numberOfIterations=_ITERATIONS, maximumNumberOfCorrections=5)
    method.SetMovingInitialTransform(before)
    method.SetInitialTransform(spline, inPlace=True)
    try:
        method.Execute(over, moved)
    except RuntimeError:  # ITK's word for pictures that do not meet
        return 0.0
    return -float(method.GetMetricValue())
