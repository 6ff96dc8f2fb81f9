"""The controls of cine: play and pause, speed, what happens at the ends."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Signal
from PySide6.QtGui import QAction, QKeySequence, QResizeEvent
from PySide6.QtWidgets import QComboBox, QFrame, QHBoxLayout, QSpinBox, QToolButton

from ctmri_gui.film.cine import FASTEST, SLOWEST, Cine
from ctmri_gui.panels.small_parts import label, naming
from ctmri_gui.settings import Settings
from ctmri_gui.theme import icon, icon_side

_ENDS = ("Loop", "There and back")
_SPACING = 8
_DRAWN_ANEW = (QEvent.Type.PaletteChange, QEvent.Type.StyleChange, QEvent.Type.FontChange)


class CineBar(QFrame):
    """Stands below the panes while cine is in use; speed and ends are remembered."""

    closed = Signal()

    def __init__(self, cine: Cine, settings: Settings, command: QAction) -> None:
        """`command`: plays and pauses; its key stands in the tip."""
        super().__init__()
        self._cine, self._settings, self._command = cine, settings, command
        self.setProperty("role", "bar")
        self.setAccessibleName("Cine")
        self.play = QToolButton()
        self.play.clicked.connect(command.trigger)
        self.rate = QSpinBox(minimum=SLOWEST, maximum=FASTEST, value=settings["cine_rate"], suffix=" per s")
        self.rate.setToolTip("Slices per second, as far as the pictures can follow")
        self.ends = QComboBox()
        self.ends.addItems(_ENDS)
        self.ends.setAccessibleName("At the last slice")
        self.ends.setCurrentIndex(int(settings["cine_there_and_back"]))
        self._close = QToolButton()
        self._close.setToolTip("Close cine")
        self._close.setAccessibleName("Close cine")
        self._close.clicked.connect(self.closed)
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 4, 6, 4)
        row.setSpacing(_SPACING)
        for part in (self.play, naming("S&peed", self.rate), self.rate, self.ends):
            row.addWidget(part)
        self._hint = label("The wheel or a click on a pane pauses.", "muted", wrap=False)
        row.addWidget(self._hint)
        row.addStretch(1)
        row.addWidget(self._close)
        cine.changed.connect(self._show_playing)
        command.changed.connect(lambda: self._show_playing(cine.playing))  # another key
        self.rate.valueChanged.connect(self._take_over)
        self.ends.currentIndexChanged.connect(self._take_over)
        self._take_over()
        self._show_playing(False)
        self.hide()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Where there is little room the hint goes first, as a whole."""
        super().resizeEvent(event)
        beside, wanted = self._close.sizeHint().width() + 2 * _SPACING, self._hint.sizeHint().width()
        room = self.width() - self.ends.geometry().right() - beside
        self._hint.setFixedWidth(wanted if room >= wanted else 0)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in _DRAWN_ANEW and self.layout() is not None:
            self._show_playing(self._cine.playing)

    def _take_over(self) -> None:
        self._cine.rate, self._cine.there_and_back = self.rate.value(), bool(self.ends.currentIndex())
        self._settings["cine_rate"], self._settings["cine_there_and_back"] = self._cine.rate, self._cine.there_and_back

    def _show_playing(self, playing: bool) -> None:
        words, key = "Pause" if playing else "Play", self._command.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
        self.play.setIcon(icon("pause" if playing else "play"))
        self.play.setToolTip(f"{words} ({key})" if key else words)
        self.play.setAccessibleName(words)
        self._close.setIcon(icon("close"))
        side = icon_side(self.font().pixelSize())
        self.play.setIconSize(QSize(side, side))
