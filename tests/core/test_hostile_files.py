"""Hostile and defective files through the whole of opening: what is sound opens, everything else is refused in words.

All kinds of `tests/hostile/files.py`, and small seeded shares of what `tests/soak` does by the thousand.
"""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path
from random import Random

import psutil
import pytest

from ctmri_core.io import opening, reader_process
from tests.hostile.differences import OtherReaders
from tests.hostile.files import KINDS, lay_out
from tests.hostile.kinds import ODD_SPACINGS, OUTSIDE
from tests.hostile.mutations import READABLE, mutant, mutated
from tests.hostile.verdicts import faults, general_faults, looked_outside, opened_paths, snapshot, verdict_on
from tests.soak.sweep_damage import FLIPPED, TRUNCATED, sweep

SLOW = {"folder_of_3000_empty", "zip_hundred_thousand_members", "dicom_deflated_bomb"}
"""Seconds each on a busy machine; the soak scripts take them too."""
GROUPS = sorted({name.partition("_")[0] for name in KINDS})
FUZZED = 180


@pytest.fixture(autouse=True, scope="module")
def reader_ended():
    yield
    reader_process.shutdown()


@pytest.fixture
def judged(tmp_path):
    """Lays out a kind, opens it and says what is wrong with its verdict, with what it read and what it left behind."""

    def judge(name: str) -> list[str]:
        kind = KINDS[name]
        root = tmp_path / str(len(list(tmp_path.iterdir())))
        root.mkdir()
        path = lay_out(kind, root)
        laid = snapshot(root)
        with opened_paths() as opened:
            verdict = verdict_on(path)
        found = faults(kind, path, verdict)
        if outside := looked_outside(opened, root):
            found.append(f"looked outside: {outside[0]}")
        if snapshot(root) != laid:
            found.append("wrote or removed something")
        return [f"{name}: {each}" for each in found]

    return judge


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("group", GROUPS)
def test_every_kind_gets_the_verdict_it_must_have(judged, group):
    names = [name for name in KINDS if name.partition("_")[0] == group and name not in SLOW]
    assert [fault for name in names for fault in judged(name)] == []


def test_there_are_hundreds_of_kinds_of_every_format():
    assert len(KINDS) > 600
    assert set(READABLE) == {"Analyze", "DICOM", "DICOMDIR", "MGH", "MetaImage", "NIfTI", "NRRD", "pictures", "zip"}


@pytest.mark.parametrize(
    "start", ["nifti_pixdim", "mha_elementspacing", "nrrd_spacings", "dicom_row", "mgz_spacing", "analyze_spacing"]
)
def test_odd_spacings_are_among_the_kinds_for_every_format_that_has_one(start):
    named = [kind for name, kind in KINDS.items() if name.startswith(start) and kind.row == "R6"]
    assert len(named) >= len(ODD_SPACINGS)
    assert all(kind.expectation.outcome == "refused" and kind.expectation.word for kind in named)


def test_names_inside_of_files_lead_nowhere_outside(tmp_path):
    """R7: the kinds are enough of them, and the detector sees a reader that does look outside."""
    assert len([kind for kind in KINDS.values() if kind.row == "R7"]) >= 40
    lay_out(KINDS["zip_names_leave"], tmp_path)
    with opened_paths() as opened:
        verdict_on(tmp_path / OUTSIDE / "secret.nii")
    assert looked_outside(opened, tmp_path)


def test_mutants_are_opened_or_refused_and_nothing_else(tmp_path):
    others, differences, agreed = OtherReaders(), [], 0
    try:
        for number in range(FUZZED):
            root = tmp_path / str(number)
            root.mkdir()
            group, path = mutant(root, Random(f"suite-{number}"))
            laid = snapshot(root)
            with opened_paths() as opened:
                verdict = verdict_on(path)
            assert general_faults(path, verdict) == [], (number, path.name)
            assert not looked_outside(opened, root) and snapshot(root) == laid, number
            if verdict.outcome == "opened" and len(verdict.volumes) == 1:
                different = others.differs(group, path, verdict.volumes[0])
                agreed += different == ""
                differences += [(number, different)] if different else []
    finally:
        others.close()
    assert differences == []
    assert agreed > 20


def test_mutants_are_many_different_files_and_the_same_for_the_same_seed():
    content = b"ObjectType = Image\nNDims = 3\nElementDataFile = LOCAL\n" + bytes(range(256)) * 8
    mutants = [mutated(content, Random(n)) for n in range(200)]
    assert len(set(mutants)) > 190
    assert mutants == [mutated(content, Random(n)) for n in range(200)]


@pytest.mark.parametrize("name", TRUNCATED)
def test_cut_files_are_refused_or_say_what_is_missing(name):
    assert sweep(name, 12, 0)[1] == []


@pytest.mark.parametrize("name", FLIPPED)
def test_flipped_bits_in_compressed_files_are_noticed_or_change_nothing(name):
    counts, wrong = sweep(name, 0, 30)
    assert wrong == []
    assert counts["refused"] > 15


def test_small_files_do_not_take_much_memory(tmp_path):
    """R2 for the process that opens: bombs in every container."""
    bombs = [name for name in KINDS if "bomb" in name or "claims" in name or name.endswith(("2_31", "2_63"))]
    assert len(bombs) > 20
    process, most = psutil.Process(), defaultdict(int)
    for name in bombs:
        path = lay_out(KINDS[name], tmp_path)
        before = process.memory_info().rss
        verdict_on(path)
        most[name] = process.memory_info().rss - before
    assert max(most.values()) < 150 << 20, max(most, key=lambda name: most[name])


@pytest.mark.skipif(os.name == "nt", reason="lays out as POSIX does")
def test_a_file_that_vanishes_or_shrinks_between_looking_and_loading_is_refused(tmp_path):
    for name in ("nifti_2", "mha_packed", "dicom_fine", "png_fine", "mgz_fine"):
        path = lay_out(KINDS[name], tmp_path)
        (series,) = opening.scan(path)
        content = path.read_bytes()
        for change in (lambda path=path, content=content: path.write_bytes(content[:-40]), path.unlink):
            change()
            with pytest.raises(opening.FileRefused):
                opening.finish(opening.load(series))


def test_a_folder_named_from_where_one_stands_is_judged_like_any_other(tmp_path, monkeypatch):
    """Deflated headers come from the reader process, whose current folder is another."""
    packed = KINDS["dicom_deflated_fine"].make(tmp_path).read_bytes()
    (tmp_path / "series").mkdir()
    (tmp_path / "series" / "0.dcm").write_bytes(packed)
    (tmp_path / "series" / "1.dcm").write_bytes(packed[:300])
    monkeypatch.chdir(tmp_path)
    near, far = opening.scan("series"), opening.scan(tmp_path / "series")
    assert near[0].files == (Path("series") / "0.dcm",)
    assert [finding.message for finding in near[0].findings] == [finding.message for finding in far[0].findings]
