"""The runs as a Qt table."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, QSortFilterProxyModel, Qt

from ctmri_core.training.runs import RunSummary
from ctmri_gui.panels.row_model import Index, RowModel
from ctmri_gui.theme import current_palette, icon
from ctmri_gui.training.history.run_words import COLUMNS, STATES, about, cells, keys

NEWEST_FIRST = COLUMNS.index("Begun")
_STATE = COLUMNS.index("State")
_NUMBERS = {COLUMNS.index(name) for name in ("Best", "Steps", "Duration")}


class RunTable(RowModel):
    """A row for each run. `UserRole` gives the `RunSummary`."""

    heads = COLUMNS

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.runs: tuple[RunSummary, ...] = ()
        self._cells: tuple[tuple[str, ...], ...] = ()
        self.keys: tuple[tuple[str | float, ...], ...] = ()

    def take(self, runs: Sequence[RunSummary]) -> None:
        self.beginResetModel()
        self.runs = tuple(runs)
        self._cells, self.keys = tuple(map(cells, runs)), tuple(map(keys, runs))
        self.endResetModel()

    @property
    def row_number(self) -> int:
        return len(self.runs)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid():
            return None
        run, column = self.runs[index.row()], index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return self._cells[index.row()][column]
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{COLUMNS[column]}: {self._cells[index.row()][column] or 'none'}"
        if role == Qt.ItemDataRole.ToolTipRole:
            return about(run)
        if role == Qt.ItemDataRole.DecorationRole and column == _STATE:
            return icon(STATES[run.state][1], _colour(run))
        if role == Qt.ItemDataRole.TextAlignmentRole and column in _NUMBERS:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return run if role == Qt.ItemDataRole.UserRole else None


class SortedRuns(QSortFilterProxyModel):
    """Sorted by what columns mean, filtered by words that may stand in any of them."""

    def __init__(self, table: RunTable, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._table = table
        self._words: list[str] = []
        self.setSourceModel(table)

    def look_for(self, text: str) -> None:
        """Every word of `text` must stand somewhere in a row."""
        self._words = text.casefold().split()
        self.invalidate()

    def filterAcceptsRow(self, row: int, _parent: Index) -> bool:
        text = " ".join(cells(self._table.runs[row])).casefold()
        return all(word in text for word in self._words)

    def lessThan(self, left: Index, right: Index) -> bool:
        one, other = (self._table.keys[index.row()][index.column()] for index in (left, right))
        return one < other  # type: ignore[operator]  # one column holds one type


def _colour(run: RunSummary) -> str:
    colours = current_palette()
    named = {"done": colours.good, "error": colours.error, "warning": colours.warning, "translate": colours.accent}
    return named.get(STATES[run.state][1], colours.muted)
