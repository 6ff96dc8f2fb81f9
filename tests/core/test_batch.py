"""Many scans in one go: what is found, what is done once, what fails alone, who shares the work, and what arrives later."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import nibabel
import numpy as np
import pydicom
import pytest
import torch

from ctmri_core.batch.cases import find_cases
from ctmri_core.batch.order import BatchOrder
from ctmri_core.batch.run import BatchOutcome, translate_cases
from ctmri_core.batch.sharing import own_place
from ctmri_core.batch.store import Store
from ctmri_core.batch.table import CSV_NAME, JSON_NAME, CaseRow, read_table, write_table
from ctmri_core.batch.watching import Arrivals
from ctmri_core.cli import main
from ctmri_core.domain import Direction, Domain
from ctmri_core.errors import FileRefused, WriteFailed
from ctmri_core.events import CaseTold, Noted, Progress, finish, never
from ctmri_core.geometry import Geometry
from ctmri_core.inference.order import Order
from ctmri_core.io.opening import open_volume
from ctmri_core.io.saving import save
from ctmri_core.methods.pix2pix.card import Pix2PixConfig
from ctmri_core.methods.pix2pix.method import Pix2Pix
from ctmri_core.model_card import ModelCard
from ctmri_core.model_file import save_model
from ctmri_core.phantom import make_head
from ctmri_core.preprocess.recipe import Recipe
from ctmri_core.resources_folder import resources_folder
from ctmri_core.volume import Volume

SHAPE = (6, 32, 36)


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def models(tmp_path, monkeypatch) -> Path:
    """A folder with one tiny untrained CT to T1 model."""
    folder = tmp_path / "models"
    folder.mkdir()
    tiny_model(folder / "tiny.safetensors", 0)
    monkeypatch.setenv("CTMRI_MODELS_DIR", str(folder))
    return folder


def tiny_model(path: Path, seed: int) -> None:
    way = Direction(Domain.CT, Domain.MR_T1)
    config = Pix2PixConfig(generator="resnet_6", width=4, norm="instance", dropout=False)
    torch.manual_seed(seed)
    network = Pix2Pix(config, way).generator(way)
    card = ModelCard(
        name=f"tiny {seed}", method="pix2pix", config=config.model_dump(mode="json"), direction=way,
        recipe=Recipe(spacing_mm=None), body_region="head", created=datetime(2026, 1, 2, tzinfo=UTC),
    )  # fmt: skip
    save_model(path, network.state_dict(), card)


def head(seed: int = 0) -> Volume:
    """An ellipsoid of soft tissue with a shell of bone in air."""
    axes = np.meshgrid(*[np.linspace(-1.2, 1.2, n) for n in SHAPE], indexing="ij")
    radius = np.sqrt(sum(axis**2 for axis in axes))
    voxels = np.select([radius < 0.8, radius < 1.0], [40 + seed, 900], -1000).astype(np.int16)
    return Volume(voxels, Geometry(SHAPE, (4.0, 5.0, 5.0)), Domain.CT, name="CT")


def write_ct(path: Path, seed: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = nibabel.Nifti1Image(head(seed).voxels.transpose(2, 1, 0), np.diag([-5.0, -5.0, 4.0, 1.0]))
    image.header.set_xyzt_units("mm")
    nibabel.save(image, path)
    return path


def order(tmp_path: Path, models: Path, **changes) -> BatchOrder:
    plain = BatchOrder((tmp_path / "in",), tmp_path / "out", folders=(models,), told=Domain.CT, all_the_same=True)
    return replace(plain, **{"order": Order(precision="float32"), **changes})


def run(wanted: BatchOrder, **more) -> tuple[BatchOutcome, dict[str, CaseRow]]:
    outcome = finish(translate_cases(wanted, **more))
    assert outcome is not None
    return outcome, {row.case: row for row in read_table(wanted.output)}


def test_each_scan_has_its_result_in_a_mirrored_tree_and_what_is_none_fails_alone(tmp_path, models):
    root = tmp_path / "in"
    write_ct(root / "p1" / "ct.nii.gz", 1)
    finish(save(head(2), root / "p2" / "series"))
    write_ct(root / "p1" / "ct_mask.nii.gz", 3)
    (root / "broken.nii").write_bytes(b"nothing of the kind")
    with zipfile.ZipFile(root / "packed.zip", "w") as packed:
        packed.write(write_ct(tmp_path / "ct.nii", 4), "deep/inside.nii")
    synthetic = root / "made"
    outcome, rows = run(order(tmp_path, models))
    assert not outcome.complete and outcome.counts == {"done": 3, "failed": 1, "skipped": 1}
    assert {name: row.status for name, row in rows.items()} == {
        "p1/ct": "done", "p2/series": "done", "packed": "done", "p1/ct_mask": "skipped", "broken": "failed",
    }  # fmt: skip
    assert "mask" in rows["p1/ct_mask"].reason and "broken.nii" in rows["broken"].reason
    made = open_volume(tmp_path / "out" / "p1" / "ct_synthetic_mr_t1.nii.gz")
    assert made.synthetic is not None and made.synthetic.model_hash == rows["p1/ct"].model_hash
    assert made.geometry.is_close(open_volume(root / "p1" / "ct.nii.gz").geometry)
    assert rows["packed"].output == "packed_synthetic_mr_t1.nii.gz" and rows["p2/series"].device.startswith("cpu")
    shutil.copytree(tmp_path / "out", synthetic)  # results among scans are left out
    again = find_cases(order(tmp_path, models), never)
    assert {case.left_out for case in again if case.place.startswith("made")} == {"It is synthetic already."}


def test_what_is_said_of_a_whole_folder_does_not_stand_in_every_result(tmp_path, models):
    root = tmp_path / "in"
    for number, patient in enumerate(("one", "two")):
        finish(save(head(number), root / patient))
        for path in (root / patient).glob("*.dcm"):
            data = pydicom.dcmread(path)
            data.PatientID = patient
            data.save_as(path)
    (root / "damaged.dcm").write_bytes((root / "one" / "IMG00001.dcm").read_bytes()[:200])
    said = [event.message for event in translate_cases(order(tmp_path, models)) if isinstance(event, Noted)]
    rows = read_table(tmp_path / "out")
    assert [row.status for row in rows] == ["done", "done"]
    assert not [text for row in rows for text in row.findings if "patients" in text or "left out" in text]
    assert sum("left out" in text for text in said) == 1


def test_what_is_done_is_done_once_until_scan_model_settings_or_result_change(tmp_path, models):
    scan = write_ct(tmp_path / "in" / "a.nii.gz")
    write_ct(tmp_path / "in" / "b.nii.gz", 5)
    wanted = order(tmp_path, models)
    _, first = run(wanted)

    def redone(changed: BatchOrder = wanted) -> set[str]:
        before = {row.case: row.at for row in read_table(wanted.output)}
        outcome, rows = run(changed)
        assert outcome.complete
        return {name for name, row in rows.items() if row.at != before[name]}

    assert redone() == set()
    os.utime(scan)  # another time, the same bytes
    assert redone() == set()
    write_ct(scan, 9)
    assert redone() == {"a"}
    result = tmp_path / "out" / first["b"].output
    result.write_bytes(result.read_bytes()[:-9])
    assert redone() == {"b"}
    rows = {row.case: row for row in read_table(wanted.output)}
    assert rows["b"].output == "b_synthetic_mr_t1-2.nii.gz", "what was changed by others is left alone"
    assert rows["a"].output == first["a"].output, "a result of its own is replaced"
    assert redone(replace(wanted, order=Order(precision="float32", seed=7))) == {"a", "b"}
    (models / "tiny.safetensors").unlink()
    tiny_model(models / "tiny.safetensors", 1)
    assert redone(replace(wanted, order=Order(precision="float32", seed=7))) == {"a", "b"}


@pytest.mark.parametrize("helps", ["beside", "back"])
def test_another_model_put_where_one_lay_that_helps_is_other_settings(tmp_path, models, helps):
    path = tmp_path / "helping.safetensors"

    def hashed(seed: int) -> str:
        tiny_model(path, seed)
        how = Order(beside=(path,)) if helps == "beside" else Order(back=path)
        return order(tmp_path, models, order=how).settings_hash

    first = hashed(1)
    assert hashed(2) != first and hashed(1) == first


def test_nothing_of_other_making_is_written_over(tmp_path, models):
    write_ct(tmp_path / "in" / "a.nii.gz")
    theirs = tmp_path / "out" / "a_synthetic_mr_t1.nii.gz"
    theirs.parent.mkdir()
    theirs.write_text("of somebody else")
    _, rows = run(order(tmp_path, models))
    assert rows["a"].status == "done" and rows["a"].output == "a_synthetic_mr_t1-2.nii.gz"
    assert theirs.read_text() == "of somebody else"
    _, rows = run(order(tmp_path, models, form="dicom"))
    first = (tmp_path / "out" / rows["a"].output, rows["a"].output_hash)
    write_ct(tmp_path / "in" / "a.nii.gz", 8)
    _, rows = run(order(tmp_path, models, form="dicom"))
    assert (tmp_path / "out" / rows["a"].output) == first[0] and rows["a"].output_hash != first[1]
    assert len(list(first[0].glob("*.dcm"))) == SHAPE[0] and open_volume(first[0]).synthetic is not None


def test_doubts_are_asked_about_and_answered_one_by_one(tmp_path, models):
    write_ct(tmp_path / "in" / "a.nii.gz")
    write_ct(tmp_path / "in" / "b.nii.gz", 2)
    t1 = replace(make_head(805, voxel_mm=4, table=False)[Domain.MR_T1], phantom=False)
    finish(save(t1, tmp_path / "c.nii"))
    shutil.copy(tmp_path / "c.nii", tmp_path / "in" / "a.nii")  # named like nothing, and no CT
    wanted = order(tmp_path, models, all_the_same=False)
    outcome, rows = run(wanted)
    asked = [row for row in rows.values() if row.status == "asked about"]
    assert not outcome.complete and asked and all(row.reason and row.question for row in asked)
    assert not [path for row in asked for path in [tmp_path / "out" / row.output] if row.output and path.exists()]
    one = asked[0].case
    outcome, rows = run(replace(wanted, all_the_same=True, only=frozenset({one})))
    assert outcome.counts == {"done": 1} and rows[one].status == "done"
    assert sum(row.status == "asked about" for row in rows.values()) == len(asked) - 1


def test_the_shipped_model_is_chosen_and_a_named_one_passes_over_other_kinds(tmp_path):
    t1 = replace(make_head(806, voxel_mm=4, table=False)[Domain.MR_T1], phantom=False)
    voxels = np.ascontiguousarray(t1.voxels[20:22])
    finish(save(replace(t1, voxels=voxels, geometry=replace(t1.geometry, shape=voxels.shape)), tmp_path / "in" / "mr_t1.nii"))
    shipped = resources_folder() / "models"
    plain = BatchOrder((tmp_path / "in",), tmp_path / "out", folders=(shipped,), told=Domain.MR_T1, all_the_same=True)
    outcome, rows = run(plain)
    assert outcome.complete and rows["mr_t1"].model == "Phantom T1 MR to CT" and rows["mr_t1"].kind == "mr_t1"
    outcome, rows = run(replace(plain, output=tmp_path / "other", model=shipped / "phantom_ct_to_mr_t1.safetensors"))
    assert outcome.counts == {"skipped": 1} and "takes CT" in rows["mr_t1"].reason


def test_a_stop_keeps_what_is_done_and_leaves_nothing_half_written(tmp_path, models):
    for name in "abc":
        write_ct(tmp_path / "in" / f"{name}.nii.gz")
    wanted, told = order(tmp_path, models), []
    for event in translate_cases(wanted, lambda: bool(told)):
        if isinstance(event, CaseTold) and event.status == "done":
            told.append(event.name)
    rows = read_table(wanted.output)
    assert [row.status for row in rows] == ["done", "waiting", "waiting"]
    assert len(list(wanted.output.glob("*.nii.gz"))) == 1 and not list(wanted.output.glob(".part*"))
    outcome, after = run(wanted)
    assert outcome.complete and after["a"].at == rows[0].at


def command(tmp_path: Path, *words: str) -> list[str]:
    paths = [str(tmp_path / "in"), "--output", str(tmp_path / "out")]
    return [sys.executable, "-m", "ctmri_core.cli", "translate", *paths, "--modality", "ct", "--all-the-same", *words]


ENVIRONMENT = {"OMP_NUM_THREADS": "1"}


KILLED = """
import json, os, signal, sys
from ctmri_core.cli.main import main
write, done = sys.stdout.write, []
def told(text):
    event = json.loads(text) if text.strip() else {}
    if event.get("status") == "done":
        done.append(event["name"])
    if done and event.get("status") == "running":
        os.kill(os.getpid(), signal.SIGKILL)
    return write(text)
sys.stdout.write = told
sys.exit(main(sys.argv[1:]))
"""
"""By itself: to somebody else, on a busy machine, it may have told of its end before he comes to kill it."""


@pytest.mark.skipif(os.name == "nt", reason="there is no kill -9")
def test_killed_in_the_midst_it_goes_on_where_it_was(tmp_path, models):
    for number in range(4):
        write_ct(tmp_path / "in" / f"{number}.nii.gz", number)
    words = [sys.executable, "-c", KILLED, *command(tmp_path, "--json")[3:]]
    ended = subprocess.run(words, capture_output=True, text=True, check=False, env={**os.environ, **ENVIRONMENT})
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    before = {row.case: row for row in read_table(tmp_path / "out")}
    kept = {name for name, row in before.items() if row.status == "done"}
    assert 1 <= len(kept) < 4
    assert main(command(tmp_path)[3:]) == 0
    after = {row.case: row for row in read_table(tmp_path / "out")}
    assert {row.status for row in after.values()} == {"done"}
    assert all(after[name].at == before[name].at for name in kept)
    assert sorted(path.name for path in (tmp_path / "out").glob("*.nii.gz")) == [f"{n}_synthetic_mr_t1.nii.gz" for n in range(4)]
    assert not list((tmp_path / "out").glob(".part*"))


def test_processes_share_the_cases_and_none_is_done_twice(tmp_path, models):
    for number in range(5):
        write_ct(tmp_path / "in" / f"{number}.nii.gz", number)
    (tmp_path / "in" / "broken.nii").write_bytes(b"no volume")
    outcome = subprocess.run(
        command(tmp_path, "--devices", "2", "--json"), capture_output=True, text=True, check=False,
        env={**os.environ, **ENVIRONMENT},
    )  # fmt: skip
    assert outcome.returncode == 1, outcome.stderr  # one could not be opened
    told = [json.loads(line) for line in outcome.stdout.splitlines()]
    assert told[-1]["kind"] == "finished" and "5 done, 1 failed" in told[-1]["message"]
    ours = {event["name"] for event in told if event.get("status") == "running"}
    rows = {row.case: row for row in read_table(tmp_path / "out")}
    assert {name for name, row in rows.items() if row.status == "done"} == {str(n) for n in range(5)}
    assert len(list((tmp_path / "out").glob("*.nii.gz"))) == 5
    assert 0 < len(ours) <= 6
    with (tmp_path / "out" / CSV_NAME).open(newline="") as handle:
        assert [line["case"] for line in csv.DictReader(handle) if line["status"] == "failed"] == ["broken"]


def test_the_place_of_a_process_is_what_its_launcher_says(monkeypatch):
    for name in ("RANK", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "SLURM_PROCID", "SLURM_LOCALID", "SLURM_NTASKS_PER_NODE"):
        monkeypatch.delenv(name, raising=False)
    assert own_place().first and own_place().count == 1
    for name, value in {"RANK": 5, "LOCAL_RANK": 1, "LOCAL_WORLD_SIZE": 4}.items():
        monkeypatch.setenv(name, str(value))
    place = own_place()
    assert (place.number, place.local, place.count, place.first) == (5, 1, 4, False)


def test_a_case_that_is_held_is_nobody_elses(tmp_path):
    one, other = Store(tmp_path), Store(tmp_path)
    with one.claim("a") as mine, other.claim("a") as theirs, other.claim("b") as another:
        assert (mine, theirs, another) == (True, False, True)
    with other.claim("a") as theirs:
        assert theirs


def test_the_table_comes_back_as_it_was_and_a_damaged_one_is_refused(tmp_path):
    rows = (
        CaseRow(place="a/=1.nii", case="=a/1", status="failed", reason='"Why",\nand so', at=datetime(2026, 1, 2, tzinfo=UTC)),
        CaseRow(place="b", case="b", status="done", seconds=1.25, findings=("one.", "two.")),
    )
    write_table(tmp_path, rows)
    assert read_table(tmp_path) == rows
    with (tmp_path / CSV_NAME).open(newline="") as handle:
        told = list(csv.DictReader(handle))
    assert [line["case"] for line in told] == ["'=a/1", "b"] and told[0]["reason"] == rows[0].reason
    table = tmp_path / JSON_NAME
    for content in (b"{", b"[]", table.read_bytes().replace(b'"version": 1', b'"version": 2')):
        table.write_bytes(content)
        with pytest.raises(FileRefused):
            read_table(tmp_path)


def test_results_do_not_lie_among_the_scans(tmp_path, models):
    write_ct(tmp_path / "in" / "a.nii.gz")
    with pytest.raises(WriteFailed, match="among the scans"):
        run(order(tmp_path, models, output=tmp_path / "in"))
    outcome, _ = run(order(tmp_path, models, output=tmp_path / "in" / "results"))
    assert outcome.counts == {"done": 1}
    outcome, _ = run(order(tmp_path, models, output=tmp_path / "in" / "results"))
    assert outcome.counts == {"done": 1}, "what it made is not looked at"


def test_the_command_line_takes_many_for_many_and_one_for_one(tmp_path, models, capsys):
    write_ct(tmp_path / "in" / "a.nii.gz")
    words = ["translate", str(tmp_path / "in"), "--modality", "ct", "--output"]
    assert main([*words, str(tmp_path / "single")]) == 0
    assert not (tmp_path / "single" / JSON_NAME).exists() and len(list((tmp_path / "single").glob("*.dcm"))) == SHAPE[0]
    write_ct(tmp_path / "in" / "b.nii.gz", 1)
    assert main([*words, str(tmp_path / "one.nii.gz")]) == 1
    assert "holds 2 volumes" in capsys.readouterr().err
    assert main([*words, str(tmp_path / "many"), "--all-the-same"]) == 0
    assert "b_synthetic_mr_t1" in {path.name.split(".")[0] for path in (tmp_path / "many").iterdir()}
    assert main([*words, str(tmp_path / "many"), "--all-the-same", "--overwrite"]) == 1
    assert "--overwrite" in capsys.readouterr().err


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_what_arrives_is_taken_when_it_is_whole(tmp_path, models):
    finish(save(head(1), tmp_path / "series"))
    slices = sorted((tmp_path / "series").glob("*.dcm"))
    root = tmp_path / "in"
    (root / "study").mkdir(parents=True)
    clock = Clock()
    arrivals = Arrivals(order(tmp_path, models), 10.0, clock)

    def look(seconds: float) -> list[str]:
        clock.now += seconds
        return [case.name for case in arrivals.look(never)]

    assert look(1) == []
    for source in slices:
        shutil.copy(source, root / "study" / source.name)
        assert look(6) == [], "slices are still arriving"
    assert look(5) == [] and arrivals.changing == 1
    assert look(6) == ["study"] and arrivals.changing == 0
    assert look(100) == []
    with zipfile.ZipFile(tmp_path / "whole.zip", "w") as packed:
        packed.write(write_ct(tmp_path / "ct.nii"), "ct.nii")
    whole = (tmp_path / "whole.zip").read_bytes()
    part = root / "late.zip"
    part.write_bytes(whole[: len(whole) // 2])
    assert look(1) == [] and look(11) == [], "what cannot be read waits longer"
    assert look(30) == ["late"]
    part.write_bytes(whole)
    assert look(1) == [] and look(11) == ["late"], "and is tried again once it changes"


def test_a_series_with_a_gap_waits_for_the_missing_slice(tmp_path, models):
    finish(save(head(1), tmp_path / "series"))
    slices = sorted((tmp_path / "series").glob("*.dcm"))
    root = tmp_path / "in"
    root.mkdir()
    for source in slices[:2] + slices[3:]:
        shutil.copy(source, root / source.name)
    clock = Clock()
    arrivals = Arrivals(order(tmp_path, models), 10.0, clock)
    arrivals.look(never)
    clock.now += 15
    assert arrivals.look(never) == []
    shutil.copy(slices[2], root / slices[2].name)
    arrivals.look(never)
    clock.now += 11
    (case,) = arrivals.look(never)
    assert len(case.files) == len(slices) and not case.refusal


def test_a_watched_folder_is_translated_as_it_fills_until_it_is_stopped(tmp_path, models):
    root = tmp_path / "in"
    write_ct(root / "a.nii.gz")
    (root / "hopeless.nii").write_bytes(b"never a volume")
    later = write_ct(tmp_path / "later.nii.gz", 3)
    done: list[str] = []
    begun = time.monotonic()
    (root / "half.nii.gz").write_bytes(later.read_bytes()[: later.stat().st_size // 2])
    work = translate_cases(order(tmp_path, models), lambda: len(done) == 3 or time.monotonic() > begun + 240, settle=0.2)
    for event in work:
        if isinstance(event, CaseTold) and event.status == "done":
            done.append(event.name)
            if event.name == "a":
                shutil.copy(later, root / "b.nii.gz")
        if isinstance(event, CaseTold) and event.status == "failed" and event.name == "half":
            shutil.copy(later, root / "half.nii.gz")  # the rest of it arrives
        assert not isinstance(event, Progress) or event.done <= (event.total or 0)
    assert sorted(done) == ["a", "b", "half"]
