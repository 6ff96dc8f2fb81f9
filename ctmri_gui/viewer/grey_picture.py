"""Voxels to screen greys: one slice at a time, at the moment it is shown."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QImage

_SPREAD, _OPAQUE = np.uint32(0x010101), np.uint32(0xFF000000)


class GreyPicture:
    """Slices of one shape after another through a window, with buffers kept between them.

    The result is RGB32 because Qt's raster painter scales that four times as fast as 8-bit greys.
    """

    def __init__(self) -> None:
        self._resize((0, 0))

    def render(self, voxels: NDArray[Any], black: float, white: float) -> QImage:
        """(rows, columns), any strides, int16 or float32; `black` > `white` inverts. What is not a number is black.

        The picture shares this object's buffer: the next call changes it.
        """
        if voxels.shape != self._grey.shape:
            self._resize(voxels.shape)
        scale = 255.0 / (white - black) if white != black else 255.0
        with np.errstate(invalid="ignore", over="ignore"):
            np.multiply(voxels, np.float32(scale), out=self._scaled)
            np.add(self._scaled, np.float32(0.5 - black * scale), out=self._scaled)
            np.clip(self._scaled, 0, 255, out=self._scaled)
            np.copyto(self._grey, self._scaled, casting="unsafe")
        np.multiply(self._grey, _SPREAD, out=self._rgb, dtype=np.uint32)
        np.bitwise_or(self._rgb, _OPAQUE, out=self._rgb)
        rows, columns = self._rgb.shape
        return QImage(self._rgb.data, columns, rows, 4 * columns, QImage.Format.Format_RGB32)

    def _resize(self, shape: tuple[int, ...]) -> None:
        self._scaled, self._grey = np.empty(shape, np.float32), np.empty(shape, np.uint8)
        self._rgb = np.empty(shape, np.uint32)


class GreyLayer:
    """One picture and its window, rendered when it is first painted."""

    def __init__(self) -> None:
        self._grey = GreyPicture()
        self._voxels: NDArray[Any] | None = None
        self._levels = (0.0, 1.0)
        self._image: QImage | None = None

    def set_voxels(self, voxels: NDArray[Any] | None) -> None:
        """(rows, columns) in screen order, int16 or float32; None for no picture."""
        self._voxels, self._image = voxels, None

    def set_levels(self, black: float, white: float) -> bool:
        """Whether that is a change."""
        if (black, white) == self._levels:
            return False
        self._levels, self._image = (black, white), None
        return True

    @property
    def present(self) -> bool:
        """Whether there is a picture."""
        return self._voxels is not None

    @property
    def image(self) -> QImage | None:
        """Shares the layer's buffer: valid until the voxels or the window change."""
        if self._image is None and self._voxels is not None:
            self._image = self._grey.render(self._voxels, *self._levels)
        return self._image
