"""The menus and the tool bar: where each command of the window is found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMainWindow, QMenu, QToolBar, QToolButton

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
MENUS = (
    ("&File", _FILE),
    ("&Edit", ("undo", "redo")),
    ("&Model", ("translate", "cancel", "add_model", "train")),
    (_VIEW, (_PANELS, "worst_slice", "cine", "jobs", "header", "full_screen")),
    (_HELP, ("shortcuts", "about")),
)
"""Words of each menu and the commands in it; an empty name draws a line. View also holds what the viewer offers."""
_WITHIN = {"forget_recent": _RECENT, "arrange_docks": _PANELS}  # commands in a menu within a menu
_TOOLS = ("open_file", "open_folder", "open_demo", "", "translate", "cancel", "train", "", "save", "export_dicom", "screenshot")


def make_tool_bar(window: QMainWindow, command: Mapping[str, QAction]) -> None:
    """The commands that are used most, in the order of the work."""
    bar = QToolBar("Tools")
    bar.setObjectName("tools")
    bar.setMovable(False)
    bar.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
    for name in _TOOLS:
        if name:
            bar.addAction(command[name])
        else:
            bar.addSeparator()
    window.addToolBar(bar)
    for more in bar.findChildren(QToolButton, "qt_toolbar_ext_button"):
        more.setAccessibleName("More tools")


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
                _fill_panels(menu.addMenu("Pane&ls"), docks, command["arrange_docks"])
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
                inner[row.group].setObjectName(f"menu_{row.group.lower().replace(' ', '_')}")
            inner[row.group].addAction(views[row.name])
    menu.addActions(loose)


def _fill_panels(menu: QMenu, docks: Sequence[QAction], arrange: QAction) -> None:
    menu.addActions(list(docks))
    menu.addSeparator()
    menu.addAction(arrange)


def layout_menu(window: QMainWindow) -> QMenu:
    """The menu of the layouts, which stands on the tool bar as well."""
    return _on_tool_bar(window, LAYOUTS, "How the panes are arranged")


def measure_menu(window: QMainWindow) -> QMenu:
    """The menu of measuring, which stands on the tool bar as well."""
    return _on_tool_bar(window, MEASURE, "Lengths, angles, regions, profiles, joint histograms")


def _on_tool_bar(window: QMainWindow, group: str, tip: str) -> QMenu:
    menu = window.findChild(QMenu, f"menu_{group.lower()}")
    bar = window.findChild(QToolBar, "tools")
    assert menu is not None and bar is not None
    button = QToolButton()
    button.setText(group)
    button.setToolTip(tip)
    button.setAccessibleName(group)
    button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
    button.setMenu(menu)
    bar.addSeparator()
    bar.addWidget(button)
    return menu


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
