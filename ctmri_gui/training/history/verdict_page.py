"""The verdict on a run: one sentence, the figures behind it, every patient, the best and the worst case, and what to do now."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QBoxLayout,
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QProgressBar,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from ctmri_core.events import Finished
from ctmri_core.training.verdict import DirectionVerdict
from ctmri_gui.jobs.latest import Latest
from ctmri_gui.jobs.queue import Jobs, JobState
from ctmri_gui.panels.small_parts import label, scrolling, set_primary
from ctmri_gui.theme import current_palette, icon
from ctmri_gui.training.history.case_picture import CaseButton
from ctmri_gui.training.history.dot_plot import DotPlot
from ctmri_gui.training.history.history_work import Judged, judge
from ctmri_gui.training.history.verdict_rows import VerdictTable
from ctmri_gui.training.monitor.flow import Flow
from ctmri_gui.viewer.palette import scaled

_CASES_BESIDE = 1000
_SIGNS = {True: "done", False: "warning", None: "info"}


class VerdictPage(QWidget):
    """`show_run` looks for the verdict, or has it made. `keepWanted`, `useWanted`: a model file; `discardWanted`: the run's
    folder; `judged(folder, sentence)` once it is there.
    """

    keepWanted = Signal(object)
    useWanted = Signal(object)
    discardWanted = Signal(object)
    judged = Signal(object, str)

    def __init__(self, jobs: Jobs) -> None:
        super().__init__()
        self._jobs = jobs
        self._latest = Latest(jobs)
        self._judged: Judged | None = None
        self.folder: Path | None = None
        self._cases: list[CaseButton] = []
        self._make_parts()
        self._lay_out()
        jobs.changed.connect(self._follow)

    def show_run(self, folder: Path, *, anew: bool = False) -> None:
        """The verdict on the run in `folder`; made in the background where there is none, or `anew`."""
        self.folder, self._judged = folder, None
        self._title.setText(f"Verdict on {folder.name}")
        self._say("Judging …", "info")
        for part in (self._body, self.direction, self._decisions):
            part.hide()
        self._bar.setRange(0, 0)
        self._bar.show()
        work = partial(judge, folder, anew)
        self._latest.ask(f"Judge {folder.name}", work, self._take, ended=self._ended)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.PaletteChange) and hasattr(self, "_judged"):
            self._draw_sign()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        directions = QBoxLayout.Direction
        self._cases_row.setDirection(directions.LeftToRight if self.width() >= scaled(_CASES_BESIDE) else directions.TopToBottom)

    # Building ---------------------------------------------------------------------------------------------------------

    def _make_parts(self) -> None:
        self._title = label("", "muted")
        self._sign, self._sign_name = QLabel(), "info"
        self.sentence = label("", "heading")
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setRange(0, 0)
        self._bar.setAccessibleName("Progress of the verdict")
        self.progress = label("", "muted")
        self.direction = QComboBox()
        self.direction.setAccessibleName("Direction")
        self.direction.activated.connect(self._show)
        self.table = QTableWidget()
        self.table.setAccessibleName("Means over patients")
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setTabKeyNavigation(False)
        self.table.setShowGrid(False)
        self.table.verticalHeader().hide()
        self.table.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.table.horizontalHeader().setHighlightSections(False)
        self.dots = DotPlot()
        self.remarks, self.conventions = label(), label("", "muted")
        self.keep = _press("&Keep in my models", "Copies the model to your models, where it stays when the run is deleted")
        self.use = _press("&Use the model", "Chooses the model in the main window")
        self.again = _press("&Judge again", "Makes the verdict anew")
        self.discard = _press("&Discard the run…", "Deletes the run and its models, after asking")
        self.keep.clicked.connect(lambda: self.keepWanted.emit(self._model()))
        self.use.clicked.connect(lambda: self.useWanted.emit(self._model()))
        self.again.clicked.connect(lambda: self.show_run(self.folder, anew=True) if self.folder is not None else None)
        self.discard.clicked.connect(lambda: self.discardWanted.emit(self.folder))

    def _lay_out(self) -> None:
        head, self._decisions = QHBoxLayout(), QWidget()
        head.addWidget(self._sign, 0, Qt.AlignmentFlag.AlignTop)
        head.addWidget(self.sentence, 1)
        ways = Flow(self._decisions)
        for press in (self.keep, self.use, self.again, self.discard):
            ways.addWidget(press)
        self._body = QWidget()
        self._cases_row = QBoxLayout(QBoxLayout.Direction.TopToBottom)
        body = QVBoxLayout(self._body)
        body.setContentsMargins(0, 0, 0, 0)
        body.setSpacing(10)
        body.addWidget(self.table)
        body.addWidget(self.dots)
        body.addLayout(self._cases_row)
        body.addWidget(label("How it was measured", "heading"))
        body.addWidget(self.conventions)
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setSpacing(10)
        column.addWidget(self._title)
        column.addLayout(head)
        for part in (self._bar, self.progress, self.remarks, self._decisions, self.direction, self._body):
            column.addWidget(part)
        column.addStretch(1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scrolling(inside, "Verdict"))

    # What is heard ----------------------------------------------------------------------------------------------------

    def _follow(self, state: JobState) -> None:
        if state is self._latest.state and state.running:
            fraction = state.fraction
            self._bar.setRange(0, 100 if fraction is not None else 0)
            self._bar.setValue(round((fraction or 0.0) * 100))
            self.progress.setText(state.message or state.text)

    def _take(self, judged: Judged) -> None:
        self._judged = judged
        self.direction.clear()
        for each in judged.verdict.directions:
            self.direction.addItem(each.label)
        self.direction.setVisible(len(judged.verdict.directions) > 1)
        self._decisions.show()
        self._show()
        if self.folder is not None:
            self.judged.emit(self.folder, judged.verdict.sentence)

    def _ended(self, end: Finished) -> None:
        self._bar.hide()
        self.progress.setText("")
        self.progress.hide()
        if self._judged is None:
            self._say(end.message or "There is no verdict: judging was stopped.", "error" if end.message else "info")
            self._decisions.show()
            self.keep.setEnabled(False)
            self.use.setEnabled(False)

    def _show(self, _row: int = 0) -> None:
        """The direction that is chosen."""
        if self._judged is None:
            return
        row = max(self.direction.currentIndex(), 0)
        verdict, table = self._judged.verdict.directions[row], self._judged.tables[row]
        self._say(verdict.sentence, _SIGNS[verdict.worth_keeping])
        set_primary(self.keep, verdict.worth_keeping is True)
        self.keep.setEnabled(True)
        self.use.setEnabled(True)
        self.remarks.setText("\n".join(verdict.remarks))
        self.remarks.setVisible(bool(verdict.remarks))
        self._body.setVisible(bool(verdict.contenders))
        self.conventions.setText("\n".join(self._judged.verdict.conventions))
        self._fill(table)
        self.dots.show_verdict(verdict)
        self._show_cases(verdict)

    def _fill(self, table: VerdictTable) -> None:
        self.table.clear()
        self.table.setColumnCount(len(table.head))
        self.table.setRowCount(len(table.rows))
        self.table.setHorizontalHeaderLabels(list(table.head))
        for row, texts in enumerate(table.rows):
            for column, text in enumerate(texts):
                item = QTableWidgetItem(text)
                item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{table.head[column]}: {text or 'none'}".replace("\n", ", "))
                if column:
                    item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
                if row == 0:
                    bold = item.font()
                    bold.setBold(True)
                    item.setFont(bold)
                self.table.setItem(row, column, item)
        line = round(1.9 * self.fontMetrics().lineSpacing())
        self.table.verticalHeader().setDefaultSectionSize(line)
        bar = self.table.horizontalScrollBar().sizeHint().height()
        head = round(2.8 * self.fontMetrics().lineSpacing())
        self.table.horizontalHeader().setFixedHeight(head)
        self.table.setFixedHeight(head + line * len(table.rows) + bar + 4)

    def _show_cases(self, verdict: DirectionVerdict) -> None:
        for case in self._cases:
            case.drop()
            self._cases_row.removeWidget(case)
            case.hide()
            case.deleteLater()
        assert self.folder is not None
        self._cases = [CaseButton(picture, self.folder, self._jobs) for picture in verdict.pictures]
        for case in self._cases:
            self._cases_row.addWidget(case)

    def _model(self) -> Path | None:
        if self._judged is None or self.folder is None:
            return None
        return self.folder / "models" / self._judged.verdict.directions[max(self.direction.currentIndex(), 0)].model

    def _say(self, sentence: str, sign: str) -> None:
        self.sentence.setText(sentence)
        self._sign_name = sign
        self._draw_sign()
        self.progress.setVisible(self._judged is None)

    def _draw_sign(self) -> None:
        colours, side = current_palette(), scaled(20)
        colour = {"done": colours.good, "warning": colours.warning, "error": colours.error}.get(self._sign_name, colours.accent)
        self._sign.setPixmap(icon(self._sign_name, colour).pixmap(side, side))


def _press(text: str, tip: str) -> QPushButton:
    made = QPushButton(text)
    made.setToolTip(tip)
    return made
