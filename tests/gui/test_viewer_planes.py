"""Panes along several planes: the right voxels at the right place whatever the acquisition, linked within a plane only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import permutations, product

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QMainWindow, QMenu
from scipy.ndimage import map_coordinates

from ctmri_core.domain import Domain
from ctmri_core.geometry import Geometry, rigid_transform
from ctmri_core.preprocess.resample import sample_plane
from ctmri_core.volume import Volume
from ctmri_gui.layout_link import LayoutLink
from ctmri_gui.settings import Settings
from ctmri_gui.undo import History
from ctmri_gui.viewer.displayed_grid import Display, DisplayedGrid
from ctmri_gui.viewer.layouts import BUILT_IN, SIDE_BY_SIDE, THREE_PLANES, PaneLayout
from ctmri_gui.viewer.linked_views import LinkedViews
from ctmri_gui.viewer.panes import PaneSpec, Plane
from ctmri_gui.viewer.plane_grids import straightened, turned
from ctmri_gui.viewer.roles import MAIN, Role
from ctmri_gui.viewer.slice_stack import slices_of

PLANES = (Plane.AXIAL, Plane.CORONAL, Plane.SAGITTAL)
NORMALS = {Plane.SAGITTAL: (1, 0, 0), Plane.CORONAL: (0, 1, 0), Plane.AXIAL: (0, 0, 1)}
SHAPE = (20, 24, 28)
OFFSET = np.array([2.5, 0, 12.0])


def ramp(grid: Geometry, domain: Domain = Domain.CT, **facts) -> Volume:
    """Values that tell the place: x + 300 y + 0.5 z, in air where the body ends."""
    index = np.stack(np.meshgrid(*[np.arange(n) for n in grid.shape], indexing="ij"), -1)
    mm = grid.index_to_mm(index)
    values = mm @ (1.0, 300.0, 0.5)
    return Volume(values.astype(np.float32), grid, domain, domain.label, **facts)


def every_orientation() -> Iterator[Geometry]:
    for order in permutations(range(3)):
        for signs in product((1, -1), repeat=3):
            axes = np.eye(3)[list(order)] * np.array(signs)[:, None]
            yield Geometry(SHAPE, (3.0, 2.0, 1.0), (4.0, -7.0, 11.0), tuple(map(tuple, axes)))


OBLIQUE = Geometry.from_affine(SHAPE, rigid_transform((17, -9, 24), (1, 2, 3)) @ Geometry(SHAPE, (3.0, 2.0, 1.0)).affine)


@pytest.mark.parametrize("geometry", [*every_orientation(), OBLIQUE])
def test_every_plane_shows_the_voxels_that_lie_there(geometry: Geometry) -> None:
    volume = ramp(geometry)
    for plane in PLANES:
        shown = DisplayedGrid.of(volume, plane)
        assert np.argmax(np.abs(shown.grid.axes[0])) == np.argmax(NORMALS[plane]) and shown.layout.plane == plane.value
        k = shown.grid.shape[0] // 3
        picture = shown.layout.arrange(slices_of(volume, shown, lambda: None).picture(k))
        down, right = shown.layout.geometry.spacing[1:]
        assert picture.shape == (round(shown.layout.size_mm[1] / down), round(shown.layout.size_mm[0] / right))
        for row, column in ((0, 0), (2, 5), (picture.shape[0] - 1, picture.shape[1] - 1)):
            mm = shown.layout.to_mm((column + 0.5) * right, (row + 0.5) * down, k)
            assert picture[row, column] == pytest.approx(mm @ (1.0, 300.0, 0.5), abs=1e-2)


@pytest.mark.parametrize("plane", PLANES)
def test_straightened_planes_run_along_the_patients_axes_and_hold_the_whole_volume(plane: Plane) -> None:
    volume = ramp(OBLIQUE)
    shown = DisplayedGrid.of(volume, plane, Display(straight=True))
    assert shown.grid.axes[0] == pytest.approx(NORMALS[plane], abs=1e-12)
    index = shown.grid.mm_to_index(OBLIQUE.corners)
    assert (index > -0.51).all() and (index < np.asarray(shown.grid.shape) - 0.49).all()
    k = shown.grid.shape[0] // 2
    _, rows, columns = shown.grid.shape
    places = np.stack(np.meshgrid([k], np.arange(rows), np.arange(columns), indexing="ij"), -1)[0]
    inside = OBLIQUE.mm_to_index(shown.grid.index_to_mm(places))
    wanted = map_coordinates(volume.voxels, np.moveaxis(inside, -1, 0), order=1, cval=np.nan)
    made = sample_plane(volume, shown.grid.cropped((k, 0, 0), (1, rows, columns)), outside=np.nan)
    known = np.isfinite(wanted) & np.isfinite(made)
    assert known.mean() > 0.2 and np.abs(made - wanted)[known].max() < 0.05


def test_a_straight_volume_is_never_resliced() -> None:
    for geometry in every_orientation():
        for plane in PLANES:
            assert DisplayedGrid.of(ramp(geometry), plane, Display(straight=True)).grid == turned(geometry, plane)
    assert straightened(OBLIQUE, Plane.ACQUIRED).axes[0] == pytest.approx(NORMALS[Plane.AXIAL])


@pytest.fixture
def views(qtbot) -> Iterator[LinkedViews]:
    shown = LinkedViews()
    qtbot.addWidget(shown)
    shown.resize(1200, 900)
    shown.show()
    grid = Geometry((20, 40, 44), (4.0, 3.0, 2.5), (-55.0, -60.0, -38.0))
    shown.set_volume(Role.SOURCE, ramp(grid))
    tilted = Geometry.from_affine(grid.shape, rigid_transform((3, 2, 4), (1, 2, 3)) @ grid.affine)
    shown.set_volume(Role.TRUTH, ramp(tilted, Domain.MR_T1))
    yield shown
    shown.close_background()
    shown.close()


def test_nine_panes_scroll_within_their_plane_and_meet_at_the_crosshair(views) -> None:
    views.actions_by_name["layout_2"].trigger()
    assert len(views.panes) == 9 and views.pane_layout.name == THREE_PLANES.name
    by_plane = {plane: [name for name, pane in views.panes.items() if pane.spec.plane is plane] for plane in PLANES}
    before = {name: views.model.pose(name) for name in views.panes}
    views.model.step(2, by_plane[Plane.CORONAL][2])
    for plane, names in by_plane.items():
        for name in names:
            assert (views.model.pose(name) != before[name]) == (plane is Plane.CORONAL)
    mm = np.array([6.0, 10.0, 5.0])
    views.set_crosshair(mm)
    for name in views.panes:
        shown, point = views.model.displayed(name), views.model.crosshair_in(name)
        assert point is not None
        there = shown.layout.to_mm(*point, views.model.pose(name).k)
        assert np.abs(there - mm).max() <= max(shown.grid.spacing) / 2 + 1e-9


def test_the_acquired_slice_survives_other_layouts_and_scrolls_with_its_plane(views) -> None:
    views.set_slice(7)
    views.actions_by_name["layout_2"].trigger()
    assert views.slice == 7
    axial = next(name for name, pane in views.panes.items() if pane.spec.plane is Plane.AXIAL)
    views.model.step(3, axial)
    views.actions_by_name["layout_1"].trigger()
    assert views.slice == 10 and list(views.panes) == [role.value for role in MAIN]


def test_every_pane_shows_its_volume_with_title_and_picture_after_every_change_of_layout(views, qtbot) -> None:
    for number in (2, 3, 4, 1, 3):
        views.actions_by_name[f"layout_{number}"].trigger()
        for pane in views.panes.values():
            if pane.role is not Role.SYNTHETIC:
                qtbot.waitUntil(lambda pane=pane: pane.canvas.annotations.empty is None)
                assert pane.header.accessible_title == views.model.volumes[pane.role].label


def test_a_pane_can_show_another_volume_and_plane_and_the_layout_says_that_it_changed(views) -> None:
    views.arrangement.show_in(Role.SYNTHETIC, PaneSpec(Role.SOURCE, Plane.SAGITTAL))
    assert views.pane_layout.name == f"{SIDE_BY_SIDE.name} (changed)"
    assert [pane.spec for pane in views.panes.values()] == [
        PaneSpec(Role.SOURCE), PaneSpec(Role.SOURCE, Plane.SAGITTAL), PaneSpec(Role.TRUTH)
    ]  # fmt: skip
    assert views.model.displayed("source-2").layout.plane == "sagittal"


@pytest.mark.parametrize("layout", BUILT_IN)
def test_layouts_come_back_as_they_were_stored(layout) -> None:
    sized = replace(layout, sizes=((1,) * len(layout.rows), *((2,) * len(row) for row in layout.rows)))
    assert PaneLayout.read(sized.stored()) == sized


@pytest.mark.parametrize(
    "stored", [None, {}, [], {"name": "x"}, {"name": "", "rows": []}, {"name": "x", "rows": [[]]},
               {"name": "x", "rows": [[["x", "axial", ""]]]},
               {"name": "x", "rows": [[["source", "axial"]]]},
               {"name": "x", "rows": [[["source", "axial", ""]] * 99]}]
)  # fmt: skip
def test_what_is_no_layout_is_none(stored) -> None:
    assert PaneLayout.read(stored) is None


def test_the_last_layout_and_named_ones_are_there_at_the_next_start_and_steps_are_taken_back(views, qtbot) -> None:
    settings, history, window = Settings(), History(), QMainWindow()
    qtbot.addWidget(window)
    link = LayoutLink(views.arrangement, settings, history, window, QMenu(window))
    views.actions_by_name["layout_3"].trigger()
    link.save("Mine")
    views.actions_by_name["layout_2"].trigger()
    link.keep()
    settings.save()
    history.undo()
    assert views.pane_layout.name == "Two by two"
    history.redo()
    assert len(views.panes) == 9
    again, later = LinkedViews(), Settings()
    qtbot.addWidget(again)
    menu = QMenu(again)
    second = LayoutLink(again.arrangement, later, History(), window, menu)
    assert again.pane_layout.rows == THREE_PLANES.rows and set(second.named) == {"Mine"}
    menu.aboutToShow.emit()
    next(action for action in menu.actions() if action.text() == "Mine").trigger()
    assert len(again.panes) == 4
    second.delete("Mine")
    assert not second.named
    later["layout"] = "{broken"
    LayoutLink(again.arrangement, later, History(), window, menu)
    again.close_background()


def test_a_volume_linked_by_hand_keeps_its_offset_while_scrolling_and_in_the_read_out(views, qtbot) -> None:
    """Three slices of 4 mm farther up and one pixel to the left, until it is linked by its place again."""
    grid = views.model.volumes[Role.SOURCE].geometry
    other = ramp(grid.cropped((0, 0, 0), (19, 40, 44)), Domain.MR_T1, frame_of_reference="1.2.3")
    views.set_volume(Role.SOURCE, replace(views.model.volumes[Role.SOURCE], frame_of_reference="1.2.4"))
    views.set_volume(Role.TRUTH, other)
    views.set_linked(Role.TRUTH, False)
    views.set_slice(6)
    views.model.set_slice(9, Role.TRUTH)
    views.model.reset_cameras()
    source, truth = (views.model.displayed(role) for role in (Role.SOURCE, Role.TRUTH))
    camera = views.model.pose(Role.SOURCE).camera
    here = source.layout.to_mm(*camera.centre, 6) + np.array([0, 0, 12.0])
    u, v, _ = truth.layout.from_mm(here + np.array([2.5, 0, 0]))
    now = views.model.pose(Role.TRUTH).camera.centre
    views.model.move(now[0] - u, now[1] - v, Role.TRUTH)
    views.set_active(Role.TRUTH)
    views.actions_by_name["link_as_shown"].trigger()
    assert views.model.is_linked(Role.TRUTH) and views.model.offset(Role.TRUTH) == pytest.approx([2.5, 0, 12.0])
    assert "by hand" in views.panes[Role.TRUTH].header.link_text
    views.set_slice(11)
    stack = views.contents.stacks.of(views.model.placed[Role.TRUTH], views.model.displayed(Role.TRUTH))
    qtbot.waitUntil(lambda: stack.picture(11) is not None)
    picture = source.layout.arrange(stack.picture(11))
    width, height = source.layout.size_mm
    mm = source.layout.to_mm(20.5 * width / picture.shape[1], 20.5 * height / picture.shape[0], 11)
    assert picture[20, 20] == pytest.approx((mm + OFFSET) @ (1.0, 300.0, 0.5), abs=0.05)
    mm = grid.index_to_mm((11, 20, 20))
    told = []
    views.cursorMoved.connect(told.append)
    at = views.panes[Role.SOURCE].projection.to_pixel(*source.layout.from_mm(mm)[:2])
    views.panes[Role.SOURCE].canvas.gestures.hovered.emit(QPointF(*at))
    nearest = grid.mm_to_index(mm + OFFSET).round()
    assert told[-1].values[Role.TRUTH] == pytest.approx(grid.index_to_mm(nearest) @ (1.0, 300.0, 0.5), abs=0.05)
    views.set_linked(Role.TRUTH, False)
    assert views.model.displayed(Role.TRUTH).grid.is_close(other.geometry)
    views.set_linked(Role.TRUTH, True)
    assert views.model.offset(Role.TRUTH) is None


def test_panes_in_windows_of_their_own_follow_and_come_back(views, qtbot) -> None:
    views.set_active(Role.TRUTH)
    views.actions_by_name["detach_pane"].trigger()
    pane = views.panes[Role.TRUTH]
    assert pane.window() is not views.window() and pane.isVisible()
    assert pane.window().windowTitle() == "Ground truth - CT-MRI Studio"
    before = views.model.pose(Role.TRUTH).k
    pane.activateWindow()
    pane.setFocus()
    qtbot.waitUntil(lambda: QApplication.focusWidget() is pane)
    QTest.keyClick(pane, Qt.Key.Key_Up)
    assert views.model.pose(Role.TRUTH).k == before + 1 == views.slice
    views.actions_by_name["layout_2"].trigger()
    assert all(pane.window() is views.window() for pane in views.panes.values())
    views.actions_by_name["detach_pane"].trigger()
    detached = next(pane for pane in views.panes.values() if pane.window() is not views.window())
    detached.window().close()
    assert detached.window() is views.window() and detached.isVisible()


def test_double_click_shows_one_of_nine_and_all_again(views) -> None:
    views.actions_by_name["layout_2"].trigger()
    names = list(views.panes)
    views.panes[names[4]].maximiseAsked.emit()
    assert [name for name, pane in views.panes.items() if pane.isVisible()] == [names[4]]
    views.panes[names[4]].maximiseAsked.emit()
    assert all(pane.isVisible() for pane in views.panes.values())


def test_keys_stay_with_the_pane_when_the_layout_changes(qtbot, views) -> None:
    window = QMainWindow()
    qtbot.addWidget(window)
    beside = QLineEdit()
    window.setCentralWidget(views)
    window.setMenuWidget(beside)
    window.show()
    window.activateWindow()
    views.panes[Role.SOURCE].setFocus()
    qtbot.waitUntil(views.panes[Role.SOURCE].hasFocus)
    for key, count in ((Qt.Key.Key_2, 9), (Qt.Key.Key_4, 3), (Qt.Key.Key_3, 4), (Qt.Key.Key_1, 3)):
        QTest.keyClick(QApplication.focusWidget(), key, Qt.KeyboardModifier.ControlModifier)
        assert len(views.panes) == count
        assert views.active_pane == Role.SOURCE and views.panes[Role.SOURCE].hasFocus()
    views.panes[Role.TRUTH].setFocus()
    QTest.keyClick(views.panes[Role.TRUTH], Qt.Key.Key_4, Qt.KeyboardModifier.ControlModifier)
    assert views.panes[views.active_pane].hasFocus()  # the pane itself has gone
    beside.setFocus()
    views.actions_by_name["layout_2"].trigger()
    assert beside.hasFocus()
    window.takeCentralWidget()


def test_a_first_picture_decides_the_acquired_slice_alone(views) -> None:
    """It tells one slice and no point: the other planes open where the volume tells most."""
    views.actions_by_name["layout_4"].trigger()
    other = ramp(Geometry((24, 40, 44), (4.0, 3.0, 2.5), (300.0, -60.0, -38.0)))
    own = {plane: DisplayedGrid.of(other, plane).opening for plane in (Plane.CORONAL, Plane.SAGITTAL)}
    first = replace(other, voxels=other.voxels[5:6], geometry=other.geometry.cropped((5, 0, 0), (1, 40, 44)))
    views.covers.show(Role.SOURCE, first)
    views.set_volume(Role.SOURCE, other)
    views.covers.clear()
    assert views.slice == 5
    shown = {pane.spec.plane: views.model.pose(name).k for name, pane in views.panes.items()}
    assert {plane: shown[plane] for plane in own} == own and min(own.values()) > 5


@pytest.mark.parametrize("layout", BUILT_IN)
def test_all_panes_of_a_layout_have_one_scale_and_hold_the_whole_body(views, qtbot, layout) -> None:
    """The body is of another size in every plane."""
    views.resize(1200, 700)
    views.set_volume(Role.TRUTH, None)
    views.set_volume(Role.SOURCE, ramp(Geometry((60, 24, 40), (4.0, 2.0, 3.0))))
    views.arrangement.show(layout)
    qtbot.waitUntil(lambda: len({round(pane.projection.mm_per_pixel, 9) for pane in views.panes.values()}) == 1)
    for name, pane in [(name, pane) for name, pane in views.panes.items() if pane.role in views.model.volumes]:
        frame, projection = views.model.displayed(name).frame, pane.projection
        (left, top), (right, bottom) = (
            projection.to_pixel(frame.left + across * frame.width, frame.top + across * frame.height) for across in (0, 1)
        )
        assert left >= 0 and top >= 0 and right <= pane.canvas.width() and bottom <= pane.canvas.height()
