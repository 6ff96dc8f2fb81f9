"""The same network, laid out for speed: channels-last memory, a short float type, norms that need no copies.

On the CPU nearly all time beyond the convolutions' own goes into copies: instance norm rearranges channels-last tensors twice.
Batch norm of a batch of one *is* instance norm and has a channels-last kernel.
"""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional


class SampleNorm(nn.Module):
    """Instance norm by batch norm of every sample alone; keeps the memory layout.

    `weight`, `bias`: float32 (c,) on the processor; not parameters, so that they stay float32 beside short pictures.
    """

    def __init__(self, epsilon: float, weight: Tensor | None = None, bias: Tensor | None = None) -> None:
        super().__init__()
        self.epsilon = epsilon
        self._learnt = None if weight is None else weight.detach(), None if bias is None else bias.detach()

    def forward(self, x: Tensor) -> Tensor:
        weight, bias = self._learnt
        parts = [functional.batch_norm(one, None, None, weight, bias, True, eps=self.epsilon) for one in torch.split(x, 1)]
        return parts[0] if len(parts) == 1 else torch.cat(parts)


class InFloat32(nn.Module):
    """A layer whose input is widened first: rounding to bfloat16 after it would show as steps of 8 HU and more."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer.float()

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.layer(x.float())
        return result


class InShort(nn.Module):
    """A layer whose input is rounded first: what the generator keeps of its input beside this layer is not."""

    def __init__(self, layer: nn.Module, dtype: torch.dtype) -> None:
        super().__init__()
        self.layer, self.dtype = layer, dtype

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.layer(x.to(self.dtype))
        return result


class FastGenerator(nn.Module):
    """float32 (n, c, h, w) in and out like the generator it is made of.

    The short type lasts from the first convolution to the last; that one, what follows it, and what a generator mixes in of
    its input stay in float32. A generator with several last convolutions names them in its attribute `outputs`.
    """

    def __init__(self, generator: nn.Module, dtype: torch.dtype, device: torch.device) -> None:
        super().__init__()
        body = copy.deepcopy(generator).eval()
        if device.type == "cpu":
            _replace_norms(body)
        body.to(device=device, dtype=dtype)
        body.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stub lacks this documented keyword
        if dtype is not torch.float32:
            _widen_ends(body, dtype)
        self.body = body

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.body(x.to(memory_format=torch.channels_last))
        return result.float()


def _replace_norms(module: nn.Module) -> None:
    for name, child in module.named_children():
        if isinstance(child, nn.InstanceNorm2d) and not child.track_running_stats:
            setattr(module, name, SampleNorm(child.eps, child.weight, child.bias))
        else:
            _replace_norms(child)


def _widen_ends(module: nn.Module, dtype: torch.dtype) -> None:
    """Children are walked in the order of their registration, which is the order of the layers."""
    names = [name for name, child in module.named_modules() if isinstance(child, nn.Conv2d | nn.ConvTranspose2d)]
    if len(names) > 1:
        _replace(module, names[0], lambda layer: InShort(layer, dtype))
    for name in getattr(module, "outputs", names[-1:]):
        _replace(module, name, InFloat32)


def _replace(module: nn.Module, name: str, wrap: Callable[[nn.Module], nn.Module]) -> None:
    parent, _, last = name.rpartition(".")
    owner = module.get_submodule(parent)
    setattr(owner, last, wrap(owner.get_submodule(last)))
