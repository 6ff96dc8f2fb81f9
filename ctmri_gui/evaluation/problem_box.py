"""What to know before believing: loud, above everything else, and never away while the numbers are there."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtWidgets import QAbstractItemView, QFrame, QLabel, QListWidget, QListWidgetItem, QVBoxLayout

from ctmri_core.evaluation.results import Evaluation, Problem
from ctmri_gui.panels.small_parts import label, set_role
from ctmri_gui.theme import current_palette, icon
from ctmri_gui.viewer.palette import changes_text, scaled

_LINES = 4
_STOPPED = Problem(kind="other", message="It was stopped before its end: these are the scores of what was finished.")


class ProblemBox(QFrame):
    """`chosen(case)`: somebody wants to see the case of a problem."""

    chosen = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self._problems: tuple[Problem, ...] = ()
        self._evaluation: Evaluation | None = None
        self.setProperty("role", "bar")
        self.title: QLabel = label("", "heading", wrap=False)
        self.title.setContentsMargins(6, 1, 6, 1)
        self.list = QListWidget()
        self.list.setAccessibleName("What to know before believing the numbers")
        self.list.setWordWrap(True)
        self.list.setTextElideMode(Qt.TextElideMode.ElideNone)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.list.setResizeMode(QListWidget.ResizeMode.Adjust)
        self.list.itemActivated.connect(self._choose)
        self.list.itemClicked.connect(self._choose)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 8, 12, 8)
        column.setSpacing(6)
        column.addWidget(self.title, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self.list)

    @property
    def texts(self) -> list[str]:
        return [self.list.item(row).text() for row in range(self.list.count())]

    def take(self, evaluation: Evaluation) -> None:
        """The problems of an evaluation, those first that change what numbers mean."""
        stopped = () if evaluation.finished else (_STOPPED,)
        there = sorted((*stopped, *evaluation.problems), key=lambda one: (not one.serious, not one.left_out))
        self._evaluation, self._problems = evaluation, tuple(there)
        serious = sum(one.serious for one in there)
        count = f"{serious} {'thing' if serious == 1 else 'things'} to know before believing these numbers"
        set_role(self.title, "badge" if serious else "heading")
        self.title.setText(count if serious else "Worth knowing")
        self.setProperty("kind", "warning" if serious else "info")
        self.style().unpolish(self)
        self.style().polish(self)
        self.setVisible(bool(there))
        self._fill()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if changes_text(event) and self._evaluation is not None:
            self._fill()

    def _fill(self) -> None:
        self.list.clear()
        colours = current_palette()
        side = scaled(16)
        self.list.setIconSize(QSize(side, side))
        for one in self._problems:
            name, colour = ("warning", colours.warning) if one.serious else ("info", colours.muted)
            item = QListWidgetItem(icon(name, colour), self._words(one))
            if one.case is not None:
                item.setToolTip("Show the case in the table")
            item.setData(Qt.ItemDataRole.UserRole, one.case)
            self.list.addItem(item)
        line = self.list.fontMetrics().lineSpacing() + scaled(10)
        self.list.setFixedHeight(min(max(len(self._problems), 1), _LINES) * line + 6)

    def _words(self, problem: Problem) -> str:
        assert self._evaluation is not None
        whose = [] if problem.case is None else [self._evaluation.case(problem.case).label]
        whose += [] if problem.model is None else [self._evaluation.model(problem.model).name]
        out = " (left out)" if problem.left_out else ""
        return f"{', '.join(whose)}{out}: {problem.message}" if whose else problem.message

    def _choose(self, item: QListWidgetItem) -> None:
        case = item.data(Qt.ItemDataRole.UserRole)
        if case is not None:
            self.chosen.emit(int(case))
