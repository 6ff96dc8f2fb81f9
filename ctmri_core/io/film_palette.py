"""256 colours for a film of grey slices with some colour on them: as many greys as are left by the colours that are used.

Common quantisers give greys steps of four levels or more, which shows as bands in soft tissue. Here greys are exact where they
have room, else evenly spaced, and the colours alone (warnings, drawings, difference maps) go through a median cut.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

import numpy as np
from numpy.typing import NDArray

Frame = NDArray[np.uint8]
"""(rows, columns, 3) red, green, blue."""

_ALL, _MOST_COLOURS = 256, 96
_KEPT = 20_000  # coloured pixels of each frame that are looked at
_BITS = 5
_CELLS = 1 << _BITS
_BAND = 48


class FramePalette:
    """`colours`: (256, 3), the same for all frames, so that what stands still does not flicker."""

    def __init__(self, greys: NDArray[np.uint8], colours: Frame) -> None:
        """`greys`: levels in rising order; `colours`: (n, 3); together at most 256."""
        self.colours = np.zeros((_ALL, 3), np.uint8)
        self.colours[: len(greys)] = greys[:, None]
        used = len(greys) + len(colours)
        self.colours[len(greys) : used] = colours
        levels = np.arange(_ALL)
        self._of_grey = np.abs(levels[:, None] - greys.astype(np.int16)).argmin(axis=1).astype(np.uint8)
        self._of_cell = _nearest_by_cell(self.colours[:used])
        coarse = colours >> (8 - _BITS)
        self._of_cell[coarse[:, 0], coarse[:, 1], coarse[:, 2]] = np.arange(len(greys), used, dtype=np.uint8)

    @classmethod
    def of(cls, samples: Iterable[Frame]) -> FramePalette:
        """Fits some of the frames of a film."""
        levels, coloured = np.zeros(_ALL, bool), []
        for frame in samples:
            grey = is_grey(frame)
            levels[frame[..., 0][grey]] = True
            found = frame[~grey]
            coloured.append(found[:: max(len(found) // _KEPT, 1)])
        colours = _few(np.concatenate(coloured)) if coloured else np.zeros((0, 3), np.uint8)
        return cls(_greys(levels, _ALL - len(colours)), colours)

    def indices(self, frame: Frame) -> NDArray[np.uint8]:
        """(rows, columns): the entry of each pixel. A few rows at a time: looking up holds other threads up."""
        return np.concatenate([self._of_band(frame[top : top + _BAND]) for top in range(0, len(frame), _BAND)])

    def _of_band(self, frame: Frame) -> NDArray[np.uint8]:
        coarse = frame >> (8 - _BITS)
        found: NDArray[np.uint8] = self._of_cell[coarse[..., 0], coarse[..., 1], coarse[..., 2]]
        np.copyto(found, self._of_grey[frame[..., 0]], where=is_grey(frame))
        return found


def is_grey(frame: Frame) -> NDArray[np.bool_]:
    """(rows, columns): whether red, green and blue are the same."""
    return cast("NDArray[np.bool_]", (frame[..., 0] == frame[..., 1]) & (frame[..., 1] == frame[..., 2]))


def _greys(seen: NDArray[np.bool_], room: int) -> NDArray[np.uint8]:
    """`room` levels: those that were `seen`, and between them others, which frames that nobody looked at may have; all evenly
    spaced where there is no room for that."""
    if seen.sum() > room:
        return np.linspace(0, _ALL - 1, room).round().astype(np.uint8)
    others = np.flatnonzero(~seen)
    more = others[np.linspace(0, len(others) - 1, min(room - int(seen.sum()), len(others))).round().astype(int)]
    return np.union1d(np.flatnonzero(seen), more).astype(np.uint8)


def _few(pixels: Frame) -> Frame:
    """Colours that stand for (n, 3) pixels: themselves where they are few, else those of a median cut."""
    different = np.unique(pixels.astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], np.uint32))  # far faster than by rows
    if len(different) <= _MOST_COLOURS:
        return np.stack([different >> 16, different >> 8 & 255, different & 255], axis=-1).astype(np.uint8)
    from PIL import Image

    cut = Image.fromarray(pixels[None]).quantize(_MOST_COLOURS, Image.Quantize.MEDIANCUT)
    return np.unique(np.array(cut.getpalette(), np.uint8).reshape(-1, 3)[:_MOST_COLOURS], axis=0)


def _nearest_by_cell(colours: Frame) -> NDArray[np.uint8]:
    """(32, 32, 32): the nearest of `colours` to the middle of each cell of the colour cube."""
    middles = (np.arange(_CELLS, dtype=np.float32) + 0.5) * (_ALL / _CELLS)
    red, green, blue = ((middles[:, None] - colours[:, channel].astype(np.float32)) ** 2 for channel in range(3))
    nearest = [(red[r] + green[:, None] + blue[None]).argmin(axis=-1) for r in range(_CELLS)]
    return np.stack(nearest).astype(np.uint8)
