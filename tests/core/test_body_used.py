"""A body that a person gives, from the mask's file to the result: on the command line as it is typed."""

import json
from datetime import UTC, datetime

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk
import torch

from ctmri_core.cli import main
from ctmri_core.domain import Direction, Domain
from ctmri_core.errors import WrongInput
from ctmri_core.events import finish
from ctmri_core.geometry import Geometry
from ctmri_core.inference.input_doubts import doubts_before
from ctmri_core.inference.order import Order
from ctmri_core.inference.translate import translate_as
from ctmri_core.model_card import ModelCard
from ctmri_core.model_file import LoadedModel, save_model
from ctmri_core.networks.initialisation import initialise_normal
from ctmri_core.preprocess.body_mask import body_mask
from ctmri_core.preprocess.recipe import Recipe
from ctmri_core.registry import build_generator
from ctmri_core.volume import Volume

_GRID = Geometry((8, 48, 44), (3.0, 2.0, 2.0))
_PLACE = _GRID.index_to_mm(np.stack(np.indices(_GRID.shape), -1)) - _GRID.centre
_HEAD = np.linalg.norm(_PLACE[..., :2], axis=-1) < 38
_BODY = _HEAD & (_PLACE[..., 0] < 9) & (np.abs(_PLACE[..., 2]) < 8)


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def _ct(outside: float = -1000.0) -> Volume:
    hu = np.where(_HEAD, 40 + 2 * _PLACE[..., 1], outside)
    return Volume(np.rint(hu).astype(np.int16), _GRID, Domain.CT)


def _model(recipe: Recipe) -> LoadedModel:
    """Untrained: what it answers to air is anything but background."""
    card = ModelCard(
        name="tiny", method="pix2pix", config={"generator": "resnet_6", "width": 4, "norm": "instance"}, recipe=recipe,
        direction=Direction(Domain.CT, Domain.MR_T1), body_region="head", created=datetime(2026, 1, 2, tzinfo=UTC),
        weights_sha256="ab" * 32,
    )  # fmt: skip
    torch.manual_seed(0)
    return LoadedModel(initialise_normal(build_generator(card)).eval(), card)


def _file(path, voxels, spacing=(2.0, 2.0, 3.0)):
    image = sitk.GetImageFromArray(voxels.astype(np.int16))
    image.SetSpacing(spacing)
    sitk.WriteImage(image, str(path))
    return str(path)


@pytest.mark.parametrize("recipe", [Recipe(spacing_mm=None), Recipe(spacing_mm=1.5, field_mm=(40.0, 40.0))])
def test_nothing_outside_of_a_given_body_is_seen_or_made(recipe):
    model, order = _model(recipe), Order(device="cpu", precision="float32", body=_BODY)
    made = finish(translate_as(_ct(), model, order)).volume
    other = _ct()
    other.voxels[~_BODY] = 1500
    again = finish(translate_as(other, model, order)).volume
    np.testing.assert_allclose(made.voxels, again.voxels, atol=1e-3)
    assert (made.voxels[~_BODY] == 0).all() and (made.voxels[_BODY] > 0).mean() > 0.9
    plain = finish(translate_as(_ct(), model, Order(device="cpu", precision="float32"))).volume
    assert (plain.voxels[~_HEAD] > 0).any() and "body" not in plain.synthetic.details
    note = made.synthetic.details["body"]
    assert note["origin"] == "given" and len(note["sha256"]) == 64
    assert any("as it was given" in finding.message for finding in made.findings)


def test_what_was_left_out_by_hand_is_not_doubted():
    """Shoulders of 340 mm are no head; the head that somebody cut out of them is one."""
    wide = Geometry((20, 100, 180), (4.0, 2.0, 2.0))
    y, x = np.indices(wide.shape)[1:] - np.array([50, 90]).reshape(2, 1, 1, 1)
    volume = Volume(np.where((x / 85) ** 2 + (y / 45) ** 2 < 1, 40, -1000).astype(np.int16), wide, Domain.CT)
    card = _model(Recipe()).card
    assert "not_a_head" in {doubt.kind for doubt in doubts_before(volume, card)}
    assert "not_a_head" not in {doubt.kind for doubt in doubts_before(volume, card, body=np.hypot(x, y) < 40)}


def test_the_record_says_that_a_body_was_found():
    found = finish(translate_as(_ct(), _model(Recipe(only_body=True)), Order(device="cpu"))).volume
    assert found.synthetic.details["body"] == {"origin": "found"}
    order = Order(device="cpu", body=np.array(body_mask(_ct())))
    assert finish(translate_as(_ct(), _model(Recipe()), order)).volume.synthetic.details["body"]["origin"] == "found"
    with pytest.raises(WrongInput, match="empty"):
        finish(translate_as(_ct(), _model(Recipe()), Order(body=np.zeros(_GRID.shape, bool))))


def test_a_mask_is_written_changed_and_used_from_the_command_line(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("CTMRI_MODELS_DIR", str(tmp_path / "models"))
    model = _model(Recipe(spacing_mm=None))
    (tmp_path / "models").mkdir()
    save_model(tmp_path / "models" / "tiny.safetensors", model.generator.state_dict(), model.card)
    scan, mask, out = _file(tmp_path / "ct.nii.gz", _ct().voxels), tmp_path / "mask.nii.gz", tmp_path / "out.nii.gz"
    assert main(["body", scan, "--modality", "ct", "--output", str(mask)]) == 0
    assert "outlined at -350 HU" in capsys.readouterr().err
    written = np.asarray(nibabel.load(mask).dataobj).transpose(2, 1, 0)
    np.testing.assert_array_equal(written == 1, body_mask(_ct()))
    changed = _file(tmp_path / "changed.nrrd", 5 * (written == 1) * _BODY)
    command = ["translate", scan, "--modality", "ct", "--model", "tiny", "--device", "cpu", "--output", str(out)]
    assert main([*command, "--body", changed]) == 0
    result = np.asarray(nibabel.load(out).dataobj).transpose(2, 1, 0)
    assert (result[~_BODY] == 0).all() and (result[_BODY & (written == 1)] > 0).mean() > 0.9
    record = json.loads((tmp_path / "out.nii.gz.provenance.json").read_text())
    assert record["model_details"]["body"]["origin"] == "given"

    assert main([*command[:-1], str(tmp_path / "no.nii"), "--body", _file(tmp_path / "thick.nii", _BODY, (2.0, 2.0, 5.0))]) == 1
    said = capsys.readouterr().err
    assert "thick.nii cannot be the body. The mask of the body and the scan do not have the same voxels" in said
    assert main([*command[:-1], str(tmp_path / "no"), "--many", "--body", str(mask)]) == 1
    assert "--body is for a single scan" in capsys.readouterr().err and not (tmp_path / "no.nii").exists()


@pytest.mark.parametrize(
    ("kind", "name", "threshold", "words"),
    [("ct", "m.nii", "99999", "HU of a CT"), ("mr_t1", "m.nii", "-350", "0 to 1"), ("ct", "m", "0", "is written as one of")],
)
def test_what_cannot_be_a_mask_is_refused_before_it_is_written(tmp_path, capsys, kind, name, threshold, words):
    scan, target = _file(tmp_path / "scan.nii.gz", _ct().voxels), tmp_path / name
    assert main(["body", scan, "--modality", kind, "--output", str(target), "--threshold", threshold]) == 1
    assert words in capsys.readouterr().err and not target.exists()
    assert main(["body", scan, "--modality", kind, "--output", scan, "--overwrite"]) == 1
