"""The headers of PNG, JPEG and TIFF files, as lines to look at. Text in them is never taken for harmless."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

from ctmri_core.io.header_entry import Entries, joined

_MOST_PARTS = 500
_MOST_TEXT = 1 << 12
_COLOURS = {0: "grey", 2: "colour", 3: "palette", 4: "grey with transparency", 6: "colour with transparency"}
_CHUNKS = {
    "IHDR": "size and kind", "PLTE": "palette", "IDAT": "compressed pixels", "IEND": "end", "tRNS": "transparency",
    "cHRM": "colours of the screen", "gAMA": "gamma", "iCCP": "profile", "sBIT": "significant bits", "sRGB": "colour space",
    "bKGD": "background", "hIST": "histogram", "pHYs": "pixels per metre", "sPLT": "suggested palette", "tIME": "time of change",
    "tEXt": "text", "zTXt": "compressed text", "iTXt": "text", "eXIf": "EXIF",
}  # fmt: skip
_FRAMES = {0xC0: "baseline", 0xC1: "extended", 0xC2: "progressive", 0xC3: "lossless", 0xC9: "extended, arithmetic"}
_SEGMENTS = {0xC4: "Huffman tables", 0xDB: "quantisation tables", 0xDD: "restart interval", 0xDA: "start of the pixels"}
_TIFF_TAGS = {
    254: "kind of page", 256: "width", 257: "height", 258: "bits of a sample", 259: "compression", 262: "colours", 266: "fill",
    269: "document name", 270: "description", 271: "maker", 272: "model", 273: "places of the strips", 274: "orientation",
    277: "samples of a pixel", 278: "rows of a strip", 279: "bytes of the strips", 282: "pixels per unit, across",
    283: "pixels per unit, down", 284: "planes", 285: "page name", 286: "x of the page", 287: "y of the page", 296: "unit",
    297: "number of the page", 305: "software", 306: "date", 315: "artist", 316: "computer", 317: "predictor", 320: "palette",
    322: "width of a tile", 323: "height of a tile", 324: "places of the tiles", 325: "bytes of the tiles", 338: "extra samples",
    339: "format of a sample", 340: "least value", 341: "greatest value", 33432: "copyright", 34665: "EXIF", 34675: "profile",
}  # fmt: skip
_TIFF_SIZES = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 11: "f", 12: "d", 16: "Q"}
_SAFE_TAGS = set(_TIFF_TAGS) - {269, 270, 271, 272, 285, 305, 306, 315, 316, 33432}


def picture_entries(path: Path, found: Entries) -> None:
    """By the first bytes of the file. Raises `OSError`."""
    with path.open("rb") as handle:
        head = handle.read(8)
        show = _png if head[:4] == b"\x89PNG" else _jpeg if head[:2] == b"\xff\xd8" else _tiff
        try:
            show(handle, found)
        except (struct.error, ValueError, OverflowError):
            found.remark("the header is damaged; what follows cannot be read")


def is_picture(head: bytes) -> bool:
    return head.startswith((b"\x89PNG", b"\xff\xd8\xff", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"))


def _png(handle: BinaryIO, found: Entries) -> None:
    place = 8
    for _ in range(_MOST_PARTS):
        handle.seek(place)
        length, raw_name = struct.unpack(">I4s", handle.read(8))
        name = raw_name.decode("latin-1")
        known = name in _CHUNKS
        found.add(name if known else "chunk", _CHUNKS.get(name, "unknown"), f"{length} bytes", identifying=False)
        content = handle.read(min(length, _MOST_TEXT))
        if name == "IHDR":
            width, height, bits, colour, *_, interlaced = struct.unpack(">IIBBBBB", content)
            facts = (("width", width), ("height", height), ("bits", bits), ("colour", _COLOURS.get(colour, colour)))
            for field, value in (*facts, ("interlaced", "yes" if interlaced else "no")):
                found.add(field, "", str(value), depth=1, identifying=False)
        elif name == "pHYs":
            x, y, unit = struct.unpack(">IIB", content)
            found.add("pixels", "per metre" if unit else "", f"{x} x {y}", depth=1, identifying=False)
        elif name in ("tEXt", "iTXt"):
            found.add("text", "", content.replace(b"\0", b": ", 1).decode("utf-8", "replace"), depth=1)
        if name == "IEND":
            return
        place += 12 + length
    found.remark("more chunks are not shown")


def _jpeg(handle: BinaryIO, found: Entries) -> None:
    place = 2
    for _ in range(_MOST_PARTS):
        handle.seek(place)
        mark, code, length = struct.unpack(">BBH", handle.read(4))
        if mark != 0xFF or length < 2:
            raise ValueError("no marker")
        content = handle.read(min(length - 2, _MOST_TEXT))
        if code in _FRAMES:
            bits, height, width, samples = struct.unpack_from(">BHHB", content)
            found.add(
                f"SOF{code - 0xC0}", _FRAMES[code], f"{width} x {height}, {bits} bits, {samples} samples", identifying=False
            )
        elif code == 0xFE:
            found.add("COM", "comment", content.decode("utf-8", "replace"))
        else:
            name = f"APP{code - 0xE0}" if 0xE0 <= code <= 0xEF else f"{code:02X}"
            found.add(
                name, _SEGMENTS.get(code, "application data" if name[0] == "A" else ""), f"{length} bytes", identifying=False
            )
        if code == 0xDA:
            return
        place += 2 + length
    found.remark("more segments are not shown")


def _tiff(handle: BinaryIO, found: Entries) -> None:
    """The first page."""
    handle.seek(0)
    head = handle.read(16)
    order = "<" if head[:2] == b"II" else ">"
    (version,) = struct.unpack_from(order + "H", head, 2)
    big = version == 43
    counter, offset, size = ("Q", "Q", 20) if big else ("H", "I", 12)
    (place,) = struct.unpack_from(order + offset, head, 8 if big else 4)
    handle.seek(place)
    (count,) = struct.unpack(order + counter, handle.read(struct.calcsize(order + counter)))
    block = handle.read(min(count, _MOST_PARTS) * size)
    for start in range(0, len(block) - size + 1, size):
        tag, kind = struct.unpack_from(order + "HH", block, start)
        (number,) = struct.unpack_from(order + offset, block, start + 4)
        inline = block[start + 4 + struct.calcsize(order + offset) : start + size]
        _tiff_entry(handle, found, order, (tag, kind, number), inline)
    if count > _MOST_PARTS:
        found.remark(f"{count - _MOST_PARTS} more fields are not shown")


def _tiff_entry(handle: BinaryIO, found: Entries, order: str, entry: tuple[int, int, int], inline: bytes) -> None:
    tag, kind, count = entry
    letter = "s" if kind == 2 else _TIFF_SIZES.get(kind, "II" if kind in (5, 10) else "")
    length = count * struct.calcsize(f"{order}{letter}") if letter else 0
    name = _TIFF_TAGS.get(tag, "")
    if not letter or length > _MOST_TEXT:
        found.add(str(tag), name, f"{count} values", identifying=False)
        return
    if length > len(inline):
        handle.seek(struct.unpack(order + ("Q" if len(inline) == 8 else "I"), inline)[0])
        inline = handle.read(length)
    if kind == 2:
        found.add(str(tag), name, inline[:length].split(b"\0")[0].decode("utf-8", "replace"))
        return
    values: list[object] = list(struct.unpack(f"{order}{count * len(letter)}{letter[0]}", inline[:length]))
    if letter == "II":
        values = [f"{above}/{below}" for above, below in zip(values[::2], values[1::2], strict=True)]
    found.add(str(tag), name, joined(values), identifying=tag not in _SAFE_TAGS)
