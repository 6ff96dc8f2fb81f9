"""Fills and growing against what scikit-image and plain distances say."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree
from skimage.segmentation import flood

from ctmri_core.domain import Domain
from ctmri_core.geometry import Geometry
from ctmri_core.preprocess.mask_regions import flooded, regrown
from ctmri_core.volume import Volume

GRID = Geometry((9, 20, 24), (2.5, 1.0, 1.2), (-20.0, -18.0, 5.0))
VALUES = (100 * gaussian_filter(np.random.default_rng(0).normal(size=GRID.shape), 1.0)).astype(np.float32)
SCAN = Volume(VALUES, GRID, Domain.MR_T1)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_fill_is_what_hangs_together_in_its_slice(axis):
    at = np.array((4, 10, 12))
    labels = np.zeros(GRID.shape, np.uint8)
    labels[4, 10, 12:14] = 2
    places = flooded(labels, GRID, SCAN, GRID.index_to_mm(at), GRID.axes[axis] + 0.1, 15.0, 2)
    seed = tuple(np.delete(at, axis))
    expected = flood(np.take(VALUES, at[axis], axis), seed, tolerance=15.0, connectivity=1)
    expected &= np.take(labels, at[axis], axis) != 2
    found = np.zeros(GRID.shape, bool)
    found.ravel()[places] = True
    np.testing.assert_array_equal(np.take(found, at[axis], axis), expected)
    assert found.sum() == expected.sum() > 0


def test_a_fill_beyond_the_grid_or_without_a_value_is_nothing():
    labels = np.zeros(GRID.shape, np.uint8)
    assert not flooded(labels, GRID, SCAN, GRID.index_to_mm((30, 0, 0)), GRID.axes[0], 15.0, 1).size
    holes = Volume(np.full(GRID.shape, np.nan, np.float32), GRID, Domain.MR_T1)
    assert not flooded(labels, GRID, holes, GRID.centre, GRID.axes[0], 15.0, 1).size


@pytest.mark.parametrize("by_mm", [1.0, 2.5, 6.0, -1.0, -2.6])
def test_a_region_grows_and_shrinks_by_millimetres(by_mm):
    labels = np.zeros(GRID.shape, np.uint8)
    labels[2:7, 5:14, 6:18], labels[:, :, 19:] = 3, 1
    before = labels.copy()
    labels.ravel()[regrown(labels, GRID, 3, by_mm)] = 3 if by_mm > 0 else 0
    places = GRID.index_to_mm(np.stack(np.indices(GRID.shape), -1))
    of = cKDTree(places[before == 3] if by_mm > 0 else places[before != 3])
    away = of.query(places.reshape(-1, 3))[0].reshape(GRID.shape)
    if by_mm > 0:
        expected = np.where((before == 0) & (away <= by_mm + 1e-6), 3, before)
    else:
        expected = np.where((before == 3) & (away <= -by_mm + 1e-6), 0, before)
    np.testing.assert_array_equal(labels, expected)
    assert (labels != before).any()


def test_nothing_grows_from_nothing_and_a_full_grid_does_not_shrink():
    assert not regrown(np.zeros(GRID.shape, np.uint8), GRID, 1, 3.0).size
    assert not regrown(np.ones(GRID.shape, np.uint8), GRID, 1, -3.0).size
