"""The SynthRAD scores against their definitions written out with numpy, scipy and scikit-image, and their demands."""

import tracemalloc

import numpy as np
import pytest
from scipy import ndimage
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from ctmri_core.errors import GeometryMismatch, NotComparable
from ctmri_core.metrics.errors import mae
from ctmri_core.metrics.ssim_scales import SCALE_WEIGHTS
from ctmri_core.metrics.synthrad import ms_ssim_2025, psnr_hu, ssim_2023, synthrad_2023, synthrad_2025


def _case(shape, dtype=np.float32, seed=0):
    """(truth, synthetic, mask): some voxels far outside [-1024, 3000] HU."""
    rng = np.random.default_rng(seed)
    truth = 700 * ndimage.gaussian_filter(rng.normal(0, 8, shape), 1.5) + 200
    synthetic = 0.9 * truth + rng.normal(0, 80, shape)
    mask = sum(axis**2 for axis in np.ogrid[tuple(slice(-1, 1, n * 1j) for n in shape)]) < 0.9
    return truth.astype(dtype), synthetic.astype(dtype), mask


def _ssim_2023(truth, synthetic, mask):
    a, b = (np.where(mask, image.astype(float), -1024) + 1024 for image in (truth, synthetic))
    similarity = structural_similarity(a, b, data_range=4024, full=True)[1]
    return similarity[3:-3, 3:-3, 3:-3][mask[3:-3, 3:-3, 3:-3]].mean()


def _ms_ssim_2025(truth, synthetic, mask):
    """With luminance, contrast and structure apart, as the published code has them (METHODS 8.1)."""
    padding = [(max(0, 97 - n) // 2, max(0, 97 - n) - max(0, 97 - n) // 2) for n in mask.shape]
    a, b = (np.where(mask, np.clip(image.astype(float), -1024, 3000), -1024) + 1024 for image in (truth, synthetic))
    a, b, mask = (np.pad(image, padding, mode="edge") for image in (a, b, mask))
    c1, c2, product = 40.24**2, 120.72**2, 1.0
    for weight in SCALE_WEIGHTS:
        m, n = ndimage.uniform_filter(a, 7), ndimage.uniform_filter(b, 7)
        v, w = ((ndimage.uniform_filter(x * x, 7) - y * y).clip(0) * 343 / 342 for x, y in ((a, m), (b, n)))
        both = (ndimage.uniform_filter(a * b, 7) - m * n) * 343 / 342
        luminance = (2 * m * n + c1) / (m * m + n * n + c1)
        contrast = (2 * np.sqrt(v * w) + c2) / (v + w + c2)
        structure = (both + c2 / 2) / (np.sqrt(v * w) + c2 / 2)
        score = luminance.clip(0) ** weight * contrast.clip(0) ** weight * structure.clip(0) ** weight
        inner = (slice(3, -3),) * 3
        product *= score[inner][mask[inner]].mean()
        a, b = (ndimage.uniform_filter(x, 2, mode="constant")[::2, ::2, ::2] for x in (a, b))
        mask = mask[::2, ::2, ::2]
    return product


@pytest.mark.parametrize(("shape", "dtype"), [((30, 41, 52), np.int16), ((23, 100, 101), np.float32), ((99, 98, 97), np.float64)])
def test_scores_are_the_definitions_written_out(shape, dtype):
    truth, synthetic, mask = _case(shape, dtype)
    wide = [image.astype(float) for image in (truth, synthetic)]
    old, new = synthrad_2023(truth, synthetic, mask), synthrad_2025(truth, synthetic, mask)
    assert old.mae == new.mae == pytest.approx(np.abs(wide[0] - wide[1])[mask].mean(), abs=1e-9)
    clipped = [np.clip(image, -1024, 3000)[mask] for image in wide]
    assert old.psnr == new.psnr == pytest.approx(peak_signal_noise_ratio(*clipped, data_range=4024), abs=1e-9)
    assert old.ssim == pytest.approx(_ssim_2023(truth, synthetic, mask), abs=1e-9)
    assert new.ms_ssim == pytest.approx(_ms_ssim_2025(truth, synthetic, mask), abs=1e-9)


def test_what_lies_outside_the_mask_does_not_matter():
    truth, synthetic, mask = _case((20, 30, 30))
    holed = synthetic.copy()
    holed[~mask] = np.nan
    assert synthrad_2023(truth, holed, mask) == synthrad_2023(truth, synthetic, mask)
    assert synthrad_2025(truth, holed, mask) == synthrad_2025(truth, synthetic, mask)


@pytest.mark.parametrize("score", [ssim_2023, ms_ssim_2025, psnr_hu])
def test_nonsense_is_refused(score):
    truth, synthetic, mask = _case((20, 30, 30))
    for value in (np.nan, np.inf):  # clipping would turn infinity into metal
        holed = synthetic.copy()
        holed[10, 15, 15] = value
        with pytest.raises(NotComparable, match="not finite"):
            score(truth, holed, mask)
    with pytest.raises(NotComparable, match="mask is empty"):
        score(truth, synthetic, mask & False)
    with pytest.raises(NotComparable, match="8 bits"):
        score(truth, synthetic.astype(np.uint8), mask)
    with pytest.raises(GeometryMismatch):
        score(truth, synthetic[:-1], mask)


def test_masks_and_volumes_that_hold_no_window_are_refused():
    truth, synthetic, mask = _case((20, 30, 30))
    border = np.zeros_like(mask)
    border[:3] = True
    with pytest.raises(NotComparable, match="border"):
        ssim_2023(truth, synthetic, border)
    few = np.zeros_like(mask)
    few[5, 7, 7] = True
    with pytest.raises(NotComparable, match="coarsest scale"):
        ms_ssim_2025(truth, synthetic, few)
    with pytest.raises(GeometryMismatch, match="window of 7"):
        ssim_2023(truth[:6], synthetic[:6], mask[7:13])
    for score in (ssim_2023, ms_ssim_2025):
        with pytest.raises(GeometryMismatch, match="of volumes"):
            score(truth[9], synthetic[9], mask[9])


def test_memory_stays_far_below_that_of_the_volumes():
    truth, synthetic, mask = _case((100, 120, 120))
    synthrad_2023(truth[:20], synthetic[:20], mask[40:60])  # what is loaded once does not count
    tracemalloc.start()
    for score, share in ((mae, 0.1), (psnr_hu, 0.1), (ssim_2023, 0.5), (ms_ssim_2025, 1.2)):
        tracemalloc.reset_peak()
        score(truth, synthetic, mask)
        assert tracemalloc.get_traced_memory()[1] < share * truth.nbytes
    tracemalloc.stop()
