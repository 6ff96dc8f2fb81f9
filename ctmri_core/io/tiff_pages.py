"""What the pages of a TIFF are as pictures: size, type of values, scale, and whether all of their bytes are there.

ImageJ writes voxel size and the calibration of its values into the description; both are used where they leave no choice.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path

from ctmri_core.errors import FileRefused
from ctmri_core.io import preflight
from ctmri_core.io import tiff_header as tiff
from ctmri_core.io.tiff_header import Tags

NO_PACKING, LZW, PACKBITS, DEFLATE = 1, 5, 32773, (8, 32946)
WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE = 0, 1, 2, 3
_MOST_PAGES, _MOST_PIECES = 5000, 4_000_000
_RATIOS = {NO_PACKING: 1, LZW: 4096, PACKBITS: 64, **dict.fromkeys(DEFLATE, preflight.DEFLATE_LIMIT)}
"""Most bytes that one stored byte can stand for: LZW has 12-bit codes for strings of at most 3839 bytes."""
_TYPES = {
    (1, 1): "u1", (8, 1): "u1", (8, 2): "i1", (16, 1): "u2", (16, 2): "i2", (32, 1): "u4", (32, 2): "i4", (32, 3): "f4",
    (64, 1): "u8", (64, 2): "i8", (16, 3): "f2", (64, 3): "f8",
}  # fmt: skip
_MM = {"mm": 1.0, "millimeter": 1.0, "cm": 10.0, "um": 1e-3, "micron": 1e-3, "\\u00b5m": 1e-3, "µm": 1e-3}
_NOT_A_PICTURE = 1 | 4  # of NewSubfileType: a small copy, a mask
_AGAIN = "Copy or export it again."


@dataclass(frozen=True)
class TiffPage:
    """Where and how one page is stored.

    `stored`: numpy's code of the values with their byte order; `bits`: 1, or those of that type. `samples`: values a pixel,
    `alpha` the place of the transparency among them; `piece`: rows and columns of a strip or tile;
    `pieces`: (offset, length) of each in bytes, row after row; `palette`: red, then green, then blue values of 16 bits.
    """

    shape: tuple[int, int]
    stored: str
    bits: int
    samples: int
    alpha: int | None
    photometric: int
    compression: int
    predictor: int
    orientation: int
    piece: tuple[int, int]
    pieces: tuple[tuple[int, int], ...]
    palette: tuple[int, ...]


@dataclass(frozen=True)
class TiffStack:
    """value = `slope` * stored + `intercept`. `spacing`: mm along (k, j, i) where the file tells it, k 0 where it does not.

    `called`: channels or time points where the file says that its pages are those, and not slices.
    """

    pages: tuple[TiffPage, ...]
    slope: float = 1.0
    intercept: float = 0.0
    spacing: tuple[float, float, float] | None = None
    called: str = ""


def read_tiff(path: Path) -> TiffStack:
    """The checked header. Raises `FileRefused`."""
    size = preflight.regular_file(path)
    pages: list[TiffPage] = []
    first: Tags = {}
    pieces = stored = 0
    with path.open("rb") as handle:
        for tags, order in tiff.directories(path, handle, size, _MOST_PAGES):
            if tiff.number(tags, tiff.REDUCED, 0) & _NOT_A_PICTURE:
                continue
            first = first or tags
            pages.append(_page(path, tags, order, size))
            pieces += len(pages[-1].pieces)
            stored += sum(length for _, length in pages[-1].pieces)
            if stored > size:
                raise FileRefused(path, "is damaged: its pages share their bytes.", _AGAIN)
            if pieces > _MOST_PIECES:
                raise FileRefused(path, f"is cut into more than {_MOST_PIECES} pieces.", "Save it in larger strips or tiles.")
    if not pages:
        raise FileRefused(path, "holds no picture, only small copies or masks.", _AGAIN)
    looks = {(page.shape, page.stored, page.bits, page.samples, page.photometric, page.orientation) for page in pages}
    if len(looks) > 1:
        raise FileRefused(path, "holds pages of different sizes or kinds.", "Save pages of one size into a file of their own.")
    return _told_by_imagej(path, first, tuple(pages))


def _page(path: Path, tags: Tags, order: str, size: int) -> TiffPage:
    rows, columns = tiff.number(tags, tiff.HEIGHT, 0), tiff.number(tags, tiff.WIDTH, 0)
    preflight.check_shape(path, (columns, rows), "ImageWidth or ImageLength")
    compression, predictor = tiff.number(tags, tiff.COMPRESSION, NO_PACKING), tiff.number(tags, tiff.PREDICTOR, 1)
    if compression not in _RATIOS or predictor not in (1, 2, 3) or tiff.number(tags, tiff.FILL_ORDER, 1) != 1:
        problem = f"is packed in a way (Compression = {compression}) that cannot be read; LZW, deflate and PackBits can."
        raise FileRefused(path, problem, "Save it uncompressed.")
    if tiff.number(tags, tiff.DEPTH, 1) != 1:
        raise FileRefused(path, "holds a block of slices in one page.", "Save it with one slice a page.")
    bits, samples = tiff.numbers(tags, tiff.BITS) or (1,), tiff.number(tags, tiff.SAMPLES, 1)
    code = _TYPES.get((bits[0], tiff.number(tags, tiff.FORMAT, 1)))
    photometric = tiff.number(tags, tiff.PHOTOMETRIC, BLACK_IS_ZERO)
    _check_kind(path, photometric, samples, bits, code, tags)
    assert code is not None
    orientation = tiff.number(tags, tiff.ORIENTATION, 1)
    tiled = tiff.TILE_OFFSETS in tags
    tall = tiff.number(tags, tiff.TILE_HEIGHT, 0) if tiled else min(tiff.number(tags, tiff.ROWS_PER_STRIP, rows), rows)
    wide = tiff.number(tags, tiff.TILE_WIDTH, 0) if tiled else columns
    preflight.check_shape(path, (tall, wide), "TileLength and TileWidth" if tiled else "RowsPerStrip")
    extra = tiff.numbers(tags, tiff.EXTRA)
    page = TiffPage(
        (rows, columns), order + code, bits[0], samples,
        alpha=samples - len(extra) if extra and extra[0] in (1, 2) else None,
        photometric=photometric, compression=compression, predictor=predictor,
        orientation=orientation if 1 <= orientation <= 8 else 1,
        piece=(tall, wide), pieces=_pieces(path, tags, tiled),
        palette=tiff.numbers(tags, tiff.COLOUR_MAP) if photometric == PALETTE else (),
    )  # fmt: skip
    _check_complete(path, page, size)
    return page


def _check_kind(path: Path, photometric: int, samples: int, bits: tuple[int, ...], code: str | None, tags: Tags) -> None:
    colours = {WHITE_IS_ZERO: 1, BLACK_IS_ZERO: 1, RGB: 3, PALETTE: 1}.get(photometric)
    if colours is None or not colours <= samples <= colours + 1 or (samples > 1 and tiff.number(tags, tiff.PLANAR, 1) != 1):
        raise FileRefused(path, "is a colour picture of a kind that is not read.", "Export it as grey values.")
    if code is None or len(set(bits)) != 1 or (bits[0] == 1 and samples > 1):
        raise FileRefused(path, f"its values are of a kind that is not read ({bits[0]} bits).", "Export 8 or 16-bit grey values.")
    if (photometric in (WHITE_IS_ZERO, RGB) and code not in ("u1", "u2")) or (
        photometric == PALETTE and (bits[0] != 8 or len(tiff.numbers(tags, tiff.COLOUR_MAP)) != 3 * 256)
    ):
        raise FileRefused(path, "its colours or greys are stored in a rare way.", "Export 8 or 16-bit grey values.")


def _pieces(path: Path, tags: Tags, tiled: bool) -> tuple[tuple[int, int], ...]:
    offsets = tiff.numbers(tags, tiff.TILE_OFFSETS if tiled else tiff.STRIP_OFFSETS)
    lengths = tiff.numbers(tags, tiff.TILE_BYTES if tiled else tiff.STRIP_BYTES)
    if len(offsets) != len(lengths):
        raise FileRefused(path, f"is damaged: it lists {len(offsets)} pieces and {len(lengths)} lengths.", _AGAIN)
    return tuple(zip(offsets, lengths, strict=True))


def _check_complete(path: Path, page: TiffPage, size: int) -> None:
    """Whether strips or tiles lie inside the file, as many as the picture needs, and can hold what it claims."""
    (rows, columns), (tall, wide) = page.shape, page.piece
    needed = math.ceil(rows / tall) * math.ceil(columns / wide)
    if len(page.pieces) != needed:
        raise FileRefused(path, f"is damaged: {len(page.pieces)} pieces are listed, the picture has {needed}.", _AGAIN)
    if any(offset + length > size or length == 0 for offset, length in page.pieces):
        raise FileRefused(path, "is incomplete: parts of the picture lie behind the end of the file.", _AGAIN)
    claimed = rows * math.ceil(columns * page.bits * page.samples / 8)
    preflight.check_claim(path, claimed, sum(length for _, length in page.pieces), _RATIOS[page.compression])
    preflight.check_memory(path, tall * wide * page.bits * page.samples // 8)


def _told_by_imagej(path: Path, tags: Tags, pages: tuple[TiffPage, ...]) -> TiffStack:
    text = tags.get(tiff.DESCRIPTION, (b"",))[0]
    words = text.decode("utf-8", "replace") if isinstance(text, bytes) else ""
    fields = dict(re.findall(r"^(\w+)=(.*?)\s*$", words, re.MULTILINE)) if words.startswith("ImageJ=") else {}
    counts = dict(re.findall(r'\bSize([CTZ])="(\d{1,6})"', words)) if "<OME" in words else {}
    counts |= {letter: fields[name] for letter, name in (("C", "channels"), ("T", "frames"), ("Z", "slices")) if name in fields}
    several = [letter for letter in "CTZ" if counts.get(letter, "1") != "1"]
    if len(several) > 1:
        raise FileRefused(path, "holds several channels or time points.", "Save one of them alone.")
    if fields.get("images", str(len(pages))) != str(len(pages)):
        raise FileRefused(path, "does not list all of its slices as pages.", "Save it again with one page a slice.")
    slope, intercept = _number(fields, "c1"), _number(fields, "c0")
    if fields.get("cf") != "0" or not slope or intercept is None:
        slope, intercept = 1.0, 0.0
    called = {"C": "channels", "T": "time points"}.get("".join(several), "")
    return TiffStack(pages, slope, intercept, _spacing(tags, fields), called)


def _spacing(tags: Tags, fields: dict[str, str]) -> tuple[float, float, float] | None:
    unit = _MM.get(fields.get("unit", "").lower())
    columns, rows = (float(tags.get(tag, (0.0,))[0]) for tag in (tiff.X_RESOLUTION, tiff.Y_RESOLUTION))
    if unit is None or columns <= 0 or rows <= 0:
        return None
    between = (_number(fields, "spacing") or 0.0) * unit
    found = (between if 1e-4 < between < 1e4 else 0.0, unit / rows, unit / columns)
    return found if all(1e-4 < value < 1e4 for value in found[1:]) else None


def _number(fields: dict[str, str], name: str) -> float | None:
    try:
        value = float(fields[name])
    except (KeyError, ValueError):
        return None
    return value if math.isfinite(value) else None
