"""Scores of one answer against numpy and scikit-image, and nonsense that must be caught."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage.metrics import structural_similarity

from ctmri_core.domain import Direction, Domain
from ctmri_core.errors import CtmriError
from ctmri_core.evaluation.cases import OpenedCase, Placed
from ctmri_core.evaluation.pool import Scorers
from ctmri_core.evaluation.sanity import of_alignment, of_finished, of_place, of_reading, of_real, of_synthetic
from ctmri_core.evaluation.scene import placed, set_scene
from ctmri_core.evaluation.scoring import ScoringJob, score, slices_of
from ctmri_core.evaluation.shown_metrics import chosen_metrics, shown
from ctmri_core.geometry import Geometry
from ctmri_core.metrics.catalogue import METRICS
from ctmri_core.metrics.synthrad import synthrad_2023, synthrad_2025
from ctmri_core.preprocess.mr_range import body_range
from ctmri_core.volume import Finding, Synthetic, Volume

SHAPE = (10, 30, 34)
GRID = Geometry(SHAPE, (2.0, 1.5, 1.5))
TO_CT = Direction(Domain.MR_T1, Domain.CT)


def pair(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(truth, answer, mask) in HU, with bone, tissue and air."""
    random = np.random.default_rng(seed)
    mask = np.zeros(SHAPE, np.bool_)
    mask[:, 4:26, 5:29] = True
    truth = np.where(mask, random.choice([-900.0, -60.0, 40.0, 700.0], SHAPE, p=[0.1, 0.2, 0.5, 0.2]), -1000.0)
    return truth.astype(np.float32), (truth + random.normal(8, 40, SHAPE)).astype(np.float32), mask


def job(**changes: object) -> ScoringJob:
    truth, made, mask = pair()
    metrics = chosen_metrics(("ct", "synthrad2025", "bias", "ncc"), Domain.CT)
    return replace(ScoringJob(truth, made, mask, GRID, Domain.CT, metrics), **changes)


def test_scores_of_ct_are_those_of_the_field():
    truth, made, mask = pair()
    scored = score(job())
    values, first, second = scored.scores.values, synthrad_2023(truth, made, mask), synthrad_2025(truth, made, mask)
    assert values["mae"] == pytest.approx(first.mae) == pytest.approx(np.abs(truth - made)[mask].mean(), rel=1e-5)
    assert values["psnr_hu"] == pytest.approx(first.psnr)
    assert values["ssim_2023"] == pytest.approx(first.ssim)
    assert values["ms_ssim_2025"] == pytest.approx(second.ms_ssim)
    assert values["bias"] == pytest.approx((made - truth)[mask].mean(dtype=np.float64), rel=1e-4)
    assert (scored.voxels, scored.shape, scored.slice_axis) == (int(mask.sum()), SHAPE, 0)
    bone = [(image >= 200) & mask for image in (truth, made)]
    [label] = scored.scores.labels
    assert label.label == "bone" and label.dice == pytest.approx(2 * (bone[0] & bone[1]).sum() / (bone[0].sum() + bone[1].sum()))


def test_no_number_is_told_twice():
    scored = score(job(metrics=chosen_metrics(("mae", "bone_dice"), Domain.CT))).scores
    [label] = scored.labels
    assert label.dice is None and label.hausdorff_95 is not None and (scored.values["bone_dice"] or 0) > 0.5


def test_slices_and_their_mean_by_scikit_image():
    truth, made, mask = pair()
    scored = score(job()).scores
    assert scored.slices.k == tuple(range(10))
    wanted = []
    for a, b, inside in zip(truth, made, mask, strict=True):
        images = [np.where(inside, np.clip(image + 1024, 0, 4024), 0) for image in (a, b)]
        full = structural_similarity(*images, data_range=4024, full=True)[1]
        inside = inside.copy()
        inside[:3] = inside[-3:] = inside[:, :3] = inside[:, -3:] = False
        wanted.append(full[inside].mean())
    assert scored.slices.values["ssim"] == pytest.approx(wanted, rel=1e-4)
    assert scored.values["ssim"] == pytest.approx(np.mean(wanted), rel=1e-4)
    errors = [np.abs(a - b)[inside].mean() for a, b, inside in zip(truth, made, mask, strict=True)]
    assert scored.worst_slice == int(np.argmax(errors))


def test_mr_is_scored_in_percent_of_its_own_range():
    truth, made, mask = pair()
    stretched = 3.0 * made + 5000.0  # MR has no unit, so this changes nothing
    metrics = chosen_metrics((), Domain.MR_T1)
    one, two = (score(job(synthetic=image, target=Domain.MR_T1, metrics=metrics)).scores.values for image in (made, stretched))
    assert one == pytest.approx(two, rel=1e-3)
    ends = [np.percentile(image[mask], (0.5, 99.5)) for image in (truth, made)]
    a, b = (np.clip(100 * (image - low) / (high - low), 0, 100) for image, (low, high) in zip((truth, made), ends, strict=True))
    assert one["mae"] == pytest.approx(np.abs(a - b)[mask].mean(), rel=1e-4)
    assert one["psnr"] == pytest.approx(10 * np.log10(1e4 / np.square(a - b)[mask].mean()), rel=1e-4)


def test_spread_cycles_and_labels():
    truth, made, mask = pair()
    labels = np.zeros(SHAPE, np.int32)
    labels[2:8, 8:20, 8:20], labels[0, 0, 0] = 4, 7
    own = np.roll(labels, 1, axis=2)
    found = score(job(
        spread=np.abs(made - truth), source=truth, source_domain=Domain.CT, returned=made, source_mask=mask, labels=labels,
        own_labels=own,
    )).scores  # fmt: skip
    assert found.calibration is not None and found.calibration.correlation == pytest.approx(1, abs=1e-6)
    assert found.cycle["mae"] == found.values["mae"] and found.cycle["psnr_hu"] == found.values["psnr_hu"]
    assert found.cycle["ssim"] == found.values["ssim"]
    best = max(value or 0 for value in found.slices.values["ssim"])
    assert found.cycle["ssim_peak"] == pytest.approx(best, rel=1e-5) and best > (found.cycle["ssim"] or 1)
    four = next(one for one in found.labels if one.label == "4")
    assert four.dice == pytest.approx(11 / 12) and four.hausdorff_95 == pytest.approx(1.5)
    assert four.mae == pytest.approx(np.abs(truth - made)[labels == 4].mean(), rel=1e-4)
    assert next(one for one in found.labels if one.label == "7").mae is None  # outside the mask


def test_another_process_finds_the_same(tmp_path: Path):
    with Scorers[int](1) as scorers:
        for number in range(3):
            scorers.give(job(picture=tmp_path / f"p{number}"), number)
        done = dict(one for one in scorers.rest() if one is not None)
    assert sorted(done) == [0, 1, 2]
    assert done[0].scores == score(job()).scores
    parts = ("synthetic", "truth", "difference")
    assert {path.name for path in tmp_path.iterdir()} == {f"p{n}-{part}.png" for n in range(3) for part in parts}
    facts = done[0].picture
    assert facts is not None
    truth, made, mask = pair()
    white = np.clip(np.where(mask, np.abs(truth - made), 0)[facts.k] / 500, 0, 1)
    assert np.array_equal(np.asarray(Image.open(tmp_path / "p0-difference.png")), (white * 255).round().astype(np.uint8))


def test_slices_with_hardly_any_body_are_no_numbers():
    mask = np.zeros((4, 40, 40), np.bool_)
    mask[1], mask[2, :5, :5], mask[3, :20] = True, True, True
    assert slices_of(mask, 0) == [1, 3]
    assert slices_of(mask[2:3], 0) == [0]
    assert slices_of(np.moveaxis(mask, 0, 2), 2) == [1, 3]


def test_measures_are_chosen_by_name():
    assert chosen_metrics(("synthrad2023",), Domain.CT) == ("mae", "psnr_hu", "ssim_2023")
    assert "psnr_hu" not in chosen_metrics(("all",), Domain.MR_T1)
    for words, domain in ((("psnr_hu",), Domain.MR_T1), (("synthrad2025",), Domain.MR_T1), (("perceptual_distance",), Domain.CT)):
        with pytest.raises(CtmriError):
            chosen_metrics(words, domain)
    with pytest.raises(CtmriError, match="Did you mean ssim"):
        chosen_metrics(("ssimm",), Domain.CT)
    assert all(one.convention and one.source for one in shown(chosen_metrics(("all",), Domain.CT), Domain.CT))
    assert {one.key for one in shown(METRICS, Domain.CT)} >= {"mae", "frechet_distance"}


def volume(voxels: np.ndarray, domain: Domain = Domain.CT, grid: Geometry = GRID, **changes: object) -> Volume:
    return replace(Volume(np.ascontiguousarray(voxels, np.float32), grid, domain), **changes)


def opened(**changes: object) -> OpenedCase:
    truth, _, mask = pair()
    mr = volume(np.where(mask, 400 - truth / 5, 0), Domain.MR_T1)
    return replace(OpenedCase(volume(truth), mr, Placed(mask, GRID)), **changes)


def kinds(problems: object) -> list[tuple[str, bool]]:
    return [(problem.kind, problem.left_out) for problem in problems]  # type: ignore[attr-defined]  # an iterable


def test_good_pictures_are_not_suspected():
    case = opened()
    assert kinds(of_real(case, TO_CT)) == []
    scene, problems = set_scene(case)
    assert scene is not None and problems == () and scene.given
    assert kinds(of_synthetic(volume(pair()[1]), scene)) == []


@pytest.mark.parametrize(
    ("made", "kind"),
    [
        (lambda t, s: t, "swapped"), (lambda t, s: s, "swapped"), (lambda t, s: np.where(t > 0, np.nan, t), "not_finite"),
        (lambda t, s: np.full_like(t, 40), "constant"), (lambda t, s: np.clip((t + 200) / 4, 0, 255).round(), "not_hounsfield"),
        (lambda t, s: np.clip((t + 1000) / 3000, 0, 1), "not_hounsfield"), (lambda t, s: t / 2000, "not_hounsfield"),
        (lambda t, s: t[:5], "geometry"),
    ],
)  # fmt: skip
def test_nonsense_answers_are_left_out(made, kind: str):
    case = opened()
    scene, _ = set_scene(case)
    assert scene is not None and case.source is not None
    values = made(case.truth.voxels, case.source.voxels)
    grid = GRID if values.shape == SHAPE else Geometry(values.shape, GRID.spacing)
    found = list(of_synthetic(volume(values, grid=grid), scene))
    assert kinds(found) == [(kind, True)] and found[0].message.endswith(".")
    if kind in ("constant", "not_hounsfield"):  # of a model, that is how bad it is
        assert not any(left_out for _, left_out in kinds(of_synthetic(volume(values), scene, by_model=True)))


def test_nonsense_truths_are_left_out():
    truth, _, mask = pair()
    case = opened()
    assert case.source is not None
    flat = volume(np.full(SHAPE, 3.0))
    assert kinds(of_real(replace(case, truth=flat), TO_CT)) == [("constant", True)]
    assert kinds(of_real(replace(case, source=replace(case.truth, domain=Domain.MR_T1)), TO_CT)) == [("swapped", True)]
    exchanged = OpenedCase(replace(case.source, domain=Domain.CT), replace(case.truth, domain=Domain.MR_T1))
    assert kinds(of_real(exchanged, TO_CT))[0] == ("swapped", True)
    eight = volume(np.clip((truth + 200) / 4, 0, 255))
    assert kinds(of_real(replace(case, truth=eight), TO_CT)) == [("not_hounsfield", True)]
    assert kinds(of_real(replace(case, truth=eight, windowed=True), TO_CT)) == []
    made = replace(case.truth, synthetic=Synthetic("m", "0"))
    assert kinds(of_real(replace(case, truth=made), TO_CT)) == [("synthetic_truth", True)]
    scene, problems = set_scene(replace(case, body=Placed(np.zeros_like(mask), GRID)))
    assert scene is None and kinds(problems) == [("empty_mask", True)]
    scene, problems = set_scene(replace(case, chosen=()))
    assert scene is None and kinds(problems) == [("empty_mask", True)]


def test_grids_that_differ_are_resampled_and_said_or_refused():
    case = opened()
    scene, _ = set_scene(case)
    assert scene is not None
    finer = Geometry((20, 60, 68), (1.0, 0.75, 0.75), tuple(np.array(GRID.origin) - (0.375, 0.375, 0.5)))
    made = volume(np.random.default_rng(0).normal(size=finer.shape), grid=finer)
    there, problems = placed(made, scene)
    assert there is not None and there.geometry.is_close(GRID) and kinds(problems) == [("resampled", False)]
    away = replace(made, geometry=replace(finer, origin=(500.0, 0.0, 0.0)))
    there, problems = placed(away, scene)
    assert there is None and kinds(problems) == [("geometry", True)]
    moved = replace(case.truth, geometry=replace(GRID, origin=(900.0, 0.0, 0.0)))
    scene, problems = set_scene(replace(case, truth=moved))
    assert scene is None and kinds(problems) == [("geometry", True)]


def test_finished_pictures_are_scored_on_the_grid_of_the_truth_whatever_the_source():
    case, coarse = opened(), Geometry((5, 15, 17), (4.0, 3.0, 3.0))
    assert case.source is not None
    other = replace(case, source=replace(case.source, voxels=case.source.voxels[::2, ::2, ::2].copy(), geometry=coarse))
    with_source, problems = set_scene(other, finished=True)
    without, _ = set_scene(replace(case, source=None), finished=True)
    assert with_source is not None and without is not None and problems == ()
    assert with_source.truth is case.truth and np.array_equal(with_source.mask, without.mask)
    assert with_source.source is not None and with_source.source.voxels.shape == SHAPE
    by_model, _ = set_scene(other)
    assert by_model is not None and by_model.grid == coarse


def test_a_source_on_its_own_grid_is_known_again_as_a_prediction():
    case, coarse = opened(), Geometry((5, 15, 17), (4.0, 3.0, 3.0))
    source = volume(np.random.default_rng(0).normal(size=coarse.shape), Domain.MR_T1, coarse)
    elsewhere = replace(case, source=source)
    assert kinds(of_finished(replace(source, domain=Domain.CT), elsewhere)) == [("swapped", True)]
    assert kinds(of_finished(case.truth, elsewhere)) == [("swapped", True)]
    assert kinds(of_finished(volume(pair()[1]), elsewhere)) == []


def test_what_a_reader_found_is_not_forgotten():
    truth, made, mask = pair()
    none = Finding("not_finite", "1 % of the voxels are NaN or infinite; they are shown as the lowest value (-2000).", True)
    for place, found in (((5, 10, 10), [("not_finite", True)]), ((5, 0, 0), [])):
        there = made.copy()
        there[place] = -2000
        assert kinds(of_reading(volume(there, findings=(none,)), mask, "prediction")) == found
    doubtful = Finding("spacing", "Pixels have no size.", True)
    [problem] = of_reading(volume(truth, findings=(doubtful,)), mask, "truth")
    assert problem.message == "The truth: Pixels have no size." and problem.serious and not problem.left_out


@pytest.fixture(scope="module")
def head():
    from ctmri_core.data.layouts.phantoms import phantom_cases

    return phantom_cases("phantom:1", 5.0)[0].load()


def test_a_prediction_that_lies_elsewhere_is_found(head):
    mr, ct = head[Domain.MR_T1], head[Domain.CT]
    made = replace(ct, voxels=ct.voxels + np.random.default_rng(0).integers(-30, 30, ct.voxels.shape).astype(np.int16))
    assert list(of_place(made, OpenedCase(ct))) == []
    x, y, z = ct.geometry.origin
    shifted = replace(made, geometry=replace(ct.geometry, origin=(x + 20, y, z)))
    assert kinds(of_place(shifted, OpenedCase(ct, mr))) == [("misaligned", True)]


def test_a_truth_that_lies_elsewhere_is_found(head):
    mr, ct = head[Domain.MR_T1], head[Domain.CT]
    assert list(of_alignment(OpenedCase(ct, mr), TO_CT)) == []
    shifted = replace(ct, geometry=replace(ct.geometry, origin=(ct.geometry.origin[0] + 25, *ct.geometry.origin[1:])))
    assert kinds(of_alignment(OpenedCase(shifted, mr), TO_CT)) == [("misaligned", True)]
    assert list(of_alignment(OpenedCase(shifted, mr, looked_at=True), TO_CT)) == []
    assert body_range(mr)[1] > body_range(mr)[0]
