"""Whether the monitor shows a patch of 5 % on black and of 95 % on white. It is asked where they are: pressing Enter blindly does
not pass, and one of the three fields is empty."""

from __future__ import annotations

import random

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from ctmri_gui.panels.small_parts import label
from ctmri_gui.studies.reading.answer_parts import digit_of
from ctmri_gui.studies.reading.pages import Page
from ctmri_gui.viewer import palette

NOWHERE = 5
_BLACK, _WHITE = (0, round(0.05 * 255)), (255, round(0.95 * 255))
_SHARE = 0.3
_ASKED = "A square a little lighter or darker than its ground may be in one quarter of the field, or in none. Where is it?"


class _Field(QWidget):
    """A ground with a patch in one of its quarters, numbered by rows from 1, or in none."""

    def __init__(self) -> None:
        super().__init__()
        self.ground, self.patch, self.quarter = *_BLACK, NOWHERE

    def sizeHint(self) -> QSize:
        return QSize(palette.scaled(480), palette.scaled(250))

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(self.ground, self.ground, self.ground))
        if self.quarter != NOWHERE:
            row, column = divmod(self.quarter - 1, 2)
            width, height = self.width() * _SHARE, self.height() * _SHARE
            middle_x, middle_y = self.width() * (0.25 + 0.5 * column), self.height() * (0.25 + 0.5 * row)
            box = QRectF(middle_x - width / 2, middle_y - height / 2, width, height)
            painter.fillRect(box, QColor(self.patch, self.patch, self.patch))
        painter.setPen(QColor(128, 128, 128))
        painter.drawRect(self.rect().adjusted(0, 0, -1, -1))  # where the field ends, in any colours of the program
        painter.end()


class PatternPage(Page):
    """Three fields, one after another. `patches`: whether all three answers were right."""

    def __init__(self, chance: random.Random | None = None) -> None:
        super().__init__("Your monitor", _ASKED, other="Look again")
        self._chance = chance or random.Random()
        self._field, self._words = _Field(), label("", "muted")
        self.body.addWidget(self._field, 0, Qt.AlignmentFlag.AlignHCenter)
        row = QHBoxLayout()
        texts = ("1  top left", "2  top right", "3  bottom left", "4  bottom right", "5  nowhere")
        self._buttons = [QPushButton(text) for text in texts]
        for number, button in enumerate(self._buttons, 1):
            button.setProperty("role", "small")
            button.clicked.connect(lambda _=False, number=number: self.answer(number))
            row.addWidget(button)
        self.body.addLayout(row)
        self.body.addWidget(self._words)
        self.other.connect(self.begin)
        self.begin()

    def begin(self) -> None:
        """New fields."""
        self._right: list[bool] = []
        kinds = [(_BLACK, self._chance.randint(1, 4)), (_WHITE, self._chance.randint(1, 4))]
        self._fields = [*kinds, (self._chance.choice((_BLACK, _WHITE)), NOWHERE)]
        self._chance.shuffle(self._fields)
        self.say("")
        self._show()

    @property
    def quarter(self) -> int | None:
        """Where the patch is now; None at the end."""
        return self._field.quarter if len(self._right) < len(self._fields) else None

    @property
    def patches(self) -> bool:
        return len(self._right) == len(self._fields) and all(self._right)

    def answer(self, quarter: int) -> None:
        """1 to 4, or `NOWHERE`."""
        if self.quarter is not None:
            self._right.append(quarter == self.quarter)
            self._show()

    def missing(self) -> str:
        return "" if self.quarter is None else "Answer first, by 1 to 5."

    def keyPressEvent(self, event: QKeyEvent) -> None:
        digit = digit_of(event)
        if digit is not None and 1 <= digit <= NOWHERE:
            self.answer(digit)
        else:
            super().keyPressEvent(event)

    def _show(self) -> None:
        number, at_end = len(self._right), len(self._right) == len(self._fields)
        for button in self._buttons:
            button.setEnabled(not at_end)
        if at_end:
            good = "All three are right: this monitor shows what it should."
            bad = ("Not all were right. Darken the room, turn the monitor brighter and look at it straight on; then look again. "
                   "You may go on all the same: it is written down.")  # fmt: skip
            self._words.setText(good if self.patches else "")
            self.say("" if self.patches else bad)
            return
        (self._field.ground, self._field.patch), self._field.quarter = self._fields[number]
        self._words.setText(f"Field {number + 1} of {len(self._fields)}")
        self._field.update()
