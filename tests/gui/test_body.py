"""The outline of the body in the real window: found, outlined with a threshold, painted with the mouse, kept, saved, used."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import nibabel
import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from scipy.spatial import cKDTree

from ctmri_core.events import Progress, finish
from ctmri_core.inference.outlining import outline
from ctmri_core.model_file import save_model
from ctmri_core.preprocess.body_mask import body_mask
from ctmri_gui import file_choice
from ctmri_gui.body_link import BodyLink
from ctmri_gui.jobs import translate_work
from ctmri_gui.main_window import MainWindow
from ctmri_gui.viewer.layouts import BUILT_IN
from ctmri_gui.viewer.roles import Role
from tests.gui.conftest import make_volume, write_model
from tests.teaching.outliner import outliner

PLANES_OF_SOURCE = BUILT_IN[3]


@pytest.fixture(autouse=True)
def _nothing_is_asked_at_the_end(monkeypatch):
    monkeypatch.setattr(BodyLink, "may_close", lambda _self: True)


@pytest.fixture
def window(make_window, qtbot) -> Iterator[MainWindow]:
    """With a scan of 60 x 96 x 100 mm in three planes, and its body outlined."""
    made = make_window()
    made.resize(1500, 800)
    made.session.place(make_volume(shape=(20, 48, 50)), Role.SOURCE)
    made.views.arrangement.show(PLANES_OF_SOURCE)
    made.views.actions_by_name["body_mask"].trigger()
    qtbot.waitUntil(lambda: made.body.editor.shown, timeout=20_000)
    yield made
    made.close()


def labels(window: MainWindow) -> np.ndarray:
    return window.body.editor.body.labels


def pane_along(window: MainWindow, axis: int) -> str:
    """The pane that cuts across an axis of the source's array."""
    model, axes = window.views.model, window.session.volumes[Role.SOURCE].geometry.axes
    return next(name for name in model.panes if abs(model.displayed(name).layout.geometry.axes[0] @ axes[axis]) > 0.9)


def stroke(window: MainWindow, pane: str, *shares: tuple[float, float]) -> np.ndarray:
    """Drags through points of a pane given in shares of it; returns them as LPS mm, as the labels at its edges tell them."""
    canvas, model = window.views.panes[pane].canvas, window.views.model
    points = [QPoint(round(x * canvas.width()), round(y * canvas.height())) for x, y in shares]
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=points[0])
    for point in points[1:]:
        QTest.mouseMove(canvas, point)
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=points[-1])
    projection = window.views.panes[pane].projection
    return np.array([model.point_mm(pane, projection.to_plane(point.x(), point.y())) for point in points])


def near(window: MainWindow, way: np.ndarray) -> np.ndarray:
    """mm from each voxel to the way of the mouse."""
    grid = window.session.volumes[Role.SOURCE].geometry
    dense = np.concatenate([np.linspace(a, b, 400) for a, b in pairwise(way)] or [way])
    places = grid.index_to_mm(np.stack(np.indices(grid.shape), -1))
    return cKDTree(dense).query(places.reshape(-1, 3))[0].reshape(grid.shape)


def test_what_is_found_is_the_body_and_no_more(window):
    axes = np.meshgrid(*[np.linspace(-1.2, 1.2, n) for n in (20, 48, 50)], indexing="ij")
    skin = np.sqrt(sum(axis**2 for axis in axes)) < 1
    found = labels(window) == 1
    assert 2 * (found & skin).sum() / (found.sum() + skin.sum()) > 0.95
    assert window.docks.front == ("Translation",) and window.body.panel.details.isVisible()
    window.views.actions_by_name["body_mask"].trigger()
    assert not window.views.compare.masks.masks and not window.body.panel.details.isVisible()


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_stroke_erases_along_its_way_in_the_slice_alone_and_is_one_step(window, axis):
    pane, before = pane_along(window, axis), labels(window).copy()
    window.views.actions_by_name["body_erase"].trigger()
    window.body.editor.set_radius(7)
    way = stroke(window, pane, (0.45, 0.45), (0.5, 0.5), (0.55, 0.48))
    gone = (labels(window) == 0) & (before == 1)
    slice_ = np.unique(np.nonzero(gone)[axis])
    away, grid = near(window, way), window.session.volumes[Role.SOURCE].geometry
    assert slice_.tolist() == [round(grid.mm_to_index(way[0])[axis])]
    in_slice = [np.take(each, slice_[0], axis) for each in (gone, away, before == 1)]
    sure = np.abs(in_slice[1] - 7) > 0.05
    np.testing.assert_array_equal(in_slice[0][sure], (in_slice[2] & (in_slice[1] <= 7))[sure])
    after = labels(window).copy()
    assert window.history.undo_text == "take away from the body" and window.body.editor.body.by_hand
    window.history.undo()
    assert (labels(window) == before).all() and not window.body.editor.body.by_hand
    window.history.redo()
    assert (labels(window) == after).all()


def test_a_ball_reaches_into_other_slices_and_two_strokes_are_two_steps(window):
    window.views.actions_by_name["body_add"].trigger()
    window.views.actions_by_name["body_ball"].trigger()
    window.body.editor.set_radius(9)
    pane, found = pane_along(window, 0), labels(window).copy()
    way = stroke(window, pane, (0.5, 0.5))
    assert (labels(window) == found).all() and window.history.undo_text == "layout"  # it was all body there
    QTest.keyClick(window.views.panes[pane], Qt.Key.Key_B, Qt.KeyboardModifier.ShiftModifier)  # from add to erase
    assert window.body.panel.erase.isChecked() and not window.body.panel.add.isChecked()
    way = stroke(window, pane, (0.5, 0.5))
    first, away = labels(window).copy(), near(window, np.concatenate([way, way]))
    sure = np.abs(away - 9) > 0.05
    np.testing.assert_array_equal(first[sure], (found.astype(bool) & (away > 9))[sure])
    stroke(window, pane, (0.56, 0.5))
    window.history.undo()
    assert (labels(window) == first).all()
    window.history.undo()
    assert (labels(window) == found).all()


def test_without_a_brush_the_mouse_does_what_it_did(window):
    before, level = labels(window).copy(), window.views.model.windows[Role.SOURCE]
    stroke(window, pane_along(window, 0), (0.4, 0.4), (0.6, 0.6))
    assert (labels(window) == before).all() and window.views.model.windows[Role.SOURCE] != level


def test_a_threshold_outlines_anew_and_is_taken_back_with_what_was_painted(window, qtbot):
    window.views.actions_by_name["body_erase"].trigger()
    stroke(window, pane_along(window, 0), (0.45, 0.5), (0.55, 0.5))
    painted, source = labels(window).copy(), window.session.volumes[Role.SOURCE]
    slider = window.body.panel.threshold
    slider.setValue(20)
    slider.setValue(10)
    qtbot.waitUntil(lambda: window.body.editor.body.threshold == 100 and not window.body.editor.finding, timeout=20_000)
    np.testing.assert_array_equal(labels(window) == 1, body_mask(source, 100.0))
    assert not window.body.editor.body.by_hand and window.body.panel.limit.text() == "100 HU"
    window.history.undo()
    assert (labels(window) == painted).all() and window.body.editor.body.by_hand and slider.value() == -35
    window.views.actions_by_name["body_anew"].trigger()
    qtbot.waitUntil(lambda: not window.body.editor.body.by_hand, timeout=20_000)
    np.testing.assert_array_equal(labels(window) == 1, body_mask(source))
    np.testing.assert_array_equal(body_mask(source), np.array(body_mask(make_volume(shape=(20, 48, 50)))))  # unpainted


def test_the_body_goes_with_its_volume_and_with_another_reading_of_it(window, qtbot, tmp_path):
    from dataclasses import replace

    window.views.actions_by_name["body_erase"].trigger()
    stroke(window, pane_along(window, 0), (0.45, 0.5), (0.55, 0.5))
    painted, source = labels(window).copy(), window.session.volumes[Role.SOURCE]
    other = replace(make_volume(), path=tmp_path / "other.nii")
    window.session.place(other, Role.SOURCE)
    assert window.body.editor.body is None and not window.views.compare.masks.masks
    assert not window.views.actions_by_name["body_mask"].isChecked()
    window.session.place(source, Role.SOURCE)
    assert (labels(window) == painted).all() and window.body.editor.shown
    window.session.place(other, Role.SOURCE)
    window.views.actions_by_name["body_mask"].trigger()
    qtbot.waitUntil(lambda: window.body.editor.shown, timeout=20_000)
    body = window.body.editor.body
    window.session.place(replace(other, window=(40.0, 80.0)), Role.SOURCE)
    assert window.body.editor.body is body


def test_a_mask_is_saved_on_the_grid_of_the_scan(make_window, ct_file, qtbot, tmp_path, monkeypatch):
    window = make_window(ct_file)
    qtbot.waitUntil(lambda: window.session.volumes[Role.SOURCE] is not None, timeout=20_000)
    QTest.keyClick(window.views.panes["source"], Qt.Key.Key_B)
    qtbot.waitUntil(lambda: window.body.editor.shown, timeout=20_000)
    target = tmp_path / "mask.nii.gz"
    monkeypatch.setattr(file_choice, "new_file", lambda *_: target)
    with qtbot.waitSignal(window.session.saved, timeout=20_000):
        window.body.panel.save.click()
    saved, scan = nibabel.load(target), nibabel.load(ct_file)
    np.testing.assert_allclose(saved.affine, scan.affine, atol=1e-4)
    np.testing.assert_array_equal(np.asarray(saved.dataobj).transpose(2, 1, 0), labels(window))
    monkeypatch.setattr(file_choice, "new_file", lambda *_: None)
    window.body.panel.save.click()
    window.close()


def test_translating_uses_the_body_of_that_moment_where_it_is_wanted(make_window, qtbot, tmp_path: Path, monkeypatch):
    given = []

    def translate(_volume, _model, _wanted, body, _stop, **_more):
        given.append(body)
        yield Progress(done=0)

    monkeypatch.setattr(translate_work, "translate", translate)
    monkeypatch.setattr(translate_work, "_serious_doubts", lambda *_: ())
    write_model(tmp_path / "models" / "t1.safetensors")
    window = make_window()
    window.session.place(make_volume(), Role.SOURCE)
    window.session.translate()
    qtbot.waitUntil(lambda: len(given) == 1 and window.session.translation.state is None, timeout=20_000)
    window.views.actions_by_name["body_add"].trigger()  # a brush needs something to paint on
    qtbot.waitUntil(lambda: window.body.editor.shown, timeout=20_000)
    window.body.panel.only.click()
    window.session.translate()
    qtbot.waitUntil(lambda: len(given) == 2 and window.session.translation.state is None, timeout=20_000)
    then = labels(window).copy()
    labels(window)[:] = 1
    assert given[0] is None
    np.testing.assert_array_equal(given[1], then == 1)
    window.close()


def test_a_model_that_outlines_can_be_chosen_and_taken_back(make_window, qtbot, tmp_path: Path):
    by = outliner()
    (tmp_path / "models").mkdir()
    save_model(tmp_path / "models" / "by.safetensors", by.generator.state_dict(), by.card)
    write_model(tmp_path / "models" / "t1.safetensors")
    window = make_window()
    source = make_volume(shape=(6, 64, 48))
    window.session.place(source, Role.SOURCE)
    assert window.session.library.chosen.card.name == "Test model"  # what translates
    window.views.actions_by_name["body_mask"].trigger()
    qtbot.waitUntil(lambda: window.body.editor.shown, timeout=20_000)
    panel, found = window.body.panel, labels(window).copy()
    assert [panel.by.itemText(row) for row in range(panel.by.count())] == ["Threshold", by.card.name]
    panel.by.setCurrentIndex(1)
    panel.by.activated.emit(1)
    qtbot.waitUntil(lambda: by.card.name in panel.note.text(), timeout=60_000)  # said once the job has ended
    np.testing.assert_array_equal(labels(window) == 1, finish(outline(source, by)).body)
    window.history.undo()
    np.testing.assert_array_equal(labels(window), found)
    assert panel.by.currentIndex() == 0 and panel.note.text() == "As found."
    window.close()


def test_where_no_body_is_seen_that_is_said(make_window, qtbot):
    window = make_window()
    window.session.place(make_volume(voxels=np.full((10, 24, 28), -1000, np.int16)), Role.SOURCE)
    with qtbot.waitSignal(window.session.failed, timeout=20_000) as said:
        window.views.actions_by_name["body_mask"].trigger()
    assert said.args == ["No body is seen in the source."]
    qtbot.waitUntil(lambda: not window.views.actions_by_name["body_mask"].isChecked(), timeout=5_000)
    window.close()
