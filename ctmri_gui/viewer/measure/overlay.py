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
from ctmri_gui.viewer.measure.places import PanePlaces
from ctmri_gui.viewer.measure.values import Values

_RIM, _GROUND = QColor(0, 0, 0, 190), QColor(0, 0, 0, 150)
_WIDTH, _RIM_WIDTH, _GRIP = 1.6, 4.0, 4.0
_APART, _PADDING, _EDGE = 8.0, 4.0, 4.0


class MeasureOverlay:
    """Of one pane. The selected shape has handles and says more."""

    def __init__(self, model: MeasureModel, values: Values, places: PanePlaces) -> None:
        self._model, self._values, self._places = model, values, places
        self.visible = True

    def paint(self, painter: QPainter, projection: Projection) -> None:
        if not self.visible or not self._places.there:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(palette.font(12))
        chosen = self._model.selected
        for item in self._model.items:
            if item is not chosen:
                self._draw(painter, projection, item.measurement, chosen=False)
        if chosen is not None:
            self._draw(painter, projection, chosen.measurement, chosen=True)
        if self._model.draft is not None:
            self._draw(painter, projection, self._model.draft, chosen=False)

    def _draw(self, painter: QPainter, projection: Projection, measurement: Measurement, *, chosen: bool) -> None:
        shape = measurement.shape
        if not self._places.shows(shape, measurement.drawn_on):
            return
        line = QPolygonF([QPointF(x, y) for x, y in self._places.pixels(shape.outline, projection).tolist()])
        draw = painter.drawPolygon if shape.kind.is_region else painter.drawPolyline
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for colour, width in ((_RIM, _RIM_WIDTH), (palette.MEASURE, _WIDTH + 0.8 * chosen)):
            painter.setPen(QPen(colour, width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
            draw(line)
        if chosen:
            painter.setPen(QPen(_RIM, 1))
            painter.setBrush(palette.TEXT)
            for x, y in self._places.pixels(handles(shape), projection).tolist():
                painter.drawRect(QRectF(x - _GRIP, y - _GRIP, 2 * _GRIP, 2 * _GRIP))
        self._write(painter, projection, self._words(measurement, chosen=chosen), line.boundingRect())

    def _words(self, measurement: Measurement, *, chosen: bool) -> list[str]:
        shape = measurement.shape
        words = [measurement.name] if measurement.name else []
        if not shape.kind.is_region:
            return [*words, texts.size_text(shape)]
        role = self._places.role
        found, unit = self._values.of(measurement), self._places.model.volumes[role].unit
        if found is None:
            return [*words, texts.PENDING, texts.size_text(shape)]
        mine = found.get(role)
        words.append(texts.mean_text(mine, unit))
        if mine is not None and chosen:
            words += [texts.range_text(mine, unit), texts.count_text(mine)]
        return [*words, texts.size_text(shape)]

    @staticmethod
    def _write(painter: QPainter, projection: Projection, words: list[str], box: QRectF) -> None:
        """Beside the shape, on the side that has room; a dark ground keeps it legible on bone."""
        metrics = QFontMetricsF(painter.font())
        width = max(metrics.horizontalAdvance(line) for line in words) + 2 * _PADDING
        height = len(words) * metrics.height() + _PADDING
        across, down = projection.pane
        left = box.right() + _APART
        if left + width > across - _EDGE and box.left() - _APART - width >= _EDGE:
            left = box.left() - _APART - width
        left = min(max(left, _EDGE), max(across - _EDGE - width, _EDGE))
        top = min(max(box.top(), _EDGE), max(down - _EDGE - height, _EDGE))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(_GROUND)
        painter.drawRoundedRect(QRectF(left, top, width, height), 3, 3)
        painter.setPen(palette.TEXT)
        for number, text in enumerate(words):
            painter.drawText(QPointF(left + _PADDING, top + _PADDING / 2 + number * metrics.height() + metrics.ascent()), text)
