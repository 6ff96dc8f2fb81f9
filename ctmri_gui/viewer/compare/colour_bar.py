"""Which colour is which difference: the bar that stands in the pane."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QImage, QPainter, QPen

from ctmri_gui.viewer import palette
from ctmri_gui.viewer.compare import chips
from ctmri_gui.viewer.compare.colour_maps import argb_table
from ctmri_gui.viewer.compare.difference import number

_WIDTH, _HEIGHT = 190, 12
_ROOM_FOR_WORDS = 300  # px of height beside text of 13 px
_WRAPPED = Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop


@dataclass(frozen=True)
class ColourBar:
    """From -`limit`, or from 0 where it is not `signed`, to +`limit` `unit` in the colours of a map; `convention`: of what the
    difference is, or how the values were found, in words."""

    limit: float
    unit: str
    convention: str
    colours: str
    signed: bool = True

    @property
    def ends(self) -> tuple[str, str, str]:
        """What stands under the bar: at its left end, its middle and its right end."""
        if not self.signed:
            return "0", f"{self.limit / 2:g}", f"{self.limit:g} {self.unit}"
        return f"−{number(self.limit)}", "0", f"+{number(self.limit)} {self.unit}"

    def ticks(self, width: float, metrics: QFontMetricsF) -> tuple[str, str, str]:
        """The ends; the middle is left out where it would run into one of them."""
        left, middle, right = self.ends
        aside = max(metrics.horizontalAdvance(left), metrics.horizontalAdvance(right))
        fits = metrics.horizontalAdvance(f" {middle} ") / 2 + aside <= width / 2
        return left, middle if fits else "", right

    def draw(self, painter: QPainter, pane: tuple[int, int]) -> None:
        """In the upper left corner of a pane of (width, height). The convention needs a pane where there is room for it; where
        the bar would hide half of the picture it is left out, for its ends stand in the title too."""
        font = palette.font(12)
        metrics = QFontMetricsF(font)
        width = min(palette.scaled(_WIDTH), pane[0] - 2 * chips.EDGE - 2 * chips.PADDING)
        convention = self.convention if pane[1] >= palette.scaled(_ROOM_FOR_WORDS) else ""
        words = metrics.boundingRect(QRectF(0, 0, width, 1000), _WRAPPED, convention).height() if convention else 0.0
        line = math.ceil(metrics.height())
        box = chips.place(width + 2 * chips.PADDING, _HEIGHT + line + words + 12, pane[0])
        if box.bottom() > pane[1] / 2:
            return
        chips.ground(painter, box)
        bar = QRectF(box.left() + chips.PADDING, box.top() + 6, width, _HEIGHT)
        painter.drawImage(bar, _bar_image(self.colours))
        painter.setPen(QPen(palette.TEXT, 1))
        for share in (0.0, 0.5, 1.0):
            x = bar.left() + share * bar.width()
            painter.drawLine(round(x), round(bar.bottom()), round(x), round(bar.bottom() + 3))
        painter.setFont(font)
        ticks = QRectF(bar.left(), bar.bottom() + 2, bar.width(), line)
        places = (Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignHCenter, Qt.AlignmentFlag.AlignRight)
        for text, where in zip(self.ticks(width, metrics), places, strict=True):
            painter.drawText(ticks, where | Qt.AlignmentFlag.AlignTop, text)
        painter.setPen(palette.MUTED)
        painter.drawText(QRectF(bar.left(), ticks.bottom() + 1, bar.width(), words + 2), _WRAPPED, convention)


@cache
def _bar_image(colours: str) -> QImage:
    row = np.ascontiguousarray(argb_table(colours)[1:])
    return QImage(row.data, len(row), 1, 4 * len(row), QImage.Format.Format_ARGB32_Premultiplied).copy()
