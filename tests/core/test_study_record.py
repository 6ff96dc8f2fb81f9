"""The record of a study: what was acknowledged is there, what was changed shows, nobody writes beside another."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing

import pytest

from ctmri_core.errors import FileRefused, WriteFailed
from ctmri_core.studies.chain import Entry, hashed, root
from ctmri_core.studies.record import StudyRecord
from ctmri_core.studies.trials import Answer, Mark, Viewing

STUDY = "ab" * 32


def answer(number, reader="R1", **more):
    more = {"choice": "real", "confidence": 2, **more}
    return Answer(reader=reader, session=1, trial=f"{number:016x}", shown_at="2026-01-01T00:00:00Z", response_ms=1500.5, **more)


@pytest.fixture
def record(tmp_path):
    with StudyRecord.create(tmp_path / "study.sqlite", STUDY) as made:
        yield made


def filled(path, count=5, reader="R1"):
    with StudyRecord.create(path, STUDY) as made:
        made.append("session", reader, {"number": 1})
        for number in range(count):
            made.answer(answer(number, reader))
        return made.anchors


def meddle(path, *statements):
    """As somebody with another program would, who takes away what guards the table first."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("DROP TRIGGER entries_stay")
        other.execute("DROP TRIGGER entries_remain")
        for statement in statements:
            other.execute(statement)


def faults(path, anchors=()):
    with StudyRecord(path, writing=False) as found:
        return found.faults(anchors)


def test_answers_come_back_as_they_were_given_and_the_last_revision_counts(record):
    mark = Mark(mm=(1.5, 2.0, -3.25), label="Stelle ä")
    given = [answer(1, marks=(mark,), viewing=Viewing(slices=(12,), windows=2)), answer(2)]
    for one in given:
        record.answer(one)
    record.answer(answer(1, choice="synthetic", revision=1))
    record.append("left", "R1", {"reason": "lunch"})
    assert record.answers() == (answer(1, choice="synthetic", revision=1), given[1])
    assert [entry.number for entry in record.entries()] == [1, 2, 3, 4] and record.faults(record.anchors) == ()
    assert [entry.kind for entry in record.entries("left")] == ["left"] and record.answers("R2") == ()
    with StudyRecord(record.path, study=STUDY, writing=False) as again:
        assert again.answers() == record.answers()
        with pytest.raises(WriteFailed, match="for reading only"):
            again.append("left")


def test_other_programs_find_a_table_of_answers(record):
    record.answer(answer(7, reader="R9"))
    with closing(sqlite3.connect(record.path)) as other:
        row = other.execute("SELECT reader, trial, choice, confidence, response_ms, revision FROM answer").fetchone()
    assert row == ("R9", f"{7:016x}", "real", 2, 1500.5, 0)


def test_entries_are_neither_changed_nor_removed(record):
    record.answer(answer(1))
    with closing(sqlite3.connect(record.path)) as other:
        for statement in ("UPDATE entry SET reader = 'X'", "DELETE FROM entry", "UPDATE fact SET value = ''", "DELETE FROM fact"):
            with pytest.raises(sqlite3.IntegrityError, match="of a study are never"):
                other.execute(statement)
    assert record.path.stat().st_mode & 0o077 == 0 or sys.platform == "win32"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entry SET payload = replace(payload, 'real', 'synthetic') WHERE number = 3",
        "UPDATE entry SET payload = 'none' WHERE number = 3",
        "UPDATE entry SET at = '2026-01-02' WHERE number = 4",
        "UPDATE entry SET reader = 'R2' WHERE number = 6",
        "UPDATE entry SET kind = 'left' WHERE number = 2",
        "DELETE FROM entry WHERE number = 1",
        "DELETE FROM entry WHERE number = 3",
        "UPDATE entry SET number = -number WHERE number IN (3, 4); ",
    ],
)
def test_what_is_edited_or_deleted_shows(tmp_path, statement):
    path = tmp_path / "study.sqlite"
    filled(path)
    assert faults(path) == ()
    meddle(path, statement)
    assert len(faults(path)) == 1


def test_exchanged_answers_show(tmp_path):
    path = tmp_path / "study.sqlite"
    filled(path)
    meddle(
        path,
        "UPDATE entry SET payload = (SELECT payload FROM entry WHERE number = 5) WHERE number = 3",
        "UPDATE entry SET number = 100 WHERE number = 2",
        "UPDATE entry SET number = 2 WHERE number = 4",
        "UPDATE entry SET number = 4 WHERE number = 100",
    )
    assert faults(path)


def test_a_cut_end_and_a_chain_computed_anew_show_against_the_anchor(tmp_path):
    path = tmp_path / "study.sqlite"
    anchors = filled(path)
    assert faults(path, anchors) == () and anchors[0].count == 6
    meddle(path, "DELETE FROM entry WHERE number > 4")
    assert faults(path) == ()
    assert "2 of 6 entries are missing" in faults(path, anchors)[0]
    anew = tmp_path / "anew.sqlite"
    anchors = filled(anew)
    with StudyRecord(anew, writing=False) as found:
        entries, before = found.entries(), root(STUDY, found.origin)
    statements = []
    for entry in entries:
        forged = Entry(entry.origin, entry.number, entry.kind, "R7", entry.at, entry.payload, "")
        before = hashed(before, forged)
        statements.append(f"UPDATE entry SET reader = 'R7', sha256 = '{before}' WHERE number = {entry.number}")
    meddle(anew, *statements)
    assert faults(anew) == () and "is not the one that was written down" in faults(anew, anchors)[0]
    assert "6 of 6 entries are missing" in faults(path, anchors)[0]  # another file was put in its place


def test_a_second_window_is_told(record):
    with pytest.raises(WriteFailed, match="is open in another window"):
        StudyRecord(record.path)
    with StudyRecord(record.path, writing=False) as beside:
        assert beside.origin == record.origin


def test_records_of_two_sites_are_taken_in_once_and_keep_their_chains(tmp_path, record):
    record.answer(answer(1, "R1"))
    anchors = filled(tmp_path / "a.sqlite", 3, "R2") + filled(tmp_path / "b.sqlite", 2, "R3")
    for name, count in (("a", 4), ("b", 3), ("a", 0)):
        with StudyRecord(tmp_path / f"{name}.sqlite", writing=False) as other:
            assert record.take_in(other.entries()) == count
    assert len(record.answers()) == 6 and record.faults((*anchors, *record.anchors)) == ()
    with StudyRecord(tmp_path / "a.sqlite") as other:
        other.answer(answer(9, "R2"))
        assert record.take_in(other.entries()) == 1


def test_what_does_not_fit_is_taken_in_not_at_all(tmp_path, record):
    filled(tmp_path / "a.sqlite", 3, "R2")
    with StudyRecord(tmp_path / "a.sqlite", writing=False) as other:
        entries = other.entries()
    record.take_in(entries)
    filled(tmp_path / "same.sqlite", 1, "R2")
    with StudyRecord(tmp_path / "same.sqlite", writing=False) as other, pytest.raises(FileRefused, match="answers of R2 to 1 of"):
        record.take_in(other.entries())
    broken = [*entries[:2], entries[3]]
    with pytest.raises(FileRefused, match="entry 3 is missing"):
        record.take_in(broken)
    forked = Entry(entries[0].origin, 1, "left", "R2", entries[0].at, {}, "")
    forked = Entry(*[getattr(forked, name) for name in ("origin", "number", "kind", "reader", "at", "payload")],
                   hashed(root(STUDY, forked.origin), forked))  # fmt: skip
    with pytest.raises(FileRefused, match="another continuation"):
        record.take_in([forked])
    assert len(record.entries()) == 4 and record.faults() == ()


def test_files_that_are_no_record_of_this_study_are_refused(tmp_path):
    (tmp_path / "text.sqlite").write_text("not a database, and long enough to be read as the head of one " * 10)
    with pytest.raises(FileRefused, match="is no record"):
        StudyRecord(tmp_path / "text.sqlite")
    with closing(sqlite3.connect(tmp_path / "other.sqlite")) as other:
        other.execute("CREATE TABLE t (x)")
    with pytest.raises(FileRefused, match="is no record"):
        StudyRecord(tmp_path / "other.sqlite")
    with pytest.raises(FileRefused, match="is not there"):
        StudyRecord(tmp_path / "none.sqlite")
    filled(tmp_path / "study.sqlite")
    with pytest.raises(FileRefused, match="belongs to another study"):
        StudyRecord(tmp_path / "study.sqlite", study="cd" * 32)
    with pytest.raises(WriteFailed, match="is there already"):
        StudyRecord.create(tmp_path / "study.sqlite", STUDY)
    raw = (tmp_path / "study.sqlite").read_bytes()
    (tmp_path / "study.sqlite").write_bytes(raw[: len(raw) // 2])
    with pytest.raises((FileRefused, WriteFailed), match=r"study\.sqlite"):
        StudyRecord(tmp_path / "study.sqlite").entries()


def test_a_newer_record_may_only_be_read(tmp_path):
    filled(tmp_path / "study.sqlite")
    with closing(sqlite3.connect(tmp_path / "study.sqlite")) as other:
        other.execute("PRAGMA user_version = 2")
    with pytest.raises(WriteFailed, match="newer version"):
        StudyRecord(tmp_path / "study.sqlite")
    with StudyRecord(tmp_path / "study.sqlite", writing=False) as found:
        assert len(found.answers()) == 5 and found.newer
    with closing(sqlite3.connect(tmp_path / "study.sqlite")) as other:
        other.execute("ALTER TABLE fact RENAME TO truth")
    with pytest.raises(WriteFailed, match="newer version"):
        StudyRecord(tmp_path / "study.sqlite", writing=False)


def test_a_full_disk_costs_the_reserve_first_and_loses_nothing(record):
    """SQLite's own limit of pages stands for the disk: it answers both alike (SQLITE_FULL)."""
    reserve = record.path.with_suffix(".reserve")
    assert reserve.stat().st_size == 4 << 20
    pages = record._database.execute("PRAGMA page_count").fetchone()[0]
    record._database.execute(f"PRAGMA max_page_count = {pages}")
    kept = 0
    with pytest.raises(WriteFailed, match="could not be used: database or disk is full"):
        for number in range(1000):
            record.answer(answer(number))
            kept += 1
    assert not reserve.exists() and len(record.answers()) == kept > 0 and record.faults() == ()
    record._database.execute("PRAGMA max_page_count = 100000")
    record.answer(answer(kept))
    assert len(record.answers()) == kept + 1


def test_who_waits_for_another_program_says_so_and_keeps_the_reserve(tmp_path):
    filled(tmp_path / "study.sqlite")
    with (
        StudyRecord(tmp_path / "study.sqlite", patience_ms=1) as record,
        closing(sqlite3.connect(record.path, isolation_level=None)) as other,
    ):
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(WriteFailed, match="held by another program") as said:
            record.answer(answer(7))
        assert "room" not in str(said.value) and record.path.with_suffix(".reserve").exists()
        with pytest.raises(WriteFailed, match="held by another program"):
            StudyRecord(record.path, writing=False, patience_ms=1)
        other.execute("ROLLBACK")
        record.answer(answer(7))
        assert len(record.answers()) == 6


def test_a_reserve_that_cannot_be_given_up_ends_in_words(record):
    """As in a folder that may no longer be written."""
    reserve = record.path.with_suffix(".reserve")
    reserve.unlink()
    reserve.mkdir()
    pages = record._database.execute("PRAGMA page_count").fetchone()[0]
    record._database.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(WriteFailed, match="Make room"):
        for number in range(1000):
            record.answer(answer(number))


CUT_OFF = """
import os, sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("PRAGMA cache_size = 1")
database.execute("BEGIN IMMEDIATE")
database.executemany("INSERT INTO entry VALUES ('ff', ?, 'answer', 'R1', '', ?, '')", [(n, "x" * 3000) for n in range(200)])
os._exit(9)
"""


def test_what_was_cut_off_while_it_was_written_can_be_read_all_the_same(tmp_path):
    """By a power cut, a journal stays beside the file; who only reads may not undo what it tells of."""
    path = tmp_path / "study.sqlite"
    anchors = filled(path)
    subprocess.run([sys.executable, "-c", CUT_OFF, str(path)], check=False)
    assert path.with_name("study.sqlite-journal").stat().st_size
    with StudyRecord(path, writing=False) as record:
        assert len(record.answers()) == 5 and record.faults(anchors) == ()


WRITER = """
import sys
from ctmri_core.studies.record import StudyRecord
from tests.core.test_study_record import answer
record = StudyRecord(__import__("pathlib").Path(sys.argv[1]))
number = len(record.answers())
while True:
    record.answer(answer(number))
    print(number, flush=True)
    number += 1
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no kill -9")
def test_killed_at_any_moment_it_keeps_every_answer_that_was_acknowledged(tmp_path):
    """R16's small share; `tests/soak/study_kills.py` does two hundred."""
    path = tmp_path / "study.sqlite"
    StudyRecord.create(path, STUDY).close()
    chance, acknowledged = random.Random(16), 0
    for _ in range(6):
        with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            lines = [writer.stdout.readline()]
            time.sleep(chance.uniform(0, 0.05))
            writer.send_signal(signal.SIGKILL)
            lines += writer.stdout.readlines()
        acknowledged = max(acknowledged, *(int(line) + 1 for line in lines if line.endswith("\n") and line.strip()))
        with StudyRecord(path) as record:
            assert len(record.answers()) >= acknowledged and record.faults() == ()
    assert acknowledged >= 6


def test_where_little_room_is_left_a_smaller_reserve_is_put_aside(tmp_path):
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2 << 20, before[1]))
    try:
        filled(tmp_path / "study.sqlite")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert (tmp_path / "study.reserve").stat().st_size == 1 << 20


@pytest.mark.parametrize("payload", ['{"trial": NaN}', '{"trial": "\\ud800"}', "[" * 99_999, "[]", "{"])
def test_a_payload_that_is_none_shows_and_stops_nothing(tmp_path, payload):
    """Written by other hands: neither reading nor looking for faults may fall over it."""
    filled(tmp_path / "study.sqlite")
    with closing(sqlite3.connect(tmp_path / "study.sqlite", isolation_level=None)) as database:
        database.execute("DROP TRIGGER entries_stay")
        database.execute("UPDATE entry SET payload = ? WHERE number = 2", (payload,))
    with StudyRecord(tmp_path / "study.sqlite") as record:
        assert "was changed" in record.faults()[0]
        with pytest.raises(FileRefused, match="holds an answer that is none"):
            record.answers()


def test_text_that_is_none_shows(tmp_path):
    filled(tmp_path / "study.sqlite")
    with closing(sqlite3.connect(tmp_path / "study.sqlite", isolation_level=None)) as database:
        database.execute("DROP TRIGGER entries_stay")
        database.execute("UPDATE entry SET at = CAST(x'ff41' AS TEXT) WHERE number = 2")
    with StudyRecord(tmp_path / "study.sqlite") as record:
        assert "was changed" in record.faults()[0]


def test_a_path_is_as_long_as_sqlite_opens_it_or_refused_in_words(tmp_path):
    """SQLite takes 512 bytes: what lay deeper could be made, and then neither opened nor read."""
    room = 440 - len(os.fsencode(tmp_path)) - 1
    deepest = tmp_path.joinpath(*[part for part in ("ö" * 100, "x" * (room - 201)) if part])
    deepest.mkdir(parents=True)
    filled(deepest / "study.sqlite")
    filled(deepest / f"{'R' * 32}.ctmri-answers")
    assert len(os.fsencode(deepest)) == 440 and faults(deepest / "study.sqlite") == ()
    with pytest.raises(WriteFailed, match="would lie too deep"):
        StudyRecord.create(deepest / "y" / "study.sqlite", STUDY)
