"""What the viewer keeps between starts, and what its tips say of keys."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication, QToolButton

from ctmri_gui.main_window import MainWindow
from ctmri_gui.settings import Settings
from ctmri_gui.viewer.layouts import THREE_PLANES
from ctmri_gui.viewer.roles import Role
from tests.gui.conftest import make_volume


@pytest.fixture
def window(make_window: Callable[..., MainWindow]) -> MainWindow:
    made = make_window()
    made.views.set_volume(Role.SOURCE, make_volume())
    return made


def turn(window: MainWindow, pane: str, notches: int) -> None:
    canvas = window.views.panes[pane].canvas
    at = QPointF(canvas.rect().center())
    none = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier
    event = QWheelEvent(at, at, QPoint(), QPoint(0, 120 * notches), *none, Qt.ScrollPhase.NoScrollPhase, False)
    QApplication.sendEvent(canvas, event)


def test_the_display_is_as_it_was_left(window, make_window) -> None:
    for name in ("neurological", "nose_right", "smooth"):
        window.views.actions_by_name[name].trigger()
    window.close()
    assert [Settings()[key] for key in ("neurological", "nose_right", "smooth")] == [True, True, False]
    again = make_window()
    assert again.views.model.display.neurological and again.views.model.display.nose_right
    assert not again.views.actions_by_name["smooth"].isChecked()


def test_settings_reach_the_display_at_once(window) -> None:
    window.settings["neurological"] = True
    assert window.views.model.display.neurological and window.views.actions_by_name["neurological"].isChecked()
    window.settings["neurological"] = False
    assert not window.views.model.display.neurological


def test_the_wheel_may_turn_the_other_way_in_panes_that_come_later_too(window) -> None:
    before = window.views.slice
    turn(window, "source", 1)
    forward = window.views.slice - before
    window.settings["wheel_inverted"] = True
    turn(window, "source", 2)
    assert window.views.slice == before - forward
    window.views.arrangement.show(THREE_PLANES)
    poses = window.views.model.pose("source-2").k
    turn(window, "source-2", 1)
    turned = window.views.model.pose("source-2").k - poses
    window.settings["wheel_inverted"] = False
    turn(window, "source-2", 1)
    assert turned != 0 and window.views.model.pose("source-2").k == poses


def test_the_tip_of_the_link_says_the_key_in_use(window) -> None:
    def tip() -> str:
        return next(
            button.toolTip()
            for button in window.views.panes["source"].header.findChildren(QToolButton)
            if "follow the other panes" in button.accessibleName()
        )

    assert "(Ctrl+L)" in tip()
    window.bindings.set_keys("view.link", ["F8"])
    assert "(F8)" in tip() and "Ctrl+L" not in tip()


def test_drags_in_panes_of_another_layout_are_one_step_each(window, qtbot) -> None:
    window.views.arrangement.show(THREE_PLANES)
    window.history.clear()
    canvas = window.views.panes["source-2"].canvas
    before = window.views.model.windows[Role.SOURCE]
    middle = canvas.rect().center()
    qtbot.mousePress(canvas, Qt.MouseButton.LeftButton, pos=middle)
    for step in range(1, 5):
        qtbot.mouseMove(canvas, middle + QPoint(10 * step, 5 * step))
    qtbot.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=middle + QPoint(40, 20))
    assert window.views.model.windows[Role.SOURCE] != before
    window.history.undo()
    assert window.views.model.windows[Role.SOURCE] == before and not window.history.can_undo
