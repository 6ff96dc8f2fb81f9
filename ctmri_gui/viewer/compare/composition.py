"""Paints two slices of one place into one pane."""

from __future__ import annotations

import math
from typing import Any

from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QImage, QPainter, QRegion

from ctmri_gui.viewer.camera import Projection
from ctmri_gui.viewer.compare.difference import DifferencePicture, Scale
from ctmri_gui.viewer.compare.modes import Compare, Mode
from ctmri_gui.viewer.grey_picture import GreyLayer

_SMALLEST_SQUARE = 6.0


class ComparedPicture:
    """A `Composition`. Both slices fill the same part of the plane, each with its own sampling and its own window, so they are
    brought together where they are painted; only a difference needs them on one lattice.

    `compare`: how. `alone`: the other slice takes the place of the pane's own for now.
    """

    def __init__(self) -> None:
        self.compare = Compare()
        self.alone = False
        self.other = GreyLayer()
        self._maker = DifferencePicture()
        self._slices: tuple[NDArray[Any], NDArray[Any]] | None = None
        self._scale, self._limit, self._colours = Scale("", ""), 1.0, ""
        self._difference: QImage | None = None
        self._board = _Board()

    def set_difference(self, synthetic: NDArray[Any] | None, truth: NDArray[Any] | None) -> None:
        """(rows, columns) in screen order on one lattice, not a number outside the volumes; None: there is none to be shown."""
        self._slices = None if synthetic is None or truth is None else (synthetic, truth)
        self._difference = None

    def set_scale(self, scale: Scale, limit: float, colours: str) -> None:
        """On which scale the difference is taken, and which one has the end colours of which map."""
        if (scale, limit, colours) != (self._scale, self._limit, self._colours):
            self._scale, self._limit, self._colours = scale, limit, colours
            self._difference = None

    @property
    def shows_difference(self) -> bool:
        return self.compare.mode is Mode.DIFFERENCE and self._slices is not None and not self.alone

    def paint(self, painter: QPainter, target: QRectF, own: GreyLayer, projection: Projection) -> None:
        if self.shows_difference:
            painter.drawImage(target, self._difference_image())
            return
        other = self.other.image
        if self.alone and other is not None:
            painter.drawImage(target, other)
            return
        if own.image is not None:
            painter.drawImage(target, own.image)
        if other is not None:
            self._paint_other(painter, target, other, projection)

    def _paint_other(self, painter: QPainter, target: QRectF, other: QImage, projection: Projection) -> None:
        mode = self.compare.mode
        if mode is Mode.FADE:
            painter.setOpacity(self.compare.amount)
        elif mode is Mode.WIPE:
            painter.setClipRect(beyond_line(self.compare, projection.pane), Qt.ClipOperation.IntersectClip)
        elif mode is Mode.CHECKER:
            board = self._board.squares(self.compare.checker_mm, target, projection)
            painter.setClipRegion(board, Qt.ClipOperation.IntersectClip)
        else:
            return
        painter.drawImage(target, other)

    def _difference_image(self) -> QImage:
        if self._difference is None:
            assert self._slices is not None
            self._difference = self._maker.render(*self._slices, self._scale, self._limit, self._colours)
        return self._difference


def line_pixel(compare: Compare, pane: tuple[int, int]) -> int:
    """Where the line of the wipe is: so many pixels from the left, or from the top where it lies."""
    return round(compare.line * (pane[0] if compare.upright else pane[1]))


def beyond_line(compare: Compare, pane: tuple[int, int]) -> QRect:
    """The part of the pane that shows the other picture: right of the line, or below it."""
    at = line_pixel(compare, pane)
    return QRect(at, 0, pane[0] - at, pane[1]) if compare.upright else QRect(0, at, pane[0], pane[1] - at)


class _Board:
    """The squares of the other picture. They lie fast on the patient, so that they move and grow with the picture."""

    def __init__(self) -> None:
        self._made_for: object = None
        self._region = QRegion()

    def squares(self, side_mm: float, target: QRectF, projection: Projection) -> QRegion:
        """In pixels of the pane; counted from the middle of the slice, which belongs to the pane's own picture."""
        key = side_mm, target.getRect(), projection.pane
        if key != self._made_for:
            self._made_for, self._region = key, _make_squares(side_mm / projection.mm_per_pixel, target, projection.pane)
        return self._region


def _make_squares(side: float, target: QRectF, pane: tuple[int, int]) -> QRegion:
    """Where stripes across and stripes down differ."""
    side = max(side, _SMALLEST_SQUARE)
    seen = target.toAlignedRect().intersected(QRect(0, 0, *pane))
    middle = target.center() - QPointF(side / 2, side / 2)
    across, down = QRegion(), QRegion()
    for top, bottom in _odd_stripes(seen.top(), seen.bottom() + 1, middle.y(), side):
        across = across.united(QRect(seen.left(), top, seen.width(), bottom - top))
    for left, right in _odd_stripes(seen.left(), seen.right() + 1, middle.x(), side):
        down = down.united(QRect(left, seen.top(), right - left, seen.height()))
    return across.xored(down)


def _odd_stripes(first: int, end: int, start: float, side: float) -> list[tuple[int, int]]:
    """From and to, in whole pixels, of every second stripe along one axis, within [first, end). The stripe that begins at `start`
    is none of them."""
    numbers = range(math.floor((first - start) / side), math.ceil((end - start) / side))
    edges = [(max(round(start + n * side), first), min(round(start + (n + 1) * side), end)) for n in numbers if n % 2]
    return [(low, high) for low, high in edges if high > low]
