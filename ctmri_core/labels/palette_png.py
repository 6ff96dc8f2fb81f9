"""Labels as palette pictures: the numbers are exact, the colours those of Pascal VOC."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ctmri_core.io.voc_palette import voc_palette


def palette_png(labels: NDArray[np.uint8]) -> bytes:
    """A PNG file of (rows, columns) numbers."""
    picture = Image.fromarray(labels)
    picture.putpalette(voc_palette())
    return _file(picture, "PNG", optimize=False)


def picture_png(values: NDArray[Any]) -> bytes:
    """A PNG file of (rows, columns) uint8 or uint16, or (rows, columns, 3) uint8, exactly."""
    return _file(Image.fromarray(values), "PNG")


def picture_jpeg(values: NDArray[Any]) -> bytes:
    """A JPEG file of hardly visible loss, of `eight_bits`."""
    return _file(Image.fromarray(eight_bits(values)), "JPEG", quality=95)


def eight_bits(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Of 16 bits what is between the darkest and the brightest pixel, else the values themselves."""
    if values.dtype != np.uint16:
        return values
    low, high = int(values.min()), int(values.max())
    stretched: NDArray[np.uint8] = np.rint((values.astype(np.float32) - low) * (255 / max(high - low, 1))).astype(np.uint8)
    return stretched


def _file(picture: Image.Image, kind: str, **options: Any) -> bytes:
    content = io.BytesIO()
    picture.save(content, kind, **options)
    return content.getvalue()
