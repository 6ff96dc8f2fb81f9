"""The processes that train one model together, on one machine or several; in the usual case there is one.

Lightning Fabric starts them and connects them. Gradients are summed here and not by torch's wrapper for data-parallel
networks: that one wants each network to run once between two updates, and the generators and discriminators here run several
times, for the updates of others as well.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Literal

import torch
from lightning_fabric import Fabric
from lightning_fabric.strategies import DDPStrategy
from torch import Tensor, nn

from ctmri_core.errors import TrainingFailed
from ctmri_core.training.precision import Precision
from ctmri_core.training.settings import TrainingSettings

_PATIENCE = timedelta(hours=4)
"""How long the others wait while the first process prepares cases, validates and writes."""
_FABRIC_PRECISION: dict[Precision, Literal["32-true", "bf16-mixed", "16-mixed"]] = {
    "32": "32-true", "bf16-mixed": "bf16-mixed", "16-mixed": "16-mixed",
}  # fmt: skip


class Processes:
    """This process among those of a run. `first`: the one that writes, logs and validates."""

    def __init__(self, fabric: Fabric) -> None:
        self.fabric = fabric
        self.number = fabric.global_rank
        self.count = fabric.world_size
        self.first = self.number == 0

    def agreed(self, values: Sequence[float]) -> list[float]:
        """What the first process says; every process must ask at the same time."""
        if self.count == 1:
            return list(values)
        told = torch.tensor(values, dtype=torch.float64, device=self.fabric.device)
        with _others_there():
            torch.distributed.broadcast(told, src=0)
        return [float(value) for value in told.tolist()]

    def add(self, tensors: Sequence[Tensor]) -> None:
        """Replaces `tensors`, of one type, by their sums over all processes."""
        if self.count == 1:
            return
        flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
        with _others_there():
            torch.distributed.all_reduce(flat)
        start = 0
        for tensor in tensors:
            tensor.copy_(flat[start : start + tensor.numel()].view_as(tensor))
            start += tensor.numel()

    def gathered(self, value: Any) -> list[Any]:
        """`value` of every process in the first one; nothing in the others."""
        if self.count == 1:
            return [value]
        values: list[Any] = [None] * self.count
        with _others_there():
            torch.distributed.gather_object(value, values if self.first else None)
        return values if self.first else []

    def part(self) -> None:
        """Ends the connection; who still waits for this process is told."""
        if self.count > 1:
            torch.distributed.destroy_process_group()

    def share(self, size: int) -> slice:
        """Which of the `size` slices of a batch are this process's."""
        return slice(size * self.number // self.count, size * (self.number + 1) // self.count)


@contextmanager
def _others_there() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        raise TrainingFailed("Another process of this run has ended. Resume it from the last checkpoint.") from error


class _BareNetworks(DDPStrategy):  # type: ignore[misc]  # lightning_fabric is not typed here
    """Starts and connects processes; leaves networks as they are."""

    def setup_module(self, module: nn.Module) -> nn.Module:
        return module


def choose_device(settings: TrainingSettings, *, elsewhere: bool = False) -> torch.device:
    """Where to train. Raises `TrainingFailed` where there is no such device; `elsewhere`: what is there will do."""
    cuda = torch.cuda.is_available()
    if settings.device == "cuda" and not cuda and not elsewhere:
        raise TrainingFailed("--device cuda: there is no usable NVIDIA graphics card here. Use --device cpu or auto.")
    device = torch.device("cuda" if cuda and settings.device != "cpu" else "cpu")
    if device.type == "cuda" and settings.devices > torch.cuda.device_count():
        raise TrainingFailed(f"--devices {settings.devices}: there are {torch.cuda.device_count()} graphics cards here.")
    return device


def join_processes(settings: TrainingSettings, device: torch.device, precision: Precision) -> Processes:
    """This process, connected with the others of the run; on each node the first one starts the others.

    Those begin as this program did, with the same words on the command line.
    """
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)  # it would write to the terminal; Started tells the same
    strategy = _BareNetworks(timeout=_PATIENCE) if settings.processes > 1 else "auto"
    fabric = Fabric(
        accelerator=device.type, devices=settings.devices, num_nodes=settings.nodes, strategy=strategy,
        precision=_FABRIC_PRECISION[precision],
    )  # fmt: skip
    if settings.processes > 1:
        fabric.launch()
    return Processes(fabric)
