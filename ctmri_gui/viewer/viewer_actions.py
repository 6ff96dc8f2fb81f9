"""The viewer's keys as Qt actions, and the menu of a pane."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QWidget

from ctmri_gui.viewer.keys import KEY_ACTIONS
from ctmri_gui.viewer.presets import Preset


def make_actions(owner: QWidget, handlers: Mapping[str, Callable[[], None]]) -> dict[str, QAction]:
    """One action per row of `KEY_ACTIONS`, working while the focus is inside `owner`. Handlers by the row's name."""
    actions = {}
    for row in KEY_ACTIONS:
        action = QAction(row.text, owner)
        action.setObjectName(row.name)
        action.setShortcuts([QKeySequence(key) for key in row.keys])
        action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        action.triggered.connect(_without_argument(handlers[row.name]))
        owner.addAction(action)
        actions[row.name] = action
    return actions


def pane_menu(
    owner: QWidget, presets: tuple[Preset, ...], apply: Callable[[str], None], common: tuple[QAction, ...], *extra: QAction
) -> QMenu:
    """Presets of the pane's modality with their keys, then what all panes offer. Deletes itself when closed."""
    menu = QMenu(owner)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    for preset in presets:
        action = menu.addAction(f"{preset.name}\t{preset.key}")
        action.triggered.connect(_without_argument(_bound(apply, preset.key)))
    menu.addSeparator()
    menu.addActions((*common, *extra))
    return menu


def _bound(function: Callable[[str], None], argument: str) -> Callable[[], None]:
    return lambda: function(argument)


def _without_argument(function: Callable[[], None]) -> Callable[..., None]:
    """`triggered` hands on a checked flag that no handler wants."""
    return lambda *_: function()
