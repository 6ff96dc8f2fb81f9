"""Networks that translate in the very manner they were trained in (Isola et al. 2017, section 3.3)."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional


class OwnStatisticsNorm(nn.BatchNorm2d):
    """Batch norm; outside training by the statistics of each picture alone, so that those beside it in a batch do not matter."""

    def forward(self, x: Tensor) -> Tensor:
        if self.training or x.shape[2] * x.shape[3] == 1:  # a single value has no statistics
            return super().forward(x)
        weight, bias = self.weight, self.bias
        return torch.cat([functional.batch_norm(one, None, None, weight, bias, True, eps=self.eps) for one in torch.split(x, 1)])


class LastingDropout(nn.Dropout):
    """Dropout that goes on outside training: there by one pattern, drawn from `seed`, for all pictures of a size.

    So a scan is translated alike every time, whatever is beside a slice in a batch, and all its slices by one draw.
    """

    seed = 0

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            return functional.dropout(x, self.p, training=True)
        kept = torch.rand(x.shape[1:], generator=torch.Generator().manual_seed(self.seed)) >= self.p
        return x * (kept.to(x.device, x.dtype) / (1 - self.p))


def as_in_training(network: nn.Module) -> nn.Module:
    """Turns batch norms and dropouts into those above. Works in place and returns `network`; state-dict keys stay."""
    for number, module in enumerate(network.modules()):
        if type(module) is nn.BatchNorm2d:
            module.__class__ = OwnStatisticsNorm
        elif type(module) is nn.Dropout:
            module.__class__ = LastingDropout
            cast(LastingDropout, module).seed = number
    return network
