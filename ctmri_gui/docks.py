"""The docks beside the views: stacked where the window is high enough for them, else one group of tabs."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtWidgets import (
    QDockWidget,
    QFrame,
    QHBoxLayout,
    QMainWindow,
    QScrollArea,
    QSizePolicy,
    QStyle,
    QToolButton,
    QWidget,
)

from ctmri_gui.panels.small_parts import label, scrolling
from ctmri_gui.theme import icon

_RIGHT = Qt.DockWidgetArea.RightDockWidgetArea
_LEAST_LINES = 54  # of text, px: a lower window has no room for docks above each other
_LETTERS, _SHARE = 46, 0.3  # width: so many letters, at most that share of the window
_SHARE_SHOWN = 0.35  # of the window's height, for a dock that was asked for
_MORE_LINES = {"Translation": 5, "Metrics": 0}  # room for what comes later: progress, numbers
_LINES_AT_LEAST = {"Translation": 0, "Metrics": 34}


class Docks:
    """Builds the docks of `window` and arranges them. `titles`: of each content, whose name is the title's first word."""

    def __init__(self, window: QMainWindow, contents: Mapping[str, QWidget]) -> None:
        self._window = window
        self.by_name = {title.split()[0]: self._make(title, content) for title, content in contents.items()}
        self._tabs: bool | None = None
        self._pair()

    def show_dock(self, name: str) -> None:
        """Brings a dock in front, with the focus in it and room for what it holds."""
        dock = self.by_name[name]
        dock.show()
        dock.raise_()
        room = min(_wanted(dock, dock.width()), round(self._window.height() * _SHARE_SHOWN))
        if not dock.isFloating() and dock.height() < room:
            self._window.resizeDocks([dock], [room], Qt.Orientation.Vertical)
        content = dock.widget()
        if content is not None:
            content.setFocus()

    def follow_size(self) -> bool:
        """Tabs or a stack, whichever the window's height asks for now; whether that has changed."""
        tabs = self._window.height() < _LEAST_LINES * self._window.font().pixelSize()
        before, self._tabs = self._tabs, tabs
        if tabs == before or (before is None and not tabs):
            return False
        docks = [dock for dock in self.by_name.values() if not dock.isFloating()]
        if tabs:
            for dock in docks[1:]:
                self._window.tabifyDockWidget(docks[0], dock)
            if docks:
                docks[0].raise_()
        else:
            self._stack(docks)
        return True

    def share_room(self) -> None:
        """Gives each dock the height of what it holds, and the last ones the rest."""
        window, line = self._window, self._window.fontMetrics().lineSpacing()
        width = min(_LETTERS * window.fontMetrics().averageCharWidth(), round(window.width() * _SHARE))
        window.resizeDocks([self.by_name["Translation"]], [width], Qt.Orientation.Horizontal)
        if self._tabs:
            return
        heights = [
            max(_wanted(self.by_name[name], width) + _MORE_LINES[name] * line, _LINES_AT_LEAST[name] * line)
            for name in ("Translation", "Metrics")
        ]
        middle = window.centralWidget()
        assert middle is not None
        rest = max(middle.height() - sum(heights), 8 * line)
        docks = [self.by_name[name] for name in ("Translation", "Metrics", "Volumes")]
        window.resizeDocks(docks, [*heights, rest], Qt.Orientation.Vertical)

    def _make(self, title: str, content: QWidget) -> QDockWidget:
        dock = QDockWidget(title, self._window)
        dock.setObjectName(f"dock_{title.split()[0].lower()}")
        dock.setWidget(scrolling(content, title))
        dock.setTitleBarWidget(_Title(dock))
        self._window.addDockWidget(_RIGHT, dock)
        return dock

    def _stack(self, docks: list[QDockWidget]) -> None:
        shown = [dock.toggleViewAction().isChecked() for dock in docks]
        for dock, visible in zip(docks, shown, strict=True):
            self._window.removeDockWidget(dock)
            self._window.addDockWidget(_RIGHT, dock)
            dock.setVisible(visible)
        self._pair()

    def _pair(self) -> None:
        """Docks behind one another: the list of measurements needs the room that the metrics have."""
        for front, behind in (("Metrics", "Measurements"), ("Volumes", "Jobs")):
            first, second = self.by_name[front], self.by_name[behind]
            if not first.isFloating() and not second.isFloating():
                self._window.tabifyDockWidget(first, second)
                first.raise_()


class _Title(QFrame):
    """Qt's own title keeps the text size that the program started with."""

    def __init__(self, dock: QDockWidget) -> None:
        super().__init__()
        self.setProperty("role", "dock_title")
        self._buttons = []
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 2, 4, 2)
        row.setSpacing(0)
        title = label(dock.windowTitle(), "muted", wrap=False)
        title.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)  # never widens the dock
        row.addWidget(title, 1)
        for name, words in (("float", "Float or dock"), ("close", "Close")):
            press = QToolButton()
            press.setToolTip(f"{words}: {dock.windowTitle()}")
            press.setAccessibleName(f"{words}: {dock.windowTitle()}")
            press.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            row.addWidget(press)
            self._buttons.append((press, name))
        (floating, _), (close, _) = self._buttons
        floating.clicked.connect(lambda: dock.setFloating(not dock.isFloating()))
        close.clicked.connect(dock.close)
        self._draw_icons()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.PaletteChange) and self.layout() is not None:
            self._draw_icons()

    def _draw_icons(self) -> None:
        for press, name in self._buttons:
            standard = QStyle.StandardPixmap.SP_TitleBarNormalButton
            press.setIcon(icon(name) if name == "close" else self.style().standardIcon(standard))
            press.setIconSize(QSize(12, 12) * max(1.0, self.font().pixelSize() / 13))


def _wanted(dock: QDockWidget, width: int) -> int:
    area = dock.widget()
    content = area.widget() if isinstance(area, QScrollArea) else None
    assert content is not None
    title = dock.titleBarWidget()
    assert title is not None
    return content.heightForWidth(width) + title.sizeHint().height()
