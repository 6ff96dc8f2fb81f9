"""The tool bars: one for the way of a scan through the program, one for what is done on its pictures."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMainWindow, QMenu, QToolBar, QToolButton

from ctmri_gui.actions import COMMANDS
from ctmri_gui.menus import layout_menu, measure_menu
from ctmri_gui.theme import icon
from ctmri_gui.viewer.keys import KEY_ACTIONS
from ctmri_gui.viewer.linked_views import LinkedViews

_WORK = ("open_file", "open_folder", "open_demo", "", "translate", "cancel", "train", "", "save", "export_dicom", "screenshot")
_MORE_MEASURING, _LAYOUTS, _COMPARE = "measuring", "layouts", "compare_next"
_ON_PICTURES = (
    *("window_tool", "scroll_tool", "crosshair_tool", ""),
    *("measure_length", "measure_angle", "measure_rectangle", "measure_ellipse", "measure_freehand", "measure_profile"),
    *(_MORE_MEASURING, "", _COMPARE, "cine", "invert", "reset_views", _LAYOUTS),
)
"""Names of commands and of the viewer's actions, in both tables; an empty one draws a line."""
_WORDS, _ICONS = Qt.ToolButtonStyle.ToolButtonTextBesideIcon, Qt.ToolButtonStyle.ToolButtonIconOnly


class ToolBars(QObject):
    """Both bars of `window`, in one row where there is room, else in two; where even the words of the first have none, it keeps
    its icons. The second is there while there are pictures.
    """

    def __init__(self, window: QMainWindow, command: Mapping[str, QAction], views: LinkedViews) -> None:
        super().__init__(window)
        self._window, self._command, self._views = window, command, views
        self._widths: tuple[int, int] | None = None
        self.work, self.on_pictures = self._make("Tools", "tools"), self._make("Tools for pictures", "viewer_tools")
        self.on_pictures.setToolButtonStyle(_ICONS)
        self.compare = _menu_button("Compare", QMenu("Compare", window), views.actions_by_name[_COMPARE])
        self._layouts = _menu_button("How the panes are arranged", layout_menu(window))
        self._more = _menu_button("More of measuring", measure_menu(window))
        for name in _WORK:
            self._add(self.work, command[name] if name else None)
        self._between = QAction(self.on_pictures)  # one that Qt makes is taken for deleted after a while
        self._between.setSeparator(True)
        self.on_pictures.addAction(self._between)
        for name in _ON_PICTURES:
            self._add_tool(name)
        self.compare.menu().aboutToShow.connect(self._fill_compare)
        self.draw_icons()

    def show_tools(self, shown: bool) -> None:
        """Whether there are pictures to use tools on."""
        self.on_pictures.setVisible(shown)
        self.follow_size()

    def follow_size(self) -> None:
        """One row or two, words or icons, as the window's width asks for."""
        with_words, tools = self._measured()
        room = self._window.width()
        one_row = with_words + tools <= room
        if self._window.toolBarBreak(self.on_pictures) is one_row:
            change = self._window.removeToolBarBreak if one_row else self._window.insertToolBarBreak
            change(self.on_pictures)
        self._between.setVisible(one_row)
        self.work.setToolButtonStyle(_WORDS if with_words <= room else _ICONS)

    def draw_icons(self) -> None:
        """In the colours of now."""
        for command in COMMANDS:
            if command.icon:
                self._command[command.name].setIcon(icon(command.icon))
        for row in KEY_ACTIONS:
            if row.icon:
                self._views.actions_by_name[row.name].setIcon(icon(row.icon))
                self._views.actions_by_name[row.name].setIconVisibleInMenu(False)  # there a tick says what is on
        self._layouts.setIcon(icon("layout"))
        self._more.setIcon(icon("more"))

    def eventFilter(self, _bar: QObject, event: QEvent) -> bool:
        """Other text has other widths."""
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._widths = None
        return False

    def _measured(self) -> tuple[int, int]:
        """Widths of the bars: the first with its words, and the second."""
        if self._widths is None:
            before = self.work.toolButtonStyle()
            self.work.setToolButtonStyle(_WORDS)
            self._widths = self.work.sizeHint().width(), self.on_pictures.sizeHint().width()
            self.work.setToolButtonStyle(before)
        return self._widths

    def _make(self, title: str, name: str) -> QToolBar:
        bar = QToolBar(title)
        bar.setObjectName(name)
        bar.setMovable(False)
        bar.toggleViewAction().setVisible(False)  # a bar that was hidden by mistake is hard to find again
        bar.installEventFilter(self)
        self._window.addToolBar(bar)
        for more in bar.findChildren(QToolButton, "qt_toolbar_ext_button"):
            more.setAccessibleName("More tools")
        return bar

    def _add_tool(self, name: str) -> None:
        buttons = {_COMPARE: self.compare, _LAYOUTS: self._layouts, _MORE_MEASURING: self._more}
        if name in buttons:
            self.on_pictures.addWidget(buttons[name])
        else:
            self._add(self.on_pictures, (self._command.get(name) or self._views.actions_by_name[name]) if name else None)

    @staticmethod
    def _add(bar: QToolBar, action: QAction | None) -> None:
        if action is None:
            bar.addSeparator()
        else:
            bar.addAction(action)

    def _fill_compare(self) -> None:
        menu = self.compare.menu()
        menu.clear()
        self._views.compare.fill_choices(menu, self._views.active_pane)


def _menu_button(words: str, menu: QMenu, action: QAction | None = None) -> QToolButton:
    """Opens `menu`; with an action that is what a click does, and the menu has an arrow of its own."""
    button = QToolButton()
    if action is None:
        button.setToolTip(words)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
    else:
        button.setDefaultAction(action)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.MenuButtonPopup)
    button.setAccessibleName(words)
    button.setMenu(menu)
    return button
