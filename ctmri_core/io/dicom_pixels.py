"""Stored values of one slice to HU (CT) or arbitrary units (MR), straight into the volume's array.

The bytes are read from the file into their place and rescaled there; int16 is kept wherever it holds the rescaled values
exactly. Compressed and deflated files are decoded by the reader process.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ctmri_core.errors import FileRefused
from ctmri_core.io.dicom_elements import DEFLATED
from ctmri_core.io.dicom_slice import PixelFormat, SliceHeader
from ctmri_core.io.reader_process import shared_reader

Int16 = NDArray[np.int16]
Float32 = NDArray[np.float32]

_INT16_LOW, _INT16_HIGH = -32768, 32767
_SLICE_TIMEOUT_S = 30.0


def read_slice(header: SliceHeader, target: Int16) -> Float32 | None:
    """Fills `target` (rows, columns), C-contiguous, with rescaled values and returns None where int16 holds them exactly;
    returns them as float32 (rows, columns) where it does not, leaving `target` undefined. Raises `FileRefused`.
    """
    if header.pixels.compressed:
        return _decoded(header, target)
    stored = _stored(header, target)
    if header.pixels.inverted and header.modality != "CT":
        # MONOCHROME1 asks for the lowest value to be white. Hounsfield units mean the same whichever way they are shown.
        np.subtract((1 << header.pixels.bits_stored) - 1 if not header.pixels.signed else -1, stored, out=stored)
    return _rescaled(header.pixels, stored, target)


def surely_int16(pixels: PixelFormat) -> bool:
    """Whether `read_slice` will need no float32, as far as the header tells."""
    if pixels.compressed or not (pixels.slope.is_integer() and pixels.intercept.is_integer()):
        return False
    bits = pixels.bits_stored
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if pixels.signed else (0, (1 << bits) - 1)
    return _both_fit(pixels, low, high)


def stored_bytes(header: SliceHeader) -> bytes:
    """The pixel element as it stands in the file, compressed or not, for comparing two slices. Raises `FileRefused`."""
    try:
        with header.path.open("rb") as handle:
            handle.seek(header.pixels.offset)
            return handle.read(header.pixels.length if header.pixels.length >= 0 else -1)
    except OSError as error:
        raise _unreadable(header.path, error) from None


def _decoded(header: SliceHeader, target: Int16) -> Float32 | None:
    if header.pixels.inverted and header.modality == "CT":
        raise FileRefused(header.path, "is a compressed CT slice stored as MONOCHROME1.", "Export it uncompressed.")
    values = shared_reader().call(
        "ctmri_core.io.native_dicom:decode_slice", header.path, *target.shape, timeout_s=_SLICE_TIMEOUT_S
    )
    if values.dtype != np.int16:
        return np.asarray(values, np.float32)
    target[:] = values
    return None


def _stored(header: SliceHeader, target: Int16) -> NDArray[Any]:
    """Stored values (rows, columns), of 16 bit on `target`'s own memory, unused bits cleared."""
    pixels = header.pixels
    if pixels.bits_allocated == 16:
        _fill(header, target.data.cast("B"))
        if pixels.big_endian:
            target.byteswap(inplace=True)
    else:
        narrow = np.empty(target.shape, np.int8 if pixels.signed else np.uint8)
        _fill(header, narrow.data.cast("B"))
        target[:] = narrow
    values: NDArray[Any] = target if pixels.signed else target.view(np.uint16)
    unused_above = pixels.bits_allocated - 1 - pixels.high_bit
    unused_below = pixels.high_bit + 1 - pixels.bits_stored
    if unused_above or unused_below:
        np.left_shift(values, 15 - pixels.high_bit, out=values)
        np.right_shift(values, 16 - pixels.bits_stored, out=values)
    return values


def _rescaled(pixels: PixelFormat, stored: NDArray[Any], target: Int16) -> Float32 | None:
    slope, intercept = pixels.slope, pixels.intercept
    if slope.is_integer() and intercept.is_integer() and (surely_int16(pixels) or _values_fit(pixels, stored)):
        # Arithmetic modulo 2^16 is exact here, for the result is known to fit; it works on the unsigned bits as well.
        if slope != 1:
            np.multiply(target, _modular(slope), out=target)
        if intercept != 0:
            np.add(target, _modular(intercept), out=target)
        return None
    return (stored * np.float64(slope) + np.float64(intercept)).astype(np.float32)


def _values_fit(pixels: PixelFormat, stored: NDArray[Any]) -> bool:
    return _both_fit(pixels, int(stored.min()), int(stored.max()))


def _both_fit(pixels: PixelFormat, low: int, high: int) -> bool:
    ends = (pixels.slope * low + pixels.intercept, pixels.slope * high + pixels.intercept)
    return min(ends) >= _INT16_LOW and max(ends) <= _INT16_HIGH


def _modular(value: float) -> np.int16:
    return np.int16((int(value) - _INT16_LOW) % 65536 + _INT16_LOW)


def _fill(header: SliceHeader, target: memoryview) -> None:
    """Reads the slice's bytes into `target`. Raises `FileRefused` when there are fewer."""
    pixels, needed = header.pixels, len(target)
    if pixels.transfer_syntax == DEFLATED:
        inflated = shared_reader().call("ctmri_core.io.native_dicom:deflated_pixels", header.path, pixels.offset, needed)
        got = min(len(inflated), needed)
        target[:got] = inflated[:got].data
    else:
        try:
            with header.path.open("rb", buffering=0) as handle:
                handle.seek(pixels.offset)
                got = handle.readinto(target) or 0
        except OSError as error:
            raise _unreadable(header.path, error) from None
    if got < needed or 0 <= pixels.length < needed:
        held = min(got, pixels.length) if pixels.length >= 0 else got
        raise FileRefused(header.path, f"PixelData holds {held} of {needed} bytes.", "Copy or export the file again.")


def _unreadable(path: Path, error: OSError) -> FileRefused:
    return FileRefused(path, f"cannot be read: {error.strerror or 'input error'}.", "Copy it to this computer and try again.")
