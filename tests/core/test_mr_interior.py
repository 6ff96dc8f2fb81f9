"""MR scaled by what lies deep in the body: the same for slices and volumes, whatever is bright at the surface."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import zoom

from ctmri_core.data.layouts.layout import LayoutOptions
from ctmri_core.data.layouts.picture_files import picture_volume
from ctmri_core.data.recipe_flags import RecipeChoices
from ctmri_core.domain import Domain
from ctmri_core.geometry import Geometry
from ctmri_core.preprocess.intensity import PercentileRange
from ctmri_core.preprocess.mr_interior import InteriorScale
from ctmri_core.preprocess.recipe import Recipe
from ctmri_core.volume import Volume

BRAIN, SCALP = 100.0, 400.0


def head(mm: float = 3.0, radius: float = 75.0, scalp: float = SCALP, gain: float = 1.0) -> Volume:
    """A ball of brain with a skin of fat, 9 mm thick."""
    n = round(180 / mm)
    grid = (np.indices((n, n, n)) + 0.5) * mm - 90
    distance = np.sqrt((grid**2).sum(0))
    rng = np.random.default_rng(0)
    values = np.where(distance < radius, np.where(distance < radius - 9, BRAIN, scalp), 0) + rng.normal(0, 4, (n, n, n))
    return Volume((gain * np.abs(values)).astype(np.float32), Geometry((n, n, n), (mm, mm, mm)), Domain.MR_T1)


def slice_of(volume: Volume, axis: int, place: float) -> Volume:
    """One slice along an axis, as a picture is read."""
    picture = volume.voxels.take(int(place * volume.voxels.shape[axis]), axis)
    return Volume(picture[None], Geometry((1, *picture.shape), (8.0, *volume.geometry.spacing[1:])), Domain.MR_T1)


def test_white_is_so_many_times_the_brain():
    scale = InteriorScale(reach=2.5).scale_of(head())
    assert scale.low == 0.0
    assert scale.high == pytest.approx(2.5 * BRAIN, rel=0.01)


@pytest.mark.parametrize("gain", [0.01, 7.0])
def test_a_scanners_gain_changes_nothing(gain: float):
    one, other = head(), head(gain=gain)
    units = [InteriorScale().scale_of(volume).to_unit(volume.voxels) for volume in (one, other)]
    np.testing.assert_allclose(units[0], units[1], atol=1e-4)


def test_slices_are_scaled_as_the_volume_they_are_of_and_fat_moves_nothing():
    """Unlike percentiles, which fat moves."""
    whole = InteriorScale().scale_of(head()).high
    parts = [slice_of(head(scalp=fat), axis, place) for fat in (150, 900) for axis in range(3) for place in (0.4, 0.5, 0.62)]
    ours = np.array([InteriorScale().scale_of(part).high for part in parts])
    theirs = np.array([PercentileRange().scale_of(part).high for part in parts])
    np.testing.assert_allclose(ours, whole, rtol=0.02)
    assert theirs.max() / theirs.min() > 4


def test_what_has_no_depth_counts_whole():
    thin = head(radius=25.0, scalp=BRAIN)
    assert InteriorScale(depth_mm=60).scale_of(thin).high == pytest.approx(3 * BRAIN, rel=0.05)


def test_a_given_body_is_believed():
    volume = head()
    body = np.zeros(volume.voxels.shape, np.bool_)
    body[10:-10, 10:-10, 10:-10] = True
    dark = volume.voxels.copy()
    dark[~body] = 5000
    blinded = Volume(dark, volume.geometry, volume.domain)
    assert InteriorScale().scale_of(blinded, body).high == pytest.approx(3 * BRAIN, rel=0.02)


@pytest.mark.parametrize("value", [0.0, 5.0, np.nan])
def test_constant_and_empty_volumes_get_some_range(value: float):
    volume = Volume(np.full((4, 40, 40), value, np.float32), Geometry((4, 40, 40), (2.0, 2.0, 2.0)), Domain.MR_T1)
    scale = InteriorScale().scale_of(volume)
    assert np.isfinite([scale.low, scale.high]).all()
    assert scale.high > scale.low


def test_values_below_zero_begin_there():
    volume = head()
    shifted = Volume(volume.voxels - np.float32(300), volume.geometry, volume.domain)
    scale = InteriorScale(reach=2.0).scale_of(shifted)
    assert scale.low == pytest.approx(-300, abs=5)
    assert scale.high == pytest.approx(-300 + 2 * BRAIN, abs=8)


def test_it_is_part_of_a_recipe():
    recipe = RecipeChoices(mr_scaling="interior", interior_reach=2.2, three_planes=True).recipe()
    assert recipe.mr == InteriorScale(reach=2.2)
    assert recipe.planes == "three"
    assert Recipe.model_validate_json(recipe.model_dump_json()) == recipe


def test_voxels_of_any_size_agree():
    fine = zoom(head().voxels, 1.5, order=1)
    volume = Volume(fine, Geometry(fine.shape, (2.0, 2.0, 2.0)), Domain.MR_T1)
    assert InteriorScale().scale_of(volume).high == pytest.approx(InteriorScale().scale_of(head()).high, rel=0.02)


def test_three_slices_of_a_person_agree_better_than_by_percentiles(shared_data: Path):
    """The brain's median in each slice, found with the help of CT, in units of white: over 12 people, three slices each."""
    spreads = []
    subjects = sorted((shared_data / "synthrad_brain_slices").iterdir())[5::13]
    for step in (InteriorScale(), PercentileRange()):
        shares = []
        for subject in subjects:
            for plane in ("axial", "coronal", "sagittal"):
                mr = picture_volume([subject / f"mr_t1_{plane}.png"], Domain.MR_T1, LayoutOptions())
                ct = picture_volume([subject / f"ct_{plane}.png"], Domain.CT, LayoutOptions())
                soft = (ct.voxels > 0) & (ct.voxels < 90)
                shares.append(float(np.median(mr.voxels[soft])) / step.scale_of(mr).high)
        spreads.append(np.std(np.log(shares)))
    assert spreads[0] < 0.06 < 0.15 < spreads[1]
