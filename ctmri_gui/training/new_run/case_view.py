"""One case large: its pictures laid over each other with a slider between them, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QSizePolicy,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from ctmri_core.events import Finished, StopSignal, Work
from ctmri_gui.jobs.latest import Latest
from ctmri_gui.jobs.queue import Jobs
from ctmri_gui.panels.small_parts import label, naming, resize_dialog, scrolling, set_role
from ctmri_gui.training.new_run.case_pictures import Tiles, faded
from ctmri_gui.training.new_run.case_rows import CaseRow

_WIDTH, _HEIGHT, _LEAST_PICTURE = 860, 760, 180
_HALF, _WHOLE = 50, 100
_PROBLEM_LINES = 4.5

Read = Callable[[CaseRow, int | None, StopSignal], Work[Tiles]]


class CaseView(QDialog):
    """`rows` can be gone through from here. `leave_out`: asks that a case be left out, or be taken back; None: nobody may."""

    leaveOut = Signal(object, bool)  # CaseRow, whether it is left out

    def __init__(
        self, rows: tuple[CaseRow, ...], row: CaseRow, read: Read, jobs: Jobs, parent: QWidget | None = None,
        *, may_leave_out: bool,
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self._rows, self._read, self._may = rows, read, may_leave_out
        self._place = rows.index(row)
        self._out = {each.key for each in rows if each.files and not each.used}
        self._latest = Latest(jobs)
        self._tiles: Tiles | None = None
        self.setWindowTitle("Case")
        self.title = label("", "title")
        self.problems = label()
        self.picture = Picture("The case's pictures, one over the other")
        self.fade = _slider("Fade from the first picture to the other", _WHOLE, _HALF)
        self.slice = _slider("Slice", 0, 0)
        self.over, self.outline = QComboBox(), QCheckBox("&Outline of the first")
        self.over.setAccessibleName("The picture laid over the first")
        self.outline.setChecked(True)
        self.first, self.shown = label("", wrap=False), label("", "muted", wrap=False)
        self.take_out = QPushButton()
        self.take_out.setAutoDefault(False)
        self.earlier, self.later = QPushButton("‹ &Previous"), QPushButton("&Next ›")
        self._lay_out()
        self.fade.valueChanged.connect(lambda _value: self._draw())
        self.outline.toggled.connect(lambda _on: self._draw())
        self.over.currentIndexChanged.connect(lambda _row: self._draw())
        self.slice.valueChanged.connect(self._ask)
        self.earlier.clicked.connect(lambda: self._go(-1))
        self.later.clicked.connect(lambda: self._go(1))
        self.take_out.clicked.connect(self._turn)
        self.finished.connect(lambda _code: self._latest.drop())
        resize_dialog(self, _WIDTH, _HEIGHT)
        self._show_case()
        self.fade.setFocus()

    @property
    def row(self) -> CaseRow:
        return self._rows[self._place]

    def _go(self, step: int) -> None:
        self._place = min(max(self._place + step, 0), len(self._rows) - 1)
        self._show_case()

    def _show_case(self) -> None:
        row = self.row
        self.setWindowTitle(row.title)
        self._tiles = None
        self.picture.show_image(None, "" if row.files else "This case was left out when the data were prepared.")
        signs = ["▲" if problem.serious else "△" for problem in row.problems]
        said = [f"{sign} {message}" for sign, message in zip(signs, row.messages, strict=True)]
        set_role(self.problems, "error" if row.serious else "warning" if said else "good")
        self.problems.setText("\n".join(said) or "✓ Nothing was found wrong with this case.")
        self.earlier.setEnabled(self._place > 0)
        self.later.setEnabled(self._place < len(self._rows) - 1)
        self._show_use()
        self.slice.setEnabled(False)
        if row.files:
            self._ask(None)

    def _show_use(self) -> None:
        out = self.row.key in self._out
        used = "left out" if out else self.row.side
        self.title.setText(f"{self.row.title}, {used}")
        self.take_out.setVisible(self._may and bool(self.row.key))
        self.take_out.setText("&Take it back" if out else "&Leave this case out")

    def _turn(self) -> None:
        key = self.row.key
        self._out ^= {key}
        self._show_use()
        self.leaveOut.emit(self.row, key in self._out)

    def _ask(self, number: int | None) -> None:
        row = self.row

        def begin(stop: StopSignal) -> Work[Tiles]:
            return self._read(row, number, stop)

        self._latest.ask("Read a slice", begin, self._take, ended=self._ended, listed=False)

    def _ended(self, end: Finished) -> None:
        if end.message:
            self.picture.show_image(None, end.message)

    def _take(self, tiles: Tiles) -> None:
        self._tiles = tiles
        labels = tiles.labels[1:] or tiles.labels
        if labels != tuple(self.over.itemText(row) for row in range(self.over.count())):
            self.over.blockSignals(True)
            self.over.clear()
            self.over.addItems(list(labels))
            self.over.blockSignals(False)
        self.first.setText(tiles.labels[0])
        for widget in (self.over, self.fade, self.first):
            widget.setVisible(len(tiles.labels) > 1)
        self.slice.blockSignals(True)
        self.slice.setRange(0, tiles.slices - 1)
        self.slice.setValue(tiles.shown)
        self.slice.setEnabled(tiles.slices > 1)
        self.slice.blockSignals(False)
        self.shown.setText(f"{tiles.shown + 1} of {tiles.slices}")
        self._draw()

    def _draw(self) -> None:
        if self._tiles is not None:
            share = self.fade.value() / _WHOLE if len(self._tiles.pictures) > 1 else 0.0
            picture = faded(self._tiles, self.over.currentIndex() + 1, share, outline=self.outline.isChecked())
            self.picture.show_image(picture, "")

    def _lay_out(self) -> None:
        grid, foot = QGridLayout(), QHBoxLayout()
        grid.addWidget(self.first, 0, 0)
        grid.addWidget(self.fade, 0, 1)
        grid.addWidget(self.over, 0, 2)
        grid.addWidget(naming("&Slice", self.slice), 1, 0)
        grid.addWidget(self.slice, 1, 1)
        grid.addWidget(self.shown, 1, 2)
        grid.setColumnStretch(1, 1)
        grid.setHorizontalSpacing(12)
        close = QPushButton("&Close")
        close.setAutoDefault(False)
        close.clicked.connect(self.accept)
        foot.addWidget(self.earlier)
        foot.addWidget(self.later)
        foot.addStretch(1)
        foot.addWidget(self.take_out)
        foot.addWidget(close)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 14, 16, 14)
        column.setSpacing(10)
        column.addWidget(self.title)
        inside = QWidget()
        lines = QVBoxLayout(inside)
        lines.setContentsMargins(0, 0, 6, 0)
        lines.addWidget(self.problems)
        lines.addStretch(1)
        area = scrolling(inside, "What was found of this case")
        area.setMaximumHeight(round(_PROBLEM_LINES * self.fontMetrics().lineSpacing()))
        column.addWidget(area)
        column.addWidget(self.picture, 1)
        column.addLayout(grid)
        column.addWidget(self.outline)
        column.addLayout(foot)
        for step in (self.earlier, self.later):
            step.setAutoDefault(False)


class Picture(QWidget):
    """A picture as large as there is room, on black."""

    def __init__(self, name: str, least: int = _LEAST_PICTURE) -> None:
        """`least`: px of either side."""
        super().__init__()
        self._least = least
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._image: QImage | None = None
        self._words = ""

    def minimumSizeHint(self) -> QSize:
        return QSize(self._least, self._least)

    def show_image(self, image: QImage | None, words: str) -> None:
        self._image, self._words = image, words
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor("#000000"))
        if self._image is None:
            painter.setPen(QColor("#b7c1cd"))
            flags = int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap)
            painter.drawText(self.rect().adjusted(20, 20, -20, -20), flags, self._words)
            return
        scale = min(self.width() / self._image.width(), self.height() / self._image.height())
        wide, high = self._image.width() * scale, self._image.height() * scale
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        where = QRectF((self.width() - wide) / 2, (self.height() - high) / 2, wide, high)
        painter.drawImage(where, self._image, QRectF(QRect(0, 0, self._image.width(), self._image.height())))


def _slider(name: str, last: int, value: int) -> QSlider:
    made = QSlider(Qt.Orientation.Horizontal)
    made.setAccessibleName(name)
    made.setToolTip(name)
    made.setRange(0, last)
    made.setValue(value)
    return made
