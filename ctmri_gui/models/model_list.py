"""The library of models as a Qt list."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from ctmri_gui.models.library import Library
from ctmri_gui.theme import icon

if TYPE_CHECKING:
    from ctmri_core.model_card import ModelCard, ModelEntry

Index = QModelIndex | QPersistentModelIndex


class ModelList(QAbstractListModel):
    """One row a model file that translates: name, direction, region and standing. Files that cannot be used are listed with their
    problem; models that outline are offered where bodies are.
    """

    def __init__(self, library: Library, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._library = library
        self._entries: tuple[ModelEntry, ...] = _translating(library)
        library.changed.connect(self._reload)
        library.markedChanged.connect(self._tell_marks)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  # Qt's own default
        return 0 if parent.isValid() else len(self._entries)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid():
            return None
        entry = self._entries[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return "\n".join((self._title(entry), self._standing(entry)))
        if role == Qt.ItemDataRole.ToolTipRole:
            return entry.problem or (_told(entry.card) if entry.card is not None else "")
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{self._title(entry)}, {self._standing(entry)}"
        if role == Qt.ItemDataRole.DecorationRole:
            return icon("model" if entry.card is not None else "error")
        if role == Qt.ItemDataRole.CheckStateRole and entry.card is not None:
            return Qt.CheckState.Checked if self._library.is_marked(entry) else Qt.CheckState.Unchecked
        return entry if role == Qt.ItemDataRole.UserRole else None

    def flags(self, index: Index) -> Qt.ItemFlag:
        if index.isValid() and self._entries[index.row()].card is None:
            return Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemNeverHasChildren
        return super().flags(index) | Qt.ItemFlag.ItemIsUserCheckable

    def setData(self, index: Index, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """A tick: the model is to be compared with the others that have one."""
        if role != Qt.ItemDataRole.CheckStateRole:
            return False
        self._library.mark(self._entries[index.row()], Qt.CheckState(value) is Qt.CheckState.Checked)
        return True

    def row_of(self, entry: ModelEntry | None) -> int:
        """The row of `entry`, or -1."""
        return self._entries.index(entry) if entry in self._entries else -1

    def _title(self, entry: ModelEntry) -> str:
        if entry.card is None:
            return entry.path.name
        names = [other.card.name for other in self._entries if other.card is not None]
        alone = names.count(entry.card.name) == 1
        return entry.card.name if alone else f"{entry.card.name} ({self._library.run_of(entry) or entry.path.stem})"

    def _standing(self, entry: ModelEntry) -> str:
        if entry.card is None:
            return "cannot be used"
        if self._library.run_of(entry):
            return " · ".join((entry.card.direction.label, entry.card.body_region, "your run"))
        kind = "shipped" if self._library.is_shipped(entry) else "unverified"
        words = [entry.card.direction.label, entry.card.body_region, "demonstration" if entry.card.demo else kind]
        return " · ".join((*words, *(["non-commercial"] if entry.card.noncommercial else [])))

    def _tell_marks(self) -> None:
        if self._entries:
            self.dataChanged.emit(self.index(0), self.index(len(self._entries) - 1), [Qt.ItemDataRole.CheckStateRole])

    def _reload(self) -> None:
        self.beginResetModel()
        self._entries = _translating(self._library)
        self.endResetModel()


def _told(card: ModelCard) -> str:
    """Rich text, as only that is wrapped: what it is, and what it cannot do."""
    return "".join(f"<p>{escape(words)}</p>" for words in (card.summary, card.limitations) if words)


def _translating(library: Library) -> tuple[ModelEntry, ...]:
    return tuple(entry for entry in library.entries if entry.card is None or not entry.card.outlines)
