"""The scores of every case as a Qt table, sorted by any column and filtered by centre and model."""

from __future__ import annotations

import math
from dataclasses import dataclass

from PySide6.QtCore import QObject, QSortFilterProxyModel, Qt

from ctmri_core.evaluation.results import CaseScores, Evaluation, Kind
from ctmri_core.evaluation.summary import value_of
from ctmri_gui.evaluation.figures import NOTHING, Words, number, scored_keys
from ctmri_gui.panels.row_model import Index, RowModel
from ctmri_gui.theme import current_palette, icon

CASE, MODEL = range(2)
_BEFORE = ("Case", "Model", "Centre")
_AFTER = ("Worst slice", "Seconds", "Note")


@dataclass(frozen=True)
class CaseRow:
    """One model on one case. `scores`: None where there are none, and `note` says why."""

    case: int
    model: int
    label: str
    model_name: str
    centre: str
    scores: CaseScores | None
    note: str

    @property
    def key(self) -> tuple[int, int]:
        return self.case, self.model


class CaseTable(RowModel):
    """A row for each case and model, those without scores too. `UserRole` gives the `CaseRow`."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.rows: tuple[CaseRow, ...] = ()
        self.metrics: tuple[str, ...] = ()
        self.heads: tuple[str, ...] = (*_BEFORE, *_AFTER)
        self._tips: tuple[str, ...] = ()
        self._units: tuple[str, ...] = ()
        self._kind: Kind = "translation"

    def take(self, evaluation: Evaluation, kind: Kind) -> None:
        self.beginResetModel()
        words = Words(evaluation)
        self._kind = kind
        self.metrics = scored_keys(evaluation, kind)
        self.heads = (*_BEFORE, *(words.title(key, kind) for key in self.metrics), *_AFTER)
        self._tips = ("",) * len(_BEFORE) + tuple(words.about(key, kind) for key in self.metrics) + ("",) * len(_AFTER)
        self._units = tuple(words.unit(key, kind) for key in self.metrics)
        self.rows = tuple(_rows(evaluation))
        self.endResetModel()

    def row_of(self, case: int, model: int) -> int:
        """-1 where there is none."""
        return next((place for place, row in enumerate(self.rows) if row.key == (case, model)), -1)

    def value(self, row: CaseRow, column: int) -> str | float:
        """By which the column is sorted; numbers that are not there come last."""
        if column < len(_BEFORE):
            return (row.case, row.model, row.centre.casefold())[column]
        place = column - len(_BEFORE)
        if place < len(self.metrics):
            found = None if row.scores is None else value_of(row.scores, self._kind, self.metrics[place])
            return math.inf if found is None else found
        after = place - len(self.metrics)
        if after == len(_AFTER) - 1:
            return row.note.casefold()
        found = None if row.scores is None else (row.scores.worst_slice, row.scores.seconds)[after]
        return math.inf if found is None else found

    @property
    def row_number(self) -> int:
        return len(self.rows)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if role == Qt.ItemDataRole.ToolTipRole and orientation is Qt.Orientation.Horizontal and section < len(self.heads):
            return (self._tips[section] if section < len(self._tips) else "") or "Click to sort"
        return super().headerData(section, orientation, role)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid():
            return None
        row, column = self.rows[index.row()], index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(row, column)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{self.heads[column]}: {self._text(row, column) or 'none'}"
        if role == Qt.ItemDataRole.ToolTipRole:
            return row.note or "Double click or Enter: look at it in the viewer, at its worst slice"
        if role == Qt.ItemDataRole.DecorationRole and column == CASE and row.note:
            return icon("warning", current_palette().warning)
        if role == Qt.ItemDataRole.TextAlignmentRole and len(_BEFORE) <= column < len(self.heads) - 1:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return row if role == Qt.ItemDataRole.UserRole else None

    def _text(self, row: CaseRow, column: int) -> str:
        if column < len(_BEFORE):
            return (row.label, row.model_name, row.centre)[column]
        place = column - len(_BEFORE)
        if place < len(self.metrics):
            found = None if row.scores is None else value_of(row.scores, self._kind, self.metrics[place])
            return number(found, self._units[place])
        after = place - len(self.metrics)
        if after == len(_AFTER) - 1:
            return row.note
        if row.scores is None:
            return NOTHING
        if after == 0:
            return NOTHING if row.scores.worst_slice is None else str(row.scores.worst_slice + 1)
        return number(row.scores.seconds, "s")


class SortedCases(QSortFilterProxyModel):
    """Those of one centre and one model; empty and 0: all."""

    def __init__(self, table: CaseTable, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._table = table
        self._centre, self._model = "", 0
        self.setSourceModel(table)

    def look_for(self, centre: str, model: int) -> None:
        self._centre, self._model = centre, model
        self.invalidate()

    def filterAcceptsRow(self, row: int, _parent: Index) -> bool:
        one = self._table.rows[row]
        return self._centre in ("", one.centre) and self._model in (0, one.model)

    def lessThan(self, left: Index, right: Index) -> bool:
        one, other = (self._table.value(self._table.rows[index.row()], index.column()) for index in (left, right))
        if math.inf in (one, other) and one != other:  # what is not there comes last, whichever way it is sorted
            return (one == math.inf) is (self.sortOrder() is Qt.SortOrder.DescendingOrder)
        return one < other  # type: ignore[operator]  # one column holds one type


def _rows(evaluation: Evaluation) -> list[CaseRow]:
    scores = {(one.model, one.case): one for one in evaluation.scores}
    rows = []
    for case in evaluation.cases:
        for model in evaluation.models:
            found = scores.get((model.number, case.number))
            note = found.left_out if found is not None else _why(evaluation, case.number, model.number)
            rows.append(CaseRow(case.number, model.number, case.label, model.name, case.centre, found, note))
    return rows


def _why(evaluation: Evaluation, case: int, model: int) -> str:
    """Why there are no scores."""
    fitting = [one for one in evaluation.problems if one.case == case and one.model in (None, model)]
    words = [one.message for one in fitting if one.left_out] or [one.message for one in fitting]
    return words[0] if words else "no scores: it was stopped before" if not evaluation.finished else "no scores"
