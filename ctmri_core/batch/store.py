"""What several processes know together of one batch: its table, changed by one at a time, and who works on which case."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from ctmri_core.batch.cases import FoundCase
from ctmri_core.batch.table import JSON_NAME, CaseRow, read_table, write_table
from ctmri_core.errors import WriteFailed
from ctmri_core.folder_lock import claimed

_CLAIMS = ".claims"
_TABLE = "table.lock"
_LONGEST_WAIT_S, _LOOK_AGAIN_S = 60.0, 0.05


class Store:
    """The table in `folder`. Nothing of it is kept but what the file itself would say again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._read_at: tuple[int, int, int] | None = None
        self._rows: dict[str, CaseRow] = {}

    @property
    def rows(self) -> Mapping[str, CaseRow]:
        """By place. Raises `FileRefused`."""
        state = self._state()
        if state is None or state != self._read_at:
            self._rows = {row.place: row for row in read_table(self.folder)}
            self._read_at = state
        return self._rows

    def register(self, found: Iterable[FoundCase]) -> None:
        """A row for each case that is new here, under a name that no other has; what is left out is said."""
        with self._alone():
            rows = dict(self.rows)
            names = {row.case for row in rows.values()}
            for case in found:
                row = rows.get(case.place) or CaseRow(place=case.place, case=_free(case.name, names))
                names.add(row.case)
                if case.left_out and row.status != "done":
                    row = row.model_copy(update={"status": "skipped", "reason": case.left_out})
                rows[case.place] = row
            if rows != self.rows:
                self._write(rows)

    def put(self, row: CaseRow) -> None:
        """Writes one row. Raises `WriteFailed`."""
        with self._alone():
            self._write({**self.rows, row.place: row})

    def change(self, place: str, change: Callable[[Mapping[str, CaseRow]], CaseRow]) -> CaseRow:
        """Writes what `change` makes of all rows for `place`, while nobody else changes any."""
        with self._alone():
            row = change(self.rows)
            self._write({**self.rows, place: row})
            return row

    def claim(self, place: str) -> AbstractContextManager[bool]:
        """Whether the case at `place` is this caller's inside; the system lets go of it when its process ends in any way."""
        return claimed(self.folder / _CLAIMS / f"{hashlib.sha256(place.encode()).hexdigest()[:24]}.lock")

    def _write(self, rows: Mapping[str, CaseRow]) -> None:
        write_table(self.folder, rows.values())
        self._rows, self._read_at = dict(rows), self._state()

    def _state(self) -> tuple[int, int, int] | None:
        try:
            with (self.folder / JSON_NAME).open("rb") as handle:  # network disks look anew at what is opened, not at its status
                status = os.fstat(handle.fileno())
        except OSError:
            return None
        return status.st_ino, status.st_size, status.st_mtime_ns

    @contextmanager
    def _alone(self) -> Iterator[None]:
        end = time.monotonic() + _LONGEST_WAIT_S
        while True:
            with claimed(self.folder / _CLAIMS / _TABLE) as mine:
                if mine:
                    yield
                    return
            if time.monotonic() > end:
                raise WriteFailed(f"The table in {self.folder.name} is being written by another process that does not end.")
            time.sleep(_LOOK_AGAIN_S)


def _free(name: str, taken: set[str]) -> str:
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}-{number}"
    return free
