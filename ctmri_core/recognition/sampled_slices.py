"""A slice of a volume, small, with the body in it, and which slices are looked at to recognise what a volume shows.

Nothing here relies on millimetres or a unit, for pictures often have neither.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ctmri_core.preprocess.slice_grid import slice_order
from ctmri_core.volume import Volume

Array = NDArray[np.float32]
Mask = NDArray[np.bool_]
_MOST_SLICES = 9
_ENOUGH = 32  # slices, rows and columns
_SIDE = 128
"""Pixels that the longer edge of a slice is averaged down to."""
_LEAST_SIDE = 24
_ALIKE, _SLIGHTLY = 0.05, 0.6


@dataclass(frozen=True)
class SampledSlice:
    """`values`: float32 (h, w), means of blocks; `body`: where tissue seems to be; `air`: clear of it; `nothing`: the value of
    air; `inverted`: black and white look exchanged, and `values` has them the usual way round."""

    values: Array
    body: Mask
    air: Mask
    nothing: float
    inverted: bool


def some_slices(volume: Volume) -> Iterator[SampledSlice]:
    """At most nine from the middle three quarters: axial ones where there are enough, as heads are told apart best there, else as
    they are stored. Fewer where little is to be seen."""
    order, flips = slice_order(volume.geometry)
    voxels, spacing = volume.voxels, volume.geometry.spacing
    if min(voxels.shape) >= _ENOUGH:
        voxels = voxels.transpose(order)[tuple(slice(None, None, -1 if flip else 1) for flip in flips)]
        spacing = (spacing[order[0]], spacing[order[1]], spacing[order[2]])
    count = len(voxels)
    spread = np.linspace(count * 0.125, count * 0.875 - 1, min(_MOST_SLICES, count))
    for place in np.unique(spread.round().astype(int).clip(0, count - 1)):
        one = sampled(voxels[place], spacing[1:])
        if one is not None:
            yield one


def sampled(plane: NDArray[Any], spacing: tuple[float, float]) -> SampledSlice | None:
    """None where there is too little to look at: a handful of pixels, one value throughout, no contrast against the border."""
    if min(plane.shape) < _LEAST_SIDE:
        return None
    values = _small(plane, spacing)
    low, high = (float(value) for value in np.percentile(values, (1, 99)))
    if not high > low:
        return None
    values = np.maximum(values, np.float32(_without_padding(values, low, high)))
    inverted = _is_inverted(values, low, high)
    if inverted:
        values, low, high = -values, -high, -low
    body = _filled(_bright(values, low, high))
    air = ~_grown(body, 2)
    if not 0.02 < body.mean() < 0.999:
        return None
    nothing = float(np.median(values[air])) if air.mean() > 0.01 else low
    return SampledSlice(values, body, air, nothing, inverted)


def _small(plane: NDArray[Any], spacing: tuple[float, float]) -> Array:
    """Averaged in blocks that are about as high as wide in mm."""
    height, width = plane.shape
    edge = max(height * spacing[0], width * spacing[1]) / _SIDE
    sizes = zip(spacing, (height, width), strict=True)
    down, across = (max(1, min(round(edge / mm), size // _LEAST_SIDE)) for mm, size in sizes)
    kept = plane[: height // down * down, : width // across * across].astype(np.float32)
    blocks = np.nan_to_num(kept, posinf=0.0, neginf=0.0).reshape(height // down, down, width // across, across)
    return np.asarray(blocks.mean((1, 3)), np.float32)


def _without_padding(values: Array, low: float, high: float) -> float:
    """The lowest value that was measured: many pixels share one far below all others where a scanner fills corners."""
    lowest = values.min()
    others = values[values > lowest + 1e-6 * (high - low)]
    if others.size == 0 or others.size > 0.99 * values.size:
        return float(lowest)
    floor = float(np.percentile(others, 1))
    return floor if floor - lowest > _ALIKE * (high - low) and floor < lowest + 0.5 * (high - lowest) else float(lowest)


def _is_inverted(values: Array, low: float, high: float) -> bool:
    """Whether the outermost pixels are alike and bright, and what is darker lies within."""
    ring = np.concatenate([part.ravel() for part in (values[:3], values[-3:], values[:, :3], values[:, -3:])])
    quarter, middle, three = (np.percentile(ring, (25, 50, 75)) - low) / (high - low)
    return bool(three - quarter < _ALIKE and middle > _SLIGHTLY and np.mean(values < middle * (high - low) * 0.9 + low) > 0.1)


def _bright(values: Array, low: float, high: float) -> Mask:
    """Otsu's threshold on square roots, which draws dark tissue to the bright."""
    rooted = np.sqrt(np.clip((values - low) / (high - low), 0, 1))
    counts, edges = np.histogram(rooted, 64, (0.0, 1.0))
    middles = (edges[:-1] + edges[1:]) / 2
    below, sums = np.cumsum(counts), np.cumsum(counts * middles)
    above = below[-1] - below
    with np.errstate(divide="ignore", invalid="ignore"):
        between = below * above * (sums / below - (sums[-1] - sums) / above) ** 2
    return np.asarray(rooted > 0.8 * middles[int(np.nanargmax(between))])


def _filled(plane: Mask) -> Mask:
    """The large pieces of a slice, without holes."""
    from scipy.ndimage import binary_closing, binary_fill_holes, binary_opening, label

    pieces, count = label(binary_opening(plane, iterations=1))
    if count == 0:
        return np.zeros(plane.shape, np.bool_)
    sizes = np.bincount(pieces.ravel())
    sizes[0] = 0
    large = (sizes > 0.25 * sizes.max())[pieces]
    closed = binary_closing(np.pad(large, 4), iterations=4)[4:-4, 4:-4]
    return np.asarray(binary_fill_holes(closed | large))


def _grown(mask: Mask, pixels: int) -> Mask:
    from scipy.ndimage import binary_dilation

    return np.asarray(binary_dilation(mask, iterations=pixels))
