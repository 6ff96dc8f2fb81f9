"""What a person decided about cases: kept, read back, heeded by preparation; damaged or of other files it is not used."""

from __future__ import annotations

import json
import os
from pathlib import Path

import nibabel
import numpy as np
import pytest

from ctmri_core.cli.main import main
from ctmri_core.data.case_sources import find_cases
from ctmri_core.data.dataset import DatasetFolder
from ctmri_core.data.decisions import DECISIONS, Decisions, Placement
from ctmri_core.domain import Domain
from ctmri_core.errors import FileRefused
from ctmri_core.geometry import Geometry, rigid_transform
from ctmri_core.preprocess.spatial_transform import SpatialTransform, Spline

PAIR = (Domain.CT, Domain.MR_T1)
LPS = np.diag([-1.0, -1.0, 1.0, 1.0])  # NIfTI counts to the right and to the front
MOVED = rigid_transform((4.0, -3.0, 8.0), (9.0, -6.0, 5.0))  # LPS: where the second patient's MR is put


def write_patients(folder: Path, misplaced: str = "") -> Path:
    """Three balls of water with a hole beside the middle, and their MR."""
    affine = np.diag([-2.0, -2.0, 3.0, 1.0])
    k, j, i = np.mgrid[0:14, 0:40, 0:40]
    for n, name in enumerate(("anna", "bert", "cleo")):
        body = ((j - 19.5) ** 2 + (i - 19.5) ** 2 < (11 + n) ** 2) & (k >= 2) & ~((j > 22) & (i > 24))
        noise = np.random.default_rng(n).normal(0, 10, body.shape)
        pictures = {"ct": np.where(body, 40 + noise + 9 * k, -1000), "mr": np.where(body, 300 + 3 * noise + 40 * k, 0)}
        (folder / name).mkdir(parents=True)
        for kind, voxels in pictures.items():
            there = LPS @ MOVED @ LPS @ affine if kind == "mr" and name == misplaced else affine
            nibabel.save(nibabel.Nifti1Image(voxels.T.astype(np.int16), there), folder / name / f"{kind}.nii.gz")
    return folder


def prepare(scans: Path, out: Path, *flags: str) -> dict[int, np.ndarray]:
    """By number of the case, what was prepared of it."""
    command = ["prepare", str(scans), "--out", str(out), "--domains", "ct,mr_t1", "--spacing-mm", "4", *flags]
    assert main(command) == 0
    return {case.check.number: np.load(out / case.file) for case in DatasetFolder(out).read().cases if case.check is not None}


def second(scans: Path):
    return find_cases(scans, PAIR).cases[1]


def test_an_accepted_position_puts_a_misplaced_picture_where_it_was(tmp_path: Path):
    straight = prepare(write_patients(tmp_path / "straight"), tmp_path / "a")
    scans, out = write_patients(tmp_path / "scans", misplaced="bert"), tmp_path / "b"
    case = second(scans)
    own = Placement.of(Domain.MR_T1, Domain.CT, SpatialTransform(MOVED), "by hand", case)
    out.mkdir()
    Decisions().placing(case, [own]).write(out)
    laid = prepare(scans, out)
    assert straight.keys() == laid.keys() == {1, 2, 3}
    assert np.array_equal(straight[1], laid[1]) and np.array_equal(straight[3], laid[3])
    assert np.abs(straight[2].astype(float) - laid[2]).max() < 0.02, "a grid moved there and back differs in its last digits"
    apart = prepare(scans, tmp_path / "c")
    assert np.abs(straight[2].astype(float) - apart[2]).max() > 1


def test_another_decision_prepares_that_case_alone_anew(tmp_path: Path, capsys):
    scans, out = write_patients(tmp_path / "scans", misplaced="bert"), tmp_path / "out"
    before = prepare(scans, out)
    files = {case.check.number: out / case.file for case in DatasetFolder(out).read().cases}
    stamps = {number: path.stat().st_mtime_ns for number, path in files.items()}
    case = second(scans)
    Decisions().placing(case, [Placement.of(Domain.MR_T1, Domain.CT, SpatialTransform(MOVED), "", case)]).write(out)
    after = prepare(scans, out)
    assert not np.array_equal(before[2], after[2])
    assert {number for number, path in files.items() if path.stat().st_mtime_ns != stamps[number]} == {2}


def test_cases_left_out_are_not_prepared_and_keep_their_numbers(tmp_path: Path, capsys):
    scans, out = write_patients(tmp_path / "scans"), tmp_path / "out"
    prepare(scans, out)
    decisions = Decisions()
    decisions = decisions.leaving_out([decisions.key(second(scans))])
    decisions.write(out)
    assert prepare(scans, out).keys() == {1, 3}
    assert "1 of 3 cases is left out by hand" in capsys.readouterr().err
    assert len(list(out.glob("*.npy"))) == 2
    Decisions.read(out).leaving_out([decisions.key(second(scans))], out=False).write(out)
    assert prepare(scans, out).keys() == {1, 2, 3}


def test_a_position_of_other_files_is_not_used_and_that_is_said(tmp_path: Path, capsys):
    scans, out = write_patients(tmp_path / "scans"), tmp_path / "out"
    straight = prepare(scans, tmp_path / "straight")
    case = second(scans)
    out.mkdir()
    Decisions().placing(case, [Placement.of(Domain.MR_T1, Domain.CT, SpatialTransform(MOVED), "", case)]).write(out)
    os.utime(scans / "bert" / "ct.nii.gz", (1, 1))
    assert np.array_equal(prepare(scans, out)[2], straight[2])
    assert "Case 2: a position was accepted for other files" in capsys.readouterr().err


def test_neither_names_nor_folders_stand_in_the_file(tmp_path: Path):
    scans, out = write_patients(tmp_path / "scans"), tmp_path
    case = second(scans)
    kept = Decisions().placing(case, [Placement.of(Domain.MR_T1, Domain.CT, SpatialTransform(MOVED), "", case)])
    kept.leaving_out([kept.key(case)]).write(out)
    text = (out / DECISIONS).read_text()
    assert "bert" not in text and "scans" not in text and (out / DECISIONS).stat().st_mode & 0o077 == 0


def test_a_bent_position_comes_back_to_the_last_digit(tmp_path: Path):
    scans = write_patients(tmp_path / "scans")
    numbers = np.random.default_rng(0).normal(0, 3, (3, 5, 6, 7))
    spline = Spline(Geometry((5, 6, 7), (30.0, 20.0, 25.0), (-4.0, 3.0, 1.5)), numbers)
    matrix = np.array(MOVED)
    matrix[0, 0] *= 1.03
    placed = Placement.of(Domain.MR_T1, Domain.CT, SpatialTransform(matrix, spline), "", second(scans))
    Decisions().placing(second(scans), [placed]).write(tmp_path)
    (back,) = Decisions.read(tmp_path).placements(second(scans))
    assert back == placed and back.transform().spline is not None
    assert np.array_equal(back.transform().spline.coefficients, numbers) and np.array_equal(back.transform().matrix, matrix)
    assert back.transform().spline.grid.is_close(spline.grid)


@pytest.mark.parametrize("spoil", [
    lambda told: told | {"format": "other"},
    lambda told: told | {"left_out": ["../x"]},
    lambda told: told | {"placed": {"0" * 16: [{"domain": "mr_t1", "fixed": "ct", "stamp": "", "matrix": [0] * 16}]}},
    lambda told: told | {"placed": {"0" * 16: [
        {"domain": "mr_t1", "fixed": "ct", "stamp": "", "matrix": np.eye(4).ravel().tolist(), "spline": [1.0]}
    ]}},
])  # fmt: skip
def test_damaged_decisions_are_refused(tmp_path: Path, spoil):
    Decisions().write(tmp_path)
    told = json.loads((tmp_path / DECISIONS).read_text())
    (tmp_path / DECISIONS).write_text(json.dumps(spoil(told)))
    with pytest.raises(FileRefused, match="decide again"):
        Decisions.read(tmp_path)


def test_a_folder_with_other_things_is_refused_and_one_with_decisions_is_not(tmp_path: Path, capsys):
    scans, out = write_patients(tmp_path / "scans"), tmp_path / "out"
    out.mkdir()
    Decisions().write(out)
    assert prepare(scans, out).keys() == {1, 2, 3}
    other = tmp_path / "other"
    other.mkdir()
    (other / "letter.txt").write_text("not ours")
    assert main(["prepare", str(scans), "--out", str(other)]) != 0
    assert "holds no prepared slices" in capsys.readouterr().err


def test_registration_may_change_sizes_where_that_is_asked_for(tmp_path: Path):
    """The option leads to another made-from, so that nothing made otherwise is taken for it."""
    scans, out = write_patients(tmp_path / "scans"), tmp_path / "out"
    prepare(scans, out)
    rigid = DatasetFolder(out).read().made_from
    prepare(scans, out, "--align-kind", "affine")
    assert DatasetFolder(out).read().made_from["align"] == "no affine" != rigid["align"]
