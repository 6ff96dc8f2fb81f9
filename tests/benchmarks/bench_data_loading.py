"""What drawing a batch costs, as a share of CycleGAN's training step (ResNet-9, 256 x 256, batch 1, identity loss on).

    python tests/benchmarks/bench_data_loading.py [steps]

Compared with decoding the same slice from PNG files each time, which is what the prepared slices are for.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from ctmri_core.data.augmentation import Augmentation
from ctmri_core.data.batches_ahead import BatchesAhead
from ctmri_core.data.prepared_slices import PreparedCase, PreparedSlices
from ctmri_core.domain import Direction, Domain
from ctmri_core.method import SliceBatch
from ctmri_core.methods.cyclegan.card import CARD
from ctmri_core.registry import load_method

PAIR = (Domain.CT, Domain.MR_T1)
FULL = Augmentation(256, degrees=10, scale=0.1, gamma=0.3, bias=0.2, noise=0.03)


def slices(folder: Path, cases: int = 8, count: int = 60, edge: int = 300) -> PreparedSlices:
    random = np.random.default_rng(0)
    prepared = []
    for n in range(cases):
        planes = random.uniform(-1, 1, (count, 3, edge, edge)).astype(np.float16)
        planes[:, 2] = 1
        np.save(folder / f"{n}.npy", planes)
        prepared.append(PreparedCase(folder / f"{n}.npy", PAIR))
    return PreparedSlices(prepared, PAIR, paired=False)


def timed(make: Callable[[int], object], steps: int, first: int = 0) -> float:
    begun = time.perf_counter()
    for n in range(first, first + steps):
        make(n)
    return (time.perf_counter() - begun) / steps


def train_step(device: torch.device) -> Callable[[SliceBatch], None]:
    """One CycleGAN step on what it is given, bf16 where the device is CUDA."""
    method = load_method("cyclegan")(CARD.config(), Direction(*PAIR))
    for name, network in method.networks.items():
        method.networks[name] = network.to(device)
    groups = {
        group: torch.optim.Adam([p for name in names for p in method.networks[name].parameters()], 2e-4)
        for group, names in method.optimised.items()
    }

    def update(group: str, loss: torch.Tensor) -> None:
        groups[group].zero_grad()
        loss.backward()
        groups[group].step()

    def step(batch: SliceBatch) -> None:
        with torch.autocast(device.type, torch.bfloat16):
            losses = method.training_step(batch.to(device), update)
        sum(float(loss) for loss in losses.values())  # waits for the device

    return step


def main(steps: int) -> None:
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    with tempfile.TemporaryDirectory() as name:
        data = slices(Path(name))
        grey = (np.random.default_rng(1).uniform(0, 1, (2, 300, 300)) * 255).astype(np.uint8)
        for n, plane in enumerate(grey):
            Image.fromarray(plane).save(Path(name) / f"{n}.png")
        step = train_step(device)
        for n in range(3):
            step(data.training_batch(n, 1, Augmentation(256), 0))
        whole = timed(lambda n: step(data.training_batch(0, 1, Augmentation(256), 0)), steps)
        print(f"{device.type}: step with its batch {1000 * whole:.1f} ms")
        png = timed(lambda n: [np.asarray(Image.open(Path(name) / f"{k}.png")) for k in (0, 1)], 50)
        print(f"decoding two PNG of 300 x 300: {1000 * png:.2f} ms")
        for words, augmentation in (("crop and flip", Augmentation(256)), ("all of MONAI's", FULL)):
            data.training_batch(0, 1, augmentation, 0)
            alone = timed(lambda n, kind=augmentation: data.training_batch(n, 1, kind, 0), 100)
            ahead = BatchesAhead(lambda n, kind=augmentation: data.training_batch(n, 1, kind, 0))
            waited = 0.0
            for n in range(steps):
                begun = time.perf_counter()
                batch = ahead.batch(n)
                waited += time.perf_counter() - begun
                step(batch)
            ahead.close()
            print(
                f"{words}: drawn in {1000 * alone:.2f} ms, {100 * alone / whole:.2f} % of a step; "
                f"drawn ahead: waited {1000 * waited / steps:.2f} ms, {100 * waited / steps / whole:.2f} %"
            )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
