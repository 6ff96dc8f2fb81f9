"""One picture of all cases: source, target, and the target with the source's outline drawn on it; a red frame where something is
wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from ctmri_core.files import atomic_file

_EDGE = 112
_GAP = 6
_PER_ROW = 4
_MOST = 160
_RED, _YELLOW, _GREY = (225, 60, 50), (250, 210, 60), (70, 70, 74)


@dataclass(frozen=True, eq=False)
class Thumbnail:
    """Pictures of one case, each (h, w) in [-1, 1], and the body in the first one, bool (h, w)."""

    number: int
    pictures: tuple[NDArray[Any], ...]
    body: NDArray[np.bool_]
    wrong: bool = False

    def drawn(self) -> Image.Image:
        """Side by side, the outline on the last where there are several."""
        tiles = [_rgb(_fitted(picture, -1.0)) for picture in self.pictures]
        if len(tiles) > 1:
            overlay = tiles[-1].copy()
            body = _fitted(self.body.astype(np.float32), 0.0) > 0.5
            overlay[body & ~_inner(body)] = _YELLOW
            tiles.append(overlay)
        page = np.hstack(tiles)
        page = np.pad(page, ((_GAP, _GAP), (_GAP, _GAP), (0, 0)))
        frame = _RED if self.wrong else _GREY
        for edge in (page[:2], page[-2:], page[:, :2], page[:, -2:]):
            edge[:] = frame
        image = Image.fromarray(page)
        ImageDraw.Draw(image).text((_GAP + 3, _GAP + 2), str(self.number), fill=_YELLOW)
        return image


def write_sheet(path: Path, thumbnails: Sequence[Thumbnail]) -> None:
    """Wrong ones first, then the others, as many as a picture can show. Raises `WriteFailed`."""
    shown = sorted(thumbnails, key=lambda thumbnail: (not thumbnail.wrong, thumbnail.number))[:_MOST]
    drawn = [thumbnail.drawn() for thumbnail in shown]
    if not drawn:
        return
    width, height = max(image.width for image in drawn), max(image.height for image in drawn)
    rows = -(-len(drawn) // _PER_ROW)
    page = Image.new("RGB", (min(len(drawn), _PER_ROW) * width, rows * height), (24, 24, 26))
    for n, image in enumerate(drawn):
        page.paste(image, (n % _PER_ROW * width, n // _PER_ROW * height))
    with atomic_file(path, private=True) as temporary:
        page.save(temporary, format="PNG")


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
