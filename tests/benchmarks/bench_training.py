"""Training steps per second: CycleGAN in the trainer against a plain float32 loop over the same networks, turn by turn.

    python tests/benchmarks/bench_training.py [--generator resnet_9] [--size 256] [--batch 1] [--rounds 5] [--device cpu]

The plain loop is what people write: forward, `backward`, `step`, in float32. The trainer's step can be undone, checks every loss
and gradient, and keeps its own random numbers. Best times count, so that other programs disturb both alike; the ratio of each
round is told as well. Drawing a batch from prepared slices is timed beside it.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from ctmri_core.data.augmentation import Augmentation
from ctmri_core.data.prepared_slices import PreparedCase, PreparedSlices
from ctmri_core.domain import Direction
from ctmri_core.events import never
from ctmri_core.method import SliceBatch
from ctmri_core.methods.cyclegan.card import CycleGanConfig
from ctmri_core.methods.cyclegan.method import CycleGan
from ctmri_core.training.optimisation import Optimisation
from ctmri_core.training.processes import choose_device, join_processes
from ctmri_core.training.random_state import RandomState
from ctmri_core.training.settings import TrainingSettings

DIRECTION = Direction.parse("ct_to_mr_t1")
MATRIX = 4096
WANTED = {"cpu": 1.6, "cuda": 2.0}


def prepared(folder: Path, size: int) -> PreparedSlices:
    """Two cases of smooth random slices, a little larger than the crop."""
    random, cases = np.random.default_rng(0), []
    for number in range(2):
        coarse = random.uniform(-1, 1, (20, 3, size // 8 + 4, size // 8 + 4))
        slices = np.kron(coarse, np.ones((1, 1, 8, 8)))
        slices[:, 2] = 1
        file = folder / f"case{number}.npy"
        np.save(file, slices.astype(np.float16))
        cases.append(PreparedCase(file, (DIRECTION.source, DIRECTION.target)))
    return PreparedSlices(cases, (DIRECTION.source, DIRECTION.target), paired=False)


def plain_step(config: CycleGanConfig, device: torch.device) -> Callable[[SliceBatch], object]:
    method = CycleGan(config, DIRECTION)
    for network in method.networks.values():
        network.to(device)
    optimisers = {
        group: torch.optim.Adam([each for name in names for each in method.networks[name].parameters()], 2e-4, (0.5, 0.999))
        for group, names in method.optimised.items()
    }

    def update(group: str, loss: torch.Tensor) -> None:
        optimisers[group].zero_grad()
        loss.backward()
        optimisers[group].step()

    return lambda batch: {name: float(value) for name, value in method.training_step(batch, update).items()}


def trainer_step(config: CycleGanConfig, device: torch.device, precision: str) -> Callable[[SliceBatch], object]:
    processes = join_processes(TrainingSettings(device=device.type), device, precision)
    optimisation = Optimisation(processes, CycleGan(config, DIRECTION), config, RandomState(0, device))
    return lambda batch: optimisation.step([batch], never)


def seconds_of(action: Callable[[], object], device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize()
    start = time.perf_counter()
    action()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start


def matrix_rate(device: torch.device) -> float:
    """Bfloat16 operations per second of a large matrix product."""
    a = torch.randn(MATRIX, MATRIX, device=device, dtype=torch.bfloat16)
    return 2 * MATRIX**3 / min(seconds_of(lambda: a @ a, device) for _ in range(5))


def operations(config: CycleGanConfig, device: torch.device, batch: SliceBatch) -> float:
    """Of one training step, as torch counts them."""
    from torch.utils.flop_counter import FlopCounterMode

    step = plain_step(config, device)
    with FlopCounterMode(display=False) as counter:
        step(batch)
    return counter.get_total_flops()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--generator", default="resnet_9")
    parser.add_argument("--device", default="auto")
    for flag, default in (("--width", 64), ("--size", 256), ("--batch", 1), ("--rounds", 5)):
        parser.add_argument(flag, type=int, default=default)
    arguments = parser.parse_args()
    device = choose_device(TrainingSettings(device=arguments.device))
    config = CycleGanConfig(generator=arguments.generator, width=arguments.width, discriminator_width=arguments.width)
    with tempfile.TemporaryDirectory() as folder:
        slices, augmentation = prepared(Path(folder), arguments.size), Augmentation(arguments.size)
        batches = [slices.training_batch(n, arguments.batch, augmentation, 0).to(device) for n in range(arguments.rounds + 1)]
        loading = [
            seconds_of(lambda n=n: slices.training_batch(n, arguments.batch, augmentation, 0).to(device), device)
            for n in range(20)
        ]
    rate, work = matrix_rate(device), operations(config, device, batches[0])
    steps = {
        "plain float32 loop": plain_step(config, device),
        "trainer, 32": trainer_step(config, device, "32"),
        "trainer, bf16-mixed": trainer_step(config, device, "bf16-mixed"),
    }
    times: dict[str, list[float]] = {name: [] for name in steps}
    for number, batch in enumerate(batches):
        for name, step in steps.items():
            seconds = seconds_of(lambda step=step, batch=batch: step(batch), device)
            if number:  # the first round warms up
                times[name].append(seconds)
    plain = times["plain float32 loop"]
    for name, own in times.items():
        ratios = " ".join(f"{one / other:.2f}" for one, other in zip(plain, own, strict=True))
        print(f"{name:20s} {1 / min(own):7.3f} steps/s  {min(plain) / min(own):5.2f} times the plain loop (by round: {ratios})")
    best = min(times["trainer, bf16-mixed"])
    share = f"{work / best / rate:.0%} of the matrix rate of {rate / 1e9:.0f} GFLOP/s in bfloat16"
    print(f"wanted: {WANTED[device.type]} times; bf16-mixed reaches {share}")
    print(f"a batch is drawn in {1e3 * statistics.median(loading):.1f} ms, {statistics.median(loading) / best:.2%} of a step")


if __name__ == "__main__":
    main()
