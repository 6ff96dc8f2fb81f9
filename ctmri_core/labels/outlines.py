"""Regions of a label picture as polygons from which labelme's way of drawing makes exactly the same picture again.

A polygon goes through the centres of a region's outermost pixels, as borders belong to what is drawn. Holes are filled by it and
given back by what is drawn over it: each piece in turn, the larger ones first, those of the background as `_background_`.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Labels = NDArray[np.uint8]
_JUST_INSIDE = 0.999  # of the way from the pixel outside to the one inside
_MOST_PIECES = 2000
Outline = NDArray[np.int64]
"""(n, 2): x, y of the corners."""


def outlines(labels: Labels) -> list[tuple[int, Outline]] | None:
    """(label, corners) in the order of drawing; one or two corners are a pixel or a line of them.

    None where polygons cannot tell it: too many pieces, or one of them would be drawn otherwise.
    """
    pieces = _pieces(labels)
    if pieces is None:
        return None
    canvas = Image.new("L", labels.shape[::-1])
    found = []
    for value, inside in pieces:
        (rows, columns), there = inside, np.array(canvas)
        if (there[rows, columns] == value).all():
            continue
        outline = _outline(rows, columns)
        ImageDraw.Draw(canvas).polygon(_closed(outline).ravel().tolist(), outline=value, fill=value)
        found.append((value, _closed(outline)))
    return found if np.array_equal(np.array(canvas), labels) else None


def _pieces(labels: Labels) -> list[tuple[int, tuple[NDArray[np.int64], NDArray[np.int64]]]] | None:
    """(label, its pixels) of pieces whose pixels share an edge, those that lie within others after them."""
    from scipy.ndimage import find_objects, label

    found: list[tuple[int, int, tuple[NDArray[np.int64], NDArray[np.int64]]]] = []
    for value in np.unique(labels).tolist():
        numbered, count = label(labels == value)
        if len(found) + count > _MOST_PIECES:
            return None
        for number, box in enumerate(find_objects(numbered), 1):
            rows, columns = np.nonzero(numbered[box] == number)
            extent = (box[0].stop - box[0].start) * (box[1].stop - box[1].start)
            found.append((extent, value, (rows + box[0].start, columns + box[1].start)))
    return [(value, pixels) for _, value, pixels in sorted(found, key=lambda piece: -piece[0])]


def _outline(rows: NDArray[np.int64], columns: NDArray[np.int64]) -> Outline:
    """The outermost pixels of a piece in turn, without those in the middle of straight lines."""
    from skimage.measure import find_contours

    top, left = rows.min() - 1, columns.min() - 1
    inside = np.zeros((rows.max() - top + 2, columns.max() - left + 2))
    inside[rows - top, columns - left] = 1
    ways = find_contours(inside, _JUST_INSIDE, fully_connected="low")
    way = max(ways, key=lambda way: np.ptp(way[:, 0]) * np.ptp(way[:, 1]))  # the others are those of holes
    corners = np.rint(way[:-1]).astype(np.int64)
    kept = corners[np.r_[True, (np.diff(corners, axis=0) != 0).any(1)]]
    if len(kept) > 1 and (kept[0] == kept[-1]).all():
        kept = kept[:-1]
    before, after = kept - np.roll(kept, 1, 0), np.roll(kept, -1, 0) - kept
    turning = (before != after).any(1)
    return np.asarray((kept[turning] if turning.any() else kept[:1])[:, ::-1] + (left, top))


def _closed(outline: Outline) -> Outline:
    """With the three corners that labelme asks of a polygon at least."""
    return np.concatenate([outline, np.repeat(outline[-1:], max(3 - len(outline), 0), 0)])


def boxes(labels: Labels) -> Iterator[tuple[int, tuple[int, int, int, int], NDArray[np.bool_]]]:
    """(label, (left, top, right, bottom), the pixels in that box) of every label but 0; the last row and column belong to it."""
    from scipy.ndimage import find_objects

    for value, box in enumerate(find_objects(labels.astype(np.int32)), 1):
        if box is not None:
            rows, columns = box
            yield value, (columns.start, rows.start, columns.stop - 1, rows.stop - 1), labels[box] == value
