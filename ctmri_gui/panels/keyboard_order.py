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
    """`widget`, or what is in it, that Tab reaches, in the order in which it was laid out.

    Never by `nextInFocusChain`: PySide takes what it returns for a part of the widget before, and lets go of all of them with it.
    """
    return tuple(part for part in (widget, *widget.findChildren(QWidget)) if _reached(part) and part.window() is widget.window())


def _reached(widget: QWidget) -> bool:
    return bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus) and widget.focusProxy() is None
