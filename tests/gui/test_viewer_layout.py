"""Slices come to the screen the right way round, whatever orientation they are stored in."""

from itertools import permutations, product

import numpy as np
import pytest

from ctmri_core.domain import Domain
from ctmri_core.geometry import Geometry, rigid_transform
from ctmri_core.volume import Volume
from ctmri_gui.viewer.displayed_grid import DisplayedGrid
from ctmri_gui.viewer.screen_layout import screen_layout
from ctmri_gui.viewer.slice_stack import slices_of

ORIENTATIONS = [
    tuple(tuple(float(sign) if axis == n else 0.0 for n in range(3)) for axis, sign in zip(order, signs, strict=True))
    for order in permutations(range(3))
    for signs in product((1, -1), repeat=3)
]
# Where patient right, left, front, back, head and feet belong, per plane: (left, right, top, bottom) of the screen.
EXPECTED = {"axial": ("R", "L", "A", "P"), "coronal": ("R", "L", "S", "I"), "sagittal": ("A", "P", "S", "I")}
SIDE = {"R": (0, -1), "L": (0, 1), "A": (1, -1), "P": (1, 1), "I": (2, -1), "S": (2, 1)}


def test_there_are_48_orientations() -> None:
    assert len(set(ORIENTATIONS)) == 48


@pytest.mark.parametrize("direction", ORIENTATIONS)
def test_a_marked_side_appears_where_radiologists_look_for_it(direction) -> None:
    geometry = Geometry((4, 6, 8), (3.0, 1.0, 2.0), (-7.0, 5.0, 11.0), direction)
    layout = screen_layout(geometry)
    expected = EXPECTED[layout.plane]
    assert layout.edge_letters == expected
    mm = geometry.index_to_mm(np.moveaxis(np.indices(geometry.shape), 0, -1))
    for letter, (axis, towards) in zip(expected, [(1, 0), (1, -1), (0, 0), (0, -1)], strict=True):
        component, sign = SIDE[letter]
        beyond = (mm[..., component] - geometry.centre[component]) * sign > 0
        picture = layout.arrange(beyond[1])
        assert picture.take(towards, axis=axis).all(), f"the {letter} side is not at its edge"
        assert not picture.take(-1 - towards, axis=axis).any()


@pytest.mark.parametrize("direction", ORIENTATIONS[::5])
def test_points_of_the_picture_are_the_voxels_points(direction) -> None:
    geometry = Geometry((4, 6, 8), (3.0, 1.0, 2.0), (-7.0, 5.0, 11.0), direction)
    layout = screen_layout(geometry)
    k, j, i = 2, 1, 5
    marked = np.zeros(geometry.shape[1:], np.int16)
    marked[j, i] = 1
    row, column = np.argwhere(layout.arrange(marked))[0]
    _, down, right = layout.geometry.spacing
    mm = layout.to_mm((column + 0.5) * right, (row + 0.5) * down, k)
    assert mm == pytest.approx(geometry.index_to_mm((k, j, i)))
    assert layout.from_mm(mm) == pytest.approx(((column + 0.5) * right, (row + 0.5) * down, k))


def test_neurological_display_is_the_mirror_image_and_says_so_in_its_letters() -> None:
    geometry = Geometry((4, 6, 8), (1.0, 1.0, 1.0))
    assert screen_layout(geometry, neurological=True).edge_letters == ("L", "R", "A", "P")
    voxels = np.arange(48).reshape(6, 8)
    mirrored = screen_layout(geometry, neurological=True).arrange(voxels)
    np.testing.assert_array_equal(mirrored, screen_layout(geometry).arrange(voxels)[:, ::-1])


def test_oblique_slices_list_letters_by_dominance() -> None:
    turn = rigid_transform((0, 0, 30), (0, 0, 0))
    oblique = Geometry.from_affine((4, 6, 8), turn @ Geometry((4, 6, 8), (1, 1, 1)).affine)
    left, right, top, bottom = screen_layout(oblique).edge_letters
    assert (left, right, top, bottom) == ("RA", "LP", "AL", "PR")


@pytest.mark.parametrize("direction", ORIENTATIONS[::7])
def test_wheel_forward_goes_to_head_front_or_left(direction) -> None:
    geometry = Geometry((4, 6, 8), (3.0, 1.0, 2.0), direction=direction)
    layout = screen_layout(geometry)
    step = geometry.index_to_mm((layout.forward, 0, 0)) - geometry.index_to_mm((0, 0, 0))
    component, sign = SIDE[{"axial": "S", "coronal": "A", "sagittal": "L"}[layout.plane]]
    assert step[component] * sign > 0


def test_position_label_names_side_and_place() -> None:
    geometry = Geometry((180, 8, 8), (1.0, 1.0, 1.0), (0.0, 0.0, -27.9))
    volume = Volume(np.zeros(geometry.shape, np.int16), geometry, Domain.CT)
    stack = slices_of(volume, DisplayedGrid.of(volume), lambda: None)
    assert stack.position_label(40) == "S 12.1 mm · 41/180"
    assert stack.position_label(0) == "I 27.9 mm · 1/180"
