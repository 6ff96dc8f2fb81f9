"""Errors by tissue add up to the error of the whole, and bone overlaps as SimpleITK says."""

import numpy as np
import pytest
import SimpleITK as sitk

from ctmri_core.errors import GeometryMismatch, NotComparable
from ctmri_core.metrics.errors import bias, mae
from ctmri_core.metrics.tissue import BONE_HU, TISSUE_HU, TISSUES, bone_dice, tissue_bias, tissue_errors, tissue_mae


def _head(shape=(8, 30, 31), dtype=np.int16):
    rng = np.random.default_rng(0)
    truth = rng.choice([-1000, -90, 40, 900], shape) + rng.normal(0, 30, shape)
    return truth.astype(dtype), (truth + rng.normal(5, 40, shape)).astype(dtype), rng.random(shape) > 0.3


@pytest.mark.parametrize("dtype", [np.int16, np.float32])
def test_errors_are_those_of_numpy_where_the_truth_is_of_the_tissue(dtype):
    truth, synthetic, mask = _head(dtype=dtype)
    found = tissue_errors(truth, synthetic, mask)
    assert tuple(found) == TISSUES
    for tissue, (low, high) in TISSUE_HU.items():
        where = mask & (truth >= low) & (truth < high)
        difference = synthetic[where].astype(float) - truth[where]
        assert found[tissue].voxels == where.sum()
        assert found[tissue].mae == pytest.approx(np.abs(difference).mean()) == tissue_mae(truth, synthetic, mask, tissue=tissue)
        assert found[tissue].bias == pytest.approx(difference.mean()) == tissue_bias(truth, synthetic, mask, tissue=tissue)


def test_tissues_share_all_voxels_among_them():
    truth, synthetic, mask = _head()
    found = tissue_errors(truth, synthetic, mask).values()
    assert sum(part.voxels for part in found) == mask.sum()
    assert sum(part.voxels * part.mae for part in found) / mask.sum() == pytest.approx(mae(truth, synthetic, mask))
    assert sum(part.voxels * part.bias for part in found) / mask.sum() == pytest.approx(bias(truth, synthetic, mask))


def test_bounds_belong_to_the_tissue_above():
    truth = np.array([[-201, -200, -31, -30, 199, 200]], np.int16)
    assert [part.voxels for part in tissue_errors(truth, truth).values()] == [1, 2, 2, 1]


def test_bone_overlaps_as_simpleitk_says():
    truth, synthetic, mask = _head()
    measure = sitk.LabelOverlapMeasuresImageFilter()
    measure.Execute(*(sitk.GetImageFromArray((mask & (image >= BONE_HU)).astype(np.uint8)) for image in (truth, synthetic)))
    assert bone_dice(truth, synthetic, mask) == pytest.approx(measure.GetDiceCoefficient(1))
    assert bone_dice(truth, truth) == 1
    assert bone_dice(truth, truth - 2000) == 0


def test_what_is_not_there_is_refused():
    truth, synthetic, mask = _head()
    water = np.zeros_like(truth)
    assert tuple(tissue_errors(water, synthetic)) == ("soft tissue",)
    with pytest.raises(NotComparable, match=r"holds no bone \(200 to inf HU\)"):
        tissue_mae(water, synthetic, tissue="bone")
    with pytest.raises(NotComparable, match="Neither image holds bone"):
        bone_dice(water, water)
    with pytest.raises(NotComparable, match="8 bits"):
        tissue_errors(truth, synthetic.astype(np.uint8))
    with pytest.raises(NotComparable, match="mask is empty"):
        tissue_errors(truth, synthetic, mask & False)
    with pytest.raises(GeometryMismatch):
        tissue_errors(truth, synthetic[1:])
