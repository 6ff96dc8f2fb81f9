"""The trainer's half of a training step: gradients, optimisers, precision, and putting everything back when it fails."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grads_with_norm_, get_total_norm

from ctmri_core.errors import TrainingFailed
from ctmri_core.events import StopSignal
from ctmri_core.method import Method, MethodConfig, SliceBatch
from ctmri_core.training.processes import Processes
from ctmri_core.training.random_state import RandomState
from ctmri_core.training.undo import Undo
from ctmri_core.training.watch import StepAbandoned, Watch

_ADVICE = "The state before that step is kept. Try a lower learning rate, gradient clipping, or precision 32."
_MOST_SKIPPED = 40
"""Moves in a row that float16 may lose while its scale falls: from 2**16 that is far below any useful one."""


@dataclass
class StepReport:
    """Losses by name; of each group of networks, the loss it went down and the length of its gradient before clipping."""

    losses: dict[str, float]
    objectives: dict[str, float] = field(default_factory=dict)
    gradients: dict[str, float] = field(default_factory=dict)


@dataclass
class _Turn:
    """One step in progress. Gradients that earlier parts of the batch left for the n-th update of a group wait here."""

    stop: StopSignal
    share: float = 1.0
    last: bool = True
    calls: Counter[str] = field(default_factory=Counter)
    waiting: dict[tuple[str, int], tuple[list[Tensor | None], Tensor, float]] = field(default_factory=dict)


class Optimisation:
    """Networks and optimisers of one method on one device.

    A step happens whole or not at all: asked to stop, or on a loss that is not finite, networks, buffers, optimisers, the
    method's own state and the random numbers are those from before the step.
    """

    def __init__(
        self, processes: Processes, method: Method[Any], config: MethodConfig, random: RandomState, clip_norm: float = 0.0
    ) -> None:
        self.method = method
        self.random = random
        self.learning_rate = self._base_rate = config.learning_rate
        self._processes = processes
        self._fabric = fabric = processes.fabric
        self._clip_norm = clip_norm
        self._scaler = getattr(fabric.strategy.precision, "scaler", None)
        self._skipped = 0
        self._watch = Watch()
        for name, network in method.networks.items():
            self._watch.over(network)
            method.networks[name] = fabric.setup_module(_laid_out(network, fabric.device))
        self._plain = {group: _adam(self._parameters(group), config, fused=self._scaler is None) for group in method.optimised}
        self.optimisers = {group: fabric.setup_optimizers(optimiser) for group, optimiser in self._plain.items()}
        self._undo = Undo(method, self._plain)

    def set_rate(self, factor: float) -> None:
        """Every optimiser steps with `factor` times the base learning rate from now on."""
        self.learning_rate = self._base_rate * factor
        for optimiser in self._plain.values():
            for parameters in optimiser.param_groups:
                parameters["lr"] = self.learning_rate

    def step(self, parts: Sequence[SliceBatch], stop: StopSignal) -> StepReport:
        """One training step on a batch in parts, one after the other: their gradients, weighted by size, are added up.

        An update within the step moves at the last part; what the parts before it saw are the weights before the step. Raises
        `StepAbandoned`, or `TrainingFailed` when a loss is not finite.
        """
        self._undo.begin()
        scale = self._precision_state()
        turn, report = _Turn(stop), StepReport({})
        whole = sum(part.size for part in parts)
        try:
            with self.random.active(), self._watch.during(stop):
                for number, part in enumerate(parts, 1):
                    turn.share, turn.last, turn.calls = part.size / whole, number == len(parts), Counter()
                    losses = self.method.training_step(part, partial(self._update, turn, report))
                    _mix(report.losses, losses, turn.share)
                for group, call in list(turn.waiting):
                    self._move(turn, report, group, call, None)
        except BaseException:  # whatever ends a step, Ctrl+C too, it is taken back whole
            self._undo.restore()
            self._fabric.strategy.precision.load_state_dict(scale)
            raise
        return report

    def state_dict(self) -> dict[str, Any]:
        """Everything a step changes."""
        return {
            "networks": {name: network.state_dict() for name, network in self.method.networks.items()},
            "optimisers": {group: optimiser.state_dict() for group, optimiser in self._plain.items()},
            "precision": self._precision_state(),
            "own": self.own_state(),
        }

    def own_state(self) -> dict[str, Any]:
        """The part that differs between the processes of a run."""
        return {"method": self.method.state_dict(), "random": self.random.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Puts `state_dict()` back, strictly."""
        for name, network in self.method.networks.items():
            network.load_state_dict(state["networks"][name])
        for group, optimiser in self._plain.items():
            optimiser.load_state_dict(state["optimisers"][group])
        self._fabric.strategy.precision.load_state_dict(state["precision"])
        self.method.load_state_dict(state["own"]["method"])
        self.random.load_state_dict(state["own"]["random"])

    def _precision_state(self) -> dict[str, Any]:
        state: dict[str, Any] = self._fabric.strategy.precision.state_dict()
        return state

    def _parameters(self, group: str) -> list[nn.Parameter]:
        names = self.method.optimised[group]
        return [parameter for name in names for parameter in self.method.networks[name].parameters()]

    def _update(self, turn: _Turn, report: StepReport, group: str, loss: Tensor) -> None:
        if turn.stop():
            raise StepAbandoned
        call = turn.calls[group]
        turn.calls[group] += 1
        parameters = self._parameters(group)
        self.optimisers[group].zero_grad()
        weighted = loss * (turn.share / self._processes.count)
        self._fabric.backward(weighted, inputs=parameters)  # other groups' networks pass gradients on but collect none
        if not turn.last:
            self._wait(turn, (group, call), parameters, weighted.detach())
            return
        self._move(turn, report, group, call, weighted.detach())

    def _wait(self, turn: _Turn, key: tuple[str, int], parameters: list[nn.Parameter], loss: Tensor) -> None:
        """Puts gradients aside, in true size: float16's scale may change before they are used."""
        gradients: list[Tensor | None] = [None if each.grad is None else each.grad / self._scale() for each in parameters]
        if key in turn.waiting:
            before, loss_before, share = turn.waiting[key]
            gradients = [_sum(one, other) for one, other in zip(before, gradients, strict=True)]
            turn.waiting[key] = gradients, loss_before + loss, share + turn.share
        else:
            turn.waiting[key] = gradients, loss, turn.share

    def _move(self, turn: _Turn, report: StepReport, group: str, call: int, loss: Tensor | None) -> None:
        """The optimiser of `group` steps down its gradients and those that wait; `loss` None: down those that wait alone."""
        parameters = self._parameters(group)
        if (group, call) in turn.waiting:
            gradients, waited, share = turn.waiting.pop((group, call))
            if loss is None:  # the last part did not come here: the others stand for it
                loss, factor = waited / share, self._scale() / share
                self.optimisers[group].zero_grad()
            else:
                loss, factor = loss + waited, self._scale()
            for parameter, gradient in zip(parameters, gradients, strict=True):
                parameter.grad = _sum(parameter.grad, None if gradient is None else gradient * factor)
        assert loss is not None
        self._descend(report, group, loss)
        if turn.stop():
            raise StepAbandoned
        self._undo.remember(group)
        self.optimisers[group].step()

    def _descend(self, report: StepReport, group: str, loss: Tensor) -> None:
        """Joins the processes' gradients, clips them and sees that they are finite."""
        gradients = [each.grad for each in self._parameters(group) if each.grad is not None]
        loss = loss.float().reshape(1)
        self._processes.add([*gradients, loss])
        if self._scaler is not None:
            self._scaler.unscale_(self._plain[group])
        norm = get_total_norm(gradients)
        value, length = torch.stack([loss[0], norm]).tolist()
        if not math.isfinite(value):
            raise TrainingFailed(f"The loss of the {group} became {value}. {_ADVICE}")
        finite = math.isfinite(length)
        self._skipped = 0 if finite else self._skipped + 1
        if not finite and (self._scaler is None or self._skipped > _MOST_SKIPPED):  # the scaler leaves such a move out
            raise TrainingFailed(f"The gradients of the {group} are no longer finite. {_ADVICE}")
        if self._clip_norm and finite:
            clip_grads_with_norm_(self._parameters(group), self._clip_norm, norm)
        report.objectives[group], report.gradients[group] = value, length

    def _scale(self) -> float:
        return 1.0 if self._scaler is None else float(self._scaler.get_scale())


def _adam(parameters: list[nn.Parameter], config: MethodConfig, *, fused: bool) -> torch.optim.Optimizer:
    """Adam (Kingma and Ba 2015) as the method's settings want it."""
    return torch.optim.Adam(
        parameters, config.learning_rate, (config.beta_1, config.beta_2), weight_decay=config.weight_decay,
        decoupled_weight_decay=config.decoupled_decay, fused=fused,
    )  # fmt: skip


def _laid_out(network: nn.Module, device: torch.device) -> nn.Module:
    """Channels last pays on CUDA; on CPUs it was measured 10 to 15 % slower for these networks."""
    return network.to(memory_format=torch.channels_last) if device.type == "cuda" else network  # type: ignore[call-overload]  # torch's overloads lack memory_format alone


def _mix(sums: dict[str, float], losses: Mapping[str, Tensor], share: float) -> None:
    """Adds the losses of a part, weighted."""
    values = torch.stack([loss.float() for loss in losses.values()]).tolist()
    for name, value in zip(losses, values, strict=True):
        sums[name] = sums.get(name, 0.0) + share * value


def _sum(one: Tensor | None, other: Tensor | None) -> Tensor | None:
    if one is None or other is None:
        return other if one is None else one
    return one + other
