"""Links by hand, frames of reference and what panes keep, over changes of layout, display, volume and case."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPointF

from ctmri_core.domain import Domain
from ctmri_core.geometry import Geometry, rigid_transform
from ctmri_core.volume import Volume
from ctmri_gui.viewer.compare.label_map import LabelMap
from ctmri_gui.viewer.linked_views import LinkedViews
from ctmri_gui.viewer.panes import PaneSpec, Plane
from ctmri_gui.viewer.roles import Role

GRID = Geometry((20, 40, 44), (4.0, 3.0, 2.5), (-55.0, -60.0, -38.0))
TILTED = Geometry.from_affine(GRID.shape, rigid_transform((3, 2, 4), (1, 2, 3)) @ GRID.affine)
WEIGHTS = (1.0, 300.0, 0.5)


def ramp(grid: Geometry, domain: Domain = Domain.CT, **facts) -> Volume:
    """Values that tell the place: x + 300 y + 0.5 z."""
    index = np.stack(np.meshgrid(*[np.arange(n) for n in grid.shape], indexing="ij"), -1)
    return Volume((grid.index_to_mm(index) @ WEIGHTS).astype(np.float32), grid, domain, domain.label, **facts)


@pytest.fixture
def views(qtbot) -> Iterator[LinkedViews]:
    shown = LinkedViews()
    qtbot.addWidget(shown)
    shown.resize(1200, 900)
    shown.show()
    yield shown
    shown.close_background()
    shown.close()


@pytest.fixture
def foreign(views) -> LinkedViews:
    """A source and a truth of another frame of reference, which lies farther up and is shorter."""
    views.set_volume(Role.SOURCE, ramp(GRID, frame_of_reference="1.2.3"))
    views.set_volume(Role.TRUTH, ramp(GRID.cropped((3, 0, 0), (12, 40, 44)), Domain.MR_T1, frame_of_reference="1.2.4"))
    return views


def panes_of(views: LinkedViews, role: Role) -> list[str]:
    return [name for name, pane in views.panes.items() if pane.role is role]


def value_in_middle(views: LinkedViews, qtbot, name: str) -> tuple[float, np.ndarray]:
    """The value painted nearest to the middle of what a pane shows, and the place in the patient where that voxel is shown."""
    model, pane = views.model, views.panes[name]
    qtbot.waitUntil(lambda: pane.canvas.has_picture)
    picture = pane.canvas._own._voxels
    shown, pose = model.displayed(name), model.pose(name)
    width, height = shown.layout.size_mm
    rows, columns = picture.shape
    row, column = int(pose.camera.centre[1] / height * rows), int(pose.camera.centre[0] / width * columns)
    mm = shown.layout.to_mm((column + 0.5) * width / columns, (row + 0.5) * height / rows, pose.k)
    return float(picture[row, column]), mm


def said_under_mouse(views: LinkedViews, name: str, mm: np.ndarray) -> dict[Role, float | None]:
    """What the read-out says with the mouse over a place in a pane."""
    told = []
    views.cursorMoved.connect(told.append)
    u, v, _ = views.model.displayed(name).layout.from_mm(mm)
    pane = views.panes[name]
    pane.canvas.gestures.hovered.emit(QPointF(*pane.projection.to_pixel(u, v)))
    views.cursorMoved.disconnect(told.append)
    return dict(told[-1].values)


def test_panes_of_another_frame_of_reference_stay_apart_in_other_layouts(foreign) -> None:
    assert not foreign.model.is_linked(Role.TRUTH)
    foreign.actions_by_name["layout_2"].trigger()
    for name in panes_of(foreign, Role.TRUTH):
        assert not foreign.model.is_linked(name) and foreign.panes[name].header.link_text == "Unlinked"
    for name in panes_of(foreign, Role.SOURCE):
        assert foreign.model.is_linked(name)
    foreign.actions_by_name["layout_4"].trigger()  # no pane of the truth at all
    foreign.actions_by_name["layout_1"].trigger()
    assert not foreign.model.is_linked(Role.TRUTH)
    foreign.set_linked(Role.TRUTH, True)  # somebody knows better
    foreign.actions_by_name["layout_2"].trigger()
    assert all(foreign.model.is_linked(name) for name in foreign.panes)


def test_linking_as_shown_links_all_panes_of_the_volume(foreign, qtbot) -> None:
    foreign.actions_by_name["layout_2"].trigger()
    first, *others = panes_of(foreign, Role.TRUTH)
    foreign.set_active(first)
    foreign.model.set_slice(2, first)
    foreign.actions_by_name["link_as_shown"].trigger()
    offset = foreign.model.offset(Role.TRUTH)
    for name in (first, *others):
        assert foreign.model.is_linked(name) and foreign.panes[name].header.link_text == "Linked by hand"
        value, mm = value_in_middle(foreign, qtbot, name)
        assert value == pytest.approx((mm + offset) @ WEIGHTS, abs=0.6)


def test_a_pane_unlinked_from_a_link_by_hand_shows_the_voxels_that_its_read_out_says(foreign, qtbot) -> None:
    foreign.actions_by_name["layout_2"].trigger()
    first, second, _ = panes_of(foreign, Role.TRUTH)
    foreign.set_active(first)
    foreign.model.set_slice(2, first)
    foreign.actions_by_name["link_as_shown"].trigger()
    offset = foreign.model.offset(Role.TRUTH)
    before = foreign.model.pose(second).camera.centre
    seen = foreign.model.displayed(second).layout.to_mm(*before, foreign.model.pose(second).k)
    foreign.set_linked(second, False)
    value, mm = value_in_middle(foreign, qtbot, second)
    assert np.abs(mm - seen).max() < 4.1  # the same place, on its own slices
    assert value == pytest.approx((mm + offset) @ WEIGHTS, abs=0.6)
    assert said_under_mouse(foreign, second, mm)[Role.TRUTH] == pytest.approx(value, abs=1e-3)
    foreign.set_linked(second, True)
    assert foreign.model.offset(Role.TRUTH) == pytest.approx(offset)  # the others are linked by it still
    for name in panes_of(foreign, Role.TRUTH):
        foreign.set_linked(name, False)
    assert foreign.model.offset(Role.TRUTH) is None
    value, mm = value_in_middle(foreign, qtbot, second)
    assert value == pytest.approx(mm @ WEIGHTS, abs=0.6)
    assert said_under_mouse(foreign, second, mm)[Role.TRUTH] == pytest.approx(value, abs=1e-3)


def test_volumes_on_equal_grids_can_be_linked_as_shown(views, qtbot) -> None:
    """Stacks of pictures all have one grid, wherever they were taken."""
    views.set_volume(Role.SOURCE, ramp(GRID))
    views.set_volume(Role.TRUTH, ramp(GRID, Domain.MR_T1))
    views.set_linked(Role.TRUTH, False)
    views.set_active(Role.TRUTH)
    views.model.set_slice(views.slice + 3, Role.TRUTH)
    views.model.move(-5.0, 0.0, Role.TRUTH)
    assert views.actions_by_name["link_as_shown"].isEnabled()
    views.actions_by_name["link_as_shown"].trigger()
    assert views.model.offset(Role.TRUTH) == pytest.approx([5.0, 0.0, 12.0])
    value, mm = value_in_middle(views, qtbot, Role.TRUTH)
    assert value == pytest.approx((mm + np.array([5.0, 0.0, 12.0])) @ WEIGHTS, abs=0.6)
    views.set_linked(Role.TRUTH, False)
    assert views.model.offset(Role.TRUTH) is None
    value, mm = value_in_middle(views, qtbot, Role.TRUTH)
    assert value == pytest.approx(mm @ WEIGHTS, abs=0.6)
    views.set_active(Role.SOURCE)
    assert not views.actions_by_name["link_as_shown"].isEnabled()


def test_where_nothing_is_linked_the_slices_as_acquired_are_those_of_the_reference(views) -> None:
    views.set_volume(Role.SOURCE, ramp(GRID))
    views.set_volume(Role.TRUTH, ramp(GRID.cropped((3, 0, 0), (12, 40, 44)), Domain.MR_T1))
    views.arrangement.show_in(Role.SOURCE, PaneSpec(Role.TRUTH))
    views.arrangement.show_in(Role.SYNTHETIC, PaneSpec(Role.SOURCE))
    assert list(views.panes) == [Role.TRUTH, Role.SOURCE, "truth-2"]
    before = views.slice
    for name in list(views.panes):
        views.set_linked(name, False)
    assert views.slice == before
    views.set_active(Role.TRUTH)
    views.actions_by_name["link_as_shown"].trigger()
    offset = views.model.offset(Role.TRUTH)
    assert offset is None or np.abs(offset).max() < 2.1  # nothing was moved but to the nearest slice


def test_unlinked_panes_stay_where_they_are_when_planes_are_straightened(views) -> None:
    views.set_volume(Role.SOURCE, ramp(GRID))
    views.set_volume(Role.TRUTH, ramp(TILTED, Domain.MR_T1))
    views.arrangement.show_in(Role.SYNTHETIC, PaneSpec(Role.TRUTH, Plane.CORONAL))
    places = {}
    for name, k in ((Role.TRUTH, 4), ("truth-2", 9)):
        if name in views.panes:
            views.set_linked(name, False)
            views.model.set_slice(k, name)
            views.model.zoom(2.0, None, name)
            shown, pose = views.model.displayed(name), views.model.pose(name)
            places[name] = shown.layout.to_mm(*pose.camera.centre, pose.k)
    assert len(places) == 2
    for on in (True, False):
        views.actions_by_name["straight"].trigger()
        assert views.model.display.straight is on
        for name, mm in places.items():
            shown, pose = views.model.displayed(name), views.model.pose(name)
            now = shown.layout.to_mm(*pose.camera.centre, pose.k)
            assert np.abs(now - mm).max() <= max(shown.grid.spacing) / 2 + 1e-6
            assert pose.camera.zoom == pytest.approx(2.0)


def test_an_offset_ends_when_its_volume_becomes_the_reference(views, qtbot) -> None:
    views.set_volume(Role.SOURCE, ramp(GRID))
    views.set_volume(Role.TRUTH, ramp(GRID, Domain.MR_T1))
    views.set_linked(Role.TRUTH, False)
    views.set_active(Role.TRUTH)
    views.model.set_slice(views.slice + 3, Role.TRUTH)
    views.actions_by_name["link_as_shown"].trigger()
    views.set_volume(Role.SOURCE, None)
    assert views.model.offset(Role.TRUTH) is None
    value, mm = value_in_middle(views, qtbot, Role.TRUTH)
    assert value == pytest.approx(mm @ WEIGHTS, abs=0.6)


def test_another_layout_does_not_go_back_to_the_crosshair(views) -> None:
    views.set_volume(Role.SOURCE, ramp(GRID))
    mm = GRID.index_to_mm((5, 12, 30))
    views.set_crosshair(mm)
    views.set_slice(14)
    views.actions_by_name["layout_2"].trigger()
    assert views.slice == 14
    for name in panes_of(views, Role.SOURCE)[1:]:
        assert views.model.crosshair_in(name) is not None  # planes that were not seen before open there
    coronal = panes_of(views, Role.SOURCE)[1]
    views.model.set_slice(20, coronal)
    views.actions_by_name["layout_4"].trigger()
    assert views.model.pose(panes_of(views, Role.SOURCE)[1]).k == 20


def test_a_layout_that_came_while_another_case_was_shown_keeps_frames_apart(foreign) -> None:
    kept = foreign.model.keep()
    source, truth = foreign.model.volumes[Role.SOURCE], foreign.model.volumes[Role.TRUTH]
    foreign.clear()
    foreign.set_volume(Role.SOURCE, ramp(TILTED))
    foreign.put_back(None)
    foreign.actions_by_name["layout_2"].trigger()
    assert all(foreign.model.is_linked(name) for name in foreign.panes)
    foreign.clear()
    foreign.set_volume(Role.SOURCE, source)
    foreign.set_volume(Role.TRUTH, truth)
    foreign.put_back(kept)
    assert not any(foreign.model.is_linked(name) for name in panes_of(foreign, Role.TRUTH))


def test_a_pane_that_compared_says_what_it_shows_once_the_other_volume_is_gone(views) -> None:
    views.set_volume(Role.SOURCE, ramp(GRID))
    views.set_volume(Role.TRUTH, ramp(GRID, Domain.MR_T1))
    views.set_active(Role.SOURCE)
    views.actions_by_name["compare_next"].trigger()
    header = views.panes[Role.SOURCE].header
    assert "Ground truth" in header.accessible_title
    views.set_volume(Role.TRUTH, None)
    assert header.accessible_title == views.model.volumes[Role.SOURCE].label


def test_moved_volumes_of_another_case(views) -> None:
    """Offsets come back with their case and with nothing else."""
    views.set_volume(Role.SOURCE, ramp(GRID))
    views.set_volume(Role.TRUTH, ramp(GRID, Domain.MR_T1))
    views.set_linked(Role.TRUTH, False)
    views.set_active(Role.TRUTH)
    views.model.set_slice(views.slice + 3, Role.TRUTH)
    views.link_as_shown()
    offset, kept = views.model.offset(Role.TRUTH), views.model.keep()
    volumes = dict(views.model.volumes)
    views.clear()
    for role, volume in volumes.items():
        views.set_volume(role, replace(volume))
    assert views.model.offset(Role.TRUTH) is None
    views.clear()
    for role, volume in volumes.items():
        views.set_volume(role, volume)
    views.put_back(kept)
    assert views.model.offset(Role.TRUTH) == pytest.approx(offset)
    assert views.panes[Role.TRUTH].header.link_text == "Linked by hand"


def told_under_mouse(views: LinkedViews, name: str) -> dict[Role, float | None]:
    shown, pose = views.model.displayed(name), views.model.pose(name)
    return said_under_mouse(views, name, shown.layout.to_mm(*pose.camera.centre, pose.k))


def test_no_place_of_another_frame_of_reference_is_shown_or_read(foreign) -> None:
    """Crosshair and read-out; the same once the volume is linked all the same."""
    model = foreign.model
    foreign.actions_by_name["layout_2"].trigger()
    truths, sources = panes_of(foreign, Role.TRUTH), panes_of(foreign, Role.SOURCE)
    inside = GRID.index_to_mm((9, 20, 22))
    foreign.set_crosshair(inside)
    assert all(model.crosshair_in(name) is not None for name in sources)
    for name in truths:
        model.set_slice(round(model.displayed(name).layout.from_mm(inside)[2]), name)
        assert model.crosshair_in(name) is None
    for name, role in ((sources[0], Role.SOURCE), (truths[0], Role.TRUTH)):
        assert set(told_under_mouse(foreign, name)) == {role}
    before = [model.pose(name).k for name in sources]
    foreign.panes[truths[0]].jumped.emit((50.0, 40.0))
    assert [model.pose(name).k for name in sources] == before, "a place of the truth is none in the source"
    assert all(model.crosshair_in(name) is not None for name in truths) and model.crosshair_in(sources[0]) is None
    foreign.actions_by_name["layout_4"].trigger()  # without a pane of the truth
    assert all(model.crosshair_in(name) is None for name in foreign.panes)
    foreign.actions_by_name["layout_2"].trigger()
    foreign.set_crosshair(inside)
    for name in panes_of(foreign, Role.TRUTH):
        foreign.set_linked(name, True)
    assert all(model.crosshair_in(name) is not None for name in foreign.panes)
    assert set(told_under_mouse(foreign, "source")) == {Role.SOURCE, Role.TRUTH}


def test_the_crosshair_goes_with_the_volume_that_it_lies_in(foreign) -> None:
    foreign.panes[Role.TRUTH].jumped.emit((50.0, 40.0))
    foreign.set_volume(Role.TRUTH, None)
    assert foreign.model.crosshair is None


def test_masks_lie_over_nothing_of_another_frame_of_reference(foreign) -> None:
    """They lie in the space of the source."""
    labels = LabelMap(np.ones(GRID.shape, np.uint8), GRID, (1,), "all")
    foreign.compare.masks.add(labels)
    place = {role: foreign.compare.contents.place(role) for role in (Role.SOURCE, Role.TRUTH)}
    assert place[Role.SOURCE] is not None and place[Role.TRUTH] is None
    foreign.set_linked(Role.TRUTH, True)
    assert foreign.compare.contents.place(Role.TRUTH) is not None
