"""The docks beside the pictures: one group of tabs, in front the one of the work, kept as somebody arranged them."""

from __future__ import annotations

import time

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, Qt
from PySide6.QtGui import QMouseEvent, QStandardItem, QStandardItemModel, QWheelEvent
from PySide6.QtWidgets import QApplication, QLabel, QStyle, QStyleOptionViewItem, QTabBar, QToolButton

from ctmri_core.domain import Domain
from ctmri_core.preprocess.body_mask import body_mask
from ctmri_core.volume import Synthetic
from ctmri_gui.main_window import MainWindow
from ctmri_gui.panels.translation_panel import _FewRows
from ctmri_gui.theme import icon
from ctmri_gui.viewer.body import bodies
from ctmri_gui.viewer.roles import Role
from tests.gui.conftest import laid_out, make_volume

WAIT = 20_000


def tabs_of(window):
    (bar,) = window.findChildren(QTabBar, options=Qt.FindChildOption.FindDirectChildrenOnly)
    return bar


def in_front(window):
    (name,) = window.docks.front
    return name


def place_all(window):
    window.session.place(make_volume(), Role.SOURCE)
    window.session.place(make_volume(Domain.MR_T1, synthetic=Synthetic("m", "cd" * 32)), Role.SYNTHETIC)
    window.session.place(make_volume(Domain.MR_T1), Role.TRUTH)


@pytest.mark.parametrize(("size", "height"), [(13, 900), (13, 620), (24, 900)])
def test_docks_are_one_group_of_tabs_at_every_size_and_none_scrolls_sideways(make_window, qtbot, dressed, size, height):
    window = make_window()
    window.settings["text_size"] = size
    window.resize(1200, height)
    first, *others = window.docks.by_name.values()
    assert set(window.tabifiedDockWidgets(first)) == set(others)
    tabs = tabs_of(window)
    assert [tabs.tabText(place) for place in range(tabs.count())] == ["Translate", "Metrics", "Measure", "Images", "Jobs"]
    title = first.titleBarWidget().findChild(QLabel)
    qtbot.waitUntil(lambda: title.font().pixelSize() == size)
    qtbot.waitUntil(lambda: tabs.width() >= tabs.sizeHint().width())  # no word is cut
    for dock in window.docks.by_name.values():
        dock.raise_()
        area = dock.widget()
        qtbot.waitUntil(lambda area=area: area.isVisible() and area.widget().width() <= area.viewport().width())


def test_the_smallest_window_holds_panes_and_docks_with_the_largest_text(make_window, qtbot, dressed):
    window = make_window()
    window.settings["text_size"] = 24
    window.resize(window.minimumSize())
    place_all(window)
    window.translation.options.head.click()
    window.body.panel.shown.click()
    qtbot.waitUntil(lambda: not window.body.panel.only.isHidden(), timeout=WAIT)
    assert window.size() == window.minimumSize()
    panel, pictures = window.docks.by_name["Translation"], window.centralWidget()
    qtbot.waitUntil(lambda: not window.session.jobs.running, timeout=WAIT)  # figures and a curve are there by now
    qtbot.waitUntil(lambda: panel.minimumSizeHint().width() + pictures.minimumSizeHint().width() < window.width())  # all unfolded
    truth = window.views.panes[Role.TRUTH]
    for dock in window.docks.by_name.values():
        dock.raise_()
        qtbot.waitUntil(lambda: window.minimumSizeHint().width() <= window.width())
        qtbot.waitUntil(lambda dock=dock: truth.mapTo(window, truth.rect().topRight()).x() < dock.x() < window.width() - 100)


def test_the_dock_in_front_is_that_of_the_work_until_somebody_chooses_another(make_window, qtbot):
    window = make_window()
    assert in_front(window) == "Translation"
    place_all(window)
    qtbot.waitUntil(lambda: in_front(window) == "Metrics", timeout=WAIT)
    window.views.actions_by_name["measure_length"].trigger()
    assert in_front(window) == "Measurements"
    tabs = tabs_of(window)
    tabs.setCurrentIndex(3)
    window.views.actions_by_name["measure_angle"].trigger()
    assert in_front(window) == "Images"
    window.command["jobs"].trigger()
    assert in_front(window) == "Jobs"
    window.session.close_case()
    qtbot.waitUntil(lambda: in_front(window) == "Translation")
    window.docks.by_name["Measurements"].toggleViewAction().trigger()
    window.views.actions_by_name["measure_length"].trigger()
    assert window.docks.by_name["Measurements"].isHidden()


def test_docks_are_kept_as_somebody_moved_them_and_brought_back_on_request(make_window, qtbot):
    window = make_window()
    window.resize(1200, 800)
    first, dock = window.docks.by_name["Translation"], window.docks.by_name["Metrics"]
    laid_out(qtbot, first)
    before, border = first.width(), QPoint(first.x() - 2, 300)
    qtbot.mouseClick(window, Qt.MouseButton.LeftButton, pos=border)
    assert not window.docks.by_hand
    qtbot.mousePress(window, Qt.MouseButton.LeftButton, pos=border)
    there, left = QPointF(border - QPoint(90, 0)), Qt.MouseButton.LeftButton
    held = QMouseEvent(QEvent.Type.MouseMove, there, window.mapToGlobal(there), left, left, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(window, held)
    qtbot.waitUntil(lambda: first.width() == before + 90)
    qtbot.mouseRelease(window, Qt.MouseButton.LeftButton, pos=border - QPoint(90, 0))
    qtbot.waitUntil(lambda: window.docks.by_hand)
    window.resize(1300, 800)
    laid_out(qtbot, window.centralWidget())
    assert first.width() == before + 90
    dock.titleBarWidget().findChildren(QToolButton)[0].click()
    assert dock.isFloating()
    window.close()
    assert window.settings["window_state"]
    again = MainWindow(window.session, window.settings)
    qtbot.addWidget(again)
    assert again.docks.by_hand and again.docks.by_name["Metrics"].isFloating()
    again.show()
    again.command["arrange_docks"].trigger()
    assert not again.docks.by_hand and not again.docks.by_name["Metrics"].isFloating()
    assert len(again.tabifiedDockWidgets(again.docks.by_name["Metrics"])) == 4
    again.close()
    assert again.settings["window_state"] == ""


def test_the_wheel_over_a_field_scrolls_the_panel_and_changes_no_value(make_window, qtbot):
    window = make_window()
    window.resize(900, 600)
    window.translation.options.head.click()
    window.settings["translation_doubt"] = "auto"
    area = window.docks.by_name["Translation"].widget()
    qtbot.waitUntil(lambda: area.verticalScrollBar().maximum() > 0)
    for name in ("translation_planes", "translation_samples", "translation_batch"):
        field, before = window.translation.options.fields[name], window.settings[name]
        at = QPointF(field.rect().center())
        down = QWheelEvent(at, QPointF(field.mapToGlobal(at)), QPoint(), QPoint(0, -120), Qt.MouseButton.NoButton,
                           Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False)  # fmt: skip
        QApplication.sendEvent(field, down)
        assert window.settings[name] == before and not down.isAccepted(), name  # so the panel around it scrolls
        assert field.focusPolicy() is Qt.FocusPolicy.StrongFocus  # the wheel does not give it the keyboard either


def test_what_came_of_a_translation_stands_above_how_the_next_one_is_made(make_window):
    column = make_window().translation.layout()
    window_parts = [column.itemAt(place).widget() for place in range(column.count())]
    names = [type(part).__name__ for part in window_parts if part is not None]
    assert names.index("ResultsBox") < names.index("OptionsBox") < names.index("BodyPanel")


def test_what_is_unfolded_is_scrolled_to(make_window, qtbot, monkeypatch):
    def slowly(*given):
        time.sleep(0.3)  # as in a large scan
        return body_mask(*given)

    monkeypatch.setattr(bodies, "body_mask", slowly)
    window = make_window()
    window.resize(900, 600)
    window.session.place(make_volume(), Role.SOURCE)
    area, options = window.docks.by_name["Translation"].widget(), window.translation.options
    area.verticalScrollBar().setValue(0)
    options.head.click()
    qtbot.waitUntil(lambda: area.verticalScrollBar().maximum() > 0)
    options.head.click()
    options.head.click()
    last = window.body.panel
    qtbot.waitUntil(lambda: not options.head.visibleRegion().isEmpty())
    window.body.panel.shown.click()
    qtbot.waitUntil(lambda: last.details.isVisible() and not last.save.visibleRegion().isEmpty(), timeout=WAIT)


@pytest.mark.parametrize("size", [13, 20, 24])
def test_what_a_model_is_can_be_read_whole_beside_its_tick(qtbot, dressed, size):
    dressed("dark", size)
    rows = QStandardItemModel()
    for words in ("Phantom CT to T1 MR\nCT → T1 MR · head · demonstration", "Short\nCT → MR · head · unverified"):
        row = QStandardItem(icon("model"), words)
        row.setCheckable(True)
        rows.appendRow(row)
    view = _FewRows()
    qtbot.addWidget(view)
    view.setModel(rows)
    view.show()
    for width in range(200, 400, 7):
        view.resize(width, 300)
        view.fit()
        for number in range(rows.rowCount()):
            option, index = QStyleOptionViewItem(), rows.index(number, 0)
            view.initViewItemOption(option)
            view.itemDelegate().initStyleOption(option, index)
            option.rect = view.visualRect(index)
            text = view.style().subElementRect(QStyle.SubElement.SE_ItemViewItemText, option, view)
            room = QRect(0, 0, text.width() - 6, 10_000)
            assert option.fontMetrics.boundingRect(room, Qt.TextFlag.TextWordWrap, option.text).height() <= text.height(), width
