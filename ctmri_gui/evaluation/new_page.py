"""The page on which an evaluation is put together, started and followed."""

from __future__ import annotations

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from ctmri_core.evaluation.results import EVALUATION
from ctmri_gui.evaluation.evaluations import Evaluations
from ctmri_gui.evaluation.order_form import OrderForm
from ctmri_gui.models.library import Library
from ctmri_gui.panels.small_parts import button, label, scrolling
from ctmri_gui.settings import Settings
from ctmri_gui.theme import icon


class NewPage(QWidget):
    """Nothing else can be wanted while one runs."""

    def __init__(self, library: Library, settings: Settings, evaluations: Evaluations) -> None:
        super().__init__()
        self._evaluations = evaluations
        self.order = OrderForm(library, settings)
        self.start, self.stop = QAction(icon("play"), "&Start", self), QAction(icon("stop"), "S&top", self)
        self.bar, self.told = QProgressBar(), label("", "muted")
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(6)
        self.bar.setAccessibleName("Progress of the evaluation")
        foot = QHBoxLayout()
        foot.setContentsMargins(10, 4, 10, 4)
        for action, primary in ((self.start, True), (self.stop, False)):
            press = button(action, primary=primary)
            foot.addWidget(_lettered(press, action))
        foot.addWidget(self.told, 1)
        inside = QWidget()
        within = QVBoxLayout(inside)
        within.addWidget(self.order, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 4)
        column.addWidget(scrolling(inside, "What is evaluated"), 1)
        column.addWidget(self.bar)
        column.addLayout(foot)
        self.order.changed.connect(self.follow)
        evaluations.changed.connect(self.follow)
        self.start.triggered.connect(self.begin)
        self.stop.triggered.connect(evaluations.stop)
        self.follow()

    def begin(self) -> None:
        order = self.order.wanted()
        if order is not None:
            self._evaluations.start(order)

    def follow(self) -> None:
        """What can be pressed now, and how far it is."""
        running, state = self._evaluations.running, self._evaluations.state
        goes_on = self.order.output.folder is not None and (self.order.output.folder / EVALUATION).is_file()
        self.start.setText("Go &on" if goes_on else "&Start")
        self.start.setToolTip(self.order.problem or "What the folder holds already is not computed again (Ctrl+Return)")
        self.start.setEnabled(not running and not self.order.problem)
        self.stop.setEnabled(running and state is not None and not state.stopping)
        self.stop.setToolTip("What is finished is kept, and shown")
        self.order.setEnabled(not running)
        self.bar.setVisible(running)
        fraction = state.fraction if state is not None and running else None
        self.bar.setRange(0, 1000 if fraction is not None else 0)
        self.bar.setValue(round((fraction or 0.0) * 1000))
        words = state.text if state is not None and running else self.order.problem
        more = state.message if state is not None and running and state.total else ""
        self.told.setText(" · ".join(part for part in (words, more) if part))


def _lettered(press: QPushButton, action: QAction) -> QPushButton:
    """With the letter after & of its action."""

    def follow() -> None:
        press.setText(action.text())

    action.changed.connect(follow)
    follow()
    return press
