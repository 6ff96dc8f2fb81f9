"""Decoding of PNG, JPEG and TIFF with Pillow. Runs in the reader process only."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from ctmri_core.errors import FileRefused

Image.MAX_IMAGE_PIXELS = None  # the size was checked against the file and the memory before
_JPEG_NOISE = 8  # levels between red, green and blue that rounding and compression make of grey
_OPAQUE = 255
_AGAIN = "Copy or export it again."
_DAMAGE = (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError, TypeError, KeyError, IndexError, AttributeError)


def read_grey(path: str, kind: str, code: str, first: int, count: int) -> tuple[NDArray[Any], bool]:
    """(count, rows, columns) grey values of the pages from `first` on, and whether transparent pixels were made 0.

    `kind`: png, jpeg or tiff; `code`: numpy's of the values as the header says. Colour is taken only where it is grey in
    truth, in JPEG within the noise of its compression. Raises `FileRefused`.
    """
    try:
        with Image.open(path, formats=[kind.upper()]) as picture:
            pages = []
            for page in range(first, first + count):
                if kind == "tiff":
                    _seek_full_page(picture, page)
                pages.append(_grey(path, picture, kind, code))
    except MemoryError:
        raise
    except _DAMAGE as error:
        raise FileRefused(path, "is damaged: its pixels cannot be decoded.", _AGAIN) from error
    if any(values.shape != pages[0][0].shape for values, _ in pages):
        raise FileRefused(path, "holds pages of different sizes.", "Save pages of one size into a file of their own.")
    return np.stack([values for values, _ in pages]), any(transparent for _, transparent in pages)


def _seek_full_page(picture: Any, page: int) -> None:
    """Goes to the full-size page of this number; small copies and masks are not counted."""
    index = number = -1
    while number < page:
        index += 1
        picture.seek(index)
        number += not int(picture.tag_v2.get(254, 0)) & 5


def _grey(path: str, picture: Image.Image, kind: str, code: str) -> tuple[NDArray[Any], bool]:
    mode = picture.mode
    if mode == "F" or mode.startswith("I"):
        values = np.array(picture)
        see_through = _keyed(picture, values)
        values[see_through] = 0
        return _as_stored(values, code), bool(see_through.any())
    alpha = _alpha(picture)
    if mode in ("1", "L", "LA", "La"):
        values = np.array(picture.convert("L"))
    else:
        values = _grey_of_colour(path, np.array(picture.convert("RGB")), _JPEG_NOISE if kind == "jpeg" else 0)
    if alpha is None or (alpha == _OPAQUE).all():
        return _as_stored(values, code), False
    if ((alpha > 0) & (alpha < _OPAQUE)).any():
        raise FileRefused(path, "is half transparent, so its grey values are not certain.", "Export it without transparency.")
    return np.where(alpha > 0, _as_stored(values, code), 0).astype(code), True


def _keyed(picture: Image.Image, values: NDArray[Any]) -> NDArray[np.bool_]:
    """Where a picture of long numbers has the one value that stands for transparent."""
    key = picture.info.get("transparency")
    return values == key if isinstance(key, int) else np.zeros(values.shape, bool)


def _alpha(picture: Image.Image) -> NDArray[np.uint8] | None:
    if picture.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in picture.info:
        return np.array(picture.convert("RGBA"))[..., 3]
    return None


def _grey_of_colour(path: str, channels: NDArray[np.uint8], noise: int) -> NDArray[np.uint8]:
    spread = channels.max(-1) - channels.min(-1)
    if spread.max() > noise:
        raise FileRefused(path, "is a colour picture.", "Export it as grey values.")
    return np.ascontiguousarray(channels[..., 1] if not spread.any() else np.rint(channels.mean(-1)).astype(np.uint8))


def _as_stored(values: NDArray[Any], code: str) -> NDArray[Any]:
    """Values in the type of the file: the decoder gives back 16 and 32 bits in wider or signed ones."""
    dtype = np.dtype(code)
    if values.dtype.itemsize == dtype.itemsize and values.dtype.kind in "iu" and dtype.kind in "iu":
        return np.ascontiguousarray(values.astype(values.dtype.newbyteorder("="), copy=False)).view(dtype)
    return np.ascontiguousarray(values, dtype)
