"""Lets training run into what it cannot go on from: values that are not finite, too little memory, a full disk.

    python tests/soak/training_failures.py [--times 20] [--seed 0]

R15: each time at another step. The run must end with a `Finished` event that says in words what to do (too little memory: after
it has tried smaller parts of the batch, or go on with those), the checkpoint must load, be finite and be resumable. Limits on
the address space and on the size of files stand for a full memory and a full disk. Ends with 1 when something was not as
promised.
"""

from __future__ import annotations

import argparse
import random
import resource
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from training_kills import METHODS, WAY, data_in, forked

from ctmri_core.events import Finished, Noted, finish
from ctmri_core.method import SliceBatch
from ctmri_core.metrics.ssim import ssim
from ctmri_core.registry import find_card, load_method
from ctmri_core.training.checkpoint import load_checkpoint
from ctmri_core.training.run_folder import RunFolder
from ctmri_core.training.settings import TrainingSettings
from ctmri_core.training.trainer import Trainer

STEPS = 12
Damage = Callable[[], None]


def run(folder: Path, trouble: Callable[[SliceBatch], SliceBatch], at: int, *, resume: bool = False) -> None:
    """Trains with `trouble` in the `at`-th call of the method's step."""
    kind, calls = load_method("cyclegan"), [0]
    step = kind.training_step

    def troubled(self, batch, update):
        calls[0] += 1
        return step(self, trouble(batch) if calls[0] == at else batch, update)

    kind.training_step = troubled
    torch.set_num_threads(1)
    settings = TrainingSettings(
        iterations=STEPS, batch_size=4, crop=16, precision="32", device="cpu", tensorboard=False, checkpoint_seconds=0.0,
        validate_every=5, validation_slices=2,
    )  # fmt: skip
    data = data_in(folder.parent, paired=False)
    finish(Trainer(find_card("cyclegan"), METHODS["cyclegan"], data, folder, settings, resume=resume).run())


def not_a_number(batch: SliceBatch) -> SliceBatch:
    batch[WAY.target][0, 0, 3, 3] = float("nan")
    return batch


def too_little_memory(batch: SliceBatch) -> SliceBatch:
    """The kernel refuses from now on all but what is there already and a little more."""
    allow_no_more_than(2**26)
    large = torch.cat([batch[WAY.source]] * 400)
    return SliceBatch(dict.fromkeys(batch.pictures, large), dict.fromkeys(batch.masks, large))


def hardly_any_memory(batch: SliceBatch) -> SliceBatch:
    """Enough for most of what follows: it runs out in whichever place asks for more, a checkpoint or a picture too."""
    allow_no_more_than(random.randrange(2**22))
    return batch


def allow_no_more_than(size: int) -> None:
    """From now on, beside what this process has already."""
    pages = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (pages + size, resource.RLIM_INFINITY))


def full_disk(batch: SliceBatch) -> SliceBatch:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))
    return batch


def judge(folder: Path, words: str) -> str:
    """What was wrong, or nothing. Without `words`, the run may as well have come to its end."""
    events = RunFolder(folder).read_events()
    said = [event.message for event in events if isinstance(event, Noted | Finished)]
    if not isinstance(events[-1], Finished) or not any(words in message for message in said):
        return f"it ended with {events[-1]}"
    state = load_checkpoint(RunFolder(folder).checkpoint)
    networks = state["optimisation"]["networks"].values()
    if not all(bool(torch.isfinite(value).all()) for network in networks for value in network.values()):
        return "the checkpoint is not finite"
    forked_and_waited(lambda: run(folder, lambda batch: batch, 0, resume=True))
    last = RunFolder(folder).read_events()[-1]
    return "" if isinstance(last, Finished) and last.reason == "completed" else f"it could not be resumed: {last}"


def forked_and_waited(work: Callable[[], None]) -> None:
    import os

    os.waitpid(forked(work), 0)


TROUBLES = (
    ("not finite", not_a_number, "Try a lower learning rate"),
    ("memory", too_little_memory, "did not fit the memory"),
    ("hardly any memory", hardly_any_memory, ""),
    ("disk", full_disk, "could not be written"),
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    load_method("cyclegan")
    ssim(np.zeros((9, 9), np.float32), np.ones((9, 9), np.float32), data_range=2.0)  # its compiler is a large library of its own
    chance, wrong = random.Random(arguments.seed), 0
    with tempfile.TemporaryDirectory() as place:
        for name, trouble, words in TROUBLES:
            failures = []
            for number in range(arguments.times):
                folder, at = Path(place) / f"{name} {number}", chance.randrange(2, STEPS)
                forked_and_waited(lambda folder=folder, trouble=trouble, at=at: run(folder, trouble, at))
                failures += [f"  at step {at}: {problem}" for problem in [judge(folder, words)] if problem]
            print(f"R15 {name}: {arguments.times} times, {len(failures)} not as promised", *failures, sep="\n")
            wrong += len(failures)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
