"""labelme JSON, read without labelme: what was drawn on one picture, checked before anything is made of it.

All versions are read that have `shapes`: up to 3 without `shape_type` (a polygon then) and sizes, from 5.2 on with masks. Fields
that say nothing about the labels (`flags`, `description`, colours, keys of other programs) may be anything.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ctmri_core.errors import FileRefused
from ctmri_core.geometry import FloatArray
from ctmri_core.io import preflight

_MOST_BYTES = 512 << 20
_BYTES_PER_BYTE = 12  # of memory that parsed numbers take
_MOST_SHAPES = 100_000
_FARTHEST = 1e5
"""Pixels: whoever draws beyond any picture does so by mistake."""
_LONGEST_NAME = 100
_COUNTS: dict[str, Callable[[int], bool]] = {
    "polygon": lambda n: n >= 3, "rectangle": lambda n: n in (2, 4), "circle": lambda n: n == 2, "line": lambda n: n == 2,
    "linestrip": lambda n: n >= 2, "point": lambda n: n == 1, "points": lambda n: n >= 1, "mask": lambda n: n == 2,
    "oriented_rectangle": lambda n: n == 4,
}  # fmt: skip
"""How many points a shape of each type has; rectangles of four corners are other programs'."""
_AGAIN = "Open it in labelme, correct it and save it again."


@dataclass(frozen=True)
class Shape:
    """`kind`: labelme's `shape_type`; `points`: (n, 2) x, y in pixels, whose centres are whole numbers; `group`: shapes of one
    label and group are one object; None is an object of its own. `mask`: of a `mask` the PNG, else empty."""

    label: str
    kind: str
    points: FloatArray = field(repr=False)
    group: int | str | None = None
    mask: bytes = field(default=b"", repr=False)


@dataclass(frozen=True)
class LabelmeFile:
    """`size`: (rows, columns) where the file says them; `picture`: the embedded one, empty without; `picture_path`: as it was
    written, maybe on Windows."""

    path: Path
    shapes: tuple[Shape, ...]
    size: tuple[int, int] | None
    picture: bytes = field(default=b"", repr=False)
    picture_path: str = field(default="", repr=False)


class NoLabelme(FileRefused):
    """A JSON file of another program."""


def read_labelme(path: Path) -> LabelmeFile:
    """Raises `FileRefused` naming the field that is wrong, `NoLabelme` where it is JSON of something else."""
    content = _parsed(path)
    if not isinstance(content, dict) or not isinstance(content.get("shapes"), list):
        raise NoLabelme(path, "is no labelme file: it has no list of shapes.", "Choose JSON files that labelme saved.")
    if len(content["shapes"]) > _MOST_SHAPES:
        raise FileRefused(path, f"holds {len(content['shapes'])} shapes; up to {_MOST_SHAPES} can be read.", "Split it.")
    shapes = tuple(_shape(path, number, entry) for number, entry in enumerate(content["shapes"]))
    linked = content.get("imagePath")
    if linked is not None and not isinstance(linked, str):
        raise FileRefused(path, "imagePath is no text.", _AGAIN)
    data = content.get("imageData")
    embedded = _decoded(path, "imageData", data) if data else b""
    return LabelmeFile(path, shapes, _size(path, content), embedded, linked or "")


def label_names(path: Path) -> tuple[str, ...]:
    """The labels in the file, each once, in the order of their first shapes. Raises as `read_labelme` does."""
    return tuple(dict.fromkeys(shape.label for shape in read_labelme(path).shapes))


def checked_name(path: Path, where: str, name: object) -> str:
    """`name` as a label. Raises `FileRefused` for what is no text, is empty or longer than 100, or could not stand in a line."""
    if not isinstance(name, str) or not name.strip():
        raise FileRefused(path, f"{where} is no name.", _AGAIN)
    if len(name) > _LONGEST_NAME or not name.isprintable():
        raise FileRefused(path, f"{where} is longer than {_LONGEST_NAME} characters or cannot be printed in one line.", _AGAIN)
    return name.strip()


def _parsed(path: Path) -> Any:
    size = preflight.regular_file(path)
    if size > _MOST_BYTES:
        raise FileRefused(path, f"is larger than a labelme file can be ({_MOST_BYTES >> 20} MiB).", "Split it.")
    preflight.check_memory(path, _BYTES_PER_BYTE * size)
    try:
        return json.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise FileRefused(path, "may not be read.", "Check who may open it.") from error
    except RecursionError as error:
        raise FileRefused(path, "is nested deeper than any labelme file.", "It is damaged or of another program.") from error
    except ValueError as error:  # JSON, UTF-8 and numbers of thousands of digits
        raise FileRefused(path, "is no JSON, or damaged.", "Copy it again, or save it again in labelme.") from error


def _size(path: Path, content: dict[str, Any]) -> tuple[int, int] | None:
    rows, columns = content.get("imageHeight"), content.get("imageWidth")
    if rows is None or columns is None:
        return None
    for name, value in (("imageHeight", rows), ("imageWidth", columns)):
        if type(value) is not int:
            raise FileRefused(path, f"{name} is no whole number.", _AGAIN)
    preflight.check_shape(path, (rows, columns), "imageHeight x imageWidth")
    preflight.check_memory(path, 5 * rows * columns)
    return rows, columns


def _shape(path: Path, number: int, entry: Any) -> Shape:
    where = f"shapes[{number}]"
    if not isinstance(entry, dict):
        raise FileRefused(path, f"{where} is no shape.", _AGAIN)
    kind = entry.get("shape_type")
    kind = "polygon" if kind is None else kind
    if not isinstance(kind, str) or kind not in _COUNTS:
        known = ", ".join(_COUNTS)
        raise FileRefused(path, f"{where}.shape_type is none of labelme's ({known}).", _AGAIN)
    points = _points(path, f"{where}.points", entry.get("points"))
    if not _COUNTS[kind](len(points)):
        raise FileRefused(path, f"{where} is a {kind.replace('_', ' ')} of {len(points)} points.", _AGAIN)
    mask = _decoded(path, f"{where}.mask", entry.get("mask")) if kind == "mask" else b""
    return Shape(checked_name(path, f"{where}.label", entry.get("label")), kind, points, _group(path, where, entry), mask)


def _group(path: Path, where: str, entry: dict[str, Any]) -> int | str | None:
    group = entry.get("group_id")
    if group is not None and (isinstance(group, bool) or not isinstance(group, int | str)):
        raise FileRefused(path, f"{where}.group_id is no whole number.", _AGAIN)
    return group


def _points(path: Path, where: str, given: Any) -> FloatArray:
    if not isinstance(given, list) or not all(isinstance(point, list) and len(point) == 2 for point in given):
        raise FileRefused(path, f"{where} is no list of pairs of numbers.", _AGAIN)
    for place, point in enumerate(given):
        for value in point:
            if type(value) not in (int, float):
                raise FileRefused(path, f"{where}[{place}] is no pair of numbers.", _AGAIN)
            if not -_FARTHEST <= value <= _FARTHEST:  # NaN neither
                far = "lies far from any picture" if value == value else "is not a number (NaN)"
                raise FileRefused(path, f"{where}[{place}] {far}.", _AGAIN)
    return np.asarray(given, np.float64).reshape(-1, 2)


def _decoded(path: Path, where: str, text: Any) -> bytes:
    if not isinstance(text, str) or not text:
        raise FileRefused(path, f"{where} is no picture in base64.", _AGAIN)
    try:
        return base64.b64decode("".join(text.split()).encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise FileRefused(path, f"{where} is no picture in base64.", _AGAIN) from error
