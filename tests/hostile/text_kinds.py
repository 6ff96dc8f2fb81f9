"""Hostile MetaImage and NRRD: text headers, which crash native parsers more easily than anything else."""

from __future__ import annotations

import bz2
import gzip
import zlib
from collections.abc import Iterator

import numpy as np

from tests.hostile.kinds import ODD_SPACINGS, SHAPE, SPACING, VOXELS, Expectation, Kind, either, file_kind, opens, refused

_RAW = VOXELS.tobytes()
_META = {
    "ObjectType": "Image", "NDims": "3", "BinaryData": "True", "BinaryDataByteOrderMSB": "False", "CompressedData": "False",
    "TransformMatrix": "1 0 0 0 1 0 0 0 1", "Offset": "0 0 0", "ElementSpacing": "1.25 1.5 2", "DimSize": "10 12 6",
    "ElementType": "MET_SHORT", "ElementDataFile": "LOCAL",
}  # fmt: skip
_NRRD = {
    "type": "short", "dimension": "3", "space": "left-posterior-superior", "sizes": "10 12 6",
    "space directions": "(1.25,0,0) (0,1.5,0) (0,0,2)", "kinds": "domain domain domain", "endian": "little", "encoding": "raw",
    "space origin": "(0,0,0)",
}  # fmt: skip
_Edits = dict[str, str | None]


def _text(fields: dict[str, str], separator: str, edits: _Edits) -> str:
    merged = {key: value for key, value in (fields | edits).items() if value is not None}
    last = merged.pop("ElementDataFile", None)  # ends a MetaImage header
    lines = [f"{key}{separator}{value}" for key, value in merged.items()]
    return "\n".join([*lines, *([f"ElementDataFile{separator}{last}"] if last is not None else [])]) + "\n"


def meta(data: bytes = _RAW, **edits: str | None) -> bytes:
    """An .mha of the common voxels; a key of value None is left out."""
    return _text(_META, " = ", edits).encode("utf-8", "surrogateescape") + data


def nrrd(data: bytes = _RAW, edits: _Edits | None = None, magic: str = "NRRD0005\n") -> bytes:
    """A .nrrd of the common voxels."""
    return magic.encode() + _text(_NRRD, ": ", edits or {}).encode("utf-8", "surrogateescape") + b"\n" + data


_LONG = "A" * 100_000
_META_EDITS: dict[str, tuple[_Edits, Expectation]] = {
    "ndims_minus_one": ({"NDims": "-1"}, refused("NDims")),
    "ndims_zero": ({"NDims": "0"}, refused("NDims")),
    "ndims_2_31": ({"NDims": str(2**31)}, refused("NDims")),
    "ndims_eleven": ({"NDims": "11"}, refused("NDims")),
    "ndims_text": ({"NDims": "three"}, refused("NDims")),
    "ndims_missing": ({"NDims": None}, refused("NDims")),
    "ndims_one": ({"NDims": "1"}, refused("NDims")),
    "size_negative": ({"DimSize": "10 12 -6"}, refused("DimSize")),
    "size_zero": ({"DimSize": "10 0 6"}, refused("DimSize")),
    "size_short": ({"DimSize": "10 12"}, refused("DimSize")),
    "size_missing": ({"DimSize": None}, refused("DimSize")),
    "size_2_31": ({"DimSize": f"{2**31} 1 1"}, refused("DimSize")),
    "size_2_63": ({"DimSize": f"{2**63} 2 2"}, refused("DimSize")),
    "size_product_overflows": ({"DimSize": "65535 65535 65535"}, refused("promises")),
    "size_wraps_to_right": ({"DimSize": f"{2**32 + 10} 12 6"}, refused("DimSize")),
    "size_nan": ({"DimSize": "nan 12 6"}, refused("DimSize")),
    "size_hex": ({"DimSize": "0x0a 12 6"}, refused("DimSize")),
    "size_underscores": ({"DimSize": "1_0 12 6"}, refused("DimSize")),
    "size_other_digits": ({"DimSize": "١٠ 12 6"}, refused("DimSize")),
    "matrix_zero": ({"TransformMatrix": "0 0 0 0 0 0 0 0 0"}, refused("TransformMatrix")),
    "matrix_nan": ({"TransformMatrix": "nan 0 0 0 1 0 0 0 1"}, refused("TransformMatrix")),
    "matrix_sheared": ({"TransformMatrix": "1 1 0 0 1 0 0 0 1"}, refused("TransformMatrix")),
    "matrix_huge": ({"TransformMatrix": "1e300 0 0 0 1e300 0 0 0 1e300"}, refused("TransformMatrix")),
    "matrix_of_two": ({"TransformMatrix": "1 0 0 1"}, refused("TransformMatrix")),
    "matrix_missing": ({"TransformMatrix": None}, opens(VOXELS, "missing_orientation")),
    "offset_nan": ({"Offset": "nan 0 0"}, refused("Offset")),
    "offset_missing": ({"Offset": None}, opens()),
    "spacing_missing": ({"ElementSpacing": None}, opens(VOXELS, "estimated_spacing")),
    "spacing_comma": ({"ElementSpacing": "1,25 1,5 2"}, refused("ElementSpacing")),
    "type_format_string": ({"ElementType": "MET_%s%n%s"}, refused("ElementType")),
    "type_long": ({"ElementType": _LONG}, refused()),
    "type_ascii": ({"ElementType": "MET_ASCII_CHAR"}, refused("ElementType")),
    "type_array": ({"ElementType": "MET_FLOAT_ARRAY"}, refused("ElementType")),
    "type_missing": ({"ElementType": None}, refused("ElementType")),
    "channels_three": ({"ElementNumberOfChannels": "3"}, refused("channels")),
    "channels_2_31": ({"ElementNumberOfChannels": str(2**31)}, refused("channels")),
    "text_voxels": ({"BinaryData": "False"}, refused()),
    "object_tube": ({"ObjectType": "Tube"}, refused("ObjectType")),
    "header_size_negative": ({"HeaderSize": "-7"}, refused("HeaderSize")),
    "header_size_beyond": ({"HeaderSize": str(2**40)}, refused()),
    "header_size_from_end": ({"HeaderSize": "-1"}, opens()),
    "compressed_size_negative": ({"CompressedData": "True", "CompressedDataSize": "-5"}, refused("CompressedDataSize")),
    "compressed_lie": ({"CompressedData": "True"}, refused("damaged")),
    "comment_long": ({"Comment": _LONG}, refused()),
    "comment_patient": ({"Comment": "Doe^Jane 1970"}, opens()),
    "key_twice": ({"ndims": "2"}, either()),
    "bits_garbage": ({"BinaryDataByteOrderMSB": "%n%n%n"}, either()),
}  # fmt: skip
_META_DATA: dict[str, tuple[str, Expectation]] = {
    "format_string": ("%s%s%s%n", refused()), "pattern": ("slice%03d.raw 1 6 1", refused()), "list": ("LIST", refused()),
    "list_of_itself": ("LIST 2\na.mhd\na.mhd", refused()), "absolute": ("/etc/passwd", refused("data file")),
    "parent": ("../outside/secret.raw", refused("data file")), "unc": (r"\\server\share\a.raw", refused("data file")),
    "url": ("http://localhost/a.raw", refused("data file")), "file_url": ("file:///etc/passwd", refused("data file")),
    "device": ("/dev/zero", refused("data file")), "windows_device": ("NUL", refused()),
    "stream": ("a.raw:b", refused("data file")),
    "itself": ("a.mhd", refused()), "folder": (".", refused("data file")), "empty": ("", refused()),
    "missing": ("gone.raw", refused("not exist")), "long": ("d" * 5000, refused()), "zero_character": ("a\0.raw", refused()),
    "bell": ("a\x07.raw", refused("data file")), "home": ("~/.profile", refused("data file")),
    "pipe": ("|id", refused("data file")),
    "spaces": ("   ", refused()), "good": ("a.raw", opens()),
}  # fmt: skip
_NRRD_EDITS: dict[str, tuple[_Edits, Expectation]] = {
    "dimension_minus_one": ({"dimension": "-1"}, refused("dimension")),
    "dimension_2_31": ({"dimension": str(2**31)}, refused("dimension")),
    "dimension_17": ({"dimension": "17"}, refused("dimension")),
    "dimension_missing": ({"dimension": None}, refused("dimension")),
    "sizes_negative": ({"sizes": "10 -12 6"}, refused("sizes")),
    "sizes_zero": ({"sizes": "10 0 6"}, refused("sizes")),
    "sizes_2_63": ({"sizes": f"{2**63} 1 1"}, refused("sizes")),
    "sizes_overflow": ({"sizes": "65535 65535 65535"}, refused("promises")),
    "sizes_four": ({"sizes": "10 12 6 1"}, refused("sizes")),
    "sizes_missing": ({"sizes": None}, refused("sizes")),
    "type_missing": ({"type": None}, refused("type")),
    "type_block": ({"type": "block"}, refused("type")),
    "type_long": ({"type": "short" + "x" * 4000}, refused("type")),
    "type_format_string": ({"type": "%s%s%n"}, refused("type")),
    "endian_missing": ({"endian": None}, refused("endian")),
    "endian_middle": ({"endian": "middle"}, refused("endian")),
    "encoding_missing": ({"encoding": None}, refused("encoding")),
    "encoding_unknown": ({"encoding": "rot13"}, refused("encoding")),
    "encoding_hex": ({"encoding": "hex"}, refused()),
    "encoding_gzip_lie": ({"encoding": "gzip"}, refused("damaged")),
    "encoding_bzip2_lie": ({"encoding": "bzip2"}, refused()),
    "directions_nan": ({"space directions": "(nan,0,0) (0,1.5,0) (0,0,2)"}, refused("space directions")),
    "directions_two": ({"space directions": "(1.25,0,0) (0,1.5,0)"}, refused("space directions")),
    "directions_unclosed": ({"space directions": "((((((((" * 400}, refused("space directions")),
    "directions_zero": ({"space directions": "(0,0,0) (0,1.5,0) (0,0,2)"}, refused("space directions")),
    "directions_sheared": ({"space directions": "(1.25,1,0) (0,1.5,0) (0,0,2)"}, refused("space directions")),
    "directions_none": ({"space directions": "none (0,1.5,0) (0,0,2)"}, refused("space directions")),
    "origin_inf": ({"space origin": "(inf,0,0)"}, refused("space origin")),
    "space_unknown": ({"space": "heart-brain-liver"}, either()),
    "space_scanner": ({"space": "scanner-xyz"}, either()),
    "space_time": ({"space": "left-posterior-superior-time"}, either()),
    "units_miles": ({"space units": '"mile" "mile" "mile"'}, refused("space units")),
    "kinds_vector": ({"kinds": "vector domain domain"}, refused("kinds")),
    "line_skip": ({"line skip": "1"}, refused()),
    "line_skip_negative": ({"line skip": "-1"}, refused("line skip")),
    "byte_skip_huge": ({"byte skip": str(2**62)}, refused("byte skip")),
    "byte_skip_minus_two": ({"byte skip": "-2"}, refused("byte skip")),
    "long_token": ({"x" * 4000: "y"}, either()),
    "content_long": ({"content": "c" * 70_000}, refused()),
    "content_patient": ({"content": "Doe^Jane 1970"}, opens()),
    "axis_mins": ({"axis mins": "nan nan nan"}, either()),
}  # fmt: skip
_NRRD_DATA: dict[str, tuple[str, Expectation]] = {
    "absolute": ("/etc/passwd", refused()), "parent": ("../outside/secret.raw", refused()), "device": ("/dev/zero", refused()),
    "url": ("http://localhost/a.raw", refused()), "itself": ("a.nhdr", refused()), "format_string": ("%s%s%n%d", refused()),
    "pattern_endless": ("s%03d.raw 1 999999999 1", refused()), "pattern_step_zero": ("s%03d.raw 1 9 0", refused()),
    "pattern_wide": ("s%999999999d.raw 1 6 1", refused()), "list": ("LIST", refused()),
    "list_of_itself": ("LIST\na.nhdr\na.nhdr", refused()),
    "list_of_parents": ("LIST\n../outside/secret.raw", refused()), "list_endless": ("LIST 2\n" + "a.raw\n" * 9000, refused()),
    "missing": ("gone.raw", refused()), "dot_parent": ("./../outside/secret.raw", refused()), "good": ("a.raw", opens()),
}  # fmt: skip


def _meta_kinds() -> Iterator[Kind]:
    for name, value in ODD_SPACINGS.items():
        for key in ("ElementSpacing", "ElementSize"):
            edits: _Edits = {"ElementSpacing": None, key: f"1.25 {value} 2"}
            yield file_kind(f"mha_{key.lower()}_{name}", "a.mha", meta(**edits), refused("ElementSpacing"), "R6")
    yield from (file_kind(f"mha_{name}", "a.mha", meta(**edits), expected) for name, (edits, expected) in _META_EDITS.items())
    for name, (target, expected) in _META_DATA.items():
        header = meta(b"", ElementDataFile=target)
        row = "R7" if expected.outcome == "refused" else ""
        yield file_kind(f"mhd_data_{name}", "a.mhd", header, expected, row, **{"a.raw": _RAW})
    packed = zlib.compress(_RAW)
    size = str(len(packed))
    yield from (
        file_kind(f"mha_{name}", "a.mha", content, expected)
        for name, content, expected in (
            ("fine", meta(), opens()),
            ("short", meta(_RAW[:-1]), refused("promises")),
            ("long", meta(_RAW + b"\0"), refused()),
            ("no_voxels", meta(b""), refused()),
            ("packed", meta(packed, CompressedData="True", CompressedDataSize=size), opens()),
            ("packed_without_size", meta(packed, CompressedData="True"), opens()),
            ("packed_size_lies", meta(packed, CompressedData="True", CompressedDataSize=str(2**31)), refused()),
            ("packed_short", meta(packed[:-5], CompressedData="True"), refused()),
            ("packed_checksum", meta(packed[:-1] + bytes([packed[-1] ^ 1]), CompressedData="True"), refused("damaged")),
            ("packed_bomb", meta(zlib.compress(bytes(64 << 20), 9), CompressedData="True"), refused("promises")),
            ("utf16", meta().decode("latin-1").encode("utf-16"), refused()),
            ("bom", b"\xef\xbb\xbf" + meta(), either()),
            ("carriage_returns", meta(b"").replace(b"\n", b"\r\n") + _RAW, opens()),
            ("old_mac_lines", meta(b"").replace(b"\n", b"\r") + _RAW, refused()),
            ("no_line_end", b"ObjectType = " + b"x" * 200_000, refused()),
            ("nothing_but_key", b"NDims =", refused()),
            ("zero_characters", b"ObjectType = Image\n" + bytes(2000), refused()),
            ("endless_keys", b"ObjectType = Image\n" + b"A = 1\n" * 50_000, refused()),
            ("equals_only", b"ObjectType = Image\n" + b"=" * 60_000, refused()),
            ("big_endian", meta(VOXELS.astype(">i2").tobytes(), BinaryDataByteOrderMSB="True"), opens()),
            ("invalid_utf8", meta(Comment="\udcff\udcfe"), opens()),
            ("two_dimensions", meta(VOXELS[0].tobytes(), NDims="2", DimSize="10 12", ElementSpacing="1.25 1.5", Offset="0 0",
                                    TransformMatrix="1 0 0 1"), opens(VOXELS[:1], "estimated_spacing")),
            ("all_nan", meta(np.full(SHAPE, np.nan, "f4").tobytes(), ElementType="MET_FLOAT"), refused("finite")),
        )
    )  # fmt: skip


def _nrrd_kinds() -> Iterator[Kind]:
    for name, value in ODD_SPACINGS.items():
        plain: _Edits = {"space": None, "space directions": None, "space origin": None, "spacings": f"1.25 {value} 2"}
        yield file_kind(f"nrrd_spacings_{name}", "a.nrrd", nrrd(edits=plain), refused("spacings"), "R6")
        vectors: _Edits = {"space directions": f"(1.25,0,0) (0,{value},0) (0,0,2)"}
        flipped = value == -1.0  # a direction, not a size
        expected = opens() if flipped else refused("space directions")
        yield file_kind(f"nrrd_direction_{name}", "a.nrrd", nrrd(edits=vectors), expected, "" if flipped else "R6")
    for name, (edits, expected) in _NRRD_EDITS.items():
        yield file_kind(f"nrrd_{name}", "a.nrrd", nrrd(edits=edits), expected)
    for name, (target, expected) in _NRRD_DATA.items():
        header = nrrd(b"", {"data file": target})
        row = "R7" if expected.outcome == "refused" else ""
        yield file_kind(f"nhdr_data_{name}", "a.nhdr", header, expected, row, **{"a.raw": _RAW})
    bare: _Edits = {"space": None, "space directions": None, "space origin": None}
    packed, bzipped = gzip.compress(_RAW), bz2.compress(_RAW)
    yield from (
        file_kind(f"nrrd_{name}", "a.nrrd", content, expected)
        for name, content, expected in (
            ("fine", nrrd(), opens()),
            ("short", nrrd(_RAW[:-1]), refused("promises")),
            ("long", nrrd(_RAW + b"\0"), refused()),
            ("gzip", nrrd(packed, {"encoding": "gzip"}), opens()),
            ("gzip_short", nrrd(packed[:-9], {"encoding": "gzip"}), refused()),
            ("gzip_checksum", nrrd(packed[:-8] + bytes(4) + packed[-4:], {"encoding": "gzip"}), refused("damaged")),
            ("gzip_bomb", nrrd(gzip.compress(bytes(64 << 20)), {"encoding": "gzip"}), refused("promises")),
            ("bzip2", nrrd(bzipped, {"encoding": "bzip2"}), opens()),
            ("bzip2_short", nrrd(bzipped[:-9], {"encoding": "bzip2"}), refused()),
            ("bzip2_bit", nrrd(bzipped[:600] + bytes([bzipped[600] ^ 4]) + bzipped[601:], {"encoding": "bzip2"}), refused()),
            ("bzip2_bomb", nrrd(bz2.compress(bytes(64 << 20)), {"encoding": "bzip2"}), refused()),
            ("magic_only", b"NRRD0005\n", refused()),
            ("version_9999", nrrd(magic="NRRD9999\n"), either()),
            ("header_without_end", nrrd(b"")[:-1], refused()),
            ("long_line", b"NRRD0005\n" + b"a" * 100_000, refused()),
            ("endless_fields", b"NRRD0005\n" + b"a: b\n" * 50_000, refused()),
            ("colons_only", b"NRRD0005\n" + b":" * 60_000, refused()),
            ("comments_only", b"NRRD0005\n" + b"# x\n" * 50_000, refused()),
            ("utf16", nrrd().decode("latin-1").encode("utf-16"), refused()),
            ("carriage_returns", nrrd(b"").replace(b"\n", b"\r\n") + _RAW, opens()),
            ("all_nan", nrrd(np.full(SHAPE, np.nan, "f4").tobytes(), {"type": "float"}), refused("finite")),
            ("big_endian", nrrd(VOXELS.astype(">i2").tobytes(), {"endian": "big"}), opens()),
            ("no_spacing", nrrd(edits=bare), opens(VOXELS, "estimated_spacing")),
        )
    )  # fmt: skip


def kinds() -> Iterator[Kind]:
    assert tuple(SPACING) == (2.0, 1.5, 1.25)  # as written in the headers above
    yield from _meta_kinds()
    yield from _nrrd_kinds()
