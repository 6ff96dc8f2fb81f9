"""Draws the measurements that lie in the slice of a pane, with the numbers of its volume."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen, QPolygonF

from ctmri_core.measuring.export import Measurement
from ctmri_gui.viewer import palette
from ctmri_gui.viewer.camera import Projection
from ctmri_gui.viewer.measure import texts
from ctmri_gui.viewer.measure.editing import handles
from ctmri_gui.viewer.measure.measure_model import MeasureModel
from ctmri_gui.viewer.measure.places import PanePlaces, SlicePlaces
from ctmri_gui.viewer.measure.values import Values

_RIM = QColor(0, 0, 0)  # Qt takes ten times as long for one that lets the picture through
_GROUND = QColor(0, 0, 0, 170)
_WIDTH, _RIM_WIDTH, _GRIP = 1.6, 3.6, 4.0
_APART, _PADDING, _EDGE = 8.0, 4.0, 4.0


class MeasureOverlay:
    """Of one pane. The selected shape has handles and says more."""

    def __init__(self, model: MeasureModel, values: Values, places: PanePlaces) -> None:
        self._model, self._values, self._places = model, values, places
        self.visible = True

    def paint(self, painter: QPainter, projection: Projection) -> None:
        here = self._places.now() if self.visible else None
        if here is None:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(palette.font(12))
        taken: list[QRectF] = []
        shown = [one for one in self._all() if here.shows(one.shape, one.drawn_on)]
        boxes = [self._draw(painter, projection, here, measurement) for measurement in shown]
        for measurement, box in reversed(list(zip(shown, boxes, strict=True))):
            chosen = self._is_chosen(measurement)
            words = self._words(here, measurement, chosen=chosen)
            others = [other for other in boxes if other is not box]
            self._write(painter, projection, words, box, taken, others, needed=chosen or not measurement.name)

    def _all(self) -> list[Measurement]:
        """In the order in which they lie over one another: what is selected or being drawn on top."""
        chosen = self._model.selected
        below = [item.measurement for item in self._model.items if item is not chosen]
        on_top = (None if chosen is None else chosen.measurement, self._model.draft)
        return [*below, *(one for one in on_top if one is not None)]

    def _is_chosen(self, measurement: Measurement) -> bool:
        chosen = self._model.selected
        return chosen is not None and chosen.measurement is measurement

    def _draw(self, painter: QPainter, projection: Projection, here: SlicePlaces, measurement: Measurement) -> QRectF:
        """The box around what was drawn."""
        shape, chosen = measurement.shape, self._is_chosen(measurement)
        line = QPolygonF([QPointF(x, y) for x, y in here.line(shape, projection).tolist()])
        draw = painter.drawPolygon if shape.kind.is_region else painter.drawPolyline
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for colour, width in ((_RIM, _RIM_WIDTH), (palette.MEASURE, _WIDTH + 0.8 * chosen)):
            painter.setPen(QPen(colour, width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.BevelJoin))
            draw(line)
        if chosen:
            painter.setPen(QPen(_RIM, 1))
            painter.setBrush(palette.TEXT)
            for x, y in here.pixels(handles(shape), projection).tolist():
                painter.drawRect(QRectF(x - _GRIP, y - _GRIP, 2 * _GRIP, 2 * _GRIP))
        return line.boundingRect()

    def _words(self, here: SlicePlaces, measurement: Measurement, *, chosen: bool) -> list[str]:
        """Name and the main number; the selected one says all."""
        shape = measurement.shape
        words = [measurement.name] if measurement.name else []
        if not shape.kind.is_region:
            return [*words, texts.size_text(shape)]
        found, unit = self._values.of(measurement), here.model.volumes[here.role].unit
        if found is None:
            return [*words, texts.PENDING]
        mine = found.get(here.role)
        words.append(texts.mean_text(mine, unit))
        if not chosen and words[:-1]:
            return words
        if mine is not None:
            words += [texts.range_text(mine), texts.count_text(mine)]
        return [*words, texts.size_text(shape)]

    @staticmethod
    def _write(
        painter: QPainter,
        projection: Projection,
        words: list[str],
        box: QRectF,
        taken: list[QRectF],
        others: list[QRectF],
        *,
        needed: bool,
    ) -> None:
        """Beside the shape where no other text stands; what is not `needed` is left out where there is no such room. A dark
        ground keeps it legible on bone."""
        metrics = QFontMetricsF(painter.font())
        width = max(metrics.horizontalAdvance(line) for line in words) + 2 * _PADDING
        height = len(words) * metrics.height() + _PADDING
        place = _place(QRectF(0, 0, width, height), box, QRectF(0, 0, *projection.pane), taken, others, needed=needed)
        if place is None:
            return
        taken.append(place)
        painter.fillRect(place, _GROUND)
        painter.setPen(palette.TEXT)
        for number, text in enumerate(words):
            below = _PADDING / 2 + number * metrics.height() + metrics.ascent()
            painter.drawText(place.topLeft() + QPointF(_PADDING, below), text)


def _place(
    label: QRectF, box: QRectF, pane: QRectF, taken: list[QRectF], others: list[QRectF], *, needed: bool
) -> QRectF | None:
    """Right of the box, left of it, below or above it: the first that is free, and over none of the `others`, whose numbers it
    might be taken for, if there is one; else, if it is `needed`, right all the same."""
    across, down = label.width(), label.height()
    room = pane.adjusted(_EDGE, _EDGE, -_EDGE, -_EDGE)
    corners = (
        QPointF(box.right() + _APART, box.top()),
        QPointF(box.left() - _APART - across, box.top()),
        QPointF(box.left(), box.bottom() + _APART),
        QPointF(box.left(), box.top() - _APART - down),
        QPointF(box.right() + _APART, box.bottom() - down),
        QPointF(box.left() - _APART - across, box.bottom() - down),
    )
    places = [QRectF(corner, label.size()) for corner in corners]
    free = [place for place in places if room.contains(place) and not any(place.intersects(text) for text in taken)]
    alone = (place for place in free if not any(place.intersects(other) for other in others))
    found = next(alone, free[0] if free else None)
    if found is not None or not needed:
        return found
    left = min(max(places[0].left(), room.left()), max(room.right() - across, room.left()))
    top = min(max(places[0].top(), room.top()), max(room.bottom() - down, room.top()))
    return QRectF(QPointF(left, top), label.size())
