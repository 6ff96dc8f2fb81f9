"""Windows that stand beside the main one, and the main window's way to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, TypeVar

from PySide6.QtCore import QObject, QSize, Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QTabWidget, QWidget

from ctmri_gui.theme import app_icon
from ctmri_gui.viewer.palette import scaled

_SHARE_OF_SCREEN = 0.9


class SideWindow(QWidget):
    """Closing hides it; nothing stops."""

    def __init__(self, title: str) -> None:
        """`title`: without names of folders or people, for titles end up in screenshots."""
        super().__init__(None, Qt.WindowType.Window)
        self.setWindowTitle(title)
        self.setWindowIcon(app_icon())
        self.setAcceptDrops(True)
        self.setAttribute(Qt.WidgetAttribute.WA_QuitOnClose, False)

    def present(self) -> None:
        """Shows the window before all others."""
        self.show()
        self.setWindowState(self.windowState() & ~Qt.WindowState.WindowMinimized)
        self.raise_()
        self.activateWindow()

    def resize_within_screen(self, width: int, height: int) -> None:
        """`width`, `height`: px beside text of 13 px."""
        self.resize(QSize(scaled(width), scaled(height)).boundedTo(self.screen().availableSize() * _SHARE_OF_SCREEN))


Window = TypeVar("Window", bound=SideWindow)


class WindowLink(QObject, Generic[Window]):
    """Lives as long as the main window. The other window is made when it is first asked for."""

    def __init__(self, main: QWidget) -> None:
        super().__init__(main)
        self._main = main
        self._window: Window | None = None

    def _made(self) -> Window:
        """The window, imported only now."""
        raise NotImplementedError

    @property
    def window(self) -> Window:
        if self._window is None:
            self._window = self._made()
        return self._window

    def open(self) -> None:
        self.window.present()

    def close(self) -> None:
        """Closes the window for good."""
        if self._window is not None:
            self._window.close()
            self._window.deleteLater()
            self._window = None

    def _raise_main(self) -> None:
        self._main.raise_()
        self._main.activateWindow()


def tabs_in(window: QWidget, pages: Sequence[tuple[str, QWidget]]) -> QTabWidget:
    """(words, page) of each in tabs that Ctrl+1, Ctrl+2 ... lead to."""
    tabs = QTabWidget()
    tabs.setProperty("role", "views")
    tabs.setDocumentMode(True)
    tabs.tabBar().setDrawBase(False)
    for number, (words, page) in enumerate(pages):
        tabs.addTab(page, words)
        keys = f"Ctrl+{number + 1}"
        tabs.setTabToolTip(number, keys)
        QShortcut(QKeySequence(keys), window).activated.connect(lambda number=number: tabs.setCurrentIndex(number))
    return tabs
