"""The trainer's half of a training step: gradients, optimisers, precision, and putting everything back when it fails."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from functools import partial
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.nn.utils import clip_grads_with_norm_, get_total_norm

from ctmri_core.errors import TrainingFailed
from ctmri_core.events import StopSignal
from ctmri_core.method import Method, MethodConfig
from ctmri_core.training.random_state import RandomState


class StepAbandoned(Exception):
    """Leaves a training step when the run was asked to stop. Never reaches the user."""


class Optimisation:
    """Networks and optimisers of one method on one device.

    A step happens whole or not at all: asked to stop, or on a loss that is not finite, networks, buffers, optimisers, the
    method's own state and the random numbers are those from before the step.
    """

    def __init__(
        self, fabric: Fabric, method: Method[Any], config: MethodConfig, random: RandomState, clip_norm: float = 0.0
    ) -> None:
        self.method = method
        self.random = random
        self._fabric = fabric
        self._base_rate = config.learning_rate
        self._clip_norm = clip_norm
        for name, network in method.networks.items():
            method.networks[name] = fabric.setup_module(_laid_out(network, fabric.device))
        self.optimisers = {
            group: fabric.setup_optimizers(
                torch.optim.Adam(
                    self._parameters(group), config.learning_rate, (config.beta_1, config.beta_2),
                    weight_decay=config.weight_decay, decoupled_weight_decay=config.decoupled_decay,
                )  # fmt: skip
            )
            for group in method.optimised
        }
        self.learning_rate = config.learning_rate

    def set_rate(self, factor: float) -> None:
        """Every optimiser steps with `factor` times the base learning rate from now on."""
        self.learning_rate = self._base_rate * factor
        for optimiser in self.optimisers.values():
            for parameters in optimiser.param_groups:
                parameters["lr"] = self.learning_rate

    def step(self, batch: object, stop: StopSignal) -> dict[str, float]:
        """One training step; losses by name. Raises `StepAbandoned`, or `TrainingFailed` when a loss is not finite."""
        before = _Before(self)
        try:
            with self.random.active():
                losses = self.method.training_step(batch, partial(self._update, before, stop))
        except BaseException:
            before.restore()
            raise
        return {name: float(loss) for name, loss in losses.items()}

    def state_dict(self) -> dict[str, Any]:
        """Everything a step changes."""
        return {
            "networks": {name: network.state_dict() for name, network in self.method.networks.items()},
            "optimisers": {group: optimiser.state_dict() for group, optimiser in self.optimisers.items()},
            "method": self.method.state_dict(),
            "random": self.random.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Puts `state_dict()` back, strictly."""
        for name, network in self.method.networks.items():
            network.load_state_dict(state["networks"][name])
        for group, optimiser in self.optimisers.items():
            optimiser.load_state_dict(state["optimisers"][group])
        self.method.load_state_dict(state["method"])
        self.random.load_state_dict(state["random"])

    def _parameters(self, group: str) -> list[nn.Parameter]:
        names = self.method.optimised[group]
        return [parameter for name in names for parameter in self.method.networks[name].parameters()]

    def _update(self, before: _Before, stop: StopSignal, group: str, loss: Tensor) -> None:
        if stop():
            raise StepAbandoned
        if not math.isfinite(float(loss.detach())):
            raise TrainingFailed(f"The loss of the {group} became {float(loss.detach())}. {_ADVICE}")
        optimiser, parameters = self.optimisers[group], self._parameters(group)
        optimiser.zero_grad()
        self._fabric.backward(loss, inputs=parameters)  # other groups' networks pass gradients on but collect none
        norm = get_total_norm([parameter.grad for parameter in parameters if parameter.grad is not None])
        if not math.isfinite(float(norm)):
            raise TrainingFailed(f"The gradients of the {group} are no longer finite. {_ADVICE}")
        if self._clip_norm:
            clip_grads_with_norm_(parameters, self._clip_norm, norm)
        if stop():
            raise StepAbandoned
        before.remember(group)
        optimiser.step()


_ADVICE = "The state before that step is kept. Try a lower learning rate, gradient clipping, or precision 32."


class _Before:
    """What is needed to undo a step: buffers and the method's state at once, a group's weights when they are about to move."""

    def __init__(self, optimisation: Optimisation) -> None:
        self._optimisation = optimisation
        networks = optimisation.method.networks.values()
        self._buffers = [(buffer, buffer.clone()) for network in networks for buffer in network.buffers()]
        self._method = optimisation.method.state_dict()  # a snapshot as it is
        self._groups: dict[str, tuple[list[Tensor], dict[str, Any]]] = {}

    def remember(self, group: str) -> None:
        if group not in self._groups:
            weights = [parameter.detach().clone() for parameter in self._optimisation._parameters(group)]
            self._groups[group] = weights, copy.deepcopy(self._optimisation.optimisers[group].state_dict())

    def restore(self) -> None:
        with torch.no_grad():
            for buffer, saved in self._buffers:
                buffer.copy_(saved)
            for group, (weights, optimiser_state) in self._groups.items():
                for parameter, weight in zip(self._optimisation._parameters(group), weights, strict=True):
                    parameter.copy_(weight)
                self._optimisation.optimisers[group].load_state_dict(optimiser_state)
        self._optimisation.method.load_state_dict(self._method)


def _laid_out(network: nn.Module, device: torch.device) -> nn.Module:
    """Channels last pays on CUDA; on CPUs it was measured 10 to 15 % slower for these networks."""
    return network.to(memory_format=torch.channels_last) if device.type == "cuda" else network  # type: ignore[call-overload]  # torch's overloads lack memory_format alone
