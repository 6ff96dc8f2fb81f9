"""The demo without a window, with the model that ships."""

import csv

import nibabel
import numpy as np
import pytest
from PIL import Image

from ctmri_core.demo import run_headless
from ctmri_core.errors import WriteFailed
from ctmri_core.events import finish, never
from ctmri_core.model_card import list_models, read_card
from ctmri_core.resources_folder import resources_folder

MODELS = resources_folder() / "models"


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    return folder, finish(run_headless(folder, never, device="cpu", voxel_mm=2.0))


def test_the_shipped_models_translate_both_ways_and_say_what_they_are():
    cards = {entry.path.name: entry.card for entry in list_models([MODELS]) if not entry.card.outlines}
    assert {card.direction.name for card in cards.values()} >= {"ct_to_mr_t1", "mr_t1_to_ct"}
    for name, card in cards.items():
        assert (MODELS / name).stat().st_size < 15_000_000
        assert card.demo
        assert all(data.phantom for data in card.training_data)
        assert "phantom" in card.limitations


def test_the_demo_writes_volumes_that_another_reader_opens_on_the_right_grids(demo):
    folder, case = demo
    synthetic, source = nibabel.load(folder / "synthetic_mr_t1.nii.gz"), nibabel.load(folder / "ct.nii.gz")
    assert synthetic.shape == source.shape
    assert np.allclose(synthetic.affine, source.affine, atol=1e-4)
    assert nibabel.load(folder / "mr_t1.nii.gz").shape[::-1] == case.truth.geometry.shape


def test_the_demo_is_closer_to_the_truth_than_its_source(demo):
    """Correlation with the real T1 inside the head: the synthetic one's is high, the CT's is not."""
    from ctmri_core.preprocess.body_mask import body_mask
    from ctmri_core.preprocess.resample import resample_to

    _, case = demo
    inside = body_mask(case.source)
    truth = resample_to(case.truth, case.source.geometry).voxels[inside].astype(float)
    seen = truth > 0
    of_synthetic = np.corrcoef(truth[seen], case.synthetic.voxels[inside][seen])[0, 1]
    of_source = np.corrcoef(truth[seen], case.source.voxels[inside][seen])[0, 1]
    assert of_synthetic > 0.8
    assert of_synthetic > abs(of_source) + 0.3


def test_the_demo_shows_pictures_and_scores(demo):
    folder, case = demo
    pictures = sorted(folder.glob("three_panes_*.png"))
    assert len(pictures) == 4
    assert all(np.asarray(Image.open(path)).std() > 20 for path in pictures)
    with (folder / "scores.csv").open() as handle:
        rows = list(csv.DictReader(handle))
    assert len(rows) > case.source.geometry.shape[0] / 2
    assert all(0 < float(row["ssim"]) <= 1 for row in rows)


def test_the_demo_writes_over_nothing_but_its_own_earlier_output(demo, tmp_path):
    folder, _ = demo
    next(run_headless(folder, never, device="cpu", voxel_mm=2.0))  # begins again
    for name in ("ct.nii.gz", "scores.csv", "letter.txt"):
        users = tmp_path / name.partition(".")[0]
        users.mkdir()
        (users / name).write_text("mine")
        with pytest.raises(WriteFailed, match="not of the demo"):
            next(run_headless(users, never, device="cpu", voxel_mm=2.0))
    (folder / "letter.txt").write_text("mine")
    with pytest.raises(WriteFailed, match="not of the demo"):
        next(run_headless(folder, never, device="cpu", voxel_mm=2.0))
    (folder / "letter.txt").unlink()
    (tmp_path / "file").write_text("mine")
    with pytest.raises(WriteFailed, match="a file, not a folder"):
        next(run_headless(tmp_path / "file", never, device="cpu", voxel_mm=2.0))


def test_a_card_tells_of_training_that_the_demo_head_was_no_part_of():
    card = read_card(next(MODELS.glob("phantom_ct_to_*.safetensors")))
    assert sum(data.cases for data in card.training_data) > 10
    assert card.metrics
