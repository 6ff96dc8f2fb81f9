"""R17: records of a study are edited, recomputed, cut, exchanged and swapped in two hundred ways each; every one must show.

    python -m tests.soak.study_tampering [TIMES]

Edits, deletions and exchanges must show without the anchor; a cut end, a chain that was computed anew and another file in its
place only show against it. A record that nobody touched must show nothing.
"""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from ctmri_core.errors import CtmriError
from ctmri_core.studies.chain import Anchor, Entry, hashed, root
from ctmri_core.studies.record import StudyRecord
from tests.core.test_study_record import STUDY, answer

_TRIGGERS = ("entries_stay", "entries_remain", "facts_stay", "facts_remain")
_ENTRIES = 60
Tamper = Callable[[sqlite3.Connection, random.Random], None]


def main(times: int) -> int:
    chance, shown, missed = random.Random(17), Counter[str](), Counter[str]()
    with tempfile.TemporaryDirectory() as folder:
        whole, anchors = _record(Path(folder) / "whole.sqlite")
        other, _ = _record(Path(folder) / "other.sqlite")
        with StudyRecord(whole, study=STUDY, writing=False) as record:
            clean = record.faults(anchors) == ()
        for number in range(times):
            for name, (tamper, alone) in _WAYS.items():
                path = Path(folder) / f"{name}{number}.sqlite"
                shutil.copy(whole, path)
                _tamper(path, tamper, chance)
                (shown if _shows(path, () if alone else anchors) else missed)[name] += 1
                path.unlink()
            (shown if _shows(other, anchors) else missed)["another file in its place"] += 1
    for name, count in shown.items():
        sys.stdout.write(f"{name}: {count} of {count + missed[name]} shown\n")
    sys.stdout.write(f"untouched: {'nothing shown' if clean else 'SHOWN'}; missed {sum(missed.values())}\n")
    return int(bool(missed) or not clean)


def _record(path: Path) -> tuple[Path, tuple[Anchor, ...]]:
    with StudyRecord.create(path, STUDY) as made:
        made.append("session", "R1", {"number": 1})
        for number in range(_ENTRIES - 1):
            made.answer(answer(number, "R1" if number % 2 else "R2"))
        return path, made.anchors


def _tamper(path: Path, tamper: Tamper, chance: random.Random) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA synchronous = OFF")
        for trigger in _TRIGGERS:
            database.execute(f"DROP TRIGGER {trigger}")
        tamper(database, chance)


def _shows(path: Path, anchors: tuple[Anchor, ...]) -> bool:
    """By a fault that is named, or a refusal to read."""
    try:
        with StudyRecord(path, study=STUDY, writing=False) as record:
            faults = list(record.faults(anchors))
            known = {anchor.origin for anchor in record.anchors}
            return bool(faults) or any(anchor.origin not in known for anchor in anchors)
    except CtmriError:
        return True


def _edited(database: sqlite3.Connection, chance: random.Random) -> None:
    number = chance.randint(2, _ENTRIES)
    payload = json.loads(database.execute("SELECT payload FROM entry WHERE number = ?", (number,)).fetchone()[0])
    field = chance.choice(["choice", "confidence", "response_ms", "shown_at", "trial"])
    others = {"choice": "synthetic", "confidence": 3, "response_ms": 1500.4, "shown_at": "2026-01-02", "trial": "f" * 16}
    payload[field] = others[field]
    _set(database, "payload", json.dumps(payload, sort_keys=True, separators=(",", ":")), number)


def _other_column(database: sqlite3.Connection, chance: random.Random) -> None:
    column, value = chance.choice([("reader", "R9"), ("at", "2020-01-01T00:00:00.000+00:00"), ("kind", "pause")])
    _set(database, column, value, chance.randint(1, _ENTRIES))


def _deleted(database: sqlite3.Connection, chance: random.Random) -> None:
    database.execute("DELETE FROM entry WHERE number = ?", (chance.randint(1, _ENTRIES - 1),))


def _closed_up(database: sqlite3.Connection, chance: random.Random) -> None:
    """Deleted, and the numbers after it moved up."""
    number = chance.randint(1, _ENTRIES - 1)
    database.execute("DELETE FROM entry WHERE number = ?", (number,))
    database.execute("UPDATE entry SET number = -number WHERE number > ?", (number,))
    database.execute("UPDATE entry SET number = -number - 1 WHERE number < 0")


def _exchanged(database: sqlite3.Connection, chance: random.Random) -> None:
    first, second = chance.sample(range(2, _ENTRIES + 1), 2)
    for old, new in ((first, -1), (second, first), (-1, second)):
        database.execute("UPDATE entry SET number = ? WHERE number = ?", (new, old))


def _put_in(database: sqlite3.Connection, chance: random.Random) -> None:
    """Another answer at the end, with a hash by guess."""
    row = database.execute("SELECT * FROM entry WHERE number = ?", (chance.randint(2, _ENTRIES - 1),)).fetchone()
    made = (row[0], _ENTRIES + 1, *row[2:6], chance.randbytes(32).hex())
    database.execute("INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?)", made)


def _cut(database: sqlite3.Connection, chance: random.Random) -> None:
    database.execute("DELETE FROM entry WHERE number > ?", (chance.randint(0, _ENTRIES - 1),))


def _computed_anew(database: sqlite3.Connection, chance: random.Random) -> None:
    """An answer edited, and every hash from there on computed as it would have been."""
    _edited(database, chance)
    _rehash(database)


def _cut_and_filled(database: sqlite3.Connection, chance: random.Random) -> None:
    """One answer taken out, another one made up in its place at the end, all hashes computed."""
    _closed_up(database, chance)
    _put_in(database, chance)
    database.execute("UPDATE entry SET number = ? WHERE number = ?", (_ENTRIES, _ENTRIES + 1))
    _rehash(database)


def _set(database: sqlite3.Connection, column: str, value: object, number: int) -> None:
    database.execute(f"UPDATE entry SET {column} = ? WHERE number = ?", (value, number))


def _rehash(database: sqlite3.Connection) -> None:
    origin = database.execute("SELECT value FROM fact WHERE key = 'origin'").fetchone()[0]
    before = root(STUDY, origin)
    for row in database.execute("SELECT * FROM entry ORDER BY number").fetchall():
        before = hashed(before, Entry(*row[:5], json.loads(row[5]), ""))
        _set(database, "sha256", before, row[1])


_WAYS: dict[str, tuple[Tamper, bool]] = {
    "answer edited": (_edited, True), "other column edited": (_other_column, True), "entry deleted": (_deleted, True),
    "entry deleted, numbers closed up": (_closed_up, True), "entries exchanged": (_exchanged, True),
    "entry put in": (_put_in, True), "end cut off": (_cut, False), "edited and computed anew": (_computed_anew, False),
    "one out, one in, computed anew": (_cut_and_filled, False),
}  # fmt: skip
"""Whether each must show without the anchor."""


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 200))
