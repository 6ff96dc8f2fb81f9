"""The list of measurements with their numbers, by volume."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import QEvent, QModelIndex, QPersistentModelIndex, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QAbstractItemView,
    QGridLayout,
    QHeaderView,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from ctmri_core.measuring.statistics import Sampling, Statistics
from ctmri_core.volume import Volume
from ctmri_gui.panels.small_parts import label
from ctmri_gui.viewer.measure import texts
from ctmri_gui.viewer.measure.measure_model import Item, MeasureModel
from ctmri_gui.viewer.measure.values import Values
from ctmri_gui.viewer.roles import Role

_INVITATION = (
    "Nothing is measured yet. Press D for a length, A for an angle, O for a region, then draw on a picture; Return puts one into "
    "the middle. The numbers of every image stand here."
)
_NUMBER = Qt.ItemDataRole.UserRole
_LEAST_LINES, _LARGE_LINE = 7, 24
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class MeasureDock(QWidget):
    """Shows what the model holds; selecting, naming and deleting go back to it."""

    goAsked = Signal(int)  # number of a measurement
    exportAsked = Signal()
    plotsAsked = Signal()

    def __init__(self, model: MeasureModel, values: Values, actions: Mapping[str, QAction]) -> None:
        super().__init__()
        self.setObjectName("measure_dock")
        self._model, self._values = model, values
        self._rows: dict[int, QTreeWidgetItem] = {}
        self._said: dict[int, tuple[object, ...]] = {}
        self._filling = False
        self._soon = QTimer(self, singleShot=True, interval=0)  # many changes of one drag are shown once
        self._soon.timeout.connect(self._show)
        self.invitation, self._legend = label(_INVITATION, "muted"), label(texts.LEGEND, "muted")
        self.tree = _Tree()
        self._lay_out(actions)
        model.changed.connect(self._soon.start)
        values.changed.connect(self._soon.start)
        self.tree.itemSelectionChanged.connect(self._on_selected)
        self.tree.itemChanged.connect(self._on_edited)
        self.tree.itemActivated.connect(lambda row, _column: self._ask_to_go(row))
        QShortcut(QKeySequence.StandardKey.Delete, self.tree, self._delete, context=Qt.ShortcutContext.WidgetShortcut)
        self.setFocusProxy(self.tree)
        self._show()

    def _lay_out(self, actions: Mapping[str, QAction]) -> None:
        self._buttons = {
            "go": _press("Go to", "Show where it was measured (Enter)", self._go),
            "rename": _press("Rename", "Give it another name (F2)", lambda: self.tree.edit_name()),
            "delete": _press("Delete", "Delete it (Del)", self._delete),
            "window": _press("Window", "Take the window of the pane from the selected region", actions["measure_window"].trigger),
            "plots": _press("Plots", "Profile along a line (P), joint histogram of two images (J)", self.plotsAsked.emit),
            "export": _press("Export", "Write all measurements as CSV or JSON", self.exportAsked.emit),
        }
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 8, 10, 10)
        column.setSpacing(6)
        self._grid = QGridLayout()
        self._grid.setSpacing(4)
        for part in (self.invitation, self.tree, self._legend):
            column.addWidget(part, 1 if part is self.tree else 0)
        column.addLayout(self._grid)
        column.addStretch(0)  # takes what is left while there is no list
        self._follow_font()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange and self.layout() is not None:
            self._follow_font()

    def _follow_font(self) -> None:
        """Large text has room for fewer buttons beside one another."""
        columns = 3 if self.fontMetrics().lineSpacing() < _LARGE_LINE else 2
        for place, press in enumerate(self._buttons.values()):
            self._grid.removeWidget(press)
            self._grid.addWidget(press, place // columns, place % columns)
        self.tree.setMinimumHeight(_LEAST_LINES * self.fontMetrics().lineSpacing())

    def _show(self) -> None:
        self._filling = True
        numbers = [item.number for item in self._model.items]
        if list(self._rows) != numbers:
            self.tree.clear()
            self._rows = {item.number: self._new_row(item) for item in self._model.items}
            self._said.clear()
        sampled = [self._fill(item) for item in self._model.items]
        chosen = self._model.selected
        self.tree.point_to(None if chosen is None else self._rows[chosen.number])
        self._filling = False
        self.invitation.setVisible(not numbers)
        self.tree.setVisible(bool(numbers))
        self._legend.setVisible(any(sampled))
        for name, press in self._buttons.items():
            region = chosen is not None and chosen.shape.kind.is_region
            press.setEnabled(bool(numbers) if name in ("export", "plots") else region if name == "window" else chosen is not None)

    def _new_row(self, item: Item) -> QTreeWidgetItem:
        row = QTreeWidgetItem(self.tree)
        row.setData(0, _NUMBER, item.number)
        row.setFlags(row.flags() | Qt.ItemFlag.ItemIsEditable)
        row.setTextAlignment(1, _RIGHT)
        row.setExpanded(True)
        return row

    def _fill(self, item: Item) -> bool:
        """Says what there is to be said of a measurement, where that has changed; whether a value of it was sampled."""
        measurement, row = item.measurement, self._rows[item.number]
        found, volumes = self._values.of(measurement), self._values.volumes_for(measurement)
        sampled = found is not None and any(one is not None and one.sampling is Sampling.SAMPLES for one in found.values())
        now = (measurement, found, volumes)
        if self._said.get(item.number) == now:
            return sampled
        self._said[item.number] = now
        _put(row, 0, measurement.name)
        _put(row, 1, texts.size_text(measurement.shape))
        lines = [texts.PENDING] if found is None else [_volume_text(role, volumes[role], found[role]) for role in found]
        drawn_on = volumes.get(Role(measurement.drawn_on))
        if drawn_on is not None and any(finding.serious for finding in drawn_on.findings):
            lines.append("△ Sizes are doubtful:\nsee the warning on the pane")
        while row.childCount() > len(lines):
            row.takeChild(row.childCount() - 1)
        for place, text in enumerate(lines):
            child = row.child(place) or QTreeWidgetItem(row)
            child.setData(0, _NUMBER, row.data(0, _NUMBER))
            child.setFirstColumnSpanned(True)
            _put(child, 0, text)
        return sampled

    def _on_selected(self) -> None:
        chosen = self.tree.selectedItems()
        if not self._filling and chosen:
            self._model.select(int(chosen[0].data(0, _NUMBER)))

    def _on_edited(self, row: QTreeWidgetItem, column: int) -> None:
        if not self._filling and column == 0 and row.parent() is None:
            self._model.rename(int(row.data(0, _NUMBER)), row.text(0))
            self._soon.start()  # an empty name is not taken

    def _ask_to_go(self, row: QTreeWidgetItem) -> None:
        self.goAsked.emit(int(row.data(0, _NUMBER)))

    def _go(self) -> None:
        if self._model.selected is not None:
            self.goAsked.emit(self._model.selected.number)

    def _delete(self) -> None:
        if self._model.selected is not None:
            self._model.remove(self._model.selected.number)


class _Tree(QTreeWidget):
    """Names can be edited, nothing else."""

    def __init__(self) -> None:
        super().__init__()
        self.setColumnCount(2)
        self.setHeaderHidden(True)
        self.setAccessibleName("Measurements")
        self.setAccessibleDescription("Enter goes there, F2 renames, Delete deletes.")
        self.setEditTriggers(QAbstractItemView.EditTrigger.EditKeyPressed | QAbstractItemView.EditTrigger.SelectedClicked)
        self.setIndentation(12)
        self.setUniformRowHeights(False)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.header().setStretchLastSection(False)
        self.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.header().setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)

    def point_to(self, row: QTreeWidgetItem | None) -> None:
        """A line below a measurement stays where it is chosen."""
        here = self.currentItem()
        if row is None:
            self.clearSelection()
        elif here is None or (here is not row and here.parent() is not row) or not self.selectedItems():
            self.setCurrentItem(row)

    def edit_name(self) -> None:
        row = self.currentItem()
        if row is not None:
            top = row.parent() or row
            self.setCurrentItem(top)
            self.setFocus()
            self.editItem(top, 0)

    def edit(self, index: QModelIndex | QPersistentModelIndex, trigger: QAbstractItemView.EditTrigger, event: QEvent) -> bool:  # type: ignore[override]  # Qt has two of that name
        allowed = index.isValid() and index.column() == 0 and not index.parent().isValid()
        return super().edit(index, trigger, event) if allowed else False


def _volume_text(role: Role, volume: Volume, found: Statistics | None) -> str:
    """Whose values; mean and spread; range and number of values. Short lines, for the list is narrow."""
    lines = [f"{role.label}, {volume.label}", texts.mean_text(found, volume.unit)]
    if found is not None:
        lines.append(f"{texts.range_text(found)}, {texts.count_text(found)}")
    return "\n".join(lines)


def _put(row: QTreeWidgetItem, column: int, text: str) -> None:
    if row.text(column) != text:
        row.setText(column, text)
        row.setToolTip(column, text)


def _press(words: str, tip: str, then: Callable[[], object]) -> QPushButton:
    made = QPushButton(words)
    made.setProperty("role", "small")
    made.setToolTip(tip)
    made.clicked.connect(lambda _checked=False: then())
    return made
