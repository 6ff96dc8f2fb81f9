"""Many scans in the window: the real work on small scans, stopped, taken up again, and asked about."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import pytest
import torch
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent

from ctmri_core.batch.table import read_table
from ctmri_core.domain import Domain
from ctmri_core.events import CaseTold
from ctmri_core.resources_folder import resources_folder
from ctmri_gui.batch.asked_dialog import AskedDialog
from ctmri_gui.batch.batch_window import BatchWindow
from ctmri_gui.batch.case_table import NAME, STATE, WHY
from ctmri_gui.viewer.roles import Role

SHAPE = (3, 40, 44)
PATIENCE = 60_000


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def write(path: Path, seed: int = 0) -> Path:
    """Three slices of an ellipsoid in air, much too coarse for any model."""
    path.parent.mkdir(parents=True, exist_ok=True)
    axes = np.meshgrid(*[np.linspace(-1.2, 1.2, n) for n in SHAPE], indexing="ij")
    radius = np.sqrt(sum(axis**2 for axis in axes[1:]))
    voxels = np.select([radius < 0.8, radius < 1.0], [40 + seed, 900], -1000).astype(np.int16)
    image = nibabel.Nifti1Image(voxels.transpose(2, 1, 0), np.diag([-4.0, -4.0, 4.0, 1.0]))
    image.header.set_xyzt_units("mm")
    nibabel.save(image, path)
    return path


@pytest.fixture
def window(make_window, tmp_path, qtbot) -> BatchWindow:
    (tmp_path / "models").mkdir(exist_ok=True)
    shutil.copy(resources_folder() / "models" / "phantom_ct_to_mr_t1.safetensors", tmp_path / "models")
    main = make_window()
    main.command["translate_folder"].trigger()
    opened = main.batch.window
    qtbot.addWidget(opened)
    assert opened.isVisible()
    return opened


def states(window: BatchWindow) -> dict[str, str]:
    return {case.name: case.status for case in window.table.cases}


def select(window: BatchWindow, name: str) -> CaseTold:
    row = [case.name for case in window.table.cases].index(name)
    window.view.setCurrentIndex(window.table.index(row, NAME))
    assert window.selected is not None
    return window.selected


def idle(window: BatchWindow, qtbot) -> None:
    qtbot.waitUntil(lambda: not window.batch.busy, timeout=PATIENCE)


def test_a_dropped_folder_is_translated_with_its_doubts_put_aside_and_answered(window, tmp_path, qtbot):
    root = tmp_path / "scans"
    write(root / "ct_a.nii.gz")
    write(root / "p1" / "ct_b.nii.gz", 5)
    (root / "broken.nii").write_bytes(b"no volume")
    assert not window.start.isEnabled() and window.order.problem
    drop = QMimeData()
    drop.setUrls([QUrl.fromLocalFile(str(root))])
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    window.dropEvent(QDropEvent(QPointF(9, 9), Qt.DropAction.CopyAction, drop, buttons, keys))
    assert window.order.output == tmp_path / "scans_translated" and window.start.isEnabled()
    window.order.kind.setCurrentIndex(window.order.kind.findData(Domain.CT))
    qtbot.keyClick(window, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert window.batch.running and not window.start.isEnabled() and not window.order.model.isEnabled()
    assert any(state.title == "Translate a folder" and state.show is not None for state in window.batch._jobs.listed)
    idle(window, qtbot)
    assert states(window) == {"ct_a": "asked about", "p1/ct_b": "asked about", "broken": "failed"}
    assert "2 asked about" in window.summary.text() and window.start.text() == "Re&sume"

    case = select(window, "p1/ct_b")
    assert case.reason and window.answer.isEnabled() and not window.open.isEnabled()
    row = window.view.currentIndex().row()
    assert window.table.index(row, STATE).data() == "asked about" and window.table.index(row, WHY).data() == case.reason
    window.view.doubleClicked.emit(window.view.currentIndex())
    dialog = window.findChild(AskedDialog)
    assert dialog is not None and dialog.isVisible() and not dialog.kind.isVisible()
    dialog.go.click()
    assert window.batch.busy and window.stop.isEnabled()
    idle(window, qtbot)
    assert states(window) == {"ct_a": "asked about", "p1/ct_b": "done", "broken": "failed"}
    assert {row.case: row.status for row in read_table(window.order.output)} == states(window)

    main = window._session
    made = select(window, "p1/ct_b")
    row = window.view.currentIndex().row()
    assert made.model and window.table.index(row, WHY).data() == made.model, "which model was taken"
    assert window.open.isEnabled()
    with qtbot.waitSignal(main.scanOpened, timeout=PATIENCE):
        window.open.trigger()
    shown = [volume for volume in main.volumes.values() if volume is not None]
    assert len(shown) == 2 and main.volumes[Role.SYNTHETIC].synthetic is not None, "scan and result beside each other"
    assert main.volumes[Role.SOURCE].domain is Domain.CT


def test_a_stop_keeps_what_is_done_and_another_window_goes_on(window, tmp_path, qtbot):
    root = tmp_path / "scans"
    for number in range(3):
        write(root / f"ct_{number}.nii.gz", number)
    window.order.add([root])
    window.order.kind.setCurrentIndex(window.order.kind.findData(Domain.CT))
    batch, wanted = window.batch, window.order.wanted()

    def stop_at_first(told: CaseTold) -> None:
        if told.status == "done":
            batch.stop()

    batch.told.connect(stop_at_first)
    batch.start(replace(wanted, all_the_same=True))
    idle(window, qtbot)
    batch.told.disconnect(stop_at_first)
    assert sorted(states(window).values()) == ["done", "waiting", "waiting"]
    window.order.inputs.clear()
    window.table.clear()
    window.order.add([root])  # the folder of results is known again by its table
    qtbot.waitUntil(lambda: bool(window.table.cases), timeout=PATIENCE)
    assert sorted(states(window).values()) == ["done", "waiting", "waiting"] and window.start.text() == "Re&sume"
    window.begin()
    idle(window, qtbot)
    assert sorted(states(window).values()) == ["asked about", "asked about", "done"]


def test_what_a_scan_shows_is_asked_and_must_be_answered(qtbot):
    case = CaseTold(name="a", status="asked about", reason="It is not known to show CT or MR.", question="kind")
    dialog = AskedDialog(case)
    qtbot.addWidget(dialog)
    assert not dialog.go.isEnabled() and dialog.told is None
    dialog.kind.setCurrentIndex(dialog.kind.findText(Domain.MR_T1.label))
    assert dialog.go.isEnabled() and dialog.told is Domain.MR_T1
