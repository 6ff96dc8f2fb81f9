"""The processes that share a batch: which one this is, which device is its own, and those that it starts beside itself.

They need not know each other: each takes the next case that nobody has (see `store`). So the same command on several machines,
`torchrun`, `srun` or `--devices` all come to the same, and one that dies leaves no more than its case, which another takes.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace

from ctmri_core.inference.order import Order
from ctmri_core.inference.precision import choose_device

_NUMBERS = ("RANK", "SLURM_PROCID")
_LOCAL_NUMBERS = ("LOCAL_RANK", "SLURM_LOCALID")
_LOCAL_COUNTS = ("LOCAL_WORLD_SIZE", "SLURM_NTASKS_PER_NODE")
_SECONDS_TO_END = 15.0


@dataclass(frozen=True)
class Place:
    """This process among those that a launcher started: `number` of all, `local` of `count` on this machine; from 0."""

    number: int = 0
    local: int = 0
    count: int = 1

    @property
    def first(self) -> bool:
        """Whether it is the one that tells how all goes."""
        return self.number == 0 and self.local == 0


def own_place() -> Place:
    """As `torchrun`, Lightning Fabric and `srun` say it in the environment, and `helpers` too."""
    local = _number(_LOCAL_NUMBERS, 0)
    return Place(_number(_NUMBERS, local), local, max(_number(_LOCAL_COUNTS, 1), local + 1))


def own_part(order: Order, place: Place) -> Order:
    """`order` on the graphics card of this process, or with its share of the processor. Raises `CtmriError` where there is no
    such device."""
    import torch

    device = choose_device(order.device)
    if device.type == "cuda":
        index = device.index if device.index is not None else place.local % torch.cuda.device_count()
        return replace(order, device=f"cuda:{index}")
    if place.count == 1:
        return replace(order, device=str(device))
    return replace(order, device=str(device), threads=order.threads or max((os.cpu_count() or 1) // place.count, 1))


@contextmanager
def helpers(count: int, arguments: Sequence[str]) -> Iterator[None]:
    """Inside, `count` processes beside this one do the same command, which find their places by `own_place`. At the end they are
    asked to end as by Ctrl+C, if they have not yet."""
    started: list[subprocess.Popen[bytes]] = []
    try:
        for local in range(1, count + 1):
            place = {"RANK": local, "LOCAL_RANK": local, "WORLD_SIZE": count + 1, "LOCAL_WORLD_SIZE": count + 1}
            environment = {**os.environ, **{name: str(value) for name, value in place.items()}}
            command = [sys.executable, "-m", "ctmri_core.cli", *arguments]
            started.append(
                subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
            )  # fmt: skip
        yield
    finally:
        for process in started:
            process.terminate()
        for process in started:
            with suppress(subprocess.TimeoutExpired):
                process.wait(_SECONDS_TO_END)
            if process.poll() is None:
                process.kill()
                process.wait()


def _number(names: Sequence[str], usual: int) -> int:
    return next((int(value) for name in names if (value := os.environ.get(name, "")).isdecimal()), usual)
