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
    window: QMainWindow, command: Mapping[str, QAction], views: Mapping[str, QAction], docks: Sequence[QAction], recent: QMenu
) -> None:
    """`views`: the viewer's actions by name; `docks`: what shows and hides the docks; `recent`: a menu of its own."""
    bar = window.menuBar()
    files = bar.addMenu("&File")
    files.addActions([command[name] for name in ("open_file", "open_folder", "open_demo")])
    files.addMenu(recent)
    files.addAction(command["close_volumes"])
    files.addSeparator()
    files.addActions([command[name] for name in ("save", "export_dicom", "screenshot", "copy_picture")])
    files.addSeparator()
    files.addActions([command["settings"], command["quit"]])
    bar.addMenu("&Edit").addActions([command["undo"], command["redo"]])
    bar.addMenu("&Model").addActions([command[name] for name in ("translate", "cancel", "add_model", "train")])
    view = bar.addMenu("&View")
    view.addMenu("&Window presets").addActions([action for name, action in views.items() if name.startswith("preset_")])
    view.addActions([action for name, action in views.items() if not name.startswith("preset_")])
    view.addSeparator()
    view.addActions(list(docks))
    view.addActions([command["header"], command["full_screen"]])
    bar.addMenu("&Help").addActions([command["shortcuts"], command["about"]])
    window.addActions(list(command.values()))


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
