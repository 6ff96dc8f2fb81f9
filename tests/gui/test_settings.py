from __future__ import annotations

import json
import os
import stat
from datetime import datetime
from pathlib import Path

import pytest

from ctmri_gui.recent import Recent
from ctmri_gui.settings import SETTINGS, Settings, settings_file
from ctmri_gui.settings_dialog import SettingsDialog


def test_values_survive_and_the_file_is_private(tmp_path):
    settings = Settings()
    settings["theme"] = "light"
    settings.remember(tmp_path / "a.nii", "CT")
    settings.save()
    assert settings_file().parent == tmp_path / "config"
    if os.name == "posix":
        assert stat.S_IMODE(settings_file().stat().st_mode) == 0o600
    again = Settings()
    assert again["theme"] == "light"
    assert [entry.path for entry in again.recent] == [tmp_path / "a.nii"]
    assert again["text_size"] == SETTINGS["text_size"].default


@pytest.mark.parametrize(("key", "value"), [("theme", "pink"), ("text_size", 4), ("text_size", True), ("recent", (1,))])
def test_wrong_values_are_refused(key, value):
    with pytest.raises(ValueError, match="is no value"):
        Settings()[key] = value


def test_a_file_of_another_kind_costs_only_the_settings(tmp_path):
    path = tmp_path / "settings.json"
    path.write_text("{broken")
    settings = Settings(path)
    assert "settings.json" in settings.problem
    assert settings["theme"] == "dark"
    path.write_text(json.dumps({"theme": 3, "text_size": 15, "unheard_of": 1, "recent": "x"}))
    settings = Settings(path)
    assert (settings["theme"], settings["text_size"], settings["recent"]) == ("dark", 15, ())


def test_a_place_that_cannot_be_written_is_survived(tmp_path):
    (tmp_path / "occupied").write_text("")
    settings = Settings(tmp_path / "occupied" / "settings.json")
    settings["text_size"] = 14
    settings.save()


def test_recent_scans_are_few_unique_newest_first_and_optional():
    settings = Settings()
    for number in [*range(15), 13]:
        settings.remember(Path("DOE_JANE") / f"scan_{number}", "CT")
    assert len(settings.recent) == 12
    assert [entry.path.name for entry in settings.recent[:2]] == ["scan_13", "scan_14"]
    assert settings["last_folder"] == "DOE_JANE"
    settings["remember_recent"] = False
    settings.remember(Path("SECRET") / "scan", "CT")
    assert "SECRET" not in str(settings._values)


def test_recent_scans_are_told_apart_without_names():
    entry = Recent(Path("DOE_JANE") / "scan\tone", "CT and T1 MR", datetime(2025, 11, 2, 9, 5))
    assert entry.label == "CT and T1 MR, opened 2 Nov 09:05"
    assert Recent.from_text(entry.to_text()) == entry
    assert Recent.from_text("an older form") is None
    assert Recent.from_text("no time\tCT\tscan") is None


def test_forgetting_reaches_the_disk_at_once():
    settings = Settings()
    settings.remember(Path("DOE_JANE") / "scan.nii", "CT")
    settings.save()
    assert "DOE_JANE" in settings.path.read_text()
    settings.forget_recent()
    assert "DOE_JANE" not in settings.path.read_text()


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
