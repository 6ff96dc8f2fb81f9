"""Masks and labels that are begun in the window, and masks that are taken away: each a step that can be taken back."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QObject

from ctmri_core.labels.label_table import BACKGROUND, IGNORE
from ctmri_core.volume import Volume
from ctmri_gui.undo import History
from ctmri_gui.viewer.body.edited_mask import EditedMask
from ctmri_gui.viewer.compare.label_map import BODY, LabelMap, empty_map
from ctmri_gui.viewer.compare.mask_model import Mask, MaskModel

_DRAWN = "Drawing"
_THERE = "This mask has a label of that name already."
_RESERVED = "labelme means something else by this name. Choose another one."


class NewLabels(QObject):
    """What is begun is chosen to be changed."""

    def __init__(self, masks: MaskModel, edited: EditedMask, history: History, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._masks, self._edited, self._history = masks, edited, history
        masks.takenAway.connect(self._record_loss)

    def refusal(self, name: str, *, new_mask: bool) -> str:
        """Why a label cannot be called so, or ""."""
        target = self._edited.target
        there = target.names.values() if isinstance(target, LabelMap) and not new_mask else ()
        if name in (BACKGROUND, IGNORE):
            return _RESERVED
        return _THERE if name in there else ""

    def begin_mask(self, over: Volume, label: str) -> None:
        """An empty one on the voxels of `over`, with one label."""
        taken, number = {mask.map.name for mask in self._masks.masks}, 1
        while f"{_DRAWN} {number}" in taken:
            number += 1
        name = f"{_DRAWN} {number}"
        made = empty_map(over.geometry, name, label)
        self._masks.add(made, over)
        self._edited.choose(name)
        self._history.record(f"new mask {name}", partial(self._masks.remove, name), partial(self._masks.add, made, over))

    def begin_label(self, label: str) -> None:
        """One more in the chosen mask. Raises `NoMask` where it can have no more."""
        before = self._edited.target
        if not isinstance(before, LabelMap):
            return
        after = before.with_region(label)
        self._masks.replace_map(after)
        self._edited.choose_region(len(after.values))
        self._history.record(f"new label in {after.name}", partial(self._back, before), partial(self._masks.replace_map, after))

    def _back(self, before: LabelMap) -> None:
        self._masks.replace_map(before)

    def _record_loss(self, mask: Mask) -> None:
        if mask.map.name != BODY:  # that is only hidden
            name = mask.map.name
            self._history.record(f"take away {name}", partial(self._masks.add, mask.map), partial(self._masks.remove, name))
