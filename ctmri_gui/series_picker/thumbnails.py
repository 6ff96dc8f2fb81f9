"""Small pictures of series, made one after another in the background, those in sight first."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QImage, QPainter

from ctmri_core.errors import CtmriError
from ctmri_core.events import Finished, Progress, StopSignal, Work
from ctmri_core.volume import Volume
from ctmri_gui.jobs.queue import Jobs, JobState
from ctmri_gui.viewer.displayed_grid import DisplayedGrid
from ctmri_gui.viewer.grey_picture import GreyPicture
from ctmri_gui.viewer.presets import first_window

if TYPE_CHECKING:
    from ctmri_core.io.series import Series

SIDE = 160  # twice what is shown, for fine screens


class Thumbnails(QObject):
    """`made(row, QImage)` for the series that are asked for and of which a picture can be had cheaply. `close` ends that."""

    made = Signal(int, object)

    def __init__(self, jobs: Jobs, series: Sequence[Series], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs, self._series = jobs, tuple(series)
        self._begun = {row for row, entry in enumerate(self._series) if entry.refusal is not None}
        self._wanted: deque[int] = deque()
        self._state: JobState | None = None
        self._closed = False

    def want(self, rows: Iterable[int]) -> None:
        """Pictures of these, in this order; what was wanted before and is not begun can wait until it is asked for again."""
        self._wanted = deque(row for row in rows if row not in self._begun)
        self._next()

    def close(self) -> None:
        self._closed = True
        if self._state is not None:
            self._jobs.stop(self._state)

    def _next(self) -> None:
        if self._closed or self._state is not None or not self._wanted:
            return
        row = self._wanted.popleft()
        self._begun.add(row)
        self._state = self._jobs.run(
            "Small picture",
            partial(make_thumbnail, self._series[row]),
            on_result=partial(self._take, row),
            on_end=self._ended,
            listed=False,
        )

    def _take(self, row: int, picture: QImage | None) -> None:
        if picture is not None and not self._closed:
            self.made.emit(row, picture)

    def _ended(self, _end: Finished) -> None:
        self._state = None
        self._next()


def make_thumbnail(series: Series, stop: StopSignal) -> Work[QImage | None]:
    """None where there is no slice to be had cheaply; why a series cannot be read is said when it is opened."""
    from ctmri_core.io.opening import preview

    yield Progress(done=0, message="making a small picture")
    try:
        volume = preview(series)
    except CtmriError:
        return None
    return None if volume is None or stop() else picture_of(volume)


def picture_of(volume: Volume) -> QImage:
    """A slice as it lies on the screen, in the window the volume opens with, the body fitted into `SIDE` x `SIDE` px."""
    shown = DisplayedGrid.of(volume)
    layout, frame = shown.layout, shown.frame
    grey = GreyPicture().render(
        layout.arrange(volume.voxels[shown.opening]), *first_window(volume).levels(dicom=volume.dicom is not None)
    )
    width, height = layout.size_mm
    scale = SIDE / max(frame.width, frame.height)
    across, down = max(round(width * scale), 1), max(round(height * scale), 1)
    mode = Qt.TransformationMode.SmoothTransformation
    fitted = grey.scaled(across, down, Qt.AspectRatioMode.IgnoreAspectRatio, mode)
    square = QImage(SIDE, SIDE, QImage.Format.Format_RGB32)
    square.fill(Qt.GlobalColor.black)
    painter = QPainter(square)
    left, top = SIDE / 2 - (frame.left + frame.width / 2) * scale, SIDE / 2 - (frame.top + frame.height / 2) * scale
    painter.drawImage(round(left), round(top), fitted)
    painter.end()
    return square
