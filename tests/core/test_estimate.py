"""What a run will take, and what to change where that is too much."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import psutil
import pytest

from ctmri_core.cli.main import main
from ctmri_core.domain import Direction
from ctmri_core.errors import TrainingFailed
from ctmri_core.events import Progress, finish, never
from ctmri_core.registry import find_card, method_cards
from ctmri_core.training.estimate import Estimate, estimate, fitting, smaller, with_changes
from ctmri_core.training.measuring import peak_memory
from ctmri_core.training.run_plan import RunPlan

WAY = Direction.parse("ct_to_mr_t1")
GIB = 2**30
TINY = {"generator": "resnet_6", "width": 4, "discriminator_width": 4, "receptive_field": 16}


def plan(method: str = "pix2pix", config: dict | None = None, **settings: object) -> RunPlan:
    usual = {"crop": 16, "batch_size": 2, "device": "cpu", "precision": "32", "tensorboard": False}
    return RunPlan.made(find_card(method), "phantom:3", WAY, config=TINY if config is None else config, settings=usual | settings)


def found(**facts: object) -> Estimate:
    usual = {"memory_bytes": 9 * GIB, "base_bytes": GIB // 2, "weights_bytes": GIB // 16, "free_bytes": 8 * GIB}
    return Estimate(**(usual | facts))


def test_a_real_plan_is_tried_in_a_process_of_its_own():
    events, work = [], estimate(plan(), 301, never)
    while True:
        try:
            events.append(next(work))
        except StopIteration as end:
            result = end.value
            break
    assert all(isinstance(event, Progress) for event in events)
    assert result.fits and not result.tight
    assert 100 * 2**20 < result.base_bytes < result.memory_bytes < result.free_bytes
    assert result.steps_per_epoch == 150
    assert result.seconds_per_epoch == pytest.approx(150 * result.seconds_per_step)
    assert 0 < result.weights_bytes < 2**20


def test_a_plan_that_cannot_be_trained_is_refused_in_words():
    with pytest.raises(TrainingFailed, match="--crop 36"):
        finish(estimate(plan(crop=36, config={"generator": "plain_unet"}), None, never))


def test_stopped_or_too_long_the_process_is_gone():
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    asked = iter(range(10**6))
    assert finish(estimate(plan(crop=512, batch_size=64), 9, lambda: next(asked) > 3)) is None
    with pytest.raises(TrainingFailed, match="took longer than 1 s"):
        finish(estimate(plan(crop=512, batch_size=64), 9, never, most_seconds=1))
    assert {child.pid for child in psutil.Process().children(recursive=True)} == before


def test_more_than_is_free_does_not_fit_and_the_process_is_ended(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("ctmri_core.training.estimate.free_memory", lambda: 200 * 2**20)
    result = finish(estimate(plan(), None, never))
    assert result is not None and not result.fits and result.tight and result.seconds_per_step is None


@pytest.mark.skipif(sys.platform != "linux", reason="limits the addresses of a process")
def test_what_the_system_allows_a_process_is_all_that_is_free():
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30)); import ctmri_core.training.estimate as e;"
        " print(e.free_memory())"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert GIB // 2 < int(said) < GIB


def test_peak_is_that_of_this_process_alone():
    """`getrusage` of a child on Linux would tell the peak of the process that started it."""
    held = np.ones(40 * 2**20 // 8)
    code = "from ctmri_core.training.measuring import peak_memory; import numpy; numpy.ones(8); print(peak_memory())"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert psutil.Process().memory_info().rss * 0.5 < peak_memory() < 64 * GIB
    assert 50 * 2**20 < int(said) < 4 * GIB
    del held


def test_fewer_slices_at_a_time_come_before_a_smaller_crop_and_that_before_narrower_networks():
    roomy, wide = plan(crop=256, batch_size=6, config={"generator": "resnet_9"}), {"generator": "resnet_9", "width": 64}
    assert smaller(roomy, found(memory_bytes=2 * GIB)) == {}
    assert smaller(roomy, found()) == {"settings": {"accumulate": 2}}
    assert smaller(roomy, found(free_bytes=3 * GIB)) == {"settings": {"accumulate": 6}}
    one = smaller(plan(crop=256, batch_size=1, config=wide), found())
    assert one == {"settings": {"crop": 192}}
    large = smaller(plan(crop=256, batch_size=4, config=wide), found(memory_bytes=400 * GIB, weights_bytes=GIB // 64))
    assert large["settings"]["accumulate"] == 4 and large["settings"]["crop"] < 256 and large["config"]["width"] < 64
    fixed = smaller(plan(crop=256, batch_size=1, config={"generator": "unet_256"}), found(memory_bytes=12 * GIB))
    assert fixed == {"config": {"width": 32, "discriminator_width": 32}}


@pytest.mark.parametrize("method", method_cards())
def test_what_is_offered_can_be_trained(method: str):
    usual = RunPlan.made(find_card(method), "phantom:3", find_card(method).example, settings={"batch_size": 4})
    changes = smaller(usual, found(memory_bytes=100 * GIB))
    changed = with_changes(usual, changes)
    changed.config.for_crop(changed.settings.crop)
    assert changed != usual
    assert changed.settings.batch_size == 4


def test_smaller_settings_are_tried_before_they_are_offered(monkeypatch: pytest.MonkeyPatch):
    asked = plan(batch_size=4)
    tried = []

    def measured(candidate: RunPlan, _slices: object, _stop: object):
        tried.append(candidate.settings.accumulate)
        yield Progress(done=0)
        return found(memory_bytes=(7 if candidate.settings.accumulate < 4 else 5) * GIB)

    monkeypatch.setattr("ctmri_core.training.estimate.estimate", measured)
    changes, last = finish(fitting(asked, found(), None, never)) or ({}, None)
    assert changes == {"settings": {"accumulate": 4}} and tried == [2, 4]
    assert last is not None and not last.tight


def test_the_command_line_says_it_in_words_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], one_thread: None
):
    """Its JSON is what `estimate` reads."""
    monkeypatch.chdir(tmp_path)
    words = ["train", "pix2pix", "--data", "phantom:3", "--direction", WAY.name, "--generator", "resnet_6", "--width", "4"]
    words += ["--discriminator-width", "4", "--receptive-field", "16", "--crop", "16", "--no-tensorboard", "--estimate"]
    assert main(words) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("memory: ") and "that are free on cpu" in said[0]
    assert said[1].startswith("time: ") and said[1].endswith("s per step")
    assert "when the data are prepared" in said[2]
    assert not list(tmp_path.iterdir())
