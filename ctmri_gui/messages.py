"""What the program says to the user outside dialogs, and the one place where bugs surface.

A failure the user can act on becomes a bar in the window. A bug becomes a log entry and one bar; the program goes on.
"""

from __future__ import annotations

import logging
import sys
import threading
import warnings
from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import TextIO

from PySide6.QtCore import QEvent, QMessageLogContext, QObject, QSize, Qt, QTimer, QtMsgType, Signal, qInstallMessageHandler
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QScrollArea, QToolButton, QVBoxLayout, QWidget

from ctmri_gui.logs import describe_crash, log_file, without_values
from ctmri_gui.panels.small_parts import WrappingLabel
from ctmri_gui.theme import current_palette, icon, icon_side

_log = logging.getLogger(__name__)
_KEPT, _OPEN = 9, 2
_SHARE_OF_WINDOW = 0.3
_PASSING_MS = {"done": 10_000, "info": 20_000}  # what asks for nothing need not be put away by hand
_BUG = "Something unexpected happened. It was written to the log (Help, About says where); your work is still here."


Offer = tuple[str, Callable[[], None]]


class Kind(StrEnum):
    """How much a message weighs; shape and word tell it apart, not colour alone."""

    INFO = "info"
    DONE = "done"
    WARNING = "warning"
    ERROR = "error"


_WORDS = {Kind.INFO: "Note", Kind.DONE: "Done", Kind.WARNING: "Warning", Kind.ERROR: "Problem"}


class MessageBars(QScrollArea):
    """Bars stacked over the views, newest first. They never block; problems stay until closed, outdated or pushed out.

    The newest stand open, the others behind a button that counts them. Where they would take too much of the window they
    scroll, so that the newest can always be read in full.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Messages")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        inside = QWidget()
        self._column = QVBoxLayout(inside)
        self.setWidget(inside)
        self.hide()
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._bars: dict[str, _Bar] = {}
        self._more = QToolButton()
        self._more.setCheckable(True)
        self._more.toggled.connect(lambda _on: self._fit())
        self._column.addWidget(self._more, 0, Qt.AlignmentFlag.AlignHCenter)

    @property
    def texts(self) -> tuple[str, ...]:
        """What is kept, oldest first."""
        return tuple(self._bars)

    def show_message(
        self, text: str, kind: Kind = Kind.INFO, *, passing: bool = False, stays: bool = False, offers: Sequence[Offer] = ()
    ) -> None:
        """Shows `text`; the same text again only moves up. What follows its first line can be read by pointing at it.

        `passing`: it concerns the scans that are open now, and goes with them. `stays`: until it is closed, as of work that goes
        on. `offers`: what buttons beside it say and do.
        """
        self.close_message(text)
        bar = _Bar(text, kind, self.close_message, passing=passing, offers=offers)
        self._bars[text] = bar
        if kind in _PASSING_MS and not stays:
            QTimer.singleShot(_PASSING_MS[kind], bar, lambda: self.close_message(text))
        self._column.insertWidget(0, bar)
        for oldest in tuple(self._bars)[:-_KEPT]:
            self.close_message(oldest)
        self.verticalScrollBar().setValue(0)
        self._fit()

    def close_message(self, text: str) -> None:
        bar = self._bars.pop(text, None)
        if bar is not None:
            self._column.removeWidget(bar)
            bar.hide()
            bar.deleteLater()
            self._fit()

    def clear(self) -> None:
        for text in tuple(self._bars):
            self.close_message(text)

    def clear_passing(self) -> None:
        """Takes away what concerned other scans."""
        for text in [text for text, bar in self._bars.items() if bar.passing]:
            self.close_message(text)

    def event(self, event: QEvent) -> bool:
        done = super().event(event)
        if event.type() in (QEvent.Type.Resize, QEvent.Type.LayoutRequest, QEvent.Type.FontChange):
            self._fit()
        return done

    def _fit(self) -> None:
        """As high as the bars are at this width, up to a share of the window."""
        self.setVisible(bool(self._bars))
        behind = tuple(self._bars.values())[:-_OPEN]
        for bar in behind:
            bar.setVisible(self._more.isChecked())
        for bar in tuple(self._bars.values())[-_OPEN:]:
            bar.show()
        self._more.setVisible(bool(behind))
        self._more.setText("Fewer" if self._more.isChecked() else f"+{len(behind)} more")
        wanted = self._column.heightForWidth(self.viewport().width()) if self._bars else 0
        height = min(max(wanted, 0), round(self.window().height() * _SHARE_OF_WINDOW))
        if height != self.height():
            self.setFixedHeight(height)


class _Bar(QFrame):
    def __init__(self, text: str, kind: Kind, close: Callable[[str], None], *, passing: bool, offers: Sequence[Offer]) -> None:
        super().__init__()
        self.passing, self._kind = passing, kind
        self.setProperty("role", "bar")
        self.setProperty("kind", kind.value)
        self.setAccessibleName(f"{_WORDS[kind]}: {text}")
        self._sign = QLabel()
        head, _, more = text.partition("\n")
        words = WrappingLabel(head)
        words.setToolTip(text if more else "")
        words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        button = self._close = QToolButton()
        button.setToolTip("Close this message")
        button.setAccessibleName("Close this message")
        button.clicked.connect(lambda: close(text))
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 6, 8, 6)
        row.addWidget(self._sign)
        row.addWidget(words, 1)
        for offer in offers:
            row.addWidget(_button(*offer))
        row.addWidget(button)
        self._draw_icons()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.PaletteChange) and self.layout() is not None:
            self._draw_icons()

    def _draw_icons(self) -> None:
        """In the colours and the size of the text."""
        colours, side = current_palette(), icon_side(self.font().pixelSize())
        colour = {Kind.WARNING: colours.warning, Kind.ERROR: colours.error, Kind.DONE: colours.good}
        self._sign.setPixmap(icon(self._kind.value, colour.get(self._kind, colours.accent)).pixmap(side, side))
        self._close.setIcon(icon("close"))
        self._close.setIconSize(QSize(side, side))


def _button(text: str, act: Callable[[], None]) -> QPushButton:
    made = QPushButton(text)
    made.clicked.connect(lambda: act())
    return made


class Funnel(QObject):
    """Catches what nobody caught: exceptions of any thread and Qt's own warnings. `bug(str)` is said once per place.

    While no window shows it, a line on the terminal says so, or a failing start would be silent.
    """

    bug = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._known: set[str] = set()
        self._shown = False

    def install(self) -> None:
        """Takes over the process's hooks. For the running program only, not for tests of single windows.

        What libraries warn of or log would end on the terminal, which some desktops write down: it goes nowhere but here.
        """
        sys.excepthook = self._uncaught
        warnings.showwarning = _from_library
        logging.getLogger().addHandler(logging.NullHandler())
        threading.excepthook = self._uncaught_in_thread
        qInstallMessageHandler(_from_qt)

    def show_in(self, show: Callable[[str], None]) -> None:
        """From now on bugs are said through `show`."""
        self.bug.connect(show)
        self._shown = True

    def report(self, error: BaseException) -> None:
        """Logs `error` without its message; tells the user the first time it comes from that place."""
        record = describe_crash(error)
        _log.error("uncaught\n%s", record)
        if record not in self._known:
            self._known.add(record)
            self.bug.emit(_BUG)
            if not self._shown and sys.stderr is not None:
                sys.stderr.write(f"CT-MRI Studio met an unexpected error. It was written to {log_file()}\n")

    def _uncaught(self, kind: type[BaseException], error: BaseException, _trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, None)
        else:
            self.report(error)

    def _uncaught_in_thread(self, details: threading.ExceptHookArgs) -> None:
        if details.exc_value is not None:
            self.report(details.exc_value)


_LEVELS = {
    QtMsgType.QtDebugMsg: logging.DEBUG,
    QtMsgType.QtInfoMsg: logging.INFO,
    QtMsgType.QtWarningMsg: logging.WARNING,
    QtMsgType.QtCriticalMsg: logging.ERROR,
    QtMsgType.QtFatalMsg: logging.CRITICAL,
}


def _from_qt(kind: QtMsgType, _context: QMessageLogContext, message: str) -> None:
    _log.log(_LEVELS.get(kind, logging.WARNING), "Qt: %s", without_values(message))


def _from_library(
    message: Warning | str,  # noqa: ARG001  # the hook's signature, as the last two
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,  # noqa: ARG001  # as above
    line: str | None = None,  # noqa: ARG001  # as above
) -> None:
    """A warning of a library without its words, which may quote a header."""
    _log.warning("%s at %s:%s", category.__name__, "/".join(Path(filename).parts[-3:]), lineno)
