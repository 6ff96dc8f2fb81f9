"""Siemens mosaics: all slices of a volume as tiles of one picture, with what places them in a private header (CSA)."""

from __future__ import annotations

import math
import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from nibabel.nicom import csareader
from pydicom.dataset import Dataset

from ctmri_core.errors import FileRefused
from ctmri_core.io.dicom_slice import SliceHeader, Tile
from ctmri_core.io.series_judgement import slice_axes

MOSAIC = "MOSAIC"
_GROUP, _CREATOR, _ELEMENT = 0x0029, "SIEMENS CSA HEADER", 0x10
_LONGEST_HEADER = 1 << 20
_UNREADABLE = (
    csareader.CSAReadError, struct.error, UnboundLocalError, ValueError, IndexError, KeyError, TypeError, OverflowError,
)  # fmt: skip
"""What nibabel was seen to raise, or can be read to raise, on damaged private headers."""
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


def _count_and_normal(path: Path, header: Dataset) -> tuple[int, Any]:
    try:
        content = header.private_block(_GROUP, _CREATOR)[_ELEMENT].value
        tags = csareader.read(content[:_LONGEST_HEADER])["tags"]
        (count,) = tags["NumberOfImagesInMosaic"]["items"]
        normal = np.array([float(value) for value in tags["SliceNormalVector"]["items"]]).reshape(3)
    except _UNREADABLE:
        raise FileRefused(path, "is a mosaic of slices whose private header cannot be read.", _WAY_OUT) from None
    if not 1 <= int(count) <= 4096 or not np.isfinite(normal).all():
        raise FileRefused(path, "is a mosaic of slices whose private header cannot be used.", _WAY_OUT)
    return int(count), normal
