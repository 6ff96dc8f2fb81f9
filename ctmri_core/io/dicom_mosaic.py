"""Siemens mosaics: all slices of a volume as tiles of one picture, with what places them in a private header (CSA)."""

from __future__ import annotations

import math
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset

from ctmri_core.errors import FileRefused
from ctmri_core.geometry import FloatArray
from ctmri_core.io.dicom_slice import SliceHeader, Tile
from ctmri_core.io.series_judgement import slice_axes

MOSAIC = "MOSAIC"
_GROUP, _CREATOR, _ELEMENT = 0x0029, "SIEMENS CSA HEADER", 0x10
_MARK, _MOST_ENTRIES = b"SV10", 1000
_ENTRY, _ITEM = struct.Struct("<64si4s3i"), struct.Struct("<4i")
_UNREADABLE = (struct.error, ValueError, KeyError, TypeError, IndexError)
_MOST_IMAGES = 4096
_WAY_OUT = "Export the series with one file per slice."


def tile_headers(whole: SliceHeader, header: Dataset) -> tuple[SliceHeader, ...]:
    """The slices of a mosaic. `whole`: the picture as if it were one slice. Raises `FileRefused`.

    A mosaic's position is that of the corner of the whole picture around the middle that all tiles share, so half of what it is
    larger than a tile lies between it and the corner of the first slice.
    """
    path, pixels = whole.path, whole.pixels
    count, normal = _count_and_normal(path, header)
    side = math.ceil(math.sqrt(count))
    spacing = float(header.get("SpacingBetweenSlices") or 0)
    if pixels.rows % side or pixels.columns % side:
        problem = f"is a mosaic of {pixels.rows} x {pixels.columns} pixels, which {count} equal slices do not fill."
        raise FileRefused(path, problem, _WAY_OUT)
    if not 1e-4 < spacing < 1e4:
        raise FileRefused(path, "is a mosaic without SpacingBetweenSlices.", _WAY_OUT)
    rows, columns = pixels.rows // side, pixels.columns // side
    axes = slice_axes(path, whole.orientation)
    if abs(abs(float(axes[0] @ normal)) - 1) > 1e-2:
        raise FileRefused(path, "is a mosaic whose slice normal does not fit its orientation.", _WAY_OUT)
    step = axes[0] * math.copysign(spacing, float(axes[0] @ normal))
    margin = np.array([pixels.rows - rows, pixels.columns - columns]) / 2 * whole.pixel_spacing
    first = np.asarray(whole.position) + margin @ axes[1:]
    return tuple(
        replace(
            whole,
            position=tuple((first + k * step).tolist()),
            pixels=replace(
                pixels, rows=rows, columns=columns,
                tile=Tile(pixels.rows, pixels.columns, k // side * rows, k % side * columns),
            ),
        )
        for k in range(count)
    )  # fmt: skip


def _count_and_normal(path: Path, header: Dataset) -> tuple[int, FloatArray]:
    try:
        entries = private_entries(header.private_block(_GROUP, _CREATOR)[_ELEMENT].value)
        count = int(entries["NumberOfImagesInMosaic"][0])
        normal = np.array([float(value) for value in entries["SliceNormalVector"][:3]]).reshape(3)
    except _UNREADABLE:
        raise FileRefused(path, "is a mosaic of slices whose private header cannot be read.", _WAY_OUT) from None
    if not 1 <= count <= _MOST_IMAGES or not np.isfinite(normal).all():
        raise FileRefused(path, "is a mosaic of slices whose private header cannot be used.", _WAY_OUT)
    return count, normal


def private_entries(content: bytes) -> dict[str, list[str]]:
    """The texts of a private header in its second form (since 2004), by name. Raises `struct.error` and `ValueError`.

    After a mark of 8 bytes and the number of entries: of each its name, and of each of its items the length and the text, filled
    up to four bytes.
    """
    (count,) = struct.unpack_from("<I", content, 8)
    if content[:4] != _MARK or not 0 < count <= _MOST_ENTRIES:
        raise ValueError("no private header of this form")
    entries: dict[str, list[str]] = {}
    at = 16
    for _ in range(count):
        name, _, _, _, items, _ = _ENTRY.unpack_from(content, at)
        at += _ENTRY.size
        if not 0 <= items <= _MOST_ENTRIES:
            raise ValueError("too many items")
        texts = []
        for _ in range(items):
            length = _ITEM.unpack_from(content, at)[1]
            at += _ITEM.size
            if not 0 <= length <= len(content) - at:
                raise ValueError("an item leads out of the header")
            texts.append(_text(content[at : at + length]))
            at += -(-length // 4) * 4
        entries[_text(name)] = [text for text in texts if text]
    return entries


def _text(content: bytes) -> str:
    return content.split(b"\0")[0].decode("latin-1").strip()
