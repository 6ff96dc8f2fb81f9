"""Without a mouse: to a panel and back to the pictures."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel

from ctmri_core.domain import Domain
from ctmri_gui.viewer.roles import Role
from tests.gui.conftest import make_volume

PANELS = {"go_translation": "Translation", "go_metrics": "Metrics", "go_measurements": "Measurements", "go_images": "Images"}


@pytest.fixture
def window(make_window, qtbot):
    window = make_window()
    window.session.place_together([make_volume(), make_volume(Domain.MR_T1)])
    window.activateWindow()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is window)
    yield window
    window.close()


def focus():
    return QApplication.focusWidget()


@pytest.mark.parametrize("floating", [False, True])
@pytest.mark.parametrize(("command", "name"), PANELS.items())
def test_a_key_leads_into_each_panel_and_escape_back_to_the_picture_it_came_from(window, qtbot, command, name, floating):
    dock, pane = window.docks.by_name[name], window.views.panes[Role.TRUTH]
    dock.setFloating(floating)
    pane.setFocus()
    window.command[command].trigger()
    qtbot.waitUntil(lambda: dock.isAncestorOf(focus()))
    assert not dock.visibleRegion().isEmpty()
    assert focus() is not dock.widget() or name in ("Measurements", "Metrics"), "a field, where there is one to be used"
    QTest.keyClick(focus(), Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: focus() is pane)


def test_escape_in_a_tool_bar_leads_to_the_picture(window, qtbot):
    window.bars.on_pictures.widgetForAction(window.command["cine"]).setFocus()
    QTest.keyClick(focus(), Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: focus() in window.views.panes.values())


def test_no_field_beside_the_pictures_takes_the_letter_of_a_menu(window):
    menus = {QKeySequence.mnemonic(action.text()).toString() for action in window.menuBar().actions()}
    beside = [window.film.bar, *window.docks.by_name.values()]
    kinds = (QAbstractButton, QLabel)
    texts = [part.text() for dock in beside for kind in kinds for part in dock.findChildren(kind)]
    letters = {QKeySequence.mnemonic(text).toString() for text in texts} - {""}
    assert len(menus) == 6 and letters and not letters & menus
