"""Resampling against SimpleITK, and the matrices against their definition."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st

import ctmri_core
from ctmri_core.domain import Domain
from ctmri_core.errors import GeometryMismatch
from ctmri_core.geometry import Geometry, rigid_transform
from ctmri_core.preprocess.resample import coarsened, in_plane_matrix, resample_array, resample_to, sample_plane
from ctmri_core.volume import Volume


def _volume(dtype=np.int16, shape=(11, 17, 23), spacing=(2.5, 0.9, 1.1), domain=Domain.CT, turned=(0.0, 0.0, 0.0)):
    voxels = np.random.default_rng(0).integers(-1000, 2000, shape).astype(dtype)
    upright = Geometry(shape, spacing, (5.0, -7.0, 11.0))
    return Volume(voxels, Geometry.from_affine(shape, rigid_transform(turned, (0, 0, 0)) @ upright.affine), domain)


def _itk(array, geometry):
    image = sitk.GetImageFromArray(array)
    spacing, origin, direction = geometry.to_itk()
    image.SetSpacing(spacing)
    image.SetOrigin(origin)
    image.SetDirection(direction)
    return image


def _itk_resampled(volume, geometry, interpolator=sitk.sitkLinear):
    spacing, origin, direction = geometry.to_itk()
    image = _itk(volume.voxels.astype(np.float32), volume.geometry)
    resampled = sitk.Resample(
        image, geometry.shape[::-1], sitk.Transform(), interpolator, origin, spacing, direction, volume.background
    )
    return sitk.GetArrayFromImage(resampled)


def _turned_grid(volume, degrees, shift, shape=(9, 20, 18), spacing=(1.7, 1.3, 0.8)):
    """A grid about the middle of `volume`, turned and shifted, partly outside it."""
    upright = Geometry(shape, spacing)
    move = rigid_transform(degrees, tuple(np.asarray(shift)), (0, 0, 0))
    affine = move @ upright.affine
    affine[:3, 3] += volume.geometry.centre - (move @ np.append(upright.centre, 1))[:3] + np.asarray(shift)
    return Geometry.from_affine(shape, affine)


@pytest.mark.parametrize("dtype", [np.int16, np.float32])
@pytest.mark.parametrize("degrees", [(0, 0, 0), (0, 0, 90), (13, -28, 41), (90, 5, 0)])
def test_linear_agrees_with_simpleitk(dtype, degrees):
    volume = _volume(dtype, turned=(4, 0, 30))
    grid = _turned_grid(volume, degrees, (2.2, -3.1, 4.05))
    expected = _itk_resampled(volume, grid)
    planes = [sample_plane(volume, grid.cropped((k, 0, 0), (1, *grid.shape[1:]))) for k in range(grid.shape[0])]
    assert planes[0].dtype == np.float32
    np.testing.assert_allclose(np.stack(planes), expected, atol=2e-3)
    whole = resample_to(volume, grid)
    assert whole.voxels.dtype == dtype
    assert whole.geometry == grid
    np.testing.assert_allclose(whole.voxels, np.rint(expected) if dtype == np.int16 else expected, atol=2e-3)


def test_nearest_agrees_with_simpleitk():
    volume = _volume()
    grid = _turned_grid(volume, (11, 23, -37), (1.23, -2.34, 0.77))
    expected = _itk_resampled(volume, grid, sitk.sitkNearestNeighbor)
    np.testing.assert_array_equal(resample_to(volume, grid, order=0).voxels, expected)


@given(
    order=st.permutations((0, 1, 2)),
    flips=st.tuples(st.booleans(), st.booleans(), st.booleans()),
    start=st.tuples(*[st.integers(-4, 4)] * 3),
    shape=st.tuples(*[st.sampled_from((1, 2, 5, 9))] * 3),
)
@settings(max_examples=80, deadline=None)
def test_coinciding_lattices_are_copied_exactly(order, flips, start, shape):
    volume = _volume(np.float32, shape=(4, 5, 6), turned=(10, 20, 30))
    grid = volume.geometry.permuted(order, flips).cropped(start, shape)
    found = resample_to(volume, grid).voxels
    index = np.stack(np.meshgrid(*[np.arange(n) for n in shape], indexing="ij"), -1)
    source = np.rint(volume.geometry.mm_to_index(grid.index_to_mm(index))).astype(int)
    inside = ((source >= 0) & (source < volume.voxels.shape)).all(-1)
    clipped = np.clip(source, 0, np.asarray(volume.voxels.shape) - 1)
    expected = np.where(inside, volume.voxels[tuple(np.moveaxis(clipped, -1, 0))], volume.background)
    np.testing.assert_array_equal(found, expected)


@given(
    degrees=st.tuples(*[st.floats(-180, 180)] * 3), shift=st.tuples(*[st.floats(-3, 3)] * 3), step=st.floats(0.3, 3.0)
)
@settings(max_examples=40, deadline=None)
def test_linear_functions_of_position_are_kept(degrees, shift, step):
    geometry = Geometry((12, 13, 14), (2.0, 1.5, 1.0))
    position = geometry.index_to_mm(np.stack(np.meshgrid(*[np.arange(n) for n in geometry.shape], indexing="ij"), -1))
    slope = np.array([1.5, -2.0, 0.7])
    volume = Volume((position @ slope).astype(np.float32), geometry, Domain.MR_T1)
    grid = _turned_grid(volume, degrees, shift, (1, 7, 8), (1.0, step, step))
    found = sample_plane(volume, grid, outside=np.nan)
    index = np.stack(np.meshgrid(*[np.arange(n) for n in grid.shape], indexing="ij"), -1)
    where = grid.index_to_mm(index)
    inside = geometry.mm_to_index(where)
    interior = ((inside >= 0) & (inside <= np.asarray(geometry.shape) - 1)).all(-1)[0]
    np.testing.assert_allclose(found[interior], (where @ slope)[0][interior], atol=1e-3)
    beyond = ((inside < -0.501) | (inside > np.asarray(geometry.shape) - 0.499)).any(-1)[0]
    assert np.isnan(found[beyond]).all()


def test_almost_parallel_axes_do_not_overflow():
    volume = _volume(np.float32)
    affine = volume.geometry.affine.copy()
    affine[:3, :3] *= 1 / 3
    affine[0, 1] = 1e-17
    grid = Geometry.from_affine((20, 30, 40), affine)
    np.testing.assert_allclose(resample_to(volume, grid).voxels, _itk_resampled(volume, grid), atol=2e-3)


def test_one_slice_is_seen_within_its_thickness():
    volume = _volume(shape=(1, 8, 9), spacing=(4.0, 1.0, 1.0))
    for offset, seen in ((1.9, True), (2.1, False)):
        plane = Geometry((1, 8, 9), (1.0, 1.0, 1.0), tuple(volume.geometry.index_to_mm((offset / 4, 0, 0))))
        expected = volume.voxels[0] if seen else np.full((8, 9), -1024.0)
        np.testing.assert_array_equal(sample_plane(volume, plane), expected)


def test_background_is_air_for_ct_and_zero_for_mr():
    far = Geometry((1, 3, 3), (1.0, 1.0, 1.0), (900.0, 0.0, 0.0))
    assert (sample_plane(_volume(), far) == -1024).all()
    assert (sample_plane(_volume(domain=Domain.MR_T2), far) == 0).all()


def test_read_only_voxels_and_masks():
    volume = _volume()
    grid = _turned_grid(volume, (5, 5, 5), (0, 0, 0))
    mask = volume.voxels > 500
    mask.setflags(write=False)
    volume.voxels.setflags(write=False)
    found = resample_array(mask, volume.geometry, grid)
    assert found.dtype == np.bool_
    np.testing.assert_array_equal(found, resample_array(volume.voxels, volume.geometry, grid, order=0) > 500)


def test_the_same_grid_returns_the_same_volume():
    volume = _volume()
    assert resample_to(volume, volume.geometry) is volume
    assert resample_to(volume, volume.geometry.cropped((0, 1, 1), (2, 2, 2))).history


def test_what_makes_no_sense_is_refused():
    volume = _volume()
    with pytest.raises(GeometryMismatch, match="one slice"):
        sample_plane(volume, volume.geometry)
    with pytest.raises(ValueError, match="order"):
        resample_array(volume.voxels, volume.geometry, volume.geometry.cropped((0, 0, 0), (1, 1, 1)), order=3)
    with pytest.raises(GeometryMismatch):
        resample_array(volume.voxels[1:], volume.geometry, volume.geometry)
    with pytest.raises(ValueError, match="int64"):
        resample_array(volume.voxels.astype(np.int64), volume.geometry, volume.geometry)
    with pytest.raises(ValueError, match="positive"):
        in_plane_matrix(4, 0.0, 4, 1.0)


def test_block_means():
    volume = _volume(shape=(7, 12, 13), spacing=(3.0, 1.0, 1.0))
    coarse = coarsened(volume, 3.0)
    assert coarse.geometry.spacing == (3.0, 3.0, 3.0)
    assert coarse.voxels.shape == (7, 4, 5)
    np.testing.assert_allclose(coarse.voxels[2, 1, 3], volume.voxels[2, 3:6, 9:12].mean(), rtol=1e-6)
    np.testing.assert_allclose(coarse.voxels[2, 1, 4], volume.voxels[2, 3:6, 12:].mean(), rtol=1e-6)
    np.testing.assert_allclose(coarse.geometry.index_to_mm((2, 1, 3)), volume.geometry.index_to_mm((2, 4, 10)), atol=1e-9)


@given(n_in=st.integers(1, 60), n_out=st.integers(1, 60), ratio=st.floats(0.2, 5.0))
@settings(max_examples=60, deadline=None)
def test_matrix_rows_are_averages_inside_the_field_of_view_and_nothing_outside(n_in, n_out, ratio):
    matrix = in_plane_matrix(n_in, 1.0, n_out, ratio)
    assert matrix.shape == (n_out, n_in)
    assert matrix.dtype == np.float32
    position = np.abs(np.arange(n_out) - (n_out - 1) / 2) * ratio
    inside = position < n_in / 2
    clear = np.abs(position - n_in / 2) > 0.01
    np.testing.assert_allclose(matrix.sum(1)[clear], inside[clear].astype(float), atol=1e-5)
    np.testing.assert_allclose(matrix, matrix[::-1, ::-1], atol=1e-6)


def test_growing_is_linear_interpolation_as_in_simpleitk():
    image = np.random.default_rng(2).normal(size=(1, 20, 31)).astype(np.float32)
    source = Geometry(image.shape, (1.0, 1.2, 0.9))
    rows, columns = in_plane_matrix(20, 1.2, 40, 0.5), in_plane_matrix(31, 0.9, 50, 0.5)
    centre = source.centre
    target = Geometry((1, 40, 50), (1.0, 0.5, 0.5), tuple(centre - [0.5 * 49 / 2, 0.5 * 39 / 2, 0]))
    expected = _itk_resampled(Volume(image, source, Domain.MR_T1), target)[0]
    np.testing.assert_allclose(rows @ image[0] @ columns.T, expected, atol=1e-5)


def test_shrinking_takes_the_average_and_the_way_back_keeps_smooth_images():
    stripes = np.resize([0.0, 1.0], 64).astype(np.float32)
    shrunk = in_plane_matrix(64, 1.0, 16, 4.0) @ stripes
    np.testing.assert_allclose(shrunk[1:-1], 0.5, atol=0.02)
    x = np.arange(200)
    smooth = np.sin(x / 20).astype(np.float32)
    there = in_plane_matrix(200, 0.7, 150, 1.0) @ smooth
    back = in_plane_matrix(150, 1.0, 200, 0.7) @ there
    np.testing.assert_allclose(back[3:-3], smooth[3:-3], atol=0.01)
    np.testing.assert_array_equal(in_plane_matrix(9, 1.3, 9, 1.3), np.eye(9, dtype=np.float32))


@pytest.mark.skipif(os.name == "nt", reason="folder permissions work differently on Windows")
def test_compiled_kernels_are_cached_elsewhere_when_the_package_cannot_be_written(tmp_path):
    package = tmp_path / "read_only" / "ctmri_core"
    shutil.copytree(Path(ctmri_core.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    # A file where the cache folder would go refuses it to any user, root included.
    (package / "metrics" / "__pycache__").write_text("")
    environment = os.environ | {
        "PYTHONPATH": str(package.parent), "XDG_CACHE_HOME": str(tmp_path / "cache"), "HOME": str(tmp_path)
    }
    environment.pop("NUMBA_CACHE_DIR", None)
    check = "import ctmri_core.metrics.ssim_kernel as k; print(k.__file__, sum(k.uniform7.stats.cache_hits.values()))"
    runs = [
        subprocess.run([sys.executable, "-c", check], env=environment, cwd=tmp_path, capture_output=True, text=True, check=True)
        for _ in range(2)
    ]
    kernel = str(package / "metrics" / "ssim_kernel.py")
    assert [run.stdout.split() for run in runs] == [[kernel, "0"], [kernel, "3"]]
