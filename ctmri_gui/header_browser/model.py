"""Header entries as a tree for Qt, patient data hidden unless asked for, and the filter over it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QPersistentModelIndex, QSortFilterProxyModel, Qt
from PySide6.QtGui import QColor

from ctmri_core.io.header_entry import HeaderEntry
from ctmri_gui.theme import current_palette

Index = QModelIndex | QPersistentModelIndex
COLUMNS = ("Field", "Name", "Type", "Value")
TYPE, VALUE = 2, 3
_NOWHERE = QModelIndex()


class HeaderModel(QAbstractItemModel):
    """One row for each entry, below the one it belongs to. A hidden value is in no role of the model."""

    def __init__(self) -> None:
        super().__init__()
        self._entries: tuple[HeaderEntry, ...] = ()
        self._differing: frozenset[int] = frozenset()
        self._above: list[int] = []  # for each entry the one it belongs to, -1 at the top
        self._below: dict[int, list[int]] = {-1: []}
        self._row: list[int] = []
        self._identifying = False

    @property
    def entries(self) -> tuple[HeaderEntry, ...]:
        return self._entries

    @property
    def hidden_count(self) -> int:
        """How many values are not shown."""
        return 0 if self._identifying else sum(entry.safe_value != entry.value for entry in self._entries)

    def set_header(self, entries: Sequence[HeaderEntry], differing: frozenset[int] = frozenset()) -> None:
        """`differing`: places of entries that the header of another slice has not, or with another value."""
        self.beginResetModel()
        self._entries, self._differing = tuple(entries), differing
        self._above, self._row, self._below = [], [], {-1: []}
        way: list[int] = []
        for n, entry in enumerate(self._entries):
            del way[entry.depth :]
            above = way[-1] if way else -1
            siblings = self._below.setdefault(above, [])
            self._above.append(above)
            self._row.append(len(siblings))
            siblings.append(n)
            way.append(n)
        self.endResetModel()

    def set_identifying(self, shown: bool) -> None:
        """Whether patient data are shown."""
        if shown != self._identifying:
            self.beginResetModel()
            self._identifying = shown
            self.endResetModel()

    def value(self, index: Index) -> str | None:
        """The value of a row as it is shown; None where it is hidden."""
        entry = self._entries[index.internalId()]
        return entry.value if self._identifying or not entry.identifying else None

    def differs(self, index: Index) -> bool:
        return index.internalId() in self._differing

    def texts(self, index: Index) -> tuple[str, str, str, str]:
        """What the columns of a row show."""
        entry = self._entries[index.internalId()]
        return entry.tag, entry.name, entry.kind, entry.value if self._identifying else entry.safe_value

    # What Qt asks for

    def index(self, row: int, column: int, parent: Index = _NOWHERE) -> QModelIndex:
        below = self._below.get(parent.internalId() if parent.isValid() else -1, [])
        return (
            self.createIndex(row, column, below[row]) if 0 <= row < len(below) and 0 <= column < len(COLUMNS) else QModelIndex()
        )

    def parent(self, child: Index = _NOWHERE) -> QModelIndex:  # type: ignore[override]  # QObject has another one without argument
        above = self._above[child.internalId()] if child.isValid() else -1
        return QModelIndex() if above < 0 else self.createIndex(self._row[above], 0, above)

    def rowCount(self, parent: Index = _NOWHERE) -> int:
        if parent.column() > 0:
            return 0
        return len(self._below.get(parent.internalId() if parent.isValid() else -1, []))

    def columnCount(self, parent: Index = _NOWHERE) -> int:  # noqa: ARG002  # Qt's signature
        return len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[section]
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid():
            return None
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return self.texts(index)[index.column()]
        if role == Qt.ItemDataRole.ForegroundRole and index.column() == VALUE and self.value(index) is None:
            return QColor(current_palette().muted)
        return None


class HeaderFilter(QSortFilterProxyModel):
    """Rows that hold the words in any column as shown, with what they belong to and what belongs to them."""

    def __init__(self, model: HeaderModel) -> None:
        super().__init__()
        self._words: list[str] = []
        self._only_differing = False
        self._model = model
        self.setSourceModel(model)
        self.setRecursiveFilteringEnabled(True)
        self.setAutoAcceptChildRows(True)

    def set_words(self, text: str) -> None:
        self._words = text.casefold().split()
        self.invalidate()

    def set_only_differing(self, only: bool) -> None:
        """Only what differs from the other slice."""
        self._only_differing = only
        self.setAutoAcceptChildRows(not only)
        self.invalidate()

    def filterAcceptsRow(self, row: int, parent: Index) -> bool:
        index = self._model.index(row, 0, parent)
        if self._only_differing and not self._model.differs(index):
            return False
        text = " ".join(self._model.texts(index)).casefold()
        return all(word in text for word in self._words)
