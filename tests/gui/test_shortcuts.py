"""Keys in use: each leads to one command, whatever the user chose; the sheet and the dialog say what is so."""

from __future__ import annotations

import json

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMessageBox

from ctmri_gui.actions import COMMANDS, make_actions
from ctmri_gui.menus import MENUS
from ctmri_gui.settings import Settings
from ctmri_gui.shortcuts.bindings import Bindings, all_rows, reserved
from ctmri_gui.shortcuts.editor import KeysEditor
from ctmri_gui.shortcuts.sheet import KeysSheet, as_text, groups_of
from ctmri_gui.viewer.keys import KEY_ACTIONS, MOUSE_GESTURES

HEADER, INVERT, OPEN = "window.header", "view.invert", "window.open_file"


@pytest.fixture
def bindings(qapp) -> Bindings:
    views = {row.name: QAction(row.text, qapp) for row in KEY_ACTIONS}
    return Bindings(Settings(), make_actions(qapp), views, qapp)


def live_keys(bindings: Bindings, row: str) -> list[str]:
    return [keys.toString() for keys in bindings._actions[row].shortcuts()]


def test_no_two_commands_share_a_key_and_none_is_reserved() -> None:
    keys = [key for row in all_rows() for key in row.keys]
    assert sorted(keys) == sorted(set(keys))
    assert not [key for key in keys if reserved(key)]


def test_every_command_is_found_in_a_menu() -> None:
    shown = {name for _, names in MENUS for name in names}
    within = {"forget_recent", "arrange_docks", "go_translation", "go_metrics", "go_measurements", "go_images"}
    assert {command.name for command in COMMANDS} - shown == within  # menus within menus


def test_a_key_that_is_given_away_holds_at_once_and_after_a_new_start(bindings, qapp) -> None:
    bindings.set_keys(INVERT, ["Ctrl+I", "F7"])
    assert live_keys(bindings, INVERT) == ["Ctrl+I", "F7"] and live_keys(bindings, HEADER) == []
    assert "F7" in bindings._actions[INVERT].toolTip() and "Ctrl+I" not in bindings._actions[HEADER].toolTip()
    again = Bindings(Settings(), make_actions(qapp), {row.name: QAction(row.text, qapp) for row in KEY_ACTIONS}, qapp)
    assert again.keys(INVERT) == ("Ctrl+I", "F7") and again.keys(HEADER) == ()


def test_resetting_gives_back_and_takes_back(bindings) -> None:
    bindings.set_keys(INVERT, ["Ctrl+I"])
    bindings.reset(INVERT)
    assert bindings.keys(INVERT) == ("I",) and bindings.keys(HEADER) == ("Ctrl+I",)
    bindings.set_keys(INVERT, ["Ctrl+I"])
    bindings.reset(HEADER)
    assert bindings.keys(HEADER) == ("Ctrl+I",) and bindings.keys(INVERT) == ()
    assert bindings.holder("I") is None
    bindings.set_keys(OPEN, [])
    bindings.reset_all()
    assert {row.id: row.keys for row in bindings.rows} == {row.id: bindings.keys(row.id) for row in bindings.rows}
    assert Settings()["shortcuts"] == ()


def test_keys_are_compared_as_qt_writes_them(bindings) -> None:
    assert bindings.holder("ctrl+shift+o").id == "window.open_folder"
    assert bindings.holder("Ctrl+O", other_than=OPEN) is None
    bindings.set_keys(INVERT, ["shift+ctrl+o", "Ctrl+Shift+O"])
    assert bindings.keys(INVERT) == ("Ctrl+Shift+O",)


@pytest.mark.parametrize("key", ["Tab", "Shift+Tab", "Alt+F", "Alt+V"])
def test_keys_of_qt_itself_are_refused(bindings, key: str) -> None:
    assert reserved(key)
    with pytest.raises(ValueError, match="no key"):
        bindings.set_keys(INVERT, [key])


def test_broken_settings_cost_only_themselves(qapp, tmp_path) -> None:
    kept = ["{", "5", "[]", '["view.gone", "Q"]', '["view.invert", 3]', '["view.smooth", "Tab", "Q"]']
    path = tmp_path / "settings.json"
    path.write_text(json.dumps({"shortcuts": kept}))
    views = {row.name: QAction(row.text, qapp) for row in KEY_ACTIONS}
    bindings = Bindings(Settings(path), make_actions(qapp), views, qapp)
    assert bindings.keys("view.smooth") == ("Q",) and bindings.keys(INVERT) == ("I",)


def test_in_a_window_a_new_key_works_and_the_old_one_no_more(make_window, qtbot) -> None:
    window = make_window(demo=False)
    window.pages.setCurrentWidget(window.views)
    window.activateWindow()
    window.views.panes["source"].setFocus()
    window.bindings.set_keys(INVERT, ["F7"])
    invert = window.views.actions_by_name["invert"]
    qtbot.keyClick(window.views.panes["source"], Qt.Key.Key_F7)
    assert invert.isChecked()
    qtbot.keyClick(window.views.panes["source"], Qt.Key.Key_I)
    assert invert.isChecked()


@pytest.fixture
def editor(bindings, qtbot) -> KeysEditor:
    dialog = KeysEditor(bindings)
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog


def choose(editor: KeysEditor, row: str) -> None:
    place = next(place for place in range(editor.table.rowCount()) if editor._id_at(place) == row)
    editor.table.setCurrentCell(place, 0)


def shown_keys(editor: KeysEditor, row: str) -> str:
    return next(editor.table.item(p, 1).text() for p in range(editor.table.rowCount()) if editor._id_at(p) == row)


def test_the_dialog_says_a_conflict_before_it_happens(editor, bindings, qtbot) -> None:
    choose(editor, INVERT)
    qtbot.keyClick(editor.fields[0], Qt.Key.Key_I, Qt.KeyboardModifier.ControlModifier)
    assert "“Header”, which would be left without a key" in editor.message.text()
    assert bindings.keys(INVERT) == ("I",) and bindings.keys(HEADER) == ("Ctrl+I",)
    qtbot.mouseClick(editor.leave, Qt.MouseButton.LeftButton)
    assert editor.fields[0].key == "I" and not editor.take.isVisible()
    qtbot.keyClick(editor.fields[0], Qt.Key.Key_I, Qt.KeyboardModifier.ControlModifier)
    qtbot.mouseClick(editor.take, Qt.MouseButton.LeftButton)
    assert bindings.keys(INVERT) == ("Ctrl+I",) and bindings.keys(HEADER) == ()
    assert shown_keys(editor, HEADER) == "no key (changed)"
    choose(editor, HEADER)
    qtbot.mouseClick(editor.reset, Qt.MouseButton.LeftButton)
    assert "Inverted grey values" in editor.message.text() and bindings.keys(HEADER) == ()
    qtbot.mouseClick(editor.take, Qt.MouseButton.LeftButton)
    assert bindings.keys(HEADER) == ("Ctrl+I",) and bindings.keys(INVERT) == ()


def test_a_free_key_holds_at_once_and_a_reserved_one_is_refused(editor, bindings, qtbot) -> None:
    choose(editor, OPEN)
    qtbot.keyClick(editor.fields[1], Qt.Key.Key_F8)
    assert bindings.keys(OPEN) == ("Ctrl+O", "F8") and shown_keys(editor, OPEN) == "Ctrl+O or F8 (changed)"
    qtbot.keyClick(editor.fields[1], Qt.Key.Key_F, Qt.KeyboardModifier.AltModifier)
    assert "opens the menu File" in editor.message.text() and bindings.keys(OPEN) == ("Ctrl+O", "F8")
    qtbot.mouseClick(editor.no_key, Qt.MouseButton.LeftButton)
    assert bindings.keys(OPEN) == () and not editor.no_key.isEnabled()


def test_the_dialog_is_searched_by_words_and_keys(editor) -> None:
    def shown() -> list[str]:
        return [editor._id_at(p) for p in range(editor.table.rowCount()) if not editor.table.isRowHidden(p)]

    editor.search.setText("ctrl+shift+o")
    assert shown() == ["window.open_folder"]
    editor.search.setText("grey invert")
    assert shown() == [INVERT] and editor._selected == INVERT
    editor.search.setText("zebra")
    assert shown() == [] and editor.none.isVisible() and not editor.fields[0].isEnabled()


def test_everything_can_be_reset_after_a_question(editor, bindings) -> None:
    bindings.set_keys(INVERT, ["F7"])
    editor.reset_all.click()
    question = editor.findChild(QMessageBox, "reset_keys")
    next(button for button in question.buttons() if button.text() == "Reset all").click()
    assert bindings.keys(INVERT) == ("I",)


def test_the_sheet_follows_the_keys_and_is_searched(bindings, qtbot, tmp_path) -> None:
    sheet = KeysSheet(bindings)
    qtbot.addWidget(sheet)
    bindings.set_keys(INVERT, ["F7"])
    bindings.set_keys(HEADER, [])
    shown = sheet.text.toPlainText()
    assert "F7" in shown and "Header" not in shown and all(gesture in shown for gesture, _ in MOUSE_GESTURES)
    sheet.search.setText("f7")
    assert sheet.text.toPlainText().split() == ["On", "the", "pictures", "F7", "Inverted", "grey", "values"]
    sheet.save_to(tmp_path / "keys.txt")
    lines = (tmp_path / "keys.txt").read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("Keys and mouse") and "F7  Inverted grey values" in lines
    sheet.save_to(tmp_path / "none" / "keys.txt")
    assert "keys.txt" in sheet.message.text() and str(tmp_path) not in sheet.message.text()


def test_the_text_has_one_column_of_keys(bindings) -> None:
    lines = [line for line in as_text(groups_of(bindings)).splitlines() if "  " in line]
    starts = {len(line) - len(line.partition("  ")[2].lstrip()) for line in lines}
    assert len(starts) == 1 and len(lines) > 40


def test_what_a_key_means_may_change(bindings) -> None:
    bindings.describe("view.preset_1", "Window: Spine (CT)")
    assert "Spine" in bindings._actions["view.preset_1"].toolTip()
    assert ("1", "Window: Spine (CT)") in dict(groups_of(bindings))["On the pictures: window presets"]


def test_a_key_of_the_table_is_not_doubled_when_another_has_it(bindings) -> None:
    for row in bindings.rows:
        bindings.set_keys("view.smooth", row.keys)
        used = [keys for one in bindings.rows for keys in live_keys(bindings, one.id)]
        assert len(used) == len(set(used))
        assert all(QKeySequence(keys).count() == 1 for keys in used)
