"""The menus: where each command of the window is found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMainWindow, QMenu

from ctmri_gui.recent import Recent
from ctmri_gui.session import Session
from ctmri_gui.settings import Settings
from ctmri_gui.viewer.keys import KEY_ACTIONS, LAYOUTS, MEASURE, PICTURE, WINDOWS
from ctmri_gui.viewer.linked_views import LinkedViews
from ctmri_gui.viewer.viewer_actions import list_presets

_RECENT, _VIEW, _HELP, _PANELS = "recent", "&View", "&Help", "panels"
_FILE = (
    *("open_file", "open_folder", "open_in_new_case", "open_mask", "open_demo", _RECENT, ""),
    *("previous_case", "next_case", "close_case", "close_all_cases", ""),
    *("save", "export_dicom", "screenshot", "film", "copy_picture", "", "settings", "change_keys", "quit"),
)
_MODEL = (
    *("translate", "cancel", "compare_models", "drop_models", "translate_folder", "add_model", ""),
    *("prepare", "train", "evaluate"),
)
MENUS = (
    ("&File", _FILE),
    ("&Edit", ("undo", "redo", "", "align", "align_by_hand", "load_transform")),
    ("&Model", _MODEL),
    ("&Studies", ("new_study", "open_study", "rehearse_study")),
    (_VIEW, (_PANELS, "worst_slice", "cine", "jobs", "header", "full_screen")),
    (_HELP, ("shortcuts", "about")),
)
"""Words of each menu and the commands in it; an empty name draws a line. View also holds what the viewer offers."""
_GO_TO = ("go_translation", "go_metrics", "go_measurements", "go_images")
_WITHIN = {"forget_recent": _RECENT, **dict.fromkeys((*_GO_TO, "arrange_docks"), _PANELS)}  # commands in a menu within a menu


def make_menus(
    window: QMainWindow, command: Mapping[str, QAction], views: Mapping[str, QAction], docks: Sequence[QAction], recent: QMenu,
    presets: QMenu,
) -> None:  # fmt: skip
    """`views`: the viewer's actions by name; `docks`: what shows and hides the docks; `recent`, `presets`: menus of their own."""
    for title, names in MENUS:
        menu = window.menuBar().addMenu(title)
        if title == _VIEW:
            _fill_view(menu, views, presets)
            menu.addSeparator()
        for name in names:
            if name == _RECENT:
                menu.addMenu(recent)
            elif name == _PANELS:
                _fill_panels(menu.addMenu("Pane&ls"), docks, [command[go] for go in _GO_TO], command["arrange_docks"])
            elif name:
                menu.addAction(command[name])
            else:
                menu.addSeparator()
    window.addActions(list(command.values()))


def menu_of(name: str) -> str:
    """The words of the menu that a command is found in."""
    return next((title for title, names in MENUS if _WITHIN.get(name, name) in names), _HELP).replace("&", "")


def _fill_view(menu: QMenu, views: Mapping[str, QAction], presets: QMenu) -> None:
    """A menu within for each group of the viewer's actions; what belongs to none stands below them."""
    inner: dict[str, QMenu] = {}
    menu.addMenu(presets)
    loose = []
    for row in KEY_ACTIONS:
        if row.group == PICTURE:
            loose.append(views[row.name])
        elif row.group != WINDOWS:
            if row.group not in inner:
                inner[row.group] = menu.addMenu(row.group)
                inner[row.group].setObjectName(_name(row.group))
            inner[row.group].addAction(views[row.name])
    menu.addActions(loose)


def _fill_panels(menu: QMenu, docks: Sequence[QAction], go_to: Sequence[QAction], arrange: QAction) -> None:
    menu.addActions(list(docks))
    menu.addSeparator()
    menu.addActions(list(go_to))
    menu.addSeparator()
    menu.addAction(arrange)


def layout_menu(window: QMainWindow) -> QMenu:
    """The menu of the layouts."""
    return _menu(window, LAYOUTS)


def measure_menu(window: QMainWindow) -> QMenu:
    """The menu of measuring."""
    return _menu(window, MEASURE)


def _menu(window: QMainWindow, group: str) -> QMenu:
    found = window.findChild(QMenu, _name(group))
    assert found is not None
    return found


def _name(group: str) -> str:
    return f"menu_{group.lower().replace(' ', '_')}"


class PresetMenu(QMenu):
    """The window presets of the active pane; filled whenever it opens, for they are other ones for each volume."""

    def __init__(self, views: LinkedViews) -> None:
        super().__init__(WINDOWS, views)
        self._views = views
        self.aboutToShow.connect(self._fill)
        self._fill()

    def _fill(self) -> None:
        views = self._views
        self.clear()
        presets = views.model.presets.of(views.model.volumes.get(views.active))
        list_presets(self, presets, views.set_preset, views.actions_by_name)


class RecentMenu(QMenu):
    """The scans opened before, and the command that forgets them; filled whenever it opens."""

    def __init__(self, session: Session, settings: Settings, forget: QAction, window: QMainWindow) -> None:
        super().__init__("Open &recent", window)
        self._session, self._settings, self._forget = session, settings, forget
        self.aboutToShow.connect(self._fill)

    def _fill(self) -> None:
        self.clear()
        for entry in self._settings.recent:
            action = QAction(entry.label, self)
            action.triggered.connect(partial(self._open, entry))
            self.addAction(action)
        self.addSeparator()
        self.addAction(self._forget)

    def _open(self, entry: Recent, _checked: bool = False) -> None:
        self._session.open_paths([entry.path])
