"""Correlation, information, histograms, gradients and multi-scale structure against other libraries and closed forms."""

import math
from functools import partial

import numpy as np
import pytest
import SimpleITK as sitk
import torch
from monai.metrics import MultiScaleSSIMMetric
from scipy import ndimage, stats
from skimage.metrics import structural_similarity

from ctmri_core.errors import GeometryMismatch, NotComparable
from ctmri_core.metrics.alignment import mutual_information, normalized_mutual_information
from ctmri_core.metrics.correlation import ncc
from ctmri_core.metrics.errors import bias, mae
from ctmri_core.metrics.gradients import gradient_deviation, gradient_similarity
from ctmri_core.metrics.halving import block_majority, block_means
from ctmri_core.metrics.histogram import histogram_distance
from ctmri_core.metrics.ssim_scales import SCALE_WEIGHTS, ms_ssim


def _pair(shape, seed=0, noise=60.0):
    rng = np.random.default_rng(seed)
    smooth = ndimage.gaussian_filter(rng.normal(0, 1, shape), 2)
    a = 400 * smooth / smooth.std()
    return a, a + rng.normal(0, noise, shape)


@pytest.mark.parametrize("shape", [(40, 51), (7, 20, 31)])
def test_correlation_is_that_of_scipy(shape):
    a, b = _pair(shape)
    mask = np.random.default_rng(1).random(shape) > 0.4
    assert ncc(a, b) == pytest.approx(stats.pearsonr(a.ravel(), b.ravel()).statistic, abs=1e-12)
    assert ncc(a, b, mask) == pytest.approx(stats.pearsonr(a[mask], b[mask]).statistic, abs=1e-12)


def test_correlation_is_blind_to_linear_maps_and_keeps_its_digits_far_from_zero():
    a, b = _pair((30, 30))
    assert ncc(a, -3 * b + 8) == pytest.approx(-ncc(a, b), abs=1e-12)
    assert ncc(a, 5 * a - 2) == pytest.approx(1, abs=1e-12)
    assert ncc(a + 1e8, b + 1e8) == pytest.approx(ncc(a, b), abs=1e-6)
    assert ncc(a * 1e200, b * 1e-200) == pytest.approx(ncc(a, b), abs=1e-12)


def test_nothing_correlates_with_a_constant():
    a, _ = _pair((9, 9))
    with pytest.raises(NotComparable, match="MAE instead"):
        ncc(a, np.full(a.shape, 0.1))
    inside = np.zeros(a.shape, bool)
    inside[2, 3] = True
    with pytest.raises(NotComparable, match="constant"):
        ncc(a, a, inside)


def test_bias_has_the_sign_of_synthetic_less_truth():
    truth, synthetic = np.full((4, 4), 10, np.int16), np.full((4, 4), 7, np.int16)
    assert bias(truth, synthetic) == -3
    assert bias(synthetic, truth) == 3


def test_information_of_gaussians_is_the_closed_form():
    rng = np.random.default_rng(7)
    a = rng.normal(0, 1, 1_000_000).reshape(100, 100, 100)
    for rho in (0.0, 0.6, 0.9):
        b = rho * a + math.sqrt(1 - rho**2) * rng.normal(0, 1, a.shape)
        assert mutual_information(a, b) == pytest.approx(-0.5 * math.log2(1 - rho**2), abs=0.05)


def test_information_is_that_of_simpleitk_within_what_its_smoothing_changes():
    a, b = _pair((24, 40, 40), noise=120.0)
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(64)
    method.SetInitialTransform(sitk.TranslationTransform(3))
    method.SetInterpolator(sitk.sitkNearestNeighbor)
    theirs = -method.MetricEvaluate(*(sitk.GetImageFromArray(image.astype(np.float32)) for image in (a, b))) / math.log(2)
    assert mutual_information(a, b) == pytest.approx(theirs, rel=0.15)


def test_information_is_symmetric_bounded_and_none_of_constants():
    a, b = _pair((40, 40))
    assert mutual_information(a, b) == pytest.approx(mutual_information(b, a), abs=1e-12)
    assert mutual_information(a, a) <= 6
    assert mutual_information(a, np.ones_like(a)) == 0
    joint = mutual_information(a, b, bins=16)
    assert normalized_mutual_information(a, b, bins=16) > 1 + joint / 8  # H(a, b) is at most 8 bits


def test_histogram_distance_is_the_wasserstein_distance_of_scipy():
    a, b = _pair((30, 31))
    mask = np.random.default_rng(1).random(a.shape) > 0.4
    assert histogram_distance(a, b) == pytest.approx(stats.wasserstein_distance(a.ravel(), b.ravel()), rel=1e-12)
    assert histogram_distance(a, b, mask) == pytest.approx(stats.wasserstein_distance(a[mask], b[mask]), rel=1e-12)
    assert histogram_distance(a, a[::-1]) == 0
    assert histogram_distance(a, a + 5) == pytest.approx(5)
    assert histogram_distance(a, b) <= mae(a, b)


@pytest.mark.parametrize("shape", [(40, 51), (13, 20, 31)])
def test_gradient_similarity_is_that_written_out_with_scipy(shape):
    a, b = _pair(shape)
    mask = np.random.default_rng(1).random(shape) > 0.4
    similarity = _gradient_map(a, b, 4000)
    inner = (slice(1, -1),) * len(shape)
    assert gradient_similarity(a, b, data_range=4000) == pytest.approx(similarity.mean(), abs=1e-12)
    assert gradient_deviation(a, b, data_range=4000) == pytest.approx(similarity.std(), abs=1e-12)
    blocks = np.add.reduceat(mask.astype(float), range(0, shape[0], 2), axis=0)
    for axis in range(1, len(shape)):
        blocks = np.add.reduceat(blocks, range(0, shape[axis], 2), axis=axis)
    whole = tuple(slice(n // 2) for n in shape)
    chosen = (blocks[whole] * 2 >= 2 ** len(shape))[inner]
    assert gradient_similarity(a, b, data_range=4000, mask=mask) == pytest.approx(similarity[chosen].mean(), abs=1e-12)


def _gradient_map(a, b, data_range):
    """Xue et al. 2014, Eq. 4, where the 3 x 3 (x 3) window lies inside."""
    ndim = a.ndim
    inner = (slice(1, -1),) * ndim
    magnitudes = []
    for image in (a, b):
        halved = ndimage.uniform_filter(image, 2, origin=-1)[(slice(None, None, 2),) * ndim]
        halved = halved[tuple(slice(n // 2) for n in image.shape)]
        parts = []
        for axis in range(ndim):
            kernel = np.ones((3,) * ndim) / 3 ** (ndim - 1)
            kernel *= np.array([-1, 0, 1]).reshape([3 if n == axis else 1 for n in range(ndim)])
            parts.append(ndimage.correlate(halved, kernel)[inner])
        magnitudes.append(np.sqrt(sum(part**2 for part in parts)))
    g, h = magnitudes
    c = 170 * (data_range / 255) ** 2
    return (2 * g * h + c) / (g**2 + h**2 + c)


def test_blocks_drop_what_is_left_over():
    image = np.arange(35.0).reshape(5, 7)
    np.testing.assert_allclose(block_means(image), [[4, 6, 8], [18, 20, 22]])
    volume = np.random.default_rng(0).random((5, 4, 7)).astype(np.float32)
    expected = volume[:4, :, :6].astype(float).reshape(2, 2, 2, 2, 3, 2).mean((1, 3, 5))
    np.testing.assert_allclose(block_means(volume), expected)
    mask = np.zeros((4, 4), bool)
    mask[0, :3] = mask[2, 2] = True
    assert block_majority(mask).tolist() == [[True, False], [False, False]]


def _scales_written_out(a, b, data_range, window, mask=None):
    """Means of the maps of SSIM and contrast-structure of scikit-image's SSIM, whose luminance is divided out."""
    gaussian = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    options, margin = (gaussian, 5) if window == "gaussian1.5" else ({"win_size": 7}, 3)
    product, c1 = 1.0, (0.01 * data_range) ** 2
    for scale, weight in enumerate(SCALE_WEIGHTS):
        inner = (slice(margin, -margin),) * a.ndim
        similarity = structural_similarity(a, b, data_range=data_range, full=True, **options)[1]
        blur = partial(ndimage.gaussian_filter, sigma=1.5, radius=5) if margin == 5 else partial(ndimage.uniform_filter, size=7)
        m, n = blur(a), blur(b)
        luminance = (2 * m * n + c1) / (m**2 + n**2 + c1)
        part = (similarity if scale == 4 else similarity / luminance)[inner]
        product *= (part.mean() if mask is None else part[mask[inner]].mean()) ** weight
        whole = tuple(slice(n // 2 * 2) for n in a.shape)
        a, b = (ndimage.uniform_filter(x[whole], 2, origin=-1)[(slice(None, None, 2),) * x.ndim] for x in (a, b))
        if mask is not None:
            mask = ndimage.uniform_filter(mask[whole].astype(float), 2, origin=-1)[(slice(None, None, 2),) * a.ndim] >= 0.5 - 1e-9
    return product


@pytest.mark.parametrize("shape", [(180, 201), (113, 112, 114)])
def test_scales_are_those_written_out_with_scikit_image(shape):
    a, b = (image + 1024 for image in _pair(shape, noise=200))
    window = "gaussian1.5" if len(shape) == 2 else "uniform7"
    assert ms_ssim(a, b, data_range=4024, window=window) == pytest.approx(_scales_written_out(a, b, 4024, window), abs=1e-9)
    mask = sum(axis**2 for axis in np.ogrid[tuple(slice(-1, 1, n * 1j) for n in shape)]) < 0.8
    expected = _scales_written_out(a, b, 4024, window, mask)
    assert ms_ssim(a, b, data_range=4024, window=window, mask=mask) == pytest.approx(expected, abs=1e-9)


def test_scales_are_those_of_monai():
    a, b = (image + 1024 for image in _pair((192, 208), noise=200))
    tensors = [torch.from_numpy(image)[None, None] for image in (b, a)]
    theirs = float(MultiScaleSSIMMetric(spatial_dims=2, data_range=4024.0)(*tensors))
    assert ms_ssim(a, b, data_range=4024) == pytest.approx(theirs, abs=2e-4)


def test_scales_need_room_and_say_how_much():
    a, b = _pair((175, 300))
    with pytest.raises(GeometryMismatch, match="176 along each axis are needed"):
        ms_ssim(a, b, data_range=4024)
    assert 0 < ms_ssim(a, b, data_range=4024, scales=4) < 1
    assert 0 < ms_ssim(a, b, data_range=4024, window="uniform7") < 1
    assert ms_ssim(a, -a, data_range=1, scales=2) == 0  # what a negative mean would be to a broken power
    corner = np.zeros(a.shape, bool)
    corner[20:23, 20:23] = True
    with pytest.raises(NotComparable, match="no window of the coarsest"):
        ms_ssim(a, b, data_range=4024, scales=4, mask=corner)
    with pytest.raises(NotComparable, match="one to 5 scales"):
        ms_ssim(a, b, data_range=4024, scales=6)


def test_gradients_need_room():
    a, b = _pair((5, 40))
    with pytest.raises(GeometryMismatch, match="6 along each axis"):
        gradient_similarity(a, b, data_range=1)
    edge = np.zeros((20, 20), bool)
    edge[:2] = True
    with pytest.raises(NotComparable, match="no gradient reaches"):
        gradient_similarity(*_pair((20, 20)), data_range=1, mask=edge)
