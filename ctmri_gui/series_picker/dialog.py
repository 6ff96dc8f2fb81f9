"""Asks which of several series to open."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPoint, QSortFilterProxyModel, Qt, QTimer
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLineEdit,
    QListView,
    QVBoxLayout,
    QWidget,
)

from ctmri_core.domain import Direction
from ctmri_core.io.series import Series
from ctmri_gui.jobs.queue import Jobs
from ctmri_gui.panels.small_parts import label, resize_dialog, scrolling
from ctmri_gui.placement import roles_together
from ctmri_gui.series_picker.rows import left_out, rows_of
from ctmri_gui.series_picker.series_list import SeriesDelegate, SeriesModel
from ctmri_gui.series_picker.thumbnails import Thumbnails

_AT_MOST = 2  # one to translate and its ground truth
_WITHOUT_SEARCH = 8
_DETAIL_LINES, _LEAST_LINES, _SHARE_OF_DETAILS = 5, 2, 0.13  # of the dialog's height
_AHEAD = 12  # rows below those in sight whose pictures are made as well
_WIDTH, _HEIGHT = 780, 640
_INSET = QPoint(4, 0)  # from the edge of the list to where rows are


class SeriesDialog(QDialog):
    """A list of what was found, fit for a choice of one, or two that belong together. Opens at the first that can be loaded."""

    def __init__(
        self, series: Sequence[Series], jobs: Jobs, parent: QWidget | None = None, *, directions: Sequence[Direction] = ()
    ) -> None:
        """`directions`: of the models there are; they decide which of two series is the source."""
        super().__init__(parent)
        self._directions = directions
        self.setWindowTitle("Which series?")
        resize_dialog(self, _WIDTH, _HEIGHT)
        self.model = SeriesModel(rows_of(series), self)
        self._shown = QSortFilterProxyModel(self)
        self._shown.setSourceModel(self.model)
        self._shown.setFilterCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self._thumbnails = Thumbnails(jobs, [row.series for row in self.model.rows], self)
        self._thumbnails.made.connect(self.model.set_picture)
        self.finished.connect(self._thumbnails.close)
        self.list = self._make_list()
        self.search = QLineEdit()
        self.search.setPlaceholderText("Search: T1, axial, series 3 …")
        self.search.setAccessibleName("Search the series")
        self.search.setClearButtonEnabled(True)
        self.search.setVisible(len(self.model.rows) > _WITHOUT_SEARCH)
        self.search.textChanged.connect(self._filter)
        self.details = label()
        self.left_out = label("\n".join(left_out(series)), "muted")
        self.count = label("", "muted")
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Open | QDialogButtonBox.StandardButton.Cancel)
        self.buttons.button(QDialogButtonBox.StandardButton.Open).setProperty("primary", True)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self._lay_out()
        self._choose_first()
        self.list.setFocus()

    @property
    def chosen(self) -> tuple[Series, ...]:
        """What is selected, in the order of the list."""
        rows = sorted(self._shown.mapToSource(index).row() for index in self.list.selectionModel().selectedIndexes())
        return tuple(self.model.rows[row].series for row in rows)

    def accept(self) -> None:
        if 1 <= len(self.chosen) <= _AT_MOST:
            super().accept()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        QTimer.singleShot(0, self, self._look)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        QTimer.singleShot(0, self, self._look)

    def _make_list(self) -> QListView:
        made = QListView()
        made.setAccessibleName("Series found")
        made.setModel(self._shown)
        made.setItemDelegate(SeriesDelegate(made))
        made.setUniformItemSizes(True)
        made.setMouseTracking(True)
        made.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        made.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        made.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        made.verticalScrollBar().valueChanged.connect(lambda _value: self._look())
        made.selectionModel().selectionChanged.connect(lambda *_: self._check())
        made.selectionModel().currentChanged.connect(lambda *_: self._tell())
        made.doubleClicked.connect(lambda index: self.accept() if made.selectionModel().isSelected(index) else None)
        return made

    def _lay_out(self) -> None:
        several = f"{len(self.model.rows)} series were found." if len(self.model.rows) > 1 else "One series was found."
        usable = any(row.usable for row in self.model.rows)
        foot = QHBoxLayout()
        foot.addWidget(self.count, 1)
        foot.addWidget(self.buttons)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 14, 16, 14)
        column.setSpacing(10)
        column.addWidget(label(f"{several} {'Choose one to open.' if usable else 'None of them can be opened.'}", "heading"))
        if usable and len(self.model.rows) > 1:
            column.addWidget(label("Hold Ctrl to add a second one as ground truth.", "muted"))
        column.addWidget(self.search)
        column.addWidget(self.list, 1)
        if self.left_out.text() or any(row.remarks for row in self.model.rows):
            column.addWidget(self._make_details())
        column.addLayout(foot)

    def _make_details(self) -> QWidget:
        """What there is to know of the row under the cursor, then of the folder."""
        inside = QWidget()
        lines = QVBoxLayout(inside)
        lines.setContentsMargins(0, 0, 6, 0)
        lines.addWidget(self.details)
        lines.addWidget(self.left_out)
        lines.addStretch(1)
        area = scrolling(inside, "About the series under the cursor")
        line = self.fontMetrics().lineSpacing()
        count = min(max(self.height() * _SHARE_OF_DETAILS / line, _LEAST_LINES), _DETAIL_LINES)
        area.setFixedHeight(round(count * line))
        return area

    def _choose_first(self) -> None:
        """The first of those shown that can be opened."""
        rows = range(self._shown.rowCount())
        first = next((row for row in rows if self.model.rows[self._row(row)].usable), None)
        if first is not None:
            self.list.setCurrentIndex(self._shown.index(first, 0))
        self._check()
        self._tell()

    def _row(self, shown: int) -> int:
        """The row of the model at a place in the list."""
        return self._shown.mapToSource(self._shown.index(shown, 0)).row()

    def _filter(self, text: str) -> None:
        self._shown.setFilterFixedString(text.strip())
        if not self.chosen:
            self._choose_first()
        self._look()

    def _look(self) -> None:
        """Asks for the pictures of the rows in sight, and of those below."""
        if not self._shown.rowCount():
            return
        area = self.list.viewport().rect()
        first = self.list.indexAt(area.topLeft() + _INSET).row()
        last = self.list.indexAt(area.bottomLeft() + _INSET).row()
        first, last = max(first, 0), last if last >= 0 else self._shown.rowCount() - 1
        rows = range(first, min(last + _AHEAD, self._shown.rowCount() - 1) + 1)
        self._thumbnails.want(self._row(row) for row in rows)

    def _check(self) -> None:
        count = len(self.chosen)
        self.buttons.button(QDialogButtonBox.StandardButton.Open).setEnabled(1 <= count <= _AT_MOST)
        words = {0: "Nothing is chosen.", 1: "", 2: self._say_both() if count == _AT_MOST else ""}
        self.count.setText(words.get(count, f"{count} are chosen: up to {_AT_MOST} can be opened together."))

    def _say_both(self) -> str:
        """Where each of two series will lie."""
        names = {row.series: row.title for row in self.model.rows}
        together = roles_together(self.chosen, self._directions)
        return "; ".join(f"{role.label}: {names[series]}" for role, series in together.items()) + "."

    def _tell(self) -> None:
        """What there is to know of the row under the cursor, in full."""
        index = self.list.currentIndex()
        remarks = self.model.rows[self._shown.mapToSource(index).row()].remarks if index.isValid() else ()
        self.details.setText("\n".join(f"{'▲ ' if finding.serious else ''}{finding.message}" for finding in remarks))
        self.details.setVisible(bool(remarks))
