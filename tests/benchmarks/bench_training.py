"""Training steps per second: CycleGAN in the trainer against a plain float32 loop over the same networks, turn by turn.

    python tests/benchmarks/bench_training.py [--generator resnet_9] [--size 256] [--batch 1] [--rounds 5] [--device cpu]

The plain loop is what people write: forward, `backward`, `step`, in float32. The trainer's step can be undone, checks every loss
and gradient, and keeps its own random numbers. The median of the rounds' ratios counts. On a busy machine wall-clock time says
little: processor time is told as well, most trustworthy with OMP_NUM_THREADS=1 (threads that wait spin). The matrix rate is
measured in every round too; a share of it above 100 % means that the machine was too busy to tell. Drawing a batch is timed
beside it.
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


def operations(step: Callable[[SliceBatch], object], batch: SliceBatch) -> float:
    """Of one training step, as torch counts them."""
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        step(batch)
    return counter.get_total_flops()


def both_times(action: Callable[[], object], device: torch.device) -> tuple[float, float]:
    """Wall-clock and processor seconds."""
    start = time.process_time()
    wall = seconds_of(action, device)
    return wall, time.process_time() - start


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
    matrix = torch.randn(MATRIX, MATRIX, device=device, dtype=torch.bfloat16)
    steps = {
        "plain float32 loop": plain_step(config, device),
        "trainer, 32": trainer_step(config, device, "32"),
        "trainer, bf16-mixed": trainer_step(config, device, "bf16-mixed"),
        "matrix": lambda _batch: matrix @ matrix,
    }
    work = operations(steps["trainer, 32"], batches[0])
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in steps}
    for number, batch in enumerate(batches):
        for name, step in steps.items():
            taken = both_times(lambda step=step, batch=batch: step(batch), device)
            if number:  # the first round warms up
                times[name].append(taken)
    report(times, work, statistics.median(loading), device)


def report(times: dict[str, list[tuple[float, float]]], work: float, loading: float, device: torch.device) -> None:
    plain, matrix = times["plain float32 loop"], times.pop("matrix")
    for kind, name in enumerate(("wall-clock", "processor") if device.type == "cpu" else ("wall-clock",)):
        rate = 2 * MATRIX**3 / statistics.median(taken[kind] for taken in matrix)
        print(f"{name} time (matrix rate in bfloat16 {rate / 1e9:.0f} GFLOP/s)")
        for label, own in times.items():
            seconds = statistics.median(taken[kind] for taken in own)
            ratios = [one[kind] / other[kind] for one, other in zip(plain, own, strict=True)]
            each = " ".join(f"{ratio:.2f}" for ratio in ratios)
            print(f"  {label:20s} {seconds:7.3f} s a step, {statistics.median(ratios):5.2f} times the plain loop ({each}), "
                  f"{work / seconds / rate:4.0%} of the matrix rate")  # fmt: skip
    best = min(taken[0] for taken in times["trainer, bf16-mixed"])
    drawn = f"a batch is drawn in {1e3 * loading:.1f} ms, {loading / best:.2%} of a step (at most 5 %)"
    print(f"wanted: {WANTED[device.type]} times; {drawn}")


if __name__ == "__main__":
    main()
