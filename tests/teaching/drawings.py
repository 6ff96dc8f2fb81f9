"""Small pictures, and labelme files of what was drawn on them, for tests."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path

import numpy as np
from PIL import Image

SHAPE = (64, 56)


def disc(radius: float, value: int, inside: tuple[float, int] | None = None) -> np.ndarray:
    rows, columns = np.indices(SHAPE)
    distance = np.hypot(rows - 31.5, columns - 27.5)
    result = np.where(distance < radius, value, 0)
    return result if inside is None else np.where(distance < inside[0], inside[1], result)


def drawing(
    path: Path, *boxes: tuple[str, int, int], embedded: bool = True, linked: str = "", size: tuple[int, int] = SHAPE
) -> None:  # fmt: skip
    """A labelme file of squares (label, first corner, edge) on a picture of a disc, in it or beside it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content, own = io.BytesIO(), sum(path.name.encode()) % 100  # no two files show one picture
    Image.fromarray(disc(20, 100 + own).astype(np.uint8)).save(content, "PNG")
    if not embedded:
        (path.parent / linked.replace("\\", "/").rpartition("/")[2]).write_bytes(content.getvalue())
    shapes = [
        {"label": label, "points": [[at, at], [at + edge - 1] * 2], "shape_type": "rectangle", "group_id": None, "flags": {}}
        for label, at, edge in boxes
    ]  # fmt: skip
    picture = base64.b64encode(content.getvalue()).decode() if embedded else None
    path.write_text(json.dumps({
        "version": "5.4.1", "flags": {}, "shapes": shapes, "imagePath": linked or "one.png", "imageData": picture,
        "imageHeight": size[0], "imageWidth": size[1],
    }))  # fmt: skip
