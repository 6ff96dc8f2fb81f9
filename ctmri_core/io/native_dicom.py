"""What is done with DICOM files inside the reader process only: inflating, whole headers of files of several slices, and decoding
JPEG-family and RLE pixels.
"""

from __future__ import annotations

import io
import os
import tempfile
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pydicom
import SimpleITK as sitk
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filereader import read_file_meta_info
from pydicom.uid import UID, SecondaryCaptureImageStorage

from ctmri_core.errors import FileRefused
from ctmri_core.io.dicom_codestream import check_code, undecodable
from ctmri_core.io.dicom_directory import Reference, references_of
from ctmri_core.io.dicom_elements import DEFLATED, PARSE_ERRORS, Elements, whole_header
from ctmri_core.io.dicom_encapsulated import frame_code
from ctmri_core.io.dicom_fields import WANTED_TAGS
from ctmri_core.io.dicom_frames import GROUP_KEYWORDS, frame_headers
from ctmri_core.io.dicom_header import Headers, build_header, damaged, series_uid_of, unreadable
from ctmri_core.io.dicom_mosaic import MOSAIC, tile_headers
from ctmri_core.io.dicom_slice import PixelFormat, of_series
from ctmri_core.io.dicom_source import attributes_of
from ctmri_core.io.dicom_tables import lookup_table
from ctmri_core.io.header_dicom import stream_entries
from ctmri_core.io.header_entry import HeaderEntry

_INFLATED_LIMIT = 256 << 20  # a slice of 8192 x 8192 is half of it
_EXPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"


def whole_headers(path: Path) -> Headers:
    """The slices in a file with more than one plain slice. Offsets in a deflated one count in what `deflated_pixels` inflates.

    Raises `FileRefused`.
    """
    try:
        with warnings.catch_warnings(), opened(path) as (stream, deflated):
            warnings.simplefilter("ignore")  # odd values in other people's files are no fault of the program
            found, header = whole_header(stream, WANTED_TAGS)
            if deflated:
                found = replace(found, transfer_syntax=DEFLATED)
            try:
                return _slices(path, found, header, stream)
            except FileRefused as refusal:
                raise of_series(refusal, series_uid_of(found)) from None
    except PARSE_ERRORS:
        raise damaged(path) from None
    except OSError as error:
        raise unreadable(path, error) from None


def _slices(path: Path, found: Elements, header: Dataset, stream: BinaryIO) -> Headers:
    table = lookup_table(path, header)
    if any(keyword in header for keyword in GROUP_KEYWORDS[1:3]) or int(header.get("NumberOfFrames") or 1) != 1:
        return frame_headers(path, found, header, stream, table)
    whole = build_header(path, found, table=table)
    return tile_headers(whole, header) if MOSAIC in whole.image_type else (whole,)


@contextmanager
def opened(path: Path) -> Iterator[tuple[BinaryIO, bool]]:
    """The file as it would be undeflated, and whether it was deflated."""
    if read_file_meta_info(path).get("TransferSyntaxUID") == DEFLATED:
        yield io.BytesIO(_inflated(path)), True
        return
    with path.open("rb") as stream:
        yield stream, False


def decode(path: Path, pixels: PixelFormat, rows: int, columns: int) -> NDArray[Any]:
    """(rows, columns) or, of a picture of three samples, (rows, columns, 3): stored values of a compressed picture.

    The decoder is given the code and what it must know to decode it, but nothing else of the file. Raises `FileRefused`.
    """
    code = frame_code(path, pixels.offset, pixels.length)
    check_code(path, code, pixels, rows, columns)
    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    reader = sitk.ImageFileReader()
    reader.SetImageIO("GDCMImageIO")
    with _nameless_file(_bare_file(code, pixels, rows, columns)) as name:
        reader.SetFileName(name)
        try:
            image = reader.Execute()
        except RuntimeError as error:
            if "alloc" in str(error).lower():
                raise MemoryError from None
            raise undecodable(path) from None
    values: NDArray[Any] = sitk.GetArrayFromImage(image)  # a copy: a view dangles once the image is gone
    shape = (rows, columns, 3)[: 3 if pixels.colour else 2]
    if values.size != np.prod(shape) or values.dtype.kind not in "iu":
        raise undecodable(path)
    return values.reshape(shape)


def _bare_file(code: bytes, pixels: PixelFormat, rows: int, columns: int) -> bytes:
    """A DICOM file of one frame, without rescaling, so that what comes back is what is stored."""
    bare = Dataset()
    bare.SOPClassUID, bare.SOPInstanceUID = SecondaryCaptureImageStorage, UID("1.2")
    bare.Rows, bare.Columns, bare.SamplesPerPixel = rows, columns, pixels.samples
    bare.PhotometricInterpretation = pixels.colour or "MONOCHROME2"
    if pixels.colour:
        bare.PlanarConfiguration = int(pixels.planar)
    bare.BitsAllocated, bare.BitsStored, bare.HighBit = pixels.bits_allocated, pixels.bits_stored, pixels.high_bit
    bare.PixelRepresentation = int(pixels.signed)
    bare.PixelData = pydicom.encaps.encapsulate([code])
    bare["PixelData"].is_undefined_length = True
    bare["PixelData"].VR = "OB"
    bare.file_meta = FileMetaDataset()
    bare.file_meta.TransferSyntaxUID = UID(pixels.transfer_syntax)
    content = io.BytesIO()
    bare.save_as(content, enforce_file_format=True)
    return content.getvalue()


@contextmanager
def _nameless_file(content: bytes) -> Iterator[str]:
    """A path under which `content` can be read; on Linux nothing is left of it should this process be killed."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("slice")
        with os.fdopen(descriptor, "wb") as handle:
            handle.write(content)
            handle.flush()
            yield f"/proc/self/fd/{descriptor}"
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "slice")
        path.write_bytes(content)
        yield str(path)


def directory_references(path: Path) -> list[Reference]:
    """As `dicom_directory.references_of`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return references_of(path)


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
    status = path.stat()
    return _inflated_once(path, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=1)
def _inflated_once(path: Path, _changed: int, _size: int) -> bytes:
    """Remembered, for a file of many frames is asked for each of them."""
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
