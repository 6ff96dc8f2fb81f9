"""Which mask is changed by hand: the body of the source, or a mask that was opened; and which of its regions."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from ctmri_gui.viewer.body.bodies import Body
from ctmri_gui.viewer.compare.label_map import BODY, LabelMap
from ctmri_gui.viewer.compare.mask_model import MaskModel


class EditedMask(QObject):
    """`changed`: of the choice, or of what there is to choose from. Without a choice that is there, it is the body, or where
    that is not shown the first mask that is."""

    changed = Signal()

    def __init__(
        self, masks: MaskModel, body: Callable[[], Body | None], has_source: Callable[[], bool], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._masks, self._body, self._has_source = masks, body, has_source
        self._wanted, self._region = "", 1
        masks.changed.connect(self.changed)

    @property
    def names(self) -> tuple[str, ...]:
        """Of the masks that can be changed; the body first, shown or not."""
        others = tuple(mask.map.name for mask in self._masks.masks if mask.map.name != BODY)
        return (BODY, *others) if self._has_source() or not others else others

    @property
    def name(self) -> str:
        names = self.names
        if self._wanted in names:
            return self._wanted
        body_shown = any(mask.map.name == BODY for mask in self._masks.masks)
        return names[0] if body_shown or len(names) == 1 or BODY not in names else names[1]

    @property
    def is_body(self) -> bool:
        return self.name == BODY

    @property
    def target(self) -> Body | LabelMap | None:
        """What holds the labels; None of a body that was not looked for."""
        if self.is_body:
            return self._body()
        return next((mask.map for mask in self._masks.masks if mask.map.name == self.name), None)

    @property
    def regions(self) -> tuple[int, ...]:
        """The numbers that the file gives to the regions."""
        target = self.target
        return target.values if isinstance(target, LabelMap) else (1,)

    @property
    def called(self) -> tuple[str, ...]:
        """The regions by number and name."""
        target = self.target
        return tuple(map(target.called, range(1, len(target.values) + 1))) if isinstance(target, LabelMap) else ("1",)

    @property
    def region(self) -> int:
        """The chosen one, by its place from 1, as it stands in the labels."""
        return self._region if self._region <= len(self.regions) else 1

    def choose(self, name: str) -> None:
        self._wanted, self._region = name, 1
        self.changed.emit()

    def choose_region(self, region: int) -> None:
        self._region = region
        self.changed.emit()
