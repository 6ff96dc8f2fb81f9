"""16-bit PNG files of our own: one slice each, with a text chunk from which the volume can be put together again.

The chunk (`tEXt`, keyword `CT-MRI Studio`) holds one JSON object in ASCII, the same in all slices but for `k`:

    version    1
    mark       what `provenance.mark_of` says; decides whether the volume is synthetic
    k, count   which slice of how many this is, from 0
    rows, columns   the size of the picture; in one of another size, the rest but for the mark is void
    slope, intercept   value = slope * stored + intercept, HU for CT
    spacing    mm along (k, j, i)
    origin     LPS mm of the first voxel of the whole volume
    direction  LPS unit vectors along k, j and i
    note       what was lost in the picture, in words; empty for nothing
"""

from __future__ import annotations

import json
import struct
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ctmri_core.io.provenance import mark_of
from ctmri_core.volume import Volume

KEYWORD = "CT-MRI Studio"
_VERSION = 1
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GREY_16 = (16, 0, 0, 0, 0)  # bits, colour type, compression, filter method, no interlace
_UP = 2  # each byte less the one above it: neighbouring rows are alike
_LEVEL = 1


@dataclass(frozen=True)
class Scale:
    """value = `slope` * stored + `intercept`; `note` says what is lost by it."""

    slope: float
    intercept: float
    note: str = ""


def slice_text(volume: Volume, scale: Scale, k: int) -> str:
    """The JSON of slice `k`."""
    grid = volume.geometry
    facts: dict[str, Any] = {
        "version": _VERSION,
        "mark": mark_of(volume),
        "k": k,
        "count": grid.shape[0],
        "rows": grid.shape[1],
        "columns": grid.shape[2],
        "slope": scale.slope,
        "intercept": scale.intercept,
        "spacing": grid.spacing,
        "origin": grid.origin,
        "direction": grid.direction,
        "note": scale.note,
    }
    return json.dumps(facts)


def encode(stored: NDArray[np.uint16], text: str) -> bytes:
    """A PNG file of (rows, columns) grey values with `text` in its chunk."""
    rows, columns = stored.shape
    raw = stored.astype(">u2").view(np.uint8)
    filtered = np.full((rows, 1 + raw.shape[1]), _UP, np.uint8)
    filtered[:, 1:] = raw
    filtered[1:, 1:] -= raw[:-1]
    chunks = (
        (b"IHDR", struct.pack(">II5B", columns, rows, *_GREY_16)),
        (b"tEXt", f"{KEYWORD}\0{text}".encode("ascii")),
        (b"IDAT", zlib.compress(filtered.data, _LEVEL)),
        (b"IEND", b""),
    )
    return _SIGNATURE + b"".join(_chunk(kind, body) for kind, body in chunks)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
