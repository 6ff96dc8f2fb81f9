"""Aligning a truth in the window: judged as soon as it is there, proposed, nudged, accepted, undone; nothing changes before."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from ctmri_core.domain import Domain
from ctmri_core.geometry import Geometry, rigid_transform
from ctmri_core.io.transform_file import read_transform, write_transform
from ctmri_core.phantom import make_head
from ctmri_core.preprocess.resample import resample_to
from ctmri_core.preprocess.spatial_transform import SpatialTransform
from ctmri_core.volume import Synthetic
from ctmri_gui.viewer.compare.modes import Mode
from ctmri_gui.viewer.roles import Role

WAIT = 60_000


@pytest.fixture(scope="module")
def pair():
    """(CT, MR that was turned and moved, the matrix of that)."""
    head = make_head(2, voxel_mm=4.0)
    mr = head[Domain.MR_T1]
    matrix = rigid_transform((5.0, -4.0, 12.0), (22.0, -9.0, 14.0), tuple(mr.geometry.centre))
    moved = Geometry.from_affine(mr.geometry.shape, matrix @ mr.geometry.affine)
    return head[Domain.CT], replace(mr, geometry=moved, frame_of_reference=head[Domain.CT].frame_of_reference), matrix


@pytest.fixture
def window(make_window, pair, qtbot):
    """With the pair in it, once it is known that they do not lie on each other."""
    made = make_window()
    made.session.place(pair[0], Role.SOURCE)
    made.session.place(pair[1], Role.TRUTH)
    qtbot.waitUntil(lambda: kinds(made) != [], timeout=WAIT)
    return made


@pytest.fixture
def transform(tmp_path, pair):
    """The file that lays the truth where it belongs."""
    path = tmp_path / "right.tfm"
    write_transform(path, SpatialTransform(pair[2]))
    return path


def kinds(window):
    return [finding.kind for finding in window.session.warnings(Role.TRUTH)]


def shown(window):
    return window.views.model.volumes[Role.TRUTH]


def proposed(window, qtbot):
    qtbot.waitUntil(lambda: window.aligning.aligner.proposal is not None, timeout=WAIT)
    return window.aligning.aligner.proposal


def test_one_click_aligns_and_undo_takes_it_back(window, pair, qtbot):
    banner = window.views.arrangement.first(Role.TRUTH).banner
    assert kinds(window) == ["not_aligned"] and "Not aligned with the source" in " ".join(banner.text().split())
    (offer,) = banner.buttons
    assert offer.text() == "Align"
    QTest.mouseClick(offer, Qt.MouseButton.LeftButton)
    assert window.aligning.bar.isVisible() and window.aligning.bar.cancel.isVisible()
    proposal = proposed(window, qtbot)
    right = np.c_[pair[1].geometry.corners, np.ones(8)] @ np.linalg.inv(pair[2]).T
    assert np.abs(proposal.placed.geometry.corners - right[:, :3]).max() < 3.0
    assert window.session.volumes[Role.TRUTH] is pair[1] and shown(window) is proposal.shown
    pane = next(name for name, view in window.views.panes.items() if view.role is Role.TRUTH)
    compare = window.views.compare.model.of(pane)
    assert (compare.mode, compare.other) == (Mode.CHECKER, Role.SOURCE)
    window.aligning.bar.before.click()
    assert shown(window) is pair[1]
    window.aligning.bar.before.click()
    QTest.mouseClick(window.aligning.bar.accept, Qt.MouseButton.LeftButton)
    after = window.session.volumes[Role.TRUTH]
    assert after is proposal.shown and after.voxels is pair[1].voxels and "rigid registration" in after.history[-1]
    assert window.views.compare.model.of(pane).mode is Mode.OFF
    qtbot.waitUntil(lambda: not window.aligning.bar.isVisible(), timeout=WAIT)
    qtbot.waitUntil(lambda: window.session.cases.current._ground is not None, timeout=WAIT)
    assert kinds(window) == ["registered"]
    window.history.undo()
    assert window.session.volumes[Role.TRUTH] is pair[1]
    window.history.redo()
    assert window.session.volumes[Role.TRUTH] is after


def test_numbers_come_once_it_is_accepted(window, pair, transform, qtbot):
    right = Geometry.from_affine(pair[1].geometry.shape, np.linalg.inv(pair[2]) @ pair[1].geometry.affine)
    made = resample_to(replace(pair[1], geometry=right, synthetic=Synthetic("Test", "ab" * 32)), pair[0].geometry)
    window.session.place(made, Role.SYNTHETIC)
    qtbot.waitUntil(lambda: window.session.comparison is not None, timeout=WAIT)
    assert not window.session.comparison.verdict.comparable
    window.aligning.aligner.load(transform)
    proposed(window, qtbot)
    assert window.session.comparison is None
    window.aligning.bar.accept.click()
    qtbot.waitUntil(lambda: window.session.comparison is not None, timeout=WAIT)
    assert window.session.comparison.verdict.comparable


def test_a_nudge_by_keys_and_fields_is_live_and_saved(window, pair, tmp_path, qtbot):
    window.command["align_by_hand"].trigger()
    proposed(window, qtbot)
    bar, views = window.aligning.bar, window.views
    bar.nudge.click()
    assert bar.row.isVisible()
    before, middle = views.model.windows[Role.TRUTH], shown(window).geometry.centre
    pane, k = views.panes[views.active_pane], views.slice
    QTest.keyClick(pane, Qt.Key.Key_Right)
    QTest.keyClick(pane, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    np.testing.assert_allclose(shown(window).geometry.centre - middle, (6.0, 0.0, 0.0), atol=1e-6)  # the patient's left
    assert views.slice == k and views.model.windows[Role.TRUTH] == before
    bar.row.degrees[2].setValue(7.5)
    nudge = window.aligning.aligner.proposal.nudge
    assert (nudge.mm, nudge.degrees) == ((6.0, 0.0, 0.0), (0.0, 0.0, 7.5))
    window.aligning.aligner.save(tmp_path / "t.tfm")
    qtbot.waitUntil((tmp_path / "t.tfm").exists, timeout=WAIT)
    expected = SpatialTransform(np.linalg.inv(nudge.matrix(middle)))
    qtbot.waitUntil(lambda: not window.session.jobs.busy, timeout=WAIT)
    np.testing.assert_allclose(read_transform(tmp_path / "t.tfm").matrix, expected.matrix, atol=1e-9)
    bar.row.back.click()
    assert not window.aligning.aligner.proposal.nudge
    QTest.keyClick(pane, Qt.Key.Key_Left)
    bar.accept.click()
    assert "by hand 1.0 mm towards right" in window.session.volumes[Role.TRUTH].history[-1]
    QTest.keyClick(pane, Qt.Key.Key_Up)
    assert views.slice != k  # arrows go through the slices again


def test_what_is_proposed_goes_with_its_case_and_with_its_volumes(window, pair, transform, qtbot):
    window.aligning.aligner.load(transform)
    proposal = proposed(window, qtbot)
    session = window.session
    first = session.cases.current
    other = session.cases.begin()
    session.show_case(other)
    assert window.aligning.aligner.proposal is None and not window.aligning.bar.isVisible()
    session.show_case(first)
    assert window.aligning.aligner.proposal is proposal and shown(window) is proposal.shown
    window.aligning.bar.undo.click()
    assert shown(window) is pair[1] and not window.history.can_undo and kinds(window) == ["not_aligned"]
    window.aligning.aligner.load(transform)
    proposed(window, qtbot)
    another = replace(pair[1], voxels=pair[1].voxels.copy())
    session.place(another, Role.TRUTH)
    assert window.aligning.aligner.proposal is None and shown(window) is another


def test_with_large_text_in_a_small_window_every_button_can_be_read(window, dressed, qtbot):
    dressed("dark", 20)
    window.resize(900, 600)
    window.command["align_by_hand"].trigger()
    proposed(window, qtbot)
    bar = window.aligning.bar
    bar.nudge.click()
    fields = (*bar.row.mm, *bar.row.degrees)
    for part in (bar.accept, bar.undo, bar.before, bar.nudge, bar.kinds, bar.again, bar.row.back, *fields):
        qtbot.waitUntil(lambda part=part: part.width() >= part.sizeHint().width(), timeout=WAIT)
    assert bar.width() <= window.width()


def test_what_fails_changes_nothing_and_says_why(window, pair, tmp_path, qtbot):
    (tmp_path / "no.tfm").write_text("nothing")
    window.aligning.aligner.load(tmp_path / "no.tfm")
    qtbot.waitUntil(lambda: window.aligning.aligner.running is None, timeout=WAIT)
    assert window.aligning.aligner.proposal is None and shown(window) is pair[1]
    assert any("does not begin" in text for text in window.messages.texts)
