"""The order in which the keyboard goes through what stands on a page. Qt takes that in which the parts were made."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget


def in_order(parts: Iterable[QWidget]) -> None:
    """Tab goes through `parts` one after another."""
    for before, after in pairwise(parts):
        QWidget.setTabOrder(before, after)


def takes_keys(widget: QWidget) -> tuple[QWidget, ...]:
    """`widget`, or what is in it, that Tab reaches, in the present order."""
    found, part = [widget] if _reached(widget) else [], widget.nextInFocusChain()
    while part is not widget:
        if widget.isAncestorOf(part) and _reached(part):
            found.append(part)
        part = part.nextInFocusChain()
    return tuple(found)


def _reached(widget: QWidget) -> bool:
    return bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus) and widget.focusProxy() is None
