"""Layouts from damaged settings, sizes, panes that are maximised or taken out, and the keyboard in all of it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMainWindow, QMenu

from ctmri_core.domain import Domain
from ctmri_gui.layout_link import LayoutLink
from ctmri_gui.panels.name_dialog import NameDialog
from ctmri_gui.settings import Settings
from ctmri_gui.undo import History
from ctmri_gui.viewer.layouts import SIDE_BY_SIDE, THREE_PLANES, PaneLayout
from ctmri_gui.viewer.linked_views import LinkedViews
from ctmri_gui.viewer.panes import PaneSpec, Plane
from ctmri_gui.viewer.roles import Role
from tests.gui.conftest import make_volume

ONE = '"rows": [[["source", "axial", ""]]]'


@pytest.fixture
def views(qtbot) -> Iterator[LinkedViews]:
    shown = LinkedViews()
    qtbot.addWidget(shown)
    shown.resize(1200, 900)
    shown.show()
    shown.set_volume(Role.SOURCE, make_volume())
    shown.set_volume(Role.TRUTH, make_volume(Domain.MR_T1))
    yield shown
    shown.close_background()
    shown.close()


@pytest.mark.parametrize(
    "text",
    [
        f'{{"name": "x", {ONE}, "sizes": [[1e999]]}}', f'{{"name": "x", {ONE}, "sizes": [[NaN]]}}',
        f'{{"name": "x", {ONE}, "sizes": "abc"}}', f'{{"name": "x", {ONE}, "sizes": null}}',
        '{"name": "x", "rows": [[[["source"], "axial", ""]]]}', '{"name": "x", "rows": {"a": 1}}',
        '{"name": "x", "rows": [["sou"]]}', "[" * 100_000, "5", "null", "", "{",
    ],
)  # fmt: skip
def test_a_damaged_layout_in_the_settings_leaves_the_usual_one(views, qtbot, text) -> None:
    menu = _start_with(views, qtbot, text)
    assert views.pane_layout.rows == SIDE_BY_SIDE.rows
    assert not any(action.text() == "x" for action in menu.actions())


@pytest.mark.parametrize(
    "sizes", ["[[-5], [-7]]", "[[99999999999999999999], [3]]", "[[0], [0]]", "[[1, 2, 3], [4, 5], [6]]", "[[2000000000]]", "[]"]
)
def test_foreign_sizes_do_no_harm(views, qtbot, sizes) -> None:
    _start_with(views, qtbot, f'{{"name": "x", {ONE}, "sizes": {sizes}}}')
    QApplication.processEvents()
    pane = views.panes[Role.SOURCE]
    assert pane.spec.plane is Plane.AXIAL and pane.height() > 800 and views.height() == 900


def _start_with(views: LinkedViews, qtbot, text: str) -> QMenu:
    settings, window = Settings(), QMainWindow()
    qtbot.addWidget(window)
    settings["layout"], settings["layouts"], menu = text, (text,), QMenu(window)
    LayoutLink(views.arrangement, settings, History(), window, menu)
    menu.aboutToShow.emit()
    return menu


def test_sizes_stay_where_nobody_has_seen_the_panes(qtbot) -> None:
    """As when the program is started and ended without a scan."""
    sizes = (100, 300, 500), *[(300, 500, 400)] * 3
    hidden = LinkedViews()
    qtbot.addWidget(hidden)
    hidden.arrangement.show(PaneLayout("Mine", THREE_PLANES.rows, sizes))
    assert hidden.pane_layout.sizes == sizes
    hidden.close_background()


def test_taking_out_a_maximised_pane_shows_the_others(views) -> None:
    views.arrangement.maximise(Role.SOURCE)
    views.arrangement.set_detached(Role.SOURCE, True)
    assert all(pane.isVisible() for pane in views.panes.values())
    views.arrangement.set_detached(Role.SOURCE, False)


def test_a_pane_in_its_own_window_fills_that(views, qtbot) -> None:
    views.actions_by_name["layout_2"].trigger()
    pane, other = views.panes[Role.TRUTH], views.panes[Role.SOURCE]
    qtbot.waitUntil(lambda: pane.projection.mm_per_pixel == pytest.approx(other.projection.mm_per_pixel))
    views.arrangement.set_detached(Role.TRUTH, True)
    qtbot.waitUntil(lambda: pane.projection.mm_per_pixel < other.projection.mm_per_pixel / 2)
    assert pane.window().size().boundedTo(pane.screen().availableSize()) == pane.window().size()
    views.model.zoom(2.0, None, Role.TRUTH)
    assert views.model.pose(Role.SOURCE).camera.zoom == pytest.approx(2.0)
    views.arrangement.set_detached(Role.TRUTH, False)
    qtbot.waitUntil(lambda: pane.projection.mm_per_pixel == pytest.approx(other.projection.mm_per_pixel))


def test_sizes_are_those_of_all_panes_while_one_is_maximised(views, qtbot) -> None:
    views.actions_by_name["layout_2"].trigger()
    qtbot.waitUntil(lambda: all(size > 0 for size in views.pane_layout.sizes[0]))
    before = views.pane_layout
    views.arrangement.maximise(list(views.panes)[4])
    qtbot.wait(1)
    assert views.pane_layout == before
    views.arrangement.maximise(list(views.panes)[4])


def test_one_pane_alone_is_never_only_in_a_window_of_its_own(views) -> None:
    views.arrangement.set_detached(Role.SOURCE, True)
    views.arrangement.show_single(Role.SOURCE)
    assert views.panes[Role.SOURCE].window() is views.window()


def test_the_keyboard_goes_with_a_pane_into_its_own_window_and_back(views, qtbot) -> None:
    views.activateWindow()
    pane = views.panes[Role.TRUTH]
    pane.setFocus()
    qtbot.waitUntil(pane.hasFocus)

    def scrolls() -> bool:
        """Whether a key reaches the active pane."""
        before = views.model.pose(views.active_pane).k
        holder = QApplication.focusWidget()
        assert holder is not None, "no widget has the keyboard"
        key = Qt.Key.Key_Up if before == 0 else Qt.Key.Key_Down
        QTest.keyClick(holder, key)
        return views.model.pose(views.active_pane).k != before

    for _ in range(2):
        views.actions_by_name["detach_pane"].trigger()
        qtbot.waitUntil(pane.hasFocus)
        assert scrolls()
    views.actions_by_name["detach_pane"].trigger()
    qtbot.waitUntil(pane.hasFocus)
    pane.window().close()
    qtbot.waitUntil(pane.hasFocus)
    assert pane.window() is views.window() and scrolls()
    views.actions_by_name["detach_pane"].trigger()
    qtbot.waitUntil(pane.hasFocus)
    QTest.keyClick(pane, Qt.Key.Key_2, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(views.panes[Role.TRUTH].hasFocus)
    assert len(views.panes) == 9 and views.active_pane == Role.TRUTH and scrolls()
    for name in ("maximise_pane", "next_pane", "single_pane"):
        views.actions_by_name[name].trigger()
        assert scrolls()
    views.arrangement.show_in(views.active_pane, PaneSpec(Role.SOURCE, Plane.CORONAL))
    assert scrolls()


def test_a_layout_that_comes_while_the_other_picture_is_held_lets_go_of_it(views) -> None:
    views.compare.model.hold(Role.TRUTH)
    views.actions_by_name["layout_2"].trigger()
    views.compare.model.hold(None)
    for pane in views.panes.values():
        volume = views.model.volumes.get(pane.role)
        assert pane.header.accessible_title == ("" if volume is None else volume.label)


@pytest.mark.parametrize("text_size", [10, 20])
def test_nine_panes_lie_beside_one_another_in_the_smallest_window(make_window, dressed, qtbot, text_size) -> None:
    dressed("dark", text_size)
    window = make_window()
    window.resize(window.minimumSize())
    window.session.place(make_volume(), Role.SOURCE)
    window.session.place(make_volume(Domain.MR_T1), Role.TRUTH)
    views = window.views
    views.actions_by_name["layout_2"].trigger()
    qtbot.waitUntil(lambda: all(pane.canvas.height() > 40 for pane in views.panes.values()))
    places = [QRect(pane.mapTo(window, QPoint(0, 0)), pane.size()) for pane in views.panes.values()]
    assert window.height() == 600 and all(window.rect().contains(place) for place in places)
    assert not any(one.intersects(other) for one, other in combinations(places, 2))
    window.close()


def test_a_layout_is_named_found_again_after_a_crash_and_never_takes_a_name_of_the_programs(make_window, qtbot) -> None:
    window = make_window()
    window.session.place(make_volume())
    window.views.arrangement.show(THREE_PLANES)
    window.layouts._ask_name()
    (dialog,) = window.findChildren(NameDialog)
    for name in ("Side by side", "side  BY side", "Single"):
        dialog.field.setText(name)
        assert not dialog.save.isEnabled() and "layout of the program" in dialog.told.text()
    dialog.field.setText("  ")
    assert not dialog.save.isEnabled()
    dialog.field.setText("Head & neck")
    assert dialog.told.text() == ""
    dialog.save.click()
    kept = LayoutLink(window.views.arrangement, Settings(), History(), QMainWindow(), QMenu())  # nothing was closed
    assert kept.named["Head & neck"].rows == THREE_PLANES.rows
    kept._fill()
    assert any(action.text() == "Head && neck" for action in kept._menu.actions())
    qtbot.waitUntil(lambda: not window.findChildren(NameDialog))
    window.layouts._ask_name()
    (dialog,) = window.findChildren(NameDialog)
    dialog.field.setText("Head & neck")
    assert dialog.save.isEnabled() and "will be replaced" in dialog.told.text()
    window.close()
