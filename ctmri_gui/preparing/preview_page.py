"""One case as a network will see it, beside what its files hold: the recipe before hours are spent on it."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QProgressBar,
    QPushButton,
    QSlider,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from ctmri_core.errors import CtmriError
from ctmri_core.events import Finished
from ctmri_gui.jobs.latest import Latest
from ctmri_gui.jobs.queue import Jobs
from ctmri_gui.panels.small_parts import label, naming, set_role
from ctmri_gui.preparing import pair_work
from ctmri_gui.preparing.pair_view import PairView
from ctmri_gui.preparing.pair_work import Preview
from ctmri_gui.preparing.pictures import picture
from ctmri_gui.preparing.preparer import Preparer
from ctmri_gui.training.data_work import without_terminal
from ctmri_gui.training.new_run.case_view import Picture

_NONE = "Choose a folder with scans first."
_OLD = "The recipe, or the position of the case, has changed since. Press “Show again”."

_LEARNT = ("nyul", "histogram")
_LEARNT_LATER = "The scale of MR is learnt from all cases when they are prepared; it is shown by percentiles until then."


class PreviewPage(QWidget):
    """Shows the case that `pairs` has read, when asked. `number`: which, 0 for none; `caseWanted(int)`: another one."""

    caseWanted = Signal(int)

    def __init__(self, preparer: Preparer, pairs: PairView, jobs: Jobs) -> None:
        super().__init__()
        self._preparer, self._pairs = preparer, pairs
        self._latest = Latest(jobs)
        self.preview: Preview | None = None
        self._learnt = False
        self.number = 0
        self.case, self.told = QSpinBox(), label(_NONE, "muted")
        self.make = QPushButton("S&how the case as prepared")
        self.domain, self.slice = QComboBox(), QSlider(Qt.Orientation.Horizontal)
        self.shown = label("", "muted", wrap=False)
        self.before, self.after = Picture("As the files have it"), Picture("As a network will see it")
        self.bar = QProgressBar()
        self.bar.setRange(0, 0)
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(6)
        self.make.setToolTip("Prepares the selected case by the recipe, in the background; nothing is written")
        self.case.setAccessibleName("Number of the case")
        self.case.setKeyboardTracking(False)
        self.domain.setAccessibleName("Which of its pictures")
        self.slice.setAccessibleName("Slice, feet first")
        self._lay_out()
        self.make.clicked.connect(self.start)
        self.case.valueChanged.connect(self.caseWanted)
        self.domain.activated.connect(lambda _row: self._draw())
        self.slice.valueChanged.connect(lambda _value: self._draw())
        for signal in (preparer.chosen, preparer.decided):
            signal.connect(self._age)
        preparer.listed.connect(self.forget)
        self.forget()

    def start(self) -> None:
        """Prepares the selected case for a look."""
        loaded = self._pairs.loaded
        if loaded is None:
            self._say(_NONE, "muted")
            return
        self._clear(loaded.number)
        if loaded.case is None:
            self._say(without_terminal(" ".join(problem.message for problem in loaded.check.problems)), "error")
            return
        try:
            choices = self._preparer.choices()
            chosen = choices.recipe
            self._learnt = chosen.mr_scaling in _LEARNT
            recipe = (chosen.model_copy(update={"mr_scaling": "percentile"}) if self._learnt else chosen).recipe()
        except CtmriError as error:
            self._say(without_terminal(str(error)), "error")
            return
        placements = [each for each in self._preparer.placements(loaded.number) if each.fixed is loaded.domains[0]]
        self._say("Preparing the case …", "muted")
        self.bar.show()
        begin = partial(pair_work.preview, loaded, placements, recipe, choices.options.body_model)
        self._latest.ask(f"Preview case {loaded.number}", begin, self._take, ended=self._ended)

    def forget(self) -> None:
        """Nothing is shown."""
        cases = len(self._preparer.cases)
        with QSignalBlocker(self.case):
            self.case.setRange(1, max(cases, 1))
            self.case.setSuffix(f" of {cases}" if cases else "")
        self.case.setEnabled(cases > 1)
        self._clear(0)
        self._say(_NONE, "muted")

    def _clear(self, number: int) -> None:
        """Nothing is shown of any case; that of `number` comes next, 0 for none."""
        if number != self.number:
            self.preview = None
            for place in (self.before, self.after):
                place.show_image(None, "")
        self._latest.drop()
        self.bar.hide()
        self.number = number
        with QSignalBlocker(self.case):
            self.case.setValue(number)

    def _take(self, preview: Preview) -> None:
        self.preview = preview
        with QSignalBlocker(self.domain), QSignalBlocker(self.slice):
            self.domain.clear()
            self.domain.addItems([domain.label for domain in preview.domains])
            self.slice.setRange(0, len(preview.before[0]) - 1)
            self.slice.setValue(preview.kept[len(preview.kept) // 2] if preview.kept else len(preview.before[0]) // 2)
        self.make.setText("S&how again")
        self._say(f"{preview.words}. {_LEARNT_LATER}" if self._learnt else preview.words, "warning" if self._learnt else "muted")
        self._draw()

    def _draw(self) -> None:
        preview, number = self.preview, self.slice.value()
        if preview is None:
            return
        place = max(self.domain.currentIndex(), 0)
        for view, stacks in ((self.before, preview.before), (self.after, preview.after)):
            view.show_image(picture(stacks[place][number]), "")
        used = "" if number in preview.kept else ", not learnt from"
        self.shown.setText(f"{number + 1} of {len(preview.before[0])}{used}")

    def _age(self) -> None:
        if self.preview is not None:
            self._say(_OLD, "warning")

    def _ended(self, end: Finished) -> None:
        self.bar.hide()
        if end.reason in ("failed", "crashed"):
            self._say(without_terminal(end.message), "error")

    def _say(self, words: str, role: str) -> None:
        self.told.setText(words)
        set_role(self.told, role)

    def _lay_out(self) -> None:
        self.bar.hide()
        head = QHBoxLayout()
        head.addWidget(naming("&Case", self.case))
        head.addWidget(self.case)
        head.addStretch(1)
        head.addWidget(self.make)
        grid = QGridLayout()
        for place, (words, view) in enumerate((("As the files have it", self.before), ("As a network will see it", self.after))):
            grid.addWidget(label(words, "muted"), 0, place)
            grid.addWidget(view, 1, place)
            grid.setColumnStretch(place, 1)
        grid.setRowStretch(1, 1)
        along = QHBoxLayout()
        for part in (naming("&Picture", self.domain), self.domain, naming("&Slice", self.slice)):
            along.addWidget(part)
        along.addWidget(self.slice, 1)
        along.addWidget(self.shown)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 10, 12, 10)
        column.setSpacing(8)
        column.addLayout(head)
        column.addWidget(self.told)
        column.addWidget(self.bar)
        column.addLayout(grid, 1)
        column.addLayout(along)
