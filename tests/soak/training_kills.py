"""Kills training runs and checkpoint writers at random moments and compares what they end with.

    python tests/soak/training_kills.py [--kills 50] [--writes 200] [--steps 60] [--seed 0] [--processes]

R13: a paired and an unpaired run are killed `--kills` times each at random points and resumed; at its end the whole state has
the hash of the uninterrupted run. R14: a process that writes checkpoints without pause is killed `--writes` times; whatever
lies under the name then must load. `--processes`: the paired run once more in two processes, stopped and resumed once. Ends
with 1 when something was not as promised. POSIX only: runs are forked from this process, which has loaded everything they need.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from ctmri_core.data.preparation import PreparedData
from ctmri_core.data.prepared_slices import PreparedCase, PreparedSlices
from ctmri_core.domain import Direction
from ctmri_core.events import finish
from ctmri_core.method import MethodConfig
from ctmri_core.methods.cyclegan.card import CycleGanConfig
from ctmri_core.methods.pix2pix.card import Pix2PixConfig
from ctmri_core.model_card import TrainingData
from ctmri_core.preprocess.recipe import Recipe
from ctmri_core.registry import find_card, load_method
from ctmri_core.training.checkpoint import load_checkpoint, save_checkpoint
from ctmri_core.training.run_folder import RunFolder
from ctmri_core.training.settings import TrainingSettings
from ctmri_core.training.trainer import Trainer

WAY = Direction.parse("ct_to_mr_t1")
SMALL = {"generator": "resnet_6", "width": 4, "discriminator_width": 4, "receptive_field": 16}
METHODS: dict[str, MethodConfig] = {"pix2pix": Pix2PixConfig(**SMALL), "cyclegan": CycleGanConfig(**SMALL, pool_size=3)}


def data_in(folder: Path, *, paired: bool) -> PreparedData:
    domains = (WAY.source, WAY.target)
    cases = []
    for number in range(3):
        slices = np.random.default_rng(number).uniform(-1, 1, (4, 3, 24, 24))
        slices[:, 2] = 1
        file = folder / f"case{number}-{number:016x}.npy"
        np.save(file, slices.astype(np.float16))
        cases.append(PreparedCase(file, domains))
    train, validation = PreparedSlices(cases[1:], domains, paired=paired), PreparedSlices(cases[:1], domains)
    facts = TrainingData(what="noise", licence="none needed", cases=2)
    return PreparedData("noise", WAY, Recipe(multiple=4), train, validation, facts)


def settings_of(steps: int) -> TrainingSettings:
    return TrainingSettings(
        iterations=steps, batch_size=2, crop=16, precision="32", device="cpu", tensorboard=False, validate_every=7,
        validation_slices=2, schedule="plateau", patience=1, ema=0.9, checkpoint_seconds=0.02, accumulate=2,
    )  # fmt: skip


def train(method: str, data: PreparedData, folder: Path, steps: int) -> None:
    torch.set_num_threads(1)
    resume = RunFolder(folder).checkpoint.exists()
    result = finish(Trainer(find_card(method), METHODS[method], data, folder, settings_of(steps), resume=resume).run())
    assert result.reason == "completed", result.message


def state_hash(folder: Path) -> str:
    """Of everything that training goes on from, but not of the time it took."""
    digest = hashlib.sha256()

    def walk(value: object) -> None:
        if isinstance(value, torch.Tensor):
            digest.update(value.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
        elif isinstance(value, dict):
            for key, item in value.items():
                digest.update(str(key).encode())
                walk(item)
        elif isinstance(value, list | tuple):
            for item in value:
                walk(item)
        else:
            digest.update(repr(value).encode())

    state = load_checkpoint(RunFolder(folder).checkpoint)
    del state["seconds"]
    walk(state)
    return digest.hexdigest()


def forked(work: Callable[[], None]) -> int:
    """The number of a new process that does `work` and ends."""
    number = os.fork()
    if number == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            if status:
                traceback.print_exc()
            os._exit(status)
    return number


def killed_after(number: int, seconds: float) -> bool:
    """Whether the process was killed, before it had ended by itself."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        ended, status = os.waitpid(number, os.WNOHANG)
        if ended:
            assert status == 0, "a run failed"
            return False
        time.sleep(0.001)
    os.kill(number, signal.SIGKILL)
    return os.WIFSIGNALED(os.waitpid(number, 0)[1])


def kill_runs(method: str, folder: Path, steps: int, kills: int, chance: random.Random) -> bool:
    """R13 for one method."""
    data = data_in(folder, paired=find_card(method).needs == "paired")
    start = time.monotonic()
    os.waitpid(forked(lambda: train(method, data, folder / "whole", steps)), 0)
    whole, seconds = state_hash(folder / "whole"), time.monotonic() - start
    done = chains = lost = 0
    good = True
    while done < kills:
        chains += 1
        chain = folder / f"chain{chains}"
        while True:
            pause = chance.uniform(0.05, 1.0) * seconds if done < kills else 10**6
            before = _iteration(chain)
            if not killed_after(forked(lambda chain=chain: train(method, data, chain, steps)), pause):
                break
            done += 1
            lost += _iteration(chain) == before
        if state_hash(chain) != whole:
            good = False
            print(f"{method}: chain {chains} ended with another state")
    print(f"R13 {method}: {done} kills in {chains} runs of {steps} steps ({lost} before the next checkpoint), "
          f"{'all hashes equal' if good else 'HASHES DIFFER'}")  # fmt: skip
    return good


def _iteration(folder: Path) -> int:
    path = RunFolder(folder).checkpoint
    return int(load_checkpoint(path)["iteration"]) if path.exists() else -1


def kill_writers(folder: Path, writes: int, chance: random.Random) -> bool:
    """R14: between two kills at least one checkpoint is there; each must be whole and no older than the one before."""
    path, latest = folder / "latest.checkpoint", 0
    save_checkpoint(path, {"n": 0, "weights": torch.zeros(200_000)})

    def write() -> None:
        n = latest
        while True:
            n += 1
            save_checkpoint(path, {"n": n, "weights": torch.full((200_000,), float(n))})

    advanced = 0
    for _ in range(writes):
        assert killed_after(forked(write), chance.uniform(0.0, 0.05))
        state = load_checkpoint(path)
        if state["n"] < latest or not bool((state["weights"] == state["n"]).all()):
            print(f"R14: after {latest} came {state['n']}")
            return False
        advanced += state["n"] > latest
        latest = state["n"]
    save_checkpoint(path, {"n": latest + 1, "weights": torch.zeros(1)})
    left = [each.name for each in folder.iterdir() if each.name.startswith(".part-")]
    print(f"R14: {writes} kills, {advanced} after a new checkpoint, every one loads; unfinished files left: {len(left)}")
    return not left


def resume_processes(folder: Path) -> bool:
    """A run of two processes that goes on must end like one that did not stop: each has random numbers of its own."""
    words = [
        "--data", "phantom:2", "--direction", "ct_to_mr_t1", "--generator", "resnet_6", "--width", "4", "--receptive-field", "16",
        "--discriminator-width", "4", "--no-tensorboard", "--crop", "32", "--precision", "32", "--spacing-mm", "5",
        "--device", "cpu", "--batch-size", "2", "--validation-share", "0.5", "--devices", "2", "--schedule", "constant",
    ]  # fmt: skip
    begin = [sys.executable, "-m", "ctmri_core.cli", "train", "pix2pix", "--run"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    runs = {"whole": [[*words, "--iterations", "4"]], "parts": [[*words, "--iterations", "2"], ["--resume", "--iterations", "4"]]}
    for name, parts in runs.items():
        for flags in parts:
            subprocess.run([*begin, str(folder / name), *flags], env=environment, check=True, stdout=subprocess.DEVNULL)
    states = [load_checkpoint(RunFolder(folder / name).checkpoint)["optimisation"]["networks"] for name in ("whole", "parts")]
    same = all(torch.equal(states[0][net][key], states[1][net][key]) for net in states[0] for key in states[0][net])
    print(f"two processes, resumed once: {'same weights' if same else 'OTHER WEIGHTS'}")
    return same


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for flag, default in (("--kills", 50), ("--writes", 200), ("--steps", 60), ("--seed", 0)):
        parser.add_argument(flag, type=int, default=default)
    parser.add_argument("--processes", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for method in METHODS:
        load_method(method)
    chance, good = random.Random(arguments.seed), True
    with tempfile.TemporaryDirectory() as place:
        for method in METHODS:
            folder = Path(place) / method
            folder.mkdir()
            good &= kill_runs(method, folder, arguments.steps, arguments.kills, chance)
        writers = Path(place) / "writers"
        writers.mkdir()
        good &= kill_writers(writers, arguments.writes, chance)
        if arguments.processes:
            good &= resume_processes(Path(place))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
