"""The pixels of TIFF pages. Runs in the reader process only.

Measured with Pillow 13: of packed big-endian files it swaps the bytes once too often, without a word, and big-endian BigTIFF it
does not read. So it only unpacks LZW and PackBits here, as bytes; what they mean is worked out from the header.
"""

from __future__ import annotations

import io
import math
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ctmri_core.errors import FileRefused
from ctmri_core.io import tiff_pages as tiff
from ctmri_core.io.native_pictures import DAMAGE, grey_of_colour, opaque
from ctmri_core.io.tiff_pages import TiffPage

_EXCESS = 1 << 16
_BYTE_PREDICTOR, _FLOAT_PREDICTOR = 2, 3
_AGAIN = "Copy or export it again."


def read_pages(path: Path, pages: tuple[TiffPage, ...]) -> tuple[NDArray[Any], bool]:
    """(pages, rows, columns) grey values as stored, and whether transparent pixels were made 0. Raises `FileRefused`.

    Colour is taken only where it is grey in truth; where 0 is white, values are turned round.
    """
    found = []
    with path.open("rb") as handle:
        for page in pages:
            pixels = np.empty((*page.shape, page.samples), np.dtype(page.stored).newbyteorder("="))
            across = math.ceil(page.shape[1] / page.piece[1])
            for number, (offset, length) in enumerate(page.pieces):
                row, column = number // across * page.piece[0], number % across * page.piece[1]
                handle.seek(offset)
                place = pixels[row : row + page.piece[0], column : column + page.piece[1]]
                block = _block(path, page, handle.read(length), _rows_stored(page, row))
                place[...] = block[: place.shape[0], : place.shape[1]]
            found.append(_grey(path, page, pixels))
    return np.stack([values for values, _ in found]), any(transparent for _, transparent in found)


def _rows_stored(page: TiffPage, row: int) -> int:
    """Of the piece that begins at `row`: the last strip is cut short, the last tile is not."""
    return page.piece[0] if page.piece[1] != page.shape[1] else min(page.piece[0], page.shape[0] - row)


def _block(path: Path, page: TiffPage, packed: bytes, rows: int) -> NDArray[Any]:
    """(rows, columns, samples) of one strip or tile."""
    columns, width = page.piece[1], math.ceil(page.piece[1] * page.samples * page.bits / 8)
    raw = np.frombuffer(_unpacked(path, page, packed, rows, width), np.uint8, rows * width).reshape(rows, width)
    if page.bits == 1:
        return np.unpackbits(raw, axis=1)[:, :columns, None] * np.uint8(255)
    dtype = np.dtype(page.stored)
    if page.predictor == _FLOAT_PREDICTOR and dtype.kind == "f":
        planes = np.add.accumulate(raw, axis=1, dtype=np.uint8).reshape(rows, dtype.itemsize, columns)
        joined = np.ascontiguousarray(planes.transpose(0, 2, 1)).view(dtype.newbyteorder(">"))
        return joined.reshape(rows, columns, 1).astype(dtype.newbyteorder("="))
    values = raw.view(dtype).reshape(rows, columns, page.samples).astype(dtype.newbyteorder("="))
    if page.predictor == _BYTE_PREDICTOR:
        whole = values.view(f"u{dtype.itemsize}")
        return np.add.accumulate(whole, axis=1, dtype=whole.dtype).view(values.dtype)
    return values


def _unpacked(path: Path, page: TiffPage, packed: bytes, rows: int, width: int) -> bytes:
    """At least `rows` * `width` bytes. Raises `FileRefused`."""
    content = packed
    try:
        if page.compression in tiff.DEFLATE:
            content = zlib.decompressobj().decompress(packed, rows * width + _EXCESS)
        elif page.compression != tiff.NO_PACKING:
            with Image.open(io.BytesIO(_wrapped(page.compression, packed, rows, width)), formats=["TIFF"]) as picture:
                content = picture.tobytes()
    except (*DAMAGE, zlib.error) as error:
        raise FileRefused(path, "is damaged: its pixels cannot be unpacked.", _AGAIN) from error
    if len(content) < rows * width:
        raise FileRefused(path, "is incomplete: a part of the picture is too short.", _AGAIN)
    return content


def _wrapped(compression: int, packed: bytes, rows: int, width: int) -> bytes:
    """A plain TIFF of `rows` x `width` bytes around one packed piece."""
    entries = (
        (256, width), (257, rows), (258, 8), (259, compression), (262, tiff.BLACK_IS_ZERO), (273, 122), (277, 1), (278, rows),
        (279, len(packed)),
    )  # fmt: skip
    listed = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in entries)
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + listed + bytes(4) + packed


def _grey(path: Path, page: TiffPage, pixels: NDArray[Any]) -> tuple[NDArray[Any], bool]:
    colours = pixels[..., : 3 if page.photometric == tiff.RGB else 1]
    if page.photometric == tiff.PALETTE:
        palette = np.asarray(page.palette, np.uint16).reshape(3, 256)
        values = grey_of_colour(path, (palette[:, colours[..., 0]].transpose(1, 2, 0) >> 8).astype(np.uint8))
    elif page.photometric == tiff.RGB:
        values = grey_of_colour(path, colours)
    else:
        values = colours[..., 0]
    if page.photometric == tiff.WHITE_IS_ZERO:
        values = np.iinfo(values.dtype).max - values
    return opaque(path, values, None if page.alpha is None else pixels[..., page.alpha])
