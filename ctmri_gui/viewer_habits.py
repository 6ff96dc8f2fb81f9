"""What a user is used to in the viewer, between start and start: presets, what their keys mean, and steps to take back."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QWidget

from ctmri_gui.settings import Settings
from ctmri_gui.shortcuts.bindings import Bindings
from ctmri_gui.undo import History
from ctmri_gui.viewer.linked_views import LinkedViews
from ctmri_gui.viewer.preset_book import PRESET_KEYS, PresetKind
from ctmri_gui.viewer.preset_editor.preset_dialog import PresetDialog
from ctmri_gui.viewer.window_steps import WindowSteps

_PRESETS, _WHEEL = "window_presets", "wheel_inverted"
_SWITCHES = ("neurological", "nose_right", "smooth")
"""Switches of the viewer that are settings as well, of the same name."""


class ViewerHabits(QObject):
    """Ties the viewer to settings, keys and history. `edit_presets` opens their dialog."""

    def __init__(self, views: LinkedViews, settings: Settings, bindings: Bindings, history: History, window: QWidget) -> None:
        super().__init__(window)
        self._views, self._settings, self._bindings, self._window = views, settings, bindings, window
        self._book = views.model.presets
        self._window_steps = WindowSteps(views.model, history, self)
        self._book.changed.connect(self._describe)
        bindings.changed.connect(self._follow_panes)
        for name in _SWITCHES:
            views.actions_by_name[name].toggled.connect(partial(settings.__setitem__, name))
        settings.changed.connect(self._read)
        views.panesChanged.connect(self._follow_panes)
        views.actions_by_name["edit_presets"].triggered.connect(lambda _checked=False: self.edit_presets())
        self._follow_panes()
        self._describe()
        for key in (_PRESETS, *_SWITCHES):
            self._read(key)

    def edit_presets(self) -> None:
        """The presets of the active pane's modality first."""
        model, role = self._views.model, self._views.active
        volume = model.volumes.get(role)
        kind = PresetKind.CT if volume is None else PresetKind.of(volume.domain)
        dialog = PresetDialog(self._book, kind, self._key_words, model.windows.get(role), self._window)
        dialog.accepted.connect(self._keep)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    def _key_words(self, key: str) -> str:
        return self._bindings.keys_text(f"view.preset_{key}")

    def _keep(self) -> None:
        self._settings[_PRESETS] = self._book.texts()
        self._settings.save()

    def _read(self, key: str) -> None:
        if key == _PRESETS:
            self._book.read(self._settings[_PRESETS])
        elif key == _WHEEL:
            self._follow_panes()
        elif key in _SWITCHES and self._views.actions_by_name[key].isChecked() != self._settings[key]:
            self._views.actions_by_name[key].trigger()

    def _describe(self) -> None:
        """Sheet, menus and tooltips say what a number key does now."""
        for key in PRESET_KEYS:
            words = self._book.words(key)
            self._bindings.describe(f"view.preset_{key}", f"Window: {words}" if words else "Window preset (none has this key)")

    def _follow_panes(self) -> None:
        keys = self._bindings.keys_text("view.link"), self._bindings.keys_text("view.link_as_shown")
        for pane in self._views.panes.values():
            self._window_steps.follow(pane.canvas.gestures)
            pane.canvas.gestures.inverts_wheel = self._settings[_WHEEL]
            pane.header.set_keys(*keys)
