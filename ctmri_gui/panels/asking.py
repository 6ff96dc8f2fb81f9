"""A question before something is done for good, which holds nothing up while it stands."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QWidget

from ctmri_gui.theme import current_palette
from ctmri_gui.theme import icon as theme_icon
from ctmri_gui.viewer.palette import scaled


def ask(
    parent: QWidget, title: str, text: str, more: str, *, yes: str, no: str, then: Callable[[], None], name: str = "",
    icon: QMessageBox.Icon = QMessageBox.Icon.Warning, harm: bool = True, otherwise: Callable[[], None] | None = None,
) -> None:  # fmt: skip
    """Asks `text`, explained by `more`; `then` is called for `yes` alone, `otherwise` for anything else. Enter and Esc mean `no`.
    `harm`: something is lost."""
    question = QMessageBox(icon, title, text, parent=parent)
    question.setObjectName(name)
    colours, side = current_palette(), scaled(32)
    sign = theme_icon("warning", colours.warning) if icon is QMessageBox.Icon.Warning else theme_icon("info", colours.accent)
    question.setIconPixmap(sign.pixmap(side, side))
    question.setTextFormat(Qt.TextFormat.PlainText)
    question.setInformativeText(more)
    roles = QMessageBox.ButtonRole
    agree = question.addButton(yes, roles.DestructiveRole if harm else roles.AcceptRole)
    keep = question.addButton(no, roles.RejectRole)
    question.setDefaultButton(keep)
    question.setEscapeButton(keep)
    question.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    question.buttonClicked.connect(lambda pressed: then() if pressed is agree else None)
    if otherwise is not None:
        question.finished.connect(lambda _code: None if question.clickedButton() is agree else otherwise())
    question.open()
