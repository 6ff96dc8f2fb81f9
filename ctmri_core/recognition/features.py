"""What tells CT from MR, and T1 from T2 and FLAIR, in numbers that neither scale nor window of a picture changes much.

CT: soft tissue lies in a narrow peak far above air, bone beyond it is the brightest and lies below the skin. MR: bone is dark,
tissues spread widely. T1: fluid is dark and white matter brighter than grey; T2: fluid is the brightest; FLAIR: fluid is dark and
grey matter brighter than white. So brightness is looked at by depth below the skin and by distance from the darkest and the
brightest places within the brain, as ranks among the body's values as well as in multiples of its median.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ctmri_core.recognition.sampled_slices import Array, Mask, SampledSlice

_DEPTHS = np.array([0.0, 0.06, 0.12, 0.18, 0.25, 0.35, 0.5, 0.7, 2.0])
"""Shares of the radius of a disk as large as the body in that slice."""
_WITHIN = 0.3
_SEEDS = 0.07
_STEPS = np.array([0.5, 1.5, 2.5, 3.5, 5.5, 9.5])
_SHIFTS = (0.0, 1024.0)
_Vector = NDArray[np.float64]


def features_of(one: SampledSlice) -> _Vector:
    """float64 (73,), finite."""
    values, body = one.values, one.body
    inside = values[body]
    ranks = np.zeros(values.shape, np.float32)
    ranks[body] = _ranks(inside)
    height = float(np.median(inside)) - one.nothing
    span = max(abs(height), 1e-6 * (1 + abs(one.nothing)))
    relative = np.clip((values - one.nothing) / span, -2, 6).astype(np.float32)
    depth = _depths(body)
    parts = [
        _by_depth(ranks, relative, depth, body),
        _shape_of(relative[body]),
        _background(one, span),
        *(_hounsfield(one, shift) for shift in _SHIFTS),
        _within(values, relative, depth, body),
    ]
    return np.nan_to_num(np.concatenate(parts).astype(np.float64), nan=0.0, posinf=6.0, neginf=-6.0).clip(-10, 10)


def _ranks(values: Array) -> Array:
    """0 to 1; equal values share the middle of their ranks."""
    ordered = np.sort(values)
    first, last = np.searchsorted(ordered, values, "left"), np.searchsorted(ordered, values, "right")
    return ((first + last) / (2 * len(values))).astype(np.float32)


def _depths(body: Mask) -> Array:
    from scipy.ndimage import distance_transform_edt

    radius = max(float(np.sqrt(body.sum() / np.pi)), 1.0)
    return np.asarray(distance_transform_edt(np.pad(body, 1))[1:-1, 1:-1] / radius, np.float32)


def _by_depth(ranks: Array, relative: Array, depth: Array, body: Mask) -> _Vector:
    """(24,): mean and deviation of ranks, and mean relative value, in every layer below the skin."""
    layer = np.digitize(depth[body], _DEPTHS) - 1
    count = np.bincount(layer, minlength=8)[:8]
    rank, value = ranks[body], relative[body]
    total, squares, sums = (np.bincount(layer, weights, minlength=8)[:8] for weights in (rank, rank**2, value))
    many = np.maximum(count, 1)
    mean = np.where(count > 4, total / many, 0.5)
    spread = np.sqrt(np.maximum(np.where(count > 4, squares / many, mean**2) - mean**2, 0))
    return np.concatenate([mean, spread, np.where(count > 4, sums / many, 1.0)])


def _shape_of(relative: Array) -> _Vector:
    """(11,): percentiles of the body's values, how narrow their peak is, and how many share the highest and lowest value."""
    points = np.percentile(relative, (1, 5, 25, 50, 75, 95, 99))
    counts, edges = np.histogram(relative, 160, (-2.0, 6.0))
    smooth = np.convolve(counts, np.ones(3), "same")
    mode = float(edges[int(smooth.argmax())] + 0.025)
    peak = float(np.mean(np.abs(relative - mode) < 0.06))
    top, bottom = float(relative.max()), float(relative.min())
    edge = 0.01 * (top - bottom)
    return np.array([*points, mode, peak, np.mean(relative > top - edge), np.mean(relative < bottom + edge)])


def _background(one: SampledSlice, span: float) -> _Vector:
    """(3,): noise in air against the body's brightness, how much of it is one value, and how much of the picture is air."""
    outside = one.values[one.air]
    if outside.size < 20:
        return np.array([0.0, 0.0, 0.0])
    low, high = np.percentile(outside, (10, 90))
    even = float(np.mean(np.abs(outside - np.median(outside)) <= 1e-3 * span))
    return np.array([min((high - low) / span, 2.0), even, one.air.mean()])


def _hounsfield(one: SampledSlice, shift: float) -> _Vector:
    """(4,): whether air lies where it does in CT numbers plus `shift`, and if so the shares of fat, soft tissue and bone."""
    if abs(one.nothing - shift + 1000) > 80:
        return np.zeros(4)
    inside = one.values[one.body] - np.float32(shift)
    fat, soft, bone = ((inside > low) & (inside < high) for low, high in ((-140, -50), (-20, 90), (200, 3200)))
    return np.array([1.0, fat.mean(), soft.mean(), bone.mean()])


def _within(values: Array, relative: Array, depth: Array, body: Mask) -> _Vector:
    """(27,): brightness by distance from the darkest and the brightest places, how skewed values and fine detail are, and how
    smooth and how deep the five fifths of brightness are: white matter is smooth, be it bright or dark, and its ribbon is not."""
    from scipy.ndimage import distance_transform_edt, uniform_filter

    brain = body & (depth > _WITHIN)
    if brain.sum() < 60:
        return np.zeros(27)
    ranks = np.full(values.shape, 0.5, np.float32)
    ranks[brain] = _ranks(values[brain])
    curves = []
    for seeds in (brain & (ranks < _SEEDS), brain & (ranks > 1 - _SEEDS)):
        far = distance_transform_edt(~seeds)[brain] if seeds.any() else np.full(int(brain.sum()), 99.0)
        at = np.digitize(far, _STEPS) - 1
        ring = np.clip(at, 0, 5)
        near = (at >= 0) & (at < 5)
        many = np.bincount(ring[near], minlength=5)[:5]
        sums = np.bincount(ring[near], ranks[brain][near], minlength=5)[:5]
        curves.append(np.where(many > 4, sums / np.maximum(many, 1), 0.5))
    fine = (relative - uniform_filter(relative, 7))[brain]
    inside = relative[brain]
    low, middle, high = np.percentile(inside, (2, 50, 98))
    steep = np.hypot(*np.gradient(relative))[brain]
    fifth = np.minimum((ranks[brain] * 5).astype(np.intp), 4)
    many = np.maximum(np.bincount(fifth, minlength=5), 1)
    fifths = [np.bincount(fifth, each, minlength=5) / many / max(float(each.mean()), 1e-6) for each in (steep, depth[brain])]
    return np.concatenate([*curves, *fifths, [_skew(inside), _skew(fine), fine.std(), inside.std(), low, middle, high]])


def _skew(values: NDArray[Any]) -> float:
    deviation = float(values.std())
    return float(np.clip(np.mean((values - values.mean()) ** 3) / max(deviation, 1e-6) ** 3, -6, 6))
