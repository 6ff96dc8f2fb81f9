"""What is done with DICOM files inside the reader process only: inflating, and decoding JPEG-family and RLE pixels."""

from __future__ import annotations

import io
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from pydicom.filereader import read_file_meta_info

from ctmri_core.errors import FileRefused
from ctmri_core.io.dicom_elements import PARSE_ERRORS
from ctmri_core.io.dicom_header import parse_inflated
from ctmri_core.io.dicom_slice import SliceHeader
from ctmri_core.io.dicom_source import attributes_of
from ctmri_core.io.header_dicom import stream_entries
from ctmri_core.io.header_entry import HeaderEntry

_INFLATED_LIMIT = 256 << 20  # a slice of 8192 x 8192 is half of it
_EXPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"


def decode_slice(path: Path, rows: int, columns: int) -> NDArray[np.int16] | NDArray[np.float32]:
    """(rows, columns): the rescaled values of a compressed slice. Raises `FileRefused`."""
    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    reader = sitk.ImageFileReader()
    reader.SetImageIO("GDCMImageIO")
    reader.SetFileName(str(path))
    try:
        image = reader.Execute()
    except RuntimeError as error:
        if "alloc" in str(error).lower():
            raise MemoryError from None
        raise FileRefused(path, "its compressed pixels cannot be decoded.", "Export it uncompressed.") from None
    values = sitk.GetArrayFromImage(image)  # a copy: a view dangles once the image is gone
    if values.size != rows * columns or image.GetNumberOfComponentsPerPixel() != 1:
        raise FileRefused(path, f"its pixels are {values.shape}, its header says {rows} x {columns}.", "Export it again.")
    values = values.reshape(rows, columns)
    if values.dtype.kind in "iu" and values.min() >= -32768 and values.max() <= 32767:
        return np.ascontiguousarray(values, np.int16)
    return np.ascontiguousarray(values, np.float32)


def deflated_header(path: Path) -> SliceHeader:
    """The header of a deflated file; its pixel offset counts in what `deflated_pixels` inflates. Raises `FileRefused`."""
    try:
        return parse_inflated(path, io.BytesIO(_inflated(path)))
    except PARSE_ERRORS:
        raise FileRefused(path, "its DICOM header is damaged.", "Copy or export it again.") from None


def deflated_attributes(path: Path) -> dict[str, Any]:
    """As `dicom_source.attributes_of`, of a deflated file. Raises `FileRefused`."""
    return attributes_of(io.BytesIO(_inflated(path)))


def deflated_entries(path: Path) -> tuple[HeaderEntry, ...]:
    """As `header_dicom.dicom_entries`, of a deflated file. Raises `FileRefused`."""
    return stream_entries(io.BytesIO(_inflated(path)))


def deflated_pixels(path: Path, offset: int, length: int) -> NDArray[np.uint8]:
    """(length,): the stored bytes of the pixels. Raises `FileRefused`."""
    return np.frombuffer(_inflated(path)[offset : offset + length], np.uint8)


def _inflated(path: Path) -> bytes:
    """The file as it would be undeflated: preamble, a short meta group, elements."""
    content = path.read_bytes()
    try:
        group_length = int(read_file_meta_info(path).FileMetaInformationGroupLength)
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        elements = inflater.decompress(content[132 + 12 + group_length :], _INFLATED_LIMIT)
    except PARSE_ERRORS:
        raise FileRefused(path, "its deflated content is damaged.", "Copy or export it again.") from None
    if inflater.unconsumed_tail or not inflater.eof:
        raise FileRefused(path, "its deflated content is incomplete or larger than 256 MiB.", "Export it uncompressed.")
    return _meta_group(_EXPLICIT_LITTLE_ENDIAN) + elements


def _meta_group(transfer_syntax: str) -> bytes:
    value = transfer_syntax.encode() + b"\0" * (len(transfer_syntax) % 2)
    element = b"\x02\x00\x10\x00UI" + len(value).to_bytes(2, "little") + value
    length = b"\x02\x00\x00\x00UL\x04\x00" + len(element).to_bytes(4, "little")
    return bytes(128) + b"DICM" + length + element


