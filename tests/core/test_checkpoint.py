"""Checkpoints: everything comes back as it was, and nothing damaged comes back at all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from ctmri_core.errors import FileRefused, WriteFailed
from ctmri_core.training.checkpoint import load_checkpoint, save_checkpoint

try:
    import resource
except ImportError:  # Windows
    resource = None


def test_a_state_comes_back_exactly(tmp_path: Path):
    model = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2))
    optimiser = torch.optim.Adam(model.parameters(), betas=(0.5, 0.999))
    model(torch.rand(2, 1, 5, 5)).square().mean().backward()
    optimiser.step()
    state = {
        "model": dict(model.state_dict()), "optimiser": optimiser.state_dict(), "random": torch.get_rng_state(),
        "none": None, "flag": True, "number": 0.1 + 0.2, "name": "ü", "nested": [(1, [2.5]), {}],
    }  # fmt: skip
    save_checkpoint(tmp_path / "a.checkpoint", state)
    loaded = load_checkpoint(tmp_path / "a.checkpoint")
    _assert_equal(state, loaded)
    fresh = torch.optim.Adam(model.parameters())
    fresh.load_state_dict(loaded["optimiser"])
    assert fresh.param_groups[0]["betas"] == (0.5, 0.999)


def _assert_equal(a: object, b: object) -> None:
    assert type(a) is type(b)
    if isinstance(a, torch.Tensor):
        assert a.dtype == b.dtype and torch.equal(a, b)
    elif isinstance(a, dict):
        assert list(a) == list(b)
        for key in a:
            _assert_equal(a[key], b[key])
    elif isinstance(a, list | tuple):
        assert len(a) == len(b)
        for x, y in zip(a, b, strict=True):
            _assert_equal(x, y)
    else:
        assert a == b


def test_what_is_neither_number_nor_tensor_is_a_bug():
    with pytest.raises(TypeError):
        save_checkpoint(Path("never.checkpoint"), {"a": object()})


@pytest.fixture
def whole(tmp_path: Path) -> bytes:
    path = tmp_path / "whole.checkpoint"
    save_checkpoint(path, {"weights": torch.arange(64.0), "iteration": 3})
    return path.read_bytes()


def test_every_truncation_and_every_flipped_bit_is_refused(whole: bytes, tmp_path: Path):
    path = tmp_path / "damaged.checkpoint"
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        with pytest.raises(FileRefused):
            load_checkpoint(path)
    for position in range(8, len(whole)):
        damaged = bytearray(whole)
        damaged[position] ^= 1 << position % 8
        path.write_bytes(damaged)
        try:
            loaded = load_checkpoint(path)
        except FileRefused:
            continue
        assert loaded["iteration"] == 3 and torch.equal(loaded["weights"], torch.arange(64.0))  # a space in the header


def test_other_files_are_refused(tmp_path: Path):
    from safetensors.torch import save_file

    save_file({"a": torch.zeros(1)}, tmp_path / "other.checkpoint")
    for name, words in (("other.checkpoint", "no checkpoint of this program"), ("missing.checkpoint", "cannot be read")):
        with pytest.raises(FileRefused, match=words):
            load_checkpoint(tmp_path / name)


@pytest.mark.skipif(resource is None, reason="Windows limits no file sizes")
def test_an_unwritable_place_is_said_and_the_old_file_stays(tmp_path: Path):
    """The limit on the size of files stands for a full disk: the operating system refuses in the middle of the write."""
    path = tmp_path / "a.checkpoint"
    save_checkpoint(path, {"n": 1})

    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # so that the write itself fails, with EFBIG
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limit[1]))
    try:
        with pytest.raises(WriteFailed, match="could not be written: that disk takes no file of this size"):
            save_checkpoint(path, {"n": 2, "weights": torch.zeros(100_000)})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, before)
    assert load_checkpoint(path) == {"n": 1} and list(tmp_path.iterdir()) == [path]


_WRITER = """
import sys, torch
from pathlib import Path
from ctmri_core.training.checkpoint import save_checkpoint
n = 0
while True:
    n += 1
    save_checkpoint(Path(sys.argv[1]), {"n": n, "weights": torch.full((200_000,), float(n))})
    print(n, flush=True)
"""


@pytest.mark.skipif(os.name == "nt", reason="kill -9 is POSIX")
def test_a_killed_writer_leaves_the_latest_whole(tmp_path: Path):
    path = tmp_path / "latest.checkpoint"
    with subprocess.Popen([sys.executable, "-c", _WRITER, str(path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        process.stdout.readline()
        for pause in (0.013, 0.031, 0.007):
            time.sleep(pause)
            os.kill(process.pid, signal.SIGSTOP)  # as good as killed for the file: whatever is under the name now, stays
            loaded = load_checkpoint(path)
            assert bool((loaded["weights"] == loaded["n"]).all())
            os.kill(process.pid, signal.SIGCONT)
        process.kill()
    loaded = load_checkpoint(path)
    assert bool((loaded["weights"] == loaded["n"]).all())
