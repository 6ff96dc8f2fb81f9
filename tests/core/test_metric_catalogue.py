"""Every measure keeps what the catalogue says of it, whatever the type, order and size of the images."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from ctmri_core.errors import CtmriError, GeometryMismatch, NotComparable
from ctmri_core.metrics.catalogue import GROUPS, METRICS
from ctmri_core.metrics.metrics_page import metrics_page

_IMAGES = [metric for metric in METRICS.values() if metric.takes == "images"]
_BY_KEY = [pytest.param(metric, id=metric.key) for metric in _IMAGES]
_FLAT = [(metric, ndim) for metric in _IMAGES for ndim in metric.dimensions]
_ON_SHAPES = [pytest.param(metric, ndim, id=f"{metric.key}-{ndim}d") for metric, ndim in _FLAT]


def _pair(metric, ndim, noise=80.0, seed=0):
    """(truth, synthetic, mask) with all tissues, int16, just large enough for every measure."""
    shape = {2: (181, 177), 3: (176, 177, 176) if metric.key == "ms_ssim" else (23, 31, 28)}[ndim]
    rng = np.random.default_rng(seed)
    smooth = ndimage.gaussian_filter(rng.normal(0, 1, shape).astype(np.float32), 2.0)
    truth = np.rint(500 * smooth / smooth.std()).astype(np.int16)
    synthetic = np.rint(truth + rng.normal(0, noise, shape)).astype(np.int16)
    return truth, synthetic, sum(axis**2 for axis in np.ogrid[tuple(slice(-1, 1, n * 1j) for n in shape)]) < 0.9


def _score(metric, truth, synthetic, mask):
    return metric.of_images(truth, synthetic, mask=mask, data_range=4024.0)


def _cheap(metric, ndim):
    return metric.key != "ms_ssim" or ndim == 2  # 3-D of it against scikit-image: test_image_metrics


@pytest.mark.parametrize(("metric", "ndim"), [p for p in _ON_SHAPES if _cheap(*p.values)])
def test_range_identity_and_monotony_are_as_the_catalogue_says(metric, ndim):
    truth, _, mask = _pair(metric, ndim)
    perfect = _score(metric, truth, truth, mask)
    noisy = [_score(metric, *_pair(metric, ndim, noise)) for noise in (20.0, 80.0, 300.0)]
    for value in (perfect, *noisy):
        assert metric.lowest - 1e-9 <= value <= metric.highest + 1e-9
    if metric.better == "nearer to 0":
        assert perfect == 0
    elif metric.better == "lower":
        assert perfect == pytest.approx(0, abs=1e-6)
        assert perfect < noisy[0] < noisy[1] < noisy[2]
    else:
        assert perfect > noisy[0] > noisy[1] > noisy[2]
        if metric.key != "mutual_information":
            assert perfect == pytest.approx(metric.highest, abs=1e-5)


@pytest.mark.parametrize(("metric", "ndim"), [p for p in _ON_SHAPES if _cheap(*p.values)])
def test_type_and_memory_order_do_not_matter_and_nothing_is_changed(metric, ndim):
    truth, synthetic, mask = _pair(metric, ndim)
    expected = _score(metric, truth, synthetic, mask)
    before = truth.copy(), synthetic.copy(), mask.copy()
    for image in (truth, synthetic, mask):
        image.setflags(write=False)
    for dtype in (np.float32, np.float64, np.int32, ">i2"):
        assert _score(metric, truth.astype(dtype), synthetic.astype(dtype), mask) == pytest.approx(expected, rel=1e-6, abs=1e-9)
    assert _score(metric, truth.astype(np.float32), synthetic, mask) == pytest.approx(expected, rel=1e-6, abs=1e-9)
    turned = [np.asfortranarray(image) for image in (truth, synthetic, mask)]
    assert _score(metric, *turned) == pytest.approx(expected, rel=1e-9, abs=1e-12)
    spread = [np.repeat(image, 2, axis=-1)[..., ::2] for image in (truth, synthetic, mask)]
    assert _score(metric, *spread) == pytest.approx(expected, rel=1e-9, abs=1e-12)
    for image, kept in zip((truth, synthetic, mask), before, strict=True):
        np.testing.assert_array_equal(image, kept)


_MIRROR = {key for key in METRICS if key.startswith(("mae_", "bias"))}
"""Which image is the truth matters to these."""


@pytest.mark.parametrize("metric", [p for p in _BY_KEY if p.id not in _MIRROR and p.id != "ms_ssim"])
def test_truth_and_synthetic_may_change_places(metric):
    truth, synthetic, mask = _pair(metric, metric.dimensions[0])
    assert _score(metric, truth, synthetic, mask) == pytest.approx(_score(metric, synthetic, truth, mask), rel=1e-9)


@pytest.mark.parametrize("metric", _BY_KEY)
def test_nonsense_is_refused_in_words(metric):
    truth, synthetic, mask = _pair(metric, metric.dimensions[0])
    holed = synthetic.astype(np.float32)
    holed[tuple(n // 2 for n in holed.shape)] = np.nan
    with pytest.raises(NotComparable, match="not finite"):
        _score(metric, truth, holed, mask)
    with pytest.raises(NotComparable, match="mask is empty"):
        _score(metric, truth, synthetic, mask & False)
    with pytest.raises(NotComparable, match="boolean"):
        _score(metric, truth, synthetic, mask.astype(np.uint8))
    with pytest.raises(GeometryMismatch, match="different shapes"):
        _score(metric, truth, synthetic[:-1], mask)
    with pytest.raises(GeometryMismatch, match="mask has shape"):
        _score(metric, truth, synthetic, mask[:-1])
    with pytest.raises(GeometryMismatch, match="dimensions"):
        _score(metric, truth[None, None], synthetic[None, None], mask[None, None])
    if metric.data_range:
        for wrong in (0.0, -1.0, math.nan, math.inf):
            with pytest.raises(NotComparable, match="data range must be"):
                metric.of_images(truth, synthetic, mask=mask, data_range=wrong)
        with pytest.raises(NotComparable, match="needs the data range"):
            metric.of_images(truth, synthetic, mask=mask)
    if metric.mask == "required":
        with pytest.raises(NotComparable, match="needs the outline"):
            metric.of_images(truth, synthetic)
    if metric.ct_only:
        with pytest.raises(NotComparable, match="8 bits"):
            _score(metric, truth.astype(np.uint8), synthetic, mask)


@pytest.mark.parametrize("metric", [p for p in _BY_KEY if p.id != "ms_ssim"])
def test_constant_images_are_scored_or_refused(metric):
    truth, _, mask = _pair(metric, metric.dimensions[0])
    flat = np.full_like(truth, 40)
    if metric.key == "ncc" or metric.key.endswith(("_air", "_fat", "_bone")) or metric.key == "bone_dice":
        with pytest.raises(NotComparable):
            _score(metric, flat, flat, mask)
    else:
        value = _score(metric, flat, flat, mask)
        assert metric.lowest <= value <= metric.highest


@settings(max_examples=60, deadline=None)
@given(
    key=st.sampled_from([metric.key for metric in _IMAGES]),
    shape=st.lists(st.integers(1, 16), min_size=1, max_size=4),
    seed=st.integers(0, 2**16),
    dtype=st.sampled_from([np.uint8, np.int16, np.float32, np.float64]),
    masked=st.booleans(),
)
def test_any_images_give_a_number_in_range_or_a_sentence(key, shape, seed, dtype, masked):
    rng = np.random.default_rng(seed)
    a, b = (rng.integers(-2, 3, shape) * rng.choice([0, 1, 300]) for _ in range(2))
    mask = rng.random(shape) > 0.5 if masked else None
    try:
        value = METRICS[key].of_images(a.astype(dtype), b.astype(dtype), mask=mask, data_range=4024.0)
    except CtmriError as refusal:
        assert str(refusal).endswith(".")
    else:
        assert type(value) is float
        assert METRICS[key].lowest - 1e-9 <= value <= METRICS[key].highest + 1e-9


def test_every_measure_tells_what_a_reader_needs():
    assert len(METRICS) == sum(map(len, GROUPS.values()))
    for key, metric in METRICS.items():
        assert key == metric.key
        assert metric.title and metric.source and metric.convention
        assert metric.lowest < metric.highest
        assert not metric.convention.endswith(".")


def test_what_takes_no_images_says_so():
    for metric in METRICS.values():
        if metric.takes != "images":
            with pytest.raises(NotComparable, match=f"takes {metric.takes}"):
                metric.of_images(np.zeros((9, 9)), np.zeros((9, 9)))


def test_the_page_is_that_of_the_catalogue():
    page = Path(__file__).parents[2] / "docs" / "metrics.md"
    assert page.read_text(encoding="utf-8") == metrics_page(), "run packaging/write_metrics_page.py"
