"""Dialogs hold their words at every size of text, and stay on the screen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QAbstractButton, QDialog, QDialogButtonBox, QLabel

from ctmri_core.domain import Domain
from ctmri_core.events import CaseTold
from ctmri_core.io.series import Series
from ctmri_core.volume import DicomSource
from ctmri_gui.about import AboutDialog
from ctmri_gui.actions import make_actions
from ctmri_gui.batch.asked_dialog import AskedDialog
from ctmri_gui.save_dialog import DICOM, FORMATS, SaveDialog
from ctmri_gui.settings import Settings
from ctmri_gui.settings_dialog import SettingsDialog
from ctmri_gui.shortcuts.bindings import Bindings
from ctmri_gui.shortcuts.editor import KeysEditor
from ctmri_gui.shortcuts.sheet import KeysSheet
from ctmri_gui.spacing_dialog import SpacingDialog
from ctmri_gui.viewer.keys import KEY_ACTIONS
from ctmri_gui.viewer.preset_book import PresetBook, PresetKind
from ctmri_gui.viewer.preset_editor.preset_dialog import PresetDialog
from ctmri_gui.viewer.roles import Role
from tests.gui.conftest import make_volume


def assert_readable(qtbot, dialog: QDialog) -> None:
    """Every label comes to be as high as its words need, every button as wide, those at the foot in sight, all on the screen."""

    def faults() -> list[str]:
        labels = [one for one in dialog.findChildren(QLabel) if one.isVisible() and one.text()]
        buttons = [one for one in dialog.findChildren(QAbstractButton) if one.isVisible()]
        foot = dialog.findChild(QDialogButtonBox)
        low = [one.text() for one in labels if one.height() < one.heightForWidth(one.width())]
        narrow = [one.text() for one in buttons if one.width() < one.minimumSizeHint().width()]
        beyond = [] if dialog.rect().contains(foot.geometry()) else ["buttons"]
        outside = [] if dialog.screen().availableGeometry().contains(dialog.frameGeometry()) else ["dialog"]
        return low + narrow + beyond + outside

    qtbot.waitUntil(lambda: faults() == [], timeout=3_000)


@pytest.mark.parametrize("size", [13, 24])
def test_the_save_dialog_grows_with_what_it_says(qtbot, dressed, tmp_path, size):
    dressed("light", size)
    origin = DicomSource("1.2.3", "1.2.4", "1.2.840.10008.5.1.4.1.1.2", "1.2.5", (), {"00100010": {"Value": ["Doe"]}})
    dialog = SaveDialog({Role.SOURCE: replace(make_volume(), dicom=origin)}, 1, tmp_path, role=Role.SOURCE)
    qtbot.addWidget(dialog)
    dialog.show()
    assert_readable(qtbot, dialog)
    before = dialog.height()
    dialog.format.setCurrentIndex(FORMATS.index(DICOM))
    dialog.folder.setText(str(tmp_path / "doe"))
    qtbot.waitUntil(lambda: dialog.problem.isVisible() and dialog.warning.isVisibleTo(dialog))
    qtbot.waitUntil(lambda: dialog.height() > before, timeout=3_000)
    assert_readable(qtbot, dialog)
    dialog.close()


@pytest.mark.parametrize("size", [13, 24])
def test_what_is_asked_about_a_case_can_be_read_whole(qtbot, dressed, size):
    dressed("dark", size)
    reason = "This model was made for heads; this scan looks larger than a head: about 348 mm wide. Do not trust it. " * 3
    dialog = AskedDialog(CaseTold(name="a/rather_long_name_of_a_scan", status="asked about", reason=reason, question="kind"))
    qtbot.addWidget(dialog)
    dialog.show()
    assert_readable(qtbot, dialog)
    dialog.close()


@pytest.mark.parametrize("size", [13, 24])
def test_the_question_of_voxel_size_can_be_read_whole(qtbot, dressed, size):
    dressed("dark", size)
    dialog = SpacingDialog(Series(Path("a"), "pictures", Domain.CT, "CT, 12 slices from a_rather_long_name_of_a_file.png", ()))
    qtbot.addWidget(dialog)
    dialog.show()
    assert_readable(qtbot, dialog)
    dialog.close()


@pytest.mark.parametrize("size", [13, 24])
@pytest.mark.parametrize("make", ["settings", "editor", "sheet", "presets", "about"])
def test_settings_and_keys_can_be_read_whole(qtbot, dressed, qapp, size, make):
    dressed("light", size)
    settings = Settings()
    settings["text_size"] = 20
    bindings = Bindings(settings, make_actions(qapp), {row.name: QAction(row.text, qapp) for row in KEY_ACTIONS}, qapp)
    bindings.set_keys("view.invert", ["F7"])
    makers = {
        "settings": lambda: SettingsDialog(settings), "editor": lambda: KeysEditor(bindings),
        "sheet": lambda: KeysSheet(bindings), "presets": lambda: PresetDialog(PresetBook(), PresetKind.MR), "about": AboutDialog,
    }  # fmt: skip
    dialog = makers[make]()
    qtbot.addWidget(dialog)
    dialog.show()
    assert_readable(qtbot, dialog)
    dialog.close()
