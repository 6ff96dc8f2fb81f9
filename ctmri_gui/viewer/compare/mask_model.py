"""Which masks lie over the pictures, and how."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from enum import StrEnum
from weakref import ReferenceType, WeakKeyDictionary, ref

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from ctmri_core.volume import Volume
from ctmri_gui.viewer.compare.label_map import LabelMap

# Told apart by eyes of every kind (after Okabe and Ito, without their black), and bright enough for a black ground.
COLOURS = ("#e69f00", "#56b4e9", "#f0e442", "#cc79a7", "#00b884", "#ff7f32", "#3d8eff", "#f5f5f5")
_OPACITY_STEP = 0.1


class MaskStyle(StrEnum):
    """How regions are drawn."""

    FILL = "Filled"
    CONTOUR = "Contours"
    BOTH = "Filled with contours"


@dataclass(frozen=True, eq=False)
class Mask:
    """A label map on the screen. `colours`: of its regions, by their places in `COLOURS`, counted on without end."""

    map: LabelMap
    colours: tuple[int, ...]
    visible: bool = True

    def colour(self, index: int) -> str:
        """Of the region at place `index` (from 1)."""
        return COLOURS[self.colours[index - 1] % len(COLOURS)]

    def table(self, opacity: float) -> NDArray[np.uint32]:
        """(512,): 0xAARRGGBB, premultiplied; by place the filled regions, and from 256 on their contours, which nothing shows
        through."""
        table = np.zeros(512, np.uint32)
        for index in range(1, len(self.map.values) + 1):
            red, green, blue = bytes.fromhex(self.colour(index)[1:])
            table[index] = _premultiplied(red, green, blue, opacity)
            table[256 + index] = _premultiplied(red, green, blue, 1.0)
        return table


class MaskModel(QObject):
    """Masks belong to the volume that they were put over, and come back with it. Style and opacity are one for all of them."""

    changed = Signal()
    takenAway = Signal(object)  # Mask that a person takes away, which may be wanted back

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.masks: tuple[Mask, ...] = ()
        self._kept: WeakKeyDictionary[Volume, tuple[Mask, ...]] = WeakKeyDictionary()
        self._volume: ReferenceType[Volume] | None = None
        self.style = MaskStyle.BOTH
        self.opacity = 0.35
        self.visible = True

    @property
    def shown(self) -> tuple[Mask, ...]:
        return tuple(mask for mask in self.masks if mask.visible) if self.visible else ()

    def over(self, volume: Volume) -> tuple[Mask, ...]:
        """Those that belong to a volume, shown or not."""
        shown = None if self._volume is None else self._volume()
        return self.masks if volume is shown else self._kept.get(volume, ())

    def follow(self, volume: Volume | None) -> None:
        """The volume over which masks lie now. Another reading of the same file keeps those that it had."""
        before = None if self._volume is None else self._volume()
        if volume is before:
            return
        if before is not None:
            self._kept[before] = self.masks
        self._volume = None if volume is None else ref(volume)
        had = self.masks
        self.masks = () if volume is None else self._kept.get(volume, ())
        if not self.masks and _same_file(before, volume):
            self.masks = had
        if self.masks or had:
            self.changed.emit()

    def add(self, label_map: LabelMap, over: Volume | None = None) -> None:
        """Over the others; one of the same name is replaced. `over`: the volume that it was meant for, which need not be shown
        any more: it waits there then."""
        shown = None if self._volume is None else self._volume()
        if over is not None and over is not shown and not _same_file(over, shown):
            self._kept[over] = _with(self._kept.get(over, ()), label_map)
            return
        self.masks = _with(self.masks, label_map)
        self.visible = True
        self.changed.emit()

    def redraw(self, name: str) -> None:
        """Its labels were changed where they lie."""
        self.masks = tuple(replace(mask) if mask.map.name == name else mask for mask in self.masks)
        self.changed.emit()

    def replace_map(self, label_map: LabelMap) -> None:
        """The one of the same name has other regions now; those that it keeps keep their colours."""
        self.masks = tuple(
            _recoloured(mask, label_map, self.masks) if mask.map.name == label_map.name else mask for mask in self.masks
        )
        self.changed.emit()

    def remove(self, name: str) -> None:
        self.masks = tuple(mask for mask in self.masks if mask.map.name != name)
        self.changed.emit()

    def take_away(self, name: str) -> None:
        """As somebody asks for it."""
        gone = [mask for mask in self.masks if mask.map.name == name]
        self.remove(name)
        for mask in gone:
            self.takenAway.emit(mask)

    def set_mask_visible(self, name: str, visible: bool) -> None:
        self.masks = tuple(
            replace(mask, visible=visible) if mask.map.name == name else mask for mask in self.masks
        )
        self.changed.emit()

    def set_style(self, style: MaskStyle) -> None:
        self.style = style
        self.changed.emit()

    def next_style(self) -> None:
        styles = list(MaskStyle)
        self.set_style(styles[(styles.index(self.style) + 1) % len(styles)])

    def set_visible(self, visible: bool) -> None:
        self.visible = visible
        self.changed.emit()

    def step(self, more: int) -> None:
        """More (+1) or less (-1) of the fill."""
        self.opacity = min(max(round(self.opacity + more * _OPACITY_STEP, 2), 0.05), 1.0)
        self.changed.emit()


def _with(masks: tuple[Mask, ...], label_map: LabelMap) -> tuple[Mask, ...]:
    others = tuple(mask for mask in masks if mask.map.name != label_map.name)
    return *others, Mask(label_map, _free_colours(others, len(label_map.values)))


def _recoloured(mask: Mask, label_map: LabelMap, masks: tuple[Mask, ...]) -> Mask:
    kept = mask.colours[: len(label_map.values)]
    return replace(mask, map=label_map, colours=(*kept, *_free_colours(masks, len(label_map.values) - len(kept))))


def _free_colours(masks: tuple[Mask, ...], count: int) -> tuple[int, ...]:
    """The first that no region of `masks` has."""
    taken = {colour for mask in masks for colour in mask.colours}
    free = (colour for colour in itertools.count() if colour not in taken)
    return tuple(itertools.islice(free, count))


def _same_file(one: Volume | None, other: Volume | None) -> bool:
    if one is None or other is None or one.path is None:
        return False
    return one.path == other.path and one.geometry.is_close(other.geometry)


def _premultiplied(red: int, green: int, blue: int, opacity: float) -> int:
    alpha = round(255 * opacity)
    red, green, blue = (round(channel * opacity) for channel in (red, green, blue))
    return alpha << 24 | red << 16 | green << 8 | blue
