"""Reference numbers of the deterministic phantom, voxelwise errors, SynthRAD scores and alignment measures."""

import numpy as np
import pytest
from skimage.metrics import mean_squared_error
from skimage.metrics import normalized_mutual_information as reference_information

from ctmri_core.errors import GeometryMismatch
from ctmri_core.metrics.alignment import normalized_mutual_information, outline_dice
from ctmri_core.metrics.errors import mae, mse, rmse
from ctmri_core.metrics.psnr import psnr
from ctmri_core.metrics.ssim import ssim
from ctmri_core.metrics.synthrad import ms_ssim_2025, psnr_hu, ssim_2023


@pytest.fixture(scope="module")
def phantom():
    """(truth, prediction, body): closed formulas on 32 x 48 x 40 voxels, so that anyone can recompute the values below."""
    z, y, x = np.mgrid[:32, :48, :40].astype(np.float64)
    truth = 1000 * np.sin(x / 7) * np.cos(y / 9) + 20 * z
    prediction = truth + 50 * np.cos((x + 2 * y + 3 * z) / 5)
    body = ((x - 20) / 16) ** 2 + ((y - 24) / 20) ** 2 + ((z - 16) / 14) ** 2 <= 1
    assert body.sum() == 18_697
    return truth, prediction, body


def test_phantom_errors(phantom):
    truth, prediction, body = phantom
    assert mae(truth, prediction) == pytest.approx(31.831877072776, abs=1e-9)
    assert mae(truth, prediction, body) == pytest.approx(31.876487764415, abs=1e-9)
    assert rmse(truth, prediction) ** 2 == pytest.approx(mean_squared_error(truth, prediction), rel=1e-12)


def test_phantom_psnr(phantom):
    truth, prediction, body = phantom
    assert psnr(truth, prediction, data_range=4024) == pytest.approx(41.123994061610, abs=1e-9)
    assert psnr(truth, prediction, data_range=4024, mask=body) == pytest.approx(41.115123331078, abs=1e-9)
    spread = float(truth.max() - truth.min())
    for data_range, expected in ((2000, 35.051435), (4095, 41.275913), (spread, 37.396854)):
        assert psnr(truth, prediction, data_range=data_range) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("shift", "window", "expected"),
    [
        (0, "uniform7", 0.979681562896),
        (1024, "uniform7", 0.982530401503),
        (0, "gaussian1.5", 0.970142800426),
        (1024, "gaussian1.5", 0.980145),
    ],
)
def test_phantom_ssim_of_the_volume(phantom, shift, window, expected):
    truth, prediction, _ = phantom
    assert ssim(truth + shift, prediction + shift, data_range=4024, window=window) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(("shift", "middle", "mean"), [(0, 0.973085738346, 0.972093060002), (1024, 0.988042, 0.987974)])
def test_phantom_ssim_of_slices(phantom, shift, middle, mean):
    truth, prediction = (image + shift for image in phantom[:2])
    values = [ssim(a, b, data_range=4024) for a, b in zip(truth, prediction, strict=True)]
    assert values[16] == pytest.approx(middle, abs=1e-6)
    assert np.mean(values) == pytest.approx(mean, abs=1e-6)


def test_phantom_challenge_scores(phantom):
    assert ssim_2023(*phantom) == pytest.approx(0.991187819562, abs=1e-9)
    assert ms_ssim_2025(*phantom) == pytest.approx(0.998969541387, abs=1e-9)
    truth, prediction, body = phantom
    assert psnr_hu(truth * 10, prediction * 10, body) > psnr(truth * 10, prediction * 10, data_range=4024, mask=body)


def test_errors_of_integers_do_not_wrap_around():
    low, high = np.full((3, 3), -30000, np.int16), np.full((3, 3), 30000, np.int16)
    assert mae(low, high) == 60000
    assert mse(low, high) == 60000**2


@pytest.mark.parametrize("measure", [mae, mse, rmse])
def test_errors_refuse_what_they_cannot_compare(measure):
    image = np.zeros((4, 5), np.float32)
    with pytest.raises(GeometryMismatch):
        measure(image, image.T)
    with pytest.raises(GeometryMismatch):
        measure(image, image, np.ones((2, 2), bool))
    with pytest.raises(ValueError, match="mask is empty"):
        measure(image, image, np.zeros(image.shape, bool))
    with pytest.raises(ValueError, match="images are empty"):
        measure(image[:0], image[:0])
    holed = image.copy()
    holed[1, 1] = np.nan
    with pytest.raises(ValueError, match="not finite"):
        measure(image, holed)
    elsewhere = np.ones(image.shape, bool)
    elsewhere[1, 1] = False
    assert measure(image, holed, elsewhere) == 0


def test_dice_counts_the_overlap():
    a, b = np.zeros((2, 10), bool)
    a[:6], b[4:] = True, True
    assert outline_dice(a, b) == pytest.approx(2 * 2 / 12)
    assert outline_dice(a, a) == 1
    with pytest.raises(ValueError, match="no outline"):
        outline_dice(a & ~a, a & ~a)


def test_mutual_information_agrees_with_scikit_image():
    rng = np.random.default_rng(5)
    a = rng.random((60, 60)).astype(np.float32)
    b = (a**2 + 0.1 * rng.random(a.shape)).astype(np.float32)
    lows, highs = zip(*(np.percentile(v, (0.5, 99.5)) for v in (a, b)), strict=True)
    clipped = [np.clip(v, low, high) for v, low, high in zip((a, b), lows, highs, strict=True)]
    assert normalized_mutual_information(a, b, bins=32) == pytest.approx(reference_information(*clipped, bins=32), abs=5e-3)


def test_mutual_information_is_two_for_a_bijection_and_near_one_for_noise():
    rng = np.random.default_rng(6)
    a = rng.random(40_000)
    assert normalized_mutual_information(a, 3 - 7 * a) == pytest.approx(2, abs=0.02)
    assert normalized_mutual_information(a, rng.random(a.shape), bins=16) == pytest.approx(1, abs=2e-3)
    assert normalized_mutual_information(np.ones(9), np.ones(9)) == 1
    with pytest.raises(ValueError, match="not finite"):
        normalized_mutual_information(a, np.full(a.shape, np.nan))
