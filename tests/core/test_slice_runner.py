"""Slices as the memory allows: patches without seams, smaller ones when memory fails, and nothing done twice."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import psutil
import pytest
import torch
from torch import nn

from ctmri_core.errors import CtmriError, OutOfMemory, Stopped
from ctmri_core.events import Noted, Started, finish, never
from ctmri_core.geometry import Geometry
from ctmri_core.inference.order import Order
from ctmri_core.inference.precision import Plan
from ctmri_core.inference.slice_runner import SliceRunner
from ctmri_core.inference.translate import translate_as
from ctmri_core.model_file import LoadedModel
from ctmri_core.networks.initialisation import initialise_normal
from ctmri_core.registry import build_generator
from tests.core.known_models import PLAN, Line, model, nominal, scan, unit


@pytest.fixture(autouse=True)
def on_one_thread(one_thread):
    """Networks this small are slowed by a second one."""


def pictures(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).random(shape, np.float32) * 2 - 1


class Near(nn.Module):
    """Sees 4 pixels to either side."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layers = nn.Sequential(nn.Conv2d(1, 4, 5, padding=2), nn.Tanh(), nn.Conv2d(4, 1, 5, padding=2))

    def forward(self, x):
        return self.layers(x)


class Hungry(nn.Module):
    """Fails above so many pixels, as a device without memory does; counts those that it answered."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most, self.answered, self.failed = most, 0, 0

    def forward(self, x):
        if x.numel() > self.most:
            self.failed += 1
            raise torch.OutOfMemoryError("CUDA out of memory")
        self.answered += len(x)
        return 2 * x


@pytest.mark.parametrize("shape", [(64, 64), (70, 101), (33, 150), (48, 47), (97, 48)])
@pytest.mark.parametrize(("patch", "overlap"), [(48, None), (48, 20), (33, 16), (64, 32)])
def test_patches_of_a_network_that_sees_less_than_they_overlap_are_the_whole(shape, patch, overlap):
    network, slices = Near(), pictures(3, 1, *shape)
    overlap = 16 if overlap is None else overlap
    whole = SliceRunner(network, PLAN, 2, multiple=1).answers(slices, never)
    parts = SliceRunner(network, PLAN, 2, patch=patch, overlap=overlap, multiple=1).answers(slices, never)
    np.testing.assert_allclose(parts, whole, atol=1e-5)


@pytest.mark.parametrize("overlap", [0, 1, 7, 16, None])
def test_weights_sum_to_one_everywhere(overlap):
    runner = SliceRunner(nn.Identity(), PLAN, 1, patch=40, overlap=overlap, multiple=4)
    slices = pictures(2, 1, 132, 76)
    np.testing.assert_allclose(runner.answers(slices, never), slices[:, 0], atol=1e-6)


def test_patches_have_sizes_that_the_network_takes():
    seen = []
    network = nn.Identity()
    network.register_forward_pre_hook(lambda _module, given: seen.append(given[0].shape[2:]))
    runner = SliceRunner(network, PLAN, 1, patch=50, multiple=16)
    runner.answers(pictures(1, 1, 112, 32), never)
    assert runner.patch == 48 and set(seen) == {(48, 32)}


def test_a_stop_is_asked_for_between_patches():
    asked = iter([False] * 3 + [True] * 100)
    with pytest.raises(Stopped):
        SliceRunner(Line(), PLAN, 1, patch=32).answers(pictures(1, 1, 128, 128), lambda: next(asked))


def test_a_batch_that_does_not_fit_is_halved_for_good_and_nothing_is_done_twice():
    network, slices = Hungry(3 * 64), pictures(14, 1, 8, 8)
    runner = SliceRunner(network, PLAN, 8)
    np.testing.assert_allclose(runner.answers(slices, never), 2 * slices[:, 0])
    assert (runner.batch, runner.patch, network.answered, network.failed) == (2, None, 14, 2)
    runner.answers(slices, never)
    assert network.failed == 2


def test_a_slice_that_does_not_fit_is_cut_in_ever_smaller_patches():
    network, slices = Hungry(50 * 50), pictures(2, 1, 128, 100)
    runner = SliceRunner(network, PLAN, 2)
    np.testing.assert_allclose(runner.answers(slices, never), 2 * slices[:, 0], rtol=1e-6)
    assert (runner.batch, runner.patch) == (1, 32)


def test_what_fits_in_no_way_is_said_in_words():
    with pytest.raises(OutOfMemory, match="One slice of 64 x 64 pixels does not fit the memory of cpu"):
        SliceRunner(Hungry(1000), PLAN, 2).answers(pictures(2, 1, 64, 64), never)
    with pytest.raises(OutOfMemory, match="48 x 40"):
        SliceRunner(Hungry(1000), PLAN, 2).answers(pictures(2, 1, 48, 40), never)


def test_other_failures_pass_through():
    class Broken(nn.Module):
        def forward(self, x):
            raise RuntimeError("a shape that does not fit")

    with pytest.raises(RuntimeError, match="does not fit"):
        SliceRunner(Broken(), PLAN, 2).answers(pictures(2, 1, 64, 64), never)


_LIMITED = """
import resource
import numpy as np, torch
from torch import nn
from ctmri_core.inference.precision import Plan
from ctmri_core.inference.slice_runner import SliceRunner
torch.set_num_threads(1)
torch.manual_seed(0)
network = nn.Sequential(nn.Conv2d(1, 64, 3, padding=1), nn.ReLU(), nn.Conv2d(64, 1, 3, padding=1)).eval()
slices = np.random.default_rng(0).random((2, 1, 512, 512), np.float32)
small = SliceRunner(network, Plan("cpu", torch.float32, False, 1, 0.0), 1)
whole = small.answers(slices, lambda: False)
runner = SliceRunner(network, Plan("cpu", torch.float32, False, 2, 0.0), 2)
with open("/proc/self/statm") as told:
    used = int(told.read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 100 * 2**20, resource.RLIM_INFINITY))
answer = runner.answers(slices, lambda: False)
resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
print(runner.batch, runner.patch, float(np.abs(answer - whole).max()))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs a limit of the address space")
def test_memory_that_really_ends_makes_patches():
    environment = {"OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1", "PYTHONPATH": ":".join(path for path in sys.path if path)}
    done = subprocess.run(
        [sys.executable, "-c", _LIMITED], capture_output=True, text=True, env=environment, check=False
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    batch, patch, difference = done.stdout.split()
    assert (batch, patch in ("256", "128", "64")) == ("1", True) and float(difference) < 1e-5


def test_a_translation_goes_on_in_patches_where_memory_ends_and_says_so(monkeypatch):
    monkeypatch.setattr("ctmri_core.inference.engine.choose_plan", lambda *_: PLAN)

    class Hungrier(Line):
        """Memory that becomes short after three slices."""

        def forward(self, x):
            if len(self.calls) > 2 and x.shape[-1] > 64:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return super().forward(x)

    source = scan(Geometry((7, 104, 120), (4, 2, 2)))
    events = list(translate_as(source, model(Hungrier()), Order(batch=1)))
    made = finish(translate_as(source, model(Hungrier()), Order(batch=1))).volume
    np.testing.assert_allclose(made.voxels, nominal(0.1 - 0.8 * unit(source)), atol=2e-3)
    notes = [event.message for event in events if isinstance(event, Noted)]
    assert "Memory did not suffice; going on with 1 at a time, in patches of 60 pixels." in notes
    finding = next(finding for finding in made.findings if finding.kind == "patches")
    assert "patches of 60 pixels" in finding.message and made.synthetic.details["patch"] == 60


def test_patches_are_chosen_before_where_memory_is_short(monkeypatch):
    plan = Plan("cpu", torch.float32, False, 2, 0.01, 4 * psutil.virtual_memory().available)
    monkeypatch.setattr("ctmri_core.inference.engine.choose_plan", lambda *_: plan)
    source = scan(Geometry((5, 128, 128), (4, 2, 2)))
    events = list(translate_as(source, model(), Order()))
    started = next(event for event in events if isinstance(event, Started))
    assert 40 <= started.details["patch"] <= 60  # of 128, for a fifth of the memory that a slice takes
    assert any(isinstance(event, Noted) and "translated in patches of" in event.message and not event.serious for event in events)
    made = finish(translate_as(source, model(), Order())).volume
    np.testing.assert_allclose(made.voxels, nominal(0.1 - 0.8 * unit(source)), atol=2e-3)


def test_patches_that_were_asked_for_are_no_finding(monkeypatch):
    monkeypatch.setattr("ctmri_core.inference.engine.choose_plan", lambda *_: PLAN)
    source = scan(Geometry((5, 128, 100), (4, 2, 2)))
    line = Line()
    made = finish(translate_as(source, model(line), Order(patch=50, overlap=10))).volume
    np.testing.assert_allclose(made.voxels, nominal(0.1 - 0.8 * unit(source)), atol=2e-3)
    assert {shape[2:] for shape in line.calls} == {(48, 48)}
    assert not [finding for finding in made.findings if finding.kind == "patches"]
    assert made.synthetic.details["asked"] == {"patch": 50, "overlap": 10}


def test_a_precision_that_is_wished_for_is_taken_or_refused():
    card = model().card
    loaded = LoadedModel(initialise_normal(build_generator(card)).eval(), card)
    for precision in ("float32", "bfloat16"):
        made = finish(translate_as(scan(), loaded, Order(precision=precision))).volume
        assert made.synthetic.details["precision"].split(",")[0] == precision
    with pytest.raises(CtmriError, match="cannot be run in float16 on cpu"):
        finish(translate_as(scan(), loaded, Order(precision="float16", device="cpu")))
