"""Frames for the writer of a film: asked for on its thread, painted in the interface thread when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from queue import Empty, Queue

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QImage

from ctmri_core.errors import CtmriError, Stopped
from ctmri_core.events import StopSignal

_LISTENS = 0.05  # seconds between two looks at the stop signal
_LATER_MS, _TRIES = 20, 1500  # half a minute for a picture that has to be computed first
_NEVER_CAME = CtmriError("A slice could not be shown in time, so nothing was saved.")


class PaintedFrames(QObject):
    """`paint(number)` gives a picture (RGB888), None while it cannot be had yet; it raises `CtmriError` when it never can.

    At most two frames are painted and not yet written: as many as the writer can take, whatever the length of the film.
    """

    _asked = Signal(int)

    def __init__(self, count: int, paint: Callable[[int], QImage | None], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._count, self._paint = count, paint
        self._painted: Queue[QImage | CtmriError] = Queue()
        self._tries = 0
        self._asked.connect(self._make, Qt.ConnectionType.QueuedConnection)

    def __len__(self) -> int:
        return self._count

    def pictures(self, numbers: Sequence[int], stop: StopSignal) -> Iterator[NDArray[np.uint8]]:
        """Frames (rows, columns, 3), the next one painted while the last one is written. Raises `Stopped`, `CtmriError`."""
        for place, number in enumerate(numbers):
            if place == 0:
                self._asked.emit(number)
            image = self._wait(stop)
            if place + 1 < len(numbers):
                self._asked.emit(numbers[place + 1])
            yield pixels_of(image)

    def _wait(self, stop: StopSignal) -> QImage:
        while not stop():
            try:
                found = self._painted.get(timeout=_LISTENS)
            except Empty:
                continue
            if isinstance(found, CtmriError):
                raise found
            return found
        raise Stopped("Stopped.")

    @Slot(int)
    def _make(self, number: int) -> None:
        answer: QImage | CtmriError | None = _NEVER_CAME
        try:
            answer = self._paint(number)
        except CtmriError as error:
            answer = error
        finally:  # a bug in painting ends the film, too
            self._answer(number, answer)

    def _answer(self, number: int, answer: QImage | CtmriError | None) -> None:
        if answer is None and self._tries < _TRIES:
            self._tries += 1
            QTimer.singleShot(_LATER_MS, self, lambda: self._make(number))
        else:
            self._tries = 0
            self._painted.put(_NEVER_CAME if answer is None else answer)


def pixels_of(image: QImage) -> NDArray[np.uint8]:
    """(rows, columns, 3) of an RGB888 picture, copied."""
    height, width = image.height(), image.width()
    lines = np.frombuffer(image.constBits(), np.uint8).reshape(height, image.bytesPerLine())
    return lines[:, : 3 * width].copy().reshape(height, width, 3)
