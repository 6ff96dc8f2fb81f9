"""What lies inside a closed outline, which may cross itself: everything it goes around at least once (non-zero winding)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ctmri_core.geometry import FloatArray

_ON_THE_LINE = 1e-9


def polygon_area(outline: FloatArray) -> float:
    """`outline`: (n, 2). Exact: between neighbouring heights of corners and crossings the inside's width changes evenly."""
    heights = np.unique(np.concatenate((outline[:, 0], _crossings(outline))))
    widths = [sum(end - start for start, end in _spans(outline, at)) for at in (heights[1:] + heights[:-1]) / 2]
    return float(np.diff(heights) @ np.asarray(widths, np.float64))


def polygon_mask(outline: FloatArray, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """bool of `shape` (rows, columns): which whole-numbered points lie inside `outline`, (n, 2) in rows and columns."""
    mask = np.zeros(shape, np.bool_)
    first, last = np.ceil(outline[:, 0].min()), np.floor(outline[:, 0].max())
    for row in range(max(int(first), 0), min(int(last), shape[0] - 1) + 1):
        for start, end in _spans(outline, row):
            mask[row, max(int(np.ceil(start - _ON_THE_LINE)), 0) : max(int(np.floor(end + _ON_THE_LINE)) + 1, 0)] = True
    return mask


def _spans(outline: FloatArray, height: float) -> list[tuple[float, float]]:
    """Where a line at `height` of the first coordinate runs inside, as (from, to) of the second."""
    start, end = outline, np.roll(outline, -1, axis=0)
    up = (start[:, 0] <= height) & (end[:, 0] > height)
    down = (end[:, 0] <= height) & (start[:, 0] > height)
    met = up | down
    a, b = start[met], end[met]
    places = a[:, 1] + (height - a[:, 0]) / (b[:, 0] - a[:, 0]) * (b[:, 1] - a[:, 1])
    order = np.argsort(places, kind="stable")
    winding = np.cumsum(np.where(up[met], 1, -1)[order])
    places = places[order]
    return [(float(places[n]), float(places[n + 1])) for n in np.flatnonzero(winding[:-1])]


def _crossings(outline: FloatArray) -> FloatArray:
    """First coordinates of the points where edges cross one another."""
    start, step = outline, np.roll(outline, -1, axis=0) - outline
    between = start[None] - start[:, None]
    cross = step[:, None, 0] * step[None, :, 1] - step[:, None, 1] * step[None, :, 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        one = (between[..., 0] * step[None, :, 1] - between[..., 1] * step[None, :, 0]) / cross
        other = (between[..., 0] * step[:, None, 1] - between[..., 1] * step[:, None, 0]) / cross
    hit = np.triu((one > 0) & (one < 1) & (other > 0) & (other < 1), 1)  # comparisons with what is no number are false
    edge = np.nonzero(hit)[0]
    heights: FloatArray = start[edge, 0] + one[hit] * step[edge, 0]
    return heights
