"""SSIM against scikit-image and against the reference values of the deterministic phantom."""

import numpy as np
import pytest
from skimage.metrics import structural_similarity

from ctmri_core.errors import GeometryMismatch
from ctmri_core.metrics.ssim import ssim, ssim_map

_GAUSSIAN = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}


def _reference(a, b, data_range, window, full=False):
    options = _GAUSSIAN if window == "gaussian1.5" else {"win_size": 7}
    return structural_similarity(a.astype(float), b.astype(float), data_range=data_range, full=full, **options)


def _pair(shape, dtype, seed=0):
    rng = np.random.default_rng(seed)
    a = rng.normal(200, 600, shape)
    return a.astype(dtype), (0.8 * a + rng.normal(0, 150, shape)).astype(dtype)


@pytest.mark.parametrize("window", ["uniform7", "gaussian1.5"])
@pytest.mark.parametrize("shape", [(40, 57), (11, 90), (12, 19, 23)])
@pytest.mark.parametrize("dtype", [np.int16, np.float32, np.float64])
def test_agrees_with_scikit_image(window, shape, dtype):
    a, b = _pair(shape, dtype)
    assert ssim(a, b, data_range=4024, window=window) == pytest.approx(_reference(a, b, 4024, window), abs=1e-6)


@pytest.mark.parametrize("window", ["uniform7", "gaussian1.5"])
@pytest.mark.parametrize("shape", [(33, 41), (40, 19, 15)])
def test_map_and_masked_mean_agree_with_scikit_image(window, shape):
    a, b = _pair(shape, np.float32)
    margin = 3 if window == "uniform7" else 5
    inner = tuple(slice(margin, n - margin) for n in shape)
    expected = _reference(a, b, 3000, window, full=True)[1]
    found = ssim_map(a, b, data_range=3000, window=window)
    np.testing.assert_allclose(found[inner], expected[inner], atol=1e-6)
    assert np.isnan(found).sum() == found.size - found[inner].size
    mask = np.random.default_rng(1).random(shape) > 0.6
    assert ssim(a, b, data_range=3000, mask=mask, window=window) == pytest.approx(expected[inner][mask[inner]].mean(), abs=1e-6)


def test_the_smallest_picture_is_one_window():
    a, b = _pair((7, 7), np.int16)
    assert ssim(a, b, data_range=1000) == pytest.approx(_reference(a, b, 1000, "uniform7"), abs=1e-9)


def test_stays_exact_where_flat_regions_follow_huge_values():
    a, b = np.zeros((2, 60, 64), np.float32)
    a[:10], b[:10] = 3e4, -3e4
    a[30:], b[30:] = 0.25, 0.5
    assert ssim(a, b, data_range=1.0) == pytest.approx(_reference(a, b, 1.0, "uniform7"), abs=1e-6)


def test_views_read_only_arrays_and_mixed_types_are_taken():
    a, b = _pair((50, 60), np.int16)
    a.setflags(write=False)
    whole = ssim(a, b, data_range=4024)
    assert ssim(np.asfortranarray(a), b.astype(np.float32), data_range=4024) == pytest.approx(whole, abs=1e-12)
    assert ssim(a[::-1], b[::-1], data_range=4024) == pytest.approx(whole, abs=1e-12)


def test_equal_images_score_one_and_order_does_not_matter():
    a, b = _pair((30, 30), np.float32)
    assert ssim(a, a, data_range=10.0) == pytest.approx(1.0, abs=1e-12)
    assert ssim(a, b, data_range=10.0) == pytest.approx(ssim(b, a, data_range=10.0), abs=1e-12)


@pytest.mark.parametrize("shape", [(20, 20), (9, 20, 20)])
def test_nan_is_refused_wherever_it_is(shape):
    for where in (0, 137, -1):
        a, b = _pair(shape, np.float32)
        b.flat[where] = np.nan
        with pytest.raises(ValueError, match="not finite"):
            ssim(a, b, data_range=100)


def test_arguments_without_meaning_are_refused():
    a, b = _pair((20, 20), np.float32)
    with pytest.raises(GeometryMismatch, match=r"\(20, 20\) and \(19, 20\)"):
        ssim(a, b[:-1], data_range=1)
    with pytest.raises(GeometryMismatch, match="smaller than the SSIM window of 7"):
        ssim(a[:6], b[:6], data_range=1)
    with pytest.raises(ValueError, match="window is one of"):
        ssim(a, b, data_range=1, window="uniform11")
    for data_range in (0, -1, np.nan, np.inf):
        with pytest.raises(ValueError, match="data range"):
            ssim(a, b, data_range=data_range)
    with pytest.raises(ValueError, match="mask is empty"):
        ssim(a, b, data_range=1, mask=np.zeros(a.shape, bool))
    border = np.zeros(a.shape, bool)
    border[:3] = True
    with pytest.raises(ValueError, match="border"):
        ssim(a, b, data_range=1, mask=border)
    with pytest.raises(ValueError, match="boolean"):
        ssim(a, b, data_range=1, mask=np.ones(a.shape, np.uint8))
