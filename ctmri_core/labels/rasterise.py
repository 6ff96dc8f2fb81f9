"""Shapes as labelme draws them: Pillow's figures on the grid of pixels, borders included, later shapes over earlier ones.

Lines are 10 pixels wide, points are discs of radius 5. A mask is laid with its first pixel at the first of its two points, whose
fractions are cut off; the second is its last pixel.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from ctmri_core.errors import FileRefused
from ctmri_core.labels.label_table import UNDECIDED, LabelTable
from ctmri_core.labels.labelme_file import LabelmeFile, Shape

Labels = NDArray[np.uint8]
_LINE_WIDTH, _POINT_RADIUS = 10, 5
_MOST_WORK = 4_000_000_000
"""Corners times rows: what a polygon costs."""
_MOST_PIXELS = 20_000_000_000


@dataclass(frozen=True)
class Drawn:
    """(rows, columns) each. `classes`: numbers of the table, 255 where it is to be ignored; `objects`: from 1 in the order of
    their first shapes, 0 of the background, 255 where it is to be ignored."""

    classes: Labels = field(repr=False)
    objects: NDArray[np.int32] = field(repr=False)
    count: int


def drawn(
    file: LabelmeFile, size: tuple[int, int], table: LabelTable, decode: Callable[[Path, str, bytes], NDArray[np.bool_]]
) -> Drawn:
    """What was drawn on a picture of `size` (rows, columns). `decode`: the pixels of a PNG embedded in a field of a file.

    Raises `FileRefused` for a label that the table lacks, a mask that does not fit its box, or more corners than can be drawn.
    """
    _check_work(file, size)
    classes, objects = Image.new("L", size[::-1]), Image.new("I", size[::-1])
    numbers: dict[tuple[str, object], int] = {}
    for place, shape in enumerate(file.shapes):
        value = table.number(shape.label)
        if value is None:
            problem = f"shapes[{place}].label is {shape.label!r}, which is not in the list of labels."
            raise FileRefused(file.path, problem, "Add it to the list, or correct the label.")
        which = (shape.label, place if shape.group is None else ("group", shape.group))
        known = 0 if value == 0 else UNDECIDED if value == UNDECIDED else numbers.setdefault(which, _after(len(numbers)))
        if shape.kind == "mask":
            inside = decode(file.path, f"shapes[{place}].mask", shape.mask)
            _paste(file.path, place, shape, inside, ((classes, value), (objects, known)))
        else:
            _draw(ImageDraw.Draw(classes), shape, value)
            _draw(ImageDraw.Draw(objects), shape, known)
    return Drawn(np.array(classes), np.array(objects), len(numbers))


def _after(count: int) -> int:
    """The number of the next object; 255 is none."""
    return count + 1 if count + 1 < UNDECIDED else count + 2


def _draw(draw: ImageDraw.ImageDraw, shape: Shape, value: int) -> None:
    flat: list[float] = shape.points.ravel().tolist()
    if shape.kind == "circle":
        (x, y), edge = shape.points[0].tolist(), math.dist(*shape.points.tolist())
        draw.ellipse((x - edge, y - edge, x + edge, y + edge), outline=value, fill=value)
    elif shape.kind == "rectangle" and len(shape.points) == 2:
        (left, top), (right, bottom) = shape.points.min(0).tolist(), shape.points.max(0).tolist()
        draw.rectangle((left, top, right, bottom), outline=value, fill=value)
    elif shape.kind in ("line", "linestrip"):
        draw.line(flat, fill=value, width=_LINE_WIDTH)
    elif shape.kind in ("point", "points"):
        for x, y in shape.points.tolist():
            ends = (x - _POINT_RADIUS, y - _POINT_RADIUS, x + _POINT_RADIUS, y + _POINT_RADIUS)
            draw.ellipse(ends, outline=value, fill=value)
    else:
        draw.polygon(flat, outline=value, fill=value)


def _paste(
    path: Path, place: int, shape: Shape, inside: NDArray[np.bool_], onto: Sequence[tuple[Image.Image, int]]
) -> None:
    (left, top), (right, bottom) = shape.points.astype(int).tolist()
    if inside.shape != (bottom - top + 1, right - left + 1):
        rows, columns = inside.shape
        problem = f"shapes[{place}].mask has {columns} x {rows} pixels, its box {right - left + 1} x {bottom - top + 1}."
        raise FileRefused(path, problem, "Open it in labelme and draw that mask again.")
    stencil = Image.fromarray(inside.view(np.uint8) * np.uint8(255))
    for picture, value in onto:
        picture.paste(value, (left, top), stencil)


def _check_work(file: LabelmeFile, size: tuple[int, int]) -> None:
    rows, columns = size
    corners = sum(len(shape.points) for shape in file.shapes)
    if corners * rows > _MOST_WORK:
        problem = f"its shapes have {corners} corners; up to {_MOST_WORK // rows} can be drawn on {rows} rows."
        raise FileRefused(file.path, problem, "Draw with fewer points.")
    if sum(_area(shape, rows, columns) for shape in file.shapes) > _MOST_PIXELS:
        problem = f"its {len(file.shapes)} shapes cover the picture so often that drawing them would take minutes."
        raise FileRefused(file.path, problem, "Draw with fewer shapes.")


def _area(shape: Shape, rows: int, columns: int) -> float:
    """Pixels within the box of a shape, as far as they are of the picture."""
    reach = math.dist(*shape.points.tolist()) if shape.kind == "circle" else _LINE_WIDTH
    points = shape.points[:1] if shape.kind == "circle" else shape.points
    low, high = np.maximum(points.min(0) - reach, 0), np.minimum(points.max(0) + reach, (columns, rows))
    return float(np.prod(np.maximum(high - low, 0)))


def as_drawn_objects(objects: NDArray[np.int32], path: Path) -> Labels:
    """`objects` in the 8 bits of a palette picture. Raises `FileRefused` where there are more than 254."""
    if objects.max(initial=0) > UNDECIDED:
        raise FileRefused(path, f"holds {int(objects.max()) - 1} objects; a palette picture can number 254.", "Group them.")
    return objects.astype(np.uint8)
