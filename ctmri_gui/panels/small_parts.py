"""Labels, buttons and scrolling areas as the style sheet knows them."""

from __future__ import annotations

import re

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFrame, QLabel, QPushButton, QScrollArea, QWidget

_LONG_WORD = re.compile(r"\S{17,}")
_JOINT = re.compile(r"(?<=[_./\\-])")
_MAY_BREAK = "\u200b"


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


class _Scrolling(QScrollArea):
    """As wide as its content must be: what does not fit wraps or is reached by scrolling down, never sideways."""

    def minimumSizeHint(self) -> QSize:
        hint, content = super().minimumSizeHint(), self.widget()
        if content is None:
            return hint
        width = content.minimumSizeHint().width() + self.verticalScrollBar().sizeHint().width()
        return QSize(width, hint.height())

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutRequest:
            self.updateGeometry()
        return super().event(event)


def scrolling(content: QWidget, name: str) -> QScrollArea:
    """`content` in an area that scrolls when there is too little room."""
    area = _Scrolling()
    area.setAccessibleName(name)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setWidgetResizable(True)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setWidget(content)
    return area
