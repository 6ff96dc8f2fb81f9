"""The lines above a pane's picture: what a person should know before trusting it, and what can be done about it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QFontMetrics, QKeyEvent, QMouseEvent, QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QFrame, QLabel, QSizePolicy, QWidget

from ctmri_core.volume import Finding
from ctmri_gui.viewer import palette
from ctmri_gui.viewer.pane_frame import BUTTON_KEYS, PaneButton

_PADDING = 10
_LINES, _LINES_WITH_OFFER, _SERIOUS_LINES = 1, 2, 3  # folded: what is serious or asks for a decision is read without unfolding
_LARGEST_SHARE = 0.6  # of the pane's height, unfolded
_LEAST_LINES = 9  # of text, the pane's height: in a lower one a note would leave nothing of the picture
_BESIDE_FROM = 400  # px of text of 13 px: in narrower panes the buttons stand below the words
_NOTE = f"color: {palette.MUTED.name()}; background: {palette.FRAME.name()}; border-left: 4px solid {palette.OUTLINE.name()};"
_SERIOUS = (
    f"color: {palette.AMBER.name()}; background: {palette.AMBER_GROUND.name()}; border-left: 4px solid {palette.AMBER.name()};"
)
_SHEET = """
Banner {{ {colours} }}
Banner:focus {{ border: 1px solid {focus}; border-left-width: 4px; }}
Banner QLabel {{ color: {words}; background: transparent; font-weight: {weight}; }}
Banner QToolButton {{ color: {words}; background: transparent; border: 1px solid {words}; border-radius: 4px; padding: 1px 8px; }}
Banner QToolButton:hover, Banner QToolButton:focus {{ color: {text}; border-color: {focus}; }}
"""


class Banner(QFrame):
    """Folded it shows the first finding, the serious before the others and what can be mended before what cannot, and says that
    there is more. The tooltip has all of them; a click, or Space, unfolds them. Serious ones have a triangle, not only colour.
    In a very low pane notes that are neither serious nor ask for anything wait until it is higher.

    A finding that something can be done about brings a button: `offerTaken(kind)` when it is pressed.
    """

    offerTaken = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lines: tuple[str, ...] = ()
        self._serious = self._unfolded = False
        self._room: int | None = None
        self._words = QLabel()
        self._words.setTextFormat(Qt.TextFormat.PlainText)
        self._words.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._words.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.buttons: tuple[PaneButton, ...] = ()
        self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._row.setContentsMargins(_PADDING, 3, _PADDING - 4, 3)
        self._row.setSpacing(6)
        self._row.addWidget(self._words, 1)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.hide()

    def set_findings(self, findings: tuple[Finding, ...], offers: Mapping[str, str] | None = None) -> None:
        """`offers`: what the button of a kind of finding says."""
        offers = offers or {}
        ordered = sorted(findings, key=lambda finding: (not finding.serious, finding.kind not in offers))
        self._lines = tuple(f"{'▲ ' if finding.serious else ''}{finding.message}" for finding in ordered)
        self._serious = bool(ordered) and ordered[0].serious
        self._unfolded = False
        self._set_offers({kind: text for kind, text in offers.items() if any(kind == one.kind for one in ordered)})
        colours = {"colours": _SERIOUS if self._serious else _NOTE, "weight": 600 if self._serious else 400}
        words = palette.AMBER if self._serious else palette.MUTED
        sheet = _SHEET.format(**colours, words=words.name(), text=palette.TEXT.name(), focus=palette.ACCENT.name())
        if sheet != self.styleSheet():  # milliseconds each time
            self.setStyleSheet(sheet)
        self.setToolTip("\n".join(self._lines))
        said = " ".join(finding.message for finding in ordered)
        self.setAccessibleName(f"{'Warning' if self._serious else 'Note'}: {said}" if said else "")
        self._write()
        self._show()

    def set_room(self, height: int) -> None:
        """The height of the pane, px: unfolded, it leaves a part of that to the picture."""
        self._room = height
        self._show()
        if self._unfolded:
            self._write()

    def text(self) -> str:
        """What it says now, shortened or unfolded."""
        return self._words.text()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and event.key() in BUTTON_KEYS:
            event.accept()  # what unfolds it is no shortcut of the panes
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in BUTTON_KEYS:
            self._turn()
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._write()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if palette.changes_text(event):
            self._write()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._turn()

    def _show(self) -> None:
        low = self._room is not None and self._room < _LEAST_LINES * self._words.fontMetrics().lineSpacing()
        self.setVisible(bool(self._lines) and (self._serious or bool(self.buttons) or not low))

    def _turn(self) -> None:
        self._unfolded = not self._unfolded
        self._write()

    def _set_offers(self, offers: Mapping[str, str]) -> None:
        for button in self.buttons:
            self._row.removeWidget(button)
            button.hide()
            button.deleteLater()
        self.buttons = tuple(PaneButton() for _ in offers)
        for button, (kind, text) in zip(self.buttons, offers.items(), strict=True):
            button.setText(text)
            button.setAccessibleName(text)
            button.setToolTip(text)  # where the button is too narrow for it
            button.clicked.connect(partial(self._take, kind))
            self._row.addWidget(button, 0, Qt.AlignmentFlag.AlignVCenter)

    def _take(self, kind: str, _checked: bool = False) -> None:
        self.offerTaken.emit(kind)

    def _write(self) -> None:
        beside = self.width() >= palette.scaled(_BESIDE_FROM)
        self._row.setDirection(QBoxLayout.Direction.LeftToRight if beside else QBoxLayout.Direction.TopToBottom)
        room = self.width() - 2 * _PADDING
        if beside:
            room -= sum(button.sizeHint().width() + self._row.spacing() for button in self.buttons)
        self._words.setText(self._unfolded_text(max(room, 0)) if self._unfolded else self._folded_text(max(room, 0)))

    def _folded_text(self, room: int) -> str:
        if not self._lines:
            return ""
        most = _SERIOUS_LINES if self._serious else _LINES_WITH_OFFER if self.buttons else _LINES
        metrics = self._words.fontMetrics()
        cut = shortened(self._lines[0], "", metrics, room, most + 1).count("\n") >= most
        more = f"   +{len(self._lines) - 1} more" if len(self._lines) > 1 else "   more" if cut else ""
        return shortened(self._lines[0], more, metrics, room, most)

    def _unfolded_text(self, room: int) -> str:
        """All findings, as far as that leaves the picture in sight."""
        metrics = self._words.fontMetrics()
        height = self.window().height() if self._room is None else self._room
        left = max(int(height * _LARGEST_SHARE / metrics.lineSpacing()), _SERIOUS_LINES)
        written: list[str] = []
        for line in self._lines[:left]:
            written += shortened(line, "", metrics, room, max(left - len(written), 1)).split("\n")
        return "\n".join(written[:left])


def shortened(text: str, end: str, metrics: QFontMetrics, width: int, most: int) -> str:
    """`text` broken into at most `most` lines of `width` px, the last ending in dots where there is more, and then `end`."""
    lines: list[str] = []
    left = text.split()
    while len(lines) < most - 1 and metrics.horizontalAdvance(" ".join(left) + end) > width:
        count = 1
        while count < len(left) and metrics.horizontalAdvance(" ".join(left[: count + 1])) <= width:
            count += 1
        lines.append(_dotted(" ".join(left[:count]), metrics, width))
        left = left[count:]
    room = max(width - metrics.horizontalAdvance(end), 0)
    return "\n".join((*lines, _dotted(" ".join(left), metrics, room) + end))


def _dotted(line: str, metrics: QFontMetrics, width: int) -> str:
    """`elidedText` alone would measure anew, with fractions, and cut what just fits."""
    if metrics.horizontalAdvance(line) <= width:
        return line
    return metrics.elidedText(line, Qt.TextElideMode.ElideRight, width)
