"""What digital heads look like, and how many slices they give. They need no check."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPixmap, QShowEvent
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from ctmri_core.domain import Domain
from ctmri_core.events import Finished
from ctmri_gui.jobs.latest import Latest
from ctmri_gui.jobs.queue import Jobs
from ctmri_gui.panels.small_parts import label
from ctmri_gui.training.new_run.case_pictures import Tiles, digital_head
from ctmri_gui.training.new_run.draft import PHANTOM, KnownData
from ctmri_gui.training.new_run.figures import Figures
from ctmri_gui.training.new_run.flowing_row import FlowingRow

_SLICES_PER_HEAD = 158
"""With body in them, of heads with voxels of 1 mm: counted."""
_FINEST_MM, _COARSEST_MM = 0.7, 4.0  # of voxels that heads are made with
_SHOWN, _SIDE = 3, 140
_VALIDATION_SHARE = 0.2
_KINDS = (Domain.CT, Domain.MR_T1)


class PhantomCard(QWidget):
    """Three of the heads are drawn, one after another, while the card is in sight."""

    def __init__(self, jobs: Jobs) -> None:
        super().__init__()
        self._drawing, self._seeds = Latest(jobs), range(0)
        self._drawn: set[int] = set()
        self.figures = Figures()
        self.pictures = [QLabel() for _ in range(_SHOWN)]
        for number, picture in enumerate(self.pictures, 1):
            picture.setAccessibleName(f"Digital head {number}: CT and T1 MR")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.figures)
        column.addWidget(label("✓ Digital heads lie exactly on each other; there is nothing to check.", "good"))
        column.addWidget(label("They are drawn when the run starts, which takes some seconds for each.", "muted"))
        column.addWidget(FlowingRow(*self.pictures))
        column.addStretch(1)

    def show_heads(self, known: KnownData) -> None:
        """`known`: as `heads_known` gives it."""
        count, first = _numbers(known.spec)
        self._seeds, self._drawn = range(first, first + min(count, _SHOWN)), set()
        said = {"digital heads": str(count), "to learn from": f"about {known.slices}", "validation": f"about {known.held}"}
        self.figures.show_figures({**said, "kinds": ", ".join(kind.label for kind in known.domains)})
        for number, picture in enumerate(self.pictures):
            picture.setVisible(number < len(self._seeds))
            picture.setPixmap(_side_by_side())
        self._drawing.drop()
        self._draw_next()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._draw_next()

    def _draw_next(self) -> None:
        left = [number for number in range(len(self._seeds)) if number not in self._drawn]
        busy = self._drawing.state is not None and self._drawing.state.running
        if not left or busy or not self.isVisible():
            return
        begin = partial(digital_head, self._seeds[left[0]])
        take = partial(self._take, left[0])
        self._drawing.ask("Draw a digital head", begin, take, ended=self._ended, listed=False)

    def _take(self, number: int, tiles: Tiles) -> None:
        self.pictures[number].setPixmap(_side_by_side(*tiles.pictures[:2]))
        self._drawn.add(number)

    def _ended(self, end: Finished) -> None:
        if end.reason == "completed":
            self._draw_next()


def _side_by_side(*pictures: QImage) -> QPixmap:
    """Two pictures beside each other; none yet where there are none."""
    both = QPixmap(2 * _SIDE, _SIDE)
    both.fill(Qt.GlobalColor.black)
    painter = QPainter(both)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    for place, picture in enumerate(pictures):
        painter.drawImage(QRect(place * _SIDE, 0, _SIDE, _SIDE), picture)
    if not pictures:
        painter.setPen(QColor("#b7c1cd"))
        painter.drawText(both.rect(), Qt.AlignmentFlag.AlignCenter, "being drawn …")
    painter.end()
    return both


def heads_known(source: str, spacing_mm: float) -> KnownData:
    """What `phantom:COUNT[:SEED]` will give, with slices of `spacing_mm`."""
    count, _ = _numbers(source)
    held = max(round(count * _VALIDATION_SHARE), 1) if count > 1 else 0
    each = round(_SLICES_PER_HEAD / min(max(spacing_mm, _FINEST_MM), _COARSEST_MM))
    slices = (count - held) * each
    return KnownData(source, _KINDS, slices, count - held, held * each, slices, groups=((_KINDS, slices),))


def _numbers(source: str) -> tuple[int, int]:
    """How many heads, and the seed of the first."""
    words = [word if word.isdecimal() else "0" for word in source.removeprefix(PHANTOM).split(":")]
    return int(words[0]), int(words[1]) if len(words) > 1 else 0
