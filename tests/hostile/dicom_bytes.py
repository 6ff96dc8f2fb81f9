"""DICOM written element by element without any check, so that it can say whatever a hostile file says."""

from __future__ import annotations

import struct
from collections.abc import Mapping

import numpy as np
from pydicom.datadict import dictionary_VR, tag_for_keyword

from tests.hostile.kinds import SPACING, VOXELS

EXPLICIT, IMPLICIT, BIG_ENDIAN = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2", "1.2.840.10008.1.2.2"
DEFLATED, JPEG, JPEG_LOSSLESS = "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.70"
JPEG_LS, JPEG_2000, RLE = "1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.5"
UNDEFINED = 0xFFFFFFFF
UID = "2.25.1234"
_LONG = {"OB", "OW", "OF", "OD", "OL", "OV", "SQ", "UN", "UT", "UC", "UR", "SV", "UV"}
_SHORTS = {"US", "SS"}

Value = str | bytes | int | None


def element(tag: int, vr: str, value: bytes, *, length: int | None = None, order: str = "<", implicit: bool = False) -> bytes:
    """One element; `length` is what it claims, by default the truth."""
    head = struct.pack(order + "HH", tag >> 16, tag & 0xFFFF)
    size = len(value) if length is None else length
    if implicit:
        return head + struct.pack(order + "I", size) + value
    if vr in _LONG:
        return head + vr.encode("latin-1") + bytes(2) + struct.pack(order + "I", size) + value
    return head + vr.encode("latin-1") + struct.pack(order + "H", size & 0xFFFF) + value


def item(content: bytes, length: int | None = None) -> bytes:
    """One item of a sequence, or of encapsulated pixels."""
    return struct.pack("<HHI", 0xFFFE, 0xE000, len(content) if length is None else length) + content


ITEM_END = struct.pack("<HHI", 0xFFFE, 0xE00D, 0)
SEQUENCE_END = struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)


def encapsulated(*fragments: bytes, table: bytes = b"") -> bytes:
    """The value of encapsulated pixels."""
    return item(table) + b"".join(item(each + b"\0" * (len(each) % 2)) for each in fragments) + SEQUENCE_END


def encoded(keyword: str, value: Value, order: str = "<", implicit: bool = False) -> bytes:
    """An element by keyword; text is padded, bytes are written as they are."""
    tag = tag_for_keyword(keyword)
    assert tag is not None
    vr = dictionary_VR(tag).split(" or ")[-1]
    vr = "US" if keyword in ("SmallestImagePixelValue",) else vr
    if isinstance(value, int):
        value = struct.pack(order + ("H" if vr in _SHORTS else "I"), value)
    if isinstance(value, str):
        value = value.encode("latin-1")
        value += (b"\0" if vr == "UI" else b" ") * (len(value) % 2)
    return element(tag, vr, value or b"", order=order, implicit=implicit)


def header(k: int = 0, modality: str = "CT") -> dict[str, Value]:
    """A plain slice at place k of the common volume."""
    return {
        "SOPClassUID": "1.2.840.10008.5.1.4.1.1.2" if modality == "CT" else "1.2.840.10008.5.1.4.1.1.4",
        "SOPInstanceUID": f"{UID}.{k + 1}", "Modality": modality, "PatientName": "Doe^Jane", "PatientID": "4711",
        "SliceThickness": "2", "StudyInstanceUID": f"{UID}.100", "SeriesInstanceUID": f"{UID}.200", "SeriesNumber": "3",
        "InstanceNumber": str(k + 1), "ImagePositionPatient": f"0\\0\\{SPACING[0] * k:g}",
        "ImageOrientationPatient": "1\\0\\0\\0\\1\\0", "FrameOfReferenceUID": f"{UID}.300", "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2", "Rows": 12, "Columns": 10, "PixelSpacing": "1.5\\1.25",
        "BitsAllocated": 16, "BitsStored": 16, "HighBit": 15, "PixelRepresentation": 1,
        "RescaleIntercept": "0", "RescaleSlope": "1",
    }  # fmt: skip


def dicom(
    edits: Mapping[str, Value] | None = None,
    *,
    k: int = 0,
    modality: str = "CT",
    syntax: str = EXPLICIT,
    pixels: bytes | None = None,
    pixel_length: int | None = None,
    extra: bytes = b"",
    after: bytes = b"",
    preamble: bool = True,
) -> bytes:
    """A file of slice `k`. `edits`: values by keyword, None leaves out. `extra` stands right before the pixels."""
    implicit, order = syntax == IMPLICIT, ">" if syntax == BIG_ENDIAN else "<"
    fields = {name: value for name, value in (header(k, modality) | dict(edits or {})).items() if value is not None}
    ordered = sorted(fields.items(), key=lambda pair: tag_for_keyword(pair[0]) or 0)
    body = b"".join(encoded(name, value, order, implicit) for name, value in ordered) + extra
    if pixels is None:
        pixels = VOXELS[k].astype(np.dtype("i2").newbyteorder(order)).tobytes()
    body += element(0x7FE00010, "OW", pixels, length=pixel_length, order=order, implicit=implicit) + after
    return (meta_group(syntax) if preamble else b"") + body


def compressed(syntax: str, *fragments: bytes, table: bytes = b"", edits: Mapping[str, Value] | None = None) -> bytes:
    """A slice whose pixels are encapsulated."""
    return dicom(edits, syntax=syntax, pixels=encapsulated(*fragments, table=table), pixel_length=UNDEFINED)


def meta_group(syntax: str, sop_class: str = "1.2.840.10008.5.1.4.1.1.2") -> bytes:
    """Preamble and file meta information."""
    body = b"".join(
        encoded(name, value)
        for name, value in (
            ("MediaStorageSOPClassUID", sop_class), ("MediaStorageSOPInstanceUID", f"{UID}.1"), ("TransferSyntaxUID", syntax),
            ("ImplementationClassUID", f"{UID}.9"),
        )
    )  # fmt: skip
    body = element(0x00020001, "OB", b"\0\1") + body
    return bytes(128) + b"DICM" + encoded("FileMetaInformationGroupLength", len(body)) + body
