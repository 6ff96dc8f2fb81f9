"""The docks beside the views: one group of tabs, as high as the window, until somebody arranges them otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QDockWidget,
    QFrame,
    QHBoxLayout,
    QMainWindow,
    QSizePolicy,
    QTabBar,
    QTabWidget,
    QToolButton,
    QWidget,
)

from ctmri_gui.panels.small_parts import label, scrolling
from ctmri_gui.theme import icon

_RIGHT = Qt.DockWidgetArea.RightDockWidgetArea
_LETTERS, _SHARE, _LARGEST_SHARE = 46, 0.3, 0.4  # width: so many letters, at most that share of the window; more for its tabs


@dataclass(frozen=True)
class Panel:
    """What one dock holds. `name`: stable, above the content; `tab`: on its tab and in the menu."""

    name: str
    tab: str
    content: QWidget


class Docks(QObject):
    """Builds the docks of `window` and arranges them. `by_hand`: whether somebody moved, resized or closed one, so that the
    arrangement is worth keeping and is left alone.
    """

    left = Signal()  # Esc where nothing in a dock wants it

    def __init__(self, window: QMainWindow, panels: Sequence[Panel]) -> None:
        super().__init__(window)
        self._window = window
        self.by_hand = False
        self._arranging = False
        self._chosen = False
        self._pressed_at: tuple[QSize, ...] | None = None
        window.setTabPosition(_RIGHT, QTabWidget.TabPosition.North)
        with self._in_order():
            self.by_name = {panel.name: self._make(panel) for panel in panels}
            self.arrange()
        window.tabifiedDockWidgetActivated.connect(self._note_choice)
        window.installEventFilter(self)

    @property
    def front(self) -> tuple[str, ...]:
        """The docks that are seen now."""
        return tuple(name for name, dock in self.by_name.items() if not dock.visibleRegion().isEmpty())

    def arrange(self) -> None:
        """As at first: all in one group of tabs, the first in front."""
        first, *others = docks = list(self.by_name.values())
        with self._in_order():
            for dock in docks:
                dock.setFloating(False)
                self._window.addDockWidget(_RIGHT, dock)
                dock.show()
            for dock in others:
                self._window.tabifyDockWidget(first, dock)
            first.raise_()
        self.by_hand = self._chosen = False
        self.share_room()

    def show_dock(self, name: str) -> None:
        """Brings a dock in front because somebody asked for it, with the focus in it."""
        dock = self.by_name[name]
        self._chosen = True
        dock.show()
        dock.raise_()
        dock.activateWindow()  # it may float
        _focus_first(dock.widget())

    def bring(self, name: str) -> None:
        """Brings a dock in front because it has to do with what happens; not over one that somebody chose, nor one put away."""
        dock = self.by_name[name]
        if not self._chosen and dock.toggleViewAction().isChecked() and not dock.isFloating():
            with self._in_order():
                dock.raise_()

    def forget_choice(self) -> None:
        """Something else is on the screen: what somebody chose was for what is there no more."""
        self._chosen = False

    def share_room(self) -> None:
        """Gives the docks the width of so many letters, and what the words on their tabs need, where nobody chose another."""
        if self.by_hand:
            return
        window = self._window
        letters = min(_LETTERS * window.fontMetrics().averageCharWidth(), round(window.width() * _SHARE))
        tabs = max((bar.sizeHint().width() for bar in self._tab_bars()), default=0)
        width = max(letters, min(tabs, round(window.width() * _LARGEST_SHARE)))
        window.resizeDocks([next(iter(self.by_name.values()))], [width], Qt.Orientation.Horizontal)

    def eventFilter(self, _window: QObject, event: QEvent) -> bool:
        """A border between docks and panes is dragged on the window itself."""
        if event.type() == QEvent.Type.MouseButtonPress:
            self._pressed_at = self._sizes()
        elif event.type() == QEvent.Type.MouseButtonRelease and self._pressed_at is not None:
            self.by_hand = self.by_hand or self._pressed_at != self._sizes()
            self._pressed_at = None
        return False

    def _make(self, panel: Panel) -> QDockWidget:
        dock = _Dock(panel.tab, self._window)
        dock.escaped.connect(self.left)
        dock.setObjectName(f"dock_{panel.name.lower()}")
        dock.setWidget(scrolling(panel.content, panel.name))
        title = _Title(dock, panel.name)
        dock.setTitleBarWidget(title)
        dock.topLevelChanged.connect(self._moved)
        dock.dockLocationChanged.connect(self._moved)
        title.close_button.clicked.connect(self._moved)
        dock.toggleViewAction().triggered.connect(lambda shown: self._toggled(dock, shown=shown))
        return dock

    def _toggled(self, dock: QDockWidget, *, shown: bool) -> None:
        self._moved()
        if shown:
            dock.raise_()

    def _moved(self) -> None:
        self.by_hand = self.by_hand or not self._arranging

    def _note_choice(self) -> None:
        self._chosen = self._chosen or not self._arranging

    @contextmanager
    def _in_order(self) -> Iterator[None]:
        """What changes now is nobody's own doing."""
        before, self._arranging = self._arranging, True
        try:
            yield
        finally:
            self._arranging = before

    def _sizes(self) -> tuple[QSize, ...]:
        return tuple(dock.size() for dock in self.by_name.values())

    def _tab_bars(self) -> list[QTabBar]:
        return self._window.findChildren(QTabBar, options=Qt.FindChildOption.FindDirectChildrenOnly)


class _Dock(QDockWidget):
    escaped = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """What a field inside does with Esc, such as closing its list, comes first and never gets here."""
        if event.key() == Qt.Key.Key_Escape:
            self.escaped.emit()
        else:
            super().keyPressEvent(event)


class _Title(QFrame):
    """Qt's own title keeps the text size that the program started with."""

    def __init__(self, dock: QDockWidget, words: str) -> None:
        super().__init__()
        self.setProperty("role", "dock_title")
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 2, 4, 2)
        row.setSpacing(0)
        title = label(words, "muted", wrap=False)
        title.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)  # never widens the dock
        row.addWidget(title, 1)
        self._float_button, self.close_button = (self._add(row, f"{verb}: {words}") for verb in ("Float or dock", "Close"))
        self._float_button.clicked.connect(lambda: dock.setFloating(not dock.isFloating()))
        self.close_button.clicked.connect(dock.close)
        self._draw_icons()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.PaletteChange) and self.layout() is not None:
            self._draw_icons()

    @staticmethod
    def _add(row: QHBoxLayout, tip: str) -> QToolButton:
        press = QToolButton()
        press.setToolTip(tip)
        press.setAccessibleName(tip)
        press.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        row.addWidget(press)
        return press

    def _draw_icons(self) -> None:
        self._float_button.setIcon(icon("float"))
        self.close_button.setIcon(icon("close"))
        for press in (self._float_button, self.close_button):
            press.setIconSize(QSize(12, 12) * max(1.0, self.font().pixelSize() / 13))


def _focus_first(content: QWidget | None) -> None:
    """The first field or list that can be used, so that its keys work at once."""
    if content is None:
        return
    content.setFocus()  # where nothing in it can be used
    found = content.nextInFocusChain()
    while found is not None and found is not content:
        usable = found.isVisible() and found.isEnabled() and found.focusPolicy() & Qt.FocusPolicy.TabFocus
        if usable and content.isAncestorOf(found):
            found.setFocus(Qt.FocusReason.ShortcutFocusReason)
            return
        found = found.nextInFocusChain()
