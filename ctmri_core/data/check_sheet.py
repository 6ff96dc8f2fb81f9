"""One picture of all cases: what each domain shows, and the last one with the first one's outline drawn on it; above them the
case's number and, in red or amber, what is wrong with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from ctmri_core.files import atomic_file

_EDGE = 128
_GAP = 6
_STRIP = 20
_FONT = 13
_PER_ROW = 4
_MOST = 160
_RED, _AMBER, _YELLOW, _GREY, _WHITE = (235, 75, 65), (245, 165, 50), (250, 210, 60), (70, 70, 74), (225, 225, 228)
_PAGE = (24, 24, 26)


@dataclass(frozen=True, eq=False)
class Thumbnail:
    """Pictures of one case, each (h, w) in [-1, 1], and the body in the first one, or what was `drawn_in` it, bool (h, w).

    `labels`: of the pictures; `wrong`: what is wrong in a few words, "" for nothing; `serious`: whether that must not be learnt.
    """

    number: int
    pictures: tuple[NDArray[Any], ...]
    body: NDArray[np.bool_]
    labels: tuple[str, ...] = ()
    wrong: str = ""
    serious: bool = False
    drawn_in: bool = False

    def drawn(self) -> Image.Image:
        """Side by side under a strip of words, the outline on the last where there are several or it was drawn."""
        tiles = [_rgb(_fitted(picture, -1.0)) for picture in self.pictures]
        labels = list(self.labels)
        if len(tiles) > 1 or self.drawn_in:
            overlay = tiles[-1].copy()
            body = _fitted(self.body.astype(np.float32), 0.0) > 0.5
            overlay[body & ~_inner(body)] = _YELLOW
            tiles.append(overlay)
            labels.append("what was drawn" if self.drawn_in else "outline of the first")
        page = np.pad(np.hstack(tiles), ((_STRIP, 3), (3, 3), (0, 0)))
        page[:_STRIP] = _PAGE
        colour = (_RED if self.serious else _AMBER) if self.wrong else _GREY
        for edge in (page[_STRIP : _STRIP + 2], page[-2:], page[_STRIP:, :2], page[_STRIP:, -2:]):
            edge[:] = colour
        image = Image.fromarray(page)
        _written(image, (3, 2), f"{self.number}  {self.wrong}", colour if self.wrong else _WHITE, image.width - 6)
        for n, label in enumerate(labels[: len(tiles)]):
            _written(image, (6 + n * _EDGE, image.height - _FONT - 8), label, _WHITE, _EDGE - 6)
        return image


def write_sheet(path: Path, thumbnails: Sequence[Thumbnail]) -> None:
    """Wrong ones first, the serious before all, then the others, as many as a picture can show; the last line says how many it
    could not. Raises `WriteFailed`."""
    ordered = sorted(thumbnails, key=lambda thumbnail: (not thumbnail.serious, not thumbnail.wrong, thumbnail.number))
    drawn = [thumbnail.drawn() for thumbnail in ordered[:_MOST]]
    if not drawn:
        return
    width, height = (max(sizes) + _GAP for sizes in zip(*(image.size for image in drawn), strict=True))
    rows = -(-len(drawn) // _PER_ROW)
    left = len(ordered) - len(drawn)
    page = Image.new("RGB", (min(len(drawn), _PER_ROW) * width + _GAP, rows * height + _GAP + _STRIP * (left > 0)), _PAGE)
    for n, image in enumerate(drawn):
        page.paste(image, (_GAP + n % _PER_ROW * width, _GAP + n // _PER_ROW * height))
    if left:
        _written(page, (_GAP, page.height - _STRIP), f"{left} more are not shown; check.json names all.", _WHITE, page.width)
    with atomic_file(path, private=True) as temporary:
        page.save(temporary, format="PNG")


def _written(image: Image.Image, place: tuple[int, int], text: str, colour: tuple[int, int, int], width: int) -> None:
    """`text` in `colour` on a dark rim that keeps it readable on bright tissue, cut where it would be wider than `width`."""
    font = ImageFont.load_default(_FONT)
    while text and font.getlength(text) > width:
        text = text[:-1] if not text.endswith("...") else text[:-4]
        text = text.rstrip() + "..."
    ImageDraw.Draw(image).text(place, text, fill=colour, font=font, stroke_width=1, stroke_fill=_PAGE)


def _fitted(picture: NDArray[Any], outside: float) -> NDArray[np.float32]:
    """In a square of `_EDGE` pixels, the aspect kept."""
    rows, columns = picture.shape
    scale = _EDGE / max(rows, columns)
    size = (max(1, round(columns * scale)), max(1, round(rows * scale)))
    small = np.asarray(Image.fromarray(picture.astype(np.float32)).resize(size, Image.Resampling.BILINEAR))
    result = np.full((_EDGE, _EDGE), outside, np.float32)
    top, left = (_EDGE - small.shape[0]) // 2, (_EDGE - small.shape[1]) // 2
    result[top : top + small.shape[0], left : left + small.shape[1]] = small
    return result


def _rgb(picture: NDArray[np.float32]) -> NDArray[np.uint8]:
    grey = ((np.clip(picture, -1, 1) + 1) * 127.5).round().astype(np.uint8)
    return np.repeat(grey[:, :, None], 3, 2)


def _inner(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """`mask` without the pixels at its border."""
    wide = np.pad(mask, 1)
    return wide[1:-1, 1:-1] & wide[:-2, 1:-1] & wide[2:, 1:-1] & wide[1:-1, :-2] & wide[1:-1, 2:]
