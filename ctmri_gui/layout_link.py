"""Layouts of the viewer over starts of the program: the last one, those that somebody named, and steps back."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import partial

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QMainWindow, QMenu

from ctmri_gui.menus import layout_menu
from ctmri_gui.panels.name_dialog import NameDialog
from ctmri_gui.settings import Settings
from ctmri_gui.undo import History
from ctmri_gui.viewer.arrangement import Arrangement
from ctmri_gui.viewer.layouts import BUILT_IN, MODELS, PaneLayout

_OWN_NAMES = {layout.name.casefold() for layout in BUILT_IN} | {"single", MODELS.casefold()}
_TAKEN = "“{name}” is a layout of the program. Choose another name."
_REPLACES = "A layout has this name already. It will be replaced by what stands on the screen now."


class LayoutLink(QObject):
    """`menu`: where layouts are chosen, by default that of the window; what is named there is added to it."""

    def __init__(
        self, arrangement: Arrangement, settings: Settings, history: History, window: QMainWindow, menu: QMenu | None = None
    ) -> None:
        super().__init__(window)
        menu = menu or layout_menu(window)
        self._arrangement, self._settings, self._history, self._window = arrangement, settings, history, window
        self._menu, self._added = menu, menu.addSection("")
        menu.aboutToShow.connect(self._fill)
        last = _read(str(settings["layout"]))
        if last is not None:
            arrangement.show(last)
        self._before = arrangement.layout
        arrangement.changed.connect(self._record)

    @property
    def named(self) -> dict[str, PaneLayout]:
        """The layouts that somebody saved, by name."""
        found = (_read(text) for text in self._settings["layouts"])
        return {layout.name: layout for layout in found if layout is not None}

    def keep(self) -> None:
        """Remembers what stands on the screen for the next start."""
        self._settings["layout"] = _text(self._arrangement.layout)

    def save(self, name: str) -> None:
        """Keeps the present layout under a name, in place of one that had it."""
        now = self._arrangement.layout
        saved = {**self.named, name: PaneLayout(name, now.rows, now.sizes)}
        self._keep_named(saved.values())

    def delete(self, name: str) -> None:
        self._keep_named(layout for layout in self.named.values() if layout.name != name)

    def _keep_named(self, layouts: Iterable[PaneLayout]) -> None:
        self._settings["layouts"] = tuple(_text(layout) for layout in layouts)
        self._settings.save()  # what was named outlives a crash

    def _record(self) -> None:
        before, self._before = self._before, self._arrangement.layout
        if before.rows != self._before.rows:
            show = self._arrangement.show
            self._history.record("layout", partial(show, before), partial(show, self._before))

    def _fill(self) -> None:
        for action in self._menu.actions()[self._menu.actions().index(self._added) + 1 :]:
            self._menu.removeAction(action)
        for layout in self.named.values():
            self._menu.addAction(_in_menu(layout.name)).triggered.connect(partial(self._show, layout))
        self._menu.addSeparator()
        self._menu.addAction("Save this layout …").triggered.connect(lambda _checked=False: self._ask_name())
        if self.named:
            delete = self._menu.addMenu("Delete layout")
            for name in self.named:
                delete.addAction(_in_menu(name)).triggered.connect(partial(self._delete, name))

    def _show(self, layout: PaneLayout, _checked: bool = False) -> None:
        self._arrangement.show(layout)

    def _delete(self, name: str, _checked: bool = False) -> None:
        self.delete(name)

    def _ask_name(self) -> None:
        dialog = NameDialog("Save this layout", "&Name of the layout", self._refusal, self._loss, self._window)
        dialog.setObjectName("save_layout")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.accepted.connect(lambda: self.save(dialog.name))
        dialog.open()

    def _refusal(self, name: str) -> str:
        return _TAKEN.format(name=name) if name.casefold() in _OWN_NAMES else ""

    def _loss(self, name: str) -> str:
        return _REPLACES if name in self.named else ""


def _in_menu(name: str) -> str:
    """There & would underline a letter."""
    return name.replace("&", "&&")


def _text(layout: PaneLayout) -> str:
    return json.dumps(layout.stored())


def _read(text: str) -> PaneLayout | None:
    try:
        return PaneLayout.read(json.loads(text))
    except (ValueError, RecursionError):
        return None
