"""The bar above the panes while the truth is being aligned: how it lies, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QComboBox, QFrame, QMenu, QPushButton, QToolButton, QVBoxLayout, QWidget

from ctmri_core.aligning.kinds import KINDS
from ctmri_gui.aligning.aligner import Aligner
from ctmri_gui.aligning.nudge_row import NudgeRow
from ctmri_gui.panels.small_parts import label
from ctmri_gui.training.monitor.flow import Flow

_KINDS = {"rigid": "Rigid", "affine": "Affine", "bspline": "Elastic (B-spline)"}
_KIND_TIPS = ("Place only: voxels stay those of the file", "Sizes and angles too", "Bends too, by a coarse field; look closely")
_LEAST_WORDS = 30
_NO_NUDGE = "Only what keeps its shape can be moved by hand"


class AlignBar(QFrame):
    """`beforeShown(bool)`: the truth is wanted as it was, or as proposed; `nudging(bool)`: whether arrow keys move it."""

    beforeShown = Signal(bool)
    nudging = Signal(bool)
    saveAsked = Signal()
    loadAsked = Signal()

    def __init__(self, aligner: Aligner) -> None:
        super().__init__()
        self._aligner = aligner
        self.setProperty("role", "bar")
        self.setAccessibleName("Alignment")
        self.told = label("")
        self.accept = self._button("Accept", "The ground truth lies there from now on; Undo takes it back", aligner.accept)
        self.accept.setProperty("primary", True)
        self.undo = self._button("Undo", "The ground truth goes back where it was", aligner.discard)
        self.cancel = self._button("Cancel", "Stops aligning; nothing changes", aligner.stop)
        self.before = self._switch("Before", "Shows the ground truth where it was, and back")
        self.nudge = self._switch("Nudge", "")
        self.kinds = QComboBox()
        for kind, tip in zip(KINDS, _KIND_TIPS, strict=True):
            self.kinds.addItem(_KINDS[kind], kind)
            self.kinds.setItemData(self.kinds.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)
        self.kinds.setAccessibleName("What may change")
        self.again = self._button("Align again", "Looks for the place anew, with what may change", self._start)
        self.more = QToolButton()
        self.more.setText("Transform")
        self.more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(self.more)
        self.save = menu.addAction("Save transform…")
        self.load = menu.addAction("Load transform…")
        self.more.setMenu(menu)
        self.row = NudgeRow()
        self._lay_out()
        self.save.triggered.connect(lambda _checked=False: self.saveAsked.emit())
        self.load.triggered.connect(lambda _checked=False: self.loadAsked.emit())
        self.before.toggled.connect(self.beforeShown)
        self.nudge.toggled.connect(self._show_row)
        self.row.chosen.connect(aligner.nudge)
        aligner.changed.connect(self.follow)
        self.follow()

    def follow(self) -> None:
        """What is proposed, or how far looking for it is."""
        proposal, running = self._aligner.proposal, self._aligner.running
        self.setVisible(proposal is not None or running is not None)
        for part in (self.accept, self.undo, self.before, self.nudge):
            part.setVisible(proposal is not None and running is None)
        for other in (self.kinds, self.again):  # looking again would undo what is nudged, and a small window has no room for both
            other.setVisible(running is None and not self.nudge.isChecked())
        self.more.setVisible(running is None)
        self.cancel.setVisible(running is not None)
        self.save.setEnabled(proposal is not None)
        if running is not None:
            share = "" if running.fraction is None else f" {100 * running.fraction:.0f} %"
            self.told.setText(f"Aligning the ground truth …{share} {running.text}".rstrip())
        elif proposal is not None:
            self.told.setText(f"Look at the checkerboard. {proposal.told}. Numbers come once it is accepted.")
        if proposal is not None:  # also in the moment between its coming and the end of the job that found it
            self.nudge.setEnabled(proposal.may_be_nudged)
            self.nudge.setToolTip("Moves it by hand, with fields or arrow keys" if proposal.may_be_nudged else _NO_NUDGE)
            self.row.show_nudge(proposal.nudge)
        if proposal is None or not proposal.may_be_nudged:
            self.nudge.setChecked(False)
        if proposal is None:
            self.before.setChecked(False)
        self.kinds.setCurrentIndex(self.kinds.findData(self._aligner.kind))
        self._turn()

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 4, 6, 4)
        column.setSpacing(4)
        self._first = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._first.setSpacing(6)
        self._presses = QWidget()
        flow = Flow(self._presses)
        for part in (self.accept, self.undo, self.before, self.nudge, self.kinds, self.again, self.more, self.cancel):
            flow.addWidget(part)
        self._first.addWidget(self.told, 1)
        self._first.addWidget(self._presses)
        column.addLayout(self._first)
        column.addWidget(self.row)
        self.row.hide()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._turn()

    def _turn(self) -> None:
        """Where the buttons would leave no room for the words, they stand below."""
        shown = [part for part in self._presses.children() if isinstance(part, QWidget) and not part.isHidden()]
        needed = sum(part.sizeHint().width() + self._first.spacing() for part in shown)
        beside = needed + _LEAST_WORDS * self.fontMetrics().averageCharWidth() < self.width()
        self._presses.setMinimumWidth(needed if beside else 0)
        directions = QBoxLayout.Direction
        self._first.setDirection(directions.LeftToRight if beside else directions.TopToBottom)

    def _show_row(self, shown: bool) -> None:
        self.row.setVisible(shown)
        if shown:
            self.before.setChecked(False)
        self.follow()
        self.nudging.emit(shown)

    def _start(self) -> None:
        self._aligner.start(self.kinds.currentData())

    @staticmethod
    def _button(words: str, tip: str, call: Callable[[], None]) -> QPushButton:
        made = QPushButton(words)
        made.setToolTip(tip)
        made.clicked.connect(lambda _checked=False: call())
        return made

    @staticmethod
    def _switch(words: str, tip: str) -> QPushButton:
        made = QPushButton(words)
        made.setCheckable(True)
        made.setProperty("role", "switch")
        made.setToolTip(tip)
        return made
