"""What a training step of each method costs beside pix2pix's: operations and memory, of one slice of 256 x 256.

    python tests/benchmarks/bench_methods.py [--size 256] [--steps 5]

Nothing is computed: default networks are run on tensors without content (torch's device "meta"), so the figures depend on no
machine. Operations are those that torch counts, averaged over `--steps`. Memory is what must be held at least: weights, their
gradients, Adam's two running means, and the most that is kept at a time for the way back, in float32.
"""

from __future__ import annotations

import argparse
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from ctmri_core.method import SliceBatch
from ctmri_core.registry import find_card, load_method, method_cards

BESIDE = "pix2pix"
BYTES_PER_WEIGHT = 4 * 4


class Counting(TorchDispatchMode):
    """Sums operations, also of gradients of gradients."""

    def __init__(self) -> None:
        super().__init__()
        self.operations = 0

    def __torch_dispatch__(self, function: Any, _types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = function(*args, **(kwargs or {}))
        counted = flop_registry.get(function._overloadpacket)
        if counted is not None:
            self.operations += counted(*args, **(kwargs or {}), out_val=result)
        return result


class Kept:
    """The bytes that are kept for the way back, each storage once, and the most there were at a time."""

    class _Held:
        def __init__(self, kept: Kept, tensor: torch.Tensor) -> None:
            storage = tensor.untyped_storage()
            self.kept, self.tensor, self.key, self.size = kept, tensor, storage._cdata, storage.nbytes()
            if kept.users.get(self.key, 0) == 0:
                kept.now += self.size
                kept.most = max(kept.most, kept.now)
            kept.users[self.key] = kept.users.get(self.key, 0) + 1

        def __del__(self) -> None:
            self.kept.users[self.key] -= 1
            if self.kept.users[self.key] == 0:
                self.kept.now -= self.size

    def __init__(self) -> None:
        self.users: dict[int, int] = {}
        self.now = self.most = 0

    def pack(self, tensor: torch.Tensor) -> Kept._Held:
        return Kept._Held(self, tensor)


def measured(name: str, size: int, steps: int) -> tuple[float, float]:
    """Operations of a step, and bytes."""
    config = find_card(name).config().for_crop(size)
    kept, counting, most = Kept(), Counting(), 0
    with torch.device("meta"), torch.autograd.graph.saved_tensors_hooks(kept.pack, lambda held: held.tensor), counting:
        direction = find_card(name).example
        method = load_method(name)(config, direction)
        domains = config.domains_of(direction)
        context = torch.empty(1, config.context, size, size) if config.context > 1 else None
        pictures = {domain: torch.empty(1, 1, size, size) for domain in domains}
        masks = {domain: torch.empty(1, 1, size, size) for domain in domains}
        for step in range(steps):
            before = kept.most = kept.now  # looking at them keeps graphs of gradients of gradients alive
            method.training_step(SliceBatch(pictures, masks, context, step=step), lambda _group, loss: loss.backward())
            most = max(most, kept.most - before)
    weights = sum(each.numel() for network in method.networks.values() for each in network.parameters())
    return counting.operations / steps, weights * BYTES_PER_WEIGHT + most


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--steps", type=int, default=5)
    arguments = parser.parse_args()
    operations, memory = measured(BESIDE, arguments.size, arguments.steps)
    for name in method_cards():
        own = measured(name, arguments.size, arguments.steps)
        print(
            f"{name:15s} {own[0] / 1e9:6.0f} GFLOP ({own[0] / operations:5.1f} x)"
            f"  {own[1] / 2**30:5.2f} GiB ({own[1] / memory:4.2f} x)"
        )


if __name__ == "__main__":
    main()
