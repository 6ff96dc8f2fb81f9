"""Dice and Hausdorff distances against SimpleITK, MONAI and shapes whose distance is known."""

import numpy as np
import pytest
import SimpleITK as sitk
import torch
from monai.metrics import compute_hausdorff_distance
from scipy import ndimage

from ctmri_core.errors import GeometryMismatch, NotComparable
from ctmri_core.metrics.alignment import outline_dice
from ctmri_core.metrics.overlap import hausdorff, label_overlaps

_SPACING = (3.0, 0.9, 1.1)


def _blobs(shape, seed):
    return ndimage.gaussian_filter(np.random.default_rng(seed).normal(0, 1, shape), 2.5) > 0.05


def _labels(shape, seed):
    """Three blobby organs."""
    smooth = ndimage.gaussian_filter(np.random.default_rng(seed).normal(0, 1, shape), 3)
    return np.digitize(smooth, np.quantile(smooth, [0.5, 0.7, 0.9])).astype(np.uint8)


@pytest.mark.filterwarnings("ignore:monai.metrics.utils get_mask_edges:FutureWarning")  # MONAI's call of itself
@pytest.mark.parametrize("shape", [(40, 50), (10, 40, 44)])
@pytest.mark.parametrize("percentile", [50, 95, 100])
def test_distance_is_that_of_monai(shape, percentile):
    a, b = _blobs(shape, 1), _blobs(shape, 1) ^ (_blobs(shape, 2) & _blobs(shape, 3))
    spacing = _SPACING[-len(shape) :]
    tensors = [torch.from_numpy(x)[None, None] for x in (a, b)]
    theirs = compute_hausdorff_distance(*tensors, include_background=True, percentile=percentile, spacing=list(spacing))
    assert hausdorff(a, b, spacing=spacing, percentile=percentile) == pytest.approx(float(theirs), rel=1e-5)
    assert hausdorff(b, a, spacing=spacing, percentile=percentile) == hausdorff(a, b, spacing=spacing, percentile=percentile)


def test_the_greatest_distance_is_that_of_simpleitk():
    a = np.zeros((12, 40, 40), bool)
    a[3:8, 5:20, 6:22] = True
    b = np.roll(a, (1, 4, -3), (0, 1, 2))
    images = []
    for outline in (a, b):
        image = sitk.GetImageFromArray(outline.astype(np.uint8))
        image.SetSpacing(_SPACING[::-1])
        images.append(image)
    measure = sitk.HausdorffDistanceImageFilter()
    measure.Execute(*images)
    assert hausdorff(a, b, spacing=_SPACING, percentile=100) == pytest.approx(measure.GetHausdorffDistance(), rel=1e-6)
    overlap = sitk.LabelOverlapMeasuresImageFilter()
    overlap.Execute(*images)
    assert outline_dice(a, b) == pytest.approx(overlap.GetDiceCoefficient())


def test_distances_of_known_shapes():
    a = np.zeros((9, 30, 30), bool)
    a[4, 10, 10] = True
    b = np.roll(a, (2, 3), (0, 2))
    assert hausdorff(a, b, spacing=(2, 1, 1)) == pytest.approx(5)
    assert hausdorff(a, a, spacing=(2, 1, 1)) == 0
    everything = np.ones_like(a)
    assert hausdorff(everything, everything, spacing=(2, 1, 1)) == 0
    square = np.zeros((20, 20), bool)
    square[5:15, 5:15] = True
    grown = ndimage.binary_dilation(square, np.ones((3, 3), bool), iterations=2)
    assert hausdorff(square, grown, spacing=(0.5, 0.5), percentile=0) == pytest.approx(1)


def test_every_label_of_the_truth_is_scored_as_alone():
    truth, synthetic = _labels((10, 40, 44), 1), np.roll(_labels((10, 40, 44), 1), 2, axis=1)
    synthetic[synthetic == 2] = 3
    found = label_overlaps(truth, synthetic, spacing=_SPACING)
    assert list(found) == [1, 2, 3]
    for label in (1, 3):
        masks = truth == label, synthetic == label
        assert found[label].dice == pytest.approx(outline_dice(*masks))
        assert found[label].hausdorff_95 == pytest.approx(hausdorff(*masks, spacing=_SPACING))
    assert (found[2].dice, found[2].hausdorff_95) == (0, None)
    assert list(label_overlaps(truth, synthetic, spacing=_SPACING, labels=[3, 77])) == [3]
    assert label_overlaps(truth.astype(np.int64), synthetic, spacing=_SPACING) == found


def test_nonsense_is_refused():
    a = _blobs((20, 20), 0)
    with pytest.raises(NotComparable, match="Dice overlap is 0"):
        hausdorff(a, a & False, spacing=(1, 1))
    for spacing in ((1,), (1, 1, 1), (1, 0), (1, np.nan)):
        with pytest.raises(GeometryMismatch, match="positive spacings"):
            hausdorff(a, a, spacing=spacing)
    with pytest.raises(GeometryMismatch):
        hausdorff(a, a[1:], spacing=(1, 1))
    with pytest.raises(NotComparable, match="boolean"):
        hausdorff(a.astype(int), a, spacing=(1, 1))
    for wrong in (a.astype(float), -a.astype(int), a * 70000):
        with pytest.raises(NotComparable, match="whole numbers from 0 to 65535"):
            label_overlaps(wrong, wrong, spacing=(1, 1))
    with pytest.raises(NotComparable, match="none of the labels"):
        label_overlaps(a.astype(int), a.astype(int), spacing=(1, 1), labels=[5])
    with pytest.raises(NotComparable, match="none of the labels"):
        label_overlaps(np.zeros((5, 5), int), np.ones((5, 5), int), spacing=(1, 1))
