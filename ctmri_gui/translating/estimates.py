"""How long a translation would take and how much memory, before it is begun."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import ref

from PySide6.QtCore import QObject, QTimer, Signal

from ctmri_core.events import Finished
from ctmri_core.volume import Volume
from ctmri_gui.jobs import translate_work
from ctmri_gui.jobs.latest import Latest
from ctmri_gui.session import Session
from ctmri_gui.viewer.roles import Role

if TYPE_CHECKING:
    from ctmri_core.model_card import ModelEntry

_SETTLED_MS = 400  # while a number is typed nothing is timed
_MB_PER_GB = 1000
_LONG_SECONDS, _LONG_MINUTES = 100, 100


class Estimates(QObject):
    """Times this machine for what would be translated now. The answer stands until source, model or options change."""

    changed = Signal()

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session, self._latest = session, Latest(session.jobs)
        self._words = self._problem = ""
        self._for: object = None
        self._soon = QTimer(self, singleShot=True, interval=_SETTLED_MS)
        self._soon.timeout.connect(self._ask)

    @property
    def text(self) -> str:
        """In words; empty where nothing was timed for what would be translated now."""
        return self._words if self._is_for_now else ""

    @property
    def problem(self) -> str:
        """Why there is none."""
        return self._problem if self._is_for_now else ""

    @property
    def running(self) -> bool:
        state = self._latest.state
        return self._soon.isActive() or (state is not None and state.running)

    def ask_soon(self) -> None:
        """Once nothing has changed for a moment."""
        if not self._is_for_now or not (self._words or self._problem):
            self._soon.start()
            self.changed.emit()

    def drop(self) -> None:
        """Nobody looks at it, or the machine is wanted for something else."""
        self._soon.stop()
        self._latest.drop()
        self.changed.emit()

    @property
    def _is_for_now(self) -> bool:
        return self._for is not None and self._for == self._key()

    def _key(self) -> object:
        source, entry = self._present()
        if source is None or entry is None:
            return None
        return ref(source), entry.path, self._session.bodies.of(source), tuple(self._session.wanted_of(entry).items())

    def _present(self) -> tuple[Volume | None, ModelEntry | None]:
        return self._session.volumes[Role.SOURCE], self._session.library.chosen

    def _ask(self) -> None:
        source, entry = self._present()
        if source is None or entry is None or self._session.translation_problem or self._session.translation.state is not None:
            self.changed.emit()
            return
        self._words = self._problem = ""
        self._for = self._key()
        begin = partial(
            translate_work.estimate, source, entry.path, self._session.wanted_of(entry), self._session.bodies.wanted(source)
        )
        self._latest.ask("Estimate", begin, self._take, ended=self._end, listed=False)
        self.changed.emit()

    def _take(self, told: Mapping[str, Any] | str) -> None:
        self._words, self._problem = ("", told) if isinstance(told, str) else (estimate_words(told), "")
        self.changed.emit()

    def _end(self, _how: Finished) -> None:
        self.changed.emit()


def estimate_words(told: Mapping[str, Any]) -> str:
    """`About 80 s, 0.9 GB: 90 slices, whole, 8 at a time; bfloat16 on cpu.` of what a translation says as it starts."""
    memory = float(told["estimated_memory_mb"])
    room = f"{memory / _MB_PER_GB:.1f} GB" if memory >= _MB_PER_GB else f"{memory:.0f} MB"
    passes = told.get("passes", 1)
    many = f"{told['slices']} slices" + (f" in {passes} passes" if passes > 1 else "")
    patch = f"in patches of {told['patch']} pixels" if told.get("patch") else "whole"
    how = f"{told['batch']} at a time; {told['precision']} on {told['device']}"
    return f"{_time(float(told['estimated_seconds']))}, {room}: {many}, {patch}, {how}."


def _time(seconds: float) -> str:
    if seconds < 1:
        return "Less than a second"
    if seconds < _LONG_SECONDS:
        return f"About {seconds:.0f} s"
    minutes = seconds / 60
    return f"About {minutes:.0f} min" if minutes < _LONG_MINUTES else f"About {minutes / 60:.1f} h"
