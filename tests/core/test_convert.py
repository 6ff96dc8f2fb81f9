"""`ctmri convert`: every format into every other, by the command line as it is typed."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import cycle, islice
from pathlib import Path

import numpy as np
import pydicom
import pytest

from ctmri_core.cli import main
from ctmri_core.domain import Domain
from ctmri_core.events import Finished, Noted, finish, from_json
from ctmri_core.geometry import Geometry, rigid_transform
from ctmri_core.io.opening import open_volume
from ctmri_core.io.saving import save
from ctmri_core.volume import Finding, Synthetic, Volume
from tests.hostile.identifiers import plant_series

_TURN = rigid_transform((8.0, -15.0, 30.0), (0.0, 0.0, 0.0))[:3, :3]
GRID = Geometry((4, 16, 15), (3.3, 0.6667, 0.71), (-100.0, 20.0, -30.0), tuple(map(tuple, _TURN[:, ::-1].T.tolist())))
NAMES = {"a.nii.gz": (), "b.mha": (), "c.nrrd": (), "d": (), "e": ("--slices", "png")}


def _volume(**changes) -> Volume:
    voxels = np.random.default_rng(0).integers(-1024, 3000, GRID.shape).astype(np.int16)
    return replace(Volume(voxels, GRID, Domain.CT, findings=(Finding("gap", "One."),), history=("read from X",)), **changes)


@pytest.mark.parametrize(
    ("made", "targets"),
    [(None, 1), (Synthetic("demo", "ab" * 32), len(NAMES))],
    ids=["acquired, into the next", "synthetic, into every other"],
)
def test_formats_into_each_other(tmp_path, made, targets, capsys):
    volume = _volume(synthetic=made)
    for number, (start, options) in enumerate(NAMES.items(), 1):
        finish(save(volume, tmp_path / "in" / start, slices="png" if options else "dicom"))
        for end, flags in islice(cycle(NAMES.items()), number, number + targets):
            target = tmp_path / "out" / start / end
            assert main(["convert", str(tmp_path / "in" / start), "--output", str(target), *flags]) == 0
            again = open_volume(target)
            np.testing.assert_array_equal(again.voxels, volume.voxels)
            assert again.geometry.is_close(GRID, 1e-4 if "." in end or flags else 1e-3)
            assert (again.domain, (again.synthetic is None)) == (Domain.CT, made is None)
            assert again.findings == volume.findings
            assert capsys.readouterr().out == f"written: {target}\n"


def test_it_says_what_is_known_and_reminds_of_faces_and_burned_in_text(tmp_path, capsys):
    finish(save(_volume(), tmp_path / "a.nii"))
    command = ["convert", str(tmp_path / "a.nii"), "--output", str(tmp_path / "b"), "--deidentify", "--json"]
    assert main(command) == 0
    events = [from_json(line) for line in capsys.readouterr().out.splitlines()]
    noted = [event.message for event in events if isinstance(event, Noted)]
    assert noted[0] == "One." and "burned" in noted[1] and "face" in noted[2] and len(noted) == 3
    assert events[-1] == Finished(reason="completed", paths={"written": str(tmp_path / "b")})
    assert pydicom.dcmread(tmp_path / "b" / "IMG00001.dcm").PatientIdentityRemoved == "YES"


def test_a_patient_becomes_a_pseudonym(tmp_path):
    planted = plant_series(tmp_path / "in")
    assert main(["convert", str(planted.path), "--output", str(tmp_path / "a"), "--deidentify"]) == 0
    assert main(["convert", str(planted.path), "--output", str(tmp_path / "b")]) == 0
    given, kept = (pydicom.dcmread(tmp_path / name / "IMG00001.dcm") for name in ("a", "b"))
    assert str(given.PatientName).startswith("ANON-") and "PatientIdentityRemoved" not in kept
    assert (given.BodyPartExamined, given.PatientPosition) == ("HEAD", "HFS")
    assert str(kept.PatientID) in planted.allowed and str(given.PatientID) not in planted.allowed
    assert main(["convert", str(planted.path), "--output", str(tmp_path / "c"), "--pseudonym", "P-01"]) == 0
    assert pydicom.dcmread(tmp_path / "c" / "IMG00001.dcm").PatientID == "ANON-P-01"
    for name, status in ((str(kept.PatientID), 1), ("no name", 2)):
        try:
            ended = main(["convert", str(planted.path), "--output", str(tmp_path / "d"), "--pseudonym", name])
        except SystemExit as said:
            ended = said.code
        assert ended == status and not (tmp_path / "d").exists()
    (tmp_path / "with.dot").mkdir()
    command = ["convert", str(planted.path), "--output", str(tmp_path / "with.dot"), "--slices", "png"]
    assert main(command) == 0 and (tmp_path / "with.dot" / "README.txt").is_file()


def test_nothing_is_written_over(tmp_path, capsys):
    source = tmp_path / "a.nii"
    finish(save(_volume(), source))
    before = source.read_bytes()
    (tmp_path / "b.mha").write_text("mine")
    for arguments in ((source, "--overwrite"), (tmp_path / "b.mha",), (tmp_path / "c.xyz",), (tmp_path / "b.mha" / "c.nii",)):
        assert main(["convert", str(source), "--output", *map(str, arguments)]) == 1
    assert (source.read_bytes(), (tmp_path / "b.mha").read_text()) == (before, "mine")
    assert main(["convert", str(source), "--output", str(tmp_path / "b.mha"), "--overwrite"]) == 0
    assert open_volume(tmp_path / "b.mha").domain is Domain.CT
    assert main(["convert", str(source), "--output", str(tmp_path / "z.nii"), "--slices", "png"]) == 1
    said = capsys.readouterr().err
    for words in ("what was opened", "exists already", "must end in", "is a file, not a folder", "Leave one out"):
        assert words in said


def test_what_a_file_cannot_say_is_asked_for(tmp_path, capsys):
    source = finish(save(_volume(domain=Domain.UNKNOWN, voxels=np.full(GRID.shape, 7, np.int16)), tmp_path / "x.mha"))
    Path(f"{source}.provenance.json").unlink()
    assert main(["convert", str(source), "--output", str(tmp_path / "out")]) == 1
    assert "unknown modality" in capsys.readouterr().err
    assert main(["convert", str(source), "--output", str(tmp_path / "out"), "--modality", "mr_t2"]) == 0
    assert open_volume(tmp_path / "out").domain is Domain.MR_T2
    assert main(["convert", str(source), "--output", str(tmp_path / "y.nii"), "--spacing", "9,1,1"]) == 0
    assert open_volume(tmp_path / "y.nii").geometry.spacing == pytest.approx((9, 1, 1))
    assert json.loads((tmp_path / "y.nii.provenance.json").read_text())["findings"]
