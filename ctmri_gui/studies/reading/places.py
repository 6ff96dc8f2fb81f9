"""Clicks on the pictures of a trial: places that are marked and go with the answer, distances that do not."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QObject, Signal

from ctmri_core.studies.trials import Mark
from ctmri_gui.studies.reading.marks import Line, MarkOverlay, Point, RulerOverlay, mark_at, nearest
from ctmri_gui.studies.reading.picture_area import PictureArea

RULER = "#"
"""The purpose of clicks that measure: no label of a mark looks like it."""
_HIT_PIXELS = 14.0


class Places(QObject):
    """`changed()` when a mark or a distance came or went."""

    changed = Signal()

    def __init__(self, area: PictureArea) -> None:
        super().__init__(area)
        self._area = area
        self.marks: list[Mark] = []
        self.lines: list[Line] = []
        self.purpose: str | None = None
        """The label that marks get now, `RULER`, or None while clicks set nothing."""
        self._begun: tuple[int, int, Point] | None = None
        self._cursor: Point | None = None
        area.clicked.connect(self._click)
        area.renewed.connect(self._begin)
        area.activated.connect(self._show_cursor)

    def set_purpose(self, purpose: str | None) -> None:
        """What clicks do from now on."""
        self.purpose, self._cursor, self._begun = purpose, None, None
        self._area.set_clicks(purpose is not None)
        self._show_cursor()

    def put(self, marks: Sequence[Mark]) -> None:
        """Those of an answer that is changed."""
        self.marks = list(marks)
        self._tell()

    def move_cursor(self, right: int, down: int) -> None:
        """The keyboard's cross: by two voxels, at first from the middle of the pane."""
        shown = self._area.shown(self._area.active)
        if shown is None:
            return
        if self._cursor is None:
            u, v = shown.middle
        else:
            u, v = self._cursor[0] + 2 * right * shown.spacing[2], self._cursor[1] + 2 * down * shown.spacing[1]
        self._cursor = min(max(u, 0.0), shown.size_mm[0]), min(max(v, 0.0), shown.size_mm[1])
        self._show_cursor()
        self._area.acted.emit()

    def press_cursor(self) -> None:
        """As a click at the keyboard's cross."""
        if self._cursor is None:
            self.move_cursor(0, 0)
        else:
            self._click(self._area.active, self._cursor)

    def undo(self) -> None:
        """Takes away what was set last with the present tool."""
        kept: list[Mark] | list[Line] = self.lines if self.purpose == RULER else self.marks
        if kept:
            kept.pop()
            self._tell()

    def _begin(self) -> None:
        """Other pictures: nothing is marked in them."""
        self.marks, self.lines = [], []
        self.set_purpose(None)
        for number, pane in enumerate(self._area.panes):
            asked = partial(self._in_pane, number)
            pane.canvas.overlays[:] = [MarkOverlay(number, asked), RulerOverlay(number, asked, lambda: self.lines)]

    def _in_pane(self, number: int) -> tuple[Sequence[Mark], int, tuple[float, float, float]]:
        shown = self._area.shown(number)
        return (self.marks, shown.k, shown.spacing) if shown is not None else ((), 0, (1.0, 1.0, 1.0))

    def _click(self, number: int, point: Point) -> None:
        shown = self._area.shown(number)
        if shown is None or self.purpose is None:
            return
        inside = 0 <= point[0] <= shown.size_mm[0] and 0 <= point[1] <= shown.size_mm[1]
        if self.purpose == RULER:
            self._measure(number, shown.k, point)
        else:
            wanted = mark_at(number, shown.k, point, shown.spacing, self.purpose)
            there = nearest(self.marks, wanted, _HIT_PIXELS * shown.mm_per_pixel)
            if there is not None:
                self.marks.remove(there)
            elif inside:
                self.marks.append(wanted)
        self._tell()

    def _measure(self, number: int, k: int, point: Point) -> None:
        """Two clicks on one slice."""
        if self._begun is not None and self._begun[:2] == (number, k):
            self.lines[-1:] = [Line(number, k, self._begun[2], point)]
            self._begun = None
        else:
            self._begun = number, k, point
            self.lines.append(Line(number, k, point, point))

    def _tell(self) -> None:
        for pane in self._area.panes:
            pane.canvas.update()
        self.changed.emit()
        self._area.acted.emit()

    def _show_cursor(self) -> None:
        self._area.show_cross(self._cursor if self.purpose is not None else None)
