"""A batch from its first case to its last, as a generator of events."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from ctmri_core.batch.cases import FoundCase, find_cases
from ctmri_core.batch.fingerprints import stamp_of
from ctmri_core.batch.models import Models
from ctmri_core.batch.one_case import OneCase
from ctmri_core.batch.order import BatchOrder
from ctmri_core.batch.sharing import Place, own_part
from ctmri_core.batch.store import Store
from ctmri_core.batch.table import CSV_NAME, CaseRow, told_of
from ctmri_core.batch.watching import Arrivals
from ctmri_core.errors import Stopped, WriteFailed
from ctmri_core.events import Event, Noted, Progress, Started, StopSignal, Work, never, now
from ctmri_core.files import check_writable, same_file

_LOOK_AGAIN_S = 0.5
_BEFORE = "It was done before."
_SETTLED = ("done", "failed", "asked about", "skipped")


@dataclass(frozen=True)
class BatchOutcome:
    """How the cases of this run stand, by status; `table`: for people."""

    counts: dict[str, int]
    table: Path

    @property
    def complete(self) -> bool:
        """Whether every case has its result, but for those that nobody would want translated."""
        return not set(self.counts) - {"done", "skipped"}

    @property
    def words(self) -> str:
        """`12 done, 1 failed, 2 asked about`."""
        told = [f"{self.counts[status]} {status}" for status in (*_SETTLED, "waiting", "running") if self.counts.get(status)]
        return ", ".join(told) or "There was nothing to translate"


def translate_cases(
    order: BatchOrder, stop: StopSignal = never, *, place: Place | None = None, settle: float | None = None
) -> Work[BatchOutcome | None]:  # fmt: skip
    """Translates all cases in the inputs of `order` that have no result yet; None when stopped, with what is done kept.

    Several processes may run it on one output at a time, and share the cases. `place`: of this one among those of a launcher;
    all but the first end when there is nothing left to begin. `settle`: watches the inputs until it is stopped, and takes what
    has not changed for so many seconds. Raises `FileRefused` for an input, or a table that cannot be read; `WriteFailed`;
    `CtmriError` for a device that is not there.
    """
    order = _checked(order, place or Place())
    batch = _Batch(order, place or Place(), stop)
    try:
        if settle is None:
            yield Progress(done=0, message="looking for scans")
            yield from batch.take(find_cases(order, stop))
            yield from batch.work()
        else:
            yield from _watch(batch, Arrivals(order, settle), stop)
    except Stopped:
        return None
    return None if stop() else batch.outcome


def _checked(order: BatchOrder, place: Place) -> BatchOrder:
    for root in order.inputs:
        if same_file(root, order.output):
            raise WriteFailed("The results would lie among the scans. Name another folder for them, or a new one within.")
    check_writable(order.output / CSV_NAME)
    return replace(order, order=own_part(order.order, place))


def _watch(batch: _Batch, arrivals: Arrivals, stop: StopSignal) -> Work[None]:
    said = ""
    while not stop():
        found = arrivals.look(stop)
        if arrivals.problem != said:
            said = arrivals.problem
            if said:
                yield Noted(message=said, serious=True)
        if found:
            batch.models.forget()
            yield from batch.take(found)
            yield from batch.work()
        waiting = f"{arrivals.changing} files are still arriving" if arrivals.changing else "waiting for scans"
        yield Progress(done=batch.settled, total=batch.total or None, unit="cases", message=waiting)
        end = time.monotonic() + arrivals.pause
        while time.monotonic() < end and not stop():
            time.sleep(min(arrivals.pause, 0.1))


class _Batch:
    def __init__(self, order: BatchOrder, place: Place, stop: StopSignal) -> None:
        self.order, self.place, self.stop = order, place, stop
        self.store = Store(order.output)
        self.models = Models(order.model, order.folders)
        self.began = now()
        self._found: dict[str, FoundCase] = {}
        self._pending: dict[str, FoundCase] = {}
        self._seconds: list[float] = []
        self._said: set[str] = set()

    @property
    def total(self) -> int:
        return len(self._found)

    @property
    def settled(self) -> int:
        return self.total - len(self._pending)

    @property
    def outcome(self) -> BatchOutcome:
        rows = self.store.rows
        counts = Counter[str](rows[place].status for place in self._found)
        return BatchOutcome(dict(counts), self.order.output / CSV_NAME)

    def take(self, found: Iterable[FoundCase]) -> Work[None]:
        """Puts cases on the table; those that are left out, or not asked for, are not worked on."""
        found = tuple(found)
        self.store.register(found)
        rows, only = self.store.rows, self.order.only
        wanted = [case for case in found if not only or rows[case.place].case in only]
        self._found.update((case.place, case) for case in wanted)
        self._pending.update((case.place, case) for case in wanted if not case.left_out)
        details = {"device": self.order.order.device, "results": self.order.form}
        yield Started(job="translating scans", total=self.total, unit="cases", details=details)
        for remark in dict.fromkeys(case.remark for case in found if case.remark):
            if remark not in self._said:
                self._said.add(remark)
                yield Noted(message=remark)
        for case in wanted:
            row = rows[case.place]
            told = row if case.left_out else row.model_copy(update={"status": "waiting", "reason": "", "seconds": None})
            yield told_of(told)

    def work(self) -> Work[None]:
        """Until nothing is left that this process could do; the first one waits for what others have begun."""
        while self._pending:
            before = len(self._pending)
            for case in tuple(self._pending.values()):
                if self.stop():
                    raise Stopped("Stopped.")
                with self.store.claim(case.place) as mine:
                    if mine:
                        yield from self._one(case)
            if self._pending and len(self._pending) == before:
                if not self.place.first:
                    return
                yield self._progress("waiting for another process")
                time.sleep(_LOOK_AGAIN_S)

    def _one(self, case: FoundCase) -> Work[None]:
        """Works on a case that nobody else has."""
        one = OneCase(case, self.order, self.models, self.store, self.stop)
        row = one.row
        if one.is_done():
            row = row.model_copy(update={"reason": _BEFORE})
        elif not self._ended_meanwhile(case, row):
            yield told_of(row.model_copy(update={"status": "running", "reason": ""}), share=0.0)
            ended = yield from self._driven(one)
            if ended is None:
                yield told_of(row.model_copy(update={"status": "waiting", "reason": ""}))
                raise Stopped("Stopped.")
            row = ended
            self._seconds.append(row.seconds or 0.0)
            if one.reminder and one.reminder not in self._said:
                self._said.add(one.reminder)
                yield Noted(message=one.reminder)
        del self._pending[case.place]
        yield told_of(row)
        yield self._progress("")

    def _driven(self, one: OneCase) -> Work[CaseRow | None]:
        """The work on one case, heard as progress of all of them."""
        share, translating = 0.0, False

        def hear(event: Event) -> None:
            nonlocal share, translating
            if isinstance(event, Started):
                translating = event.job.startswith("translating")
            elif isinstance(event, Progress) and translating and event.total:
                share = max(share, event.done / event.total)

        work = one.run(hear)
        while True:
            try:
                event = next(work)
            except StopIteration as end:
                row: CaseRow | None = end.value
                return row
            if isinstance(event, Progress):
                yield told_of(one.row.model_copy(update={"status": "running"}), share=share)
                yield self._progress(f"{one.row.case}: {_step(event)}", share)

    def _ended_meanwhile(self, case: FoundCase, row: CaseRow) -> bool:
        """Whether another process of this batch has come to the end of a case that is still the same: it is not tried twice."""
        ended = row.status in ("failed", "asked about") and row.at is not None and row.at >= self.began
        return ended and row.input_stamp == stamp_of(case.files)

    def _progress(self, message: str, share: float = 0.0) -> Progress:
        left = None
        if self._seconds:
            left = round(sum(self._seconds) / len(self._seconds) * max(len(self._pending) - share, 0), 1)
        return Progress(done=self.settled, total=self.total, unit="cases", seconds_left=left, message=message)


def _step(event: Progress) -> str:
    if event.total and event.unit:
        return f"{event.done} of {event.total} {event.unit}"
    return event.message or "working"
