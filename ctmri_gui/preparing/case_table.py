"""The cases of a folder before they are prepared: what they show, and how they stand. Names only where a person asks."""

from __future__ import annotations

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView

from ctmri_core.domain import Domain
from ctmri_gui.preparing.preparer import Preparer
from ctmri_gui.theme import current_palette, icon
from ctmri_gui.training.new_run.case_rows import without_flags
from ctmri_gui.viewer.palette import scaled

COLUMNS = ("Case", "Shows", "Voxels (mm)", "State", "Name")
NUMBER, SHOWS, VOXELS, STATE, NAME = range(len(COLUMNS))
Index = QModelIndex | QPersistentModelIndex
_NOTHING = QModelIndex()


class CaseTable(QAbstractTableModel):
    """A row for each case of the `preparer`, in its order."""

    def __init__(self, preparer: Preparer, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._preparer = preparer
        preparer.listed.connect(self._reset)
        preparer.checked.connect(lambda number: self._change(number - 1, number - 1))
        preparer.decided.connect(lambda: self._change(0, len(preparer.cases) - 1))

    def rowCount(self, parent: Index = _NOTHING) -> int:
        return 0 if parent.isValid() else len(self._preparer.cases)

    def columnCount(self, _parent: Index = _NOTHING) -> int:
        return len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[section]
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        number, column = index.row() + 1, index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(number, column)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{COLUMNS[column]}: {self._text(number, column) or 'not known yet'}"
        if role == Qt.ItemDataRole.ToolTipRole:
            return self.told(number)
        if role == Qt.ItemDataRole.DecorationRole and column == STATE:
            return icon(*self._sign(number))
        return None

    def told(self, number: int) -> str:
        """All that is known of a case."""
        check = self._preparer.checks.get(number)
        if check is None:
            return "This case was not read yet. Select it, or have all looked at."
        said = [without_flags(problem.message) for problem in check.problems] or ["Nothing is wrong with this case."]
        sizes = [f"{Domain(name).label}: {_millimetres(size)} mm" for name, size in check.spacing.items()]
        return "\n".join((*said, *sizes))

    def _text(self, number: int, column: int) -> str:
        preparer = self._preparer
        case, check = preparer.cases[number - 1], preparer.checks.get(number)
        if column == NUMBER:
            return str(number)
        if column == NAME:
            return case.identifier
        if column == SHOWS:
            there = check.domains if check is not None and check.domains else case.domains or ()
            return ", ".join(domain.label for domain in there)
        if column == VOXELS:
            sizes = (_millimetres(size) for size in (check.spacing.values() if check else ()))
            return "; ".join(dict.fromkeys(sizes))
        return self._state(number)

    def _state(self, number: int) -> str:
        preparer = self._preparer
        check = preparer.checks.get(number)
        if preparer.leaves_out(number):
            return "left out"
        if preparer.placements(number):
            return "position accepted"
        if check is None:
            return "not looked at"
        return check.briefly or "good"

    def _sign(self, number: int) -> tuple[str, str]:
        preparer, colours = self._preparer, current_palette()
        check = preparer.checks.get(number)
        if preparer.leaves_out(number):
            return "close", colours.muted
        if preparer.placements(number) or (check is not None and not check.problems):
            return "done", colours.good
        if check is None:
            return "info", colours.muted
        return "warning", colours.error if check.serious else colours.warning

    def _reset(self) -> None:
        self.beginResetModel()
        self.endResetModel()

    def _change(self, first: int, last: int) -> None:
        if 0 <= first <= last < self.rowCount():
            self.dataChanged.emit(self.index(first, 0), self.index(last, len(COLUMNS) - 1))


def _millimetres(size: tuple[float, ...]) -> str:
    return " × ".join(f"{mm:.3g}" for mm in size)


def case_view(table: CaseTable) -> QTableView:
    """The table as it is shown, without names at first."""
    view = QTableView()
    view.setModel(table)
    view.setAccessibleName("Cases and how they stand")
    view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    view.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    view.setTabKeyNavigation(False)
    view.setShowGrid(False)
    view.setWordWrap(False)
    view.verticalHeader().hide()
    header = view.horizontalHeader()
    header.setHighlightSections(False)
    header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    for column, width in ((NUMBER, 48), (SHOWS, 88), (VOXELS, 104)):
        view.setColumnWidth(column, scaled(width))
    header.setSectionResizeMode(STATE, QHeaderView.ResizeMode.Stretch)
    view.setColumnHidden(NAME, True)
    return view
