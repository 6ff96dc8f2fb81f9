"""Where findings are, from lists and label maps; what a study of slices translates; whom it does not show."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import nibabel
import numpy as np
import pytest
import torch

from ctmri_core.cli import main
from ctmri_core.errors import FileRefused
from ctmri_core.evaluation.cases import Placed, salted
from ctmri_core.events import finish
from ctmri_core.geometry import Geometry
from ctmri_core.inference.order import Order as Translation
from ctmri_core.inference.translate import translate_as
from ctmri_core.studies.making import slices_for
from ctmri_core.studies.questions_file import read_questions
from ctmri_core.studies.references import Lesion, lesions_in, read_references, reference_of
from ctmri_core.studies.study_folder import StudyFolder
from ctmri_core.studies.truth import REAL
from tests.core.known_models import GRIDS, model, scan
from tests.core.test_evaluation import scans
from tests.core.test_study_making import head, write

HEAD = "case,x,y,z,radius\n"


@pytest.fixture(autouse=True)
def private_keys(tmp_path, monkeypatch):
    monkeypatch.setenv("CTMRI_CONFIG_DIR", str(tmp_path / "config"))
    torch.set_num_threads(1)


def listed(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "findings.csv"
    path.write_text(text, "utf-8")
    return path


def test_a_list_of_findings_is_read(tmp_path):
    found = read_references(listed(tmp_path, HEAD + "A,1,2,3,4\nb,,,,\nA,-5,6,7,\n"))
    assert found == {"a": (Lesion((1, 2, 3), 4), Lesion((-5, 6, 7), 10)), "b": ()}


@pytest.mark.parametrize(("text", "said"), [
    ("case,x\nA,1\n", "lacks a column"), (HEAD, "no findings"), (HEAD + "A,1,2,,\n", "row 2"), (HEAD + "A,1,nan,2,3\n", "row 2"),
    (HEAD + "A,1,2,3,-1\n", "row 2"), (HEAD + ",1,2,3,4\n", "row 2 names no case"), (HEAD + "A,1,2,3,4\nA,,,,\n", "has not"),
])  # fmt: skip
def test_what_is_no_list_of_findings_is_refused(tmp_path, text, said):
    with pytest.raises(FileRefused, match=said):
        read_references(listed(tmp_path, text))


@pytest.mark.parametrize("name", GRIDS)
def test_parts_of_a_label_map_are_findings_where_the_patient_has_them(name):
    grid = GRIDS[name]
    values = np.zeros(grid.shape, np.int32)
    values[3:6, 4:7, 5:8] = 1
    values[9, 10, 10] = 2
    first, second = lesions_in(Placed(values, grid))
    np.testing.assert_allclose(first.place, grid.index_to_mm((4, 5, 6)), atol=1e-9)
    np.testing.assert_allclose(second.place, grid.index_to_mm((9, 10, 10)), atol=1e-9)
    assert first.radius == pytest.approx(4 * np.sqrt(3) + 3) and second.radius == 3


def test_a_picture_has_the_findings_that_it_shows():
    grid = Geometry((1, 100, 100), (3.0, 1.0, 1.0), (-50.0, -50.0, 10.0))
    on, near, off = Lesion((0, 0, 10), 5), Lesion((20, 10, 14), 5), Lesion((0, 0, 30), 5)
    found = reference_of([on, near, off], grid)
    assert found.present and found.places == ((0, 50, 50), (4, 60, 70))
    assert not reference_of([off], grid).present and not reference_of([], grid).present


@pytest.mark.parametrize("name", GRIDS)
def test_of_a_single_slice_no_other_is_translated(name):
    volume, known = scan(GRIDS[name]), model()
    centre = volume.geometry.centre
    shown = Geometry((1, 9, 9), (3.0, 1.0, 1.0), tuple(centre - (4, 4, 0)))
    only = slices_for(shown, volume.geometry)
    whole = finish(translate_as(volume, known, Translation(precision="float32"))).volume.voxels
    part = finish(translate_as(volume, known, Translation(precision="float32", only=only))).volume.voxels
    assert 3 <= only[1] - only[0] < 7
    index = volume.geometry.mm_to_index(shown.corners)
    low, high = np.floor(index.min(axis=0)).astype(int), np.ceil(index.max(axis=0)).astype(int) + 1
    box = tuple(slice(max(0, a), b) for a, b in zip(low, high, strict=True))
    np.testing.assert_array_equal(part[box], whole[box])
    assert np.count_nonzero(part != whole) > 0.3 * whole.size


def create(tmp_path: Path) -> list[str]:
    return [
        "study", "create", "--output", str(tmp_path / "study"), "--title", "Heads", "--design", "diagnosis", "--readers", "R1",
        "--predictions", str(tmp_path / "made"), "--truth", str(tmp_path / "real"), "--direction", "ct_to_mr_t1", "--relax",
    ]  # fmt: skip


def test_a_diagnostic_study_of_slices_from_a_list(tmp_path, capsys):
    for case in range(13):
        real = head(case, (12, 32, 30))
        write(tmp_path / "real" / f"case{case}.nii.gz", real)
        write(tmp_path / "made" / f"case{case}.nii.gz", 2 * real)
    rows = [f"CASE{case},22,24,{15 + case % 2},4" if case % 2 else f"case{case},,,," for case in range(12)]
    questions = tmp_path / "q.toml"
    questions.write_text('[[question]]\nkey = "sure"\nkind = "likert"\ntext = "Sure?"\n', "utf-8")
    words = [*create(tmp_path), "--slices", "--practice", "2", "--findings", str(listed(tmp_path, HEAD + "\n".join(rows)))]
    assert main([*words, "--cases", "10"]) == 1 and "a diagnostic task names the finding" in capsys.readouterr().err
    words += ["--finding", "lesion", "--questions", str(questions)]
    assert main([*words, "--cases", "12"]) == 1 and "Of 1 it is not known" in capsys.readouterr().err
    assert main([*words, "--cases", "10"]) == 0
    study = StudyFolder(tmp_path / "study")
    truth = study.truth()
    assert study.protocol.questions[0].key == "sure"
    for item in truth.items:
        number = int(Path(item.source).name.removeprefix("case").removesuffix(".nii.gz"))
        assert item.reference.present == bool(number % 2)
        if item.reference.present:
            z, y, x = (a + b for a, b in zip(item.reference.places[0], item.origin[::-1], strict=True))
            assert (x, y, z) == pytest.approx((22, 24, 15 + number % 2))
            assert item.region and item.k == 5  # slices of 3 mm
    assert Counter(item.region for item in truth.items)["middle"] > 0
    assert not truth.exclusions or {one.reason for one in truth.exclusions} <= {"reference", "chance"}


def test_label_maps_beside_finished_pictures_make_a_diagnosis(tmp_path):
    for case in range(3):
        real = head(case, (12, 32, 30))
        labels = np.zeros(real.shape, np.float32)
        labels[5:7, 15:18, 14:17] = case % 2
        for name, values in (("real", real), ("made", 2 * real), ("labels", labels)):
            write(tmp_path / name / f"case{case}.nii.gz", values)
    more = ["--finding", "lesion", "--labels", str(tmp_path / "labels"), "--cases", "3", "--practice", "0"]
    assert main([*create(tmp_path), *more]) == 0
    truth = StudyFolder(tmp_path / "study").truth()
    present = {Path(item.source).name[:5]: item.reference.present for item in truth.items}
    assert present == {"case0": False, "case1": True, "case2": False}
    marked = next(item for item in truth.items if item.reference.present)
    affine = nibabel.load(tmp_path / "labels" / "case1.nii.gz").affine
    x, y, z = (affine @ (15, 16, 5.5, 1))[:3] * (-1, -1, 1)  # RAS to LPS
    found = np.add(marked.reference.places[0][::-1], marked.origin)
    np.testing.assert_allclose(found, (x, y, z), atol=1e-4)


def test_whom_a_fine_tuned_model_learnt_from_is_not_shown(tmp_path, capsys):
    """Scans prepared, a model trained on them, another one fine-tuned from it: who was trained on is not shown."""
    folder = scans(tmp_path / "scans", 6)
    shares = ["--validation-share", "0.34", "--test-share", "0.34"]
    assert main(["prepare", str(folder), *shares, "--out", str(tmp_path / "data")]) == 0
    place = ["--direction", "ct_to_mr_t1", "--data", str(tmp_path / "data"), "--device", "cpu", "--no-tensorboard"]
    tiny = ["--generator", "resnet_6", "--width", "4", "--discriminator-width", "4", "--receptive-field", "16", "--crop", "16",
            "--iterations", "1", "--batch-size", "1"]  # fmt: skip
    assert main(["train", "pix2pix", "--run", str(tmp_path / "one"), *place, *tiny]) == 0
    last = next((tmp_path / "one" / "models").glob("*last*.safetensors"))
    assert main(["train", "pix2pix", "--run", str(tmp_path / "two"), *place, *tiny, "--start-from", str(last)]) == 0
    tuned = next((tmp_path / "two" / "models").glob("*last*.safetensors"))
    index = json.loads((tmp_path / "data" / "dataset.json").read_text())
    keys = {case["key"] for case in index["cases"] if case["side"] == "train"}
    learnt = {name for name in (f"p{patient}" for patient in range(6)) if salted(name, index["salt"]) in keys}
    words = ["study", "create", "--title", "S", "--readers", "R1", "--model", str(tuned), "--data", str(folder), "--split", "all",
             "--relax", "--practice", "0", "--slices"]  # fmt: skip
    capsys.readouterr()
    assert main([*words, "--output", str(tmp_path / "most"), "--cases", "6"]) == 1
    assert "and 4 can be shown. 2 were left out because a model learnt from them" in capsys.readouterr().err
    assert main([*words, "--output", str(tmp_path / "study"), "--cases", "4"]) == 0
    truth = StudyFolder(tmp_path / "study").truth()
    shown = {Path(item.source).parent.name for item in truth.items}
    assert len(learnt) == 2 and shown == {f"p{patient}" for patient in range(6)} - learnt
    assert {item.arm for item in truth.items} > {REAL}


def test_questions_of_all_kinds_come_from_a_file(tmp_path):
    path = tmp_path / "questions.toml"
    kinds = {
        "choice": 'choices = ["a", "b"]', "likert": "low = 1\nhigh = 7", "number": 'unit = "mm"\nlow = 0\nhigh = 90', "text": "",
        "mark": "compulsory = false",
    }  # fmt: skip
    tables = [f'[[question]]\nkey = "{kind}"\nkind = "{kind}"\ntext = "T?"\n{more}' for kind, more in kinds.items()]
    path.write_text("\n".join(tables))
    assert [one.kind for one in read_questions(path)] == list(kinds) and read_questions(path)[1].high == 7


@pytest.mark.parametrize(("text", "said"), [
    ("", "holds no questions"), ("x = 1", "'x', which is no question"), ("[[question]]\nkey = 1", "question 1"),
    ("[[", "no TOML"),
    ('[[question]]\nkey = "a"\nkind = "choice"\ntext = "T"', "question 1: a: choices belong"),
    (2 * '[[question]]\nkey = "a"\nkind = "text"\ntext = "T"\n', "two questions with the key a"),
])  # fmt: skip
def test_what_is_no_list_of_questions_is_refused(tmp_path, text, said):
    path = tmp_path / "questions.toml"
    path.write_text(text)
    with pytest.raises(FileRefused, match=said):
        read_questions(path)
