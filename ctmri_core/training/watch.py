"""Looks for a stop between the layers of a step: with large batches on a slow machine a pass through a network takes minutes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from torch import Tensor, nn

from ctmri_core.events import StopSignal, never

_SECONDS_BETWEEN_LOOKS = 0.3


class StepAbandoned(Exception):
    """Leaves a training step when the run was asked to stop. Never reaches the user."""


class Watch:
    """Of the networks given to `over`, on their way forward and back, inside `during`. Knows no network itself: no cycle keeps
    them when the run is over."""

    def __init__(self) -> None:
        self._stop: StopSignal = never
        self._looked = 0.0

    def over(self, network: nn.Module) -> None:
        for module in network.modules():
            if not any(True for _ in module.children()):
                module.register_forward_pre_hook(self._look)
                module.register_forward_hook(self._look_on_the_way_back)

    @contextmanager
    def during(self, stop: StopSignal) -> Iterator[None]:
        """Inside, passes through the networks raise `StepAbandoned` soon after `stop` asks to end."""
        self._stop, self._looked = stop, time.monotonic()
        try:
            yield
        finally:
            self._stop = never

    def _look_on_the_way_back(self, _module: nn.Module, _given: object, made: object) -> None:
        """When the gradient comes to what a layer made. A parameter's own comes once all passes through the layer are done:
        where networks work on the pictures of each other, that is near the end of the way back.
        """
        if isinstance(made, Tensor) and made.requires_grad and self._stop is not never:
            made.register_hook(self._look)  # type: ignore[no-untyped-call]  # not typed in torch

    def _look(self, *_of: object) -> None:
        now = time.monotonic()
        if now - self._looked >= _SECONDS_BETWEEN_LOOKS:
            self._looked = now
            if self._stop():
                raise StepAbandoned
