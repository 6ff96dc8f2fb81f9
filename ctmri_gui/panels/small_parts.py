"""Labels, buttons and scrolling areas as the style sheet knows them, and how large dialogs are."""

from __future__ import annotations

import re

from PySide6.QtCore import QEvent, QObject, QPoint, QSize, Qt, QTimer
from PySide6.QtGui import QAction, QShowEvent
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QBoxLayout,
    QComboBox,
    QDialog,
    QFrame,
    QLabel,
    QPushButton,
    QScrollArea,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from ctmri_gui.viewer.palette import scaled

_LONG_WORD = re.compile(r"\S{17,}")
_JOINT = re.compile(r"(?<=[_./\\-])")
_MAY_BREAK = "\u200b"
LARGE_TEXT = 20
"""px: from here on two buttons in a row of a panel would take from the pictures of the smallest window."""
_SHARE_OF_SCREEN = 0.9
_UNFOLDED_MS, _MOST_LOOKS = 50, 10  # layouts within layouts take some turns


class WrappingLabel(QLabel):
    """Plain text that wraps; long file names, which hold no blank, break after their signs and so never widen a panel."""

    def __init__(self, text: str = "") -> None:
        super().__init__()
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(True)
        self.setText(text)

    def setText(self, text: str) -> None:
        super().setText(_LONG_WORD.sub(lambda word: _JOINT.sub(_MAY_BREAK, word[0]), text))

    def text(self) -> str:
        return super().text().replace(_MAY_BREAK, "")


class TurningRow(QWidget):
    """Widgets beside one another, each with its stretch; above one another with large text."""

    def __init__(self, *parts: tuple[QWidget, int]) -> None:
        super().__init__()
        self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(6)
        for widget, stretch in parts:
            self._row.addWidget(widget, stretch)
        self._turn()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._turn()

    def _turn(self) -> None:
        directions = QBoxLayout.Direction
        self._row.setDirection(directions.TopToBottom if self.font().pixelSize() >= LARGE_TEXT else directions.LeftToRight)


def label(text: str = "", role: str = "", *, wrap: bool = True) -> QLabel:
    """Plain text in the colour of `role` (`title`, `heading`, `muted`, `warning`, `error`, `badge`)."""
    made = WrappingLabel(text) if wrap else QLabel(text)
    made.setTextFormat(Qt.TextFormat.PlainText)
    set_role(made, role)
    return made


def set_role(widget: QLabel, role: str) -> None:
    """Changes what the style sheet makes of a label."""
    widget.setProperty("role", role)
    widget.style().unpolish(widget)
    widget.style().polish(widget)


def set_primary(made: QPushButton, primary: bool) -> None:
    """Whether a button is what is to be pressed next, and stands out."""
    if made.property("primary") != primary:
        made.setProperty("primary", primary)
        made.style().unpolish(made)
        made.style().polish(made)


def button(action: QAction, *, primary: bool = False, short: bool = False) -> QPushButton:
    """A push button that follows `action`: text (as on the tool bar when `short`), tooltip and whether it can be pressed."""
    made = QPushButton()
    made.setProperty("primary", primary)

    def follow() -> None:
        made.setText(action.iconText() if short else action.text().replace("&", "").replace("…", ""))
        made.setEnabled(action.isEnabled())
        made.setToolTip(action.toolTip())

    action.changed.connect(follow)
    made.clicked.connect(action.trigger)
    follow()
    return made


def naming(words: str, field: QWidget) -> QLabel:
    """The label of `field`, whose letter after & leads there."""
    named = label(words, wrap=False)
    named.setBuddy(field)
    return named


def nothing_yet(words: str, begin: QPushButton) -> QWidget:
    """A page with nothing on it yet: why, and what to do about it."""
    page = QWidget()
    column = QVBoxLayout(page)
    told = label(words, "muted")
    told.setAlignment(Qt.AlignmentFlag.AlignHCenter)
    column.addStretch(1)
    column.addWidget(told)
    column.addWidget(begin, 0, Qt.AlignmentFlag.AlignHCenter)
    column.addStretch(2)
    return page


def above_one_another(*parts: QWidget) -> QVBoxLayout:
    """A form gives wrapped text more height than it needs, a column does not."""
    column = QVBoxLayout()
    column.setSpacing(6)
    for part in parts:
        column.addWidget(part)
    return column


class WheelGuard(QObject):
    """Lets the wheel pass on to the page around where the editor under the pointer has not the keyboard."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Wheel and isinstance(watched, QWidget) and not watched.hasFocus():
            event.ignore()
            return True
        return False


class _Scrolling(QScrollArea):
    """As wide as its content must be: what does not fit wraps or is reached by scrolling down, never sideways. The wheel
    scrolls, whatever lies under the pointer."""

    def __init__(self) -> None:
        super().__init__()
        self._guard = WheelGuard(self)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._guard_editors()

    def minimumSizeHint(self) -> QSize:
        hint, content = super().minimumSizeHint(), self.widget()
        if content is None:
            return hint
        width = content.minimumSizeHint().width() + self.verticalScrollBar().sizeHint().width()
        return QSize(width, hint.height())

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutRequest:
            self.updateGeometry()
            self._guard_editors()  # there may be new ones
        return super().event(event)

    def _guard_editors(self) -> None:
        content = self.widget()
        if content is None:
            return
        for kind in (QComboBox, QAbstractSpinBox, QSlider):
            for editor in content.findChildren(kind):
                if editor.focusPolicy() is Qt.FocusPolicy.WheelFocus:
                    editor.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
                editor.installEventFilter(self._guard)


def scrolling(content: QWidget, name: str) -> QScrollArea:
    """`content` in an area that scrolls when there is too little room."""
    area = _Scrolling()
    area.setAccessibleName(name)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setWidgetResizable(True)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setWidget(content)
    return area


def reveal(part: QWidget) -> None:
    """Scrolls to `part` once it has its room, where it was unfolded beyond what can be seen."""
    seen: list[tuple[int, int, int]] = []

    def scroll() -> None:
        outer = part.parentWidget()
        while outer is not None and not isinstance(outer, QScrollArea):
            outer = outer.parentWidget()
        content = None if outer is None else outer.widget()
        if outer is None or content is None or not part.isVisible():
            return
        bar, top = outer.verticalScrollBar(), part.mapTo(content, QPoint()).y()
        bar.setValue(min(top, max(bar.value(), top + part.height() - outer.viewport().height())))  # its top, if not all of it
        seen.append((top, part.height(), bar.maximum()))
        if len(seen) < _MOST_LOOKS and seen[-2:] != seen[-1:] * 2:  # on a busy machine its room is not there after one look
            QTimer.singleShot(_UNFOLDED_MS, part, scroll)

    QTimer.singleShot(_UNFOLDED_MS, part, scroll)


def resize_dialog(dialog: QDialog, width: int, height: int) -> None:
    """`width`, `height`: px beside text of 13 px. They grow with the text as far as the screen has room."""
    dialog.resize(QSize(scaled(width), scaled(height)).boundedTo(dialog.screen().availableSize() * _SHARE_OF_SCREEN))


def fit_height(dialog: QDialog, area: QScrollArea) -> None:
    """Makes `dialog` as high as shows all of `area` at the present width, as far as the screen has room; then it scrolls.
    It stays on the screen."""
    content, outer = area.widget(), dialog.layout()
    inner = None if content is None else content.layout()
    if inner is None or outer is None:
        return
    sides, width = outer.contentsMargins(), dialog.width()
    around = outer.totalHeightForWidth(width) if outer.hasHeightForWidth() else outer.totalSizeHint().height()
    around -= area.sizeHint().height()
    needed = inner.totalHeightForWidth(width - sides.left() - sides.right())
    room = dialog.screen().availableGeometry()
    dialog.resize(width, min(around + needed, round(room.height() * _SHARE_OF_SCREEN)))
    below = dialog.frameGeometry().bottom() - room.bottom()
    if below > 0:
        dialog.move(dialog.x(), max(dialog.y() - below, room.top()))
