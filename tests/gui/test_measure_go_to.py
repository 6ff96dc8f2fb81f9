"""Going to a measurement that no pane shows."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from ctmri_core.domain import Domain
from ctmri_core.geometry import Geometry, rigid_transform
from ctmri_core.measuring.shapes import Kind, Shape
from ctmri_core.volume import Volume
from ctmri_gui.undo import History
from ctmri_gui.viewer.layouts import SIDE_BY_SIDE, THREE_PLANES
from ctmri_gui.viewer.linked_views import LinkedViews
from ctmri_gui.viewer.measure.measure_model import Item
from ctmri_gui.viewer.measure.measuring import Measuring
from ctmri_gui.viewer.panes import PaneSpec, Plane
from ctmri_gui.viewer.roles import Role

GRID = Geometry((21, 34, 42), (3.0, 2.0, 2.0), (-41.0, -33.0, -30.0))
TRUTH_GRID = Geometry((30, 50, 60), (2.5, 1.6, 1.6), (-48.0, -40.0, -36.0))


@pytest.fixture
def views(qtbot) -> Iterator[LinkedViews]:
    widget = LinkedViews()
    qtbot.addWidget(widget)
    widget.resize(1200, 600)
    widget.show()
    for role, grid, domain in ((Role.SOURCE, GRID, Domain.CT), (Role.TRUTH, TRUTH_GRID, Domain.MR_T1)):
        widget.set_volume(role, Volume(np.zeros(grid.shape, np.int16), grid, domain))
    yield widget
    widget.close_background()


@pytest.fixture
def measuring(views) -> Iterator[Measuring]:
    made = Measuring(views, History(), lambda: "dark")
    yield made
    made.close()
    made.dock.close()


@pytest.fixture
def told(measuring) -> list[str]:
    said: list[str] = []
    measuring.noted.connect(said.append)
    return said


def draw_on(measuring: Measuring, pane: str) -> Item:
    """A rectangle on the slice that a pane shows."""
    here = measuring._panes[pane][1].places.now()
    shape = Shape.box(Kind.RECTANGLE, here.mm((30.0, 25.0)), here.mm((45.0, 40.0)), here.lattice())
    return measuring.model.add(shape, here.role.value)


def showing(views: LinkedViews, measuring: Measuring, item: Item) -> list[str]:
    """The panes that are seen and show it."""
    drawn_on, panes = item.measurement.drawn_on, measuring._panes
    seen = [name for name, view in views.panes.items() if not view.isHidden()]
    return [name for name in seen if (here := panes[name][1].places.now()) and here.shows(item.shape, drawn_on)]


def pane_with(views: LinkedViews, spec: PaneSpec) -> str:
    return next(name for name, pane in views.panes.items() if pane.spec == spec)


def test_a_pane_turns_into_the_plane_that_no_pane_shows(views, measuring, told) -> None:
    views.arrangement.show(THREE_PLANES)
    pane = pane_with(views, PaneSpec(Role.TRUTH, Plane.CORONAL))
    views.model.set_slice(7, pane)
    item = draw_on(measuring, pane)
    views.model.set_slice(15, pane)
    views.arrangement.show(SIDE_BY_SIDE)
    assert not showing(views, measuring, item)
    measuring.dock.goAsked.emit(item.number)
    assert views.panes[Role.TRUTH].spec == PaneSpec(Role.TRUTH, Plane.CORONAL) and views.model.pose(Role.TRUTH).k == 7
    assert showing(views, measuring, item) == [Role.TRUTH] and "coronal" in told[0]
    assert views.panes[Role.SOURCE].spec == PaneSpec(Role.SOURCE), "the others stay"
    measuring.dock.goAsked.emit(item.number)
    assert len(told) == 1


def test_a_pane_comes_from_behind_a_maximised_one(views, measuring, told) -> None:
    views.arrangement.show(THREE_PLANES)
    item = draw_on(measuring, pane_with(views, PaneSpec(Role.SOURCE, Plane.AXIAL)))
    views.arrangement.maximise(pane_with(views, PaneSpec(Role.SOURCE, Plane.SAGITTAL)))
    assert not showing(views, measuring, item)
    measuring.dock.goAsked.emit(item.number)
    assert len([view for view in views.panes.values() if not view.isHidden()]) == 1
    assert len(showing(views, measuring, item)) == 1 and not told


def test_slices_that_run_another_way_are_told_and_the_panes_stay(views, measuring, told) -> None:
    item = draw_on(measuring, Role.SOURCE)
    tilted = Geometry.from_affine(GRID.shape, rigid_transform((20, 0, 0), (0, 0, 0)) @ GRID.affine)
    views.set_volume(Role.SOURCE, Volume(np.zeros(tilted.shape, np.int16), tilted, Domain.CT))
    before = views.pane_layout.rows
    measuring.dock.goAsked.emit(item.number)
    assert len(told) == 1 and "another way" in told[0] and views.pane_layout.rows == before
