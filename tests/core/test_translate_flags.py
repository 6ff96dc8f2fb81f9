"""What `ctmri translate` can be asked for beside the picture, and that all files of one result appear, or none."""

from __future__ import annotations

import json
import signal
from datetime import UTC, datetime

import numpy as np
import pydicom
import pytest
import torch

from ctmri_core.cli import main
from ctmri_core.cli.terminal import Terminal
from ctmri_core.domain import Direction, Domain
from ctmri_core.errors import WriteFailed
from ctmri_core.events import Progress, Started, finish, from_json
from ctmri_core.geometry import Geometry
from ctmri_core.io.opening import open_volume
from ctmri_core.io.saving import save
from ctmri_core.io.saving_together import path_beside, save_together
from ctmri_core.model_card import ModelCard, model_back
from ctmri_core.model_file import save_model
from ctmri_core.networks.initialisation import initialise_normal
from ctmri_core.preprocess.recipe import Recipe
from ctmri_core.registry import build_generator
from ctmri_core.volume import Synthetic, Volume

THERE, BACK = Direction(Domain.CT, Domain.MR_T1), Direction(Domain.MR_T1, Domain.CT)


def write_model(folder, name: str, direction: Direction) -> None:
    card = ModelCard(
        name=name, method="pix2pix", config={"generator": "resnet_6", "width": 4}, direction=direction,
        recipe=Recipe(spacing_mm=None), body_region="head", created=datetime(2026, 1, 2, tzinfo=UTC),
    )  # fmt: skip
    save_model(folder / f"{name}.safetensors", initialise_normal(build_generator(card), 0.2).state_dict(), card)


@pytest.fixture
def models(tmp_path, monkeypatch, one_thread):
    torch.manual_seed(0)
    folder = tmp_path / "models"
    folder.mkdir()
    for name, direction in (("one", THERE), ("two", THERE), ("home", BACK)):
        write_model(folder, name, direction)
    monkeypatch.setenv("CTMRI_MODELS_DIR", str(folder))
    return folder


@pytest.fixture
def scan(tmp_path):
    k, j, i = np.mgrid[-1:1:12j, -1:1:16j, -1:1:20j]
    values = np.where(j**2 + i**2 < 0.8, 40 + 300 * np.sin(5 * k) + 100 * i, -1000).astype(np.int16)
    volume = Volume(values, Geometry(values.shape, (4, 4, 4)), Domain.CT)
    return finish(save(volume, tmp_path / "ct.nii.gz"))


def names(folder) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def translate(scan, out, *flags: str) -> int:
    return main(["translate", str(scan), "--output", str(out), "--model", "one", "--precision", "float32", *flags])


def test_maps_and_draws_lie_beside_the_result_each_with_its_record(scan, models, tmp_path, capsys):
    out = tmp_path / "out" / "mr.nii.gz"
    flags = ["--uncertainty", "dropout", "--samples", "3", "--draws", "2", "--seed", "4", "--back", "auto", "--json"]
    assert translate(scan, out, *flags) == 0
    files = [f"mr{word}.nii.gz" for word in ("", "_uncertainty", "_cycle", "_draw1", "_draw2")]
    assert names(out.parent) == sorted([*files, *(f"{name}.provenance.json" for name in files)])
    end = from_json(capsys.readouterr().out.splitlines()[-1])
    assert {word: path.rpartition("/")[2] for word, path in end.paths.items()} == dict(
        zip(("synthetic", "uncertainty", "cycle", "draw1", "draw2"), files, strict=True)
    )
    picture, doubt, cycle, first, second = (open_volume(out.with_name(name)) for name in files)
    spread = np.std([first.voxels, second.voxels], axis=0)
    assert doubt.voxels.dtype == np.float32 and (doubt.voxels[spread > 1] > 0.5).all() and (spread > 1).any()
    assert all(each.synthetic is not None and each.geometry.is_close(picture.geometry) for each in (doubt, cycle, first, second))
    assert (picture.domain, doubt.domain, cycle.domain, first.domain) == (
        Domain.MR_T1, Domain.UNKNOWN, Domain.UNKNOWN, Domain.MR_T1,
    )  # fmt: skip
    assert any("no picture of a patient" in finding.message for finding in doubt.findings)
    assert any("home translates back, in HU" in finding.message for finding in cycle.findings)
    assert picture.synthetic.details["asked"] == {
        "precision": "float32", "doubt": "dropout", "samples": 3, "draws": 2, "seed": 4,
    }  # fmt: skip
    assert picture.synthetic.details["uncertainty"]["mean"] > 0 and second.synthetic.details["draw"] == 2


def test_the_picture_is_the_same_whatever_is_asked_beside_it(scan, models, tmp_path):
    assert translate(scan, tmp_path / "plain.nii") == 0
    assert translate(scan, tmp_path / "asked.nii", "--uncertainty", "planes", "--batch", "3") == 0
    plain, asked = (open_volume(tmp_path / f"{name}.nii").voxels for name in ("plain", "asked"))
    np.testing.assert_allclose(asked, plain, atol=0.05)


def test_several_models_along_three_planes_by_their_median(scan, models, tmp_path):
    out = tmp_path / "mr.mha"
    flags = ["--with", "two", "--planes", "three", "--fuse", "median", "--uncertainty", "ensemble"]
    assert translate(scan, out, *flags, "--patch", "32", "--overlap", "4", "--device", "cpu") == 0
    details = open_volume(out).synthetic.details
    assert [each["name"] for each in details["models"]] == ["one", "two"]
    assert (details["planes"], details["fusion"], details["patch"]) == (["axial", "coronal", "sagittal"], "median", 32)
    assert details["uncertainty"]["what"] == "standard deviation of 6 answers, of 2 models along 3 planes"


def test_beside_a_series_draws_are_series_and_maps_are_files(scan, models, tmp_path):
    out = tmp_path / "series"
    assert translate(scan, out, "--uncertainty", "dropout", "--samples", "2", "--draws", "1", "--deidentify") == 0
    assert {"series", "series_draw1", "series_uncertainty.nii.gz"} < set(names(tmp_path))
    first, other = (pydicom.dcmread(next((tmp_path / name).glob("*.dcm"))) for name in ("series", "series_draw1"))
    assert first.SeriesInstanceUID != other.SeriesInstanceUID and first.StudyInstanceUID == other.StudyInstanceUID
    assert first.PatientID == other.PatientID  # one pseudonym for one run


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (["--samples", "4"], "--samples goes with --uncertainty or --draws"),
        (["--seed", "0"], "--seed goes with --uncertainty or --draws"),
        (["--overlap", "4"], "--overlap goes with --patch"),
        (["--uncertainty", "ensemble"], "needs two models"),
        (["--uncertainty", "latent"], "has no latent"),
        (["--uncertainty", "planes", "--draws", "2"], "Several draws come of"),
        (["--with", "home"], "home takes T1 MR volumes"),
        (["--with", "tow"], "Did you mean"),
        (["--back", "two"], "two translates CT → T1 MR"),
        (["--device", "cuda:7"], "no CUDA device"),
        (["--patch", "8"], "too small"),
        (["--many", "--draws", "2"], "--draws is for a single scan"),
        (["--many", "--keep-unfinished"], "--keep-unfinished is for a single scan"),
    ],
)
def test_what_does_not_go_together_is_refused_and_nothing_is_written(scan, models, tmp_path, flags, says, capsys):
    assert translate(scan, tmp_path / "out" / "mr.nii.gz" if "--many" not in flags else tmp_path / "out", *flags) == 1
    assert says in capsys.readouterr().err and names(tmp_path / "out") == []


def test_a_device_that_is_no_word_of_ours_is_a_wrong_word(scan, models, tmp_path, capsys):
    with pytest.raises(SystemExit):
        translate(scan, tmp_path / "mr.nii", "--device", "toaster")
    assert "'toaster' is none of auto, cpu, cuda, cuda:1" in capsys.readouterr().err


def test_no_file_of_an_earlier_result_is_replaced_unasked(scan, models, tmp_path, capsys):
    (tmp_path / "mr_uncertainty.nii.gz").write_bytes(b"mine")
    assert translate(scan, tmp_path / "mr.nii.gz", "--uncertainty", "mirrored") == 1
    assert "mr_uncertainty.nii.gz exists already" in capsys.readouterr().err and not (tmp_path / "mr.nii.gz").exists()
    assert translate(scan, tmp_path / "mr.nii.gz", "--uncertainty", "mirrored", "--samples", "2", "--overwrite") == 0
    assert open_volume(tmp_path / "mr_uncertainty.nii.gz").synthetic is not None


def test_the_model_back_is_that_of_the_same_folder_before_any_other(scan, models, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    for name, direction in (("best", THERE), ("back", BACK), ("best-last", THERE), ("back-last", BACK)):
        write_model(run, name, direction)
    assert model_back(run / "best.safetensors", [models]) == run / "back.safetensors"
    assert model_back(run / "best-last.safetensors", [models]) == run / "back-last.safetensors"
    for name in ("back", "back-last"):
        (run / f"{name}.safetensors").unlink()
    assert model_back(run / "best.safetensors", [models]) == models / "home.safetensors"


@pytest.mark.parametrize("keep", [True, False])
def test_an_interrupt_keeps_what_is_done_only_if_wanted(scan, models, tmp_path, monkeypatch, capsys, keep):
    heard, told = Terminal.hear, {"started": False, "sent": False}

    def interrupting(terminal, event):
        told["started"] |= isinstance(event, Started)
        if told["started"] and not told["sent"] and isinstance(event, Progress) and event.done >= 4:
            told["sent"] = True
            signal.raise_signal(signal.SIGINT)
        heard(terminal, event)

    monkeypatch.setattr(Terminal, "hear", interrupting)
    out = tmp_path / "out" / "mr.nii.gz"
    assert translate(scan, out, "--batch", "2", "--json", *(["--keep-unfinished"] if keep else [])) == 130
    end = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert end["reason"] == "stopped"
    if not keep:
        assert names(out.parent) == []
        return
    made = open_volume(out)
    assert (made.voxels[4:] == 0).all() and (made.voxels[:4] != 0).any()
    assert any(finding.kind == "unfinished" and finding.serious for finding in made.findings)
    assert end["paths"] == {"synthetic": str(out)} and "says that it is not all" in end["message"]


def small(value: float) -> Volume:
    grid = Geometry((3, 8, 9), (4, 4, 4))
    return Volume(np.full(grid.shape, value, np.float32), grid, Domain.MR_T1, synthetic=Synthetic("M", ""))


def test_paths_beside(tmp_path):
    (tmp_path / "there").mkdir()
    for target, word, is_map, expected in (
        ("a.nii.gz", "cycle", True, "a_cycle.nii.gz"), ("a.b.mha", "draw1", False, "a.b_draw1.mha"),
        ("s", "draw1", False, "s_draw1"), ("s", "cycle", True, "s_cycle.nii.gz"), ("there", "draw2", False, "there_draw2"),
    ):  # fmt: skip
        assert path_beside(tmp_path / target, word, is_map=is_map) == tmp_path / expected


@pytest.mark.parametrize("before", [True, False])
def test_a_disk_that_refuses_the_last_file_leaves_all_as_it_was(tmp_path, monkeypatch, before):
    targets = [tmp_path / name for name in ("a.nii", "a_draw1.nii", "a_draw2.nii")]
    if before:
        finish(save_together([(small(n), target) for n, target in enumerate(targets)]))
    kept = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    rename = type(tmp_path).replace

    def refusing(path, target):
        if ".part-" in path.parent.name and path.name == "a.nii" and target == targets[0]:
            raise OSError(28, "No space left on device")
        return rename(path, target)

    monkeypatch.setattr(type(tmp_path), "replace", refusing)
    with pytest.raises(WriteFailed, match="disk is full"):
        finish(save_together([(small(n + 5), target) for n, target in enumerate(targets)]))
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == kept


def test_a_stop_while_writing_leaves_nothing(tmp_path):
    asked = iter([False] * 12 + [True] * 100)
    outputs = [(small(n), tmp_path / f"{n}.nii") for n in range(4)]
    assert finish(save_together(outputs, stop=lambda: next(asked))) is False and names(tmp_path) == []
