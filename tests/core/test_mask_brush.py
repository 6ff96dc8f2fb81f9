"""Strokes against distances that scipy measures, in any orientation of the grid."""

import numpy as np
import pytest
from scipy.spatial import cKDTree

from ctmri_core.geometry import Geometry, rigid_transform
from ctmri_core.preprocess.mask_brush import Brush

_TURN = rigid_transform((10, -25, 40), (0, 0, 0))[:3, :3]
_STRAIGHT = Geometry((24, 40, 36), (2.5, 1.0, 1.2), (-20.0, -18.0, 5.0))
_OBLIQUE = Geometry((30, 32, 34), (1.5, 1.5, 1.5), (3.0, 4.0, 5.0), tuple(map(tuple, (np.eye(3)[::-1] @ _TURN.T).tolist())))


def _places(geometry: Geometry) -> np.ndarray:
    return geometry.index_to_mm(np.stack(np.indices(geometry.shape), -1)).reshape(-1, 3)


def _to_line(points: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Distances to points every hundredth of a mm of the line."""
    count = int(np.linalg.norm(end - start) / 0.01) + 2
    return cKDTree(np.linspace(start, end, count)).query(points)[0]


def _clearly(found: np.ndarray, expected: np.ndarray, sure: np.ndarray) -> None:
    assert sure.mean() > 0.9 and expected.any()
    np.testing.assert_array_equal(found[sure], expected[sure])


@pytest.mark.parametrize("geometry", [_STRAIGHT, _OBLIQUE])
@pytest.mark.parametrize("value", [1, 0])
def test_a_ball_covers_what_is_near_its_way(geometry, value):
    labels = np.full(geometry.shape, 1 - value, np.uint8)
    start, end = geometry.centre, np.add(geometry.centre, (6.0, -5.0, 4.0))
    changed = Brush(7.0).stroke(labels, geometry, start, end, value)
    away = _to_line(_places(geometry), start, end)
    _clearly(labels.ravel() == value, away <= 7.0, np.abs(away - 7.0) > 0.02)
    assert sorted(changed.tolist()) == np.flatnonzero(labels == value).tolist()
    labels.ravel()[changed] = 1 - value
    assert (labels == 1 - value).all()


@pytest.mark.parametrize(("geometry", "axis"), [(_STRAIGHT, 0), (_STRAIGHT, 1), (_STRAIGHT, 2), (_OBLIQUE, 1)])
def test_a_disc_stays_in_its_layer(geometry, axis):
    labels = np.zeros(geometry.shape, np.uint8)
    index = np.array(geometry.shape) // 2
    start = geometry.index_to_mm(index)
    end = start + 5.3 * geometry.axes[(axis + 1) % 3]
    Brush(6.0, tuple(geometry.axes[axis].tolist())).stroke(labels, geometry, start, end, 1)
    assert np.unique(np.nonzero(labels)[axis]).tolist() == [index[axis]]
    layer = np.take(np.arange(labels.size).reshape(labels.shape), index[axis], axis).ravel()
    away = _to_line(_places(geometry)[layer], start, end)
    _clearly(labels.ravel()[layer] == 1, away <= 6.0, np.abs(away - 6.0) > 0.02)


def test_a_disc_across_the_axes_leaves_no_holes_and_may_be_as_thick_as_a_slice():
    """In every column of voxels that the plane goes through one or more are set; a thick one sets what lies as near."""
    labels, thick = np.zeros(_STRAIGHT.shape, np.uint8), np.zeros(_STRAIGHT.shape, np.uint8)
    normal = np.array([0.0, np.sin(0.5), np.cos(0.5)])
    middle = _STRAIGHT.centre
    Brush(12.0, tuple(normal.tolist())).stroke(labels, _STRAIGHT, middle, middle, 1)
    Brush(12.0, tuple(normal.tolist()), 8.0).stroke(thick, _STRAIGHT, middle, middle, 1)
    mm = _places(_STRAIGHT) - middle
    above = mm @ normal
    beside = np.linalg.norm(mm - above[:, None] * normal, axis=1)
    crossed = ((np.abs(above) < 0.5) & (beside < 9)).reshape(_STRAIGHT.shape)
    assert (labels[crossed] == 1).all()
    near = (np.abs(above) <= 4.0) & (beside <= 12)
    _clearly(thick.ravel() == 1, near, (np.abs(np.abs(above) - 4) > 0.01) & (np.abs(beside - 12) > 0.01))


def test_the_voxel_under_the_finest_brush_is_set_and_nothing_beyond_the_grid():
    labels = np.zeros(_STRAIGHT.shape, np.uint8)
    between = _STRAIGHT.index_to_mm((10.4, 20.3, 15.4))
    Brush(0.1, (0.0, 1.0, 0.0)).stroke(labels, _STRAIGHT, between, between, 1)
    assert np.argwhere(labels).tolist() == [[10, 20, 15]]
    outside = _STRAIGHT.index_to_mm((-30.0, 20.0, 15.0))
    assert Brush(3.0).stroke(labels, _STRAIGHT, outside, outside, 1).size == 0
    corner = _STRAIGHT.index_to_mm((0.0, 0.0, 0.0))
    assert Brush(3.0).stroke(labels, _STRAIGHT, corner, corner, 1).size > 4 and labels[0, 0, 0]
    assert Brush(3.0).stroke(labels, _STRAIGHT, corner, corner, 1).size == 0
