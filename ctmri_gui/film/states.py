"""What changes from frame to frame of a film: the slice, or the line of a wipe.

Slices, zoom, position, windows, inverted greys and comparisons of all panes are those of the moment at which it was asked for,
whatever somebody does meanwhile. What is drawn over the slices is as it is when a frame is painted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from typing import Protocol

from ctmri_core.errors import CtmriError
from ctmri_gui.viewer.compare.compare_model import CompareLook, CompareModel
from ctmri_gui.viewer.compare.modes import Mode
from ctmri_gui.viewer.displayed_grid import Pose
from ctmri_gui.viewer.linked_views import LinkedViews
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
    compared: CompareLook
    inverted: bool

    @classmethod
    def of(cls, views: LinkedViews, panes: Sequence[str]) -> _Look:
        model = views.model
        poses = {pane: model.pose(pane) for pane in panes}
        return cls(poses, dict(model.windows), views.compare.model.look(panes), views.contents.inverted)

    def bring(self, views: LinkedViews) -> None:
        views.model.put_windows(self.windows)
        for pane, pose in self.poses.items():
            views.model.set_pose(pane, pose)
        views.compare.model.bring(self.compared)
        if views.contents.inverted is not self.inverted:
            views.contents.set_inverted(self.inverted)
            views.compare.contents.show_inverted()


class _Kept:
    """Panes as they were when this was made, for the length of a block."""

    def __init__(self, views: LinkedViews, panes: Sequence[str]) -> None:
        self._views, self._panes, self._began = views, tuple(panes), _seen(views.model, panes)
        self.look = _Look.of(views, panes)

    @contextmanager
    def shown(self, look: _Look) -> Iterator[None]:
        """As in `look`. Raises `CtmriError` when the panes show other volumes or planes by now."""
        if _seen(self._views.model, self._panes) != self._began:
            raise CtmriError(GONE)
        now = _Look.of(self._views, self._panes)
        look.bring(self._views)
        try:
            yield
        finally:
            now.bring(self._views)


class Slices:
    """Slices of the pane `leading`, and of those of `panes` that are linked with it: `numbers` of its displayed grid."""

    def __init__(self, views: LinkedViews, panes: Sequence[str], leading: str, numbers: range) -> None:
        self.numbers = numbers
        self._kept = _Kept(views, panes)
        model = views.model
        linked = model.is_linked(leading)
        self._going = [
            pane
            for pane in panes
            if pane == leading or (linked and model.is_linked(pane) and model.displayed(pane) is model.displayed(leading))
        ]

    def __len__(self) -> int:
        return len(self.numbers)

    def at(self, number: int) -> AbstractContextManager[None]:
        look = self._kept.look
        poses = {pane: replace(look.poses[pane], k=self.numbers[number]) for pane in self._going}
        return self._kept.shown(replace(look, poses={**look.poses, **poses}))


class WipeLine:
    """The line of the wipe in the pane `leading`, from one side to the other in `count` places."""

    def __init__(self, views: LinkedViews, panes: Sequence[str], leading: str, count: int) -> None:
        self._pane, self._count = leading, count
        self._kept = _Kept(views, panes)

    def __len__(self) -> int:
        return self._count

    def at(self, number: int) -> AbstractContextManager[None]:
        look = self._kept.look
        return self._kept.shown(replace(look, compared=look.compared.with_line(self._pane, number / max(self._count - 1, 1))))


def wipes(model: CompareModel, pane: str) -> bool:
    """Whether there is a line between two pictures in a pane."""
    return model.of(pane).mode is Mode.WIPE and model.partner(pane) is not None


def _seen(model: ViewerModel, panes: Sequence[str]) -> tuple[object, ...]:
    """What must stay the same for a film to go on: the volumes, and the slices that panes go through."""
    volumes = ((role, id(volume)) for role, volume in model.volumes.items())
    return *volumes, *(id(model.displayed(pane)) if pane in model.panes else None for pane in panes)
