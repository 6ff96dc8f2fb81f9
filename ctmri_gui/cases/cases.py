"""The cases that are open, and which of them is on the screen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from PySide6.QtCore import QObject, Signal

from ctmri_gui.cases.case import Case

State = TypeVar("State")


@dataclass(frozen=True)
class _Part:
    """How a part of the window hands over what it keeps for a case, and takes it back; None for a case it has not seen yet."""

    take: Callable[[], Any]
    put: Callable[[Any], None]


class Cases(QObject):
    """There always is one, be it empty; `current` is on the screen. `make` builds a case of a number."""

    left = Signal(object)  # Case: it will not be on the screen any more; it still is `current`
    entered = Signal(object)  # Case: it is `current` now
    listChanged = Signal()  # a case came or went, or holds something else

    def __init__(self, make: Callable[[int], Case], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._make = make
        self._cases: list[Case] = []
        self._parts: dict[str, _Part] = {}
        self.current = self._add()
        self._seen = [self.current]  # those on the screen before, the last one at the end

    @property
    def all(self) -> tuple[Case, ...]:
        """In the order in which they were begun."""
        return tuple(self._cases)

    @property
    def others(self) -> tuple[Case, ...]:
        """Those that are not on the screen."""
        return tuple(case for case in self._cases if case is not self.current)

    def keep(self, name: str, take: Callable[[], State], put: Callable[[State | None], None]) -> None:
        """From now on a part of the window has a state for each case: `take` gives that of the case on the screen before another
        one comes there; `put` gets it back once the volumes of its case are shown again, and None for a case shown for the first
        time. What `take` gives is let go when its case is closed, so it may hold volumes.
        """
        self._parts[name] = _Part(take, put)

    def begin(self) -> Case:
        """An empty case: the current one if it is, else a new one, which is not shown yet."""
        return self.current if self.current.empty else self._add()

    def show(self, case: Case) -> None:
        """Brings one of them onto the screen."""
        if case is not self.current and case in self._cases:
            self._turn_to(case)
            self.listChanged.emit()

    def step(self, forward: int) -> None:
        """To the next case, or the one before; after the last comes the first."""
        place = self._cases.index(self.current)
        self.show(self._cases[(place + forward) % len(self._cases)])

    def close(self, case: Case) -> None:
        """Ends a case and lets go of its volumes. The one that was shown before it is shown then, without any an empty one."""
        if case not in self._cases:
            return
        self._seen = [seen for seen in self._seen if seen is not case]
        self._cases.remove(case)
        if case is self.current:
            self._turn_to(self._seen[-1] if self._seen else self._cases[-1] if self._cases else self._add())
        case.close()
        case.deleteLater()
        self.listChanged.emit()

    def close_all(self) -> None:
        for case in (*self.others, self.current):
            self.close(case)

    def _add(self) -> Case:
        case = self._make(1 + max((case.number for case in self._cases), default=0))
        case.setParent(self)
        case.volumeChanged.connect(self.listChanged)
        self._cases.append(case)
        return case

    def _turn_to(self, case: Case) -> None:
        for name, part in self._parts.items():
            self.current.kept[name] = part.take()
        self.left.emit(self.current)
        self.current = case
        self._seen = [seen for seen in self._seen if seen is not case] + [case]
        self.entered.emit(case)
        for name, part in self._parts.items():
            part.put(case.kept.pop(name, None))
