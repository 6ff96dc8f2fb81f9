"""Draws the measurements that lie in the slice of a pane, with the numbers of its volume."""

from __future__ import annotations

from collections.abc import Callable, Sequence

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
_LARGEST_SHARE = 0.15  # of a pane, for all that is written beside shapes; the selected one may take as much again


class MeasureOverlay:
    """Of one pane. The selected shape has handles and says more. In a small pane less is written, and nothing over the words at
    its edges (`texts_at`: where they stand on a pane so wide and high): the list has all numbers."""

    def __init__(
        self, model: MeasureModel, values: Values, places: PanePlaces, texts_at: Callable[[int, int], list[QRectF]]
    ) -> None:  # fmt: skip
        self._model, self._values, self._places, self._texts_at = model, values, places, texts_at
        self.visible = True

    def paint(self, painter: QPainter, projection: Projection) -> None:
        here = self._places.now() if self.visible else None
        if here is None:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(palette.font(12))
        shown = [one for one in self._all() if here.shows(one.shape, one.drawn_on)]
        boxes = [self._draw(painter, projection, here, measurement) for measurement in shown]
        room = _Room(QRectF(0, 0, *projection.pane), self._texts_at(*projection.pane) if shown else [])
        for measurement, box in reversed(list(zip(shown, boxes, strict=True))):
            chosen = self._is_chosen(measurement)
            words, named = self._words(here, measurement, chosen=chosen), int(bool(measurement.name))
            forms = (words, words[: named + 1], words[named : named + 1])
            others = [other for other in boxes if other is not box]
            self._write(painter, forms, box, room, others, needed=chosen or not named)

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
        painter: QPainter, forms: Sequence[list[str]], box: QRectF, room: _Room, others: list[QRectF], *, needed: bool
    ) -> None:  # fmt: skip
        """Beside the shape where no other text stands, the first of the `forms` that has room; what is not `needed` is left out
        where there is no such room. A dark ground keeps it legible on bone."""
        metrics = QFontMetricsF(painter.font())
        for number, form in enumerate(forms, 1):
            width = max(metrics.horizontalAdvance(line) for line in form) + 2 * _PADDING
            label = QRectF(0, 0, width, len(form) * metrics.height() + _PADDING)
            place = room.take(label, box, others, needed=needed, at_last=needed and number == len(forms))
            if place is not None:
                break
        else:
            return
        painter.fillRect(place, _GROUND)
        painter.setPen(palette.TEXT)
        for number, text in enumerate(form):
            below = _PADDING / 2 + number * metrics.height() + metrics.ascent()
            painter.drawText(place.topLeft() + QPointF(_PADDING, below), text)


class _Room:
    """What is left of a pane for words beside shapes. `taken`: where other words stand."""

    def __init__(self, pane: QRectF, taken: list[QRectF]) -> None:
        self._pane, self._taken, self._share = pane, taken, 0.0

    def take(self, label: QRectF, box: QRectF, others: list[QRectF], *, needed: bool, at_last: bool) -> QRectF | None:
        """A place for `label` beside `box`, if there is one that leaves enough of the picture; `at_last`: in any case."""
        pane = self._pane
        share = label.width() * label.height() / max(pane.width() * pane.height(), 1.0)
        if self._share + share > _LARGEST_SHARE * (1 + needed) and not at_last:
            return None
        place = _place(label, box, pane, self._taken, others, needed=at_last)
        if place is not None:
            self._share += share
            self._taken.append(place)
        return place


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
