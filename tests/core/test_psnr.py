"""PSNR against scikit-image."""

import math

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio

from ctmri_core.metrics.psnr import psnr


@pytest.mark.parametrize("dtype", [np.int16, np.float32])
def test_agrees_with_scikit_image_also_inside_a_mask(dtype):
    rng = np.random.default_rng(3)
    a = rng.normal(0, 700, (9, 20, 21)).astype(dtype)
    b = (a + rng.normal(0, 40, a.shape)).astype(dtype)
    mask = rng.random(a.shape) > 0.5
    wide_a, wide_b = a.astype(float), b.astype(float)
    assert psnr(a, b, data_range=4024) == pytest.approx(peak_signal_noise_ratio(wide_a, wide_b, data_range=4024), abs=1e-9)
    inside = peak_signal_noise_ratio(wide_a[mask], wide_b[mask], data_range=2000)
    assert psnr(a, b, data_range=2000, mask=mask) == pytest.approx(inside, abs=1e-9)


def test_integers_do_not_wrap_around():
    low, high = np.full((8, 8), -32768, np.int16), np.full((8, 8), 32767, np.int16)
    assert psnr(low, high, data_range=65535) == pytest.approx(0.0, abs=1e-12)


def test_equal_images_are_infinitely_good():
    image = np.ones((4, 4), np.float32)
    assert psnr(image, image, data_range=1) == math.inf


@pytest.mark.parametrize("data_range", [0, -4, math.nan, math.inf])
def test_needs_a_positive_range(data_range):
    with pytest.raises(ValueError, match="data range"):
        psnr(np.zeros((2, 2)), np.ones((2, 2)), data_range=data_range)
