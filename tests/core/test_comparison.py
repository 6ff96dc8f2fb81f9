"""When numbers are shown, and that they are the right ones."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from skimage.metrics import structural_similarity

from ctmri_core.alignment import alignment_of
from ctmri_core.comparison import Comparison
from ctmri_core.domain import Domain
from ctmri_core.events import finish, never
from ctmri_core.geometry import Geometry, rigid_transform
from ctmri_core.phantom import make_head
from ctmri_core.preprocess.registration import register_rigid
from ctmri_core.preprocess.resample import resample_array, resample_to
from ctmri_core.volume import Synthetic, Volume


@pytest.fixture(scope="module")
def head():
    return make_head(5, voxel_mm=3.0)


@pytest.fixture(scope="module")
def synthetic(head):
    """A perfect translation of the CT: the T1 itself on the CT's grid."""
    return replace(resample_to(head[Domain.MR_T1], head[Domain.CT].geometry), synthetic=Synthetic("model", "0"))


def _moved(volume, degrees, millimetres):
    move = rigid_transform(degrees, millimetres, tuple(volume.geometry.centre))
    return replace(volume, geometry=Geometry.from_affine(volume.geometry.shape, move @ volume.geometry.affine))


def test_a_registered_pair_of_other_grids_is_comparable(head, synthetic):
    verdict = Comparison(head[Domain.CT], synthetic, head[Domain.MR_T1]).verdict
    assert verdict.comparable
    assert verdict.outline_dice > 0.9
    assert verdict.mutual_information > 1.05
    back = replace(resample_to(head[Domain.CT], head[Domain.MR_T1].geometry), synthetic=Synthetic("model", "0"))
    assert Comparison(head[Domain.MR_T1], back, head[Domain.CT]).verdict.comparable


@pytest.mark.parametrize(
    ("degrees", "millimetres"),
    [((10, 0, 0), (0, 0, 0)), ((0, 0, -10), (0, 0, 0)), ((0, 0, 0), (10, 0, 0)), ((0, 0, 0), (0, 7, -7)), ((9, 0, 9), (0, 9, 9))],
)
def test_a_displaced_truth_gets_no_numbers(head, synthetic, degrees, millimetres):
    comparison = Comparison(head[Domain.CT], synthetic, _moved(head[Domain.MR_T1], degrees, millimetres))
    assert comparison.verdict.message.startswith("Not aligned: register")
    assert comparison.scores(30) is None


def test_the_displaced_phantom_gets_no_numbers(head, synthetic):
    displaced = make_head(5, voxel_mm=3.0, displaced=True)
    assert not Comparison(displaced[Domain.CT], synthetic, displaced[Domain.MR_T1]).verdict.comparable


def test_a_mirrored_truth_that_lies_on_the_source_gets_no_numbers(head, synthetic):
    """Its outline and much of the inside fit: only the exchange of left and right fits better."""
    ct, t1 = head[Domain.CT], head[Domain.MR_T1]
    exchanged = replace(t1, voxels=t1.voxels[:, :, ::-1].copy())
    matrix = finish(register_rigid(ct, exchanged, never)).matrix
    placed = replace(exchanged, geometry=Geometry.from_affine(t1.geometry.shape, matrix @ t1.geometry.affine))
    assert alignment_of(ct, placed).good
    comparison = Comparison(ct, synthetic, placed)
    assert comparison.verdict.message.startswith("Mirrored: ") and comparison.scores(30) is None


def test_elsewhere_in_space(head, synthetic):
    verdict = Comparison(head[Domain.CT], synthetic, _moved(head[Domain.MR_T1], (0, 0, 0), (600, 0, 0))).verdict
    assert verdict.message.startswith("No overlap")


def test_the_wrong_contrast_is_named(head, synthetic):
    source = head[Domain.CT]
    verdict = Comparison(source, synthetic, head[Domain.MR_T2]).verdict
    assert verdict == Comparison(source, synthetic, head[Domain.MR_T2]).verdict
    assert not verdict.comparable
    assert verdict.message.startswith("T2 MR is not the target of a T1 MR model. Alignment: good (outline overlap 0.9")
    assert verdict.outline_dice > 0.9
    assert verdict.mutual_information > 1.05
    displaced = Comparison(source, synthetic, _moved(head[Domain.MR_T2], (0, 0, 0), (10, 0, 0)))
    assert "model. Alignment: not aligned (outline overlap" in displaced.verdict.message
    assert displaced.scores(30) is None
    elsewhere = Comparison(source, synthetic, _moved(head[Domain.MR_T2], (0, 0, 0), (600, 0, 0))).verdict
    assert "model. Alignment: no overlap" in elsewhere.message
    assert "synthetic" in Comparison(source, synthetic, synthetic).verdict.message


@pytest.mark.parametrize(("domain", "word"), [(Domain.MR, "weighting"), (Domain.UNKNOWN, "kind")])
def test_a_truth_of_unknown_contrast_gets_no_numbers_but_a_way_out(head, synthetic, domain, word):
    """A T2 in a file called mr.nii.gz: a model takes it as input, but nothing may be scored against it."""
    for weighting in (Domain.MR_T2, Domain.MR_T1):
        comparison = Comparison(head[Domain.CT], synthetic, replace(head[weighting], domain=domain))
        assert not comparison.verdict.comparable
        assert f"The {word} of the ground truth is not known; say that it is T1 MR" in comparison.verdict.message
        assert comparison.scores(30) is None
    told = replace(head[Domain.MR_T1], domain=Domain.MR_T1)
    assert Comparison(head[Domain.CT], synthetic, told).verdict.comparable


def test_slices_are_counted_on_one_grid(head, synthetic):
    count, rows, columns = synthetic.geometry.shape
    upper = resample_to(synthetic, synthetic.geometry.cropped((3, 0, 0), (count - 3, rows, columns)))
    comparison = Comparison(head[Domain.CT], upper, head[Domain.MR_T1])
    assert not comparison.verdict.comparable
    assert "grid" in comparison.verdict.message
    assert comparison.scores(count // 2) is None


def test_part_of_the_body_is_compared_where_both_see_it(head, synthetic):
    truth = head[Domain.MR_T1]
    count = truth.geometry.shape[0]
    upper = resample_to(truth, truth.geometry.cropped((count // 2, 0, 0), (count - count // 2, *truth.geometry.shape[1:])))
    comparison = Comparison(head[Domain.CT], synthetic, upper)
    assert comparison.verdict.comparable
    seen = [comparison.scores(k) is not None for k in range(synthetic.geometry.shape[0])]
    assert not any(seen[:5])
    assert sum(seen) > 15


def test_mr_scores_do_not_depend_on_units(head, synthetic):
    truth, k = head[Domain.MR_T1], synthetic.geometry.shape[0] // 2
    one = Comparison(head[Domain.CT], synthetic, truth).scores(k)
    scaled = replace(synthetic, voxels=(synthetic.voxels.astype(np.float32) * 7.5 + 300))
    other = Comparison(head[Domain.CT], scaled, truth).scores(k)
    assert one.unit == "% of range"
    assert "0.5–99.5 %" in one.convention
    assert other.ssim == pytest.approx(one.ssim, abs=2e-3)
    assert other.mae == pytest.approx(one.mae, abs=0.1)
    assert one.ssim > 0.97


def test_ct_scores_follow_synthrad(head):
    source, truth = head[Domain.MR_T1], head[Domain.CT]
    exact = resample_to(truth, source.geometry)
    noise = np.random.default_rng(0).normal(0, 60, source.geometry.shape)
    synthetic = replace(exact, voxels=np.rint(exact.voxels + noise).astype(np.int16), synthetic=Synthetic("model", "0"))
    comparison = Comparison(source, synthetic, truth)
    k = source.geometry.shape[0] // 2
    scores = comparison.scores(k)
    assert scores.unit == "HU"
    assert "4024" in scores.convention
    assert scores.mae == pytest.approx(60 * np.sqrt(2 / np.pi), rel=0.06)
    assert scores.psnr == pytest.approx(20 * np.log10(4024 / 60), abs=0.6)
    body = resample_array(head.masks["body"], truth.geometry, source.geometry)[k]
    images = [np.where(body, np.clip(v.voxels[k].astype(float), -1024, 3000) + 1024, 0) for v in (synthetic, exact)]
    expected = structural_similarity(*images, data_range=4024, full=True)[1][3:-3, 3:-3][body[3:-3, 3:-3]].mean()
    assert scores.ssim == pytest.approx(expected, abs=0.01)


def test_the_convention_beside_the_scores_says_everything(head, synthetic):
    ct, t1, k = head[Domain.CT], head[Domain.MR_T1], synthetic.geometry.shape[0] // 2
    real = replace(synthetic, synthetic=None)
    to_ct = replace(resample_to(ct, t1.geometry), synthetic=Synthetic("model", "0"))
    resampled = [Comparison(ct, synthetic, t1).scores(k), Comparison(t1, to_ct, ct).scores(k)]
    for scores, data_range in zip(resampled, ("data range 1;", "data range 4024"), strict=True):
        for part in ("body", data_range, "resampled (linear) to source's grid", "SSIM uniform 7 × 7"):
            assert part in scores.convention
        assert len(scores.convention) <= 140
    assert "resampled" not in Comparison(ct, synthetic, real).scores(k).convention


def test_slices_without_body_have_no_scores_and_others_are_repeatable_in_threads(head, synthetic):
    comparison = Comparison(head[Domain.CT], synthetic, head[Domain.MR_T1])
    count = synthetic.geometry.shape[0]
    assert comparison.scores(count - 1) is None
    one_by_one = [comparison.scores(k) for k in range(count)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(comparison.scores, range(count))) == one_by_one
    assert [comparison.scores(k) for k in (-1, count)] == [None, None]


def _picture(path, domain):
    values = np.asarray(Image.open(path)).astype(np.int32)
    voxels = (values - 1024 if domain is Domain.CT else values).astype(np.int16)[None]
    return Volume(np.ascontiguousarray(voxels), Geometry(voxels.shape, (1.0, 1.0, 1.0)), domain)


@pytest.mark.shared_data
def test_registered_slices_of_patients_pass_and_displaced_ones_do_not(shared_data):
    folders = sorted((shared_data / "synthrad_brain_slices").glob("1*"))[::30]
    for folder in folders:
        ct = _picture(folder / "ct_axial.png", Domain.CT)
        mr = _picture(folder / "mr_t1_axial.png", Domain.MR_T1)
        synthetic = replace(mr, synthetic=Synthetic("model", "0"))
        comparison = Comparison(ct, synthetic, mr)
        assert comparison.verdict.comparable, folder.name
        assert comparison.scores(0).ssim == pytest.approx(1)
        for moved in (_moved(mr, (0, 0, 0), (-6, 8, 0)), _moved(mr, (0, 0, 10), (0, 0, 0))):
            assert not Comparison(ct, synthetic, moved).verdict.comparable, folder.name


@pytest.mark.shared_data
def test_the_pork_phantom_passes_only_after_registration(shared_data):
    from ctmri_core.io.opening import open_volume

    folder = shared_data / "porcine_ct_t2"
    ct = open_volume(folder / "ct.nii.gz")
    registered = replace(open_volume(folder / "mr_t2_on_ct_grid.nii.gz"), domain=Domain.MR_T2)
    delivered = replace(open_volume(folder / "mr_t2.nii.gz"), domain=Domain.MR_T2)
    synthetic = replace(registered, synthetic=Synthetic("model", "0"))
    ct = replace(ct, domain=Domain.CT)
    assert Comparison(ct, synthetic, registered).verdict.comparable
    assert not Comparison(ct, synthetic, delivered).verdict.comparable
    other = replace(synthetic, domain=Domain.MR_T1)
    assert "Alignment: not aligned" in Comparison(ct, other, delivered).verdict.message
    assert "Alignment: good" in Comparison(ct, other, registered).verdict.message
