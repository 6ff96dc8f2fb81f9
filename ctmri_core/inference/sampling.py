"""Other answers of the same network: from mirrored and shifted slices, by dropout, by samples of its latent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

Way = Literal["mirrored", "dropout", "latent"]
Noise = Callable[[Tensor], Tensor]
_SHIFTS = ((0, 0), (1, 2), (3, 1), (2, 3))  # pixels; strided layers answer each of four phases otherwise
MOST_MIRRORED = 2 * len(_SHIFTS)
"""So many answers of mirrored and shifted slices differ, those of the slices as they are among them."""


@runtime_checkable
class HasLatent(Protocol):
    """A network that translates the mean of a latent, and can translate a sample of it."""

    def with_noise(self, noise: Noise) -> list[RemovableHandle]:
        """Until the handles are removed: `noise` gives standard normal numbers of the shape that it is shown."""


@dataclass(frozen=True)
class Variation:
    """`number` 0 is the slices as they are, and the network as it is."""

    way: Way = "mirrored"
    number: int = 0
    seed: int = 0

    def shown(self, slices: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, c, h, w) as the network is shown it."""
        if self.way != "mirrored" or not self.number:
            return slices
        mirrored, (down, right) = self._place
        moved = np.roll(slices, (down, right), (-2, -1))  # what leaves at one edge is background, and comes in at the other
        return np.ascontiguousarray(moved[..., ::-1] if mirrored else moved)

    def undone(self, answers: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, h, w) as the slices lay before."""
        if self.way != "mirrored" or not self.number:
            return answers
        mirrored, (down, right) = self._place
        return np.roll(answers[..., ::-1] if mirrored else answers, (-down, -right), (-2, -1))

    @contextmanager
    def applied(self, network: nn.Module) -> Iterator[None]:
        """`network` answers by this draw inside. One draw is the same for all slices, so that a volume hangs together."""
        if self.way == "mirrored" or not self.number:
            yield
            return
        hooks = _dropping(network, self._draw) if self.way == "dropout" else _drawing(network, self._draw)
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()

    @property
    def _place(self) -> tuple[bool, tuple[int, int]]:
        place = self.number % MOST_MIRRORED
        return place % 2 == 1, _SHIFTS[place // 2]

    @property
    def _draw(self) -> int:
        return self.seed * 1_000_003 + self.number


def ways_of(network: nn.Module) -> tuple[Way, ...]:
    """How it can be asked for other answers; what tells most first."""
    ways: list[Way] = ["mirrored"]
    if _dropouts(network):
        ways.insert(0, "dropout")
    if any(isinstance(module, HasLatent) for module in network.modules()):
        ways.insert(0, "latent")
    return tuple(ways)


def _dropouts(network: nn.Module) -> list[nn.Dropout]:
    return [module for module in network.modules() if isinstance(module, nn.Dropout) and 0 < module.p < 1]


def _drawing(network: nn.Module, draw: int) -> list[RemovableHandle]:
    def noise(like: Tensor) -> Tensor:
        numbers = torch.randn(like.shape[1:], generator=torch.Generator().manual_seed(draw))
        return numbers.to(like.device, like.dtype)

    return [hook for module in network.modules() if isinstance(module, HasLatent) for hook in module.with_noise(noise)]


def _dropping(network: nn.Module, draw: int) -> list[RemovableHandle]:
    """Dropout by one pattern for all slices."""

    def hook(layer: nn.Dropout, number: int) -> RemovableHandle:
        def drop(_layer: nn.Module, given: tuple[Tensor, ...], _answer: Tensor) -> Tensor:
            (x,) = given
            generator = torch.Generator().manual_seed(draw * 4099 + number)
            kept = torch.rand(x.shape[1:], generator=generator) >= layer.p
            return x * (kept.to(x.device, x.dtype) / (1 - layer.p))

        return layer.register_forward_hook(drop)

    return [hook(layer, number) for number, layer in enumerate(_dropouts(network))]
