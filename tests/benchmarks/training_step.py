"""Training steps per second: the trainer against a plain float32 loop over the same networks, interleaved in one run.

    python tests/benchmarks/training_step.py [--generator resnet_6] [--width 32] [--size 192] [--batch 4] [--rounds 6]

The trainer's step can be undone, checks every loss and gradient, and keeps its own random numbers; the plain loop does not.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import torch
from lightning_fabric import Fabric

from ctmri_core.domain import Direction, Domain
from ctmri_core.events import never
from ctmri_core.method import SliceBatch
from ctmri_core.methods.pix2pix.card import Pix2PixConfig
from ctmri_core.methods.pix2pix.method import Pix2Pix
from ctmri_core.training.optimisation import Optimisation
from ctmri_core.training.random_state import RandomState

DIRECTION = Direction.parse("ct_to_mr_t1")


def plain_step(config: Pix2PixConfig, batch: SliceBatch) -> Callable[[], object]:
    method = Pix2Pix(config, DIRECTION)
    optimisers = {name: torch.optim.Adam(net.parameters(), 2e-4, (0.5, 0.999)) for name, net in method.networks.items()}

    def update(group: str, loss: torch.Tensor) -> None:
        optimisers[group].zero_grad()
        loss.backward()
        optimisers[group].step()

    return lambda: method.training_step(batch, update)


def trainer_step(config: Pix2PixConfig, batch: SliceBatch, precision: str) -> Callable[[], object]:
    fabric = Fabric(accelerator="cpu", devices=1, precision=precision)
    optimisation = Optimisation(fabric, Pix2Pix(config, DIRECTION), config, RandomState(0, fabric.device))
    return lambda: optimisation.step(batch, never)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--generator", default="resnet_6")
    for flag, default in (("--width", 32), ("--size", 192), ("--batch", 4), ("--rounds", 6)):
        parser.add_argument(flag, type=int, default=default)
    arguments = parser.parse_args()
    config = Pix2PixConfig(
        generator=arguments.generator, width=arguments.width, norm="instance", dropout=False, discriminator_width=arguments.width
    )
    picture = torch.rand(arguments.batch, 1, arguments.size, arguments.size) * 2 - 1
    batch = SliceBatch(
        {Domain.CT: picture, Domain.MR_T1: -picture}, dict.fromkeys((Domain.CT, Domain.MR_T1), torch.ones_like(picture))
    )
    steps = {
        "plain float32 loop": plain_step(config, batch),
        "trainer, 32": trainer_step(config, batch, "32-true"),
        "trainer, bf16-mixed": trainer_step(config, batch, "bf16-mixed"),
    }
    best = dict.fromkeys(steps, float("inf"))
    for round_ in range(arguments.rounds + 1):
        for name, step in steps.items():
            start = time.perf_counter()
            step()
            if round_:
                best[name] = min(best[name], time.perf_counter() - start)
    plain = best["plain float32 loop"]
    for name, seconds in best.items():
        print(f"{name:20s} {1 / seconds:6.2f} steps/s   {plain / seconds:5.2f} times the plain loop")


if __name__ == "__main__":
    main()
