"""Tables of rows that are chosen as a whole."""

from __future__ import annotations

from PySide6.QtCore import QAbstractItemModel, Qt
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView


def row_table(shown: QAbstractItemModel, name: str, *, several: bool = False, sorts: bool = True) -> QTableView:
    """Columns as wide as what they hold. `name`: for those who hear it; `several`: whether more than one row can be chosen;
    `sorts`: whether a click on a heading sorts."""
    view = QTableView()
    modes = QAbstractItemView.SelectionMode
    view.setAccessibleName(name)
    view.setModel(shown)
    view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    view.setSelectionMode(modes.ExtendedSelection if several else modes.SingleSelection)
    view.setSortingEnabled(sorts)
    view.setShowGrid(False)
    view.setWordWrap(False)
    view.setTabKeyNavigation(False)
    view.setCornerButtonEnabled(False)
    view.verticalHeader().hide()
    view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
    view.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
    header = view.horizontalHeader()
    header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
    header.setStretchLastSection(True)
    header.setHighlightSections(False)
    header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    return view
