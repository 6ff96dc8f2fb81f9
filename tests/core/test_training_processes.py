"""Several processes that train one model."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from ctmri_core.cli import main
from ctmri_core.domain import Direction
from ctmri_core.events import Finished, Progress, Started, from_json
from ctmri_core.training.run_folder import RunFolder
from ctmri_core.training.settings import TrainingSettings
from ctmri_core.training.train import train

FLAGS = [
    "--data", "phantom:2", "--direction", "ct_to_mr_t1", "--generator", "resnet_6", "--width", "4", "--discriminator-width", "4",
    "--receptive-field", "16", "--norm", "instance", "--no-dropout", "--no-tensorboard", "--crop", "32", "--precision", "32",
    "--spacing-mm", "5", "--device", "cpu", "--batch-size", "4", "--validation-slices", "2", "--validation-share", "0.5",
]  # fmt: skip


def _run(folder: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ctmri_core.cli", "train", "pix2pix", "--run", str(folder), *flags]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )


def test_two_processes_train_what_one_trains_with_the_joined_batch(tmp_path: Path, one_thread: None):
    """Instance norm and no pool. Resuming with several processes is in `tests/soak/training_kills.py`."""
    assert main(["train", "pix2pix", "--run", str(tmp_path / "one"), *FLAGS, "--iterations", "3"]) == 0
    outcome = _run(tmp_path / "two", *FLAGS, "--devices", "2", "--iterations", "3", "--json")
    assert outcome.returncode == 0, outcome.stderr
    told = [from_json(line) for line in outcome.stdout.splitlines()]  # by one process alone
    told = [event for event in told if not isinstance(event, Progress)]
    assert told == RunFolder(tmp_path / "two").read_events()
    assert isinstance(told[0], Started) and told[0].details["processes"] == 2
    assert isinstance(told[-1], Finished) and told[-1].reason == "completed"

    name = "pix2pix-ct_to_mr_t1-last.safetensors"
    one, two = (load_file(tmp_path / folder / "models" / name) for folder in ("one", "two"))
    assert one.keys() == two.keys()
    for key in one:
        if key.endswith("weight") or key == "model.23.bias":  # other biases stand before a norm: their gradient is rounding alone
            torch.testing.assert_close(one[key], two[key], rtol=0, atol=1e-6, msg=key)


def test_a_batch_must_be_shared_equally():
    with pytest.raises(ValueError, match="shared equally"):
        TrainingSettings(batch_size=3, devices=2)
    assert TrainingSettings(batch_size=12, devices=2, nodes=3, accumulate=2).processes == 6


def test_a_window_does_not_start_itself_anew(tmp_path: Path):
    settings = TrainingSettings(batch_size=2, devices=2, device="cpu", crop=32)
    work = train("cyclegan", None, "phantom:2", Direction.parse("ct_to_mr_t1"), tmp_path, settings)
    [event] = list(work)
    assert isinstance(event, Finished) and event.reason == "failed" and "ctmri train" in event.message
