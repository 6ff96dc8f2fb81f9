"""Scans prepared in the window: the real work on small heads, one of which lies elsewhere, beside what the command makes."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

import nibabel
import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from ctmri_core.cli.main import main
from ctmri_core.data.case_check import MISPLACED as MISPLACED_KINDS
from ctmri_core.data.dataset import DatasetFolder
from ctmri_core.data.decisions import DECISIONS, Decisions
from ctmri_core.domain import Domain
from ctmri_core.geometry import rigid_transform
from ctmri_core.phantom import make_head
from ctmri_core.preprocess.resample import coarsened
from ctmri_core.volume import Volume
from ctmri_gui.preparing.case_table import NAME, SHOWS, STATE, VOXELS
from ctmri_gui.preparing.pictures import held_together
from ctmri_gui.preparing.prepare_window import CASES, DATA, PREVIEW, RESULT, PrepareWindow

PATIENCE = 120_000
PIXEL_MM = 8.0
MISPLACED = rigid_transform((6.0, -4.0, 9.0), (14.0, -9.0, 11.0))
FLIP = np.diag([-1.0, -1.0, 1.0, 1.0])
PATIENTS = ("anna", "bert", "cleo")


def write(path: Path, volume: Volume, moved: np.ndarray | None = None) -> None:
    affine = volume.geometry.affine if moved is None else moved @ volume.geometry.affine
    inverted = FLIP @ affine[:, [2, 1, 0, 3]]  # NIfTI: RAS, voxels (i, j, k)
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(np.ascontiguousarray(volume.voxels.T), inverted), path)


@pytest.fixture(scope="module")
def scans(tmp_path_factory) -> Path:
    """Three heads in voxels of 4 x 8 x 8 mm; the MR of the second lies elsewhere."""
    folder = tmp_path_factory.mktemp("data") / "scans"
    for seed, name in enumerate(PATIENTS):
        head = make_head(seed, voxel_mm=4.0)
        write(folder / name / "ct.nii.gz", coarsened(head[Domain.CT], PIXEL_MM))
        mr = coarsened(head.aligned(Domain.MR_T1), PIXEL_MM)
        write(folder / name / "mr_t1.nii.gz", mr, MISPLACED if name == "bert" else None)
    return folder


@pytest.fixture
def window(make_window, qtbot) -> PrepareWindow:
    main_window = make_window()
    main_window.command["prepare"].trigger()
    opened = main_window.preparing.window
    opened.main = main_window
    qtbot.addWidget(opened)
    assert opened.isVisible()
    return opened


def drop(window: PrepareWindow, folder: Path, output: Path, qtbot) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(folder))])
    event = QDropEvent(QPointF(9, 9), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    window.dropEvent(event)
    window.preparer.choose_output(output)
    qtbot.waitUntil(lambda: len(window.preparer.cases) > 0, timeout=PATIENCE)
    window.preparer.choose_how({"spacing_mm": PIXEL_MM, "domains": ["ct", "mr_t1"]})
    qtbot.waitUntil(lambda: len(window.preparer.cases) > 0, timeout=PATIENCE)


def text(window: PrepareWindow, number: int, column: int) -> str:
    return window.cases.table.index(number - 1, column).data()


def look(window: PrepareWindow, number: int, qtbot) -> None:
    window.go(CASES)
    window.cases.select(number)
    pairs = window.cases.pairs
    qtbot.waitUntil(lambda: pairs.position is not None and pairs.busy is None and pairs.loaded.number == number, timeout=PATIENCE)


def is_bright(view: QWidget) -> bool:
    grey = view.grab().toImage().convertToFormat(QImage.Format.Format_Grayscale8)
    lines = np.frombuffer(grey.constBits(), np.uint8).reshape(grey.height(), grey.bytesPerLine())
    return lines[:, : grey.width()].max() > 100  # what fills lines up may be anything


def prepare(window: PrepareWindow, qtbot) -> None:
    window.preparer.prepare()
    qtbot.waitUntil(lambda: window.preparer.done is not None and not window.preparer.running, timeout=PATIENCE)


def slices(folder: Path) -> dict[int, np.ndarray]:
    index = DatasetFolder(folder).read()
    assert index.complete
    return {case.check.number: np.load(folder / case.file) for case in index.cases if case.check is not None}


def test_a_misplaced_pair_is_registered_accepted_and_prepared_as_the_command_does(window, scans, tmp_path, qtbot):
    out = tmp_path / "prepared"
    drop(window, scans, out, qtbot)
    assert text(window, 2, SHOWS) == "CT, T1 MR" and text(window, 2, STATE) == "not looked at" and not text(window, 2, VOXELS)
    assert window.cases.view.isColumnHidden(NAME)
    look(window, 2, qtbot)
    pairs = window.cases.pairs
    assert "not aligned" in pairs.before.text() and "not aligned" in text(window, 2, STATE)
    assert text(window, 2, VOXELS)
    QTest.mouseClick(pairs.register, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: pairs.busy is None and bool(pairs.position.how), timeout=PATIENCE)
    grid = make_head(1, voxel_mm=4.0)[Domain.MR_T1].geometry
    corners = np.c_[grid.corners, np.ones(8)]
    error = np.linalg.norm(((pairs.position.transform.backward @ MISPLACED - np.eye(4)) @ corners.T)[:3], axis=0).max()
    assert error < 4.0 and pairs.position.after.good and "turned by" in pairs.after.text()
    QTest.keyClick(pairs.accept, Qt.Key.Key_Space)
    assert text(window, 2, STATE) == "position accepted" and "not lie on each other" not in pairs.problems.text()
    qtbot.waitUntil(lambda: (out / DECISIONS).is_file(), timeout=PATIENCE)
    prepare(window, qtbot)
    assert window.tabs.currentIndex() == RESULT and window.result.train.isVisible()
    made = slices(out)
    assert made.keys() == {1, 2, 3}
    assert not any(check.has(*MISPLACED_KINDS) for check in window.preparer.done.report.cases)

    again = tmp_path / "by_command"
    again.mkdir()
    shutil.copy(out / DECISIONS, again)
    words = shlex.split(window.data.command.text())
    assert words[:5] == ["ctmri", "prepare", str(scans), "--out", str(out)]
    assert main([*words[1:4], str(again), *words[5:]]) == 0
    by_command = slices(again)
    assert made.keys() == by_command.keys() and all(np.array_equal(made[n], by_command[n]) for n in made)
    assert main([*words[1:]]) == 0, "and the command takes the window's folder for its own"

    window.result.train.click()
    training = window.main.training.window
    qtbot.waitUntil(lambda: training.draft.data is not None, timeout=PATIENCE)
    assert training.isVisible() and training.draft.source == str(out) and training.draft.data.paired > 0
    training.close()
    window.close()


def test_cases_are_left_out_and_moved_by_hand_and_what_was_decided_is_found_again(window, scans, tmp_path, qtbot):
    out = tmp_path / "prepared"
    drop(window, scans, out, qtbot)
    window.cases.look_at_all.click()
    qtbot.waitUntil(lambda: len(window.preparer.checks) == 3 and not window.preparer.checks_cases, timeout=PATIENCE)
    assert [text(window, number, STATE) for number in (1, 2, 3)] == ["odd voxels", "odd voxels, not aligned", "odd voxels"]
    look(window, 3, qtbot)
    pairs = window.cases.pairs
    pairs.leave_out.click()
    assert text(window, 3, STATE) == "left out" and "1 left out" in window.cases.counts.text()
    look(window, 2, qtbot)
    pairs.by_hand.setChecked(True)
    qtbot.waitUntil(lambda: pairs.pictures.shown.text() != "", timeout=PATIENCE)
    for _ in range(3):
        QTest.keyClick(pairs.pictures.views[3], Qt.Key.Key_Right)
    QTest.keyClick(pairs.pictures.views[3], Qt.Key.Key_Up, Qt.KeyboardModifier.ShiftModifier)
    pairs.fields.mm[2].setValue(-2.5)
    pairs.fields.degrees[2].setValue(4.0)
    qtbot.waitUntil(lambda: pairs.busy is None, timeout=PATIENCE)
    nudge = pairs.position.nudge
    assert nudge.mm == (3.0, -5.0, -2.5) and nudge.degrees == (0.0, 0.0, 4.0)
    pairs.accept.click()
    (placement,) = window.preparer.placements(2)
    assert "by hand 3.0 mm towards left, 5.0 mm towards front, 2.5 mm towards feet" in placement.how
    qtbot.waitUntil(lambda: len(Decisions.read(out).placed) == 1, timeout=PATIENCE)
    back = placement.transform().backward
    assert np.allclose(back @ [*pairs.position.middle, 1], [*(np.asarray(pairs.position.middle) + nudge.mm), 1], atol=1e-6)

    window.preparer.choose(scans)  # as when the program is begun anew
    window.preparer.choose_output(out)
    qtbot.waitUntil(lambda: len(window.preparer.cases) == 3, timeout=PATIENCE)
    assert text(window, 2, STATE) == "position accepted" and text(window, 3, STATE) == "left out"
    look(window, 2, qtbot)
    assert np.allclose(pairs.position.transform.matrix, placement.transform().matrix)
    pairs.as_filed.click()
    assert not window.preparer.placements(2) and text(window, 2, STATE) != "position accepted"
    qtbot.waitUntil(lambda: pairs.busy is None, timeout=PATIENCE)
    pairs.accept.click()
    assert "not lie on each other" in pairs.problems.text(), "accepted all the same, and said"
    window.close()


def test_a_case_without_its_other_picture_is_said_and_shown_alone(window, scans, tmp_path, qtbot):
    shutil.copytree(scans / "anna", tmp_path / "more" / "anna")
    shutil.copytree(scans / "cleo", tmp_path / "more" / "cleo")
    (tmp_path / "more" / "cleo" / "mr_t1.nii.gz").unlink()
    drop(window, tmp_path / "more", tmp_path / "prepared", qtbot)
    window.go(CASES)
    window.cases.select(2)
    pairs = window.cases.pairs
    qtbot.waitUntil(lambda: pairs.pictures.number is not None and pairs.loaded.number == 2, timeout=PATIENCE)
    assert text(window, 2, STATE) == "a picture lacks, odd voxels" and "There is no T1 MR" in pairs.problems.text()
    assert [is_bright(view) for view in pairs.pictures.views] == [True, False, False, False]
    before = pairs.pictures.number
    pairs.pictures.slice.setValue(before + 2)
    qtbot.waitUntil(lambda: pairs.pictures.number == before + 2, timeout=PATIENCE)
    assert not pairs.accept.isEnabled() and not pairs.register.isEnabled()
    window.close()


def test_cancelled_work_keeps_what_is_done_and_goes_on(window, scans, tmp_path, qtbot):
    out = tmp_path / "prepared"
    drop(window, scans, out, qtbot)
    window.preparer.prepare()
    qtbot.waitUntil(lambda: len(list(out.glob("*.npy"))) > 0, timeout=PATIENCE)
    window.data.found.stop.click()
    qtbot.waitUntil(lambda: not window.preparer.running, timeout=PATIENCE)
    qtbot.waitUntil(lambda: "kept" in window.data.state.text() or window.preparer.done is not None, timeout=PATIENCE)
    if window.preparer.done is None:
        qtbot.waitUntil(lambda: "prepared)" in window.data.found.begin.text(), timeout=PATIENCE)
    first = {path.name: path.stat().st_mtime_ns for path in out.glob("*.npy")}
    prepare(window, qtbot)
    assert slices(out).keys() == {1, 2, 3}
    assert all((out / name).stat().st_mtime_ns == made for name, made in first.items())
    window.close()


def test_the_preview_shows_what_is_prepared(window, scans, tmp_path, qtbot):
    out = tmp_path / "prepared"
    drop(window, scans, out, qtbot)
    window.go(PREVIEW)
    page = window.preview
    qtbot.waitUntil(lambda: page.preview is not None, timeout=PATIENCE)
    assert page.case.text() == "1 of 3" and len(page.preview.domains) == 2 and "of 8 mm" in page.told.text()
    other = page.preview
    page.case.setValue(3)
    qtbot.waitUntil(lambda: page.number == 3 and page.preview is not None, timeout=PATIENCE)
    assert page.preview is not other and window.cases.view.currentIndex().row() == 2
    page.case.setValue(1)
    qtbot.waitUntil(lambda: page.number == 1 and page.preview is not None, timeout=PATIENCE)
    prepare(window, qtbot)
    case = next(case for case in DatasetFolder(out).read().cases if case.check.number == 1)
    stored = np.load(out / case.file)
    kept = len(page.preview.kept)
    assert kept == case.counted
    first = page.preview.kept[0] - (case.chosen[0] if case.chosen is not None else 0)
    seen = page.preview.after[1][first : first + len(stored)]
    assert np.abs(seen - (stored[:, 1].astype(np.float32) + 1) * 127.5).max() < 1
    window.go(DATA)
    window.data.found.how.click()
    window.data.found.form.take("spacing_mm", 3.0)
    assert "changed since" in page.told.text() and "--spacing-mm=3.0" in window.data.command.text()
    assert not window.result.check.isVisibleTo(window.result)
    window.close()


def test_what_does_not_go_together_or_is_nothing_is_said(window, tmp_path, qtbot):
    (tmp_path / "empty").mkdir()
    window.preparer.choose(tmp_path / "empty")
    qtbot.waitUntil(lambda: "none of the known layouts" in window.data.state.text(), timeout=PATIENCE)
    assert "--help" not in window.data.state.text() and not window.preparer.command
    window.go(CASES)
    assert "Choose a folder" in window.cases.counts.text() and not window.cases.pairs.register.isEnabled()
    window.preparer.prepare()
    assert not window.preparer.running
    window.close()


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_it_fits_a_small_screen(window, scans, tmp_path, qtbot, dressed, theme):
    dressed(theme, 13)
    drop(window, scans, tmp_path / "prepared", qtbot)
    window.resize(900, 600)
    look(window, 1, qtbot)
    for page in (DATA, CASES, PREVIEW, RESULT):
        window.go(page)
        qtbot.wait(30)
        assert (window.width(), window.height()) == (900, 600)
    window.go(CASES)
    accept = window.cases.pairs.accept
    assert accept.visibleRegion().boundingRect().height() == accept.height(), "what decides is in sight"
    window.close()


def test_both_pictures_are_held_together():
    first, other = np.full((16, 16), 200, np.uint8), np.full((16, 16), 50, np.uint8)
    board = held_together(first, other, "checkerboard")
    assert set(np.unique(board)) == {50, 200} and (board == 200).mean() == 0.5 and board[0, 0] == 200 and board[0, 2] == 50
    assert (held_together(first, other, "difference") == 150).all() and (held_together(other, first, "blend") == 125).all()
