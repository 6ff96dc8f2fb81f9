"""The metrics of what is shown: in the plane that is scrolled, of what was chosen, and along the stack."""

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel

from ctmri_core.comparison import Comparison
from ctmri_core.domain import Domain
from ctmri_core.events import finish
from ctmri_core.geometry import Geometry, rigid_transform
from ctmri_core.measuring.shapes import Kind, Shape
from ctmri_core.preprocess.resample import resample_to
from ctmri_core.volume import Synthetic
from ctmri_gui.viewer.layouts import THREE_PLANES
from ctmri_gui.viewer.metric_questions import Scope
from ctmri_gui.viewer.roles import MAIN, Role
from tests.gui.conftest import head_voxels, make_volume

WAIT = 20_000
SHAPE = (40, 60, 56)
WORST = 23


@pytest.fixture(scope="module")
def volumes():
    """(source, synthetic, truth): a head with structure, whose synthetic slice `WORST` is the worst one."""
    rng = np.random.default_rng(3)
    inside = np.kron(rng.integers(0, 4, (5, 6, 7)), np.ones((8, 10, 8), int)) * 30
    ct = np.where(head_voxels(SHAPE) > -500, head_voxels(SHAPE) + inside, -1000)
    mr = np.select([ct > 800, ct > -500], [60, 900 - 3 * ct], 0)
    made = mr + rng.normal(0, 20, SHAPE)
    made[WORST] += rng.normal(0, 200, SHAPE[1:])
    source, truth = (
        make_volume(domain, SHAPE, voxels=voxels.astype(np.int16)) for domain, voxels in ((Domain.CT, ct), (Domain.MR_T1, mr))
    )
    return source, replace(truth, voxels=made.astype(np.float32), synthetic=Synthetic("Test model", "ab" * 32)), truth


@pytest.fixture
def window(make_window, volumes, qtbot):
    """With the three volumes in it, once the curve of the slices is there."""
    made = make_window()
    show(made, volumes, qtbot)
    return made


def show(window, volumes, qtbot):
    for role, volume in zip(MAIN, volumes, strict=True):
        window.session.place(volume, role)
    window.docks.by_name["Metrics"].raise_()
    qtbot.waitUntil(lambda: "Worst: slice" in said(window), timeout=WAIT)


def said(window):
    return window.metrics._curve_text.text()


def figures(window):
    return {name: label.text() for name, label in window.metrics._values.items()}


def expected(scores):
    return {"SSIM": f"{scores.ssim:.3f}", "PSNR": f"{scores.psnr:.1f} dB", "MAE": f"{scores.mae:.1f} {scores.unit}"}


def choose(window, scope):
    window.metrics._scope.setCurrentText(scope.value)


def test_the_worst_slice_is_told_marked_and_gone_to(window, qtbot):
    dock, views = window.metrics, window.views
    assert f"slice {WORST + 1}, SSIM" in said(window)
    assert window.metrics.curve.accessibleName().startswith(f"SSIM by slice, worst slice {WORST + 1}, SSIM 0.")
    assert views.slice != WORST
    window.command["worst_slice"].trigger()
    assert views.slice == WORST
    qtbot.waitUntil(lambda: dock.curve._cursor.value() == WORST + 1, timeout=WAIT)
    qtbot.waitUntil(lambda: dock._title.text() == f"Slice {WORST + 1}, axial", timeout=WAIT)
    dock._metric.setCurrentText("MAE")
    assert f"slice {WORST + 1}, MAE" in said(window) and "% of range" in said(window)


def test_slices_unlike_what_the_model_learnt_from_are_marked_on_the_curve(window, volumes, qtbot):
    _, made, _ = volumes
    told = {"slice_flags": {"axis": 0, "count": SHAPE[0], "slices": {str(WORST): ["values"], "30": ["no body"]}}}
    flagged = replace(made, synthetic=Synthetic("Test model", "ab" * 32, told))
    assert window.metrics.curve._flags.xvals == []
    window.session.place(flagged, Role.SYNTHETIC)
    qtbot.waitUntil(lambda: ", unlike what the model learnt from (grey values)" in said(window), timeout=WAIT)
    curve = window.metrics.curve
    assert curve._flags.xvals == [WORST + 1, 31]
    assert curve.accessibleName().endswith("2 slices are unlike what the model learnt from")
    curve.pointed.emit(30)
    assert said(window).endswith("unlike what the model learnt from (no body)")


def test_a_click_on_the_curve_goes_to_that_slice_and_keys_go_on(window, qtbot):
    curve, views = window.metrics.curve, window.views
    box = curve.getPlotItem().getViewBox()
    place = curve.mapFromScene(box.mapViewToScene(box.viewRect().center()))
    QTest.mouseMove(curve.viewport(), QPoint(place))
    expected_k = round(box.viewRect().center().x()) - 1
    QTest.mouseClick(curve.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(place))
    assert abs(views.slice - expected_k) <= 1
    here = views.slice
    curve.setFocus()
    QTest.keyClick(curve, Qt.Key.Key_Right)
    assert views.slice == here + 1
    QTest.keyClick(curve, Qt.Key.Key_PageDown)
    assert views.slice == here - 9
    QTest.keyClick(curve, Qt.Key.Key_End)
    assert views.slice == SHAPE[0] - 1
    QTest.keyClick(curve, Qt.Key.Key_Home)
    assert views.slice == 0
    curve.pointed.emit(WORST)
    assert said(window).startswith(f"Under the mouse: slice {WORST + 1}, SSIM 0.")
    curve.pointed.emit(0)
    assert said(window).endswith("slice 1, nothing to compare")
    curve.pointed.emit(None)
    assert said(window).startswith("Worst: slice")


def test_figures_are_those_of_the_comparison_for_every_scope(window, volumes, qtbot):
    comparison, k = Comparison(*volumes), window.views.slice
    for scope, scores in (
        (Scope.SLICE, comparison.scores(k, inside="slice")),
        (Scope.VOLUME, finish(comparison.volume_scores())),
        (Scope.BODY, comparison.scores(k)),
    ):
        choose(window, scope)
        qtbot.waitUntil(lambda scores=scores: figures(window) == expected(scores), timeout=WAIT)
        assert window.metrics._convention.text().replace("\u00a0", " ") == scores.convention
    choose(window, Scope.VOLUME)
    assert figures(window) == expected(finish(comparison.volume_scores())), "what is known is not computed anew"
    assert window.metrics._title.text() == "All slices"


def test_the_selected_region_is_scored_on_the_slice_that_is_shown(window, volumes, qtbot):
    choose(window, Scope.REGION)
    assert "Draw a rectangle" in window.metrics._reason.text()
    grid, k = volumes[0].geometry, window.views.slice
    plane = grid.cropped((k, 0, 0), (1, *SHAPE[1:]))
    shape = Shape.box(Kind.ELLIPSE, grid.index_to_mm((k, 20, 18)), grid.index_to_mm((k, 42, 40)), plane)
    item = window.measuring.measuring.model.add(shape, Role.SOURCE.value)
    comparison = Comparison(*volumes)
    for slice_ in (k, k + 2):
        window.views.set_slice(slice_)
        on = grid.cropped((slice_, 0, 0), (1, *SHAPE[1:]))
        scores = comparison.region_scores(shape.mask_on(on)[None], on)
        qtbot.waitUntil(lambda scores=scores: figures(window) == expected(scores), timeout=WAIT)
        assert window.metrics._title.text() == f"{item.measurement.name} on slice {slice_ + 1}, axial"
    window.views.arrangement.show(THREE_PLANES)
    window.views.panes["synthetic-2"].scrolled.emit(1)
    assert "another plane" in window.metrics._reason.text()
    window.measuring.measuring.model.select(None)
    assert "Draw a rectangle" in window.metrics._reason.text()


def test_figures_and_curve_follow_the_plane_that_is_scrolled(window, volumes, qtbot):
    views, comparison = window.views, Comparison(*volumes)
    views.arrangement.show(THREE_PLANES)
    for pane, plane, axis in (("truth-2", "coronal", 1), ("source-3", "sagittal", 2), ("synthetic", "axial", 0)):
        views.panes[pane].scrolled.emit(2)
        k = views.model.pose(pane).k
        scores = comparison.scores(k, axis)
        qtbot.waitUntil(lambda scores=scores: figures(window) == expected(scores), timeout=WAIT)
        assert window.metrics._title.text() == f"Slice {k + 1}, {plane}"
        qtbot.waitUntil(lambda: "Worst: slice" in said(window), timeout=WAIT)
        curve = [each for _, some in comparison.curve(axis) for each in some]
        ssim = np.array([np.nan if each is None else each.ssim for each in curve])
        np.testing.assert_allclose(window.metrics_link._curve.of("SSIM"), ssim, atol=1e-9)
        before = views.model.pose("source").k
        window.command["worst_slice"].trigger()
        voxels = np.array([0 if each is None else each.voxels for each in curve])
        assert views.model.pose(pane).k == np.nanargmin(np.where(voxels >= 0.25 * voxels.max(), ssim, np.nan))
        assert axis == 0 or views.model.pose("source").k == before


def test_a_truth_on_an_oblique_grid_of_its_own_has_figures_and_a_curve(make_window, volumes, qtbot):
    source, synthetic, truth = volumes
    move = rigid_transform((4, 2, 3), (1, 2, 1), tuple(truth.geometry.centre))
    tilted = Geometry.from_affine(SHAPE, move @ truth.geometry.affine)
    oblique = resample_to(truth, tilted)
    window = make_window()
    show(window, (source, synthetic, oblique), qtbot)
    scores = Comparison(source, synthetic, oblique).scores(window.views.slice)
    qtbot.waitUntil(lambda: figures(window) == expected(scores), timeout=WAIT)
    assert "resampled" in window.metrics._convention.text()
    window.views.set_slice(window.views.slice + 1)
    asked = window.metrics_link._asked
    assert asked.truth is not None and asked.truth.shape == SHAPE[1:], "what the pane shows is not sampled once more"


def test_panes_linked_by_hand_get_no_figures_and_no_curve_of_another_place(window, qtbot):
    views = window.views
    views.model._places.offsets[Role.TRUTH] = np.array([0.0, 0.0, 9.0])
    views.model.volumesChanged.emit()
    assert "linked by hand" in window.metrics._reason.text()
    qtbot.waitUntil(lambda: not window.metrics.curve._cursor.isVisible(), timeout=WAIT)
    before = views.slice
    window.command["worst_slice"].trigger()
    assert views.slice == before


def test_another_truth_begins_anew_and_none_ends_it(window, volumes, qtbot):
    window.session.place(replace(volumes[2], domain=Domain.MR_T2), Role.TRUTH)
    qtbot.waitUntil(lambda: "not the target" in window.metrics._reason.text(), timeout=WAIT)
    assert window.metrics._stack.isHidden() and window.metrics._scope.isHidden()
    told = " ".join(one.text() for one in window.metrics.findChildren(QLabel) if not one.isHidden())
    assert told.count("overlap") + told.count("Dice") == 1, "the alignment is told once"
    assert not window.command["worst_slice"].isEnabled()
    window.session.place(volumes[2], Role.TRUTH)
    qtbot.waitUntil(lambda: f"Worst: slice {WORST + 1}" in said(window), timeout=WAIT)
    assert window.command["worst_slice"].isEnabled()


def test_an_unseen_dock_computes_no_curve_until_it_is_asked_for(make_window, volumes, qtbot):
    window = make_window()
    window.docks.by_name["Metrics"].hide()
    for role, volume in zip(MAIN, volumes, strict=True):
        window.session.place(volume, role)
    qtbot.waitUntil(lambda: window.session.comparison is not None, timeout=WAIT)
    assert window.metrics.curve is None and not window.metrics_link._curve_work.running
    window.command["worst_slice"].trigger()
    qtbot.waitUntil(lambda: window.views.slice == WORST, timeout=WAIT)
