"""A study from its draft to the answers that come back: fixed when it opens, read without the truth, merged from elsewhere."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import zipfile
from contextlib import closing

import numpy as np
import pytest

from ctmri_core.errors import CtmriError, FileRefused, WriteFailed
from ctmri_core.files import atomic_folder
from ctmri_core.studies.closing import close_study
from ctmri_core.studies.pack import merge, pack
from ctmri_core.studies.pictures import name_of, write_items, write_picture
from ctmri_core.studies.protocol import Protocol, Question
from ctmri_core.studies.reading import Reading
from ctmri_core.studies.record import StudyRecord
from ctmri_core.studies.request import StudyRequest
from ctmri_core.studies.sealing import key_file, seal
from ctmri_core.studies.study_folder import StudyFolder, write_draft
from ctmri_core.studies.trials import Answer, Mark, Monitor, ReaderFacts
from ctmri_core.studies.truth import REAL, Arm, ItemTruth, Order, Plan, Truth

SECRET = "hidden-model-7f"


@pytest.fixture(autouse=True)
def private_keys(tmp_path, monkeypatch):
    monkeypatch.setenv("CTMRI_CONFIG_DIR", str(tmp_path / "config"))


def items(cases=6, practice=2):
    made = []
    for block, count in (("test", cases), ("practice", practice)):
        for case in range(count):
            for number, arm in enumerate((REAL, SECRET)):
                token = f"{abs(hash((block, case, number))) % (1 << 64):016x}"
                key = f"{block}{case}"
                made.append(ItemTruth(token=token, arm=arm, case=key, patient=key, block=block, source=f"/{SECRET}/{key}.nii.gz"))
    return made


def voxels(token):
    return np.random.default_rng(int(token, 16) % 2**32).integers(-1024, 3000, (3, 8, 9)).astype(np.int16)


def protocol(**more):
    return Protocol(**{"study": "00ff" * 4, "title": "Head study", **more})


def drafted(path, made=None, passphrase="", readers=("R1", "R2"), **more):
    made = items() if made is None else made
    plan = Plan(seed="77" * 32, readers=readers, repeats=0.2, order=Order(may_relax=True))
    arms = (Arm(name=REAL), Arm(name=SECRET))
    asked = protocol(**more)
    with atomic_folder(path) as folder:
        written = [write_picture(folder, item.token, voxels(item.token), (4.0, 1.0, 1.0)) for item in made]
        write_draft(folder, asked, Truth(protocol=asked.sha256, plan=plan, arms=arms, items=tuple(made)), written, passphrase)
    return StudyFolder(path)


def opened(path, **more):
    return drafted(path, **more).open("2026-01-01T00:00:00Z", "1.0", {"audit": 0.51})


def answer(trial, reader="R1", **more):
    return Answer(reader=reader, session=1, trial=trial.token, shown_at="2026-01-01T00:00:00Z", response_ms=900,
                  **{"choice": "real", "confidence": 3, **more})  # fmt: skip


def test_a_study_is_read_to_its_end_over_two_sittings(tmp_path):
    study = opened(tmp_path / "study")
    monitor = Monitor(width=1920, height=1080, pixel_ratio=1, depth=24, patches=True)
    with Reading(tmp_path / "study", "R1") as reading:
        assert reading.facts is None and reading.session == 1 and len(reading.trials) == 4 + 12 + 2
        reading.introduce(ReaderFacts(reader="R1", years=11, specialty="neuro"))
        reading.begin(monitor)
        for _ in range(5):
            reading.answer(answer(reading.next_trial))
        np.testing.assert_array_equal(reading.voxels(reading.trials[0].items[0]), voxels(reading.trials[0].items[0]))
        assert reading.right(reading.trials[0]) in ("real", "synthetic") and reading.right(reading.trials[5]) is None
        first = reading.finish()
    with Reading(tmp_path / "study", "R1") as reading:
        assert reading.facts.years == 11 and reading.session == 2
        assert reading.next_trial == reading.trials[5] and len(reading.answers) == 5
        reading.begin(monitor)
        while reading.next_trial:
            reading.answer(answer(reading.next_trial))
        reading.finish()
    with study.record(writing=False) as record:
        assert len(record.answers("R1")) == 18 and record.faults(first) == ()
        assert [entry.kind for entry in record.entries()][:3] == ["opened", "reader", "reader"]
        assert record.entries("closed")


def test_the_practice_block_tells_what_is_right_and_the_test_does_not(tmp_path):
    study = opened(tmp_path / "study")
    truth = study.truth()
    arm = {item.token: item.arm for item in truth.items}
    told = {one.trial: one.right for one in study.order("R1").feedback}
    for trial in study.order("R1").assignment.trials:
        right = {REAL: "real", SECRET: "synthetic"}[arm[trial.items[0]]]
        assert told.get(trial.token) == (right if trial.block == "practice" else None)
    assert not opened(tmp_path / "silent", practice_feedback=False).order("R1").feedback


def test_an_open_study_is_fixed(tmp_path):
    study = drafted(tmp_path / "study")
    with pytest.raises(FileRefused, match="is not open yet"):
        Reading(tmp_path / "study", "R1")
    truth = study.truth()
    plan = truth.plan.model_copy(update={"repeats": 0.0})
    changed = study.change(protocol(question="Real?"), truth.model_copy(update={"plan": plan}))
    assert changed.protocol.question == "Real?" and changed.truth().plan.repeats == 0.0
    study = changed.open("2026-01-01T00:00:00Z", "1.0", {})
    with pytest.raises(WriteFailed, match="is open"):
        study.change(protocol(), study.truth())
    with pytest.raises(WriteFailed, match="is open"):
        study.open("2026-01-01T00:00:00Z", "1.0", {})
    study.add_reader("R3")
    assert study.readers == ("R1", "R2", "R3")
    with pytest.raises(CtmriError, match="R3 is a reader"):
        study.add_reader("R3")
    with study.record(writing=False) as record:
        assert [entry.payload["reader"] for entry in record.entries("changed")] == ["R3"]


def test_nothing_that_reaches_a_reader_says_what_a_picture_is(tmp_path):
    """Every byte of the packed file: no arm, no source, no share, no run; equal sizes; one date."""
    made = items()
    study = opened(tmp_path / "study", made=made, practice_feedback=False)
    pack(study, "R1", tmp_path / "R1.ctmri-reader")
    content = (tmp_path / "R1.ctmri-reader").read_bytes()
    for word in (SECRET, "synthetic", "proportion", "longest_run", "repeats", "nii.gz", *(item.case for item in made), "77" * 32):
        assert word.encode() not in content.replace(b"Is this image real or synthetic?", b""), word
    with zipfile.ZipFile(tmp_path / "R1.ctmri-reader") as packed:
        pictures = [entry for entry in packed.infolist() if entry.filename.endswith(".raw")]
        assert len(pictures) == 16 and len({entry.file_size for entry in pictures}) == 1
        assert {entry.date_time for entry in packed.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert [entry.filename for entry in pictures] == sorted(entry.filename for entry in pictures)
        assert not [name for name in packed.namelist() if "R2" in name or "truth" in name]


def test_packed_studies_are_read_elsewhere_and_their_answers_taken_in(tmp_path):
    study = opened(tmp_path / "study")
    (tmp_path / "away").mkdir()
    for reader in ("R1", "R2"):
        place = tmp_path / "away" / f"{reader}.ctmri-reader"
        pack(study, reader, place)
        with Reading(place) as reading:
            assert reading.reader == reader
            for _ in range(7):
                reading.answer(answer(reading.next_trial, reader))
            anchors = reading.finish()
        merged = merge(study, place.with_suffix(".ctmri-answers"))
        assert merged.answers == 7 and merged.anchors == anchors
    assert merge(study, place.with_suffix(".ctmri-answers")).entries == 0
    with study.record(writing=False) as record:
        assert len(record.answers()) == 14 and len(record.entries("merged")) == 2 and record.faults(anchors) == ()
    (tmp_path / "other").mkdir()
    other = drafted(tmp_path / "other" / "study", title="Another").open("2026-01-01T00:00:00Z", "1", {})
    with pytest.raises(FileRefused, match="belongs to another study"):
        merge(other, place.with_suffix(".ctmri-answers"))


def test_reading_a_packed_study_needs_no_torch_and_no_imaging_libraries(tmp_path):
    pack(opened(tmp_path / "study"), "R1", tmp_path / "R1.ctmri-reader")
    code = (
        "import sys; from pathlib import Path; from ctmri_core.studies.reading import Reading\n"
        "with Reading(Path(sys.argv[1])) as reading: reading.voxels(reading.trials[0].items[0])\n"
        "print([name for name in ('torch', 'SimpleITK', 'cryptography', 'scipy', 'skimage') if name in sys.modules])"
    )
    words = [sys.executable, "-c", code, str(tmp_path / "R1.ctmri-reader")]
    run = subprocess.run(words, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("design", "given", "missing"),
    [
        ("yes_no", {"choice": ""}, "Choose first"),
        ("yes_no", {"confidence": None}, "how sure you are, from 1 to 3"),
        ("yes_no", {"confidence": 4}, "from 1 to 3"),
        ("two_alternatives", {"choice": "real"}, "Choose first"),
        ("two_alternatives", {"choice": "1", "confidence": 5}, ""),
        ("grading", {"choice": "", "confidence": None, "questions": {"anatomy": 5.0}}, "from 1 to 4"),
        ("grading", {"choice": "", "confidence": None, "questions": {}}, "Answer first: Anatomy"),
        ("grading", {"choice": "", "confidence": None, "questions": {"anatomy": 4}}, ""),
        ("diagnosis", {"choice": "present", "marks": ()}, "Answer first: Where"),
        ("diagnosis", {"choice": "present", "marks": (Mark(mm=(0, 0, 0), label="where"),)}, ""),
    ],
)
def test_an_answer_is_complete_or_not_taken(tmp_path, design, given, missing):
    anatomy = Question(key="anatomy", kind="likert", text="Anatomy", high=4)
    where = Question(key="where", kind="mark", text="Where")
    more = {"grading": {"questions": (anatomy,)}, "diagnosis": {"finding": "lesion", "questions": (where,)}}.get(design, {})
    opened(tmp_path / "study", design=design, **more)
    with Reading(tmp_path / "study", "R1") as reading:
        if missing:
            with pytest.raises(CtmriError, match=missing):
                reading.answer(answer(reading.next_trial, **given))
            assert not reading.answers
        else:
            reading.answer(answer(reading.next_trial, **given))
            assert len(reading.answers) == 1


def test_going_back_is_as_the_protocol_says(tmp_path):
    opened(tmp_path / "strict")
    opened(tmp_path / "free", go_back=True)
    with Reading(tmp_path / "strict", "R1") as reading:
        reading.answer(answer(reading.trials[0]))
        with pytest.raises(CtmriError, match="allows no going back"):
            reading.answer(answer(reading.trials[0], choice="synthetic"))
        with pytest.raises(CtmriError, match="another reader's trial"):
            reading.answer(answer(reading.trials[1], reader="R2"))
    with Reading(tmp_path / "free", "R1") as reading:
        for trial in reading.trials[:3]:
            reading.answer(answer(trial))
        reading.answer(answer(reading.trials[0], choice="synthetic"))
        assert reading.answers[reading.trials[0].token].revision == 1
        reading.answer(answer(reading.trials[3]))  # the last of practice: from now on it stays
        with pytest.raises(CtmriError, match="allows no going back"):
            reading.answer(answer(reading.trials[0]))


def test_consent_is_needed_where_there_is_a_text(tmp_path):
    opened(tmp_path / "study", consent="I agree.")
    with Reading(tmp_path / "study", "R1") as reading:
        with pytest.raises(CtmriError, match="needs your consent"):
            reading.introduce(ReaderFacts(reader="R1", years=1, consented=False))
        reading.introduce(ReaderFacts(reader="R1", years=1))


def test_the_truth_opens_for_whoever_has_the_key_alone(tmp_path):
    study = opened(tmp_path / "study")
    assert SECRET.encode() not in (tmp_path / "study" / "truth.sealed").read_bytes()
    assert study.truth().of(study.truth().items[0].token) == study.truth().items[0]
    key = key_file(study.protocol.study)
    assert key.stat().st_mode & 0o077 == 0 or sys.platform == "win32"
    with pytest.raises(FileRefused, match="not a passphrase"):
        study.truth("guess")
    key.write_text("00" * 32)
    with pytest.raises(FileRefused, match="does not open with this key"):
        study.truth()
    key.unlink()
    with pytest.raises(CtmriError, match="is not here"):
        study.truth()
    locked = drafted(tmp_path / "locked", passphrase="three words here")
    assert locked.needs_passphrase and locked.truth("three words here").arms[1].name == SECRET
    with pytest.raises(FileRefused, match="does not open with this key"):
        locked.truth("three words there")


def test_a_truth_that_was_exchanged_shows(tmp_path):
    study = drafted(tmp_path / "study", passphrase="p").open("t", "1", {}, "p")
    forged = study.truth("p").model_copy(update={"items": study.truth("p").items[::-1]})
    (tmp_path / "study" / "truth.sealed").write_bytes(seal(forged, "p"))
    with pytest.raises(FileRefused, match="is not the truth that this study was opened with"):
        study.truth("p")


def test_nothing_that_a_reader_may_open_tells_what_was_made_when_or_what_the_audit_found(tmp_path):
    study = drafted(tmp_path / "study").open("t", "1", {"audit": "paler edges"})
    pictures = [tmp_path / "study" / name_of(token) for token in sorted(study.pictures.items)]
    assert len({path.stat().st_mtime_ns for path in pictures}) == 1
    written = [path.stat().st_ctime_ns for path in pictures]
    assert written == sorted(written)  # by the order of tokens, which chance drew
    assert study.truth().said == {"audit": "paler edges"}
    for path in (tmp_path / "study").rglob("*"):
        assert path.is_dir() or b"paler edges" not in path.read_bytes()


def test_a_draft_whose_opening_was_cut_short_opens_again(tmp_path):
    """The truth is sealed anew before study.json names it."""
    study = drafted(tmp_path / "study")
    before = (tmp_path / "study" / "study.json").read_bytes()
    study.open("t", "1", {"audit": 1})
    (tmp_path / "study" / "study.json").write_bytes(before)
    assert StudyFolder(tmp_path / "study").open("t", "1", {"audit": 2}).truth().said == {"audit": 2}


def test_damaged_and_exchanged_parts_are_named(tmp_path):
    study = opened(tmp_path / "study")
    picture = next((tmp_path / "study" / "pictures").glob("*.raw"))
    raw = bytearray(picture.read_bytes())
    raw[10] ^= 1
    picture.write_bytes(raw)
    with Reading(tmp_path / "study", "R1") as reading, pytest.raises(FileRefused, match="not the one that was written"):
        reading.voxels(picture.stem)
    text = (tmp_path / "study" / "study.json").read_text()
    (tmp_path / "study" / "study.json").write_text(text.replace("Head study", "Other study"))
    with pytest.raises(FileRefused, match="protocol that was changed"):
        StudyFolder(tmp_path / "study")
    (tmp_path / "study" / "study.json").write_text("{}")
    with pytest.raises(FileRefused, match=r"damaged study\.json"):
        StudyFolder(tmp_path / "study")
    with pytest.raises(FileRefused, match=r"holds no items\.json"):
        StudyFolder(tmp_path)
    (tmp_path / "bad.ctmri-reader").write_bytes(b"PK nothing")
    with pytest.raises(FileRefused, match="no packed reader study"):
        Reading(tmp_path / "bad.ctmri-reader")
    with pytest.raises(FileRefused, match="has no reader R9"):
        study.order("R9")


def test_pictures_of_a_study_have_one_shape(tmp_path):
    written = [write_picture(tmp_path, f"{k:016x}", np.zeros((2, 3, 4 + k), np.int16), (1.0, 1.0, 1.0)) for k in range(2)]
    with pytest.raises(CtmriError, match="have one shape"):
        write_items(tmp_path, written)


FORGED = {
    "no reader of this study": ("answer", "NOBODY", {"reader": "NOBODY"}), "that readers do not write": ("opened", "", {}),
    "no answer to a trial": ("answer", "R1", {"trial": "a" * 16}), "of R1 that is no answer": ("answer", "R1", {"reader": "R2"}),
    "is no answer": ("answer", "R1", {"choice": "perhaps"}), "holds an entry of R1": ("answer", "R1", {"trial": [1]}),
    "holds an entry of R1 that": ("consent", "R1", {"x": 1}), "readers do not write": ("closed", "", {}),
}  # fmt: skip


@pytest.mark.parametrize("words", FORGED)
def test_what_no_reader_wrote_is_not_taken_in(tmp_path, words):
    """One such entry would end every analysis, and the record never forgets."""
    study, back = opened(tmp_path / "study"), tmp_path / "R1.ctmri-answers"
    kind, reader, more = FORGED[words]
    good = {"reader": reader, "session": 1, "trial": study.order("R1").assignment.trials[0].token, "choice": "real",
            "confidence": 2, "shown_at": "t", "response_ms": 1.0}  # fmt: skip
    with StudyRecord.create(back, study.file.sha256) as made:
        made.append(kind, reader, {**good, **more})
    with pytest.raises(FileRefused, match=words):
        merge(study, back)
    with study.record(writing=False) as record:
        assert {entry.origin for entry in record.entries()} == {record.origin}


def test_a_file_with_another_reader_s_answers_is_not_written_on(tmp_path):
    study = opened(tmp_path / "study")
    for reader in ("R1", "R2"):
        pack(study, reader, tmp_path / f"{reader}.ctmri-reader")
    with Reading(tmp_path / "R1.ctmri-reader") as reading:
        reading.answer(answer(reading.next_trial, "R1"))
    (tmp_path / "R1.ctmri-answers").rename(tmp_path / "R2.ctmri-answers")
    for _ in range(2):  # the lock is let go
        with pytest.raises(FileRefused, match="answers of another reader"):
            Reading(tmp_path / "R2.ctmri-reader")


@pytest.mark.parametrize("asked", [{"readers": ("R1", "r1")}, {"cases": 0}, {"spacing": (0.0, 1.0, 1.0)},
                                   {"spacing": (1.0, float("nan"), 1.0)}, {"spacing": (1.0, 1.0, 1e-6)}])  # fmt: skip
def test_what_makes_no_study_is_refused_before_anything_is_made(tmp_path, asked):
    with pytest.raises(CtmriError, match=r"same code|A study needs"):
        StudyRequest(folder=tmp_path / "study", title="Heads", **asked).order()


def test_a_reader_s_code_is_one_whatever_its_letters(tmp_path):
    with pytest.raises(CtmriError, match="is a reader of this study already"):
        opened(tmp_path / "study").add_reader("r1")


@pytest.mark.parametrize("code", ["..", "a/b", "a\\b", "x" * 33, "Jürgen", "R1.", "", " R1", "CON", "nul", "Lpt1", "-R"])
def test_what_makes_no_file_on_every_machine_is_no_code_of_a_reader(tmp_path, code):
    """It was an error of the program, or a file that Windows does not have."""
    study = opened(tmp_path / "study")
    with pytest.raises(CtmriError, match="code"):
        study.add_reader(code)
    with pytest.raises(CtmriError, match="code"):
        StudyRequest(readers=("R1", code)).plan()
    assert study.readers == ("R1", "R2")


def test_a_reader_that_there_is_not_is_told_who_there_is(tmp_path):
    """Where large and small letters are one to the disk too."""
    study = opened(tmp_path / "study")
    pack(study, "R1", tmp_path / "R1.ctmri-reader")
    for place, there in ((study.path, "It has R1, R2"), (tmp_path / "R1.ctmri-reader", "It has R1")):
        for code in ("r1", "R9", "../study"):
            with pytest.raises(FileRefused, match=f"has no reader {code}. {there}"):
                Reading(place, code)


def test_a_closed_study_gets_no_more_readers(tmp_path):
    study = opened(tmp_path / "study")
    close_study(study)
    with pytest.raises(CtmriError, match="is closed"):
        study.add_reader("R3")
    assert study.readers == ("R1", "R2")


def test_what_does_not_come_back_from_a_reader_is_told_apart(tmp_path):
    study = opened(tmp_path / "study")
    place = tmp_path / "R1.ctmri-reader"
    pack(study, "R1", place)
    with pytest.raises(FileRefused, match="is the study that was sent out"):
        merge(study, place)
    with pytest.raises(FileRefused, match=r"is not there\. Name a file that a reader"):
        merge(study, tmp_path / "R2.ctmri-answers")
    with Reading(place) as reading:
        reading.answer(answer(reading.next_trial, "R1"))
    with closing(sqlite3.connect(place.with_suffix(".ctmri-answers"))) as newer:
        newer.execute("PRAGMA user_version = 2")
    with pytest.raises(FileRefused, match="newer version"):
        merge(study, place.with_suffix(".ctmri-answers"))


def test_a_study_that_lacks_a_picture_is_not_sent_out(tmp_path):
    study = opened(tmp_path / "study")
    place = study.path / name_of(study.order("R1").assignment.trials[0].items[0])
    raw = place.read_bytes()
    place.write_bytes(raw[:-1] + b"x")
    with pytest.raises(FileRefused, match="not the one that was written"):
        pack(study, "R1", tmp_path / "R1.ctmri-reader")
    place.unlink()
    with pytest.raises(FileRefused, match=r"holds no .*\.raw"):
        pack(study, "R1", tmp_path / "R1.ctmri-reader")
    assert not (tmp_path / "R1.ctmri-reader").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="names may be longer there")
def test_where_answers_cannot_be_written_the_way_out_is_told(tmp_path):
    place = tmp_path / f"{'R' * 242}.ctmri-reader"  # the longest name; that of the answers is longer by one
    pack(opened(tmp_path / "study"), "R1", place)
    with pytest.raises(WriteFailed, match=r"name is too long.*beside the study"):
        Reading(place)


def test_the_numbers_of_files_do_not_tell_in_which_order_pictures_were_made(tmp_path):
    """Each took the number of the one whose place it got, and these stood in the order of making: real, synthetic, real, ..."""
    study = drafted(tmp_path / "study")
    before = {path.stat().st_ino for path in (study.path / "pictures").glob("*.raw")}
    study.open("2026-01-01T00:00:00Z", "1.0", {})
    after = sorted((study.path / "pictures").glob("*.raw"), key=lambda path: path.stat().st_ctime_ns)
    assert len(after) == len(before) and not before & {path.stat().st_ino for path in after}
    assert sorted(path.name for path in study.path.iterdir() if path.name.startswith(".")) == []


@pytest.mark.parametrize("content", [b"", b"SQLite format 3", b"x" * 9000])
def test_a_reader_whose_answers_are_damaged_is_told_what_to_do(tmp_path, content):
    place = tmp_path / "R1.ctmri-reader"
    pack(opened(tmp_path / "study"), "R1", place)
    place.with_suffix(".ctmri-answers").write_bytes(content)
    with pytest.raises(FileRefused, match="move it away, and open the study again"):
        Reading(place)
    place.with_suffix(".ctmri-answers").rename(tmp_path / "kept")
    with Reading(place) as reading:
        assert not reading.answers


def test_a_draft_is_neither_sent_out_nor_takes_anything_in(tmp_path):
    study = drafted(tmp_path / "study")
    (tmp_path / "R1.ctmri-answers").touch()
    with pytest.raises(CtmriError, match="not open yet"):
        pack(study, "R1", tmp_path / "R1.ctmri-reader")
    with pytest.raises(CtmriError, match="not open yet"):
        merge(study, tmp_path / "R1.ctmri-answers")
