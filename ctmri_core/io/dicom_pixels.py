"""Stored values of one slice to HU (CT) or arbitrary units (MR), straight into the volume's array.

The bytes are read from the file into their place and rescaled there; int16 is kept wherever it holds the rescaled values
exactly. Compressed and deflated files are decoded by the reader process, one after the other.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ctmri_core.errors import FileRefused
from ctmri_core.io.dicom_elements import DEFLATED
from ctmri_core.io.dicom_pixel_format import colour_picture
from ctmri_core.io.dicom_slice import LookupTable, PixelFormat, SliceHeader, of_series
from ctmri_core.io.reader_process import shared_reader

Int16 = NDArray[np.int16]
Float32 = NDArray[np.float32]

_INT16_LOW, _INT16_HIGH = -32768, 32767
_SLICE_TIMEOUT_S = 10.0
_AIR = -1024  # HU
_NO_COLOUR = 128  # what both colour differences of a grey YBR pixel are


class SliceReader:
    """Reads the slices of one series. Once one has been refused, no other is decoded: the next would take as long to fail."""

    def __init__(self) -> None:
        self._one_at_a_time = threading.Lock()
        self._refusal: FileRefused | None = None

    def read(self, header: SliceHeader, target: Int16) -> Float32 | None:
        """As `read_slice`."""
        if not header.pixels.compressed:
            return read_slice(header, target)
        with self._one_at_a_time:
            if self._refusal is not None:
                raise self._refusal
            try:
                return read_slice(header, target)
            except FileRefused as refusal:
                self._refusal = refusal
                raise


def read_slice(header: SliceHeader, target: Int16) -> Float32 | None:
    """Fills `target` (rows, columns), C-contiguous, with rescaled values and returns None where int16 holds them exactly;
    returns them as float32 (rows, columns) where it does not, leaving `target` undefined. Raises `FileRefused`.
    """
    pixels = header.pixels
    stored = _stored(header, target)
    padding = None if pixels.padding is None else stored <= pixels.padding
    if pixels.inverted and header.modality != "CT":
        # MONOCHROME1 asks for the lowest value to be white. Hounsfield units mean the same whichever way they are shown.
        if pixels.wide:
            stored = stored.astype(np.float64)
        np.subtract((1 << pixels.bits_stored) - 1 if not pixels.signed else -1, stored, out=stored)
    if pixels.wide or pixels.table is not None:
        values = _rescaled_wide(header, stored, target)
    else:
        values = _rescaled(pixels, stored, target)
    if padding is not None:
        (target if values is None else values)[padding] = _AIR
    return values


def surely_int16(pixels: PixelFormat) -> bool:
    """Whether `read_slice` will need no float32, as far as the header tells."""
    if pixels.wide or pixels.table is not None or not (pixels.slope.is_integer() and pixels.intercept.is_integer()):
        return False
    bits = pixels.bits_stored
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if pixels.signed else (0, (1 << bits) - 1)
    return _both_fit(pixels, low, high)


def stored_bytes(header: SliceHeader) -> bytes:
    """The pixel element as it stands in the inflated file, compressed or not, for comparing two slices. Raises `FileRefused`."""
    if header.pixels.transfer_syntax == DEFLATED:
        return bytes(_inflated_bytes(header, header.pixels.length).data)
    try:
        with header.path.open("rb") as handle:
            handle.seek(header.pixels.offset)
            return handle.read(header.pixels.length if header.pixels.length >= 0 else -1)
    except OSError as error:
        raise _unreadable(header.path, error) from None


def require_grey(header: SliceHeader) -> None:
    """Raises `SliceRefused` when a picture of three samples has a colour anywhere, or cannot be read."""
    try:
        _stored(header, np.empty((header.pixels.rows, header.pixels.columns), np.int16))
    except FileRefused as refusal:
        raise of_series(refusal, header.series_uid) from None


def _stored(header: SliceHeader, target: Int16) -> NDArray[Any]:
    """Stored values (rows, columns), unused bits cleared; those of up to 16 bit on `target`'s own memory."""
    pixels = header.pixels
    if pixels.wide:
        return _wide(header)
    values: NDArray[Any] = target if pixels.signed else target.view(np.uint16)
    if pixels.compressed or pixels.tile is not None or pixels.colour:
        values[...] = _part(header, _picture(header)).astype(values.dtype)
    elif pixels.bits_allocated == 16:
        _fill(header, target.data.cast("B"))
        if pixels.big_endian:
            target.byteswap(inplace=True)
    else:
        narrow = np.empty(target.shape, np.int8 if pixels.signed else np.uint8)
        _fill(header, narrow.data.cast("B"))
        target[:] = narrow
    unused_above = pixels.bits_allocated - 1 - pixels.high_bit
    unused_below = pixels.high_bit + 1 - pixels.bits_stored
    if unused_above or unused_below or pixels.compressed:  # codes do not know of signs
        np.left_shift(values, 15 - pixels.high_bit, out=values)
        np.right_shift(values, 16 - pixels.bits_stored, out=values)
    return values


def _picture(header: SliceHeader) -> NDArray[Any]:
    """(rows, columns) of the whole picture that the slice is or lies in, grey, as stored."""
    pixels, tile = header.pixels, header.pixels.tile
    rows, columns = (pixels.rows, pixels.columns) if tile is None else (tile.rows, tile.columns)
    if pixels.compressed:
        values = shared_reader().call(
            "ctmri_core.io.native_dicom:decode", header.path, pixels, rows, columns, timeout_s=_SLICE_TIMEOUT_S
        )
        return _grey(header, values) if pixels.colour else np.asarray(values)
    plain = np.empty(rows * columns * pixels.stored_samples, _dtype(pixels))
    _fill(header, plain.data.cast("B"))
    if pixels.big_endian:
        plain = plain.byteswap()
    if not pixels.colour:
        return plain.reshape(rows, columns)
    if pixels.colour == "YBR_FULL_422":
        pairs = plain.reshape(-1, 4)  # two pixels share their colour
        full = np.repeat(pairs[:, None, 2:], 2, axis=1).reshape(-1, 2)
        return _grey(header, np.column_stack([pairs[:, :2].reshape(-1), full]).reshape(rows, columns, 3))
    planes = plain.reshape(3, rows, columns)
    return _grey(header, np.moveaxis(planes, 0, 2) if pixels.planar else plain.reshape(rows, columns, 3))


def _part(header: SliceHeader, picture: NDArray[Any]) -> NDArray[Any]:
    """The slice of its picture."""
    tile, pixels = header.pixels.tile, header.pixels
    return picture if tile is None else picture[tile.top : tile.top + pixels.rows, tile.left : tile.left + pixels.columns]


def _grey(header: SliceHeader, values: NDArray[Any]) -> NDArray[Any]:
    """(rows, columns) of (rows, columns, 3) that has no colour anywhere. Raises `FileRefused` when it has."""
    first, second, third = (values[..., n] for n in range(3))
    same = bool((first == second).all() and (second == third).all())
    if same or (header.pixels.colour.startswith("YBR") and bool((values[..., 1:] == _NO_COLOUR).all())):
        return first
    raise colour_picture(header.path, header.pixels.colour)


def _wide(header: SliceHeader) -> NDArray[Any]:
    """Stored values of 32 bit, or of floating point, in an array of their own."""
    pixels = header.pixels
    if pixels.compressed:
        values = _picture(header)
    else:
        values = np.empty((pixels.rows, pixels.columns), _dtype(pixels))
        _fill(header, values.data.cast("B"))
        if pixels.big_endian:
            values = values.byteswap()
    if pixels.floating and not np.isfinite(values).all():
        raise FileRefused(header.path, "holds NaN or infinite values.", "Export it again.")
    unused_above, unused_below = 31 - pixels.high_bit, pixels.high_bit + 1 - pixels.bits_stored
    if not pixels.floating and (unused_above or unused_below):
        values = values << unused_above >> 32 - pixels.bits_stored
    return values


def _dtype(pixels: PixelFormat) -> np.dtype[Any]:
    """Of stored values in the byte order of this machine's."""
    kind = "f" if pixels.floating else "i" if pixels.signed else "u"
    return np.dtype(f"{kind}{pixels.bits_allocated // 8}")


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


def _rescaled_wide(header: SliceHeader, stored: NDArray[Any], target: Int16) -> Float32 | None:
    """Of values that are not stored in 16 bit, or that a table stands between."""
    pixels = header.pixels
    looked_up = stored if pixels.table is None else _looked_up(pixels.table, stored)
    values = looked_up * np.float64(pixels.slope) + np.float64(pixels.intercept)
    if values.min() >= _INT16_LOW and values.max() <= _INT16_HIGH and (values == np.rint(values)).all():
        target[...] = values
        return None
    with np.errstate(over="ignore"):
        narrow = values.astype(np.float32)
    if not np.isfinite(narrow).all():
        raise FileRefused(header.path, "holds values beyond what 32-bit floating point can hold.", "Export it again.")
    return narrow


def _looked_up(table: LookupTable, stored: NDArray[Any]) -> NDArray[Any]:
    values = np.frombuffer(table.values, "<u2")
    return values[np.clip(stored.astype(np.int64) - table.first, 0, len(values) - 1)]


def _values_fit(pixels: PixelFormat, stored: NDArray[Any]) -> bool:
    return _both_fit(pixels, int(stored.min()), int(stored.max()))


def _both_fit(pixels: PixelFormat, low: int, high: int) -> bool:
    ends = (pixels.slope * low + pixels.intercept, pixels.slope * high + pixels.intercept)
    return min(ends) >= _INT16_LOW and max(ends) <= _INT16_HIGH


def _modular(value: float) -> np.int16:
    return np.int16((int(value) - _INT16_LOW) % 65536 + _INT16_LOW)


def _inflated_bytes(header: SliceHeader, count: int) -> NDArray[np.uint8]:
    inflated: NDArray[np.uint8] = shared_reader().call(
        "ctmri_core.io.native_dicom:deflated_pixels", header.path, header.pixels.offset, count, timeout_s=_SLICE_TIMEOUT_S
    )
    return inflated


def _fill(header: SliceHeader, target: memoryview) -> None:
    """Reads the slice's bytes into `target`. Raises `FileRefused` when there are fewer."""
    pixels, needed = header.pixels, len(target)
    if pixels.transfer_syntax == DEFLATED:
        inflated = _inflated_bytes(header, needed)
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
    if pixels.length >= 2 * needed:  # padding is common, a second picture is not
        problem = f"PixelData holds {pixels.length} bytes, but Rows and Columns make {needed}."
        raise FileRefused(header.path, problem, "Copy or export the file again.")


def _unreadable(path: Path, error: OSError) -> FileRefused:
    return FileRefused(path, f"cannot be read: {error.strerror or 'input error'}.", "Copy it to this computer and try again.")
