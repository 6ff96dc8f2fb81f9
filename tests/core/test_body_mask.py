"""The outline of the body on bodies of known shape, and what it keeps of real scans."""

import nibabel
import numpy as np
import pytest

from ctmri_core.domain import Domain
from ctmri_core.errors import GeometryMismatch
from ctmri_core.geometry import Geometry
from ctmri_core.metrics.alignment import outline_dice
from ctmri_core.preprocess.body_mask import body_mask, coarse_body_mask
from ctmri_core.preprocess.mr_range import body_range
from ctmri_core.volume import Volume

_SHAPE = (40, 120, 110)
_GEOMETRY = Geometry(_SHAPE, (2.0, 1.6, 1.6))


def _head():
    """(inside the skin, cavity in it, table below) on 80 x 192 x 176 mm; the lower end is cut by the field of view."""
    k, j, i = (_GEOMETRY.index_to_mm(np.stack(np.indices(_SHAPE), -1)) - _GEOMETRY.centre).transpose(3, 0, 1, 2)[::-1]
    skin = (i / 62) ** 2 + (j / 78) ** 2 + ((k + 40) / 75) ** 2 < 1
    cavity = (i / 15) ** 2 + ((j + 30) / 20) ** 2 + ((k + 35) / 18) ** 2 < 1
    table = (np.abs(j - 84) < 2.5) & (np.abs(i) < 80)
    return skin, cavity, table


@pytest.mark.parametrize("dtype", [np.int16, np.float32])
def test_ct_loses_the_table_and_keeps_cavities(dtype):
    skin, cavity, table = _head()
    noise = np.random.default_rng(0).normal(0, 40, _SHAPE)
    hu = np.where(table, 200, np.where(skin & ~cavity, 40, -1000)) + noise
    found = body_mask(Volume(hu.astype(dtype), _GEOMETRY, Domain.CT))
    assert outline_dice(found, skin) > 0.98
    assert found[cavity & skin].all()
    assert not found[table & ~skin].any()


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1)])
def test_mr_with_noise_and_shading_in_any_slice_direction(order):
    skin, cavity, _ = _head()
    rng = np.random.default_rng(1)
    shading = np.linspace(0.5, 1.3, _SHAPE[2])
    signal = np.where(skin & ~cavity, 400 * shading, 0)
    noisy = np.hypot(signal + rng.normal(0, 15, _SHAPE), rng.normal(0, 15, _SHAPE)).astype(np.float32)
    geometry = _GEOMETRY.permuted(order, (False, False, False))
    found = body_mask(Volume(np.ascontiguousarray(noisy.transpose(order)), geometry, Domain.MR_T1))
    assert outline_dice(found, skin.transpose(order)) > 0.97


def test_the_coarse_outline_lies_at_the_same_place():
    skin, _, _ = _head()
    volume = Volume(np.where(skin, 40, -1000).astype(np.int16), _GEOMETRY, Domain.CT)
    mask, grid = coarse_body_mask(volume, 6.0)
    assert mask.shape == grid.shape
    centre_fine = _GEOMETRY.index_to_mm(np.argwhere(skin)).mean(0)
    np.testing.assert_allclose(grid.index_to_mm(np.argwhere(mask)).mean(0), centre_fine, atol=1.5)


@pytest.mark.parametrize("domain", [Domain.CT, Domain.MR_T2])
def test_nothing_and_single_slices_do_no_harm(domain):
    empty = Volume(np.full((1, 20, 20), -1024, np.int16), Geometry((1, 20, 20), (5.0, 1.0, 1.0)), domain)
    assert not body_mask(empty).any()
    disc = np.hypot(*(np.indices((100, 100)) - 50)) < 40
    around = -1024 if domain is Domain.CT else 0
    picture = np.where(disc, 300, around).astype(np.int16)[None]
    found = body_mask(Volume(picture, Geometry((1, 100, 100), (5.0, 1.0, 1.0)), domain))[0]
    assert outline_dice(found, disc) > 0.96


def test_voxels_that_are_not_numbers_count_as_background():
    skin, _, _ = _head()
    values = np.where(skin, 500, 0).astype(np.float32)
    values[:, :5] = np.nan
    assert outline_dice(body_mask(Volume(values, _GEOMETRY, Domain.MR)), skin) > 0.97


def test_range_inside_the_body_ignores_air_and_outliers():
    skin, _, _ = _head()
    rng = np.random.default_rng(2)
    values = np.where(skin, rng.uniform(100, 900, _SHAPE), 0).astype(np.float32)
    values[20, 60, 50] = 1e6
    volume = Volume(values, _GEOMETRY, Domain.MR_T1)
    assert body_range(volume, skin) == pytest.approx((104, 896), abs=2)
    low, high = body_range(volume)
    assert low < 130
    assert high == pytest.approx(896, abs=8)
    with pytest.raises(GeometryMismatch):
        body_range(volume, skin[1:])


def test_a_flat_volume_still_has_a_range():
    flat = Volume(np.zeros((2, 9, 9), np.int16), Geometry((2, 9, 9), (1, 1, 1)), Domain.MR)
    assert body_range(flat) == (0, 1)


def _open(path, domain):
    image = nibabel.load(path)
    affine = np.diag((-1.0, -1, 1, 1)) @ image.affine @ np.eye(4)[:, (2, 1, 0, 3)]
    voxels = np.ascontiguousarray(np.asarray(image.dataobj).T.astype(np.float32))
    return Volume(voxels, Geometry.from_affine(voxels.shape, affine), domain)


@pytest.mark.shared_data
def test_real_abdomens_are_outlined(shared_data):
    folder = shared_data / "totalsegmentator_examples"
    ct, organs = _open(folder / "example_ct_sm.nii.gz", Domain.CT), _open(folder / "example_seg.nii.gz", Domain.CT)
    found = body_mask(ct)
    assert 0.5 < found.mean() < 0.75
    assert found[organs.voxels > 0].mean() > 0.995
    mr = _open(folder / "example_mr_sm.nii.gz", Domain.MR)
    assert 0.7 < body_mask(mr).mean() < 0.85
