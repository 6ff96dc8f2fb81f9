"""The cases of a batch as a Qt table, with a bar in the row of the one that runs."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QModelIndex, QObject, QRect, Qt
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem

from ctmri_core.events import CaseTold
from ctmri_gui.panels.row_model import Index, RowModel
from ctmri_gui.theme import current_palette, icon

COLUMNS = ("Scan", "State", "Time", "Model, or why not")
NAME, STATE, TIME, WHY = range(len(COLUMNS))
_STATES = {
    "waiting": ("waits", "pause"), "running": ("translating", "translate"), "done": ("done", "done"),
    "failed": ("failed", "error"), "asked about": ("asked about", "warning"), "skipped": ("left out", "info"),
}  # fmt: skip
"""What a person reads for each status, and the sign beside it."""
_BAR_HEIGHT = 4


class CaseTable(RowModel):
    """A row for each case in the order of the batch. `UserRole` gives the `CaseTold`."""

    heads = COLUMNS

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: list[CaseTold] = []
        self._places: dict[str, int] = {}

    @property
    def cases(self) -> tuple[CaseTold, ...]:
        return tuple(self._rows)

    def clear(self) -> None:
        self.take(())

    def take(self, told: Iterable[CaseTold]) -> None:
        """These and no others."""
        self.beginResetModel()
        self._rows = list(told)
        self._places = {case.name: row for row, case in enumerate(self._rows)}
        self.endResetModel()

    def hear(self, told: CaseTold) -> None:
        """How one case stands now; a new one comes last."""
        row = self._places.get(told.name)
        if row is None:
            last = len(self._rows)
            self.beginInsertRows(QModelIndex(), last, last)
            self._rows.append(told)
            self._places[told.name] = last
            self.endInsertRows()
        else:
            self._rows[row] = told
            self.tell_changed(row, row)

    def end(self) -> None:
        """Nothing runs any more: what did waits for the next time."""
        for case in self._rows:
            if case.status == "running":
                self.hear(case.model_copy(update={"status": "waiting", "share": None, "reason": ""}))

    @property
    def row_number(self) -> int:
        return len(self._rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid():
            return None
        case, column = self._rows[index.row()], index.column()
        text = _text(case, column)
        if role == Qt.ItemDataRole.DisplayRole:
            return text
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{COLUMNS[column]}: {text or 'none'}"
        if role == Qt.ItemDataRole.ToolTipRole:
            return case.reason or (f"Result: {case.output}" if case.output else case.name)
        if role == Qt.ItemDataRole.DecorationRole and column == STATE:
            return icon(_STATES.get(case.status, ("", "info"))[1], _colour(case.status))
        if role == Qt.ItemDataRole.TextAlignmentRole and column == TIME:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return case if role == Qt.ItemDataRole.UserRole else None


class BarUnderState(QStyledItemDelegate):
    """Draws how far a running case is beneath the word."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        super().paint(painter, option, index)
        case = index.data(Qt.ItemDataRole.UserRole)
        if case.status != "running" or case.share is None:
            return
        area: QRect = option.rect
        bar = QRect(area.left(), area.bottom() - _BAR_HEIGHT, round(area.width() * case.share), _BAR_HEIGHT)
        painter.fillRect(bar, QColor(current_palette().accent))


def state_words(status: str) -> str:
    """`waits`, `done`, `left out`: what a person reads."""
    return _STATES.get(status, (status, ""))[0]


def _text(case: CaseTold, column: int) -> str:
    if column == NAME:
        return case.name
    if column == STATE:
        share = f" {case.share:.0%}" if case.status == "running" and case.share else ""
        return state_words(case.status) + share
    if column == TIME:
        return _clock(case.seconds) if case.seconds is not None else ""
    return case.reason or case.model


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"


def _colour(status: str) -> str:
    colours = current_palette()
    named = {"done": colours.good, "failed": colours.error, "asked about": colours.warning, "running": colours.accent}
    return named.get(status, colours.muted)
