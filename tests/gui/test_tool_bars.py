"""The tool bars: tools in sight with their keys, their state shown, and room made in narrow windows."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QToolButton

from ctmri_core.domain import Domain
from ctmri_core.volume import Synthetic
from ctmri_gui.viewer.compare.modes import Mode
from ctmri_gui.viewer.roles import Role
from tests.gui.conftest import make_volume

KEYS = {
    "window_tool": "V", "scroll_tool": "S", "crosshair_tool": "X", "measure_length": "D", "measure_angle": "A",
    "measure_profile": "P", "compare_next": "K", "invert": "I", "reset_views": "R",
}  # fmt: skip


@pytest.fixture
def window(make_window):
    made = make_window()
    made.session.place(make_volume(), Role.SOURCE)
    made.session.place(make_volume(Domain.MR_T1, synthetic=Synthetic("m", "cd" * 32)), Role.SYNTHETIC)
    return made


def buttons(bar):
    return [one for one in bar.findChildren(QToolButton) if one.objectName() != "qt_toolbar_ext_button"]


def whole(bars):
    return not any(bar.findChild(QToolButton, "qt_toolbar_ext_button").isVisible() for bar in (bars.work, bars.on_pictures))


def test_tools_are_there_with_the_pictures_and_each_tells_its_key(make_window):
    window = make_window()
    assert not window.bars.on_pictures.isVisible() and window.bars.work.isVisible()
    window.session.place(make_volume(), Role.SOURCE)
    assert window.bars.on_pictures.isVisible()
    shown = buttons(window.bars.on_pictures)
    assert all(one.toolTip() and not one.icon().isNull() for one in shown)
    by_action = {one.defaultAction().objectName(): one for one in shown if one.defaultAction() is not None}
    assert {"measure_rectangle", "measure_ellipse", "measure_freehand", "cine", *KEYS} <= set(by_action)
    assert all(f"({key}" in by_action[name].toolTip() for name, key in KEYS.items())
    window.bindings.set_keys("view.invert", ["F7"])
    assert "F7" in by_action["invert"].toolTip()


def test_one_tool_is_on_at_a_time_and_without_another_it_is_the_window(window):
    on = {name: window.views.actions_by_name[name] for name in ("window_tool", "scroll_tool", "measure_length")}

    def state():
        return [name for name, action in on.items() if action.isChecked()]

    assert state() == ["window_tool"]
    on["measure_length"].trigger()
    assert state() == ["measure_length"] and window.views.panes[Role.SOURCE].canvas.gestures.tool == "draw"
    on["window_tool"].trigger()
    on["window_tool"].trigger()
    assert state() == ["window_tool"] and window.views.panes[Role.SOURCE].canvas.gestures.tool == "window"
    on["scroll_tool"].trigger()
    window.views.actions_by_name["cancel"].trigger()
    assert state() == ["window_tool"]


def test_the_button_of_comparing_tells_whether_the_active_pane_compares_and_with_what(window):
    views, button = window.views, window.bars.compare
    views.set_active("source")
    assert button.isEnabled() and not button.isChecked()
    button.click()
    assert button.isChecked() and views.compare.model.of("source").mode is Mode.FADE
    views.set_active("synthetic")
    assert not button.isChecked()
    views.set_active("truth")
    button.menu().aboutToShow.emit()
    assert not button.isEnabled() and "second scan" in button.menu().actions()[0].text()
    views.set_active("source")
    button.menu().aboutToShow.emit()
    (wipe,) = [one for one in button.menu().actions() if one.text() == "Wipe"]
    wipe.trigger()
    assert views.compare.model.of("source").mode is Mode.WIPE
    button.menu().aboutToShow.emit()
    next(one for one in button.menu().actions() if one.text() == "One picture").trigger()
    assert not button.isChecked()


def test_cine_is_ticked_only_while_it_plays(window):
    window.command["cine"].trigger()
    assert window.command["cine"].isChecked() and window.film.cine.playing
    window.views.panes[Role.SOURCE].canvas.gestures.pressed.emit()
    assert not window.command["cine"].isChecked()
    window.session.place(make_volume(shape=(1, 24, 28)), Role.SOURCE)
    window.views.set_active("source")
    window.command["cine"].trigger()
    assert not window.command["cine"].isChecked()


@pytest.mark.parametrize("size", [13, 20])
def test_bars_share_a_row_where_there_is_room_and_no_tool_is_ever_put_away(window, qtbot, dressed, size):
    bars = window.bars
    window.settings["text_size"] = size
    window.resize(2400, 900)
    qtbot.waitUntil(lambda: bars.work.y() == bars.on_pictures.y() and whole(bars))
    assert bars.work.toolButtonStyle() is Qt.ToolButtonStyle.ToolButtonTextBesideIcon
    window.resize(900, 600)
    qtbot.waitUntil(lambda: bars.work.y() < bars.on_pictures.y() and whole(bars))
    with_words = bars.work.toolButtonStyle() is Qt.ToolButtonStyle.ToolButtonTextBesideIcon
    assert with_words is (size == 13)
