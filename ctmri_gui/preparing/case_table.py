"""The cases of a folder before they are prepared: what they show, and how they stand. Names only where a person asks."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QTableView

from ctmri_core.domain import Domain
from ctmri_gui.panels.row_model import Index, RowModel
from ctmri_gui.panels.row_table import row_table
from ctmri_gui.preparing.preparer import Preparer
from ctmri_gui.theme import current_palette, icon
from ctmri_gui.training.new_run.case_rows import without_flags

COLUMNS = ("Case", "Shows", "State", "Voxels (mm)", "Name")
NUMBER, SHOWS, STATE, VOXELS, NAME = range(len(COLUMNS))


class CaseTable(RowModel):
    """A row for each case of the `preparer`, in its order."""

    heads = COLUMNS

    def __init__(self, preparer: Preparer, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._preparer = preparer
        preparer.listed.connect(self._reset)
        preparer.checked.connect(lambda number: self.tell_changed(number - 1, number - 1))
        preparer.decided.connect(lambda: self.tell_changed(0, len(preparer.cases) - 1))

    @property
    def row_number(self) -> int:
        return len(self._preparer.cases)

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


def _millimetres(size: tuple[float, ...]) -> str:
    return " × ".join(f"{mm:.3g}" for mm in size)


def case_view(table: CaseTable) -> QTableView:
    """The table as it is shown, without names at first."""
    view = row_table(table, "Cases and how they stand", sorts=False)
    view.setColumnHidden(NAME, True)
    return view
