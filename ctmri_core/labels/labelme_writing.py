"""Labels as labelme JSON that labelme opens, with the picture inside, and that is read again to exactly the same labels."""

from __future__ import annotations

import base64
import json
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ctmri_core.labels.label_table import LabelTable
from ctmri_core.labels.outlines import boxes, outlines
from ctmri_core.labels.palette_png import picture_png

ShapeKind = Literal["polygon", "mask"]
_VERSION = "5.5.0"
"""Of labelme, the first ones that read masks are 5.2."""


def labelme_json(
    labels: NDArray[np.uint8], table: LabelTable, picture: NDArray[Any], picture_name: str, shapes: ShapeKind = "polygon"
) -> str:
    """`labels`: (rows, columns); `picture`: of the same size, grey or colour of 8 bits, embedded; `picture_name`: what labelme
    shows as its name. Polygons where these tell the labels exactly, else masks."""
    rows, columns = labels.shape
    content = {
        "version": _VERSION, "flags": {}, "shapes": _shapes(labels, table, shapes), "imagePath": picture_name,
        "imageData": base64.b64encode(picture_png(picture)).decode("ascii"), "imageHeight": rows, "imageWidth": columns,
    }  # fmt: skip
    return json.dumps(content, ensure_ascii=False, indent=1)


def _shapes(labels: NDArray[np.uint8], table: LabelTable, kind: ShapeKind) -> list[dict[str, Any]]:
    found = outlines(labels) if kind == "polygon" else None
    if found is not None:
        return [_shape(table.name(value), "polygon", corners.astype(float).tolist(), None) for value, corners in found]
    result = []
    for value, (left, top, right, bottom), inside in boxes(labels):
        mask = base64.b64encode(picture_png(inside.view(np.uint8))).decode("ascii")
        points = [[float(left), float(top)], [float(right), float(bottom)]]
        result.append(_shape(table.name(value), "mask", points, mask))
    return result


def _shape(label: str, kind: str, points: list[list[float]], mask: str | None) -> dict[str, Any]:
    return {
        "label": label, "points": points, "group_id": None, "description": "", "shape_type": kind, "flags": {}, "mask": mask,
    }  # fmt: skip
