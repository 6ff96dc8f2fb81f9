"""Geometry against SimpleITK, and as properties."""

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import assume, given
from hypothesis import strategies as st

from ctmri_core.errors import GeometryMismatch
from ctmri_core.geometry import Geometry, letters, rigid_transform

_coordinates = st.floats(-400, 400)
_angles = st.integers(-180_000, 180_000).map(lambda n: n / 1000)  # not so small that products underflow in ITK


@st.composite
def geometries(draw):
    """Any rigid lattice, mirrored ones included."""
    shape = draw(st.tuples(*[st.integers(1, 60)] * 3))
    spacing = draw(st.tuples(*[st.floats(0.05, 9)] * 3))
    origin = draw(st.tuples(*[_coordinates] * 3))
    turn = rigid_transform(draw(st.tuples(*[_angles] * 3)), (0, 0, 0))[:3, :3]
    signs = draw(st.tuples(*[st.sampled_from((-1.0, 1.0))] * 3))
    axes = tuple(tuple(sign * row) for sign, row in zip(signs, turn.T[::-1], strict=True))
    return Geometry(shape, spacing, origin, axes)


def _image(geometry):
    image = sitk.Image([int(n) for n in geometry.shape[::-1]], sitk.sitkUInt8)
    spacing, origin, direction = geometry.to_itk()
    image.SetSpacing(spacing)
    image.SetOrigin(origin)
    image.SetDirection(direction)
    return image


@given(geometries(), st.tuples(*[st.floats(-50, 100)] * 3))
def test_points_agree_with_simpleitk(geometry, index):
    image = _image(geometry)
    expected = image.TransformContinuousIndexToPhysicalPoint([float(n) for n in index[::-1]])
    np.testing.assert_allclose(geometry.index_to_mm(index), expected, atol=1e-8)
    last = [n - 1 for n in geometry.shape]
    np.testing.assert_allclose(geometry.index_to_mm(last), image.TransformIndexToPhysicalPoint(last[::-1]), atol=1e-8)
    back = image.TransformPhysicalPointToContinuousIndex([float(c) for c in geometry.index_to_mm(index)])
    np.testing.assert_allclose(geometry.mm_to_index(expected), back[::-1], atol=1e-6)


@given(geometries())
def test_round_trips(geometry):
    image = _image(geometry)
    again = Geometry.from_itk(image.GetSize(), image.GetSpacing(), image.GetOrigin(), image.GetDirection())
    assert again.is_close(geometry, 1e-9)
    assert Geometry.from_affine(geometry.shape, geometry.affine).is_close(geometry, 1e-9)
    index = np.random.default_rng(0).uniform(-5, 70, (4, 3, 3))
    np.testing.assert_allclose(geometry.mm_to_index(geometry.index_to_mm(index)), index, atol=1e-7)


@given(geometries(), st.permutations((0, 1, 2)), st.tuples(*[st.booleans()] * 3))
def test_permuting_follows_the_voxels(geometry, order, flips):
    index = np.stack(np.indices([min(n, 4) for n in geometry.shape]), -1)
    geometry = Geometry(index.shape[:3], geometry.spacing, geometry.origin, geometry.direction)
    places = geometry.index_to_mm(index)
    moved = places.transpose(*order, 3)[tuple(slice(None, None, -1 if flip else 1) for flip in flips)]
    new = geometry.permuted(order, flips)
    assert new.shape == moved.shape[:3]
    np.testing.assert_allclose(new.index_to_mm(np.stack(np.indices(new.shape), -1)), moved, atol=1e-7)


@given(geometries(), st.tuples(*[st.integers(-9, 9)] * 3), st.tuples(*[st.integers(1, 9)] * 3))
def test_cropping_keeps_places(geometry, start, shape):
    part = geometry.cropped(start, shape)
    np.testing.assert_allclose(part.index_to_mm((0, 0, 0)), geometry.index_to_mm(start), atol=1e-9)
    np.testing.assert_allclose(part.index_to_mm((1, 2, 3)), geometry.index_to_mm(np.add(start, (1, 2, 3))), atol=1e-7)


@given(geometries())
def test_centre_corners_and_extent(geometry):
    np.testing.assert_allclose(geometry.corners.mean(0), geometry.centre, atol=1e-8)
    assert geometry.extent == pytest.approx([n * s for n, s in zip(geometry.shape, geometry.spacing, strict=True)])
    inside = geometry.mm_to_index(geometry.corners)
    assert inside.min() == pytest.approx(0, abs=1e-6)


@given(geometries(), st.floats(0.01, 5))
def test_closeness_is_measured_in_millimetres(geometry, distance):
    assume(abs(distance - 1) > 1e-3)
    shifted = Geometry(geometry.shape, geometry.spacing, tuple(np.add(geometry.origin, (0, distance, 0))), geometry.direction)
    assert geometry.is_close(shifted, 1.0) == (distance < 1.0)
    larger = geometry.cropped((0, 0, 0), [n + 1 for n in geometry.shape])
    assert not geometry.is_close(larger, 1e6)


@given(st.tuples(*[_angles] * 3), st.tuples(*[_coordinates] * 3), st.tuples(*[_coordinates] * 3))
def test_rigid_transform_agrees_with_simpleitk(degrees, translation, centre):
    euler = sitk.Euler3DTransform()
    euler.SetComputeZYX(True)
    euler.SetCenter(centre)
    euler.SetRotation(*np.deg2rad(degrees).tolist())
    euler.SetTranslation(translation)
    point = (31.0, -7.0, 12.0)
    matrix = rigid_transform(degrees, translation, centre)
    np.testing.assert_allclose((matrix @ (*point, 1))[:3], euler.TransformPoint(point), atol=1e-6)
    np.testing.assert_allclose(matrix[:3, :3] @ matrix[:3, :3].T, np.eye(3), atol=1e-12)
    assert np.linalg.det(matrix[:3, :3]) == pytest.approx(1)


def test_letters():
    assert Geometry((1, 1, 1), (1, 1, 1)).orientation == "SPL"
    assert Geometry((1, 1, 1), (1, 1, 1)).axis_letters(2) == ("R", "L")
    assert letters((0.7, -0.6, 0.1)) == "LA"
    assert letters((-0.6, 0.7, 0.0)) == "PR"
    for orientation, ours in (("LPS", "SPL"), ("RAI", "IAR"), ("ASL", "LSA")):
        image = sitk.DICOMOrient(_image(Geometry((3, 4, 5), (1, 1, 1))), orientation)
        turned = Geometry.from_itk(image.GetSize(), image.GetSpacing(), image.GetOrigin(), image.GetDirection())
        assert turned.orientation == ours  # ITK counts i first, we count k first


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"shape": (0, 4, 4)}, "at least one voxel"),
        ({"shape": (4, 4)}, "three sizes"),
        ({"spacing": (1, 0, 1)}, "positive millimetres"),
        ({"spacing": (1, -1, 1)}, "positive millimetres"),
        ({"spacing": (1, float("nan"), 1)}, "positive millimetres"),
        ({"origin": (0, float("inf"), 0)}, "not finite"),
        ({"direction": ((0, 0, 1), (0, 1, 0), (1, 0.1, 0))}, "right angles"),
        ({"direction": ((0, 0, 1), (0, 1, 0), (0, 0, 1))}, "right angles"),
        ({"direction": ((0, 0, float("nan")), (0, 1, 0), (1, 0, 0))}, "finite 3 x 3"),
    ],
)
def test_grids_that_are_none_are_refused(change, words):
    with pytest.raises(GeometryMismatch, match=words):
        Geometry(**({"shape": (2, 3, 4), "spacing": (1, 1, 1)} | change))


def test_affines_that_are_no_grid_are_refused():
    sheared = np.eye(4)
    sheared[0, 1] = 0.2
    empty = np.diag((1.0, 0, 1, 1))
    holed = np.eye(4) * np.nan
    for affine, words in ((sheared, "right angles"), (empty, "zero spacing"), (np.eye(3), "4 x 4"), (holed, "4 x 4")):
        with pytest.raises(GeometryMismatch, match=words):
            Geometry.from_affine((2, 2, 2), affine)
