"""Changes of window as steps that can be taken back."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from weakref import WeakSet, ref

from PySide6.QtCore import QObject

from ctmri_core.volume import Volume
from ctmri_gui.undo import History
from ctmri_gui.viewer.gestures import Gestures
from ctmri_gui.viewer.presets import Window
from ctmri_gui.viewer.roles import Role
from ctmri_gui.viewer.viewer_model import ViewerModel


@dataclass(frozen=True)
class _Windows:
    """How everything was shown. Windows are those of volumes: another volume in the pane keeps its own."""

    windows: dict[Role, Window]
    volumes: dict[Role, ref[Volume]]
    matches_truth: bool

    @classmethod
    def of(cls, model: ViewerModel) -> _Windows:
        return cls(dict(model.windows), {role: ref(volume) for role, volume in model.volumes.items()}, model.matches_truth)

    def put_back(self, model: ViewerModel) -> None:
        mine = {role: window for role, window in self.windows.items() if model.volumes.get(role) is self._volume(role)}
        present = {role: window for role, window in mine.items() if role in model.volumes}
        model.windows.update(present)
        model.matches_truth = self.matches_truth
        model.windowsChanged.emit(tuple(present))

    def _volume(self, role: Role) -> Volume | None:
        known = self.volumes.get(role)
        return None if known is None else known()


class WindowSteps(QObject):
    """Records every change of window. Those of one drag of the mouse are one step."""

    def __init__(self, model: ViewerModel, history: History, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._model, self._history = model, history
        self._drag: object | None = None
        self._followed: WeakSet[Gestures] = WeakSet()
        self._before = _Windows.of(model)
        model.windowsChanged.connect(self._record)
        model.volumesChanged.connect(self._look)

    def follow(self, gestures: Gestures) -> None:
        """What changes between a press and its release on a pane is one drag. Does nothing for one that is followed already."""
        if gestures in self._followed:
            return
        self._followed.add(gestures)
        gestures.pressed.connect(self._begin_drag)
        gestures.released.connect(self._end_drag)

    def _begin_drag(self) -> None:
        self._drag = object()

    def _end_drag(self) -> None:
        self._drag = None

    def _look(self) -> None:
        self._before = _Windows.of(self._model)

    def _record(self, _roles: object) -> None:
        before, after = self._before, _Windows.of(self._model)
        self._before = after
        if (before.windows, before.matches_truth) != (after.windows, after.matches_truth):
            put = partial(before.put_back, self._model), partial(after.put_back, self._model)
            self._history.record("window", *put, merge=self._drag)
