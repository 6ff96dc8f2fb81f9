"""Hostile PNG, JPEG and TIFF, and folders of them."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from PIL import Image

from tests.hostile.kinds import VOXELS, Kind, either, file_kind, opens, refused

GREY = (VOXELS[:1] % 251).astype(np.uint8)
DEEP = (VOXELS[:1] + 1000).astype(np.uint16)


def chunk(kind: bytes, data: bytes, *, length: int | None = None, checksum: int | None = None) -> bytes:
    crc = zlib.crc32(kind + data) if checksum is None else checksum
    return struct.pack(">I", len(data) if length is None else length) + kind + data + struct.pack(">I", crc)


def png(values: np.ndarray = GREY, *, width: int | None = None, height: int | None = None, bits: int | None = None,
        colour: int = 0, packed: bytes | None = None, before: bytes = b"", end: bytes | None = None) -> bytes:  # fmt: skip
    """A grey PNG of values (1, rows, columns), its header as told."""
    rows, columns = values.shape[1:]
    wide = values[0].astype(values.dtype.newbyteorder(">"))
    lines = b"".join(b"\0" + row.tobytes() for row in wide)
    depth = values.dtype.itemsize * 8
    facts = struct.pack(">IIBBBBB", width if width is not None else columns, height if height is not None else rows,
                        bits if bits is not None else depth, colour, 0, 0, 0)  # fmt: skip
    data = zlib.compress(lines) if packed is None else packed
    tail = chunk(b"IEND", b"") if end is None else end
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", facts) + before + chunk(b"IDAT", data) + tail


def saved(values: np.ndarray, kind: str, **more: Any) -> bytes:
    """A picture of values (1, rows, columns) or colour by Pillow."""
    stream = io.BytesIO()
    Image.fromarray(values[0]).save(stream, kind, **more)
    return stream.getvalue()


def tiff(values: np.ndarray = GREY, order: str = "<", **entries: Any) -> bytes:
    """A one-strip grey TIFF; `entries` overwrite tags as t256=(type, count, value), None leaves one out."""
    data = values.astype(values.dtype.newbyteorder(order)).tobytes()
    rows, columns = values.shape[1:]
    tags = {256: (4, 1, columns), 257: (4, 1, rows), 258: (3, 1, values.dtype.itemsize * 8), 259: (3, 1, 1), 262: (3, 1, 1),
            273: (4, 1, 8), 277: (3, 1, 1), 278: (4, 1, rows), 279: (4, 1, len(data))}  # fmt: skip
    tags |= {int(name[1:]): entry for name, entry in entries.items() if name != "next_directory"}
    listed = sorted((tag, entry) for tag, entry in tags.items() if entry is not None)
    directory = struct.pack(order + "H", len(listed))
    for tag, (kind, count, value) in listed:
        short = kind == 3 and count == 1
        directory += struct.pack(order + ("HHIHxx" if short else "HHII"), tag, kind, count, value)
    directory += struct.pack(order + "I", entries.get("next_directory", 0))
    mark = b"II*\0" if order == "<" else b"MM\0*"
    return mark + struct.pack(order + "I", 8 + len(data)) + data + directory


def _png_kinds() -> Iterator[Kind]:
    fine = png()
    lines = zlib.compress(bytes(12 * 11))
    for name, content, expected in (
        ("fine", fine, opens(GREY)),
        ("deep", png(DEEP), opens(DEEP)),
        ("size_zero", png(width=0), refused()),
        ("size_2_31", png(width=2**31 - 1, height=2**31 - 1), refused()),
        ("size_negative", png(width=2**32 - 10), refused()),
        ("bomb", png(width=60000, height=60000, packed=zlib.compress(bytes(4 << 20), 9)), refused()),
        ("unpacks_to_too_much", png(packed=zlib.compress(bytes(64 << 20), 9)), either(np.zeros_like(GREY))),
        ("unpacks_to_too_little", png(packed=zlib.compress(bytes(50))), refused()),
        ("depth_three", png(bits=3), refused()),
        ("depth_255", png(bits=255), refused()),
        ("colour_type_five", png(colour=5), refused()),
        ("filter_unknown", png(packed=zlib.compress(b"\x09" * 132)), refused()),
        ("interlace_lie", fine[:28] + b"\1" + fine[29:], refused()),
        ("header_checksum", fine[:29] + bytes(4) + fine[33:], refused()),
        ("data_checksum", png(packed=lines[:-1] + b"\0"), refused()),
        ("no_end", png(end=b""), refused("incomplete")),
        ("end_twice", fine + chunk(b"IEND", b""), opens(GREY)),
        ("data_after_end", fine + b"PK\x03\x04 something", opens(GREY)),
        ("chunk_length_2_31", png(before=chunk(b"tEXt", b"abc", length=2**31)), refused()),
        ("chunk_length_4_gb", png(before=chunk(b"tEXt", b"abc", length=2**32 - 1)), refused()),
        ("chunk_unknown_critical", png(before=chunk(b"ABCD", b"abc")), either(GREY)),
        ("text_bomb", png(before=chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(64 << 20)))), either(GREY)),
        ("profile_bomb", png(before=chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(64 << 20)))), either(GREY)),
        ("palette_missing", png(colour=3), either(GREY)),
        ("header_twice", png(before=chunk(b"IHDR", fine[16:29])), either(GREY)),
        ("frames_lie", png(before=chunk(b"acTL", struct.pack(">II", 2**31, 0))), either(GREY)),
        ("colour", saved(np.random.default_rng(1).integers(0, 255, (1, 12, 10, 3), np.uint8), "PNG"), refused("colour")),
        ("signature_only", b"\x89PNG\r\n\x1a\n", refused()),
        ("half", fine[: len(fine) // 2], refused()),
        ("by_text_mode", fine.replace(b"\r\n", b"\n"), refused()),
        ("resolution_zero", png(before=chunk(b"pHYs", struct.pack(">IIB", 0, 0, 1))), opens(GREY)),
        ("resolution_huge", png(before=chunk(b"pHYs", struct.pack(">IIB", 2**32 - 1, 1, 1))), opens(GREY)),
    ):
        yield file_kind(f"png_{name}", "a.png", content, expected)


def _jpeg_kinds() -> Iterator[Kind]:
    flat = np.full((1, 12, 10), 90, np.uint8)
    fine = saved(flat, "JPEG")
    frame = fine.index(b"\xff\xc0")

    def claims(rows: int, columns: int) -> bytes:
        return fine[: frame + 5] + struct.pack(">HH", rows, columns) + fine[frame + 9 :]

    for name, content, expected in (
        ("fine", fine, opens(flat)),
        ("half", fine[: len(fine) // 2], refused()),
        ("without_end", fine[:-2], refused()),
        ("bomb", claims(65500, 65500), refused()),
        ("size_zero", claims(0, 0), refused()),
        ("claims_more_rows", claims(2000, 10), either(None)),  # JPEG has no checksum: decoders fill what is missing
        ("start_only", b"\xff\xd8\xff\xe0", refused()),
        ("segment_length_zero", fine[:4] + b"\0\0" + fine[6:], refused()),
        ("segment_length_beyond", fine[:4] + b"\xff\xff" + fine[6:], refused()),
        ("exif_garbage", fine[:2] + b"\xff\xe1\x00\x20Exif\0\0II*\0" + b"\xff" * 18 + fine[2:], either(flat)),
        ("colour", saved(np.random.default_rng(1).integers(0, 255, (1, 12, 10, 3), np.uint8), "JPEG"), refused("colour")),
        ("named_png", b"\x89PNG" + fine, refused()),
    ):
        yield file_kind(f"jpeg_{name}", "a.jpg", content, expected)


def _tiff_kinds() -> Iterator[Kind]:
    fine = tiff()
    packed = io.BytesIO()
    Image.fromarray(np.zeros((4000, 4000), np.uint8)).save(packed, "TIFF", compression="tiff_deflate")
    for name, content, expected in (
        ("fine", fine, opens(GREY)),
        ("deep", tiff(DEEP), opens(DEEP)),
        ("big_endian", tiff(DEEP, ">"), opens(DEEP)),
        ("directory_beyond", fine[:4] + struct.pack("<I", 2**31) + fine[8:], refused()),
        ("directory_itself", fine[:4] + struct.pack("<I", 0) + fine[8:], refused()),
        ("directory_loop", tiff(next_directory=8 + GREY.size), refused()),
        ("entries_65535", fine[: 8 + GREY.size] + b"\xff\xff" + fine[10 + GREY.size :], refused()),
        ("width_zero", tiff(t256=(4, 1, 0)), refused()),
        ("width_missing", tiff(t256=None), refused()),
        ("size_2_31", tiff(t256=(4, 1, 2**31), t257=(4, 1, 2**31)), refused()),
        ("width_too_much", tiff(t256=(4, 1, 60000), t257=(4, 1, 60000)), refused()),
        ("bits_zero", tiff(t258=(3, 1, 0)), refused()),
        ("bits_count_2_31", tiff(t258=(3, 2**31, 8)), refused()),
        ("compression_unknown", tiff(t259=(3, 1, 65000)), refused()),
        ("compression_lie", tiff(t259=(3, 1, 8)), refused()),
        ("strip_beyond", tiff(t273=(4, 1, 2**31)), refused()),
        ("strip_short", tiff(t279=(4, 1, 7)), refused()),
        ("strips_missing", tiff(t273=None), refused()),
        ("samples_65535", tiff(t277=(3, 1, 65535)), refused()),
        ("rows_per_strip_zero", tiff(t278=(4, 1, 0)), either(GREY)),
        ("half", fine[: len(fine) // 2], refused()),
        ("mark_only", b"II*\0", refused()),
        ("tile_size_zero", tiff(t322=(4, 1, 0), t323=(4, 1, 0), t324=(4, 1, 8)), refused()),
        ("big_tiff_claim", b"II+\0\x08\0\0\0" + struct.pack("<Q", 2**63), refused()),
        ("cut_deflate", packed.getvalue()[:6000], refused()),
        ("colour", saved(np.random.default_rng(1).integers(0, 255, (1, 12, 10, 3), np.uint8), "TIFF"), refused("colour")),
        ("all_nan", tiff(np.full((1, 12, 10), np.nan, np.float32), t339=(3, 1, 3)), refused()),
    ):
        yield file_kind(f"tiff_{name}", "a.tif", content, expected)


def kinds() -> Iterator[Kind]:
    yield from _png_kinds()
    yield from _jpeg_kinds()
    yield from _tiff_kinds()
