"""Where each pixel of a changed pair comes from, and what is never made up."""

from __future__ import annotations

import numpy as np
import pytest

from ctmri_core.data.augmentation import Augmentation, Intensity, Placement

EDGE = 96
OUTSIDE = np.array([-1.0, -0.25, 0.0], np.float32)


def ramps() -> np.ndarray:
    """Plane 0 holds the row, plane 1 the column of each pixel in [-0.5, 0.5], plane 2 a mask."""
    rows, columns = np.mgrid[:EDGE, :EDGE] / (EDGE - 1) - 0.5
    mask = ((np.hypot(rows - 0.1, columns + 0.15)) < 0.2).astype(float)
    return np.stack([rows, columns, mask])


def origin_of(placement: Placement, row: np.ndarray, column: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """By hand: about the middle of the square, turned and shrunk back, mirrored, and moved to the square's corner."""
    middle = (placement.size - 1) / 2
    y, x = (row - middle) / placement.zoom, (column - middle) / placement.zoom
    angle = np.deg2rad(placement.degrees)
    y, x = np.cos(angle) * y - np.sin(angle) * x, np.sin(angle) * y + np.cos(angle) * x
    x = -x if placement.flipped else x
    return y + middle + placement.top, x + middle + placement.left


@pytest.mark.parametrize("flipped", [False, True])
@pytest.mark.parametrize(("degrees", "zoom"), [(0.0, 1.0), (17.0, 1.0), (-33.0, 0.8), (8.0, 1.3)])
def test_every_pixel_of_all_planes_comes_from_the_same_place(degrees: float, zoom: float, flipped: bool):
    placement = Placement(20, 12, 40, flipped, degrees, zoom)
    result = placement.apply(ramps(), OUTSIDE, mr=(1,), masks=(2,))
    row, column = origin_of(placement, *np.mgrid[:40, :40])
    inside = (row >= 0) & (row <= EDGE - 1) & (column >= 0) & (column <= EDGE - 1)
    assert inside.mean() > 0.9
    for plane, wanted in ((0, row), (1, column)):
        np.testing.assert_allclose(result[plane][inside], (wanted / (EDGE - 1) - 0.5)[inside], atol=2e-4)
    there = np.hypot(row / (EDGE - 1) - 0.6, column / (EDGE - 1) - 0.35) < 0.2
    assert (there != result[2].astype(bool)).mean() < 0.01


def test_nothing_is_made_up_beyond_the_picture_or_its_values():
    planes = np.random.default_rng(0).choice([-0.9, 0.9], (3, 24, 24))
    planes[2] = planes[2] > 0
    for degrees, zoom, flipped in ((40.0, 0.7, True), (-12.0, 1.2, False), (0.0, 1.0, False)):
        result = Placement(-10, 4, 48, flipped, degrees, zoom).apply(planes, OUTSIDE, masks=(2,))
        assert result[0].min() == -1 and result[0].max() <= 0.9 + 1e-6
        assert result[1].min() >= -0.9 - 1e-6
        for plane, value in enumerate(OUTSIDE):
            assert result[plane, 0, 0] == value  # a corner far from the picture


def test_noise_in_source_and_target_is_not_the_same():
    flat = np.zeros((2, 32, 32))
    one, other = Placement(0, 0, 32, False, mr=Intensity(noise=0.1, seed=3)).apply(flat, OUTSIDE[:2], mr=(0, 1))
    assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 0.1
    bent, alike = Placement(0, 0, 32, False, mr=Intensity(bias=0.3, seed=3)).apply(flat, OUTSIDE[:2], mr=(0, 1))
    np.testing.assert_array_equal(bent, alike)  # of one coil


def test_what_is_drawn_follows_from_the_generator_alone():
    mask = np.zeros((64, 80), bool)
    mask[20:40, 30:60] = True
    everything = Augmentation(32, degrees=10, scale=0.2, gamma=0.3, bias=0.2, noise=0.05)
    drawn = [[everything.draw(np.random.default_rng([7, n]), mask) for n in range(20)] for _ in range(2)]
    assert drawn[0] == drawn[1] and len(set(drawn[0])) == 20


def test_mirrored_alone_an_mr_is_changed_like_any_other():
    """Without turning, which copies, a mirrored picture is a view with a negative stride."""
    change = Intensity(gamma=1.3, bias=0.2, noise=0.02, seed=5)
    cut = [Placement(20, 12, 40, flipped, mr=change).apply(ramps(), OUTSIDE, mr=(1,)) for flipped in (False, True)]
    np.testing.assert_array_equal(cut[0][0, :, ::-1], cut[1][0])
    assert not np.array_equal(cut[1][1], Placement(20, 12, 40, True).apply(ramps(), OUTSIDE, mr=(1,))[1])
