"""What a model outlines, from its file to the mask: beside the network itself, in other storage orders, as the body in use."""

from __future__ import annotations

from dataclasses import replace

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk
import torch

from ctmri_core.cli import main
from ctmri_core.domain import Direction, Domain
from ctmri_core.errors import CtmriError, ModelRefused, WrongInput
from ctmri_core.events import finish
from ctmri_core.inference.order import Order
from ctmri_core.inference.outlining import outline
from ctmri_core.inference.translate import translate_as
from ctmri_core.model_card import choose_model
from ctmri_core.model_file import load_model, save_model
from ctmri_core.preprocess.body_mask import body_mask, largest_piece
from ctmri_core.preprocess.recipe import Recipe
from ctmri_core.training.overlap_sums import found_labels
from tests.teaching.outliner import GRID, ct, outliner, translator

PLAIN = Order(device="cpu", precision="float32")
pytestmark = pytest.mark.usefixtures("one_thread", "no_timing")


@pytest.mark.parametrize("labels", ["body", "one,two,three"])
def test_the_labels_are_those_that_the_network_is_surest_of(labels):
    model, volume = outliner(labels), ct()
    found = finish(outline(volume, model, PLAIN))
    unit = model.card.recipe.ct.nominal.to_unit(volume.voxels)  # the grid's own order, pixels and size are the network's
    with torch.no_grad():
        sure = model.generator(torch.from_numpy(unit)[:, None]).numpy()
    np.testing.assert_array_equal(found.labels, found_labels(sure))
    assert found.names == tuple(labels.split(",")) and 0 < (found.labels > 0).mean() < 1


def test_every_storage_order_gives_the_same_mask_on_its_own_grid():
    model, volume = outliner(spacing=1.6), ct()
    found = finish(outline(volume, model, PLAIN))
    order, flips = (2, 0, 1), (True, False, True)
    steps = tuple(slice(None, None, -1) if flip else slice(None) for flip in flips)
    voxels = np.ascontiguousarray(volume.voxels.transpose(order)[steps])
    other = replace(volume, voxels=voxels, geometry=GRID.permuted(order, flips))
    again = finish(outline(other, model, PLAIN))
    np.testing.assert_array_equal(again.labels, found.labels.transpose(order)[steps])


def test_the_body_is_the_largest_piece():
    mask = np.zeros((3, 9, 9), np.bool_)
    mask[:, 1:6, 1:6], mask[1, 8, 8] = True, True
    assert largest_piece(mask).sum() == 75


def test_a_model_that_outlines_gives_translation_its_body_and_the_result_says_so():
    model, volume = translator(Recipe(spacing_mm=None)), ct()
    by = outliner()
    body = finish(outline(volume, by, PLAIN)).body
    wanted = finish(translate_as(volume, model, replace(PLAIN, body_model=by))).volume
    given = finish(translate_as(volume, model, replace(PLAIN, body=body))).volume
    np.testing.assert_array_equal(wanted.voxels, given.voxels)
    assert (wanted.voxels[~body] == 0).all() and not np.array_equal(body, body_mask(volume))
    told = wanted.synthetic.details["body"]
    assert (told["origin"], told["model"]) == ("model", by.card.name) and given.synthetic.details["body"]["origin"] == "given"
    assert any(f"as {by.card.name} outlines it" in finding.message for finding in wanted.findings)
    assert wanted.synthetic.details["asked"]["body_model"] == by.card.name


def test_models_that_outline_translate_nothing_and_the_other_way_round(tmp_path):
    by = outliner()
    with pytest.raises(WrongInput, match="does not translate"):
        finish(translate_as(ct(), by, PLAIN))
    with pytest.raises(WrongInput, match="outlines nothing"):
        finish(outline(ct(), translator(Recipe()), PLAIN))
    with pytest.raises(WrongInput, match="outlines in CT; this volume is T1 MR"):
        finish(outline(replace(ct(), domain=Domain.MR_T1), by, PLAIN))
    save_model(tmp_path / "by.safetensors", by.generator.state_dict(), by.card)
    with pytest.raises(ModelRefused):
        choose_model(Domain.CT, [tmp_path])
    assert choose_model(Direction(Domain.CT, Domain.MASK), [tmp_path]) == tmp_path / "by.safetensors"
    assert load_model(tmp_path / "by.safetensors").card.outlines


def test_stopping_leaves_nothing():
    asked = iter([False, False, True])
    assert finish(outline(ct(), outliner(), PLAIN, lambda: next(asked, True))) is None


@pytest.mark.parametrize("labels", ["body", "one,two"])
def test_the_command_writes_what_the_model_outlines(tmp_path, labels):
    by = outliner(labels)
    save_model(tmp_path / "by.safetensors", by.generator.state_dict(), by.card)
    image = sitk.GetImageFromArray(ct().voxels)
    image.SetSpacing((2.0, 2.0, 3.0))
    sitk.WriteImage(image, str(tmp_path / "ct.nii.gz"))
    words = ["body", str(tmp_path / "ct.nii.gz"), "--modality", "ct", "--output", str(tmp_path / "mask.nii.gz")]
    assert main([*words, "--model", str(tmp_path / "by.safetensors"), "--device", "cpu"]) == 0
    written = np.asarray(nibabel.load(tmp_path / "mask.nii.gz").dataobj).transpose(2, 1, 0)
    from ctmri_core.io.opening import open_volume

    again = replace(open_volume(tmp_path / "ct.nii.gz"), domain=Domain.CT)
    found = finish(outline(again, by, replace(PLAIN, precision="auto")))
    np.testing.assert_array_equal(written, found.labels if "," in labels else found.body)
    assert main([*words, "--model", str(tmp_path / "by.safetensors"), "--threshold", "100", "--overwrite"]) != 0


def test_one_way_to_say_where_the_body_is(tmp_path):
    words = ["translate", str(tmp_path), "--output", str(tmp_path / "o.nii.gz"), "--body", "a.nii.gz", "--body-model", "b"]
    assert main(words) != 0
    empty = outliner()
    empty.generator.classifier.classifier[-1].bias.data = torch.tensor([50.0, -50.0])
    with pytest.raises(CtmriError, match="outlines nothing in"):
        finish(translate_as(ct(), translator(Recipe()), replace(PLAIN, body_model=empty)))
