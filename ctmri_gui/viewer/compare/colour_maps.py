"""Colours of signed differences: from blue to red or orange, which no common colour blindness takes for one another."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

NONE = 0
"""The index of what has no difference: transparent. 1 to 255 lead from the most negative over 128, exactly nothing, to the most
positive one."""
ZERO, STEPS = 128, 127
HEAT = "heat"
"""Of what is never negative: its indices lead from 1, nothing, to 255."""
_POINTS = {
    # The ends are bright enough to stand out from the black around the picture, and equally bright.
    "white": ((36, 104, 226), (128, 176, 255), (236, 236, 234), (255, 160, 112), (214, 48, 10)),
    # For dark rooms: nothing is a grey that is darker than any difference and still not the black of no picture.
    "dark": ((170, 210, 255), (48, 120, 255), (40, 42, 48), (226, 84, 30), (255, 206, 130)),
    # From nothing to much, ever brighter, so that eyes that see no colours read it too; blue to yellow passes no green.
    HEAT: ((28, 16, 92), (112, 34, 138), (206, 64, 108), (246, 140, 52), (255, 232, 140)),
}
MAPS = {"white": "Blue – white – red", "dark": "Blue – dark – orange"}
"""Their names in words."""


@cache
def rgb_table(name: str) -> NDArray[np.uint8]:
    """(256, 3): the colours of a map by index; that of `NONE` is black."""
    points = np.array(_POINTS[name], np.float64)
    places = np.linspace(1, 255, len(points))
    steps = np.arange(256)
    table = np.stack([np.interp(steps, places, points[:, channel]) for channel in range(3)], axis=1)
    table[NONE] = 0
    return np.rint(table).astype(np.uint8)


@cache
def argb_table(name: str) -> NDArray[np.uint32]:
    """(256,): the same as 0xAARRGGBB, premultiplied; `NONE` is transparent."""
    red, green, blue = rgb_table(name).astype(np.uint32).T
    table: NDArray[np.uint32] = np.uint32(0xFF000000) | red << np.uint32(16) | green << np.uint32(8) | blue
    table[NONE] = 0
    return table
