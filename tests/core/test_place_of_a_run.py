"""Where a new run may lie: nowhere among other things, and what is refused leaves nothing there."""

from __future__ import annotations

from pathlib import Path

import pytest

from ctmri_core.domain import Direction
from ctmri_core.errors import TrainingFailed
from ctmri_core.training.run_folder import RunFolder
from ctmri_core.training.settings import TrainingSettings
from ctmri_core.training.train import train

DIRECTION = Direction.parse("ct_to_mr_t1")


def refused(run: Path, data: str = "phantom:2") -> str:
    events = list(train("pix2pix", None, data, DIRECTION, run, TrainingSettings()))
    assert len(events) == 1 and events[0].reason == "failed"
    return events[0].message


def test_a_folder_of_other_things_and_a_file_are_refused_and_left_alone(tmp_path: Path):
    other = tmp_path / "scans"
    other.mkdir()
    (other / "ct.nii.gz").write_bytes(b"mine")
    assert refused(other) == "scans is no run, and not empty. Name a new folder for the run."
    assert [path.name for path in other.iterdir()] == ["ct.nii.gz"]
    assert "is a file" in refused(other / "ct.nii.gz") and (other / "ct.nii.gz").read_bytes() == b"mine"


def test_a_run_is_refused_before_its_prepared_slices_are_touched(tmp_path: Path):
    run = RunFolder(tmp_path / "run")
    for path in (run.checkpoint, run.prepared / "kept.npy", run.events):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    assert "holds a run already" in refused(run.path)
    assert (run.prepared / "kept.npy").exists() and run.events.read_bytes() == b""


def test_what_a_stopped_start_left_behind_is_begun_anew(tmp_path: Path):
    run = RunFolder(tmp_path / "run")
    run.check_free()
    run.prepared.mkdir(parents=True)
    run.check_free()
    (run.path / "empty").mkdir()
    run.check_free()
    with pytest.raises(TrainingFailed):
        RunFolder(tmp_path).check_free()


def test_what_cannot_begin_leaves_no_folder(tmp_path: Path):
    assert "does not exist" in refused(tmp_path / "run", str(tmp_path / "absent"))
    assert not (tmp_path / "run").exists()
