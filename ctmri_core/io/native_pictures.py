"""Decoding of PNG and JPEG with Pillow. Runs in the reader process only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from ctmri_core.errors import FileRefused
from ctmri_core.io.voc_palette import voc_palette

DAMAGE = (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError, TypeError, KeyError, IndexError, AttributeError)
"""What Pillow raises for damaged files."""

Image.MAX_IMAGE_PIXELS = None  # the size was checked against the file and the memory before
_MOST_LABELS = 64  # with colours of no known palette; a picture that has more of them is no map of labels
_SOME_OF_VOC = voc_palette()[:192]
_JPEG_NOISE = 8  # levels between red, green and blue that rounding and compression make of grey


def read_grey(path: Path, kind: str, indexed: bool = False) -> tuple[NDArray[Any], bool]:
    """(1, rows, columns) uint8 or uint16 grey values, and whether transparent pixels were made 0. Raises `FileRefused`.

    `kind`: png or jpeg. Colour is taken only where it is grey in truth, in JPEG within the noise of its compression. `indexed`:
    the numbers of colours are read, whatever the colours.
    """
    try:
        with Image.open(path, formats=[kind.upper()]) as picture:
            if indexed and picture.mode == "P":
                return _numbers(path, picture)[None], False
            values, transparent = _grey(path, picture, _JPEG_NOISE if kind == "jpeg" else 0)
    except DAMAGE as error:
        raise FileRefused(path, "is damaged: its pixels cannot be decoded.", "Copy or export it again.") from error
    return values[None], transparent


def read_picture(path: Path, kind: str) -> NDArray[Any]:
    """(rows, columns) of a picture that is grey in truth, else (rows, columns, 3) uint8; transparency is left out. Raises
    `FileRefused`. `kind`: png or jpeg."""
    try:
        with Image.open(path, formats=[kind.upper()]) as picture:
            if picture.mode.startswith("I"):
                return np.array(picture, dtype=np.uint16)
            channels = np.array(picture.convert("RGB"))
    except DAMAGE as error:
        raise FileRefused(path, "is damaged: its pixels cannot be decoded.", "Copy or export it again.") from error
    is_grey = (channels.max(-1) - channels.min(-1)).max(initial=0) <= (_JPEG_NOISE if kind == "jpeg" else 0)
    return grey_of_colour(path, channels, _JPEG_NOISE) if is_grey else channels


def read_colour(path: Path, kind: str) -> NDArray[Any]:
    """(rows, columns, 3) uint8, for looking at. Raises `FileRefused`. `kind`: png or jpeg."""
    try:
        with Image.open(path, formats=[kind.upper()]) as picture:
            return np.array(picture.convert("RGB"))
    except DAMAGE as error:
        raise FileRefused(path, "is damaged: its pixels cannot be decoded.", "Copy or export it again.") from error


def grey_of_colour(path: Path, channels: NDArray[Any], noise: int = 0) -> NDArray[Any]:
    """(rows, columns) of (rows, columns, 3) that differ by at most `noise`. Raises `FileRefused` where they differ by more."""
    spread = channels.max(-1) - channels.min(-1)
    if spread.max() > noise:
        raise FileRefused(path, "is a colour picture.", "Export it as grey values.")
    grey: NDArray[Any] = channels[..., 1] if not spread.any() else np.rint(channels.mean(-1)).astype(channels.dtype)
    return grey


def opaque(path: Path, values: NDArray[Any], alpha: NDArray[Any] | None) -> tuple[NDArray[Any], bool]:
    """`values` with 0 where `alpha` is 0, and whether that is anywhere. Raises `FileRefused` on what is half transparent."""
    if alpha is None or (alpha == np.iinfo(alpha.dtype).max).all():
        return np.ascontiguousarray(values), False
    if ((alpha > 0) & (alpha < np.iinfo(alpha.dtype).max)).any():
        raise FileRefused(path, "is half transparent, so its grey values are not certain.", "Export it without transparency.")
    return np.where(alpha > 0, values, values.dtype.type(0)), True


def _numbers(path: Path, picture: Image.Image) -> NDArray[np.uint8]:
    numbers = np.array(picture)
    if len(np.unique(numbers)) > _MOST_LABELS and not bytes(picture.getpalette() or ()).startswith(_SOME_OF_VOC):
        raise FileRefused(path, "is a colour picture.", "Export it as grey values.")
    return numbers


def _grey(path: Path, picture: Image.Image, noise: int) -> tuple[NDArray[Any], bool]:
    if picture.mode.startswith("I"):
        values = np.array(picture, dtype=np.uint16)
        key = picture.info.get("transparency")
        return opaque(path, values, np.where(values == key, 0, 255).astype(np.uint8) if isinstance(key, int) else None)
    alpha = None
    if picture.mode in ("LA", "PA", "RGBA") or "transparency" in picture.info:
        alpha = np.array(picture.convert("RGBA"))[..., 3]
    if picture.mode in ("1", "L", "LA"):
        return opaque(path, np.array(picture.convert("L")), alpha)
    return opaque(path, grey_of_colour(path, np.array(picture.convert("RGB")), noise), alpha)
