"""What models of tables have in common whose columns have names."""

from __future__ import annotations

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt

Index = QModelIndex | QPersistentModelIndex


class RowModel(QAbstractTableModel):
    """Rows under `heads`, none below another."""

    heads: tuple[str, ...] = ()

    @property
    def row_number(self) -> int:
        """How many rows there are."""
        raise NotImplementedError

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  # Qt's own default
        return 0 if parent.isValid() else self.row_number

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  # as above
        return 0 if parent.isValid() else len(self.heads)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        shown = orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole
        return self.heads[section] if shown and section < len(self.heads) else None

    def tell_changed(self, first: int, last: int) -> None:
        """The rows from `first` to `last` are shown anew."""
        if 0 <= first <= last < self.row_number:
            self.dataChanged.emit(self.index(first, 0), self.index(last, len(self.heads) - 1))
