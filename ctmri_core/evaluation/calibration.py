"""Whether a model knows where it is wrong: the spread of its answers against their errors; and Bland-Altman of its values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ctmri_core.evaluation.results import Agreement, Calibration, CalibrationPoint

_TENTHS = 10
_MOST = 200_000  # voxels that are looked at: ranks of all would cost more than they tell
_BINS = 48
Values = NDArray[np.floating[Any]]


def calibration(spread: Values, error: Values) -> Calibration | None:
    """Of values at the same voxels: `spread` (standard deviation) and `error` (signed or absolute), in one unit.

    None where the spread is the same everywhere. Of more than 200,000 voxels some are taken, evenly.
    """
    every = max(1, -(-spread.size // _MOST))
    told, found = (np.asarray(values.ravel()[::every], np.float64) for values in (spread, np.abs(error)))
    if told.size < _TENTHS or told.min() == told.max():
        return None
    order = np.argsort(told, kind="stable")
    points = tuple(
        CalibrationPoint(spread=_rms(told[part]), error=_rms(found[part])) for part in np.array_split(order, _TENTHS)
    )
    first, second, third = (float(np.mean(found <= times * told)) for times in (1, 2, 3))
    return Calibration(points=points, correlation=_spearman(told, found), inside=(first, second, third))


def mean_calibration(each: Sequence[Calibration]) -> Calibration | None:
    """The mean over cases, point by point."""
    if not each:
        return None
    points = tuple(
        CalibrationPoint(spread=_mean([one.points[n].spread for one in each]), error=_mean([one.points[n].error for one in each]))
        for n in range(len(each[0].points))
    )
    first, second, third = (_mean([one.inside[n] for one in each]) for n in range(3))
    return Calibration(points=points, correlation=_mean([one.correlation for one in each]), inside=(first, second, third))


def agreement(truth: Values, synthetic: Values, low: float, high: float, difference: float) -> Agreement:
    """Of values at the same voxels, counted in 48 x 48 bins; see `Agreement`."""
    apart = np.asarray(synthetic, np.float64) - truth
    rows = _binned(apart, -difference, difference)
    columns = _binned((np.asarray(synthetic, np.float64) + truth) / 2, low, high)
    counts = np.bincount(rows * _BINS + columns, minlength=_BINS * _BINS).reshape(_BINS, _BINS)
    return Agreement(
        low=low, high=high, difference=difference, counts=tuple(tuple(row) for row in counts.tolist()), bias=float(apart.mean()),
        sd=float(apart.std()), voxels=int(apart.size),
    )  # fmt: skip


def joint_agreement(each: Sequence[Agreement]) -> Agreement | None:
    """Of all voxels of cases that were counted in the same bins."""
    if not each:
        return None
    voxels = sum(one.voxels for one in each)
    bias = sum(one.bias * one.voxels for one in each) / voxels
    square = sum((one.sd**2 + one.bias**2) * one.voxels for one in each) / voxels
    counts = np.sum([one.counts for one in each], axis=0).tolist()
    first = each[0]
    return Agreement(
        low=first.low, high=first.high, difference=first.difference, counts=tuple(map(tuple, counts)), bias=bias,
        sd=float(np.sqrt(max(square - bias**2, 0.0))), voxels=voxels,
    )  # fmt: skip


def _binned(values: Values, low: float, high: float) -> NDArray[np.intp]:
    scaled = np.floor((values - low) * (_BINS / (high - low)))
    result: NDArray[np.intp] = np.clip(scaled, 0, _BINS - 1).astype(np.intp)
    return result


def _rms(values: Values) -> float:
    return float(np.sqrt(np.mean(np.square(values))))


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))


def _spearman(one: Values, other: Values) -> float:
    """0 where either is constant."""
    from scipy.stats import rankdata

    first, second = rankdata(one), rankdata(other)
    if first.std() == 0 or second.std() == 0:
        return 0.0
    return float(np.corrcoef(first, second)[0, 1])
