"""Scores of slices, regions and volumes are those of numpy and scikit-image on the same voxels."""

import math
from dataclasses import replace

import numpy as np
import pytest
from skimage.metrics import structural_similarity

from ctmri_core.alignment import CoarsePair
from ctmri_core.comparison import Comparison
from ctmri_core.domain import Domain
from ctmri_core.errors import GeometryMismatch
from ctmri_core.events import finish
from ctmri_core.geometry import Geometry, rigid_transform
from ctmri_core.metrics.synthrad import psnr_hu, ssim_2023
from ctmri_core.metrics.volume_ssim import VolumeSsim
from ctmri_core.phantom import make_head
from ctmri_core.preprocess.resample import resample_array, resample_to, sample_plane
from ctmri_core.volume import Synthetic


@pytest.fixture(scope="module")
def head():
    return make_head(5, voxel_mm=3.0)


@pytest.fixture(scope="module")
def volumes(head):
    """(source, synthetic, truth) of CT made from MR, all on one grid, int16."""
    source = head[Domain.MR_T1]
    truth = resample_to(head[Domain.CT], source.geometry)
    noise = np.random.default_rng(0).normal(0, 60, source.geometry.shape)
    noisy = np.rint(0.95 * truth.voxels + noise).astype(np.int16)
    return source, replace(truth, voxels=noisy, synthetic=Synthetic("model", "0")), truth


@pytest.fixture(scope="module")
def comparison(volumes):
    return Comparison(*volumes)


@pytest.fixture(scope="module")
def body(volumes):
    pair = CoarsePair(volumes[0], volumes[2])
    return resample_array(pair.body.astype(np.float32), pair.grid, volumes[0].geometry) >= 0.5


def _expected(synthetic, truth, mask, alone):
    """(SSIM, PSNR, MAE) of one slice or volume in HU by definition; `alone`: air outside the mask."""
    a, b = (np.clip(image.astype(np.float64), -1024, 3000) + 1024 for image in (synthetic, truth))
    if alone:
        a, b = a * mask, b * mask
    inner = (slice(3, -3),) * a.ndim
    similarity = structural_similarity(a, b, data_range=4024, full=True)[1][inner][mask[inner]].mean()
    error = (a - b)[mask]
    off = np.abs(synthetic.astype(np.float64) - truth)[mask].mean()
    return similarity, 10 * np.log10(4024**2 / (error**2).mean()), off


def _assert_equal(scores, expected):
    assert (scores.ssim, scores.psnr, scores.mae) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_slices_along_every_axis_are_scored_as_numpy_and_scikit_image_do(comparison, volumes, body, axis):
    _, synthetic, truth = volumes
    k = synthetic.voxels.shape[axis] // 2 + 2
    planes = [np.take(array, k, axis) for array in (synthetic.voxels, truth.voxels, body)]
    inside = comparison.scores(k, axis)
    _assert_equal(inside, _expected(*planes, alone=True))
    assert inside.voxels == planes[2].sum()
    assert inside.convention.startswith("body only; HU clipped")
    everywhere = comparison.scores(k, axis, inside="slice")
    _assert_equal(everywhere, _expected(*planes[:2], np.ones_like(planes[2]), alone=False))
    assert "whole slice; HU clipped" in everywhere.convention


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_the_curve_holds_the_scores_of_all_slices_in_order(comparison, axis):
    ks, curve = [], []
    for slices, scores in comparison.curve(axis):
        ks += slices
        curve += scores
    assert ks == list(range(comparison.slices(axis).shape[0]))
    for k in ks[:: len(ks) // 12]:
        alone = comparison.scores(k, axis)
        assert (alone is None) == (curve[k] is None)
        if alone is not None:
            _assert_equal(alone, (curve[k].ssim, curve[k].psnr, curve[k].mae))
    assert curve[0] is None or curve[-1] is None, "beside the body there are no numbers"


def test_a_curve_may_be_left_at_any_piece(volumes, monkeypatch):
    monkeypatch.setattr("ctmri_core.comparison.comparison._BLOCK_VOXELS", 1)
    pieces = Comparison(*volumes).curve()
    assert [next(pieces)[0] for _ in range(3)] == [range(0, 1), range(1, 2), range(2, 3)]
    pieces.close()
    with pytest.raises(StopIteration):
        next(pieces)


def test_a_region_is_scored_as_it_is_drawn_in_the_body_or_not(comparison, volumes):
    _, synthetic, truth = volumes
    grid = comparison.slices()
    count, rows, columns = grid.shape
    k = count // 2
    region = np.hypot(*(np.indices((rows, columns)) - np.array([[[rows / 2]], [[10]]]))) < 12
    plane = grid.cropped((k, 0, 0), (1, rows, columns))
    scores = comparison.region_scores(region[None], plane)
    _assert_equal(scores, _expected(synthetic.voxels[k], truth.voxels[k], region, alone=False))
    assert scores.voxels == region.sum()
    assert scores.convention.startswith("region, body or not;")
    deep = np.zeros(grid.shape, np.bool_)
    deep[k - 4 : k + 4] = region
    _assert_equal(comparison.region_scores(deep), _expected(synthetic.voxels, truth.voxels, deep, alone=False))


def test_small_and_empty_regions(comparison, volumes):
    _, synthetic, truth = volumes
    grid = comparison.slices()
    plane = grid.cropped((20, 0, 0), (1, *grid.shape[1:]))
    corner = np.zeros(plane.shape, np.bool_)
    corner[0, 1, 2] = True
    scores = comparison.region_scores(corner, plane)
    assert math.isnan(scores.ssim), "no window fits about a pixel at the edge"
    assert scores.mae == abs(int(synthetic.voxels[20, 1, 2]) - int(truth.voxels[20, 1, 2]))
    assert comparison.region_scores(np.zeros(plane.shape, np.bool_), plane) is None
    away = plane.cropped((0, 900, 900), plane.shape)
    assert comparison.region_scores(np.ones(plane.shape, np.bool_), away) is None
    with pytest.raises(GeometryMismatch, match="region is boolean"):
        comparison.region_scores(corner)
    with pytest.raises(GeometryMismatch, match="region is boolean"):
        comparison.region_scores(corner.astype(np.uint8), plane)


def test_the_volume_is_scored_as_synthrad_does(comparison, volumes, body, monkeypatch):
    _, synthetic, truth = volumes
    scores = finish(comparison.volume_scores())
    expected = ssim_2023(np.clip(truth.voxels, -1024, 3000), np.clip(synthetic.voxels, -1024, 3000), body)
    _assert_equal(scores, (expected, psnr_hu(truth.voxels, synthetic.voxels, body), _expected_error(synthetic, truth, body)))
    _assert_equal(scores, _expected(synthetic.voxels, truth.voxels, body, alone=True))
    assert "SSIM uniform 7 × 7 × 7 of HU + 1024" in scores.convention
    monkeypatch.setattr("ctmri_core.comparison.comparison._BLOCK_VOXELS", 1)
    assert finish(comparison.volume_scores()) == scores, "however many slices are taken at a time"


def _expected_error(synthetic, truth, mask):
    return np.abs(synthetic.voxels.astype(np.float64) - truth.voxels)[mask].mean()


def test_the_volume_of_mr_counts_in_parts_of_its_range(head, volumes):
    source = volumes[2]
    truth = head[Domain.MR_T1]
    synthetic = replace(truth, voxels=(truth.voxels * 0.8 + 40).astype(np.float32), synthetic=Synthetic("model", "0"))
    scores = finish(Comparison(source, synthetic, truth).volume_scores())
    assert scores.unit == "% of range"
    assert scores.mae == pytest.approx(0, abs=0.1)
    assert scores.ssim == pytest.approx(1, abs=1e-3)


def test_volume_ssim_gives_the_figures_of_the_deterministic_phantom():
    z, y, x = np.meshgrid(np.arange(32), np.arange(48), np.arange(40), indexing="ij")
    truth = 1000 * np.sin(x / 7) * np.cos(y / 9) + 20 * z
    images = truth, truth + 50 * np.cos((x + 2 * y + 3 * z) / 5)
    mask = ((x - 20) / 16) ** 2 + ((y - 24) / 20) ** 2 + ((z - 16) / 14) ** 2 <= 1
    for shift, inside, expected in (
        (0, np.ones_like(mask), 0.979681562896),
        (1024, np.ones_like(mask), 0.982530401503),
        (1024, mask, 0.991187819562),
    ):
        volume = VolumeSsim(4024.0)
        a, b = (np.where(inside, image, -1024) + shift for image in images)
        for k in range(32):
            volume.add(a[k], b[k], np.ascontiguousarray(inside[k]))
        assert volume.mean == pytest.approx(expected, abs=1e-9)


def test_a_stack_of_few_slices_has_no_ssim_in_three_dimensions(volumes):
    count, rows, columns = volumes[0].geometry.shape
    thin = [resample_to(volume, volume.geometry.cropped((count // 2, 0, 0), (5, rows, columns))) for volume in volumes]
    scores = finish(Comparison(*thin).volume_scores())
    assert math.isnan(scores.ssim)
    assert scores.psnr == pytest.approx(35, abs=3)


def test_slices_that_cut_the_grid_askew_are_scored_too(comparison, volumes):
    """A reformat that a pane shows: both volumes are sampled on it."""
    source, _, truth = volumes
    grid = source.geometry
    tilted = Geometry.from_affine(grid.shape, rigid_transform((8, 0, 5), (0, 0, 0), tuple(grid.centre)) @ grid.affine)
    middle = grid.shape[0] // 2
    scores = comparison.scores(middle, tilted)
    assert scores.convention.startswith("body only; both resampled (linear) to this plane; ")
    assert 0.4 < scores.mae / comparison.scores(middle).mae < 1, "interpolation evens out noise"
    perfect = Comparison(source, replace(truth, synthetic=Synthetic("model", "0")), truth)
    same = perfect.scores(middle, tilted)
    assert (same.ssim, same.psnr, same.mae) == (pytest.approx(1), math.inf, 0)
    assert same.voxels == pytest.approx(comparison.scores(middle).voxels, rel=0.1)
    assert sum(scores is not None for _, each in perfect.curve(tilted) for scores in each) > grid.shape[0] // 2


def test_a_truth_on_a_grid_of_its_own_counts_where_it_is(head, volumes, body):
    source, synthetic, _ = volumes
    truth = head[Domain.CT]
    count, rows, columns = truth.geometry.shape
    upper = resample_to(truth, truth.geometry.cropped((count // 2, 0, 0), (count - count // 2, rows, columns)))
    both = Comparison(source, synthetic, upper)
    scores = finish(both.volume_scores())
    assert "truth resampled (linear) to source's grid" in scores.convention
    assert 0.3 * body.sum() < scores.voxels < 0.7 * body.sum()
    assert scores.mae == pytest.approx(60, rel=0.5)
    sides = [each is not None for _, some in both.curve(1) for each in some]
    assert sum(sides) > 20, "a slice that both show in part is scored there"


def test_without_a_comparison_there_is_nothing(volumes):
    source, synthetic, truth = volumes
    nothing = Comparison(source, synthetic, replace(truth, domain=Domain.MR_T2))
    assert finish(nothing.volume_scores()) is None
    assert list(nothing.curve()) == []
    assert nothing.region_scores(np.ones(source.geometry.shape, np.bool_)) is None
    assert nothing.scores(20, 1) is None


@pytest.mark.parametrize("inside", ["body", "slice"])
def test_samples_that_are_at_hand_give_the_same_scores(head, volumes, inside):
    """A pane has sampled the truth already, with any values beyond it."""
    source, synthetic, truth = volumes
    upper = resample_to(truth, truth.geometry.cropped((0, 0, 0), (truth.geometry.shape[0], 50, truth.geometry.shape[2])))
    for real in (head[Domain.CT], upper):
        comparison, grid = Comparison(source, synthetic, real), source.geometry
        k = grid.shape[0] // 2
        picture = sample_plane(real, grid.cropped((k, 0, 0), (1, *grid.shape[1:])))
        found = comparison.scores(k, inside=inside, truth=picture)
        assert found == comparison.scores(k, inside=inside)
        assert found != comparison.scores(k, inside=inside, truth=picture + np.float32(100)), "they are used"
    with pytest.raises(GeometryMismatch, match="samples"):
        comparison.scores(k, truth=picture[1:])
