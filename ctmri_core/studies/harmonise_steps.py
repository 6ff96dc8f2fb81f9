"""What can be done to the pictures of one patient so that trivial features tell them apart no longer.

Every step treats real and synthetic pictures by the same rule, from what they look like and never from their arm.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ctmri_core.studies.leak_audit import background_of, features_of
from ctmri_core.studies.pictures import Int16Array

StepKind = Literal["background", "extent", "smooth", "noise", "range", "levels"]
Spacing = tuple[float, float, float]
Features = Mapping[str, float]
FloatArray = NDArray[np.float64]
Mask = NDArray[np.bool_]
_SMALL_PART = 0.01
"""Of the largest, what a part must have to be of the body: an ear, not a speck."""
_WIDEST = 3.0
"""Pixels: standard deviation of the strongest smoothing."""
_LOUDEST = 0.5
"""Of the spread of values inside the body: the strongest noise that is added."""
_TRIES, _NARROWINGS, _SAME = 10, 5, 1e-8
_TEXTURE = ("noise", "sharpness", "fine")
_COARSER = 0.7
"""Of the fewest grey levels any picture has: with so few all have the same."""


@dataclass(frozen=True)
class Common:
    """What is agreed on over all pictures before any is changed: `background`, and the `step` of grey levels."""

    background: int
    step: int


def agree(features: Sequence[Features]) -> Common:
    """From the features of all pictures. The background is the one that most have."""
    backgrounds, counts = np.unique([one["background"] for one in features], return_counts=True)
    fewest = max(2.0, _COARSER * min(one["values"] for one in features))
    span = max(one["highest"] for one in features) - min(one["lowest"] for one in features)
    return Common(int(backgrounds[counts.argmax()]), max(1, int(np.ceil(span / fewest))))


def changed(
    kind: StepKind, pictures: Sequence[Int16Array], spacing: Spacing, common: Common, seeds: Sequence[int]
) -> list[Int16Array]:
    """The pictures of one patient after one step. `seeds`: of each picture's noise."""
    if kind == "background":
        return [_with_background(one, common.background) for one in pictures]
    if kind == "extent":
        return _cut_alike(pictures)
    if kind == "range":
        low, high = max(int(one.min()) for one in pictures), min(int(one.max()) for one in pictures)
        return [np.clip(one, low, high) for one in pictures]
    if kind == "levels":
        return [_levels(one, common.step) for one in pictures]
    if kind == "smooth":
        return _alike(pictures, spacing, [_smoothing(one) for one in pictures], _WIDEST)
    ways = [_adding_noise(one, seed) for one, seed in zip(pictures, seeds, strict=True)]
    return _alike(pictures, spacing, ways, _LOUDEST)


def body_of(voxels: Int16Array) -> Mask:
    """What is not background: large connected parts of other values than the frame's, their holes filled slice by slice."""
    background, spread = background_of(voxels)
    other = np.abs(voxels.astype(np.int32) - background) > 4 * spread
    parts, count = ndimage.label(other)
    if not count:
        return np.zeros(voxels.shape, bool)
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    body = (sizes >= _SMALL_PART * sizes.max())[parts]
    return np.array([ndimage.binary_fill_holes(plane) for plane in body])


def _with_background(voxels: Int16Array, background: int) -> Int16Array:
    return np.where(body_of(voxels), voxels, background).astype(np.int16)


def _cut_alike(pictures: Sequence[Int16Array]) -> list[Int16Array]:
    """To the part that is body in all of them."""
    shared: Mask = np.logical_and.reduce([body_of(one) for one in pictures])
    return [np.where(shared, one, background_of(one)[0]).astype(np.int16) for one in pictures]


def _levels(voxels: Int16Array, step: int) -> Int16Array:
    low = int(voxels.min())
    return (low + step * ((voxels.astype(np.int32) - low + step // 2) // step)).clip(low, int(voxels.max())).astype(np.int16)


def _alike(
    pictures: Sequence[Int16Array], spacing: Spacing, ways: Sequence[Callable[[float], Int16Array]], most: float
) -> list[Int16Array]:
    """All changed by their own one of `ways` to be like one of them: the one to which they can come nearest."""
    own = [_texture(one, spacing) for one in pictures]
    best: tuple[float, list[Int16Array]] | None = None
    for reference in own:
        reached = [_nearest(reference, way, most, spacing) for way in ways]
        apart = sum(distance for distance, _ in reached)
        if best is None or apart < best[0]:
            best = apart, [picture for _, picture in reached]
    assert best is not None
    return best[1]


def _nearest(
    reference: FloatArray, way: Callable[[float], Int16Array], most: float, spacing: Spacing
) -> tuple[float, Int16Array]:  # fmt: skip
    """Features of texture are parts of the spread, which smoothing changes too, and may turn: tried step by step first."""

    def apart(amount: float) -> float:
        return float(np.square(_texture(way(amount), spacing) - reference).sum())

    start = apart(0.0)
    if start < _SAME:
        return start, way(0.0)
    tried = [(start, 0.0), *((apart(amount), amount) for amount in np.linspace(0, most, _TRIES + 1)[1:])]
    middle = min(tried)[1]
    low, high = max(0.0, middle - most / _TRIES), middle + most / _TRIES
    for _ in range(_NARROWINGS):
        third = (high - low) / 3
        low, high = (low, high - third) if apart(low + third) < apart(high - third) else (low + third, high)
    distance, amount = min((apart((low + high) / 2), (low + high) / 2), min(tried))
    return distance, way(amount)


def _texture(voxels: Int16Array, spacing: Spacing) -> FloatArray:
    found = features_of(voxels, spacing)
    return np.log([max(found[key], 1e-6) for key in _TEXTURE])


def _smoothing(voxels: Int16Array) -> Callable[[float], Int16Array]:
    """By standard deviations in pixels within slices, inside of the body alone."""
    body = voxels != background_of(voxels)[0]
    inside = np.where(body, voxels, 0).astype(np.float32)

    def smoothed(width: float) -> Int16Array:
        sigma = (0.0, width, width)
        weight = ndimage.gaussian_filter(body.astype(np.float32), sigma)
        values = ndimage.gaussian_filter(inside, sigma) / np.maximum(weight, 1e-3)
        return np.where(body, _off_background(values, voxels), voxels).astype(np.int16)

    return smoothed


def _adding_noise(voxels: Int16Array, seed: int) -> Callable[[float], Int16Array]:
    """By shares of the spread inside the body."""
    body = voxels != background_of(voxels)[0]
    spread = float(voxels[body].std()) if body.any() else 0.0
    grain = np.random.default_rng(seed).standard_normal(voxels.shape, np.float32) * np.float32(spread)

    def noised(share: float) -> Int16Array:
        return np.where(body, _off_background(voxels + np.float32(share) * grain, voxels), voxels).astype(np.int16)

    return noised


def _off_background(values: NDArray[np.float32], voxels: Int16Array) -> NDArray[np.float32]:
    """Whole numbers in the range of the picture, none of which becomes background inside of the body."""
    background = background_of(voxels)[0]
    values = np.clip(np.rint(values), voxels.min(), voxels.max())
    step = 1 if background <= int(voxels.min()) else -1
    return np.where(values == background, background + step, values)
