"""What arrives in watched folders, once it is complete."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ctmri_core.batch.cases import FoundCase, cases_in, results_within, roots_of
from ctmri_core.batch.fingerprints import stamp_of
from ctmri_core.batch.order import BatchOrder
from ctmri_core.errors import FileRefused
from ctmri_core.events import StopSignal, until
from ctmri_core.io.folder_files import FolderFiles

_SHORTEST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 60.0
_SHARE_OF_TIME = 0.05  # of a processor, that looking for changes may take
_PATIENCE = 3  # times as long a series must lie still that has gaps or cannot be read: slices or bytes of it may be on their way
_INCOMPLETE = ("gap", "uneven_spacing")

_Facts = tuple[int, int]  # size and time of change


@dataclass
class _Part:
    """What lies together in a watched folder: one folder with all below, or the files beside those folders."""

    root: Path
    within: str
    files: dict[Path, _Facts] = field(default_factory=dict)
    looked_at: dict[Path, _Facts] | None = None
    again_at: float | None = None


class Arrivals:
    """The inputs of `order`, watched by looking at sizes and times of their files every `pause` seconds. A file is still when
    these have not changed for `settle` seconds by our own clock, whatever the clock of whoever writes it says.

    `changing`: how many files are not; `problem`: why a folder cannot be looked at for now.
    """

    def __init__(self, order: BatchOrder, settle: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._order, self._settle, self._clock = order, settle, clock
        self._parts: dict[tuple[Path, str], _Part] = {}
        self._since: dict[Path, tuple[_Facts, float]] = {}
        self._told: dict[str, str] = {}
        self._shortest = self.pause = max(min(_SHORTEST_PAUSE_S, settle), 0.1)
        self.changing = 0
        self.problem = ""

    def look(self, stop: StopSignal) -> list[FoundCase]:
        """The cases that became complete since the last look, or changed since. Raises `Stopped`, never for a file."""
        begun = time.monotonic()
        self._list(stop)
        self.pause = min(max(self._shortest, (time.monotonic() - begun) / _SHARE_OF_TIME), _LONGEST_PAUSE_S)
        now = self._clock()
        self.changing = sum(now - since < self._settle for _, since in self._since.values())
        return [case for part in self._parts.values() for case in self._complete(part, now, stop)]

    def _list(self, stop: StopSignal) -> None:
        for part in self._parts.values():
            part.files = {}
        self.problem = ""
        now, seen = self._clock(), dict[Path, tuple[_Facts, float]]()
        for root, within in roots_of(self._order.inputs):
            for path, facts in self._listed(root, stop):
                known = self._since.get(path)
                seen[path] = known if known is not None and known[0] == facts else (facts, now)
                first = path.relative_to(root).parts[0] if path.parent != root and path != root else ""
                part = self._parts.setdefault((root, first), _Part(root, within))
                part.files[path] = facts
        self._since = seen

    def _listed(self, root: Path, stop: StopSignal) -> Iterator[tuple[Path, _Facts]]:
        results = results_within(root, self._order)
        try:
            for path in until(stop, [root] if root.is_file() else FolderFiles(root)):
                if results is not None and path.is_relative_to(results):
                    continue
                try:
                    status = path.stat()
                except OSError:  # it was moved on just now
                    continue
                yield path, (status.st_size, status.st_mtime_ns)
        except FileRefused as refusal:  # the folder is away for the moment, as a network disk may be
            self.problem = str(refusal)

    def _complete(self, part: _Part, now: float, stop: StopSignal) -> list[FoundCase]:
        due = part.again_at is not None and now >= part.again_at
        if not part.files or (part.files == part.looked_at and not due):
            return []
        still = [path for path in part.files if self._still_for(path, now) >= self._settle]
        unsettled = {path.parent for path in part.files if self._still_for(path, now) < self._settle}
        if len(still) < len(part.files) and part.again_at is not None and not due:
            return []  # some of it goes on changing: what is still was looked at a moment ago
        part.again_at = None
        if not still:
            return []
        whole = len(still) == len(part.files)
        part.looked_at = dict(part.files) if whole else None
        if not whole:
            part.again_at = now + self._settle
        complete = []
        for case in self._cases(part, still, stop):
            wait = self._settle * (_PATIENCE if _is_incomplete(case) else 1)
            if not whole and any(path.parent in unsettled for path in case.files):
                continue
            quiet = min((self._still_for(path, now) for path in case.files), default=wait)
            if quiet < wait:
                part.again_at = min(part.again_at or now + wait, now + wait - quiet)
            elif self._is_news(case):
                complete.append(case)
        return complete

    def _cases(self, part: _Part, files: list[Path], stop: StopSignal) -> list[FoundCase]:
        try:
            given = None if part.root.is_file() else files
            return cases_in(part.root, part.within, self._order, stop, given)
        except FileRefused:  # it went away meanwhile
            return []

    def _is_news(self, case: FoundCase) -> bool:
        stamp = stamp_of(case.files)
        if self._told.get(case.place) == stamp:
            return False
        self._told[case.place] = stamp
        return True

    def _still_for(self, path: Path, now: float) -> float:
        known = self._since.get(path)
        return self._settle if known is None else now - known[1]


def _is_incomplete(case: FoundCase) -> bool:
    return bool(case.refusal) or (case.series is not None and any(case.series.has(kind) for kind in _INCOMPLETE))
