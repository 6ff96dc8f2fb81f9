"""The measurements of the case on the screen: which there are, which is selected, which is being drawn."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial

from PySide6.QtCore import QObject, Signal

from ctmri_core.measuring.export import Measurement
from ctmri_core.measuring.shapes import Kind, Shape
from ctmri_gui.undo import History

LONGEST_NAME = 80


@dataclass(frozen=True)
class Item:
    """A measurement in the list. `number`: its own for as long as the program runs."""

    number: int
    measurement: Measurement

    @property
    def shape(self) -> Shape:
        return self.measurement.shape


@dataclass(eq=False)
class ItemList:
    """The measurements of one case; steps that are taken back change the list of their own case, shown or not."""

    items: tuple[Item, ...] = field(default=())


class MeasureModel(QObject):
    """Widgets ask here and render; what changes the list can be taken back.

    `draft`: the shape that is being drawn. `changed` follows any change of list, selection or draft; `selectionChanged` another
    selected measurement, and another shape of it.
    """

    changed = Signal()
    selectionChanged = Signal()

    def __init__(self, history: History, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._history = history
        self._list = ItemList()
        self._selected: int | None = None
        self._next = 1
        self.draft: Measurement | None = None

    @property
    def items(self) -> tuple[Item, ...]:
        return self._list.items

    @property
    def selected(self) -> Item | None:
        return self.item(self._selected)

    def item(self, number: int | None) -> Item | None:
        return next((item for item in self.items if item.number == number), None)

    def select(self, number: int | None) -> None:
        if number != self._selected:
            self._selected = number
            self.changed.emit()
            self.selectionChanged.emit()

    def select_next(self, step: int) -> None:
        """The one after (1) or before (-1) the selected one, around the ends."""
        if self.items:
            here = next((place for place, item in enumerate(self.items) if item.number == self._selected), None)
            place = (0 if step > 0 else -1) if here is None else (here + step) % len(self.items)
            self.select(self.items[place].number)

    def set_draft(self, draft: Measurement | None) -> None:
        if draft != self.draft:
            self.draft = draft
            self.changed.emit()

    def add(self, shape: Shape, drawn_on: str) -> Item:
        """Lists and selects a new measurement."""
        item = Item(self._next, Measurement(self._new_name(shape.kind), shape, drawn_on))
        self._next += 1
        self.draft = None
        self._put((*self.items, item), f"draw {item.measurement.name}")
        self.select(item.number)
        return item

    def remove(self, number: int) -> None:
        item = self.item(number)
        if item is not None:
            self._put(tuple(one for one in self.items if one is not item), f"delete {item.measurement.name}")

    def rename(self, number: int, name: str) -> None:
        """An empty name changes nothing."""
        name = " ".join(name.split())[:LONGEST_NAME]
        item = self.item(number)
        if item is not None and name and name != item.measurement.name:
            self._change(item, replace(item.measurement, name=name), f"rename {item.measurement.name}")

    def reshape(self, number: int, shape: Shape, *, merge: object = None) -> None:
        """`merge`: changes in succession with the same key are one step."""
        item = self.item(number)
        if item is not None and shape.points != item.shape.points:
            self._change(item, replace(item.measurement, shape=shape), f"change {item.measurement.name}", merge)

    def take(self) -> ItemList:
        """The list of the case on the screen, to be put back when that case is shown again."""
        return self._list

    def put(self, kept: object) -> None:
        """Shows the list of another case; an empty one for a case that has none yet."""
        self._list = kept if isinstance(kept, ItemList) else ItemList()
        self.draft = self._selected = None
        self.changed.emit()
        self.selectionChanged.emit()

    def _change(self, item: Item, measurement: Measurement, words: str, merge: object = None) -> None:
        self._put(tuple(replace(one, measurement=measurement) if one is item else one for one in self.items), words, merge)

    def _put(self, items: tuple[Item, ...], words: str, merge: object = None) -> None:
        mine, before = self._list, self._list.items
        self._show(mine, items)
        self._history.record(words, partial(self._show, mine, before), partial(self._show, mine, items), merge=merge)

    def _show(self, mine: ItemList, items: tuple[Item, ...]) -> None:
        before = self.selected
        mine.items = items
        if mine is not self._list:
            return
        if self.selected is None:
            self._selected = None
        self.changed.emit()
        if self.selected is not before:
            self.selectionChanged.emit()

    def _new_name(self, kind: Kind) -> str:
        names = {item.measurement.name for item in self.items}
        return next(name for n in range(1, len(names) + 2) if (name := f"{kind.value.capitalize()} {n}") not in names)
