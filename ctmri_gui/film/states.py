"""What changes from frame to frame of a film: the slice, or the line of a wipe.

Slices, zoom, position and windows of all panes are those of the moment at which it was asked for, whatever somebody does
meanwhile. What is drawn over the slices is as it is when a frame is painted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from typing import Protocol

from ctmri_core.errors import CtmriError
from ctmri_gui.viewer.compare.compare_model import CompareModel
from ctmri_gui.viewer.compare.modes import Mode
from ctmri_gui.viewer.displayed_grid import Pose
from ctmri_gui.viewer.presets import Window
from ctmri_gui.viewer.roles import Role
from ctmri_gui.viewer.viewer_model import ViewerModel

GONE = "The panes show something else by now, so nothing was saved."


class States(Protocol):
    """The states of a film, in their order."""

    def __len__(self) -> int: ...

    def at(self, number: int) -> AbstractContextManager[None]:
        """Brings the panes into state `number`, and back when the block ends. Raises `CtmriError` when they no longer can."""


@dataclass(frozen=True)
class _Look:
    """How panes are seen at one moment."""

    poses: dict[str, Pose]
    windows: dict[Role, Window]

    @classmethod
    def of(cls, model: ViewerModel, panes: Sequence[str]) -> _Look:
        return cls({pane: model.pose(pane) for pane in panes}, dict(model.windows))

    def bring(self, model: ViewerModel) -> None:
        model.put_windows(self.windows)
        for pane, pose in self.poses.items():
            model.set_pose(pane, pose)


class _Kept:
    """Panes as they were when this was made, for the length of a block."""

    def __init__(self, model: ViewerModel, panes: Sequence[str]) -> None:
        self._model, self._panes, self._began = model, tuple(panes), _seen(model, panes)
        self.look = _Look.of(model, panes)

    @contextmanager
    def shown(self, poses: dict[str, Pose] | None = None) -> Iterator[None]:
        """With some other `poses`. Raises `CtmriError` when the panes show other volumes or planes by now."""
        if _seen(self._model, self._panes) != self._began:
            raise CtmriError(GONE)
        now = _Look.of(self._model, self._panes)
        replace(self.look, poses={**self.look.poses, **(poses or {})}).bring(self._model)
        try:
            yield
        finally:
            now.bring(self._model)


class Slices:
    """Slices of the pane `leading`, and of those of `panes` that are linked with it: `numbers` of its displayed grid."""

    def __init__(self, model: ViewerModel, panes: Sequence[str], leading: str, numbers: range) -> None:
        self.numbers = numbers
        self._kept = _Kept(model, panes)
        linked = model.is_linked(leading)
        self._going = [
            pane
            for pane in panes
            if pane == leading or (linked and model.is_linked(pane) and model.displayed(pane) is model.displayed(leading))
        ]

    def __len__(self) -> int:
        return len(self.numbers)

    def at(self, number: int) -> AbstractContextManager[None]:
        poses = self._kept.look.poses
        return self._kept.shown({pane: replace(poses[pane], k=self.numbers[number]) for pane in self._going})


class WipeLine:
    """The line of the wipe in the pane `leading`, from one side to the other in `count` places."""

    def __init__(self, viewer: ViewerModel, model: CompareModel, panes: Sequence[str], leading: str, count: int) -> None:
        self._model, self._pane, self._count = model, leading, count
        self._kept = _Kept(viewer, panes)

    def __len__(self) -> int:
        return self._count

    @contextmanager
    def at(self, number: int) -> Iterator[None]:
        model, pane = self._model, self._pane
        if not wipes(model, pane):
            raise CtmriError(GONE)
        before = model.of(pane).line
        with self._kept.shown():
            model.set_line(pane, number / max(self._count - 1, 1))
            try:
                yield
            finally:
                model.set_line(pane, before)


def wipes(model: CompareModel, pane: str) -> bool:
    """Whether there is a line between two pictures in a pane."""
    return model.of(pane).mode is Mode.WIPE and model.partner(pane) is not None


def _seen(model: ViewerModel, panes: Sequence[str]) -> tuple[object, ...]:
    """What must stay the same for a film to go on: the volumes, and the slices that panes go through."""
    volumes = ((role, id(volume)) for role, volume in model.volumes.items())
    return *volumes, *(id(model.displayed(pane)) if pane in model.panes else None for pane in panes)
