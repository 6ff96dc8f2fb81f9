"""What happened in a study, in one SQLite file that only grows: readers, sessions, answers, what was looked at, changes.

An entry that `append` returned is on the disk (rollback journal, synchronous EXTRA; https://www.sqlite.org/pragma.html). What was
changed in the file by other hands shows in `faults` (`ctmri_core.studies.chain`).
"""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from pydantic import ValidationError

from ctmri_core.errors import FileRefused, WriteFailed
from ctmri_core.files import atomic_file
from ctmri_core.folder_lock import claimed
from ctmri_core.studies.chain import Anchor, Entry, broken, chains, hashed, root, text_of
from ctmri_core.studies.record_errors import check_depth, has_no_room, sqlite_errors, was_cut_off
from ctmri_core.studies.trials import Answer

EntryKind = Literal[
    "opened", "reader", "consent", "monitor", "session", "shown", "answer", "pause", "left", "closed", "changed", "override",
    "merged", "unsealed",
]  # fmt: skip
_APPLICATION = 0x43544D53
_SCHEMA = 1
_PRAGMAS = {"journal_mode": "DELETE", "synchronous": "EXTRA", "trusted_schema": "OFF"}
_PATIENCE_MS = 5_000
_RESERVES = (4 << 20, 1 << 20, 1 << 18)
"""Bytes, the first for which there is room: given up when the disk is full, so that a reader can end what he began. The largest
is for some thousand answers, the smallest for a hundred."""
_INSERT = "INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?)"
_COLUMNS = "origin, number, kind, reader, at, payload, sha256"
_TABLES = """
CREATE TABLE fact (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE entry (
    origin TEXT NOT NULL, number INTEGER NOT NULL, kind TEXT NOT NULL, reader TEXT NOT NULL, at TEXT NOT NULL,
    payload TEXT NOT NULL, sha256 TEXT NOT NULL, PRIMARY KEY (origin, number)) STRICT;
CREATE TRIGGER entries_stay BEFORE UPDATE ON entry BEGIN SELECT RAISE(ABORT, 'entries of a study are never changed'); END;
CREATE TRIGGER entries_remain BEFORE DELETE ON entry BEGIN SELECT RAISE(ABORT, 'entries of a study are never removed'); END;
CREATE TRIGGER facts_stay BEFORE UPDATE ON fact BEGIN SELECT RAISE(ABORT, 'facts of a study are never changed'); END;
CREATE TRIGGER facts_remain BEFORE DELETE ON fact BEGIN SELECT RAISE(ABORT, 'facts of a study are never removed'); END;
CREATE VIEW answer AS SELECT reader, at, json_extract(payload, '$.trial') AS trial, json_extract(payload, '$.choice') AS choice,
    json_extract(payload, '$.confidence') AS confidence, json_extract(payload, '$.response_ms') AS response_ms,
    json_extract(payload, '$.revision') AS revision, payload FROM entry WHERE kind = 'answer';
"""


class StudyRecord(AbstractContextManager["StudyRecord"]):
    """The record at `path` of the study with the hash `study`, held for this process alone while it is open for writing.

    Raises `FileRefused` for what is no record, of another study or damaged, `WriteFailed` where another window has it, or where a
    newer version wrote it and it may only be read (`newer`). `patience_ms`: how long a file that another program has locked is
    waited for.
    """

    def __init__(self, path: Path, *, study: str | None = None, writing: bool = True, patience_ms: int = _PATIENCE_MS) -> None:
        self.path, self._patience_ms = path, patience_ms
        self._closing = ExitStack()
        try:
            self._open(study, writing)
        except BaseException:  # whatever ended it, an interruption too: the lock must go
            self._closing.close()
            raise

    @classmethod
    def create(cls, path: Path, study: str) -> StudyRecord:
        """A new record with nothing in it. Raises `WriteFailed` where there is one already."""
        check_depth(path)
        if path.exists():
            raise WriteFailed(f"{path.name} is there already. A record is never begun anew; choose another place.")
        with atomic_file(path, private=True) as begun, sqlite_errors(path):  # killed in between it would be no record for ever
            connection = sqlite3.connect(begun, isolation_level=None)
            try:
                _settle(connection)
                connection.execute("BEGIN EXCLUSIVE")
                for statement in _statements(_TABLES):
                    connection.execute(statement)
                facts = {"study": study, "origin": secrets.token_hex(8)}
                connection.executemany("INSERT INTO fact VALUES (?, ?)", facts.items())
                connection.execute(f"PRAGMA application_id = {_APPLICATION}")
                connection.execute(f"PRAGMA user_version = {_SCHEMA}")
                connection.execute("COMMIT")
            finally:
                connection.close()
        return cls(path, study=study)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Lets the file go; nothing needs to be written."""
        self._closing.close()

    def append(self, kind: EntryKind, reader: str = "", payload: dict[str, Any] | None = None) -> Entry:
        """Adds an entry, which is on the disk when this returns. Without room the reserve goes first, then `WriteFailed`."""
        if not self.writing:
            raise WriteFailed(f"{self.path.name} was opened for reading only.")
        with sqlite_errors(self.path):
            try:
                return self._append(kind, reader, payload or {})
            except sqlite3.OperationalError as error:
                if not (has_no_room(error) and self._give_up_reserve()):
                    raise
                return self._append(kind, reader, payload or {})

    def answer(self, answer: Answer) -> Entry:
        """Adds an answer."""
        return self.append("answer", answer.reader, answer.model_dump(mode="json"))

    def entries(self, *kinds: EntryKind, reader: str | None = None) -> tuple[Entry, ...]:
        """In the order of each chain, chains by their origin. Without `kinds` all."""
        where, values = ["TRUE"], list[str](kinds)
        if kinds:
            where.append(f"kind IN ({','.join('?' * len(kinds))})")
        if reader is not None:
            where.append("reader = ?")
            values.append(reader)
        asked = f"SELECT {_COLUMNS} FROM entry WHERE {' AND '.join(where)} ORDER BY origin, number"
        with sqlite_errors(self.path):
            return tuple(_entry(row) for row in self._database.execute(asked, values))

    def answers(self, reader: str | None = None) -> tuple[Answer, ...]:
        """The last revision of each answer, in the order in which the trials were first answered. Raises `FileRefused` where one
        was changed into what is none."""
        last: dict[tuple[str, str], Answer] = {}
        for entry in self.entries("answer", reader=reader):
            try:
                answer = Answer.model_validate(entry.payload)
            except ValidationError as error:
                raise self._refused("holds an answer that is none.", "Take the copy that was exported last.") from error
            last[answer.reader, answer.trial] = answer
        return tuple(last.values())

    @property
    def anchors(self) -> tuple[Anchor, ...]:
        """Of every chain in the file."""
        heads = {entry.origin: Anchor(entry.origin, entry.number, entry.sha256) for entry in self.entries()}
        return tuple(heads.values())

    def faults(self, anchors: Iterable[Anchor] = ()) -> tuple[str, ...]:
        """What was changed by other hands, in words; empty where nothing shows. Without `anchors` a chain that was cut at its
        end, or computed anew as a whole, does not show."""
        here = chains(self.entries())
        found = [fault for origin, chain in here.items() for fault in broken(self.study, origin, chain)]
        for anchor in anchors:
            chain = here.get(anchor.origin, [])
            missing = anchor.count - len(chain)
            if missing > 0:
                found.append(f"chain {anchor.origin}: {missing} of {anchor.count} entries are missing at its end")
            elif anchor.count and chain[anchor.count - 1].sha256 != anchor.head:
                found.append(f"chain {anchor.origin}: entry {anchor.count} is not the one that was written down")
        return tuple(found)

    def take_in(self, entries: Sequence[Entry]) -> int:
        """Adds the entries of another record of this study, all or none; how many were new. Their chains stay theirs.

        Raises `FileRefused` where a chain is broken or goes on otherwise than the one that is here, and where a trial of a reader
        was answered in two files.
        """
        fresh, here = list[Entry](), chains(self.entries())
        for origin, chain in chains(entries).items():
            known, problems = here.get(origin, []), broken(self.study, origin, chain)
            if problems:
                raise self._refused(f"takes in no record that was changed ({problems[0]}).", "Ask for the file once more.")
            if any(one.sha256 != other.sha256 for one, other in zip(known, chain, strict=False)):
                raise self._refused("holds another continuation of what comes.", "A copy was read on twice: take in one of them.")
            fresh += chain[len(known) :]
        coming = {entry.origin for entry in fresh}
        twice = _answered(fresh) & _answered(entry for origin in here.keys() - coming for entry in here[origin])
        if twice:
            who = ", ".join(sorted({reader for reader, _ in twice}))
            problem = f"holds answers of {who} to {len(twice)} of the trials that come."
            raise self._refused(problem, "A reader reads in one file: take in one of the two.")
        with sqlite_errors(self.path), _transaction(self._database):
            self._database.executemany(_INSERT, [_row(entry) for entry in fresh])
        return len(fresh)

    def _refused(self, problem: str, way_out: str) -> FileRefused:
        return FileRefused(self.path, problem, way_out)

    def _open(self, study: str | None, writing: bool) -> None:
        if not self.path.is_file():
            raise self._refused("is not there.", "Choose the folder of the study.")
        check_depth(self.path)
        if writing and not self._closing.enter_context(claimed(self.path.with_suffix(".lock"))):
            raise WriteFailed(f"{self.path.name} is open in another window. Go on there, or close it first.")
        with sqlite_errors(self.path):
            self._database = self._connected(writing)
            self._closing.callback(self._database.close)
            self._database.text_factory = _text
            application = self._application()
            version = self._database.execute("PRAGMA user_version").fetchone()[0]
            if application != _APPLICATION:
                raise self._refused("is no record of a reader study.", "Choose the folder of the study.")
            if version > _SCHEMA and writing:
                raise WriteFailed(f"{self.path.name} was written by a newer version; this one may only read it. Update first.")
            if writing:
                _settle(self._database)
            facts = dict(self._database.execute("SELECT key, value FROM fact").fetchall())
            if self._database.execute("PRAGMA quick_check").fetchone()[0] != "ok":
                raise self._refused("is damaged.", "Take the copy that was exported last; no answers were changed.")
        self.study, self.origin, self.writing, self.newer = facts["study"], facts["origin"], writing, version > _SCHEMA
        if study is not None and study != self.study:
            raise self._refused("belongs to another study.", "Choose the one that goes with these pictures.")
        self._reserve = self.path.with_suffix(".reserve")
        if writing and not self._reserve.exists():
            self._put_reserve_aside()

    def _connected(self, writing: bool) -> sqlite3.Connection:
        """From any thread, one after the other: a window writes on a thread of its own."""
        where = f"{self.path.resolve().as_uri()}?mode={'rw' if writing else 'ro'}"
        return sqlite3.connect(where, self._patience_ms / 1000, isolation_level=None, check_same_thread=False, uri=True)

    def _application(self) -> int:
        """Whose file it is. A write that was cut off is undone first, which only who writes can."""
        asked = "PRAGMA application_id"
        try:
            return int(self._database.execute(asked).fetchone()[0])
        except sqlite3.OperationalError as error:
            if not was_cut_off(error):
                raise
        with closing(self._connected(writing=True)) as undoing:
            undoing.execute(asked)
        return int(self._database.execute(asked).fetchone()[0])

    def _give_up_reserve(self) -> bool:
        """Whether there was one, and there is its room now."""
        try:
            self._reserve.unlink()
        except OSError:  # there is none, or nothing may be written there
            return False
        return True

    def _put_reserve_aside(self) -> None:
        """As far as there is room: reading goes on without it."""
        for size in _RESERVES:
            try:
                self._reserve.write_bytes(bytes(size))
                return
            except OSError:
                with suppress(OSError):  # where nothing may be written either
                    self._reserve.unlink(missing_ok=True)

    def _append(self, kind: str, reader: str, payload: dict[str, Any]) -> Entry:
        with _transaction(self._database):
            row = self._database.execute(
                "SELECT number, sha256 FROM entry WHERE origin = ? ORDER BY number DESC LIMIT 1", (self.origin,)
            ).fetchone()
            number, before = (row[0] + 1, row[1]) if row else (1, root(self.study, self.origin))
            at = datetime.now(UTC).isoformat(timespec="milliseconds")
            entry = Entry(self.origin, number, kind, reader, at, payload, "")
            entry = Entry(self.origin, number, kind, reader, at, payload, hashed(before, entry))
            self._database.execute(_INSERT, _row(entry))
        return entry


def _statements(script: str) -> Iterator[str]:
    part = ""
    for line in script.splitlines(keepends=True):
        part += line
        if sqlite3.complete_statement(part):
            yield part
            part = ""


def _settle(connection: sqlite3.Connection) -> None:
    for name, value in _PRAGMAS.items():
        connection.execute(f"PRAGMA {name} = {value}")


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:  # an interruption, too, leaves the entry out as a whole
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _text(raw: bytes) -> str:
    """What is no text was changed by other hands: its hash tells."""
    return raw.decode(errors="replace")


def _row(entry: Entry) -> tuple[str, int, str, str, str, str, str]:
    return entry.origin, entry.number, entry.kind, entry.reader, entry.at, text_of(entry.payload), entry.sha256


def _entry(row: tuple[str, int, str, str, str, str, str]) -> Entry:
    origin, number, kind, reader, at, payload, sha256 = row
    try:
        content = json.loads(payload)
        text_of(content).encode()  # nor NaN, nor half a character, of which no hash can be taken
    except (ValueError, TypeError, RecursionError):
        content = None  # by other hands: its hash tells
    return Entry(origin, number, kind, reader, at, content if isinstance(content, dict) else {"damaged": str(payload)}, sha256)


def _answered(entries: Iterable[Entry]) -> set[tuple[str, Any]]:
    return {(entry.reader, entry.payload.get("trial")) for entry in entries if entry.kind == "answer"}
