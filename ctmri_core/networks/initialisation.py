"""Initial weights of the translation networks."""

from __future__ import annotations

import torch
from torch import nn

STANDARD_DEVIATION = 0.02


def initialise_normal(network: nn.Module, standard_deviation: float = STANDARD_DEVIATION) -> nn.Module:
    """Draws the weights of convolutions and linear layers from N(0, sd), of batch norms from N(1, sd); biases become 0.

    Works in place and returns `network`. Zhu et al. 2017, appendix "Training details"; Radford et al. 2016, section 4.
    """
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
                nn.init.normal_(module.weight, 0.0, standard_deviation)
            elif isinstance(module, nn.BatchNorm2d):
                nn.init.normal_(module.weight, 1.0, standard_deviation)
            else:
                continue
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    return network
