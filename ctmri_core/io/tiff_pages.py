"""What the pages of a TIFF are as pictures: size, type of values, scale, and whether all of their bytes are there.

ImageJ writes voxel size and the calibration of its values into the description; both are used where they leave no choice.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from pathlib import Path

from ctmri_core.errors import FileRefused
from ctmri_core.io import preflight
from ctmri_core.io import tiff_header as tiff
from ctmri_core.io.tiff_header import Tags

_MOST_PAGES = 5000
_NONE, _LZW, _DEFLATE, _OLD_DEFLATE, _PACKBITS = 1, 5, 8, 32946, 32773
_RATIOS = {_NONE: 1, _LZW: 4096, _DEFLATE: preflight.DEFLATE_LIMIT, _OLD_DEFLATE: preflight.DEFLATE_LIMIT, _PACKBITS: 64}
"""Most bytes that one stored byte can stand for: LZW has 12-bit codes for strings of at most 3839 bytes."""
_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE = 0, 1, 2, 3
_TYPES = {(1, 1): "u1", (8, 1): "u1", (8, 2): "i1", (16, 1): "u2", (16, 2): "i2", (32, 1): "u4", (32, 2): "i4", (32, 3): "f4"}
_MM = {"mm": 1.0, "millimeter": 1.0, "cm": 10.0, "um": 1e-3, "micron": 1e-3, "\\u00b5m": 1e-3, "µm": 1e-3}
_AGAIN = "Copy or export it again."


@dataclass(frozen=True)
class TiffPages:
    """`shape`: (pages, rows, columns) as stored; `code`: numpy's of the values; `inverted`: 0 is white, so values are turned
    round. value = `slope` * stored + `intercept`. `spacing`: mm along (k, j, i) where the file tells it, k 0 where it does not.
    """

    shape: tuple[int, int, int]
    code: str
    inverted: bool = False
    orientation: int = 1
    slope: float = 1.0
    intercept: float = 0.0
    spacing: tuple[float, float, float] | None = None


def read_tiff(path: Path) -> TiffPages:
    """The checked header. Raises `FileRefused`."""
    size = preflight.regular_file(path)
    with path.open("rb") as handle:
        pages = [tags for tags in tiff.directories(path, handle, size, _MOST_PAGES) if not tiff.number(tags, tiff.REDUCED, 0) & 5]
    if not pages:
        raise FileRefused(path, "holds no picture, only small copies or masks.", _AGAIN)
    kinds = [_kind(path, tags) for tags in pages]
    if any(kind != kinds[0] for kind in kinds):
        raise FileRefused(path, "holds pages of different sizes or kinds.", "Save pages of one size into a file of their own.")
    for tags in pages:
        _check_complete(path, tags, size)
    return _told_by_imagej(path, pages[0], replace(kinds[0], shape=(len(pages), *kinds[0].shape[1:])))


def _kind(path: Path, tags: Tags) -> TiffPages:
    columns, rows = tiff.number(tags, tiff.WIDTH, 0), tiff.number(tags, tiff.HEIGHT, 0)
    preflight.check_shape(path, (columns, rows), "ImageWidth or ImageLength")
    compression = tiff.number(tags, tiff.COMPRESSION, _NONE)
    if compression not in _RATIOS:
        problem = f"is packed in a way (Compression = {compression}) that cannot be read; LZW, deflate and PackBits can."
        raise FileRefused(path, problem, "Save it uncompressed.")
    if tiff.number(tags, tiff.DEPTH, 1) != 1:
        raise FileRefused(path, "holds a block of slices in one page.", "Save it with one slice a page.")
    bits = tiff.numbers(tags, tiff.BITS) or (1,)
    code = _TYPES.get((bits[0], tiff.number(tags, tiff.FORMAT, 1)))
    photometric, samples = tiff.number(tags, tiff.PHOTOMETRIC, _BLACK_IS_ZERO), tiff.number(tags, tiff.SAMPLES, 1)
    if photometric in (_RGB, _PALETTE) or samples > 1:
        plain = photometric in (_BLACK_IS_ZERO, _RGB, _PALETTE) and samples in (1, 2, 3, 4) and set(bits) == {8}
        if not plain or (samples > 1 and tiff.number(tags, tiff.PLANAR, 1) != 1):
            raise FileRefused(path, "is a colour picture of a kind that is not read.", "Export it as grey values.")
        code = "u1"
    elif code is None or photometric not in (_WHITE_IS_ZERO, _BLACK_IS_ZERO):
        raise FileRefused(path, f"its values are of a kind that is not read ({bits[0]} bits).", "Export 8 or 16-bit grey values.")
    if photometric == _WHITE_IS_ZERO and code not in ("u1", "u2"):
        raise FileRefused(path, "counts from white to black in signed or long numbers.", "Export 8 or 16-bit grey values.")
    orientation = tiff.number(tags, tiff.ORIENTATION, 1)
    # The decoder turns 8-bit values round and the picture upright by itself.
    upright = (columns, rows) if orientation in (5, 6, 7, 8) else (rows, columns)
    return TiffPages((1, *upright), code, photometric == _WHITE_IS_ZERO and code == "u2", orientation)


def _check_complete(path: Path, tags: Tags, size: int) -> None:
    """Whether strips or tiles lie inside the file, as many as the picture needs, and can hold what it claims."""
    rows, columns = tiff.number(tags, tiff.HEIGHT, 0), tiff.number(tags, tiff.WIDTH, 0)
    if tiff.TILE_OFFSETS in tags:
        tall, wide = tiff.number(tags, tiff.TILE_HEIGHT, 0), tiff.number(tags, tiff.TILE_WIDTH, 0)
        offsets, lengths = tiff.numbers(tags, tiff.TILE_OFFSETS), tiff.numbers(tags, tiff.TILE_BYTES)
        preflight.check_shape(path, (tall, wide), "TileLength or TileWidth")
        needed = math.ceil(rows / tall) * math.ceil(columns / wide)
    else:
        tall = min(tiff.number(tags, tiff.ROWS_PER_STRIP, rows), rows)
        offsets, lengths = tiff.numbers(tags, tiff.STRIP_OFFSETS), tiff.numbers(tags, tiff.STRIP_BYTES)
        preflight.check_shape(path, (tall,), "RowsPerStrip")
        needed = math.ceil(rows / tall)
    if len(offsets) != needed or len(lengths) != needed:
        raise FileRefused(path, f"is damaged: {len(offsets)} pieces are listed, the picture has {needed}.", _AGAIN)
    if any(offset + length > size or length == 0 for offset, length in zip(offsets, lengths, strict=True)):
        raise FileRefused(path, "is incomplete: parts of the picture lie behind the end of the file.", _AGAIN)
    bits = tiff.numbers(tags, tiff.BITS) or (1,)
    samples = tiff.number(tags, tiff.SAMPLES, 1)
    claimed = rows * math.ceil(columns * bits[0] * samples / 8)
    preflight.check_claim(path, claimed, sum(lengths), _RATIOS[tiff.number(tags, tiff.COMPRESSION, _NONE)])


def _told_by_imagej(path: Path, tags: Tags, pages: TiffPages) -> TiffPages:
    text = tags.get(tiff.DESCRIPTION, (b"",))[0]
    words = text.decode("utf-8", "replace") if isinstance(text, bytes) else ""
    several = re.search(r'\bSize[CT]="([2-9]|\d\d+)"', words) if "<OME" in words else None
    fields = dict(re.findall(r"^(\w+)=(.*?)\s*$", words, re.MULTILINE)) if words.startswith("ImageJ=") else {}
    if several or any(fields.get(name, "1") != "1" for name in ("channels", "frames")):
        raise FileRefused(path, "holds several channels or time points.", "Save one of them alone.")
    if fields.get("images", str(pages.shape[0])) != str(pages.shape[0]):
        raise FileRefused(path, "does not list all of its slices as pages.", "Save it again with one page a slice.")
    scale = (_number(fields, "c1"), _number(fields, "c0"))
    if fields.get("cf") == "0" and None not in scale and scale[0] != 0:
        pages = replace(pages, slope=scale[0] or 1.0, intercept=scale[1] or 0.0)
    return replace(pages, spacing=_spacing(tags, fields))


def _spacing(tags: Tags, fields: dict[str, str]) -> tuple[float, float, float] | None:
    unit = _MM.get(fields.get("unit", "").lower())
    columns, rows = (float(tags.get(tag, (0.0,))[0]) for tag in (tiff.X_RESOLUTION, tiff.Y_RESOLUTION))
    if unit is None or columns <= 0 or rows <= 0:
        return None
    between = _number(fields, "spacing") or 0.0
    found = (between * unit, unit / rows, unit / columns)
    plausible = all(1e-4 < value < 1e4 for value in found[1:]) and (between == 0 or 1e-4 < found[0] < 1e4)
    return found if plausible else None


def _number(fields: dict[str, str], name: str) -> float | None:
    try:
        value = float(fields[name])
    except (KeyError, ValueError):
        return None
    return value if math.isfinite(value) else None
