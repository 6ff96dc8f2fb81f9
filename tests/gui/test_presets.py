"""Window presets: the lists of the user, the windows of the file, numbers typed by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PySide6.QtCore import Qt

from ctmri_core.domain import Domain
from ctmri_core.volume import StoredWindow
from ctmri_gui.settings import Settings
from ctmri_gui.viewer.linked_views import LinkedViews
from ctmri_gui.viewer.preset_book import CT_PRESETS, DEFAULTS, PresetBook, PresetKind, fits
from ctmri_gui.viewer.preset_editor.preset_dialog import PresetDialog
from ctmri_gui.viewer.presets import Preset, Window
from ctmri_gui.viewer.roles import Role
from ctmri_gui.viewer.window_entry import WindowEntry
from tests.gui.conftest import head_voxels, make_volume

STORED = (StoredWindow(40, 80, "BRAIN"), StoredWindow(400, 2000, "BONE"), StoredWindow(40, 80, "AGAIN"), StoredWindow(7, 9))
SPINE = Preset("Spine", Window(50, 300), key="1")


@pytest.fixture
def views(qtbot) -> LinkedViews:
    widget = LinkedViews()
    qtbot.addWidget(widget)
    widget.resize(900, 400)
    widget.show()
    widget.set_volume(Role.SOURCE, make_volume())
    widget.set_volume(Role.SYNTHETIC, make_volume(Domain.MR_T1, voxels=scaled_head(3)))
    widget.set_volume(Role.TRUTH, make_volume(Domain.MR_T1, voxels=scaled_head(1)))
    widget.actions_by_name["smooth"].trigger()
    widget.actions_by_name["toggle_text"].trigger()
    yield widget
    widget.close_background()
    widget.close()


def scaled_head(factor: float) -> np.ndarray:
    return ((head_voxels().astype(np.float32) + 1000) * factor).astype(np.float32)


def test_the_windows_of_a_file_stand_first_each_once_by_its_explanation(views) -> None:
    volume = make_volume(windows=STORED, window=(40.0, 80.0))
    presets = views.model.presets.of(volume)
    assert [preset.name for preset in presets[:3]] == ["File: BRAIN", "File: BONE", "As the file says"]
    assert presets[3:] == CT_PRESETS
    views.set_volume(Role.SOURCE, volume)
    views.model.apply_preset("stored File: BONE", Role.SOURCE)
    assert views.model.windows[Role.SOURCE] == Window(400, 2000)
    views.model.reset_window(Role.SOURCE)
    assert views.model.windows[Role.SOURCE] == Window(40, 80)


def test_a_window_of_the_file_goes_to_other_mr_in_proportion(views) -> None:
    views.set_volume(Role.TRUTH, make_volume(Domain.MR_T1, voxels=scaled_head(1), windows=(StoredWindow(500, 100, "A"),)))
    before = dict(views.model.windows)
    views.model.apply_preset("stored File: A", Role.TRUTH)
    after = views.model.windows
    assert after[Role.TRUTH] == Window(500, 100)
    ratio = before[Role.SYNTHETIC].width / before[Role.TRUTH].width
    assert after[Role.SYNTHETIC].width == pytest.approx(100 * ratio)
    assert after[Role.SOURCE] == before[Role.SOURCE]


def drawn(views: LinkedViews, role: Role) -> int:
    """The grey in the middle of a pane, where the head has 40 HU."""
    canvas = views.panes[role].canvas
    return canvas.grab().toImage().pixelColor(canvas.rect().center()).red()


def test_a_preset_applies_at_once_in_all_panes_of_the_modality(views) -> None:
    views.set_volume(Role.TRUTH, make_volume())
    views.set_active(Role.TRUTH)
    views.set_preset("2")
    assert drawn(views, Role.SOURCE) == drawn(views, Role.TRUTH) == round(255 * (40 + 600) / 2000)


def test_resetting_acts_on_all_panes_of_the_modality(views, qtbot) -> None:
    views.set_volume(Role.TRUTH, make_volume())
    opened = drawn(views, Role.SOURCE)
    views.set_preset("9")
    assert drawn(views, Role.TRUTH) != opened
    views.set_active(Role.TRUTH)
    views.actions_by_name["reset_window"].trigger()
    assert drawn(views, Role.SOURCE) == drawn(views, Role.TRUTH) == opened


def test_own_presets_take_keys_menus_and_names(views) -> None:
    book = views.model.presets
    book.replace({PresetKind.CT: (SPINE, Preset("A & B", Window(1, 2)))})
    assert book.own(PresetKind.MR) == DEFAULTS[PresetKind.MR]
    assert views.actions_by_name["preset_1"].text() == "Spine" and not views.actions_by_name["preset_2"].isVisible()
    views.set_preset("1")
    assert views.model.windows[Role.SOURCE] == Window(50, 300)
    views.set_preset("A & B")
    assert views.model.windows[Role.SOURCE] == Window(1, 2)
    texts = [action.text() for action in views.make_menu("source").actions()]
    assert texts[:2] == ["Spine  (W 300  L 50)\t1", "A && B  (W 2.00  L 1.00)"]


def test_lists_survive_in_settings_and_broken_entries_do_not(qapp) -> None:
    book = PresetBook()
    own = Preset("Own auto", percentiles=(1, 99), key="0")
    lists = {PresetKind.CT: (SPINE, own), PresetKind.MR: (Preset("T", matches_truth=True),)}
    book.replace(lists)
    again = PresetBook()
    again.read(book.texts())
    assert {kind: again.own(kind) for kind in PresetKind} == lists
    again.read([*book.texts(), "{", "[]", '{"for": "CT"}', json.dumps({"for": "CT", "name": "W", "key": "", "window": [0, 0]})])
    assert again.own(PresetKind.CT) == lists[PresetKind.CT]
    again.read(())
    assert again.texts() == () and again.own(PresetKind.CT) == CT_PRESETS


@pytest.mark.parametrize(
    "preset",
    [
        Preset("", Window(0, 1)), Preset("5", Window(0, 1)), Preset("Line\nbreak", Window(0, 1)), Preset("x" * 41, Window(0, 1)),
        Preset("a", Window(0, 0)), Preset("a", Window(float("nan"), 5)), Preset("a", percentiles=(5, 5)), Preset("a"),
        Preset("a", Window(0, 1), key="11"), Preset("Spine", Window(0, 1)), Preset("a", Window(0, 1), key="1"),
    ],
)  # fmt: skip
def test_presets_that_make_no_sense_are_none(preset: Preset) -> None:
    assert not fits(preset, [SPINE])


@pytest.fixture
def dialog(qtbot) -> PresetDialog:
    made = PresetDialog(PresetBook(), PresetKind.CT, start=Window(10, 20))
    qtbot.addWidget(made)
    made.show()
    yield made
    made.close()


def test_presets_are_added_changed_ordered_and_deleted(dialog, qtbot) -> None:
    dialog.buttons["add"].click()
    assert dialog.form.preset == Preset("New preset", Window(10, 20))
    dialog.form.name.clear()
    qtbot.keyClicks(dialog.form.name, "Spine")
    dialog.form.width_field.setValue(300)
    dialog.form.level.setValue(50)
    dialog.form.key.setCurrentIndex(dialog.form.key.findData("1"))
    assert "Brain has no key any more" in dialog.message.text()
    dialog.buttons["up"].click()
    dialog.list.setCurrentRow(0)
    dialog.buttons["delete"].click()
    assert dialog._book.own(PresetKind.CT) == CT_PRESETS  # nothing before OK
    dialog.accept()
    kept = dialog._book.own(PresetKind.CT)
    assert [preset.name for preset in kept] == [*(preset.name for preset in CT_PRESETS[1:-1]), "Spine", "Subdural"]
    assert kept[0] == Preset("Brain", Window(40, 80)) and kept[-2] == Preset("Spine", Window(50, 300), key="1")


def test_a_preset_that_makes_no_sense_cannot_be_left(dialog, qtbot) -> None:
    dialog.list.setCurrentRow(1)
    dialog.form.name.clear()
    qtbot.keyClicks(dialog.form.name, "Bone")
    dialog.form.name.setFocus()
    dialog.form.name.end(False)
    assert "has this name" in dialog.message.text() and not dialog.list.isEnabled()
    assert dialog._presets[1].name != "Bone"
    qtbot.keyClicks(dialog.form.name, " of mine")
    assert dialog.list.isEnabled() and dialog._presets[1].name == "Bone of mine"
    dialog.form.kind.setCurrentIndex(1)
    dialog.form.low.setValue(99.9)
    assert "must be below" in dialog.message.text()


def test_lists_go_back_to_those_of_the_program(dialog) -> None:
    dialog.kind.setCurrentText("MR")
    assert not dialog.buttons["reset"].isEnabled()
    while dialog.buttons["delete"].isEnabled():
        dialog.buttons["delete"].click()
    assert len(dialog._presets) == 1
    dialog.buttons["reset"].click()
    assert tuple(dialog._presets) == DEFAULTS[PresetKind.MR] and not dialog.buttons["reset"].isEnabled()


def test_a_window_is_typed_in_numbers(views, qtbot) -> None:
    views.set_volume(Role.TRUTH, make_volume())
    views.set_active(Role.SOURCE)
    views.actions_by_name["type_window"].trigger()
    entry = views.findChild(WindowEntry)
    qtbot.waitUntil(entry.isActiveWindow)  # until then Return is a key of the pane
    entry.width_field.setValue(100)
    entry.level_field.setValue(30)
    assert entry.range.text() == "Black at -20 HU, white at 80 HU"
    qtbot.keyClick(entry.level_field, Qt.Key.Key_Return)
    assert views.model.windows[Role.SOURCE] == views.model.windows[Role.TRUTH] == Window(30, 100)
    views.actions_by_name["type_window"].trigger()
    other = next(one for one in views.findChildren(WindowEntry) if one is not entry)
    other.width_field.setValue(5)
    qtbot.keyClick(other, Qt.Key.Key_Escape)
    assert views.model.windows[Role.SOURCE] == Window(30, 100)


def test_the_window_keeps_presets_and_says_them_on_sheet_and_keys(make_window) -> None:
    window = make_window()
    window.habits.edit_presets()
    dialog = window.findChild(PresetDialog)
    dialog.list.setCurrentRow(1)
    dialog.form.name.setText("Own brain")
    dialog.form._tell()
    dialog.accept()
    assert window.bindings.words("view.preset_1") == "Window: Own brain (CT), Tight (MR)"
    assert "Own brain" in window.views.actions_by_name["preset_1"].toolTip()
    book = PresetBook()
    book.read(Settings()["window_presets"])
    assert book.own(PresetKind.CT)[1].name == "Own brain"
    window.settings["window_presets"] = ()
    assert window.bindings.words("view.preset_1") == "Window: Brain (CT), Tight (MR)"


def test_keys_that_were_changed_show_in_the_menus_of_presets(make_window) -> None:
    window = make_window()
    window.views.set_volume(Role.SOURCE, make_volume())
    window.bindings.set_keys("view.preset_1", ["Alt+1"])
    texts = [action.text() for action in window.views.make_menu("source").actions()]
    assert "Brain  (W 80  L 40)\tAlt+1" in texts
    assert window.habits._key_words("1") == "Alt+1"
