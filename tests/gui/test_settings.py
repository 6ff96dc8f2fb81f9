from __future__ import annotations

import json
import os
import stat
from datetime import datetime
from pathlib import Path

import pytest
from PySide6.QtCore import Qt

from ctmri_core.volume import DicomSource
from ctmri_gui.private_paths import identity_of, looks_like_patient, tells_of_patient
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
        settings.remember(Path("scans") / f"scan_{number}", "CT")
    assert len(settings.recent) == 12
    assert [entry.path.name for entry in settings.recent[:2]] == ["scan_13", "scan_14"]
    assert settings["last_folder"] == "scans"
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
    settings.remember(Path("cohort") / "scan.nii", "CT")
    settings.save()
    assert "cohort" in settings.path.read_text()
    settings.forget_recent()
    assert "cohort" not in settings.path.read_text()


def patient(
    name: str = "Doe^Jane^M", number: str = "47-11/08", born: str = "19620413", accession: str = "ACC9913"
) -> DicomSource:
    values = {"00100010": {"Alphabetic": name}, "00100020": number, "00100030": born, "00080050": accession}
    attributes = {tag: {"vr": "LO", "Value": [value]} for tag, value in values.items()}
    return DicomSource("1.2.3", "1.2.4", "1.2.840.10008.5.1.4.1.1.2", None, (), attributes)


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("Doe^Jane", "ct_doe"),
        ("Doe^Jane", "headOfJane"),
        ("Doe^Jane", "471108_ct"),
        ("Doe^Jane", "ct-13.04.1962"),
        ("Doe^Jane", "acc9913"),
        ("Müller^Zoë", "mueller_head"),
        ("Müller^Zoë", "MULLER"),
        ("MUELLER^ZOE", "müller"),
        ("山田^太郎", "山田の頭"),
        ("Łukasz^Ørsted", "lukasz"),
        ("Li^Wei", "head of Li"),
    ],
)
def test_a_path_that_repeats_what_the_header_says_of_the_patient_is_not_remembered(tmp_path, name, part):
    settings, told = Settings(), []
    settings.keptOut.connect(lambda: told.append(1))
    for _ in range(2):
        settings.remember(tmp_path / part / "series", "CT", [patient(name)])
    assert settings.recent == ()
    assert settings["last_folder"] == ""
    assert told == [1]  # said once
    settings.save()
    assert part not in settings.path.read_text()


def test_a_name_in_the_file_alone_leaves_its_folder_to_start_from(tmp_path):
    settings = Settings()
    settings.remember(tmp_path / "doe.nii", "CT", [patient()])
    assert settings.recent == ()
    assert settings["last_folder"] == str(tmp_path)


@pytest.mark.parametrize("part", ["sleep", "study_2", "janitor", "ct_head", "phantom", "slices"])
def test_words_that_only_resemble_a_name_are_remembered(tmp_path, part):
    settings = Settings()
    settings.remember(tmp_path / part, "CT", [patient("Lee^Jan")] if part != "janitor" else [patient("Lee^Jon")])
    assert len(settings.recent) == 1


@pytest.mark.parametrize(
    "part",
    ["DOE^JANE", "Doe_Jane", "Doe, Jane", "JANE DOE 1962", "PAT00123", "MRN-48213", "20240512", "13.04.1962",
     "1.2.840.113619.2.55.3", "Nguyen.Van.An", "QX00012ZZ", "4711234", "John-Smith.nii.gz"],
)  # fmt: skip
def test_what_looks_like_a_patient_is_known_without_a_header(part):
    assert looks_like_patient(part)


@pytest.mark.parametrize(
    "part",
    ["CT_HEAD", "My Scans", "Program Files", "pytest-of-root", "sub-01_ses-02", "ct.nii.gz", "slice_00012.png", "IM000123",
     "000001.dcm", "visible_female_head_ct", "synthetic_mr_t1_003.nii.gz", "2022", "patient_01", "Documents"],
)  # fmt: skip
def test_ordinary_names_of_files_are_no_patients(part):
    assert not looks_like_patient(part)


def test_the_name_of_the_user_is_no_patients(monkeypatch, tmp_path):
    home = tmp_path / "DOE_JANE"
    monkeypatch.setattr(Path, "home", lambda: home)
    assert not tells_of_patient(home / "scans", [identity_of(patient())])
    assert tells_of_patient(home / "scans" / "doe", [identity_of(patient())])


def test_an_identity_says_nothing_of_itself():
    assert "doe" not in repr(identity_of(patient())).lower()


def test_the_form_is_made_from_the_table(qtbot):
    settings = Settings()
    dialog = SettingsDialog(settings)
    qtbot.addWidget(dialog)
    offered = {key for key, setting in SETTINGS.items() if setting.label and not setting.dock}
    assert set(dialog.fields) == offered
    changed = []
    settings.changed.connect(changed.append)
    dialog.findChild(object, "text_size").setValue(16)
    dialog.findChild(object, "translate_after_open").setChecked(False)
    dialog.accept()
    assert sorted(changed) == ["text_size", "translate_after_open"]
    assert settings["text_size"] == 16


def test_a_setting_goes_back_to_its_default_alone_or_with_all(qtbot):
    settings = Settings()
    settings["theme"], settings["text_size"], settings["remember_recent"] = "light", 18, False
    dialog = SettingsDialog(settings)
    qtbot.addWidget(dialog)
    field = dialog.fields["text_size"]
    assert not field.is_default and dialog.fields["device"].reset.isHidden()
    field.reset.click()
    assert field.value == 13 and field.reset.isHidden() and dialog.reset_all.isEnabled()
    dialog.reset_all.click()
    assert not dialog.reset_all.isEnabled()
    assert settings["theme"] == "light"  # nothing is kept before OK
    dialog.accept()
    assert (settings["theme"], settings["text_size"], settings["remember_recent"]) == ("dark", 13, True)


def test_settings_are_searched_by_all_that_is_said_of_them(qtbot):
    dialog = SettingsDialog(Settings())
    qtbot.addWidget(dialog)
    dialog.search.setText("graphics faster")
    assert [key for key, field in dialog.fields.items() if not field.isHidden()] == ["device"]
    assert {group for group, heading in dialog._headings.items() if not heading.isHidden()} == {"Computing"}
    dialog.search.setText("zebra")
    assert not dialog.none.isHidden()
    dialog.search.clear()
    assert all(not field.isHidden() for field in dialog.fields.values()) and dialog.none.isHidden()


def test_every_setting_that_is_offered_is_explained_in_a_group():
    for setting in SETTINGS.values():
        if setting.label:
            assert setting.help.endswith(".") and setting.group
            assert not setting.words or len(setting.words) == (len(setting.choices) or 1)


def test_the_form_is_walked_through_by_keyboard(qtbot):
    dialog = SettingsDialog(Settings())
    qtbot.addWidget(dialog)
    dialog.show()
    dialog.fields["theme"]._field.setFocus()
    walked = []
    for _ in range(12):
        focused = dialog.focusWidget()
        walked.append(focused.objectName())
        qtbot.keyClick(focused, Qt.Key.Key_Tab)
    offered = [key for key, setting in SETTINGS.items() if setting.label]
    assert set(offered[:4]) <= set(walked)
    dialog.close()


def test_what_was_opened_is_known_after_a_crash(tmp_path):
    settings = Settings()
    settings.remember(Path("cohort") / "scan.nii", "CT")
    assert [entry.path.name for entry in Settings().recent] == ["scan.nii"]  # nothing was closed
    settings.forget_recent()
    assert not Settings().recent
