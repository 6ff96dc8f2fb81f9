"""The body as a model outlines it: in prepared slices, in batches, and where scores count."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from ctmri_core.batch.order import BatchOrder
from ctmri_core.cli import main
from ctmri_core.data.dataset import DatasetFolder
from ctmri_core.evaluation.results import read_evaluation
from ctmri_core.events import finish
from ctmri_core.inference.order import Order
from ctmri_core.inference.outlining import outline
from ctmri_core.model_card import read_card
from ctmri_core.model_file import LoadedModel, save_model
from ctmri_core.preprocess.body_mask import body_mask
from ctmri_core.preprocess.recipe import Recipe
from tests.teaching.outliner import GRID, ct, outliner, translator

PLAIN = Order(device="cpu", precision="float32")
pytestmark = pytest.mark.usefixtures("one_thread", "no_timing")


def put(folder: Path, name: str, voxels: np.ndarray) -> None:
    """Voxels (k, j, i) on the grid of the teaching volume."""
    folder.mkdir(parents=True, exist_ok=True)
    image = sitk.GetImageFromArray(voxels)
    image.SetSpacing((2.0, 2.0, 3.0))
    sitk.WriteImage(image, str(folder / f"{name}.nii.gz"))


def patients(folder: Path, count: int = 3) -> None:
    """CT of the teaching volume, every patient another one, and an MR of it."""
    for number in range(count):
        hu = ct().voxels + np.int16(number)
        put(folder / f"p{number}", "ct", hu)
        put(folder / f"p{number}", "mr_t1", np.where(hu > -500, 400 - hu, 0).astype(np.int16))


def saved(model: LoadedModel, path: Path) -> Path:
    save_model(path, model.generator.state_dict(), model.card)
    return path


def prepared(scans: Path, out: Path, *more: object) -> list[np.ndarray]:
    """The slices of each case, in the order of the index."""
    words = ["prepare", scans, "--out", out, "--spacing-mm", 2, "--no-check", "--validation-share", 0.34, *more]
    assert main([str(word) for word in words]) == 0
    dataset = DatasetFolder(out)
    return [np.array(case.prepared_in(out).mapped(), np.float32) for case in dataset.read().cases]


def test_slices_are_prepared_with_the_body_that_a_model_outlines(tmp_path):
    patients(tmp_path / "scans")
    by = outliner()
    path = saved(by, tmp_path / "by.safetensors")
    scans = [replace(ct(), voxels=ct().voxels + np.int16(number)) for number in range(3)]
    bodies = {finish(outline(scan, by, PLAIN)).body.tobytes() for scan in scans}
    assert body_mask(ct()).tobytes() not in bodies
    slices = prepared(tmp_path / "scans", tmp_path / "out", "--body-model", path, "--only-body")
    assert {(planes[:, 2] > 0).tobytes() for planes in slices} == bodies
    for planes in slices:
        assert (planes[:, 0][planes[:, 2] == 0] == -1).all() and (planes[:, 1][planes[:, 2] == 0] == -1).all()
    before = DatasetFolder(tmp_path / "out").read().made_from["body"]
    assert before == read_card(path).weights_sha256
    prepared(tmp_path / "scans", tmp_path / "out", "--only-body")  # found again: the earlier slices do not stay
    assert "body" not in DatasetFolder(tmp_path / "out").read().made_from


def test_a_mask_that_a_case_brings_comes_first(tmp_path):
    patients(tmp_path / "scans")
    drawn = np.zeros(GRID.shape, np.uint8)
    drawn[:, 20:40, 15:30] = 1
    put(tmp_path / "scans" / "p1", "mask", drawn)
    path = saved(outliner(), tmp_path / "by.safetensors")
    slices = prepared(tmp_path / "scans", tmp_path / "out", "--body-model", path)
    same = [np.array_equal(planes[:, -1], drawn) for planes in slices]
    within = [(planes[:, -1] <= drawn).all() for planes in slices]
    assert same.count(True) == within.count(True) == 1


def test_models_that_outline_nothing_there_are_refused_before_anything_is_prepared(tmp_path, capsys):
    patients(tmp_path / "scans")
    words = ["prepare", str(tmp_path / "scans"), "--out", str(tmp_path / "out"), "--body-model"]
    assert main([*words, str(saved(translator(Recipe()), tmp_path / "other.safetensors"))]) != 0
    assert "it outlines no body" in capsys.readouterr().err
    mr_only = [*words, str(saved(outliner(), tmp_path / "by.safetensors")), "--domains", "mr_t1,mr_t2"]
    assert main(mr_only) != 0
    assert "outlines in CT, not in T1 MR and T2 MR" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_another_model_in_the_same_file_makes_results_of_a_batch_old(tmp_path):
    path = saved(outliner(), tmp_path / "by.safetensors")
    order = BatchOrder((tmp_path,), tmp_path / "out", order=Order(body_model=path))
    first = order.settings_hash
    assert first == replace(order).settings_hash != BatchOrder((tmp_path,), tmp_path / "out").settings_hash
    other = outliner()
    other.generator.classifier.classifier[-1].bias.data += 1
    saved(other, path)
    assert replace(order).settings_hash != first


def test_scores_count_inside_the_body_that_a_model_outlines(tmp_path):
    by, truth, made = outliner(), ct(), ct().voxels.copy()
    path, body = saved(by, tmp_path / "by.safetensors"), finish(outline(truth, by, PLAIN)).body
    made[~body] += 500  # what is beyond the body is of no matter
    made[body] += 10
    for folder, voxels in (("truth", truth.voxels), ("mine", made)):
        put(tmp_path / folder, "p1", voxels)
    words = ["evaluate", "--predictions", tmp_path / "mine", "--truth", tmp_path / "truth", "--direction", "mr_t1_to_ct"]
    words += ["--output", tmp_path / "out", "--metrics", "mae", "--workers", "0", "--device", "cpu"]
    with pytest.MonkeyPatch.context() as patch:  # drawing the report takes longer than all the rest
        patch.setattr("ctmri_core.evaluation.report.write_report", lambda folder: folder / "report.html")
        assert main([str(word) for word in (*words, "--body-model", path)]) == 0
        found = read_evaluation(tmp_path / "out")
        assert main([str(word) for word in words]) == 0
        again = read_evaluation(tmp_path / "out")
    assert found.scores[0].values["mae"] == pytest.approx(10, abs=1e-4) and found.cases[0].voxels == int(body.sum())
    assert found.conventions[0] == f"Scores are inside the body, as {by.card.name} outlines it."
    assert found.details["body_model_hash"] == read_card(path).weights_sha256
    assert again.cases[0].voxels == int(body_mask(truth).sum()) and "body_model" not in again.details
