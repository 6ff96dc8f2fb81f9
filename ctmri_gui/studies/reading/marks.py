"""Places that a reader marks in pictures, and how they are drawn."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from ctmri_core.studies.trials import Mark
from ctmri_gui.viewer import palette
from ctmri_gui.viewer.camera import Projection

Spacing = tuple[float, float, float]
Point = tuple[float, float]
Asked = Callable[[], tuple[Sequence[Mark], int, Spacing]]
_RADIUS = 11.0
_REACH = 2.5
"""Slices beside its own in which a mark is still drawn, dashed."""


def mark_at(place: int, k: int, point: Point, spacing: Spacing, label: str = "") -> Mark:
    """`point`: (u, v) mm right of and below the corner of the picture, voxel edges included."""
    u, v = point
    return Mark(place=place, mm=(k * spacing[0], v - spacing[1] / 2, u - spacing[2] / 2), label=label)


def point_of(mark: Mark, spacing: Spacing) -> Point:
    """The inverse of `mark_at`: (u, v) mm."""
    return mark.mm[2] + spacing[2] / 2, mark.mm[1] + spacing[1] / 2


def nearest(marks: Sequence[Mark], wanted: Mark, within_mm: float) -> Mark | None:
    """The mark of the same picture and slice that lies nearest to another one; None where none is so near."""
    beside = [one for one in marks if one.place == wanted.place and math.isclose(one.mm[0], wanted.mm[0], abs_tol=1e-6)]
    near = min(beside, key=lambda one: math.dist(one.mm, wanted.mm), default=None)
    return near if near is not None and math.dist(near.mm, wanted.mm) <= within_mm else None


class MarkOverlay:
    """The marks of one picture. `asked`: all marks, the slice shown and the spacing, at the moment of painting."""

    def __init__(self, place: int, asked: Asked) -> None:
        self._place, self._asked = place, asked

    def paint(self, painter: QPainter, projection: Projection) -> None:
        marks, k, spacing = self._asked()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(palette.font(12, bold=True))
        for number, mark in enumerate(marks, 1):
            slices_away = abs(mark.mm[0] / spacing[0] - k)
            if mark.place == self._place and slices_away <= _REACH:
                at = QPointF(*projection.to_pixel(*point_of(mark, spacing)))
                self._draw(painter, at, str(number), beside=slices_away > 0.5)

    @staticmethod
    def _draw(painter: QPainter, at: QPointF, words: str, *, beside: bool) -> None:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for colour, width in ((QColor(0, 0, 0, 190), 4.0), (palette.MEASURE, 1.8)):
            painter.setPen(QPen(colour, width, Qt.PenStyle.DotLine if beside else Qt.PenStyle.SolidLine))
            painter.drawEllipse(at, _RADIUS, _RADIUS)
        painter.setPen(palette.MEASURE)
        painter.drawText(QRectF(at.x() + _RADIUS + 2, at.y() - 24, 40, 18), Qt.AlignmentFlag.AlignLeft, words)


@dataclass(frozen=True)
class Line:
    """A distance in one slice of the picture at `place`; ends in (u, v) mm."""

    place: int
    k: int
    begin: Point
    end: Point

    @property
    def words(self) -> str:
        return f"{math.dist(self.begin, self.end):.1f} mm"


class RulerOverlay:
    """The distances in one picture, on their own slice alone."""

    def __init__(self, place: int, asked: Asked, lines: Callable[[], Sequence[Line]]) -> None:
        self._place, self._asked, self._lines = place, asked, lines

    def paint(self, painter: QPainter, projection: Projection) -> None:
        _, k, _ = self._asked()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(palette.font(12, bold=True))
        for line in self._lines():
            if (line.place, line.k) == (self._place, k):
                ends = QLineF(QPointF(*projection.to_pixel(*line.begin)), QPointF(*projection.to_pixel(*line.end)))
                for colour, width in ((QColor(0, 0, 0, 190), 4.0), (palette.CROSSHAIR, 1.8)):
                    painter.setPen(QPen(colour, width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
                    painter.drawLine(ends)
                painter.drawText(ends.p2() + QPointF(8, -6), line.words)


class MarkGrabber:
    """A click with the marking tool. `clicked` gets the place in pixels of the pane."""

    def __init__(self, wanted: Callable[[], bool], clicked: Callable[[QPointF], None]) -> None:
        self._wanted, self._clicked = wanted, clicked

    def takes(self, _at: QPointF) -> bool:
        return self._wanted()

    def pull(self, at: QPointF) -> None:
        """A mark is set where the button is let go."""

    def let_go(self, at: QPointF, *, travelled: bool) -> None:
        if not travelled:
            self._clicked(at)
