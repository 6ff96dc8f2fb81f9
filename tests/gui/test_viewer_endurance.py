"""What the viewer lets go of, and what it never does on the interface thread, however often layouts and cases change."""

from __future__ import annotations

import gc
import threading
from weakref import ref

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QObject
from PySide6.QtWidgets import QApplication

from ctmri_core.domain import Domain
from ctmri_core.geometry import Geometry, rigid_transform
from ctmri_core.preprocess import body_mask
from ctmri_core.volume import Volume
from ctmri_gui.viewer.roles import Role
from tests.gui.conftest import head_voxels, make_volume

GRID = Geometry((10, 24, 28), (3.0, 2.0, 2.0))
TILTED = Geometry.from_affine(GRID.shape, rigid_transform((3, 2, 4), (1, 2, 3)) @ GRID.affine)


def settle() -> None:
    """Everything that was thrown away is gone."""
    for _ in range(3):
        QApplication.processEvents()
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    gc.collect()


def at_rest(window, qtbot) -> None:
    qtbot.waitUntil(lambda: not window.session.jobs.running)
    settle()


def test_layouts_and_cases_leave_nothing_behind(make_window, qtbot) -> None:
    window = make_window()
    views, session = window.views, window.session
    tilted = Volume(head_voxels(), TILTED, Domain.MR_T1, "other")
    session.place(make_volume(), Role.SOURCE)
    session.place(tilted, Role.TRUTH)
    gone = []
    for turn in range(25):
        views.actions_by_name[f"layout_{(2, 1, 3, 4, 2)[turn % 5]}"].trigger()
        name = list(views.panes)[-1]
        if turn % 5 == 2:
            views.actions_by_name["compare_next"].trigger()
        if turn % 7 == 3:
            views.set_linked(name, False)
        if turn % 7 == 5:
            views.arrangement.set_detached(name, True)
        gone += [ref(pane) for pane in views.panes.values()]
        gone += [ref(pane.canvas) for pane in views.panes.values()]
        QApplication.processEvents()
        if turn == 10:
            at_rest(window, qtbot)
            threads = threading.active_count()
            objects = len(QCoreApplication.instance().findChildren(QObject))
    views.actions_by_name["layout_1"].trigger()
    at_rest(window, qtbot)

    def left() -> set[int]:
        """Panes that live on though no layout has them."""
        settle()
        mine = {id(pane) for pane in views.panes.values()} | {id(pane.canvas) for pane in views.panes.values()}
        return {id(one()) for one in gone if one() is not None} - mine

    # Whatever is on its way on another thread holds what it was given until it is there.
    qtbot.waitUntil(lambda: not left() and threading.active_count() <= threads + 1)
    qtbot.waitUntil(lambda: settle() or len(QCoreApplication.instance().findChildren(QObject)) <= objects)
    assert len(views.contents.stacks) <= 3
    volume = ref(tilted)
    del tilted
    session.close_all_cases()
    qtbot.waitUntil(lambda: settle() or volume() is None)
    window.close()


def test_the_body_is_never_looked_for_on_the_interface_thread(make_window, qtbot, ct_file, monkeypatch) -> None:
    """In a large scan that takes a second; jobs do it before a volume is shown."""
    looked: list[bool] = []
    coarsened = body_mask.coarsened

    def spied(volume: Volume, cell_mm: float) -> Volume:
        looked.append(threading.current_thread() is threading.main_thread())
        return coarsened(volume, cell_mm)

    monkeypatch.setattr(body_mask, "coarsened", spied)
    window = make_window(ct_file)
    views, session = window.views, window.session
    qtbot.waitUntil(lambda: session.volumes[Role.SOURCE] is not None, timeout=20_000)
    for domain in (Domain.CT, Domain.MR_T1):
        session.set_domain(Role.SOURCE, domain)
        qtbot.waitUntil(lambda domain=domain: session.volumes[Role.SOURCE].domain is domain, timeout=20_000)
        for number in (2, 3, 4, 1):
            views.actions_by_name[f"layout_{number}"].trigger()
        views.actions_by_name["straight"].trigger()
        views.actions_by_name["link"].trigger()
        for key in "0123456789":
            views.set_preset(key)
    assert looked and not any(looked)
    window.close()


@pytest.mark.parametrize("count", [1, 2])
def test_thin_volumes_on_tilted_grids_go_through_every_layout(make_window, count) -> None:
    window = make_window()
    views = window.views
    thin = Geometry((count, 40, 44), (4.0, 3.0, 2.5))
    turned = Geometry.from_affine(thin.shape, rigid_transform((20, 30, 4), (1, 2, 3)) @ thin.affine)
    views.set_volume(Role.SOURCE, Volume(head_voxels(thin.shape), thin, Domain.CT))
    views.set_volume(Role.TRUTH, Volume(head_voxels(thin.shape), turned, Domain.MR_T1))
    for number in (2, 3, 4, 1):
        views.actions_by_name[f"layout_{number}"].trigger()
        views.set_crosshair((1.0, 2.0, 0.0))
        for name in list(views.panes):
            views.set_linked(name, False)
            views.model.step(1, name)
            views.model.set_slice(10**9, name)
            shown = views.model.displayed(name)
            assert views.model.pose(name).k == shown.grid.shape[0] - 1
            views.set_linked(name, True)
        views.actions_by_name["straight"].trigger()
    window.close()
