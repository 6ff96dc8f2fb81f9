"""Arrow keys that move the truth while it is nudged, in the plane of the pane that has the keys."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent

from ctmri_core.aligning.by_hand import Nudge
from ctmri_core.geometry import FloatArray
from ctmri_gui.viewer.linked_views import LinkedViews

_WAYS = {Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0), Qt.Key.Key_Up: (0, -1), Qt.Key.Key_Down: (0, 1)}
STEP_MM, STEP_DEGREES, COARSE = 1.0, 1.0, 5.0


class NudgeKeys(QObject):
    """Arrows move by 1 mm, with Shift by 5; Ctrl with left or right turns by 1 degree, with Shift by 5."""

    def __init__(self, views: LinkedViews, get: Callable[[], Nudge | None], put: Callable[[Nudge], None]) -> None:
        """`get`: what was nudged so far, None while nothing can be."""
        super().__init__(views)
        self._views, self._get, self._put = views, get, put
        self.on = False
        views.panesChanged.connect(self._watch)
        self._watch()

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        if not self.on or event.type() not in (QEvent.Type.ShortcutOverride, QEvent.Type.KeyPress):
            return False
        if not isinstance(event, QKeyEvent) or Qt.Key(event.key()) not in _WAYS or self._get() is None:
            return False
        if event.modifiers() & Qt.KeyboardModifier.AltModifier:
            return False
        if event.type() == QEvent.Type.KeyPress:
            self._take(Qt.Key(event.key()), event.modifiers())
        event.accept()
        return True

    def _watch(self) -> None:
        for pane in self._views.panes.values():
            pane.removeEventFilter(self)
            pane.installEventFilter(self)

    def _take(self, key: Qt.Key, held: Qt.KeyboardModifier) -> None:
        nudge, axes = self._get(), self._axes()
        if nudge is None or axes is None:
            return
        right, down = axes
        across, along = _WAYS[key]
        coarse = COARSE if held & Qt.KeyboardModifier.ShiftModifier else 1.0
        if held & Qt.KeyboardModifier.ControlModifier:
            if across:
                self._put(replace(nudge, degrees=_turned(nudge, np.cross(right, down), across * coarse * STEP_DEGREES)))
            return
        shift = np.asarray(nudge.mm) + (across * right + along * down) * coarse * STEP_MM
        x, y, z = (round(float(value), 3) for value in shift)
        self._put(replace(nudge, mm=(x, y, z)))

    def _axes(self) -> tuple[FloatArray, FloatArray] | None:
        """LPS directions to the right and down on the active pane."""
        views = self._views
        shown = views.model.displayed(views.active_pane)
        if shown is None:
            return None
        start, right, down = (np.asarray(shown.layout.to_mm(u, v, 0)) for u, v in ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0)))
        return (right - start) / np.linalg.norm(right - start), (down - start) / np.linalg.norm(down - start)


def _turned(nudge: Nudge, normal: FloatArray, degrees: float) -> tuple[float, float, float]:
    """More about the patient's axis that is nearest to the normal of the pane."""
    axis = int(np.abs(normal).argmax())
    angles = list(nudge.degrees)
    angles[axis] = round(angles[axis] + degrees * float(np.sign(normal[axis])), 3)
    x, y, z = angles
    return x, y, z
