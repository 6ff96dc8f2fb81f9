"""The viewer's keys as Qt actions, and the menu of a pane."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QWidget

from ctmri_gui.viewer.keys import KEY_ACTIONS
from ctmri_gui.viewer.panes import PaneSpec, Plane
from ctmri_gui.viewer.presets import Preset
from ctmri_gui.viewer.roles import Role

_OF_WINDOWS = ("type_window", "measure_window", "reset_window", "edit_presets")
_COMMON = ("invert", "smooth", "toggle_text", "crosshair_tool", "scroll_tool", "neurological", "reset_views")


def make_actions(owner: QWidget, handlers: Mapping[str, Callable[..., None]]) -> dict[str, QAction]:
    """One action per row of `KEY_ACTIONS`, working while the focus is inside `owner`.

    Handlers by the row's name; that of a switch is told whether it is on now. What has none is connected by the part of the
    viewer that it belongs to.
    """
    actions = {}
    for row in KEY_ACTIONS:
        action = QAction(row.text, owner)
        action.setObjectName(row.name)
        action.setShortcuts([QKeySequence(key) for key in row.keys])
        action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        handler = handlers.get(row.name)
        if row.checked is not None:
            action.setCheckable(True)
            action.setChecked(row.checked)
        if handler is not None:
            action.triggered.connect(handler if row.checked is not None else _without_argument(handler))
        owner.addAction(action)
        actions[row.name] = action
    return actions


def name_presets(actions: Mapping[str, QAction], presets: tuple[Preset, ...]) -> None:
    """Gives the preset actions the names of one modality's presets; those it has not are hidden."""
    names = {f"preset_{preset.key}": preset.name for preset in presets if preset.key}
    for name, action in actions.items():
        if name.startswith("preset_"):
            action.setText(names.get(name, action.text()))
            action.setVisible(name in names)


def list_presets(
    menu: QMenu, presets: tuple[Preset, ...], apply: Callable[[str], None], actions: Mapping[str, QAction]
) -> None:  # fmt: skip
    """Each preset with what it shows and its key, then what else can be done about windows."""
    for preset in presets:
        key = actions[f"preset_{preset.key}"].shortcut() if preset.key else QKeySequence()
        words = f"{preset.name}  ({preset.words})".replace("&", "&&")
        action = menu.addAction(f"{words}\t{key.toString(QKeySequence.SequenceFormat.NativeText)}".rstrip())
        action.triggered.connect(_without_argument(partial(apply, preset.id)))
    menu.addSeparator()
    menu.addActions([actions[name] for name in _OF_WINDOWS])


def pane_menu(owner: QWidget, presets: tuple[Preset, ...], apply: Callable[[str], None], actions: Mapping[str, QAction]) -> QMenu:
    """Presets of the pane's modality with their keys, then what all panes offer. Deletes itself when closed."""
    menu = QMenu(owner)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    list_presets(menu, presets, apply, actions)
    menu.addSeparator()
    menu.addActions([actions[name] for name in _COMMON])
    return menu


def content_menu(menu: QMenu, shown: PaneSpec, roles: Iterable[Role], choose: Callable[[PaneSpec], None]) -> QMenu:
    """Which of the volumes `roles` a pane shows, and along which plane."""
    content = QMenu("Show in this pane", menu)
    for choices in (
        [(role.label, replace(shown, role=role), role is shown.role) for role in roles],
        [(plane.label, replace(shown, plane=plane), plane is shown.plane) for plane in Plane],
    ):
        content.addSeparator()
        for text, spec, is_shown in choices:
            action = content.addAction(text)
            action.setCheckable(True)
            action.setChecked(is_shown)
            action.triggered.connect(_without_argument(partial(choose, spec)))
    return content


def _without_argument(function: Callable[[], None]) -> Callable[..., None]:
    """`triggered` hands on a checked flag that no handler wants."""
    return lambda *_: function()
