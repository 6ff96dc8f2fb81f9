"""The bars around a pane's picture: header with link switch, strip with provenance and state."""

from __future__ import annotations

import math

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QKeyEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from ctmri_core.volume import Volume
from ctmri_gui.theme import icon
from ctmri_gui.viewer import palette
from ctmri_gui.viewer.draw_words import draw_words
from ctmri_gui.viewer.panes import Plane
from ctmri_gui.viewer.roles import Role

_SHORTEST_NAME = 6
SHORT_HASH = 8
"""Letters of a model's hash that tell it from others of its name."""
_LETTERS_BESIDE_LINK = 26  # a narrower header shows a sign instead of the words on the link
_SHORTEST_WARNING = "Synthetic — not for diagnosis"
_TWO_LINES = "Synthetic\nnot for diagnosis"  # where that has no room
_STRIP_MARGINS, _STATE_GAP = 20, 10
BUTTON_KEYS = (Qt.Key.Key_Space, Qt.Key.Key_Select, Qt.Key.Key_Return, Qt.Key.Key_Enter)
_LINK_STYLE = f"""
QToolButton {{ color: {palette.MUTED.name()}; background: transparent; border: 1px solid {palette.OUTLINE.name()};
  border-radius: 4px; padding: 1px 7px; }}
QToolButton:hover, QToolButton:focus {{ color: {palette.TEXT.name()}; border-color: {palette.ACCENT.name()}; }}
QToolButton:!checked {{ color: {palette.AMBER.name()}; border: 1px dashed {palette.AMBER.name()}; }}
"""


class PaneButton(QToolButton):
    """Keeps the keys that press it from the shortcuts of the panes around it."""

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and event.key() in BUTTON_KEYS:
            event.accept()
            return True
        return super().event(event)


class _Text(QWidget):
    """One line that ends in dots where there is no room for it."""

    def __init__(self, pixels: int, colour: QColor, *, bold: bool = False) -> None:
        super().__init__()
        self._pixels, self._bold, self._colour, self._text = pixels, bold, colour, ""
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    @property
    def text(self) -> str:
        return self._text

    def set_text(self, text: str) -> None:
        self._text = text
        self.setAccessibleName(text)
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        metrics = QFontMetricsF(self._font)
        return QSize(math.ceil(metrics.horizontalAdvance(self._text)) + 1, math.ceil(metrics.height()))

    def minimumSizeHint(self) -> QSize:
        return QSize(0, self.sizeHint().height())

    def changeEvent(self, event: QEvent) -> None:
        if palette.changes_text(event):
            self.updateGeometry()
        super().changeEvent(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setFont(self._font)
        painter.setPen(self._colour)
        shown = QFontMetricsF(self._font).elidedText(self._text, Qt.TextElideMode.ElideRight, self.width())
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, shown)
        painter.end()

    @property
    def _font(self) -> QFont:
        return palette.font(self._pixels, bold=self._bold)


class Header(QWidget):
    """Volume and role at the left, the link switch at the right."""

    linkToggled = Signal(bool)

    def __init__(
        self, role: Role, plane: Plane = Plane.ACQUIRED, parent: QWidget | None = None, *, fixed: bool = False
    ) -> None:  # fmt: skip
        """`fixed`: without the link switch."""
        super().__init__(parent)
        self._offset = ""
        self._keys = "", ""
        self._title, self._role = _Text(14, palette.TEXT, bold=True), _Text(12, palette.MUTED)
        self._role.set_text(role.label if plane is Plane.ACQUIRED else f"{role.label} · {plane.value}")
        self._role.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)  # the volume's name comes first
        self._link = PaneButton()
        self._link.setCheckable(True)
        self._link.setChecked(True)
        self._link.setAutoRaise(True)
        self._link.setStyleSheet(_LINK_STYLE)
        self._link.setAccessibleName(f"{role.label}: follow the other panes")
        self._link.toggled.connect(self._show_link)
        self._link.toggled.connect(self.linkToggled)
        self._show_link()
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 3, 6, 3)
        row.setSpacing(8)
        row.addWidget(self._title)
        row.addWidget(self._role, 1)
        row.addWidget(self._link)
        if fixed:
            keeps_height = self._link.sizePolicy()
            keeps_height.setRetainSizeWhenHidden(True)
            self._link.setSizePolicy(keeps_height)
            self._link.setMaximumWidth(0)
            self._link.hide()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        narrow = self.width() < _LETTERS_BESIDE_LINK * self._link.fontMetrics().averageCharWidth()
        styles, side = Qt.ToolButtonStyle, palette.scaled(16)
        self._link.setIconSize(QSize(side, side))
        self._link.setToolButtonStyle(styles.ToolButtonIconOnly if narrow else styles.ToolButtonTextOnly)

    def set_title(self, title: str) -> None:
        self._title.set_text(title)

    def say_as(self, other: Header) -> None:
        """The words of another one."""
        self._title.set_text(other._title.text)
        self._role.set_text(other._role.text)

    @property
    def words(self) -> str:
        """`Source: CT`."""
        return ": ".join(part for part in (self._role.text, self._title.text) if part)

    @property
    def accessible_title(self) -> str:
        return self._title.accessibleName()

    @property
    def link_text(self) -> str:
        return self._link.text()

    def set_linked(self, linked: bool) -> None:
        self._link.setChecked(linked)

    def set_keys(self, link: str, as_shown: str) -> None:
        """How the keys that do the same as the button are written; the tip says them."""
        self._keys = link, as_shown
        self._show_link()

    def set_offset(self, words: str) -> None:
        """How far from its place in the patient the picture is linked; empty where it is not."""
        if words != self._offset:
            self._offset = words
            self._show_link()

    def _show_link(self) -> None:
        linked, offset = self._link.isChecked(), self._offset
        self._link.setText("Unlinked" if not linked else "Linked by hand" if offset else "Linked")
        colour = palette.AMBER if not linked or offset else palette.MUTED
        self._link.setIcon(icon("link" if linked else "unlink", colour.name()))
        link, as_shown = (f" ({keys})" if keys else "" for keys in self._keys)
        moved = f"Linked by hand: {offset} away from where its file says. " if offset and linked else ""
        where = "as the other panes of its volume are" if offset else "by its place in the patient"
        self._link.setToolTip(
            f"{moved}This pane follows the others. Click to move it alone{link}."
            if linked
            else f"This pane moves alone. Click to link it {where}{link}; "
            f"the menu links it as it is shown now{as_shown}."
        )


class Strip(QWidget):
    """A line saying what the picture is, and at its right a state such as `≠ not comparable`.

    On synthetic panes it is the permanent warning, which always has the words "synthetic" and "not for diagnosis", on two
    lines where one is too short, and which no state displaces.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._kind, self._name, self._warning, self._state = "", "", "", ""
        self._private = False
        self._follow_font()

    def set_private(self, private: bool) -> None:
        """Whether the note, which names a file, is left out of what is painted; a warning never is."""
        self._private = private
        self.update()

    def say_as(self, other: Strip) -> None:
        """The words of another one; its own stay private where they are."""
        self._kind, self._name, self._warning, self._state = other._kind, other._name, other._warning, other._state
        self._announce()

    @property
    def warns(self) -> bool:
        """Whether it says that a picture is synthetic."""
        return bool(self._warning)

    def set_state(self, text: str) -> None:
        """How the picture stands to the others, where that is not as it should be; empty for nothing."""
        self._state = f"≠ {text}" if text else ""
        self._announce()

    def set_note(self, text: str) -> None:
        """A quiet line (file name, resampled or not)."""
        self._kind, self._name, self._warning = "", text, ""
        self._announce()

    def set_synthetic(self, domain_label: str, model: str) -> None:
        """The warning of a synthetic picture."""
        self._kind, self._name, self._warning = f"Synthetic {domain_label}", model, "synthetic, not for diagnosis"
        self._announce()

    @property
    def text(self) -> str:
        """The whole line, before shortening."""
        return f"{self._kind} (model {self._name}) — {self._warning}" if self._warning else self._name

    @property
    def state_text(self) -> str:
        return self._state

    @property
    def shown_text(self) -> str:
        """The line as it fits the present width."""
        if self._private and not self._warning:
            return ""
        return self._shortened(QFontMetricsF(palette.font(12)), self._room())

    @property
    def narrowest(self) -> int:
        """The width that the shortest form of the warning needs."""
        return math.ceil(_advance(QFontMetricsF(palette.font(12)), _TWO_LINES)) + _STRIP_MARGINS

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._follow_font()

    def changeEvent(self, event: QEvent) -> None:
        if palette.changes_text(event):
            self._follow_font()
        super().changeEvent(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setFont(palette.font(12))
        box = QRectF(self.rect())
        if self._warning:
            painter.fillRect(box, palette.STRIP_GROUND)
            painter.fillRect(QRectF(0, 0, 4, box.height()), palette.AMBER)
        painter.setPen(palette.STRIP_TEXT if self._warning else palette.MUTED)
        inner = box.adjusted(10, 0, -10, 0)
        painter.drawText(inner, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, self.shown_text)
        painter.setFont(palette.font(12, bold=True))
        painter.setPen(palette.AMBER)
        painter.drawText(inner, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, self._shown_state())
        painter.end()

    def _follow_font(self) -> None:
        lines = self.shown_text.count("\n") + 1
        self.setFixedHeight(math.ceil(lines * QFontMetricsF(palette.font(12)).height()) + 8)
        self.update()

    def _shown_state(self) -> str:
        metrics, room = QFontMetricsF(palette.font(12, bold=True)), self.width() - _STRIP_MARGINS
        if self._warning:
            room -= math.ceil(_advance(QFontMetricsF(palette.font(12)), self.shown_text)) + _STATE_GAP
        return metrics.elidedText(self._state, Qt.TextElideMode.ElideRight, max(room, 0))

    def _room(self) -> float:
        """For the text: a warning takes what it needs, a note what the state leaves."""
        whole = self.width() - _STRIP_MARGINS
        if self._warning or not self._state:
            return whole
        return max(whole - QFontMetricsF(palette.font(12, bold=True)).horizontalAdvance(self._state) - _STATE_GAP, 0)

    def _shortened(self, metrics: QFontMetricsF, width: float) -> str:
        if not self._warning:
            return metrics.elidedText(self._name, Qt.TextElideMode.ElideMiddle, width)
        room = width - metrics.horizontalAdvance(self.text.replace(self._name, "", 1))
        if room >= metrics.horizontalAdvance("m" * min(_SHORTEST_NAME, len(self._name))):
            name = metrics.elidedText(self._name, Qt.TextElideMode.ElideMiddle, room)
            return self.text.replace(self._name, name, 1)
        shorter = (f"{self._kind} — not for diagnosis", _SHORTEST_WARNING)
        return next((line for line in shorter if metrics.horizontalAdvance(line) <= width), _TWO_LINES)

    def _announce(self) -> None:
        whole = "   ".join(part for part in (self.text, self._state) if part)
        self.setToolTip(whole)
        self.setAccessibleName(whole)
        self._follow_font()


def show_provenance(header: Header, strip: Strip, volume: Volume, *, resampled: bool = False, letter: str = "") -> None:
    """What the picture is and, where a model made it, the warning. `letter`: of that model beside others; then it says which one
    made this."""
    made, parts = volume.synthetic, [draw_words(volume), volume.label]
    if made is not None and letter:
        parts = [letter, draw_words(volume), f"{made.model_name} {made.model_hash[:SHORT_HASH]}".strip(), volume.domain.label]
    header.set_title(" · ".join(part for part in parts if part))
    if made is not None:
        strip.set_synthetic("MRI" if volume.domain.is_mr else volume.domain.label, made.model_name)
    else:
        strip.set_note(f"{volume.name} · resampled onto these slices" if resampled else volume.name)


def _advance(metrics: QFontMetricsF, text: str) -> float:
    """The width of the longest line."""
    return max(metrics.horizontalAdvance(line) for line in text.split("\n"))


class Bars(QWidget):
    """The bars of a pane above one another; `changed` when they may take another height."""

    changed = Signal()

    def __init__(self, *bars: QWidget) -> None:
        super().__init__()
        column = self._column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for bar in bars:
            column.addWidget(bar)
        column.addStretch(1)

    @property
    def needed(self) -> int:
        """The height of the bars themselves."""
        layout = self._column
        return layout.totalHeightForWidth(self.width()) if layout.hasHeightForWidth() else layout.totalSizeHint().height()

    def event(self, event: QEvent) -> bool:
        done = super().event(event)
        if event.type() in (QEvent.Type.LayoutRequest, QEvent.Type.Resize):
            self.changed.emit()
        return done
