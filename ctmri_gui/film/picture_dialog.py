"""Asks what is to be saved of the panes: a picture, a grid of slices or a film; how large, and what stands on it."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QImage, QPixmap, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QComboBox, QDialog, QDialogButtonBox, QFormLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from ctmri_core.io.film import MOST_PIXELS, sheet_size
from ctmri_gui.film.dialog_parts import LookPart, PlayPart, SlicesPart
from ctmri_gui.film.order import Kind, Order
from ctmri_gui.film.states import wipes
from ctmri_gui.film.studio import Studio, rows_of
from ctmri_gui.panels.small_parts import fit_height, label, naming, resize_dialog, scrolling
from ctmri_gui.viewer.linked_views import LinkedViews
from ctmri_gui.viewer.palette import scaled

_PREVIEW = (360, 300)
_PAUSE_MS = 120
_MOST = {Kind.GRID: 30, Kind.SCROLL: 400}
_SIDES = {Kind.GRID: 260, Kind.SCROLL: 400, Kind.WIPE: 480}
_LEAST_WIDTH = 840  # px beside text of 13 px; a narrower dialog has no room for the preview
_ALL = "All panes, as they stand on the screen"


class PictureDialog(QDialog):
    """`order`: what was asked for. `copyAsked`: the picture is wanted in the clipboard."""

    copyAsked = Signal()

    def __init__(self, views: LinkedViews, start: Order, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Save picture or film")
        self._views = views
        self._later = QTimer(self, singleShot=True, interval=_PAUSE_MS)
        self._later.timeout.connect(self._show_preview)
        self._make_parts(start)
        self._lay_out()
        self._connect()
        resize_dialog(self, 860, 0)
        self._follow_kind()

    @property
    def order(self) -> Order:
        kind = self.kind
        return Order(
            kind,
            self._panes,
            self._leading,
            self.look.look,
            self.slices.slices if kind.takes_slices else range(1),
            self.slices.columns.value(),
            self.play.rate.value(),
            self.play.turns.isChecked(),
            self.play.suffix,
        )

    @property
    def kind(self) -> Kind:
        return Kind(self.what.currentData())

    def tell_mp4(self, problem: str) -> None:
        """Why MP4 cannot be written here; empty where it can."""
        self.play.tell_problem(problem)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._follow()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.preview.setVisible(self.width() >= scaled(_LEAST_WIDTH))

    # Building ---------------------------------------------------------------------------------------------------------

    def _make_parts(self, start: Order) -> None:
        self.what, self.which = QComboBox(), QComboBox()
        self._wiping = [name for name in start.panes if wipes(self._views.compare.model, name)]
        for kind in Kind:
            if kind is not Kind.WIPE or self._wiping:
                self.what.addItem(kind.label, kind.value)
        self.what.setCurrentIndex(max(self.what.findData(start.kind.value), 0))
        self._choices = [start.panes] if len(start.panes) > 1 else []
        self._choices += [(name,) for name in start.panes]
        for choice in self._choices:
            self.which.addItem(_ALL if len(choice) > 1 else self._views.panes[choice[0]].header.words)
        self._first = start.leading
        self.slices = SlicesPart(start.columns)
        self.play = PlayPart(start.rate, start.film_suffix, there_and_back=start.there_and_back)
        self.look = LookPart(start.look)
        self.what.setFocus()
        self.preview, self.problem = QLabel(), label("", "error")
        self.preview.setFixedSize(*_PREVIEW)
        self.preview.hide()  # until it is known that there is room
        self.preview.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.preview.setAccessibleName("How the picture will look")
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.save = self.buttons.addButton("&Save…", QDialogButtonBox.ButtonRole.AcceptRole)
        self.save.setProperty("primary", True)
        self.copy = self.buttons.addButton("&Copy", QDialogButtonBox.ButtonRole.ActionRole)
        self.copy.setToolTip("Put the picture into the clipboard")

    def _lay_out(self) -> None:
        inside = QWidget()
        self._form = QFormLayout(inside)
        self._form.setContentsMargins(0, 0, 0, 0)
        self._form.setHorizontalSpacing(16)
        self._form.setVerticalSpacing(8)
        self._form.addRow("&What", self.what)
        self._form.addRow("&Panes", self.which)
        self._form.addRow(naming("S&lices", self.slices.first), self.slices)
        self._form.addRow(naming("&Format", self.play.format), self.play)
        self._form.addRow(naming("Pane si&ze (px)", self.look.width_px), self.look)
        self._area = scrolling(inside, "What is saved, and how it looks")
        row = QHBoxLayout()
        row.setSpacing(18)
        row.addWidget(self._area, 1)
        row.addWidget(self.preview, 0, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout(self)
        column.setContentsMargins(18, 16, 18, 14)
        column.setSpacing(12)
        column.addLayout(row, 1)
        column.addWidget(self.problem)
        column.addWidget(self.buttons)

    def _connect(self) -> None:
        self.what.currentIndexChanged.connect(self._follow_kind)
        self.which.currentIndexChanged.connect(self._offer_slices)
        for part in (self.slices, self.play, self.look):
            part.changed.connect(self._follow)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self.copy.clicked.connect(self.copyAsked)

    # Following what is chosen -----------------------------------------------------------------------------------------

    @property
    def _panes(self) -> tuple[str, ...]:
        return self._choices[self.which.currentIndex()]

    @property
    def _leading(self) -> str:
        """The pane whose slices are gone through, or whose line is moved."""
        panes = [name for name in self._panes if self.kind is not Kind.WIPE or name in self._wiping] or self._panes
        return self._first if self._first in panes else panes[0]

    def _follow_kind(self) -> None:
        kind = self.kind
        self._form.setRowVisible(self.slices, kind.takes_slices)
        self._form.setRowVisible(self.play, kind.is_film)
        self.slices.show_columns(kind is Kind.GRID)
        self.copy.setVisible(kind is Kind.PICTURE)
        pane = self._views.panes[self._leading].canvas
        width, height = max(pane.width(), 1), max(pane.height(), 1)
        side = _SIDES.get(kind)
        if side is None:
            self.look.set_look(replace(self.look.look, pane=(width, height), sharpness=2))
        elif kind is Kind.GRID:
            self.look.set_look(replace(self.look.look, pane=(side, side), sharpness=1))
        else:
            self.look.set_look(replace(self.look.look, pane=(side, round(side * height / width)), sharpness=1))
        self._offer_slices()

    def _offer_slices(self) -> None:
        shown = self._views.model.displayed(self._leading)
        self.slices.offer(1 if shown is None else shown.grid.shape[0], _MOST.get(self.kind, 1))
        self._follow()

    def _follow(self) -> None:
        self._later.start()
        studio = self._studio
        width, height = size = studio.size.toTuple()
        told, problem = f"File: {width} × {height} pixels", self.play.problem if self.kind.is_film else ""
        if self.kind is Kind.GRID:
            width, height = sheet_size(size, len(self.slices.slices), self.slices.columns.value())
            told = f"File: {width} × {height} pixels"
        if self.kind is Kind.WIPE and self._leading not in self._wiping:
            problem = "There is no wipe in this pane. Choose another."
        if width * height > MOST_PIXELS:
            problem = f"{width} × {height} pixels are too many. Take fewer slices, or smaller ones."
        self.look.size_note.setText(told)
        self.problem.setText(problem)
        self.problem.setVisible(bool(problem))
        for button in (self.save, self.copy):
            button.setEnabled(not problem)
        QTimer.singleShot(0, self, lambda: fit_height(self, self._area))

    @property
    def _studio(self) -> Studio:
        return Studio(rows_of(self._views.panes, self._panes), self.look.look)

    def _show_preview(self) -> None:
        if self.look.size_note.text() and not self.problem.text():
            self.preview.setPixmap(_fitted(self._studio.paint(), self.preview.devicePixelRatio()))


def _fitted(image: QImage, ratio: float) -> QPixmap:
    """Into the space of the preview."""
    image.setDevicePixelRatio(1.0)
    width, height = (round(side * ratio) for side in _PREVIEW)
    scaled = image.scaled(width, height, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation)
    scaled.setDevicePixelRatio(ratio)
    return QPixmap.fromImage(scaled)
