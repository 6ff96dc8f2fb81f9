"""Comparing in the panes of the viewer: its keys, its menu, its models."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu

from ctmri_gui.viewer.compare.compare_contents import CompareContents
from ctmri_gui.viewer.compare.compare_menu import compare_menu, fill_choices, mask_menu
from ctmri_gui.viewer.compare.compare_model import CompareModel
from ctmri_gui.viewer.compare.held_key import HeldKey
from ctmri_gui.viewer.compare.mask_model import MaskModel

if TYPE_CHECKING:
    from ctmri_gui.viewer.linked_views import LinkedViews


class CompareViews(QObject):
    """Belongs to `views`, whose actions it connects."""

    def __init__(self, views: LinkedViews) -> None:
        super().__init__(views)
        self._views = views
        self.model, self.masks = CompareModel(views.model, self), MaskModel(self)
        self.contents = CompareContents(views.model, self.model, self.masks, views.contents, self._hold_keys)
        views.panesChanged.connect(lambda: self.contents.set_panes(views.panes))
        views.model.volumesChanged.connect(self._follow_volumes)
        self.masks.changed.connect(self._follow_masks)
        self.model.changed.connect(lambda _panes: self._follow_mode())
        views.activeChanged.connect(self._follow_mode)
        self.steppers: list[Callable[[int], bool]] = []
        """Asked in this order whether a step is for them, before masks and comparison."""
        self._connect_actions()

    def fill_menu(self, menu: QMenu, pane: str) -> None:
        """Adds what a pane's menu has of comparing."""
        menu.addMenu(compare_menu(menu, self.model, pane))
        menu.addMenu(mask_menu(menu, self.masks))

    def fill_choices(self, menu: QMenu, pane: str) -> None:
        """The same without menus within, but for the masks."""
        fill_choices(menu, self.model, pane)
        menu.addSeparator()
        menu.addMenu(mask_menu(menu, self.masks))

    def drag_window(self, pane: str, right: float, up: float) -> None:
        """A left drag: it changes the scale of a difference, else the window of the volume under it."""
        if not self.model.drag_limit(pane, right, up):
            self._views.model.drag_window(self.contents.windowed(pane), right, up)

    def _connect_actions(self) -> None:
        handlers = {
            "compare_next": lambda: self.model.cycle(self._pane),
            "compare_other": lambda: self.model.next_other(self._pane),
            "compare_less": partial(self._step, -1),
            "compare_toggle": self._toggle,
            "compare_more": partial(self._step, 1),
            "compare_turn": lambda: self.model.set_upright(self._pane, not self.model.of(self._pane).upright),
            "masks_style": self.masks.next_style,
        }
        for name, handler in handlers.items():
            self._action(name).triggered.connect(lambda _checked=False, call=handler: call())
        self._action("compare_next").triggered.connect(self._follow_mode)
        self._action("masks_shown").triggered.connect(self.masks.set_visible)
        self._action("invert").triggered.connect(lambda _on: self.contents.show_inverted())
        self._held = HeldKey(
            self._action("compare_hold"), lambda: self.model.hold(self._pane), lambda: self.model.hold(None)
        )

    def _action(self, name: str) -> QAction:
        return self._views.actions_by_name[name]

    @property
    def _pane(self) -> str:
        return self._views.active_pane

    def _hold_keys(self) -> str:
        keys = self._action("compare_hold").shortcuts()
        return " or ".join(key.toString(QKeySequence.SequenceFormat.NativeText) for key in keys) or "the key"

    @property
    def _acts_on_masks(self) -> bool:
        """Keys are for the masks where nothing is compared."""
        return bool(self.masks.masks) and not self.model.of(self._pane).active and not self.model.is_paused(self._pane)

    def _step(self, more: int) -> None:
        if any(step(more) for step in self.steppers):
            return
        if self._acts_on_masks:
            self.masks.step(more)
        else:
            self.model.step(self._pane, more)

    def _toggle(self) -> None:
        if self._acts_on_masks:
            self.masks.set_visible(not self.masks.visible)
        else:
            self.model.toggle(self._pane)

    def _follow_volumes(self) -> None:
        reference = self._views.model.reference
        self.masks.follow(None if reference is None else self._views.model.volumes[reference])
        self._follow_mode()

    def _follow_mode(self) -> None:
        """The action is ticked while the active pane compares."""
        able = self.model.partner(self._pane) is not None
        self._action("compare_next").setEnabled(able)
        self._action("compare_next").setChecked(able and self.model.of(self._pane).active)

    def _follow_masks(self) -> None:
        self._action("masks_shown").setChecked(self.masks.visible)
