"""The table of cases with its filters: what leads from a number to the pictures behind it."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPoint, QSize, Qt, Signal
from PySide6.QtGui import QAction, QKeyEvent
from PySide6.QtWidgets import QComboBox, QMenu, QVBoxLayout, QWidget

from ctmri_core.evaluation.results import Evaluation, Kind
from ctmri_gui.evaluation.case_table import CASE, MODEL, CaseRow, CaseTable, SortedCases
from ctmri_gui.panels.row_table import row_table
from ctmri_gui.panels.small_parts import label, naming
from ctmri_gui.training.new_run.flowing_row import FlowingRow
from ctmri_gui.viewer.palette import scaled

_CENTRE = 2


class CasePage(QWidget):
    """`openWanted(case, model)`: it is to be looked at; `selected(case, model)`: another row is the current one."""

    openWanted = Signal(int, int)
    selected = Signal(int, int)

    def __init__(self) -> None:
        super().__init__()
        self.table = CaseTable(self)
        self.shown = SortedCases(self.table, self)
        self.view = row_table(self.shown, "Scores of each case")
        self._centre, self.model = "", QComboBox()
        self._model_name = naming("&Of model", self.model)
        self.count = label("", "muted", wrap=False)
        self.open = QAction("&Open in the viewer", self)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.addWidget(FlowingRow(self._model_name, self.model, self.count))
        column.addWidget(self.view, 1)
        self.model.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.model.activated.connect(lambda _row: self._filter())
        self.open.triggered.connect(self.open_current)
        self.view.doubleClicked.connect(lambda _index: self.open_current())
        self.view.customContextMenuRequested.connect(self._open_menu)
        self.view.selectionModel().currentRowChanged.connect(self._tell)

    @property
    def current(self) -> CaseRow | None:
        index = self.view.currentIndex()
        return index.data(Qt.ItemDataRole.UserRole) if index.isValid() else None

    def take(self, evaluation: Evaluation, kind: Kind) -> None:
        before = self.current.key if self.current is not None else None
        self.table.take(evaluation, kind)
        self.model.clear()
        self.model.addItem("All", 0)
        for model in evaluation.models:
            self.model.addItem(model.name, model.number)
        for part in (self._model_name, self.model):
            part.setVisible(len(evaluation.models) > 1)
        self.view.setColumnHidden(MODEL, len(evaluation.models) == 1)
        self.view.setColumnHidden(_CENTRE, not any(case.centre for case in evaluation.cases))
        self.view.sortByColumn(CASE, Qt.SortOrder.AscendingOrder)
        self._filter()
        self._fit()
        if before is None or not self.select(*before):
            self.view.selectRow(0)

    def show_centre(self, centre: str) -> None:
        """Only its cases; all for an empty name."""
        self._centre = centre
        self._filter()

    def select(self, case: int, model: int) -> bool:
        """Makes it the current row, taking filters away that hide it; False where it is not in the table."""
        row = self.table.row_of(case, model)
        if row < 0:
            return False
        if not self.shown.mapFromSource(self.table.index(row, 0)).isValid():
            self._centre = ""
            self.model.setCurrentIndex(0)
            self._filter()
        index = self.shown.mapFromSource(self.table.index(row, 0))
        self.view.setCurrentIndex(index)
        self.view.scrollTo(index)
        return True

    def open_current(self) -> None:
        row = self.current
        if row is not None:
            self.openWanted.emit(row.case, row.model)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.view.hasFocus():
            self.open_current()
        else:
            super().keyPressEvent(event)

    def _filter(self) -> None:
        self.shown.look_for(self._centre, self.model.currentData() or 0)
        count, shown = len(self.table.rows), self.shown.rowCount()
        self.count.setText(f"{shown} of {count} rows" if shown != count else "")

    def _fit(self) -> None:
        side = scaled(16)
        self.view.setIconSize(QSize(side, side))
        self.view.verticalHeader().setDefaultSectionSize(self.fontMetrics().lineSpacing() + scaled(10))
        self.view.setMinimumHeight(6 * (self.fontMetrics().lineSpacing() + scaled(10)))

    def _tell(self, _now: QModelIndex, _before: QModelIndex) -> None:
        row = self.current
        if row is not None:
            self.selected.emit(row.case, row.model)

    def _open_menu(self, place: QPoint) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(self.open)
        menu.popup(self.view.viewport().mapToGlobal(place))
