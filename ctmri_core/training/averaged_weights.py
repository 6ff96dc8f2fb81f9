"""An exponential running mean of the generators' weights, which translates more steadily than the last step's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from ctmri_core.method import Method


class AveragedWeights:
    """Of every parameter that a model file of the method would hold. Buffers (running statistics) are taken as they are.

    The mean begins as that of few steps: the decay is at most (1 + n) / (10 + n) after n steps.
    """

    def __init__(self, method: Method[Any], decay: float) -> None:
        self._decay = decay
        found = {id(each): each for way in method.directions for each in method.generator(way).parameters()}
        self._live: list[nn.Parameter] = list(found.values())
        self._mean = [parameter.detach().clone() for parameter in self._live]

    def update(self, step: int) -> None:
        """Takes in the weights after the `step`-th step, counted from 1."""
        decay = min(self._decay, (1 + step) / (10 + step))
        with torch.no_grad():
            torch._foreach_lerp_(self._mean, [parameter.detach() for parameter in self._live], 1 - decay)

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Inside, the method's networks hold the mean."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    def state_dict(self) -> dict[str, Any]:
        return {"mean": list(self._mean)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        with torch.no_grad():
            for own, saved in zip(self._mean, state["mean"], strict=True):
                own.copy_(saved)

    def _swap(self) -> None:
        for n, parameter in enumerate(self._live):
            parameter.data, self._mean[n] = self._mean[n], parameter.data
