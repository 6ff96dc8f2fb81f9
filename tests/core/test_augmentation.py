"""Where each pixel of a changed pair comes from, and what is never made up."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from ctmri_core.data.augmentation import Augmentation, Intensity, Placement
from ctmri_core.training.settings import TrainingSettings

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


@pytest.mark.parametrize(("degrees", "zoom", "flipped"), [(0.0, 1.0, False), (17.0, 1.0, True), (-33.0, 0.8, False)])
def test_what_is_hardly_bent_lies_where_it_lay(degrees: float, zoom: float, flipped: bool):
    """Two ways of MONAI that share the turning: one field for turning and bending, or turning alone."""
    straight, bent = (
        Placement(20, 12, 40, flipped, degrees, zoom, bend, 5).apply(ramps(), OUTSIDE, masks=(2,)) for bend in (0.0, 1e-3)
    )
    row, column = origin_of(Placement(20, 12, 40, flipped, degrees, zoom), *np.mgrid[:40, :40])
    inside = (row >= 0) & (row <= EDGE - 1) & (column >= 0) & (column <= EDGE - 1)
    np.testing.assert_allclose(bent[:2, inside], straight[:2, inside], atol=0.05 / (EDGE - 1))
    assert (bent[2] != straight[2]).mean() < 0.01


@pytest.mark.parametrize("bend", [0.5, 2.0])
def test_what_is_bent_moves_smoothly_by_as_much_as_asked(bend: float):
    row, column = np.mgrid[:64, :64] + 16.0
    moved = []
    for seed in range(24):
        planes = Placement(16, 16, 64, False, bend=bend, bend_seed=seed).apply(ramps(), OUTSIDE, masks=(2,))
        origin = (planes[:2] + 0.5) * (EDGE - 1)
        moved.append(origin - np.stack([row, column]))
        there = np.hypot(origin[0] / (EDGE - 1) - 0.6, origin[1] / (EDGE - 1) - 0.35) < 0.2
        assert (there != planes[2].astype(bool)).mean() < 0.01  # masks move along
    moved = np.array(moved)
    assert abs(moved.mean()) < bend / 10
    assert 0.5 * bend < moved.std() < 1.1 * bend  # between the points that move freely, means of them
    assert max(np.abs(np.diff(moved, axis=axis)).max() for axis in (-1, -2)) < 0.3 * bend  # nothing folds, nothing tears


def test_what_is_bent_as_much_as_may_be_asked_hardly_ever_folds():
    most = next(bound.le for bound in TrainingSettings.model_fields["bend"].metadata if hasattr(bound, "le"))
    random, folded = np.random.default_rng(0), []
    for _ in range(200):
        moved = Augmentation(96, bend=most).draw(random, np.ones((128, 128), bool))._offsets()
        (down_rows, down_columns), (across_rows, across_columns) = (np.gradient(each) for each in moved)
        folded.append(((1 + down_rows) * (1 + across_columns) - down_columns * across_rows <= 0).mean())
    assert np.mean(np.array(folded) > 0) < 0.02 and max(folded) < 0.01


def test_what_is_bent_is_every_plane_alike_and_labels_stay_labels():
    random = np.random.default_rng(0)
    planes = ramps()
    waves = np.sin(planes[0] * 9) * np.cos(planes[1] * 7)
    labels = random.choice([0.0, 1.0, 3.0], (12, 12)).repeat(8, 0).repeat(8, 1)
    result = Placement(20, 12, 48, True, 20.0, 1.1, 2.0, 3).apply(np.stack([*planes[:2], waves, labels]), np.zeros(4, np.float32),
                                                                  masks=(3,))  # fmt: skip
    origin = (result[:2] + 0.5) * (EDGE - 1)
    np.testing.assert_allclose(result[2], map_coordinates(waves, origin, order=1), atol=0.01)
    assert set(np.unique(result[3])) == {0, 1, 3}
    near = map_coordinates(labels, origin, order=0)
    assert (near != result[3]).mean() < 0.02


def test_nothing_is_made_up_beyond_the_picture_or_its_values():
    planes = np.random.default_rng(0).choice([-0.9, 0.9], (3, 24, 24))
    planes[2] = planes[2] > 0
    for degrees, zoom, flipped, bend in ((40.0, 0.7, True, 0.0), (-12.0, 1.2, False, 3.0), (0.0, 1.0, False, 0.0)):
        result = Placement(-10, 4, 48, flipped, degrees, zoom, bend, 1).apply(planes, OUTSIDE, masks=(2,))
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
    everything = Augmentation(32, degrees=10, scale=0.2, gamma=0.3, bias=0.2, noise=0.05, bend=3)
    drawn = [[everything.draw(np.random.default_rng([7, n]), mask) for n in range(20)] for _ in range(2)]
    assert drawn[0] == drawn[1] and len(set(drawn[0])) == 20


def test_mirrored_alone_an_mr_is_changed_like_any_other():
    """Without turning, which copies, a mirrored picture is a view with a negative stride."""
    change = Intensity(gamma=1.3, bias=0.2, noise=0.02, seed=5)
    cut = [Placement(20, 12, 40, flipped, mr=change).apply(ramps(), OUTSIDE, mr=(1,)) for flipped in (False, True)]
    np.testing.assert_array_equal(cut[0][0, :, ::-1], cut[1][0])
    assert not np.array_equal(cut[1][1], Placement(20, 12, 40, True).apply(ramps(), OUTSIDE, mr=(1,))[1])
