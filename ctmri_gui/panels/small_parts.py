"""Labels and buttons as the style sheet knows them."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFrame, QLabel, QPushButton, QScrollArea, QWidget


def label(text: str = "", role: str = "", *, wrap: bool = True) -> QLabel:
    """Plain text in the colour of `role` (`title`, `heading`, `muted`, `warning`, `error`, `badge`)."""
    made = QLabel(text)
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setWordWrap(wrap)
    set_role(made, role)
    return made


def set_role(widget: QLabel, role: str) -> None:
    """Changes what the style sheet makes of a label."""
    widget.setProperty("role", role)
    widget.style().unpolish(widget)
    widget.style().polish(widget)


def button(action: QAction, *, primary: bool = False) -> QPushButton:
    """A push button that follows `action`: text, icon, tooltip and whether it can be pressed."""
    made = QPushButton()
    made.setProperty("primary", primary)

    def follow() -> None:
        made.setText(action.text().replace("&", "").replace("…", "") if action.text() else "")
        made.setEnabled(action.isEnabled())
        made.setToolTip(action.toolTip())

    action.changed.connect(follow)
    made.clicked.connect(action.trigger)
    follow()
    return made


def scrolling(content: QWidget, name: str) -> QScrollArea:
    """`content` in an area that scrolls up and down when there is too little room."""
    area = QScrollArea()
    area.setAccessibleName(name)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setWidgetResizable(True)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setWidget(content)
    return area
