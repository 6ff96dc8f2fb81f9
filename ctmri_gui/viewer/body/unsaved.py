"""Which masks were changed by hand and not saved since: closing would lose work of hours."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from weakref import ReferenceType, ref

from ctmri_core.volume import Volume
from ctmri_gui.viewer.body.bodies import Bodies, Body, Labels
from ctmri_gui.viewer.compare.label_map import BODY, LabelMap
from ctmri_gui.viewer.compare.mask_model import MaskModel


class UnsavedMasks:
    """Told apart by their labels, which are changed where they lie."""

    def __init__(self, masks: MaskModel, bodies: Bodies) -> None:
        self._masks, self._bodies = masks, bodies
        self._drawn: dict[int, tuple[ReferenceType[Labels], int]] = {}
        self._being_saved: dict[Path, tuple[int, int]] = {}

    def drawn(self, target: Body | LabelMap) -> None:
        """Something of it was changed."""
        key = id(target.labels)
        self._drawn[key] = ref(target.labels, lambda _gone: self._drawn.pop(key, None)), self._count(key) + 1

    def saving(self, target: Body | LabelMap, path: Path) -> None:
        """As it is now, into this file."""
        key = id(target.labels)
        self._being_saved[path] = key, self._count(key)

    def saved(self, path: Path) -> None:
        """What was drawn meanwhile is not in the file."""
        for name in (path, path.with_name(f"{path.name}.json")):  # labelme files of all slices get a folder
            key, count = self._being_saved.pop(name, (0, -1))
            if count == self._count(key):
                self._drawn.pop(key, None)

    def over(self, volumes: Iterable[Volume | None]) -> tuple[str, ...]:
        """What is called so over any of `volumes` would be lost with them."""
        names: dict[str, None] = {}
        for volume in volumes:
            if volume is None:
                continue
            names |= dict.fromkeys(mask.map.name for mask in self._masks.over(volume) if self._lost(mask.map.labels))
            body = self._bodies.of(volume)
            if body is not None and body.by_hand and self._lost(body.labels):
                names[BODY] = None
        return tuple(names)

    def _lost(self, labels: Labels) -> bool:
        return self._count(id(labels)) > 0 and bool(labels.any())

    def _count(self, key: int) -> int:
        return self._drawn[key][1] if key in self._drawn else 0
