"""Takes a training step back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from ctmri_core.method import Method


class Undo:
    """What a step may change, as it was before: buffers and the method's own state at its beginning, a group's weights and
    optimiser when they are about to move.

    Weights are copied into memory that is kept from step to step: a tenth of the time of a fresh copy. The method's state is
    kept by reference, since methods never change such tensors in place.
    """

    def __init__(self, method: Method[Any], optimisers: Mapping[str, Optimizer]) -> None:
        self._method = method
        self._optimisers = optimisers
        self._kept: dict[str, list[Tensor]] = {}
        self._moved: dict[str, frozenset[Tensor]] = {}
        self._buffers: list[Tensor] = []
        self._state: dict[str, Tensor] = {}

    def begin(self) -> None:
        """Before anything of the step."""
        self._moved = {}
        self._state = dict(self._method.state_dict())
        self._buffers = [buffer.detach().clone() for buffer in self._live_buffers()]

    def remember(self, group: str) -> None:
        """Before the first move of `group` in this step."""
        if group in self._moved:
            return
        live = self._live(group)
        kept = self._kept.get(group, [])
        if len(kept) != len(live):  # an optimiser has no state before its first step
            self._kept[group] = [tensor.detach().clone() for tensor in live]
        else:
            torch._foreach_copy_(kept, live)
        self._moved[group] = frozenset(self._optimisers[group].state)

    def restore(self) -> None:
        """Puts everything back."""
        with torch.no_grad():
            for buffer, saved in zip(self._live_buffers(), self._buffers, strict=True):
                buffer.copy_(saved)
            for group, known in self._moved.items():
                state = self._optimisers[group].state
                for parameter in set(state) - known:
                    del state[parameter]
                torch._foreach_copy_(self._live(group), self._kept[group])
        self._method.load_state_dict(self._state)

    def _live_buffers(self) -> Iterable[Tensor]:
        return [buffer for network in self._method.networks.values() for buffer in network.buffers()]

    def _live(self, group: str) -> list[Tensor]:
        """Weights and the optimiser's tensors beside them."""
        optimiser = self._optimisers[group]
        weights = [parameter.detach() for part in optimiser.param_groups for parameter in part["params"]]
        return weights + [value for state in optimiser.state.values() for value in state.values() if isinstance(value, Tensor)]
