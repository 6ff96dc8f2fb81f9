"""An action that lasts for as long as its key is held, whatever key that is."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QAction, QKeyEvent
from PySide6.QtWidgets import QApplication

_ENDS = (QEvent.Type.MouseButtonPress, QEvent.Type.ApplicationStateChange, QEvent.Type.WindowDeactivate)


class HeldKey(QObject):
    """`begin` when the action is triggered, `end` when the key goes up. From a menu, where no key is held, the next click or key
    ends it; so does another program that comes to the front, which would get the release."""

    def __init__(self, action: QAction, begin: Callable[[], None], end: Callable[[], None]) -> None:
        super().__init__(action)
        self._begin, self._end = begin, end
        self._held = False
        action.setAutoRepeat(False)
        action.triggered.connect(self._start)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        released = event.type() == QEvent.Type.KeyRelease and isinstance(event, QKeyEvent) and not event.isAutoRepeat()
        if released or event.type() in _ENDS:
            self._stop()
        return super().eventFilter(watched, event)

    def _start(self, _checked: bool = False) -> None:
        app = QApplication.instance()
        if not self._held and app is not None:
            self._held = True
            app.installEventFilter(self)
            self._begin()

    def _stop(self) -> None:
        app = QApplication.instance()
        if self._held and app is not None:
            self._held = False
            app.removeEventFilter(self)
            self._end()
