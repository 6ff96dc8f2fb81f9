"""Pictures of a study: drawn by lot, in one form whatever scanner or model they come from."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import nibabel
import numpy as np
import pytest
from numpy.random import PCG64, Generator
from PIL import Image
from scipy.ndimage import gaussian_filter

from ctmri_core.domain import Direction, Domain
from ctmri_core.errors import CtmriError
from ctmri_core.evaluation.order import EvaluationOrder
from ctmri_core.events import finish
from ctmri_core.geometry import Geometry
from ctmri_core.studies.arms import arms_of
from ctmri_core.studies.common_form import CT_RANGE, extent_of, form_for, in_common_form
from ctmri_core.studies.making import StudyOrder, make_study
from ctmri_core.studies.protocol import Display, Protocol
from ctmri_core.studies.truth import REAL, Order, Plan
from ctmri_core.volume import Volume

PLAN = Plan(seed="31" * 32, repeats=0.0, practice=2, readers=("R1",), order=Order(may_relax=True))


@pytest.fixture(autouse=True)
def private_keys(tmp_path, monkeypatch):
    monkeypatch.setenv("CTMRI_CONFIG_DIR", str(tmp_path / "config"))


def head(seed, shape=(10, 40, 36)):
    """MR-like: zero outside of an ellipse, textured inside."""
    chance = np.random.default_rng(seed)
    k, j, i = np.meshgrid(*[np.linspace(-1, 1, n) for n in shape], indexing="ij")
    inside = (0.5 * k**2 + j**2 + i**2) < chance.uniform(0.5, 0.7)
    return np.where(inside, 400 + 120 * gaussian_filter(chance.normal(size=shape), 2) / 0.1, 0).clip(0).astype(np.float32)


def write(path, values, spacing=(1.5, 1.5, 3.0)):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = nibabel.Nifti1Image(values.transpose(2, 1, 0), np.diag([-spacing[0], -spacing[1], spacing[2], 1.0]))
    image.header.set_xyzt_units("mm")
    nibabel.save(image, path)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Ten patients; the synthetic pictures have another scale, an offset outside of the body and grid noise there."""
    root = tmp_path_factory.mktemp("pictures")
    for case in range(10):
        real = head(case)
        made = 2.5 * real + np.where(real > 0, np.random.default_rng(case).normal(0, 20, real.shape), 7)
        write(root / "real" / f"case{case}.nii.gz", real)
        write(root / "made" / f"case{case}.nii.gz", made.astype(np.float32))
    return root


def order_for(folders, folder, design="yes_no", cases=6, plan=PLAN, shown="volume", **more):
    asked = Protocol(study="0123" * 4, title="S", design=design, display=Display(shown=shown))
    way = Direction(Domain.CT, Domain.MR_T1)
    evaluation = EvaluationOrder(folder / "unused", predictions=(folders / "made",), truth=folders / "real", direction=way)
    return StudyOrder(folder / "study", asked, plan, evaluation, cases, **more)


def made_study(*arguments, **more):
    study = finish(make_study(order_for(*arguments, **more)))
    return study, study.truth()


def test_pictures_of_both_arms_have_one_form(folders, tmp_path):
    study, truth = made_study(folders, tmp_path)
    arms = Counter((item.arm, item.block) for item in truth.items)
    assert set(arms.values()) == {6, 1} and {name for name, _ in arms} == {REAL, "made"}  # by their folder
    voxels = {item.token: study.pictures.voxels(item.token) for item in truth.items}
    assert len({array.shape for array in voxels.values()}) == 1
    by_case = {}
    for item in truth.items:
        by_case.setdefault(item.case, {})[item.arm == REAL] = voxels[item.token]
    for pair in by_case.values():
        real, made = pair[True], pair[False]
        assert not made[real == 0].any() or np.count_nonzero(made[real == 0]) < 0.01 * real.size  # cut alike
        assert (real[:, 0] == 0).all() and (made[:, 0] == 0).all() and real.max() == made.max() == 1000
        inside = real > 0
        assert np.corrcoef(real[inside], made[inside])[0, 1] > 0.9
        assert abs(np.median(real[inside]) - np.median(made[inside])) < 60
    assert len({item.patient for item in truth.items}) == 7


def test_the_lot_decides_and_the_same_seed_again_alike(folders, tmp_path):
    (tmp_path / "a").mkdir(), (tmp_path / "b").mkdir(), (tmp_path / "c").mkdir()
    first, second = (made_study(folders, tmp_path / name)[1] for name in "ab")
    assert first.items == second.items and first.exclusions == second.exclusions
    other = made_study(folders, tmp_path / "c", plan=PLAN.model_copy(update={"seed": "32" * 32}))[1]
    assert {item.case for item in other.items} != {item.case for item in first.items}
    assert Counter(one.reason for one in first.exclusions) == {"chance": 3}


def test_cases_left_out_by_hand_are_listed_with_the_words(folders, tmp_path):
    (tmp_path / "a").mkdir(), (tmp_path / "b").mkdir()
    unwanted = made_study(folders, tmp_path / "a")[1].items[0].case
    truth = made_study(folders, tmp_path / "b", by_hand={unwanted: "motion"})[1]
    assert unwanted not in {item.case for item in truth.items}
    assert [(one.case, one.words) for one in truth.exclusions if one.reason == "hand"] == [(unwanted, "motion")]
    (tmp_path / "c").mkdir(), (tmp_path / "d").mkdir()
    drawn_too_late = next(one.case for one in truth.exclusions if one.reason == "chance")
    truth = made_study(folders, tmp_path / "c", by_hand={drawn_too_late: "metal"})[1]
    assert [(one.case, one.words) for one in truth.exclusions if one.reason == "hand"] == [(drawn_too_late, "metal")]
    other = PLAN.model_copy(update={"seed": "32" * 32})
    with pytest.raises(CtmriError, match="with another seed"):  # nor shown without a word
        made_study(folders, tmp_path / "d", by_hand={unwanted: "motion"}, plan=other)


def test_too_few_cases_are_said_and_nothing_is_left(folders, tmp_path):
    with pytest.raises(CtmriError, match="13 patients are needed, practice included, and 10 can be shown"):
        made_study(folders, tmp_path, cases=12)
    assert not (tmp_path / "study").exists()


def test_stopped_it_leaves_nothing(folders, tmp_path):
    seen = []
    for event in make_study(order_for(folders, tmp_path), lambda: len(seen) > 12):
        seen.append(event)
    assert len(seen) < 30 and not (tmp_path / "study").exists()


def test_single_slices_lie_in_the_middle_half_of_the_body(folders, tmp_path):
    study, truth = made_study(folders, tmp_path, shown="slice")
    shapes = {item.shape for item in study.pictures.items.values()}
    assert len(shapes) == 1 and next(iter(shapes))[0] == 1
    assert all((study.pictures.voxels(item.token) > 0).mean() > 0.1 for item in truth.items)


def test_an_unpaired_study_shows_every_patient_once(folders, tmp_path):
    truth = made_study(folders, tmp_path, paired=False)[1]
    assert len({item.patient for item in truth.items}) == len(truth.items) == 8
    assert Counter(item.arm == REAL for item in truth.items if item.block == "test") == {True: 3, False: 3}


@pytest.mark.parametrize("design", ["yes_no", "two_alternatives", "rank", "grading", "diagnosis"])
def test_every_model_is_shown_equally_often(design):
    shown = arms_of(design, ["A", "B", "C"], 20, PLAN, paired=True, chance=Generator(PCG64(1)))
    counts = Counter(arm for arms in shown for arm in arms)
    assert counts.pop(REAL) == 20 and max(counts.values()) - min(counts.values()) <= 1
    quarter = PLAN.model_copy(update={"proportion": 0.25})
    alone = arms_of("yes_no", ["A", "B"], 40, quarter, paired=False, chance=Generator(PCG64(1)))
    assert Counter(arms[0] == REAL for arms in alone) == {True: 30, False: 10}


def test_the_common_form_keeps_hounsfield_units_and_places():
    """A bright cube of known place, on a tilted grid that is turned upside down: found where the patient has it."""
    tilted = Geometry((30, 60, 60), (2.0, 1.0, 1.0), (-20.0, 40.0, 50.0), ((0.0, 0.0, -1.0), (0.0, -1.0, 0.0), (1.0, 0.0, 0.0)))
    voxels = np.full(tilted.shape, -1024, np.int16)
    body = np.zeros(tilted.shape, bool)
    body[3:27, 10:50, 10:50] = True
    voxels[body] = 40
    voxels[5:8, 15:20, 12:18] = 2500  # cut off
    extent, centre = extent_of(body, tilted)
    np.testing.assert_allclose(extent, (46, 39, 39))
    form = form_for(Domain.CT, [extent], (2.0, 1.0, 1.0), single_slice=False)
    shown = in_common_form(Volume(voxels, tilted, Domain.CT), body, tilted, form, centre)
    assert shown.dtype == np.int16 and (shown.min(), shown.max()) == CT_RANGE and shown.shape == form.shape
    k, j, i = (np.mean(places) for places in np.nonzero(shown == CT_RANGE[1]))
    found = form.grid(centre).index_to_mm((k, j, i))
    np.testing.assert_allclose(found, tilted.index_to_mm((6, 17, 14.5)), atol=1.1)
    assert np.count_nonzero(shown > -500) == pytest.approx(body.sum(), rel=0.06)  # edges are mixed with air by sampling
    assert set(np.unique(shown[6:-6, 14:-14, 14:-14])) >= {40}


def test_cases_of_one_slice_are_shown_as_they_are(tmp_path):
    for case in range(8):
        real = head(case)[5:6]
        write(tmp_path / "real" / f"case{case}.nii.gz", real)
        write(tmp_path / "made" / f"case{case}.nii.gz", 2 * real)
    study, truth = made_study(tmp_path, tmp_path, shown="slice")
    for item in truth.items:
        voxels = study.pictures.voxels(item.token)
        assert voxels.shape[0] == 1 and np.count_nonzero(voxels) > 200  # the slice itself, not the air above it
        assert item.region == ""


def test_letters_and_places_are_not_told_of_pictures_that_do_not_say_how_the_patient_lies(folders, tmp_path):
    """A coronal slice among pictures would stand between the letters of an axial one, and its marks lie nowhere."""
    for case in range(8):
        real = (head(case)[5] / 8).astype(np.uint8)
        for name, values in (("real", real), ("made", real // 2)):
            place = tmp_path / name / f"case{case}"
            place.mkdir(parents=True)
            Image.fromarray(values).save(place / "mr_t1.png")
    study, truth = made_study(tmp_path, tmp_path, shown="slice")
    assert not study.protocol.display.oriented and {item.origin for item in truth.items} == {None}
    (tmp_path / "volumes").mkdir()
    study, truth = made_study(folders, tmp_path / "volumes")
    assert study.protocol.display.oriented and None not in {item.origin for item in truth.items}


def test_ct_opens_with_a_window_that_shows_tissue_and_mr_with_its_range(folders, tmp_path):
    (tmp_path / "ct").mkdir(), (tmp_path / "mr").mkdir(), (tmp_path / "own").mkdir()
    for case in range(8):
        for arm, gain in (("real", 0.2), ("made", 0.21)):
            values = np.where(head(case) > 0, gain * head(case), -1000)
            write(tmp_path / "ct" / arm / f"case{case}.nii.gz", values.astype(np.float32))
    asked = order_for(tmp_path / "ct", tmp_path / "ct")
    asked = replace(asked, evaluation=replace(asked.evaluation, direction=Direction(Domain.MR_T1, Domain.CT)))
    assert finish(make_study(asked)).protocol.display.window == (40.0, 80.0)
    bone = asked.protocol.model_copy(update={"display": Display(window=(400.0, 2000.0))})
    study = finish(make_study(replace(asked, folder=tmp_path / "own" / "study", protocol=bone)))
    assert study.protocol.display.window == (400.0, 2000.0)
    assert made_study(folders, tmp_path / "mr")[0].protocol.display.window is None


def test_cases_are_left_out_by_name_and_a_name_that_is_none_is_refused(folders, tmp_path):
    _, truth = made_study(folders, tmp_path, by_hand={"Case3": "motion"})
    assert [one.words for one in truth.exclusions if one.reason == "hand"] == ["motion"]
    assert str(folders / "real" / "case3.nii.gz") not in {item.source for item in truth.items}
    assert all(item.source.startswith(str(folders / "real")) for item in truth.items)  # the file, to open it later
    (tmp_path / "more").mkdir()
    with pytest.raises(CtmriError, match="1 of the cases to be left out are not among these data") as refusal:
        made_study(folders, tmp_path / "more", by_hand={"jones": "motion"})
    assert "jones" not in str(refusal.value)
