"""A reader study at the command line, from folders of pictures to answers that come back."""

from __future__ import annotations

import pytest

from ctmri_core.cli import main
from ctmri_core.studies.reading import Reading
from ctmri_core.studies.study_folder import StudyFolder
from tests.core.test_study_folder import answer
from tests.core.test_study_making import head, write


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("pictures")
    for case in range(13):
        real = head(case, (6, 32, 30))
        write(root / "real" / f"case{case}.nii.gz", real)
        write(root / "made" / f"case{case}.nii.gz", 2 * real)
    return root


@pytest.fixture(autouse=True)
def private_keys(tmp_path, monkeypatch):
    monkeypatch.setenv("CTMRI_CONFIG_DIR", str(tmp_path / "config"))


def create(folders, study, *more):
    return main(["study", "create", "--output", str(study), "--title", "Heads", "--cases", "11", "--readers", "R1,R2",
                 "--predictions", str(folders / "made"), "--truth", str(folders / "real"), "--direction", "ct_to_mr_t1",
                 "--practice", "2", "--relax", *more])  # fmt: skip


def test_a_study_goes_out_and_comes_back(folders, tmp_path, capsys):
    study, file = tmp_path / "study", tmp_path / "R2.ctmri-reader"
    assert create(folders, study) == 0 and "24 pictures of 12 patients" in capsys.readouterr().out
    assert main(["study", "check", str(study)]) == 0
    said = capsys.readouterr().out
    assert "with an area of" in said and "Not kept: one patient" in said
    assert main(["study", "pack", str(study), "--reader", "R2", "--output", str(file)]) == 1
    assert main(["study", "open", str(study), "--override", "a test"]) == 0
    assert main(["study", "open", str(study)]) == 1 and "is open" in capsys.readouterr().err
    assert main(["study", "reader", str(study), "--reader", "R3"]) == 0
    assert main(["study", "pack", str(study), "--reader", "R2", "--output", str(file)]) == 0
    with Reading(file) as reading:
        reading.answer(answer(reading.next_trial, "R2"))
        anchors = reading.finish()
    capsys.readouterr()
    assert main(["study", "merge", str(study), str(file.with_suffix(".ctmri-answers"))]) == 0
    assert str(anchors[0]) in capsys.readouterr().out
    assert main(["study", "merge", str(study), str(file)]) == 1 and "holds no answers" in capsys.readouterr().err
    assert main(["study", "status", str(study)]) == 0
    said = capsys.readouterr().out
    assert "R2: 1 of" in said and "R1: 0 of" in said and "by other hands" not in said
    assert StudyFolder(study).truth().said["override"] == "a test"


def test_what_cannot_be_is_said_in_words(folders, tmp_path, capsys):
    assert create(folders, tmp_path / "a", "--cases", "50") == 1
    assert "51 patients are needed, practice included, and 13 can be shown" in capsys.readouterr().err
    assert create(folders, tmp_path / "a", "--seed", "12") == 1
    assert "The study cannot be like this: seed" in capsys.readouterr().err
    assert create(folders, tmp_path / "a", "--readers", "Dr Smith") == 1
    assert "a code has letters" in capsys.readouterr().err and not (tmp_path / "a").exists()
    assert main(["study", "status", str(tmp_path)]) == 1 and "holds no items.json" in capsys.readouterr().err
