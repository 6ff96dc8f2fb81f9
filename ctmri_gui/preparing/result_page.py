"""What was prepared: counts, what is worth knowing, a picture of every case, and the way to training."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from ctmri_gui.jobs.queue import Jobs
from ctmri_gui.panels.small_parts import label, scrolling
from ctmri_gui.preparing.preparer import Preparer
from ctmri_gui.training.data_work import Prepared
from ctmri_gui.training.new_run.check_card import CheckCard

_NOTHING = "Nothing is prepared yet. The check of all cases stands here once it is."


class ResultPage(QWidget):
    """`trainWanted(str)`: a model is to learn from the prepared folder."""

    trainWanted = Signal(str)

    def __init__(self, preparer: Preparer, jobs: Jobs) -> None:
        super().__init__()
        self._preparer = preparer
        self.nothing, self.check = label(_NOTHING, "muted"), CheckCard(jobs)
        self.train = QPushButton("&Train with these…")
        self.train.setProperty("primary", True)
        self.train.setToolTip("Opens the training window with these data chosen")
        inside = QWidget()
        foot = QHBoxLayout()
        foot.addStretch(1)
        foot.addWidget(self.train)
        column = QVBoxLayout(inside)
        column.setContentsMargins(12, 10, 12, 10)
        column.addWidget(self.nothing)
        column.addWidget(self.check, 1)
        column.addLayout(foot)
        column.addStretch()
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scrolling(inside, "Result"))
        self.train.clicked.connect(self._train)
        self.check.leaveOut.connect(self._leave_out)
        self.check.register.connect(self._register)
        preparer.prepared.connect(self.show_prepared)
        self.show_prepared(None)

    def show_prepared(self, prepared: Prepared | None) -> None:
        """None while nothing lies ready."""
        self.nothing.setVisible(prepared is None)
        for part in (self.check, self.train):
            part.setVisible(prepared is not None)
        if prepared is None:
            self.check.close_pictures()
        else:
            self.check.show_prepared(prepared, may_change=True)
            self.check.throw_away.hide()

    def _train(self) -> None:
        if self._preparer.done is not None:
            self.trainWanted.emit(str(self._preparer.done.folder))

    def _leave_out(self, keys: frozenset[str]) -> None:
        """The index has salts of its own: cases are known again by their numbers."""
        done = self._preparer.done
        if done is None:
            return
        numbers = {case.check.number for case in done.index.cases if case.key in keys and case.check is not None}
        self._preparer.leave_out(numbers)
        self._preparer.prepare()

    def _register(self) -> None:
        self._preparer.choose_how({**self._preparer.choices_made, "align": "needed"})
        self._preparer.prepare()
