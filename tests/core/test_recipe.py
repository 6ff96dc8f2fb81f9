"""Preparation and its undoing: exact grids, no mirroring, background outside, values by the target's constants."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from ctmri_core.domain import Domain
from ctmri_core.errors import WrongInput
from ctmri_core.geometry import Geometry, rigid_transform
from ctmri_core.preprocess.intensity import HuCurve, HuRange, PercentileRange, Scale
from ctmri_core.preprocess.recipe import Recipe
from ctmri_core.preprocess.slice_grid import Axis, slice_order
from ctmri_core.volume import Volume

STANDARD = Geometry((1, 1, 1), (1, 1, 1)).axes


def smooth_hu(geometry: Geometry) -> np.ndarray:
    """HU that vary slowly and differently along x, y and z of the patient, so that every mirroring shows."""
    index = np.stack(np.meshgrid(*map(np.arange, geometry.shape), indexing="ij"), -1)
    x, y, z = np.moveaxis(geometry.index_to_mm(index) - geometry.centre, -1, 0)
    return 300 * np.sin(x / 25 + 0.4) + 200 * np.sin(y / 30 + 1.0) + 6 * z + 2 * x


def ct(geometry: Geometry, dtype: type = np.float32) -> Volume:
    values = smooth_hu(geometry)
    return Volume((np.rint(values) if dtype is np.int16 else values).astype(dtype), geometry, Domain.CT)


def undone(slices, record, background):
    """On the source's grid, as a translation comes back."""
    result = np.empty(record.geometry.shape, np.float32)
    record.grid.oriented(result)[:] = record.grid.undo(slices, background)
    return result


@st.composite
def geometries(draw):
    order = draw(st.permutations(range(3)))
    flips = draw(st.lists(st.sampled_from([-1.0, 1.0]), min_size=3, max_size=3))
    angles = draw(st.tuples(*[st.floats(-25, 25)] * 3))
    axes = (STANDARD[list(order)] * np.asarray(flips)[:, None]) @ rigid_transform(angles, (0, 0, 0))[:3, :3].T
    shape = draw(st.tuples(*[st.integers(36, 44)] * 3))
    spacing = draw(st.tuples(*[st.floats(0.9, 2.5)] * 3))
    origin = draw(st.tuples(*[st.floats(-200, 200)] * 3))
    return Geometry(shape, spacing, origin, tuple(map(tuple, axes)))


@settings(max_examples=60, deadline=None)
@given(geometry=geometries(), spacing=st.sampled_from([None, 0.7, 1.0, 1.3]), dtype=st.sampled_from([np.int16, np.float32]))
def test_undoing_gives_the_volume_back_on_its_own_grid(geometry, spacing, dtype):
    volume = ct(geometry, dtype)
    recipe = Recipe(spacing_mm=spacing, multiple=8)
    prepared = recipe.forward(volume)
    assert prepared.slices.dtype == np.float32
    assert all(size % 8 == 0 for size in prepared.slices.shape[1:])
    restored = undone(recipe.to_nominal(prepared.slices, Domain.CT), prepared.record, -1024)
    assert prepared.record.geometry is geometry
    assert restored.shape == geometry.shape
    inner = restored[2:-2, 2:-2, 2:-2] - volume.voxels[2:-2, 2:-2, 2:-2]
    assert np.abs(inner).max() < 20
    assert abs(inner.mean()) < 2
    if spacing is None:
        assert np.abs(restored - volume.voxels).max() < 1e-3


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_every_stored_orientation_gives_the_same_slices(order):
    standard = ct(Geometry((6, 9, 12), (2, 4, 4)))
    expected = Recipe(spacing_mm=None, multiple=1).forward(standard).slices
    for flips in product([False, True], repeat=3):
        voxels = standard.voxels.transpose(order)[tuple(slice(None, None, -1 if flip else 1) for flip in flips)]
        stored = Volume(np.ascontiguousarray(voxels), standard.geometry.permuted(order, flips), Domain.CT)
        np.testing.assert_array_equal(Recipe(spacing_mm=None, multiple=1).forward(stored).slices, expected)
        assert tuple(flips[n] for n in np.argsort(order)) == slice_order(stored.geometry)[1]


def test_a_mark_on_the_patients_left_front_stays_there():
    geometry = Geometry((4, 20, 30), (3, 2, 2), direction=((0, 0, -1), (0, -1, 0), (-1, 0, 0)))  # stored head first, mirrored
    voxels = np.full(geometry.shape, -1000, np.int16)
    voxels[0, 19, 0] = 1000  # most superior slice, anterior row, leftmost column
    slices = Recipe(spacing_mm=None, multiple=1).forward(Volume(voxels, geometry, Domain.CT)).slices
    assert np.unravel_index(slices.argmax(), slices.shape) == (3, 0, 29)


def test_padding_and_cropped_parts_are_background():
    geometry = Geometry((2, 30, 50), (5, 1.2, 1.2))
    volume = Volume(np.full(geometry.shape, 100, np.int16), geometry, Domain.CT)
    recipe = Recipe(spacing_mm=None, size=(40, 32))
    prepared = recipe.forward(volume)
    assert prepared.slices.shape == (2, 40, 32)
    assert (prepared.slices[:, :5] == -1).all()
    assert (prepared.slices[:, 35:] == -1).all()
    inside = Scale(-1024, 2000).to_unit(np.array([100]))[0]
    np.testing.assert_allclose(prepared.slices[:, 5:35], inside, atol=1e-6)
    restored = undone(np.full_like(prepared.slices, 7.0), prepared.record, 0.0)
    assert (restored[:, :, :9] == 0).all()
    assert (restored[:, :, 41:] == 0).all()
    np.testing.assert_allclose(restored[:, :, 9:41], 7.0, rtol=1e-6)


@settings(max_examples=100, deadline=None)
@given(
    source=st.integers(1, 100),
    source_spacing=st.floats(0.2, 6),
    spacing=st.floats(0.3, 4),
    multiple=st.sampled_from([1, 4, 32]),
)
def test_nothing_of_the_source_is_lost_without_a_fixed_size(source, source_spacing, spacing, multiple):
    axis = Axis.plan(source, source_spacing, spacing, None, multiple)
    assert axis.size % multiple == 0
    np.testing.assert_allclose(axis.undo_matrix.sum(1), 1, atol=1e-5)
    np.testing.assert_allclose(axis.forward_matrix[axis.start : axis.stop].sum(1), 1, atol=1e-5)
    ramp = (np.arange(source) - (source - 1) / 2) * source_spacing
    reached = (axis.forward_matrix @ ramp)[axis.start : axis.stop]
    assert np.abs(reached + reached[::-1]).max() <= 1e-5 * np.abs(ramp).max()


def test_shrinking_does_not_alias():
    geometry = Geometry((1, 64, 64), (1, 0.5, 0.5))
    stripes = np.tile(np.array([-1000, 1000], np.int16), (1, 64, 32))
    slices = Recipe(spacing_mm=1.0).forward(Volume(stripes, geometry, Domain.CT)).slices
    values = Scale(-1024, 2000).from_unit(slices[:, :, 2:-2])
    assert np.abs(values).max() < 60


def test_the_recipe_goes_through_json():
    recipe = Recipe(spacing_mm=None, size=(256, 256), multiple=32, ct=HuRange(low=-1000, high=1500), mr=PercentileRange(high=99))
    assert Recipe.model_validate_json(recipe.model_dump_json()) == recipe


@pytest.mark.parametrize(
    "wrong", [{"spacing_mm": 0}, {"multiple": 0}, {"steps": []}, {"ct": {"low": 5, "high": 5}}, {"spacing_mm": float("nan")}]
)
def test_recipes_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValidationError):
        Recipe.model_validate(wrong)


def test_nominal_scales():
    unit = np.array([[[-1.0, 0.0, 1.0]]], np.float32)
    np.testing.assert_allclose(Recipe().to_nominal(unit, Domain.CT).ravel(), [-1024, 488, 2000])
    np.testing.assert_allclose(Recipe().to_nominal(unit, Domain.MR_T2).ravel(), [0, 500, 1000])


def test_unknown_modality_and_absurd_size_are_refused():
    voxels = np.zeros((1, 8, 8), np.int16)
    with pytest.raises(WrongInput, match="CT or MR"):
        Recipe().forward(Volume(voxels, Geometry((1, 8, 8), (1, 5, 5)), Domain.UNKNOWN))
    with pytest.raises(WrongInput, match="pixel spacing"):
        Recipe().forward(Volume(voxels, Geometry((1, 8, 8), (1, 900, 900)), Domain.CT))


@pytest.mark.parametrize(
    ("order", "shape", "spacing", "says"),
    [
        ((2, 1, 0), (1, 204, 188), 1.0, "a single sagittal slice."),
        ((1, 0, 2), (1, 204, 188), 60.0, "a single coronal slice."),
        ((2, 1, 0), (6, 204, 188), 4.0, "only 24 mm wide from left to right."),
        ((0, 2, 1), (204, 188, 7), 1.0, "only 7 mm wide from front to back."),
    ],
)
def test_what_has_no_axial_slices_is_refused_before_its_voxels_are_asked(order, shape, spacing, says):
    axes = STANDARD[list(order)]
    thin = tuple(spacing if n == min(shape) else 1.0 for n in shape)
    geometry = Geometry(shape, thin, direction=tuple(map(tuple, axes)))
    assert Recipe().problem_with(geometry) == f"Axial slices are wanted; this scan is {says}"
    with pytest.raises(WrongInput, match=says):
        Recipe().forward(Volume(np.zeros(shape, np.int16), geometry, Domain.CT))


def test_one_axial_slice_is_enough():
    assert Recipe().problem_with(Geometry((1, 244, 231), (1, 1, 1))) == ""
    assert "pixel spacing" in Recipe().problem_with(Geometry((1, 8, 8), (1, 900, 900)))


def test_voxels_that_are_no_number_become_background():
    geometry = Geometry((1, 8, 8), (1, 5, 5))
    voxels = np.full(geometry.shape, np.nan, np.float32)
    assert (Recipe().forward(Volume(voxels, geometry, Domain.CT)).slices == -1).all()


def ball(geometry: Geometry, radius: float, inside: float, outside: float, domain: Domain) -> Volume:
    """A ball of smooth tissue around the origin of the patient's coordinates."""
    index = np.stack(np.meshgrid(*map(np.arange, geometry.shape), indexing="ij"), -1)
    mm = geometry.index_to_mm(index)
    values = np.where(np.linalg.norm(mm, axis=-1) < radius, inside * (1 + 0.3 * np.sin(mm[..., 0] / 15)), outside)
    return Volume(values.astype(np.float32), geometry, domain)


def centred(shape, spacing) -> Geometry:
    return Geometry(shape, spacing, tuple(-(n - 1) / 2 * s for n, s in zip(shape, spacing, strict=True))[::-1])


def test_mr_is_scaled_by_percentiles_in_the_body_whatever_surrounds_it():
    tight = ball(centred((24, 40, 40), (4, 2.5, 2.5)), 45, 400, 3, Domain.MR_T1)
    wide = ball(centred((24, 80, 80), (4, 2.5, 2.5)), 45, 400, 3, Domain.MR_T1)
    scale, of_wide = (Recipe().record_of(volume).scale for volume in (tight, wide))
    assert scale.high == pytest.approx(400 * 1.3, rel=0.05)
    assert (scale.low, scale.high) == pytest.approx((of_wide.low, of_wide.high), rel=0.05, abs=20)
    slices = Recipe().forward(tight).slices
    assert slices.min() == -1
    assert slices.max() > 0.99


@pytest.mark.parametrize("value", [0.0, 7.0, np.nan])
def test_an_empty_mr_does_no_harm(value):
    geometry = Geometry((2, 8, 8), (1, 5, 5))
    volume = Volume(np.full(geometry.shape, value, np.float32), geometry, Domain.MR_T2)
    slices = Recipe().forward(volume).slices
    assert np.isfinite(slices).all()
    assert np.abs(slices).max() <= 1


def test_a_pair_shares_the_sources_grid_and_a_mask():
    source = ball(centred((20, 50, 60), (4, 2, 2)), 42, 40, -1000, Domain.CT)
    target_grid = centred((60, 60, 30), (1.5, 1.5, 3)).permuted((2, 0, 1), (True, False, True))
    target = ball(target_grid, 42, 500, 0, Domain.MR_T1)
    (first, second), mask, _ = Recipe(spacing_mm=2.0).forward_group([source, target])
    assert first.shape == second.shape == mask.shape == (20, 52, 60)
    assert (first.dtype, second.dtype, mask.dtype) == (np.float32, np.float32, np.bool_)
    centre = (10, 26, 30)
    assert mask[centre]
    assert second[centre] > -0.5
    assert not mask[:, 0].any()
    body = first > Scale(-1024, 2000).to_unit(np.array([-300]))[0]
    assert 2 * (body & mask).sum() / (body.sum() + mask.sum()) > 0.95
    outline = second > -0.7
    assert 2 * (outline & mask).sum() / (outline.sum() + mask.sum()) > 0.95


def test_the_mask_of_a_pair_ends_where_the_target_ends():
    source = ball(centred((20, 50, 50), (4, 2, 2)), 42, 40, -1000, Domain.CT)
    target = ball(centred((10, 50, 50), (4, 2, 2)), 42, 500, 0, Domain.MR_T1)
    _, mask, _ = Recipe(spacing_mm=2.0).forward_group([source, target])
    assert mask[6:14].any((1, 2)).all()
    assert not mask[:5].any()
    assert not mask[15:].any()


def test_the_soft_tissue_curve_is_interpolation_between_its_knots_and_comes_back():
    curve = HuCurve(low=-1000, soft_low=-100, soft_high=100, high=1500, share=0.6)
    hu = np.linspace(-1500, 3000, 997).astype(np.float32).reshape(1, 997)
    unit = curve.nominal.to_unit(hu)
    assert unit.dtype == np.float32
    np.testing.assert_allclose(unit, np.interp(hu, (-1000, -100, 100, 1500), (-1, -0.6, 0.6, 1)), atol=1e-6)
    np.testing.assert_allclose(curve.nominal.from_unit(unit), np.clip(hu, -1000, 1500), atol=2e-3)
    assert curve.nominal.to_unit(np.array([np.nan], np.float32))[0] == -1


def test_the_soft_tissue_curve_survives_json_and_refuses_knots_that_do_not_rise():
    recipe = Recipe(ct=HuCurve())
    assert Recipe.model_validate_json(recipe.model_dump_json()) == recipe
    assert isinstance(Recipe.model_validate_json(recipe.model_dump_json()).ct, HuCurve)
    with pytest.raises(ValueError, match="rise"):
        HuCurve(soft_low=100, soft_high=100)
