from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from ctmri_gui.settings import SETTINGS, Settings, settings_file
from ctmri_gui.settings_dialog import SettingsDialog


def test_values_survive_and_the_file_is_private(tmp_path):
    settings = Settings()
    settings["theme"] = "light"
    settings.remember(tmp_path / "a.nii")
    settings.save()
    assert settings_file().parent == tmp_path / "config"
    if os.name == "posix":
        assert stat.S_IMODE(settings_file().stat().st_mode) == 0o600
    again = Settings()
    assert again["theme"] == "light"
    assert again["recent_paths"] == (str(tmp_path / "a.nii"),)
    assert again["text_size"] == SETTINGS["text_size"].default


@pytest.mark.parametrize(("key", "value"), [("theme", "pink"), ("text_size", 4), ("text_size", True), ("recent_paths", (1,))])
def test_wrong_values_are_refused(key, value):
    with pytest.raises(ValueError, match="is no value"):
        Settings()[key] = value


def test_a_file_of_another_kind_costs_only_the_settings(tmp_path):
    path = tmp_path / "settings.json"
    path.write_text("{broken")
    settings = Settings(path)
    assert "settings.json" in settings.problem
    assert settings["theme"] == "dark"
    path.write_text(json.dumps({"theme": 3, "text_size": 15, "unheard_of": 1, "recent_paths": "x"}))
    settings = Settings(path)
    assert (settings["theme"], settings["text_size"], settings["recent_paths"]) == ("dark", 15, ())


def test_a_place_that_cannot_be_written_is_survived(tmp_path):
    (tmp_path / "occupied").write_text("")
    settings = Settings(tmp_path / "occupied" / "settings.json")
    settings["text_size"] = 14
    settings.save()


def test_recent_files_are_few_unique_newest_first_and_optional():
    settings = Settings()
    for number in [*range(15), 13]:
        settings.remember(Path(f"scan_{number}"))
    assert len(settings["recent_paths"]) == 12
    assert settings["recent_paths"][:2] == ("scan_13", "scan_14")
    settings["remember_recent"] = False
    settings.remember(Path("secret"))
    assert "secret" not in settings["recent_paths"]


def test_the_form_is_made_from_the_table(qtbot):
    settings = Settings()
    dialog = SettingsDialog(settings)
    qtbot.addWidget(dialog)
    offered = {key for key, setting in SETTINGS.items() if setting.label}
    assert set(dialog._values) == offered
    changed = []
    settings.changed.connect(changed.append)
    dialog.findChild(object, "text_size").setValue(16)
    dialog.findChild(object, "translate_after_open").setChecked(False)
    dialog.accept()
    assert sorted(changed) == ["text_size", "translate_after_open"]
    assert settings["text_size"] == 16
