"""Masks that were opened are changed in the real window: labels chosen, painted, filled, grown, taken back; saved as files."""

from collections.abc import Iterator
from pathlib import Path

import highdicom
import nibabel
import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMessageBox
from skimage.segmentation import flood

from ctmri_core.cli import main
from ctmri_core.domain import Domain
from ctmri_core.labels.dicom_seg import write_dicom_seg
from ctmri_core.preprocess.mask_regions import regrown
from ctmri_core.volume import Volume
from ctmri_gui import file_choice
from ctmri_gui.body_link import BodyLink
from ctmri_gui.main_window import MainWindow
from ctmri_gui.panels.name_dialog import NameDialog
from ctmri_gui.viewer.compare.label_map import BODY, label_map_of
from ctmri_gui.viewer.roles import Role
from tests.core.test_dicom_seg import GRIDS, scan_on
from tests.gui.conftest import make_volume


@pytest.fixture(autouse=True)
def _nothing_is_asked_at_the_end(request, monkeypatch):
    if "asked" not in request.node.name:
        monkeypatch.setattr(BodyLink, "may_close", lambda _self: True)


@pytest.fixture
def window(make_window) -> Iterator[MainWindow]:
    """With a scan and over it a mask of the labels 3 and 7."""
    made = make_window()
    made.resize(1500, 800)
    scan = make_volume(shape=(20, 48, 50))
    made.session.place(scan, Role.SOURCE)
    values = np.zeros(scan.geometry.shape, np.int16)
    values[6:14, 10:20, 10:40], values[6:14, 28:38, 10:40] = 3, 7
    mask = Volume(values, scan.geometry, Domain.UNKNOWN)
    made.views.compare.masks.add(label_map_of(mask, "Mask 1"), scan)
    yield made
    made.close()


def labels(window: MainWindow) -> np.ndarray:
    return window.views.compare.masks.masks[-1].map.labels


def press(window: MainWindow, *shares: tuple[float, float]) -> np.ndarray:
    """Drags through points of the source's pane, given in shares of it; the voxels under them."""
    canvas, model = window.views.panes["source"].canvas, window.views.model
    points = [QPoint(round(x * canvas.width()), round(y * canvas.height())) for x, y in shares]
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=points[0])
    for point in points[1:]:
        QTest.mouseMove(canvas, point)
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=points[-1])
    projection, layout = window.views.panes["source"].projection, model.displayed("source").layout
    mm = [layout.to_mm(*projection.to_plane(point.x(), point.y()), model.pose("source").k) for point in points]
    return np.rint(window.session.volumes[Role.SOURCE].geometry.mm_to_index(np.array(mm))).astype(int)


def choose_region(window: MainWindow, row: int) -> None:
    window.body.panel.choice.part.setCurrentIndex(row)
    window.body.panel.choice.part.activated.emit(row)


def test_a_mask_that_was_opened_can_be_changed_and_its_labels_chosen(window):
    panel = window.body.panel
    assert [panel.choice.which.itemText(row) for row in range(panel.choice.which.count())] == [BODY, "Mask 1"]
    assert panel.choice.which.currentText() == "Mask 1" and [panel.choice.part.itemText(row) for row in (0, 1)] == ["3", "7"]
    assert panel.details.isVisibleTo(panel) and not panel.level.isVisibleTo(panel)
    panel.choice.which.textActivated.emit(BODY)
    assert not panel.details.isVisibleTo(panel) and panel.choice.which.currentText() == BODY


def test_strokes_paint_over_other_labels_erase_their_own_alone_and_are_taken_back(window):
    before = labels(window).copy()
    window.views.actions_by_name["body_add"].trigger()
    window.body.editor.set_radius(30)
    choose_region(window, 1)
    press(window, (0.4, 0.5), (0.6, 0.5))
    added = labels(window).copy()
    assert ((before == 1) & (added == 2)).any() and not ((before != added) & (added != 2)).any()
    assert window.history.undo_text == "add to Mask 1"
    window.views.actions_by_name["body_erase"].trigger()
    choose_region(window, 0)
    press(window, (0.3, 0.5), (0.7, 0.5))
    erased = labels(window).copy()
    assert (erased != added).any() and set(added[erased != added]) == {1} and set(erased[erased != added]) == {0}
    assert window.history.undo_text == "take away from Mask 1" and window.body.editor.body is None
    window.history.undo()
    np.testing.assert_array_equal(labels(window), added)
    window.history.undo()
    np.testing.assert_array_equal(labels(window), before)
    window.history.redo()
    np.testing.assert_array_equal(labels(window), added)


def test_keys_alone_paint_in_the_middle_of_the_pane(window):
    before = labels(window).copy()
    window.views.focus_active()
    window.views.actions_by_name["body_brush"].trigger()
    window.views.actions_by_name["measure_place"].trigger()
    changed = np.argwhere(labels(window) != before)
    (middle,) = press(window, (0.5, 0.5))
    assert changed.size and np.abs(changed.mean(0) - middle).max() < 4 and window.history.undo_text == "add to Mask 1"
    while window.history.can_undo:
        window.history.undo()
    np.testing.assert_array_equal(labels(window), before)


def test_a_fill_takes_what_is_alike_in_the_slice(window):
    before, scan = labels(window).copy(), window.session.volumes[Role.SOURCE]
    window.views.actions_by_name["body_fill"].trigger()
    window.body.panel.tools.tolerance.setValue(120)
    choose_region(window, 1)
    (at,) = press(window, (0.5, 0.5))
    expected = before[at[0]].copy()
    expected[flood(scan.voxels[at[0]].astype(float), tuple(at[1:]), tolerance=120, connectivity=1)] = 2
    np.testing.assert_array_equal(labels(window)[at[0]], expected)
    assert (np.delete(labels(window), at[0], 0) == np.delete(before, at[0], 0)).all() and (expected != before[at[0]]).any()
    window.history.undo()
    np.testing.assert_array_equal(labels(window), before)


def test_a_label_grows_and_shrinks_and_that_is_taken_back(window, qtbot):
    before, grid = labels(window).copy(), window.session.volumes[Role.SOURCE].geometry
    window.body.panel.tools.distance.setValue(4)
    for press_it, sign in ((window.body.panel.tools.grow, 1), (window.body.panel.tools.shrink, -1)):
        expected = before.copy()
        expected.ravel()[regrown(before, grid, 1, sign * 4.0)] = 1 if sign > 0 else 0
        press_it.click()
        qtbot.waitUntil(lambda: (labels(window) != before).any(), timeout=20_000)
        np.testing.assert_array_equal(labels(window), expected)
        assert window.history.undo_text == f"{'grow' if sign > 0 else 'shrink'} Mask 1"
        window.history.undo()
        np.testing.assert_array_equal(labels(window), before)


def test_the_body_is_filled_and_grown_as_any_mask(window, qtbot):
    window.views.compare.masks.remove("Mask 1")
    window.views.actions_by_name["body_mask"].trigger()
    qtbot.waitUntil(lambda: window.body.editor.shown, timeout=20_000)
    body = window.body.editor.body
    found = body.labels.copy()
    window.views.actions_by_name["body_shrink"].trigger()
    qtbot.waitUntil(lambda: body.by_hand, timeout=20_000)
    assert body.labels.sum() < found.sum() and window.history.undo_text == "shrink the body"
    window.history.undo()
    np.testing.assert_array_equal(body.labels, found)
    assert not body.by_hand


def test_masks_are_saved_as_nifti_as_labelme_and_as_dicom(make_window, qtbot, tmp_path: Path, monkeypatch):
    window = make_window()
    scan = scan_on(GRIDS[0])
    window.session.place(scan, Role.SOURCE)
    values = np.random.default_rng(0).choice(np.array([0, 3, 7], np.int16), scan.geometry.shape)
    window.views.compare.masks.add(label_map_of(Volume(values, scan.geometry, Domain.UNKNOWN), "Mask 1"), scan)
    for name, written in (("m.nii.gz", "m.nii.gz"), ("m.json", "m"), ("m.dcm", "m.dcm")):
        monkeypatch.setattr(file_choice, "new_file", lambda *_, chosen=tmp_path / name: chosen)
        with qtbot.waitSignal(window.session.saved, timeout=20_000) as said:
            window.body.panel.save.click()
        assert said.args == [tmp_path / written]
    np.testing.assert_array_equal(np.asarray(nibabel.load(tmp_path / "m.nii.gz").dataobj).transpose(2, 1, 0), values)
    seg = highdicom.seg.segread(tmp_path / "m.dcm")
    assert [seg.get_segment_description(n).segment_label for n in (1, 2)] == ["label_3", "label_7"]
    words = ["--output", str(tmp_path / "png"), "--labels", "label_3,label_7"]
    assert main(["segment", "convert", str(tmp_path / "m"), *words]) == 0
    assert len(list((tmp_path / "png").glob("*.png"))) == scan.geometry.shape[0]
    window.session.place(make_volume(shape=scan.geometry.shape), Role.SOURCE)
    window.close()


def typed(window: MainWindow, command: str, name: str) -> None:
    """Answers the dialog that asks for the name of a label."""
    window.views.actions_by_name[command].trigger()
    dialog = window.findChild(NameDialog, command)
    QTest.keyClicks(dialog.field, name)
    dialog.save.click()


def test_masks_and_labels_are_begun_named_drawn_taken_back_and_saved(make_window, qtbot, tmp_path, monkeypatch):
    window = make_window()
    window.resize(1500, 800)
    scan = scan_on(GRIDS[0])
    window.session.place(scan, Role.SOURCE)
    panel, masks = window.body.panel, window.views.compare.masks
    assert not panel.choice.isVisibleTo(panel) and not panel.choice.more.isEnabled()
    typed(window, "mask_new", "tumour")
    assert panel.choice.part.currentText() == "1 tumour" and window.body.editor.value == 1 and not labels(window).any()
    press(window, (0.4, 0.5), (0.5, 0.5))
    window.views.actions_by_name["label_new"].trigger()
    dialog = window.findChild(NameDialog, "label_new")
    QTest.keyClicks(dialog.field, "tumour")
    assert not dialog.save.isEnabled() and "already" in dialog.told.text()
    QTest.keyClicks(dialog.field, " bed")
    dialog.save.click()
    assert panel.choice.part.currentText() == "2 tumour bed"
    press(window, (0.5, 0.4), (0.6, 0.4))
    drawn = labels(window).copy()
    assert set(np.unique(drawn)) == {0, 1, 2} and masks.masks[0].map.region(2) == "Drawing 1, tumour bed"
    monkeypatch.setattr(file_choice, "new_file", lambda *_: tmp_path / "m.dcm")
    with qtbot.waitSignal(window.session.saved, timeout=20_000):
        panel.save.click()
    masks.take_away("Drawing 1")
    assert not masks.masks
    for _ in range(5):
        window.history.undo()
    assert not masks.masks
    window.history.redo()
    window.history.redo()
    assert masks.masks[0].map.values == (1,) and set(np.unique(labels(window))) == {0, 1}
    monkeypatch.setattr(file_choice, "existing_files", lambda *_: [tmp_path / "m.dcm"])
    window.command["open_mask"].trigger()
    qtbot.waitUntil(lambda: len(masks.masks) == 2, timeout=20_000)
    opened = masks.masks[-1].map
    np.testing.assert_array_equal(opened.labels, drawn)
    assert opened.called(2) == "2 tumour bed" and opened.region(2) == "Mask 1, 2"  # of a file: on no picture
    window.close()


def test_whoever_closes_what_was_drawn_and_not_saved_is_asked(window, qtbot, tmp_path, monkeypatch):
    window.command["close_case"].trigger()
    qtbot.waitUntil(lambda: window.session.cases.current.empty, timeout=20_000)  # nothing was drawn
    scan = make_volume(shape=(20, 48, 50))
    window.session.place(scan, Role.SOURCE)
    typed(window, "mask_new", "tumour")
    press(window, (0.4, 0.5), (0.5, 0.5))
    for close in (window.command["close_case"].trigger, window.command["close_all_cases"].trigger, window.close):
        close()
        question = window.findChild(QMessageBox, "unsaved_masks")
        assert "Drawing 1: changed by hand and not saved" in question.text() and window.isVisible()
        question.reject()
        qtbot.waitUntil(lambda: window.findChild(QMessageBox, "unsaved_masks") is None, timeout=20_000)
        assert window.session.volumes[Role.SOURCE] is scan
    monkeypatch.setattr(file_choice, "new_file", lambda *_: tmp_path / "m.json")
    with qtbot.waitSignal(window.session.saved, timeout=20_000):
        window.body.panel.save.click()
    assert window.body.may_close()
    press(window, (0.4, 0.3), (0.5, 0.3))
    assert not window.close()
    question = window.findChild(QMessageBox, "unsaved_masks")
    next(button for button in question.buttons() if "without saving" in button.text()).click()
    qtbot.waitUntil(lambda: not window.isVisible(), timeout=20_000)


def test_labelme_files_that_were_saved_are_opened_over_the_scan(window, qtbot, tmp_path, monkeypatch):
    masks, drawn = window.views.compare.masks, labels(window).copy()
    monkeypatch.setattr(file_choice, "new_file", lambda *_: tmp_path / "m.json")
    with qtbot.waitSignal(window.session.saved, timeout=20_000):
        window.body.panel.save.click()
    (tmp_path / "m" / "notes.json").write_text("[]")
    masks.remove("Mask 1")
    chosen = sorted((tmp_path / "m").glob("m_*.json"))[2:4]
    monkeypatch.setattr(file_choice, "existing_files", lambda *_: chosen)
    window.command["open_mask"].trigger()
    qtbot.waitUntil(lambda: bool(masks.masks), timeout=20_000)
    qtbot.waitUntil(lambda: not window.session.jobs.busy, timeout=20_000)
    (opened,) = [mask.map for mask in masks.masks]
    np.testing.assert_array_equal(opened.labels, drawn)
    assert [opened.called(place) for place in (1, 2)] == ["1 label_3", "2 label_7"]
    (tmp_path / "m" / "m_0004.json").unlink()
    with qtbot.waitSignal(window.session.failed, timeout=20_000) as said:
        window.command["open_mask"].trigger()
    assert "19 labelled pictures, the scan has 20 slices" in said.args[0]


def test_a_segmentation_that_is_dropped_is_no_scan(make_window, qtbot, tmp_path):
    window, scan = make_window(), scan_on(GRIDS[0])
    window.session.place(scan, Role.SOURCE)
    path = write_dicom_seg(np.ones(GRIDS[0].shape, np.uint8), scan, tmp_path / "seg.dcm", {1: "all"})
    window.session.open_paths([path])
    qtbot.waitUntil(lambda: len(window.views.compare.masks.masks) == 1, timeout=20_000)
    assert window.session.volumes[Role.TRUTH] is None and window.session.volumes[Role.SOURCE] is scan
    window.close()


def test_a_segmentation_without_a_scan_says_what_it_needs(make_window, qtbot, tmp_path):
    window = make_window()
    path = write_dicom_seg(np.ones(GRIDS[0].shape, np.uint8), scan_on(GRIDS[0]), tmp_path / "seg.dcm", {1: "all"})
    window.session.open_paths([path])
    qtbot.waitUntil(lambda: any("Open a scan first" in text for text in window.messages.texts), timeout=20_000)
    assert window.session.cases.current.empty
    window.close()


def test_a_segmentation_over_a_scan_of_another_format_is_refused_with_a_way_out(window, qtbot, tmp_path, monkeypatch):
    monkeypatch.setattr(file_choice, "new_file", lambda *_: tmp_path / "m.dcm")
    with qtbot.waitSignal(window.session.failed, timeout=20_000) as said:
        window.body.panel.save.click()
    assert "Save the scan as DICOM first" in said.args[0] and not list(tmp_path.glob("m.*"))
