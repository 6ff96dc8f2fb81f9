"""A scan that a model was not made for is doubted before it runs; cards hold the range; the command line asks where it must."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ctmri_core.cli import main
from ctmri_core.cli.translate import DECIDE
from ctmri_core.data.learnt_range import learnt_range
from ctmri_core.data.prepared_slices import PreparedSlices
from ctmri_core.domain import Domain
from ctmri_core.errors import ModelRefused, WrongInput
from ctmri_core.events import finish
from ctmri_core.inference.input_doubts import doubts_before
from ctmri_core.inference.model_choice import chosen_model
from ctmri_core.io.saving import save
from ctmri_core.model_card import ModelCard, read_card
from ctmri_core.phantom import make_head
from ctmri_core.preprocess.recipe import Recipe
from ctmri_core.recognition import SliceFacts, TrainingRange, range_of
from ctmri_core.recognition.far_off import told_of
from ctmri_core.resources_folder import resources_folder
from ctmri_core.volume import Volume

MODELS = resources_folder() / "models"
CT_MODEL, T1_MODEL = (MODELS / f"phantom_{name}.safetensors" for name in ("ct_to_mr_t1", "mr_t1_to_ct"))


@pytest.fixture(scope="module")
def head():
    return make_head(815, voxel_mm=1.5, table=False)


def kinds(volume, model):
    return [doubt.kind for doubt in doubts_before(volume, read_card(model)) if doubt.serious]


def test_an_unseen_head_of_the_kind_is_not_doubted(head):
    assert kinds(head[Domain.CT], CT_MODEL) == kinds(head[Domain.MR_T1], T1_MODEL) == []


def test_the_wrong_kind_is_doubted_whatever_it_is_called(head):
    assert "wrong_kind" in kinds(replace(head[Domain.CT], domain=Domain.MR_T1), T1_MODEL)
    assert "wrong_kind" in kinds(replace(head[Domain.MR_T1], domain=Domain.CT), CT_MODEL)
    t2 = replace(head[Domain.MR_T2], domain=Domain.MR_T1)
    assert "wrong_kind" in kinds(t2, T1_MODEL)
    by_hand = t2.with_history("domain set to T1 MR by hand")
    assert "wrong_kind" not in kinds(by_hand, T1_MODEL) and "wrong_kind" in kinds(head[Domain.CT].with_history(
        "domain set to T1 MR by hand", domain=Domain.MR_T1), T1_MODEL)  # fmt: skip


def test_values_of_another_unit_coarse_pixels_and_pictures_cut_close_are_doubted(head):
    ct = head[Domain.CT]
    assert kinds(replace(ct, voxels=(ct.voxels + 1024).astype(np.int16)), CT_MODEL) == ["not_hounsfield"]
    t1 = head[Domain.MR_T1]
    spiked = replace(t1, voxels=(1000 * (t1.voxels / np.float32(t1.voxels.max())) ** 6).astype(np.float32))
    assert "odd_greys" in kinds(spiked, T1_MODEL)
    low, size = (20, 60, 60), (60, 50, 50)
    where = tuple(slice(n, n + m) for n, m in zip(low, size, strict=True))
    cut = replace(ct, voxels=np.ascontiguousarray(ct.voxels[where]), geometry=ct.geometry.cropped(low, size))
    assert kinds(cut, CT_MODEL) == ["odd_field", "cut_body"]
    air = replace(ct, voxels=np.full_like(ct.voxels, -1000))
    assert kinds(air, CT_MODEL) == ["no_body"]


@pytest.mark.parametrize(
    ("mm", "apart", "found"),
    [
        (1.6, 1.5, []),
        (2.0, 1.5, [("coarse_pixels", False)]),
        (3.6, 1.5, [("coarse_pixels", True)]),
        (1.0, 4.0, [("thick_slices", False)]),
        (1.0, 8.0, [("thick_slices", True)]),
    ],
)
def test_what_lies_beside_the_range_is_warned_of_and_what_lies_far_beyond_is_asked_about(mm, apart, found):
    known = read_card(CT_MODEL).training_range
    one = SliceFacts(mm, apart, 256.0, 256.0, known.dark[0], known.middle[0], known.bright[0], known.air[0])
    assert [(doubt.kind, doubt.serious) for doubt in told_of(one, known)] == found


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"width_mm": 480.0, "height_mm": 480.0}, [("odd_field", False)]),
        ({"height_mm": 90.0}, [("odd_field", False)]),
        ({"height_mm": 80.0}, [("odd_field", True)]),
        ({"middle": -0.5}, [("odd_greys", False)]),
        ({"middle": -0.9}, [("odd_greys", True)]),
        ({"middle": -0.3, "dark": 0.9}, [("odd_greys", True)]),
    ],
)
def test_fields_and_greys_have_two_limits_as_well(changes, found):
    known = read_card(CT_MODEL).training_range
    one = SliceFacts(1.0, 1.5, 256.0, 256.0, known.dark[0], known.middle[0], known.bright[0], known.air[0])
    assert [(doubt.kind, doubt.serious) for doubt in told_of(replace(one, **changes), known)] == found


def test_the_range_of_the_shipped_models_is_that_of_heads(head):
    card = read_card(CT_MODEL)
    own = range_of([head[Domain.CT]], card.recipe)
    assert card.training_range is not None and card.training_range.cases == 24
    for name in ("dark", "middle", "bright", "air"):
        (low, high), (seen, _) = getattr(card.training_range, name), getattr(own, name)
        assert low - 0.1 < seen < high + 0.1


def test_the_command_line_tells_range_and_recipe_in_words(capsys):
    assert main(["models", "show", str(CT_MODEL)]) == 0
    told = capsys.readouterr().out
    assert "of 24 scans or single slices: pixels 1 mm, " in told
    assert "slices 1.5 mm apart, height 256 mm, width 256 mm; 67.2 to 72.9 % of a slice is air" in told
    assert "dark 8.97 to 9.24 %" in told and "CT: -1024 to 2000 HU, 80 % of it for -30 to 100 HU" in told
    assert "MR: 0.5th to 99.5th percentile of the body; the answer goes from 0 to 1000" in told


def test_a_card_without_a_range_is_read_and_one_with_it_comes_back():
    text = read_card(CT_MODEL).model_dump(mode="json")
    bare = ModelCard.model_validate({**text, "training_range": None})
    assert bare.training_range is None
    del text["training_range"]
    assert ModelCard.model_validate(text) == bare
    with pytest.raises(ValueError, match="ends before it begins"):
        TrainingRange(cases=1, dark=(1, 0), middle=(0, 0), bright=(0, 0), air=(0, 0))


def test_a_run_records_what_it_was_shown(tiny_pairs):
    data = tiny_pairs(cases=4, size=32)
    known = learnt_range(data.train, Domain.CT, Recipe(spacing_mm=1.5))
    shown = [case.mapped() for case in data.train.cases]
    assert known.cases == 3 and known.width_mm == (48, 48) and known.slice_mm is None
    medians = [np.median(each[:, 0].astype(np.float32)[each[:, -1] > 0]) for each in shown]
    assert known.middle == pytest.approx((min(medians), max(medians)), abs=0.15)
    assert known.air[0] == pytest.approx(1 - shown[0][:, -1].astype(float).mean(), abs=0.05)


def test_what_is_recorded_is_of_every_plane_however_cases_lie(tiny_pairs):
    """Three planes of each head one after the other, as prepared slices lie."""
    data = tiny_pairs(cases=4, size=32)
    dark, grey, bright = data.train.cases

    def known(*cases):
        return learnt_range(PreparedSlices(cases, data.train.domains), Domain.CT, Recipe(spacing_mm=1.5))

    narrow, every = [known(one) for one in (dark, grey, bright)], known(*([dark, grey, bright] * 120))
    assert every.cases == 120
    assert every.middle == (min(one.middle[0] for one in narrow), max(one.middle[1] for one in narrow))
    assert len({one.middle for one in narrow}) == 3


def test_the_model_is_chosen_by_what_a_scan_shows(head):
    for domain, model in ((Domain.CT, CT_MODEL), (Domain.MR_T1, T1_MODEL)):
        assert chosen_model(head[domain], None, [MODELS]) == model
    assert chosen_model(replace(head[Domain.MR_T1], domain=Domain.MR), None, [MODELS]) == T1_MODEL


def test_doubt_is_asked_about_and_the_option_that_ends_it_is_named(head):
    t2 = replace(head[Domain.MR_T2], domain=Domain.MR)
    with pytest.raises(ModelRefused, match=r"looks like T2 MR .*--modality.*--model"):
        chosen_model(t2, None, [MODELS], DECIDE)
    wrong = replace(head[Domain.MR_T1], domain=Domain.CT)
    with pytest.raises(WrongInput, match=r"is said to be CT, but looks like T1 MR .*--modality.*--model"):
        chosen_model(wrong, None, [MODELS], DECIDE)
    assert chosen_model(wrong, Domain.CT, [MODELS]) == CT_MODEL


def saved(volume: Volume, path):
    finish(save(replace(volume, phantom=False), path))
    path.with_name(path.name + ".provenance.json").unlink(missing_ok=True)
    return path


def test_strict_refuses_what_is_a_warning_without(head, tmp_path, capsys):
    ct = head[Domain.CT]
    thin = replace(ct, voxels=np.ascontiguousarray(ct.voxels[40:42, ::2, ::2]), geometry=replace(
        ct.geometry.cropped((40, 0, 0), (2, *ct.geometry.shape[1:])), shape=ct.voxels[40:42, ::2, ::2].shape,
        spacing=(2.25, 3.0, 3.0)))  # fmt: skip
    path = saved(thin, tmp_path / "head_ct.nii.gz")
    out = tmp_path / "out.nii.gz"
    assert main(["translate", str(path), "--output", str(out), "--strict", "--device", "cpu"]) == 1
    assert not out.exists() and "--strict" in (told := capsys.readouterr().err) and "pixels of 1 mm" in told
    assert main(["translate", str(path), "--output", str(out), "--device", "cpu"]) == 0
    assert out.exists() and "note: This model learnt from pixels of 1 mm" in capsys.readouterr().err
