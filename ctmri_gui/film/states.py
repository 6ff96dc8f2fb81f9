"""What changes from frame to frame of a film: the slice, or the line of a wipe.

Everything else is as the panes have it when a frame is painted: whoever zooms meanwhile sees it in the frames that follow.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from ctmri_core.errors import CtmriError
from ctmri_gui.viewer.compare.compare_model import CompareModel
from ctmri_gui.viewer.compare.modes import Mode
from ctmri_gui.viewer.viewer_model import ViewerModel

GONE = "The panes show something else by now, so nothing was saved."


class States(Protocol):
    """The states of a film, in their order."""

    def __len__(self) -> int: ...

    def at(self, number: int) -> AbstractContextManager[None]:
        """Brings the panes into state `number`, and back when the block ends. Raises `CtmriError` when they no longer can."""


class Slices:
    """Slices of a pane, and of those that are linked with it: `numbers` of its displayed grid."""

    def __init__(self, model: ViewerModel, pane: str, numbers: range) -> None:
        self._model, self._pane, self.numbers = model, pane, numbers
        self._began = _seen(model, pane)

    def __len__(self) -> int:
        return len(self.numbers)

    @contextmanager
    def at(self, number: int) -> Iterator[None]:
        model, pane = self._model, self._pane
        if _seen(model, pane) != self._began:
            raise CtmriError(GONE)
        before = model.pose(pane).k
        model.set_slice(self.numbers[number], pane)
        try:
            yield
        finally:
            model.set_slice(before, pane)


class WipeLine:
    """The line of a pane's wipe, from one side to the other in `count` places."""

    def __init__(self, model: CompareModel, pane: str, count: int) -> None:
        self._model, self._pane, self._count = model, pane, count

    def __len__(self) -> int:
        return self._count

    @contextmanager
    def at(self, number: int) -> Iterator[None]:
        model, pane = self._model, self._pane
        if not wipes(model, pane):
            raise CtmriError(GONE)
        before = model.of(pane).line
        model.set_line(pane, number / max(self._count - 1, 1))
        try:
            yield
        finally:
            model.set_line(pane, before)


def wipes(model: CompareModel, pane: str) -> bool:
    """Whether there is a line between two pictures in a pane."""
    return model.of(pane).mode is Mode.WIPE and model.partner(pane) is not None


def _seen(model: ViewerModel, pane: str) -> tuple[object, ...]:
    """What must stay the same for a film to go on: the volumes, and the slices that are gone through."""
    shown = model.displayed(pane)
    return (*((role, id(volume)) for role, volume in model.volumes.items()), None if shown is None else id(shown))
