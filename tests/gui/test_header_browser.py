from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest
import shiboken6
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QAbstractItemModelTester

from ctmri_core.domain import Domain
from ctmri_core.io.header_entry import HIDDEN, HeaderEntry
from ctmri_core.volume import Synthetic
from ctmri_gui.header_browser.dialog import HeaderBrowser
from ctmri_gui.header_browser.model import HeaderFilter, HeaderModel
from ctmri_gui.jobs import work
from ctmri_gui.viewer.roles import Role
from tests.gui.conftest import make_volume
from tests.hostile.identifiers import plant_series

WAIT = 20_000
ENTRIES = (
    HeaderEntry(0, "(0008,0060)", "Modality", "CS", "CT", False),
    HeaderEntry(0, "(0008,1140)", "ReferencedImageSequence", "SQ", "1 item", False),
    HeaderEntry(1, "Item 1", "", "", "", False),
    HeaderEntry(2, "(0008,0104)", "CodeMeaning", "LO", "Doe", True),
    HeaderEntry(0, "(0010,0010)", "PatientName", "PN", "Doe^Jane", True),
    HeaderEntry(0, "(0010,0040)", "PatientSex", "CS", "", True),
)


@pytest.fixture
def model() -> HeaderModel:
    made = HeaderModel()
    QAbstractItemModelTester(made, QAbstractItemModelTester.FailureReportingMode.Fatal)
    made.set_header(ENTRIES, frozenset({3}))
    return made


def rows(model, parent: QModelIndex | None = None, column: int = 3) -> list[str]:
    """The texts of a column, top down."""
    parent = parent or QModelIndex()
    found = []
    for row in range(model.rowCount(parent)):
        found.append(model.index(row, column, parent).data())
        found += rows(model, model.index(row, 0, parent), column)
    return found


def test_the_tree_hides_patient_data_in_every_role_until_asked(model):
    assert rows(model) == ["CT", "1 item", "", HIDDEN, HIDDEN, ""]
    assert model.hidden_count == 2
    index = model.index(2, 3)
    assert "Doe" not in str([index.data(role) for role in Qt.ItemDataRole])
    assert model.value(index) is None
    model.set_identifying(True)
    assert rows(model) == ["CT", "1 item", "", "Doe", "Doe^Jane", ""]
    assert (model.hidden_count, model.value(index)) == (0, "Doe^Jane")


def test_the_filter_looks_at_what_is_shown_and_keeps_what_belongs_together(model):
    filtered = HeaderFilter(model)
    filtered.set_words("doe")
    assert rows(filtered, column=1) == []
    model.set_identifying(True)
    assert rows(filtered, column=1) == ["ReferencedImageSequence", "", "CodeMeaning", "PatientName"]
    filtered.set_words("patient name")
    assert rows(filtered, column=1) == ["PatientName"]
    filtered.set_words("")
    filtered.set_only_differing(True)
    assert rows(filtered, column=1) == ["ReferencedImageSequence", "", "CodeMeaning"]


def open_browser(window, qtbot, *paths: Path) -> HeaderBrowser:
    window.session.open_paths(paths)
    qtbot.waitUntil(lambda: window.session.volumes[Role.SOURCE] is not None, timeout=WAIT)
    window.command["header"].trigger()
    browser = window.findChild(HeaderBrowser)
    qtbot.waitUntil(lambda: bool(browser.model.entries), timeout=WAIT)
    return browser


def find(browser: HeaderBrowser, name: str) -> QModelIndex:
    filtered = browser.filtered
    return next(filtered.index(row, 3) for row in range(filtered.rowCount()) if filtered.index(row, 1).data() == name)


def test_the_browser_goes_through_slices_and_copies_only_what_is_shown(make_window, qtbot, tmp_path):
    planted = plant_series(tmp_path)
    window = make_window()
    browser = open_browser(window, qtbot, planted.path)
    assert (browser.slice.value(), browser.slice.maximum()) == (window.views.slice + 1, 3)
    assert not browser.identifying.isChecked()
    assert "hidden" in browser.status.text()
    clipboard = QGuiApplication.clipboard()
    clipboard.setText("before")
    browser.tree.setCurrentIndex(find(browser, "PatientName"))
    assert not browser.copy.isEnabled()
    browser._copy()
    assert clipboard.text() == "before"
    browser.tree.setCurrentIndex(find(browser, "Rows"))
    browser.copy.click()
    assert clipboard.text() == str(window.session.volumes[Role.SOURCE].geometry.shape[1])
    browser.slice.setValue(3)
    qtbot.waitUntil(lambda: find(browser, "InstanceNumber").data() == "3", timeout=WAIT)
    assert browser.filtered.mapToSource(browser.tree.currentIndex()).siblingAtColumn(1).data() == "Rows"
    browser.differing.setChecked(True)
    assert "SOPInstanceUID" in rows(browser.filtered, column=1)
    assert "Rows" not in rows(browser.filtered, column=1)
    browser.differing.setChecked(False)
    browser.identifying.setChecked(True)
    assert "Mind who can see" in browser.status.text()
    assert find(browser, "PatientName").data() != HIDDEN
    browser.close()
    window.command["header"].trigger()  # not remembered
    assert not window.findChildren(HeaderBrowser)[-1].identifying.isChecked()
    window.close()


def test_the_browser_follows_the_panes(make_window, qtbot, ct_file):
    window = make_window()
    browser = open_browser(window, qtbot, ct_file)
    assert browser.image.count() == 1
    assert not browser.slice.isEnabled()
    made = make_volume(Domain.MR_T1, synthetic=Synthetic("A model", "cd" * 32))
    window.session.place(made, Role.SYNTHETIC)
    assert [browser.image.itemText(row) for row in range(2)] == ["Source: CT", "Synthetic: Synthetic T1 MR"]
    assert browser.volume is window.session.volumes[Role.SOURCE]
    browser.image.setCurrentIndex(1)
    browser.image.activated.emit(1)
    qtbot.waitUntil(lambda: "A model" in rows(browser.model), timeout=WAIT)
    window.session.close_case()
    qtbot.waitUntil(lambda: not shiboken6.isValid(browser) or not browser.isVisible(), timeout=WAIT)
    assert not window.command["header"].isEnabled()
    window.close()


def test_patient_data_that_were_asked_for_are_hidden_again_with_another_scan(make_window, qtbot, tmp_path, ct_file):
    window = make_window()
    browser = open_browser(window, qtbot, ct_file)
    assert browser.slice.text() == "all"  # one header of ten slices
    browser.identifying.setChecked(True)
    window.session.place(make_volume(Domain.MR_T1, synthetic=Synthetic("A model", "cd" * 32)), Role.SYNTHETIC)
    assert browser.identifying.isChecked()  # still the same scan
    window.session.open_paths([plant_series(tmp_path / "planted").path])
    qtbot.waitUntil(lambda: browser.slice.maximum() == 3, timeout=WAIT)
    assert not browser.identifying.isChecked()
    assert find(browser, "PatientName").data() == HIDDEN
    assert browser.slice.text() == "1 of 3"
    window.close()


def test_headers_of_files_with_several_slices_each_are_not_said_to_be_of_slices(make_window, qtbot, tmp_path, ct_file):
    window = make_window()
    browser = open_browser(window, qtbot, ct_file)
    volume = window.session.volumes[Role.SOURCE]
    paths = [path for path in plant_series(tmp_path / "planted").path.rglob("*") if path.is_file()][:2]
    window.session.place(replace(volume, files=tuple(paths)), Role.SOURCE)
    qtbot.waitUntil(lambda: browser.slice.text() == "file 1 of 2", timeout=WAIT)
    window.views.set_slice(5)
    window.command["header"].trigger()
    browser = window.findChildren(HeaderBrowser)[-1]
    qtbot.waitUntil(lambda: browser.slice.text() == "file 1 of 2", timeout=WAIT)
    window.close()


def test_a_closed_browser_asks_for_nothing_more(make_window, qtbot, ct_file):
    window = make_window()
    browser = open_browser(window, qtbot, ct_file)
    browser.close()
    before = browser._latest.state
    window.session.place(make_volume(), Role.SOURCE)
    assert browser._latest.state is before
    window.close()


def test_a_file_that_has_gone_is_said_in_the_browser(make_window, qtbot, ct_file):
    window = make_window()
    browser = open_browser(window, qtbot, ct_file)
    ct_file.unlink()
    browser._ask(0)
    qtbot.waitUntil(lambda: "does not exist" in browser.status.text(), timeout=WAIT)
    assert browser.model.entries == ()
    window.close()


def test_a_header_that_comes_when_the_browser_is_gone_is_dropped(make_window, qtbot, ct_file, monkeypatch):
    go, begun, read = threading.Event(), threading.Event(), work.read_header

    def held(volume, number, stop):
        begun.set()
        go.wait(100)
        return (yield from read(volume, number, stop))

    window = make_window()
    browser = open_browser(window, qtbot, ct_file)
    monkeypatch.setattr(work, "read_header", held)
    browser._ask(0)
    qtbot.waitUntil(begun.is_set, timeout=WAIT)
    browser.close()
    qtbot.waitUntil(lambda: not shiboken6.isValid(browser), timeout=WAIT)
    with qtbot.captureExceptions() as caught:
        go.set()
        qtbot.waitUntil(lambda: not window.session.jobs.running, timeout=WAIT)
    assert caught == []
    window.close()
