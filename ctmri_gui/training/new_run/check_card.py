"""What was found of the data, before hours are spent on them: counts, sentences, and a picture of every case."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from ctmri_core.data.layouts.layout import Side
from ctmri_core.events import StopSignal, Work
from ctmri_gui.cases.room import in_words
from ctmri_gui.jobs.queue import Jobs
from ctmri_gui.panels.small_parts import label
from ctmri_gui.training.data_work import Prepared
from ctmri_gui.training.new_run.case_grid import CaseGrid
from ctmri_gui.training.new_run.case_pictures import Tiles, one_slice, small_pictures
from ctmri_gui.training.new_run.case_rows import CaseRow, rows_of, sentences, without_flags
from ctmri_gui.training.new_run.case_view import CaseView
from ctmri_gui.training.new_run.figures import Figures
from ctmri_gui.training.new_run.flowing_row import FlowingRow

_NOBODY_HELD = (
    "△ No pair is kept for validation: nothing will tell how good the model is, or which one is best. It takes two patients with"
    " both kinds, and a share for validation."
)
_LEAST_LINES, _MOST_SENTENCES = 17, 8


class CheckCard(QWidget):
    """`leaveOut(frozenset)`: keys of the cases that are not to be used, in place of those before; `register()`: what does not
    lie on each other is to be registered; `delete()`: the prepared slices are not wanted any more.
    """

    leaveOut = Signal(object)
    register = Signal()
    delete = Signal()

    def __init__(self, jobs: Jobs) -> None:
        super().__init__()
        self._jobs = jobs
        self._prepared: Prepared | None = None
        self._may, self._rows = False, tuple[CaseRow, ...]()
        self._left_out: set[str] = set()
        self.figures = Figures()
        self.verdict, self.remarks = label("", "heading"), label("", "muted")
        self.grid = CaseGrid(jobs)
        self.grid.opened.connect(self._open)
        self.without, self.align = QPushButton(), QPushButton("&Register them")
        self.back, self.throw_away = QPushButton(), QPushButton()
        self.align.setToolTip("Lays the pictures of these patients on each other, rigidly, and prepares the data again")
        self.without.clicked.connect(self._leave_out_misplaced)
        self.back.clicked.connect(lambda: self.leaveOut.emit(frozenset()))
        self.align.clicked.connect(self.register)
        self.throw_away.clicked.connect(self.delete)
        self._told = QVBoxLayout()
        self._told.setSpacing(4)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.figures)
        column.addWidget(self.verdict)
        column.addLayout(self._told)
        column.addWidget(self.remarks)
        column.addWidget(FlowingRow(self.without, self.align, self.back, self.throw_away))
        column.addWidget(self.grid, 1)
        self._fit()

    def show_prepared(self, prepared: Prepared, *, may_change: bool) -> None:
        """`may_change`: whether cases can be left out, or registered."""
        self._prepared, self._may = prepared, may_change
        self._rows = rows = rows_of(prepared)
        self._left_out = {row.key for row in rows if row.files and not row.files[0].side}
        self.figures.show_figures(_figures_of(prepared))
        told = sentences(rows)
        self._say(prepared, told)
        misplaced = [row for row in rows if row.misplaced and row.used]
        self.without.setVisible(may_change and bool(misplaced))
        self.without.setText(f"Leave out all &misaligned ({len(misplaced)})")
        self.align.setVisible(may_change and bool(misplaced))
        self.back.setVisible(may_change and bool(self._left_out))
        self.back.setText(f"&Take back all that are left out ({len(self._left_out)})")
        self.throw_away.setVisible(prepared.own)
        self.throw_away.setText(f"&Delete prepared data ({in_words(prepared.size)})")
        self.throw_away.setToolTip("Removes the prepared slices from this computer; the scans themselves stay as they are")
        self.grid.show_rows(rows, partial(small_pictures, prepared.folder, prepared.index.recipe))

    def close_pictures(self) -> None:
        self.grid.close_pictures()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange and self.layout() is not None:
            self._fit()

    def _fit(self) -> None:
        self.grid.setMinimumHeight(_LEAST_LINES * self.fontMetrics().height())

    def _say(self, prepared: Prepared, told: Sequence[tuple[str, str]]) -> None:
        while (item := self._told.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()
        serious = sum(role == "error" for role, _ in told)
        if prepared.report is None:
            self.verdict.setText("Nobody looked whether these cases are fit to learn from.")
        elif not told:
            self.verdict.setText("✓ Nothing is wrong with the cases that are used.")
        else:
            self.verdict.setText("Look at this before you train." if serious else "Good enough to learn from; worth knowing:")
        if not prepared.known.held:
            told = [*told[: _MOST_SENTENCES - 1], ("warning", _NOBODY_HELD)]
        for role, words in told[:_MOST_SENTENCES]:
            self._told.addWidget(label(words, role))
        self.remarks.setText(without_flags(" ".join(prepared.remarks)))
        self.remarks.setVisible(bool(prepared.remarks))

    def _leave_out_misplaced(self) -> None:
        self.leaveOut.emit(frozenset(self._left_out | {row.key for row in self._rows if row.misplaced and row.used}))

    def _open(self, row: CaseRow) -> None:
        prepared = self._prepared
        if prepared is None:
            return

        def read(case: CaseRow, number: int | None, stop: StopSignal) -> Work[Tiles]:
            return one_slice(prepared.folder, prepared.index.recipe, case, number, stop)

        view = CaseView(self._rows, row, read, self._jobs, self.window(), may_leave_out=self._may)
        view.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        wanted = set(self._left_out)

        def turn(case: CaseRow, out: bool) -> None:
            wanted.symmetric_difference_update({case.key} if (case.key in wanted) != out else set())

        def closed(_code: int) -> None:
            if wanted != self._left_out:
                self.leaveOut.emit(frozenset(wanted))

        view.leaveOut.connect(turn)
        view.finished.connect(closed)
        view.open()


def _figures_of(prepared: Prepared) -> dict[str, str]:
    index = prepared.index
    used = [case for case in index.cases if case.side and case.counted]
    patients = len({case.patient for case in used})
    figures = {"patient" if patients == 1 else "patients": str(patients), "slices": str(sum(case.counted for case in used))}
    sides: dict[Side, str] = {"train": "to learn from", "validation": "validation", "test": "last test"}
    for side, words in sides.items():
        slices = sum(case.counted for case in used if case.side == side)
        if slices or side != "test":
            figures[words] = f"{slices}"
    centres = len({case.centre for case in used if case.centre})
    if centres:
        figures["centres" if centres > 1 else "centre"] = str(centres)
    figures["kinds"] = ", ".join(domain.label for domain in prepared.known.domains)
    return figures
