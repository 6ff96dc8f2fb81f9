"""PNG decoding with Pillow. Runs in the reader process only."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from ctmri_core.errors import FileRefused

Image.MAX_IMAGE_PIXELS = None  # the size was checked against the file and the memory before


def read_grey(path: str) -> NDArray[Any]:
    """(rows, columns) uint8 or uint16 grey values of one PNG. Colour is taken only where it is grey in truth."""
    try:
        with Image.open(path, formats=["PNG"]) as picture:
            if picture.mode.startswith("I"):
                return np.array(picture, dtype=np.uint16)
            if picture.mode in ("1", "L", "LA"):
                return np.array(picture.convert("L"))
            channels = np.array(picture.convert("RGB"))
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError) as error:
        raise FileRefused(path, "is damaged: its pixels cannot be decoded.", "Copy or export it again.") from error
    red, green, blue = np.moveaxis(channels, -1, 0)
    if not (np.array_equal(red, green) and np.array_equal(red, blue)):
        raise FileRefused(path, "is a colour picture.", "Export it as grey values.")
    return np.ascontiguousarray(red)
