"""Slices become a volume only where their places make one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ctmri_core.errors import FileRefused
from ctmri_core.io.series_judgement import judge, same_place, slice_axes
from ctmri_core.io.series_regrid import between, shifted

FOLDER = Path("study") / "series"
AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
OBLIQUE = (0.99903, -0.02179, 0.03821, 0.02652, 0.99141, -0.12804)


def judged(heights, orientation=AXIAL, tilt=(0.0, 0.0), thickness=5.0):
    axes = slice_axes(FOLDER, orientation)
    heights = np.asarray(heights, float)
    along = heights - heights[0]
    positions = heights[:, None] * axes[0] + along[:, None] * (tilt[0] * axes[1] + tilt[1] * axes[2])
    return judge(FOLDER, axes, positions, (0.5, 0.7), (10, 20), [thickness] * len(heights)), positions


@pytest.mark.parametrize("orientation", [AXIAL, OBLIQUE, (0, 1, 0, 0, 0, -1), (1, 0, 0, 0, 0, -1)])
def test_slices_are_ordered_along_the_normal_and_spacing_comes_from_positions(orientation):
    stack, positions = judged(np.array([3, 0, 2, 1, 4]) * 2.5 - 7, orientation)
    assert stack.order == (1, 3, 2, 0, 4)
    assert stack.findings == () and stack.places is None and stack.tilt is None
    assert stack.geometry.shape == (5, 10, 20)
    assert stack.geometry.spacing == pytest.approx((2.5, 0.5, 0.7))
    for k, n in enumerate(stack.order):
        assert np.allclose(stack.geometry.index_to_mm((k, 0, 0)), positions[n], atol=1e-6)


def test_rows_run_along_the_first_direction_cosines():
    stack, _ = judged([0, 1], (0, 1, 0, 0, 0, -1))
    assert np.allclose(stack.geometry.axes, [[-1, 0, 0], [0, 0, -1], [0, 1, 0]])


def test_positions_rounded_to_a_tenth_of_a_millimetre_are_even():
    stack, _ = judged(np.round(np.arange(40) * 1.25, 1))
    assert stack.places is None and stack.tilt is None and stack.geometry.spacing[0] == pytest.approx(1.25, abs=0.003)


def test_a_single_slice_is_as_thick_as_it_says():
    stack, _ = judged([12.5], thickness=4.0)
    assert stack.geometry.spacing[0] == 4.0 and stack.findings == ()


@pytest.mark.parametrize("thickness", [None, 0.0, -1.0])
def test_a_single_slice_of_unknown_thickness_says_so(thickness):
    stack, _ = judged([12.5], thickness=thickness)
    assert [(finding.kind, finding.serious) for finding in stack.findings] == [("estimated_spacing", True)]


def test_a_missing_slice_is_interpolated_and_said_with_its_place():
    heights = np.delete(np.arange(20) * 2.0, 7)
    stack, _ = judged(heights)
    assert stack.places is not None and stack.geometry.shape[0] == 20
    assert [finding.kind for finding in stack.findings] == ["gap"] and stack.findings[0].serious
    assert "14.0 mm" in stack.findings[0].message
    slices = np.broadcast_to(heights.astype(np.float32)[:, None, None], (19, 2, 2)).copy()
    assert np.allclose(list(between(iter(slices), stack.places, 20))[7], 14.0) and len(stack.places) == 19


def test_several_missing_slices_in_a_row_are_refused_with_their_place():
    heights = np.delete(np.arange(40) * 2.0, [7, 8, 9])
    with pytest.raises(FileRefused, match=r"series: slices are missing at 16\.0 mm \(usual step 2\.00 mm, widest 8\.00 mm\)"):
        judged(heights)


def test_many_gaps_are_refused():
    with pytest.raises(FileRefused, match="missing"):
        judged(np.delete(np.arange(30) * 2.0, [3, 9, 15, 21]))


def test_uneven_steps_are_interpolated_and_said():
    heights = np.arange(20) * 3.0 + np.tile([0.0, 0.5], 10)
    stack, _ = judged(heights)
    assert [finding.kind for finding in stack.findings] == ["uneven_spacing"] and stack.findings[0].serious
    slices = np.broadcast_to(heights.astype(np.float32)[:, None, None], (20, 1, 1)).copy()
    even = np.array(list(between(iter(slices), stack.places, stack.geometry.shape[0])))[:, 0, 0]
    assert np.allclose(even, stack.geometry.index_to_mm([(k, 0, 0) for k in range(len(even))])[:, 2], atol=1e-3)


def ramp(mm):
    """A picture that linear interpolation reproduces exactly: 100 + x + 2 y - 3 z."""
    return 100 + mm @ np.array([1.0, 2.0, -3.0])


@pytest.mark.parametrize("orientation", [AXIAL, OBLIQUE])
@pytest.mark.parametrize("tilt", [(np.tan(np.deg2rad(12)), 0.0), (-np.tan(np.deg2rad(25)), 0.0), (0.2, -0.3)])
def test_a_tilted_stack_is_placed_by_its_middle_slice(orientation, tilt):
    stack, positions = judged(np.arange(10) * 2.0, orientation, tilt)
    assert [(finding.kind, finding.serious) for finding in stack.findings] == [("tilt", True)]
    assert stack.geometry.shape == (10, 10, 20) and stack.places is None
    shown = stack.geometry.index_to_mm([(k, 0, 0) for k in range(10)])
    apart = np.linalg.norm(shown - positions, axis=1)
    assert apart[5] < 1e-6 and np.allclose(apart, np.abs(np.arange(10) - 5) * 2.0 * np.hypot(*tilt))
    assert f"up to {apart.max():.1f} mm" in stack.findings[0].message
    assert np.allclose(stack.tilt.positions, positions)
    assert stack.tilt.degrees == pytest.approx(np.rad2deg(np.arctan(np.hypot(*tilt))), abs=0.01)


def straightened(slices, stack, background):
    rows, columns = stack.tilt.geometry.shape[1:]
    return np.stack([shifted(part, by, (rows, columns), background) for part, by in zip(slices, stack.tilt.shifts, strict=True)])


@pytest.mark.parametrize("orientation", [AXIAL, OBLIQUE])
@pytest.mark.parametrize("tilt", [(np.tan(np.deg2rad(12)), 0.0), (-np.tan(np.deg2rad(25)), 0.0), (0.2, -0.3)])
def test_shifted_slices_show_everything_in_its_place(orientation, tilt):
    stack, positions = judged(np.arange(10) * 2.0, orientation, tilt)
    axes = slice_axes(FOLDER, orientation)
    row, column = np.mgrid[:10, :20]
    in_plane = row[..., None] * 0.5 * axes[1] + column[..., None] * 0.7 * axes[2]
    slices = np.stack([ramp(positions[n] + in_plane) for n in stack.order]).astype(np.float32)
    voxels = straightened(slices, stack, -9999.0)
    inside = voxels != -9999.0
    assert (inside.sum(axis=(1, 2)) == 10 * 20).all()  # every slice keeps its size, and nothing is half background
    grid = stack.tilt.geometry
    mm = grid.index_to_mm(np.stack(np.meshgrid(*map(np.arange, voxels.shape), indexing="ij"), -1))
    error = np.abs(voxels - ramp(mm))
    assert error[inside].max() <= 0.5 * (0.5 * 2 + 0.7 * 3)  # at an edge it is up to half a voxel off
    for k, part in enumerate(inside):
        j, i = np.nonzero(part)
        assert error[k, j.min() + 1 : j.max(), i.min() + 1 : i.max()].max() < 1e-2
    j, i = (round(by) for by in stack.tilt.shifts[5])
    assert np.array_equal(voxels[5, j : j + 10, i : i + 20], slices[5])  # the middle slice is not interpolated


def test_a_tilt_of_whole_pixels_moves_voxels_unchanged():
    stack, _ = judged(np.arange(6) * 2.0, tilt=(0.25, 0))  # one row of 0.5 mm per slice
    voxels = np.random.default_rng(0).integers(-1000, 1000, (6, 10, 20)).astype(np.int16)
    straight = straightened(voxels, stack, -1024)
    assert straight.shape == stack.tilt.geometry.shape == (6, 15, 20)
    for k in range(6):
        assert np.array_equal(straight[k, k : k + 10], voxels[k])
        assert (straight[k, :k] == -1024).all() and (straight[k, k + 10 :] == -1024).all()


@pytest.mark.parametrize("by", [0.0, 0.25, 0.5, 0.75, 1.4])
def test_a_slice_moved_by_a_part_of_a_voxel_keeps_its_edges(by):
    part = np.array([[10, 20, 40]], np.int16)
    moved = shifted(part, (0.0, by), (1, 6), -1024.0)[0]
    inside = moved[moved != -1024]
    assert len(inside) == 3 and inside.min() >= 10 and inside.max() <= 40
    at = np.flatnonzero(moved != -1024)
    assert np.allclose(inside, np.interp(at - by, [0, 1, 2], [10, 20, 40]))


def test_thick_slices_beside_thin_ones_leave_nothing_out():
    axes = slice_axes(FOLDER, AXIAL)
    heights = [*np.arange(12) * 2.5, *(31.25 + np.arange(8) * 5.0)]
    thick = [2.5] * 12 + [5.0] * 8
    stack = judge(FOLDER, axes, [(0, 0, z) for z in heights], (1.0, 1.0), (4, 4), thick)
    assert [finding.kind for finding in stack.findings] == ["uneven_spacing"]
    assert stack.geometry.spacing[0] == pytest.approx(2.5, rel=0.05)
    with pytest.raises(FileRefused, match="slices are missing"):
        judge(FOLDER, axes, [(0, 0, z) for z in heights], (1.0, 1.0), (4, 4), [2.5] * 20)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(("step", "pixel"), [(0.6, 0.3), (1.25, 0.5), (5.0, 0.9)])
def test_places_rounded_to_a_tenth_of_a_millimetre_are_no_tilt_whatever_their_orientation(seed, step, pixel):
    row, column, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))[0].T
    axes = slice_axes(FOLDER, (*row, *column))
    positions = np.round(np.arange(30)[:, None] * step * axes[0] + (-50.3, 20.7, 11.1), 1)
    stack = judge(FOLDER, axes, positions, (pixel, pixel), (4, 4), [step] * 30)
    assert stack.findings == () and stack.geometry.spacing[0] == pytest.approx(step, abs=0.01)


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("tilt", [0.0, 0.25])
def test_thin_slices_keep_their_places_beside_thick_ones(turned, tilt):
    """A head: 5 mm through the base, 10 mm above; or the other way round."""
    heights = np.array([*np.arange(8) * 5.0, *(42.5 + np.arange(8) * 10.0)])
    thick = np.array([5.0] * 8 + [10.0] * 8)
    thin = np.arange(8)
    if turned:
        heights, thick, thin = -heights[::-1], thick[::-1], np.arange(8, 16)
    axes = slice_axes(FOLDER, AXIAL)
    positions = np.stack([np.zeros(16), tilt * heights, heights], 1)
    stack = judge(FOLDER, axes, positions, (1.0, 1.0), (4, 4), thick.tolist())
    assert stack.geometry.spacing[0] == pytest.approx(5.0)
    places = np.array(stack.places)
    assert np.allclose(places[thin], np.rint(places[thin]))
    shown = stack.geometry.index_to_mm(np.stack([places, np.zeros(16), np.zeros(16)], 1))[:, 2]
    assert np.allclose(shown, heights)  # and all others lie where they lay
    assert places.min() > -1e-6 and places.max() <= stack.geometry.shape[0] - 1 + 1e-6
    assert stack.geometry.extent[0] <= np.ptp(heights) + 3 * 5.0
    if tilt:
        k = np.rint(places[thin]).astype(int)
        assert np.allclose(np.array(stack.tilt.positions)[k], positions[thin])


@pytest.mark.parametrize("wide", [4, 10, 13])
def test_slices_left_out_of_a_part_are_missing_however_large_it_is(wide):
    heights = [*np.arange(20 - wide) * 2.0, *(40 - 2.0 * wide + 2 + np.arange(wide) * 4.0)]
    with pytest.raises(FileRefused, match="slices are missing"):
        judged(heights, thickness=2.0)


def test_slices_shifted_at_random_are_refused():
    axes = slice_axes(FOLDER, AXIAL)
    positions = [(3.0 * (n % 2), 0, 2.0 * n) for n in range(6)]
    with pytest.raises(FileRefused, match=r"displaced against each other by up to 3\.0 mm"):
        judge(FOLDER, axes, positions, (1.0, 1.0), (4, 4), [None] * 6)


def test_a_drift_below_half_a_pixel_is_no_tilt():
    stack, _ = judged(np.arange(10) * 5.0, tilt=(0.004, 0))
    assert stack.findings == ()


def test_repeated_places_are_found_whatever_their_order():
    axes = slice_axes(FOLDER, AXIAL)
    positions = [(0, 0, z) for z in (5.0, 0.0, 5.0, 10.0, 0.0002)]
    assert same_place(axes, positions) == [(1, 4), (0, 2)]


@pytest.mark.parametrize("orientation", [(1, 0, 0, 1, 0, 0), (0, 0, 0, 0, 1, 0), (1, 0, 0, 0.3, 0.95, 0), (2, 0, 0, 0, 2, 0)])
def test_direction_cosines_that_are_none_are_refused(orientation):
    with pytest.raises(FileRefused, match="ImageOrientationPatient"):
        slice_axes(FOLDER, orientation)
