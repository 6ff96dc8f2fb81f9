"""A run's own random numbers, apart from whatever else in the process draws from torch's global generator."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor


class RandomState:
    """Torch's CPU generator and, on a CUDA device, that device's. Inside `active()` the global generators are the run's.

    When the block ends with an exception the state stays what it was before: an abandoned step draws nothing.
    """

    def __init__(self, seed: int, device: torch.device) -> None:
        self._device = device
        self._states = {"cpu": torch.Generator().manual_seed(seed).get_state()}
        if device.type == "cuda":
            self._states["cuda"] = torch.Generator(device).manual_seed(seed).get_state()

    @contextmanager
    def active(self) -> Iterator[None]:
        outside = self._current()
        self._set(self._states)
        try:
            yield
            self._states = self._current()
        finally:
            self._set(outside)

    def state_dict(self) -> dict[str, Tensor]:
        return dict(self._states)

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Takes over the states of the generators that exist here."""
        self._states = {name: state.get(name, own) for name, own in self._states.items()}

    def _current(self) -> dict[str, Tensor]:
        states = {"cpu": torch.get_rng_state()}
        if "cuda" in self._states:
            states["cuda"] = torch.cuda.get_rng_state(self._device)
        return states

    def _set(self, states: Mapping[str, Tensor]) -> None:
        torch.set_rng_state(states["cpu"])
        if "cuda" in states:
            torch.cuda.set_rng_state(states["cuda"], self._device)
