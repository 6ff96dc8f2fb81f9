"""What runs and how the last work ended, each with its way to stop it."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtWidgets import QGridLayout, QProgressBar, QToolButton, QVBoxLayout, QWidget

from ctmri_gui.jobs.queue import Jobs, JobState
from ctmri_gui.panels.small_parts import label, set_role
from ctmri_gui.theme import icon


class JobsPanel(QWidget):
    """A row for each job of the list, newest first."""

    def __init__(self, jobs: Jobs) -> None:
        super().__init__()
        self._jobs = jobs
        self._rows: list[_JobRow] = []
        self._empty = label("Nothing runs.", "muted")
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(10, 8, 10, 8)
        self._column.setSpacing(8)
        self._column.addWidget(self._empty)
        self._column.addStretch(1)
        jobs.rowsInserted.connect(self._inserted)
        jobs.rowsAboutToBeRemoved.connect(self._removed)
        jobs.dataChanged.connect(self._changed)

    def _inserted(self, _parent: QModelIndex, first: int, last: int) -> None:
        for row in range(first, last + 1):
            state = self._jobs.index(row).data(Qt.ItemDataRole.UserRole)
            widget = _JobRow(self._jobs, state)
            self._rows.insert(row, widget)
            self._column.insertWidget(row + 1, widget)
        self._empty.setVisible(not self._rows)

    def _removed(self, _parent: QModelIndex, first: int, last: int) -> None:
        for widget in self._rows[first : last + 1]:
            self._column.removeWidget(widget)
            widget.deleteLater()
        del self._rows[first : last + 1]

    def _changed(self, first: QModelIndex, last: QModelIndex) -> None:
        for widget in self._rows[first.row() : last.row() + 1]:
            widget.show_state()


class _JobRow(QWidget):
    def __init__(self, jobs: Jobs, state: JobState) -> None:
        super().__init__()
        self._state = state
        self._title = label(state.title)
        self._text = label("", "muted")
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setFixedHeight(6)
        self._bar.setAccessibleName(f"Progress of {state.title}")
        self._stop = QToolButton()
        self._stop.setIcon(icon("close"))
        self._stop.setToolTip(f"Cancel: {state.title}")
        self._stop.setAccessibleName(f"Cancel {state.title}")
        self._stop.clicked.connect(lambda: jobs.stop(state))
        self._show = QToolButton()
        self._show.setText("Show")
        self._show.setToolTip(f"Show: {state.title}")
        self._show.setAccessibleName(f"Show {state.title}")
        self._show.clicked.connect(lambda: state.show() if state.show is not None else None)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(2)
        grid.addWidget(self._title, 0, 0)
        grid.addWidget(self._show, 0, 1)
        grid.addWidget(self._stop, 0, 2)
        grid.addWidget(self._bar, 1, 0, 1, 3)
        grid.addWidget(self._text, 2, 0, 1, 3)
        grid.setColumnStretch(0, 1)
        self.show_state()

    def show_state(self) -> None:
        state = self._state
        fraction = state.fraction
        self._bar.setVisible(state.running)
        self._bar.setRange(0, 100 if fraction is not None else 0)
        self._bar.setValue(round((fraction or 0.0) * 100))
        self._text.setText(state.text)
        self._show.setVisible(state.show is not None)
        self._stop.setVisible(state.running)
        self._stop.setEnabled(not state.stopping)
        failed = state.end is not None and state.end.reason in ("failed", "crashed")
        set_role(self._text, "error" if failed else "muted")
