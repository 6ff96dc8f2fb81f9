"""Hostile DICOM files and small series: lengths, sequences, pixels, frames, bits, character sets, offset tables."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from tests.hostile.dicom_bytes import (
    BIG_ENDIAN,
    DEFLATED,
    EXPLICIT,
    IMPLICIT,
    ITEM_END,
    JPEG,
    JPEG_2000,
    JPEG_LOSSLESS,
    JPEG_LS,
    RLE,
    SEQUENCE_END,
    UNDEFINED,
    Value,
    compressed,
    dicom,
    element,
    encapsulated,
    item,
    meta_group,
)
from tests.hostile.kinds import ODD_SPACINGS, VOXELS, Expectation, Kind, either, file_kind, opens, refused

SLICE = VOXELS[:1]
_Edits = dict[str, Value]
_BIG = "9" * 10_000
_ESCAPES = b"\x1b$B\x1b(J\xff\x1b" * 50

_HEADERS: dict[str, tuple[_Edits, Expectation]] = {
    "rows_zero": ({"Rows": 0}, refused()),
    "rows_largest": ({"Rows": 65535, "Columns": 65535}, refused("PixelData")),
    "rows_missing": ({"Rows": None}, refused()),
    "rows_empty": ({"Rows": b""}, refused()),
    "rows_one_byte": ({"Rows": b"\x0c"}, refused()),
    "rows_of_four_bytes": ({"Rows": struct.pack("<I", 12)}, either(SLICE)),
    "one_row_too_many": ({"Rows": 13}, refused("PixelData")),
    "samples_zero": ({"SamplesPerPixel": 0}, either(SLICE)),
    "samples_three": ({"SamplesPerPixel": 3}, refused()),
    "samples_largest": ({"SamplesPerPixel": 65535}, refused()),
    "bits_allocated_zero": ({"BitsAllocated": 0}, refused("bit")),
    "bits_allocated_one": ({"BitsAllocated": 1, "BitsStored": 1, "HighBit": 0}, refused()),
    "bits_allocated_largest": ({"BitsAllocated": 65535}, refused("bit")),
    "bits_allocated_64": ({"BitsAllocated": 64}, refused("bit")),
    "bits_stored_zero": ({"BitsStored": 0}, either(SLICE)),
    "bits_stored_beyond": ({"BitsStored": 40, "HighBit": 39}, refused("BitsStored")),
    "high_bit_lies": ({"BitsStored": 12, "HighBit": 3}, refused("HighBit")),
    "high_bit_beyond": ({"BitsStored": 12, "HighBit": 200}, refused("HighBit")),
    "representation_seven": ({"PixelRepresentation": 7}, either(None)),
    "photometric_palette": ({"PhotometricInterpretation": "PALETTE COLOR"}, refused()),
    "photometric_garbage": ({"PhotometricInterpretation": "%s%n"}, refused()),
    "photometric_missing": ({"PhotometricInterpretation": None}, either(SLICE)),
    "frames_lie": ({"NumberOfFrames": "100"}, refused()),
    "frames_2_31": ({"NumberOfFrames": str(2**31)}, refused()),
    "frames_negative": ({"NumberOfFrames": "-4"}, either(SLICE)),
    "frames_text": ({"NumberOfFrames": "many"}, either(SLICE)),
    "frames_zero": ({"NumberOfFrames": "0"}, either(SLICE)),
    "spacing_commas": ({"PixelSpacing": "1,5\\1,25"}, refused("PixelSpacing")),
    "spacing_missing": ({"PixelSpacing": None}, refused("PixelSpacing")),
    "spacing_one": ({"PixelSpacing": "1.5"}, refused("PixelSpacing")),
    "spacing_three": ({"PixelSpacing": "1.5\\1.25\\1"}, refused("PixelSpacing")),
    "spacing_hex": ({"PixelSpacing": "0x1\\0x1"}, refused("PixelSpacing")),
    "spacing_underscores": ({"PixelSpacing": "1_5\\1_2"}, refused("PixelSpacing")),
    "spacing_10_kb": ({"PixelSpacing": _BIG + "\\1"}, refused("PixelSpacing")),
    "thickness_nan": ({"SliceThickness": "nan"}, either(SLICE)),
    "thickness_zero": ({"SliceThickness": "0"}, either(SLICE)),
    "thickness_negative": ({"SliceThickness": "-3"}, either(SLICE)),
    "thickness_huge": ({"SliceThickness": "1e30"}, either(SLICE)),
    "thickness_10_kb": ({"SliceThickness": _BIG}, either(SLICE)),
    "position_missing": ({"ImagePositionPatient": None}, refused("ImagePositionPatient")),
    "position_nan": ({"ImagePositionPatient": "nan\\0\\0"}, refused("ImagePositionPatient")),
    "position_two": ({"ImagePositionPatient": "0\\0"}, refused("ImagePositionPatient")),
    "position_1e308": ({"ImagePositionPatient": "1e308\\1e308\\1e308"}, either(SLICE)),
    "position_thousands": ({"ImagePositionPatient": "\\".join(["1"] * 9000)}, refused("ImagePositionPatient")),
    "orientation_missing": ({"ImageOrientationPatient": None}, refused("ImageOrientationPatient")),
    "orientation_zero": ({"ImageOrientationPatient": "0\\0\\0\\0\\0\\0"}, refused()),
    "orientation_parallel": ({"ImageOrientationPatient": "1\\0\\0\\1\\0\\0"}, refused()),
    "orientation_not_square": ({"ImageOrientationPatient": "1\\0\\0\\0.5\\1\\0"}, refused()),
    "orientation_too_long": ({"ImageOrientationPatient": "2\\0\\0\\0\\2\\0"}, refused()),
    "orientation_nan": ({"ImageOrientationPatient": "nan\\0\\0\\0\\1\\0"}, refused("ImageOrientationPatient")),
    "slope_zero": ({"RescaleSlope": "0"}, refused("RescaleSlope")),
    "slope_inf": ({"RescaleSlope": "inf"}, either(SLICE)),
    "slope_text": ({"RescaleSlope": "one"}, opens(SLICE, "not_hounsfield")),
    "slope_1e300": ({"RescaleSlope": "1e300"}, either(None)),
    "slope_10_kb": ({"RescaleSlope": _BIG}, either(SLICE)),
    "intercept_missing": ({"RescaleIntercept": None}, opens(SLICE, "not_hounsfield")),
    "intercept_1e300": ({"RescaleIntercept": "1e300"}, either(None)),
    "rescale_type_not_hu": ({"RescaleType": "OD"}, opens(SLICE, "not_hounsfield")),
    "window_nan": ({"WindowCenter": "nan", "WindowWidth": "nan"}, opens(SLICE)),
    "window_zero": ({"WindowCenter": "40", "WindowWidth": "0"}, opens(SLICE)),
    "window_1e308": ({"WindowCenter": "1e308", "WindowWidth": "1e308"}, opens(SLICE)),
    "uid_of_10_kb": ({"SeriesInstanceUID": "1." * 5000 + "1"}, either(SLICE)),
    "uid_path": ({"SeriesInstanceUID": "../../../outside"}, opens(SLICE)),
    "uid_missing": ({"SeriesInstanceUID": None}, either(SLICE)),
    "name_path": ({"PatientName": "../../outside/x", "SeriesDescription": "../../y"}, opens(SLICE)),
    "name_newlines": ({"SeriesDescription": "a\n\x1b[31mb\0c"}, opens(SLICE)),
    "character_set_unknown": ({"SpecificCharacterSet": "KLINGON"}, opens(SLICE)),
    "character_set_escapes": ({"SpecificCharacterSet": "\\ISO 2022 IR 87", "PatientName": _ESCAPES}, opens(SLICE)),
    "character_set_many": ({"SpecificCharacterSet": "\\".join(["ISO_IR 192"] * 500)}, opens(SLICE)),
    "modality_ultrasound": ({"Modality": "US"}, either(SLICE)),
    "modality_missing": ({"Modality": None}, either(SLICE)),
    "dates_garbage": ({"StudyDate": "99999999", "StudyTime": "xx"}, opens(SLICE)),
    "series_number_text": ({"SeriesNumber": "twelve"}, opens(SLICE)),
    "series_number_1e400": ({"SeriesNumber": "1e400"}, opens(SLICE)),
    "series_number_1e300": ({"SeriesNumber": "1e300"}, either(SLICE)),
    "image_type_thousands": ({"ImageType": "\\".join(["ORIGINAL"] * 5000)}, either(SLICE)),
    "odd_length": ({"InstanceNumber": b"1"}, opens(SLICE)),
}  # fmt: skip


def _private(value: bytes, length: int | None = None, vr: str = "UN") -> bytes:
    return element(0x00E10010, "LO", b"GARBAGE ") + element(0x00E11001, vr, value, length=length)


def _nested(depth: int, undefined: bool) -> bytes:
    content = b""
    for _ in range(depth):
        inner = item(content + (ITEM_END if undefined else b""), UNDEFINED if undefined else None)
        content = element(0x00E11001, "SQ", inner + (SEQUENCE_END if undefined else b""), length=UNDEFINED if undefined else None)
    return content


def _structures() -> Iterator[Kind]:
    plain, pixels = dicom(), VOXELS[0].tobytes()
    split = len(meta_group(EXPLICIT))
    duplicate = element(0x00280010, "US", struct.pack("<H", 6))
    for name, content, expected in (
        ("fine", plain, opens(SLICE)),
        ("implicit", dicom(syntax=IMPLICIT), opens(SLICE)),
        ("big_endian", dicom(syntax=BIG_ENDIAN), opens(SLICE)),
        ("explicit_called_implicit", meta_group(IMPLICIT) + plain[split:], either(SLICE)),
        ("implicit_called_explicit", meta_group(EXPLICIT) + dicom(syntax=IMPLICIT)[split:], either(SLICE)),
        ("little_called_big", meta_group(BIG_ENDIAN) + plain[split:], either(SLICE)),
        ("big_called_little", meta_group(EXPLICIT) + dicom(syntax=BIG_ENDIAN)[split:], either(SLICE)),
        ("without_meta", dicom(preamble=False), opens(SLICE)),
        ("implicit_without_meta", dicom(preamble=False, syntax=IMPLICIT), opens(SLICE)),
        ("preamble_only", bytes(128) + b"DICM", refused()),
        ("meta_only", meta_group(EXPLICIT), refused()),
        ("meta_length_lies", plain[:140] + struct.pack("<I", 2**31) + plain[144:], either(SLICE)),
        ("syntax_unknown", dicom(syntax="1.2.3.4.5"), either(SLICE)),
        ("syntax_video", dicom(syntax="1.2.840.10008.1.2.4.100"), either(SLICE)),
        ("syntax_path", dicom(syntax="../../../outside"), either(SLICE)),
        ("pixels_missing", plain[: -len(pixels) - 12], refused()),
        ("pixels_empty", dicom(pixels=b""), refused("PixelData")),
        ("pixels_short", dicom(pixels=pixels[:-2]), refused("PixelData")),
        ("pixels_cut", plain[:-7], refused()),
        ("pixels_long", dicom(pixels=pixels + bytes(64)), either(SLICE)),
        ("pixels_claim_2_31", dicom(pixel_length=2**31), either(SLICE)),
        ("pixels_claim_4_gb", dicom(pixel_length=UNDEFINED - 1), either(SLICE)),
        ("pixels_undefined_native", dicom(pixel_length=UNDEFINED), either(SLICE)),
        ("pixels_twice", dicom(after=element(0x7FE00010, "OW", bytes(len(pixels)))), either(SLICE)),
        ("padding_after", dicom(after=element(0xFFFCFFFC, "OB", bytes(100))), opens(SLICE)),
        ("garbage_after", dicom(after=b"\xff" * 100), either(SLICE)),
        ("float_pixels", plain.replace(b"\xe0\x7f\x10\0OW", b"\xe0\x7f\x08\0OF"), refused()),
        ("element_twice", dicom(extra=duplicate), either(SLICE)),
        ("elements_unsorted", dicom(extra=element(0x00080005, "CS", b"ISO_IR 100")), opens(SLICE)),
        ("private_garbage", dicom(extra=_private(bytes(range(256)) * 40)), opens(SLICE)),
        ("private_claims_2_31", dicom(extra=_private(b"abcd", 2**31)), refused()),
        ("private_without_creator", dicom(extra=element(0x00E11099, "UN", b"x" * 100)), opens(SLICE)),
        ("private_bad_vr", dicom(extra=_private(b"abcd", vr="??")), either(SLICE)),
        ("vr_of_zeros", dicom(extra=_private(b"abcd", vr="\0\0")), either(SLICE)),
        ("tag_ffff", dicom(extra=element(0xFFFFFFFF, "UN", b"abcd")), either(SLICE)),
        ("item_without_sequence", dicom(extra=item(b"")), either(SLICE)),
        ("sequence_end_without_sequence", dicom(extra=SEQUENCE_END), either(SLICE)),
        ("sequence_without_end", dicom(extra=element(0x00E11001, "SQ", item(b"", UNDEFINED), length=UNDEFINED)), either(SLICE)),
        ("item_claims_too_much", dicom(extra=element(0x00E11001, "SQ", item(b"abcd", 2**31), length=UNDEFINED)), either(SLICE)),
        ("nested_100", dicom(extra=_nested(100, True)), either(SLICE)),
        ("nested_5000", dicom(extra=_nested(5000, True)), either(SLICE)),
        ("nested_2000_lengths", dicom(extra=_nested(2000, False)), either(SLICE)),
        ("undefined_length_text", dicom(extra=element(0x00E11001, "UT", b"abc ", length=UNDEFINED)), either(SLICE)),
        ("empty_elements", dicom(extra=element(0x00E11001, "UN", b"") * 20_000), either(SLICE)),
        ("header_of_2_mb", dicom(extra=_private(bytes(2 << 20))), opens(SLICE)),
        ("nothing_but_group", b"\x08\0\x05\0CS\xff\xff", refused()),
    ):
        yield file_kind(f"dicom_{name}", "a.dcm", content, expected)
    for count in (100, 131, 133, 140, 143, 200, 400, split, split + 3, split + 7, len(plain) - len(pixels) - 6):
        yield file_kind(f"dicom_ends_after_{count}", "a.dcm", plain[:count], refused())


def _jpeg(size: tuple[int, int] = (10, 12), claim: tuple[int, int] | None = None) -> bytes:
    """Baseline JPEG of grey noise; `claim`: (rows, columns) that its frame header says."""
    stream = io.BytesIO()
    Image.new("L", size, 90).save(stream, "JPEG")
    content = bytearray(stream.getvalue())
    if claim:
        at = content.index(b"\xff\xc0")
        content[at + 5 : at + 9] = struct.pack(">HH", *claim)
    return bytes(content)


def _rle(planes: int = 2, *, count: int | None = None, first: int = 64) -> bytes:
    low, high = VOXELS[0].view(np.uint16) & 255, VOXELS[0].view(np.uint16) >> 8
    parts = [bytes([119]) + plane.astype(np.uint8).tobytes() for plane in (high, low)][:planes]
    offsets, at = [], first
    for part in parts:
        offsets.append(at)
        at += len(part)
    head = struct.pack("<16I", planes if count is None else count, *offsets, *[0] * (15 - len(offsets)))
    return head + b"".join(parts)


_BYTE: _Edits = {"BitsAllocated": 8, "BitsStored": 8, "HighBit": 7, "PixelRepresentation": 0}


def _compressed() -> Iterator[Kind]:
    jpeg = _jpeg()
    flat = np.full((1, 12, 10), 90)
    overlong = item(b"") + item(jpeg, 2**31)
    bomb_size: _Edits = {**_BYTE, "Rows": 65500, "Columns": 20000}
    for name, content, expected in (
        ("jpeg", compressed(JPEG, jpeg, edits=_BYTE), opens(flat)),
        ("jpeg_half", compressed(JPEG, jpeg[: len(jpeg) // 2], edits=_BYTE), either(None)),
        ("jpeg_in_three_fragments", compressed(JPEG, jpeg[:100], jpeg[100:200], jpeg[200:], edits=_BYTE), either(flat)),
        ("jpeg_bomb", compressed(JPEG, _jpeg(claim=(65500, 20000)), edits=bomb_size), refused()),
        ("jpeg_larger_than_header", compressed(JPEG, _jpeg(claim=(65500, 65500)), edits=_BYTE), refused()),
        ("jpeg_header_larger", compressed(JPEG, jpeg, edits=bomb_size), refused()),
        ("jpeg_size_zero", compressed(JPEG, _jpeg(claim=(0, 0)), edits=_BYTE), refused()),
        ("jpeg_called_lossless", compressed(JPEG_LOSSLESS, jpeg, edits=_BYTE), either(flat)),
        ("jpeg_called_2000", compressed(JPEG_2000, jpeg, edits=_BYTE), either(flat)),
        ("jpeg_called_rle", compressed(RLE, jpeg, edits=_BYTE), refused()),
        ("no_fragments", compressed(JPEG, edits=_BYTE), refused()),
        ("empty_fragment", compressed(JPEG, b"", edits=_BYTE), refused()),
        ("garbage_fragment", compressed(JPEG_LS, b"\xff\xd8" + bytes(300), edits=_BYTE), refused()),
        ("thousands_of_fragments", compressed(JPEG, *[b"\xff\xd8"] * 5000, edits=_BYTE), refused()),
        ("offset_table_lies", compressed(JPEG, jpeg, table=struct.pack("<3I", 0, 2**31, 5), edits=_BYTE), either(flat)),
        ("offset_table_odd", compressed(JPEG, jpeg, table=b"\1\2\3", edits=_BYTE), either(flat)),
        ("native_called_jpeg", dicom(syntax=JPEG), either(SLICE)),
        ("defined_length", dicom(_BYTE, syntax=JPEG, pixels=encapsulated(jpeg)), either(flat)),
        ("rle", compressed(RLE, _rle()), opens(SLICE)),
        ("rle_count_lies", compressed(RLE, _rle(count=15)), refused()),
        ("rle_count_2_31", compressed(RLE, _rle(count=2**31)), refused()),
        ("rle_offset_beyond", compressed(RLE, _rle(first=2**31)), refused()),
        ("rle_short", compressed(RLE, _rle()[:-20]), refused()),
        ("rle_one_plane", compressed(RLE, _rle(1)), refused()),
        ("fragment_claims_2_31", dicom(_BYTE, syntax=JPEG, pixels=overlong, pixel_length=UNDEFINED), refused()),
        ("two_frames_one_claimed", compressed(JPEG, jpeg, jpeg, edits=_BYTE), either(flat)),
    ):
        yield file_kind(f"dicom_{name}", "a.dcm", content, expected)
    yield from _deflated()


def _deflated() -> Iterator[Kind]:
    split = len(meta_group(EXPLICIT))
    body, meta = dicom()[split:], meta_group(DEFLATED)

    def deflate(*parts: bytes) -> bytes:
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        return b"".join(packer.compress(part) for part in parts) + packer.flush()

    filler = element(0x00E11001, "UN", b"", length=600 << 20)
    for name, content, expected in (
        ("fine", meta + deflate(body), opens(SLICE)),
        ("half", meta + deflate(body)[:100], refused()),
        ("not_deflated", meta + body, refused()),
        ("with_zlib_header", meta + zlib.compress(body), either(SLICE)),
        ("empty", meta, refused()),
        ("bomb", meta + deflate(filler, *[bytes(1 << 20)] * 600), refused()),
        ("zeros_after", meta + deflate(body) + bytes(3), opens(SLICE)),
    ):
        yield file_kind(f"dicom_deflated_{name}", "a.dcm", content, expected)


def _series(edits: Callable[[int], _Edits | None]) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        for k in range(len(VOXELS)):
            changed = edits(k)
            if changed is not None:
                (folder / f"{k:03}.dcm").write_bytes(dicom(changed, k=k))
        return folder

    return make


_SERIES: dict[str, tuple[Callable[[int], _Edits | None], Expectation]] = {
    "fine": (lambda k: {}, opens()),
    "one_missing": (lambda k: None if k == 3 else {}, either(None)),
    "one_short": (lambda k: {"Rows": 13} if k == 2 else {}, either(None)),
    "same_place_everywhere": (lambda k: {"ImagePositionPatient": "0\\0\\0"}, refused()),
    "places_reversed": (lambda k: {"ImagePositionPatient": f"0\\0\\{-2 * k}"}, opens(VOXELS[::-1])),
    "spacing_mixed": (lambda k: {"PixelSpacing": "2\\2"} if k == 1 else {}, refused("PixelSpacing")),
    "slope_mixed": (lambda k: {"RescaleSlope": str(k + 1)}, either(None)),
    "signedness_mixed": (lambda k: {"PixelRepresentation": k % 2}, either(None)),
    "places_1e30_apart": (lambda k: {"ImagePositionPatient": f"0\\0\\{k}e30"}, either(VOXELS[:1])),
    "places_tiny_apart": (lambda k: {"ImagePositionPatient": f"0\\0\\{k}e-30"}, refused()),
    "same_instance_everywhere": (lambda k: {"SOPInstanceUID": "2.25.1"}, either()),
}  # fmt: skip


def kinds() -> Iterator[Kind]:
    yield from (file_kind(f"dicom_{name}", "a.dcm", dicom(edits), expected) for name, (edits, expected) in _HEADERS.items())
    for name, value in ODD_SPACINGS.items():
        for text, place in ((f"{value}\\1.25", "row"), (f"1.5\\{value}", "column")):
            content = dicom({"PixelSpacing": text})
            yield file_kind(f"dicom_{place}_spacing_{name}", "a.dcm", content, refused("PixelSpacing"), "R6")
    yield from _structures()
    yield from _compressed()
    yield from (Kind(f"series_{name}", _series(edits), expected) for name, (edits, expected) in _SERIES.items())
