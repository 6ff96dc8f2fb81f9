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


def initialise_kaiming(network: nn.Module) -> nn.Module:
    """Draws the weights of convolutions from He's normal distribution for ReLU (He et al. 2015, Eq. 10); biases become 0.

    Works in place and returns `network`.
    """
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
                nn.init.kaiming_normal_(module.weight)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
    return network


def initialise_xavier(network: nn.Module, gain: float = STANDARD_DEVIATION) -> nn.Module:
    """Draws the weights of convolutions from Glorot's normal distribution times `gain`; biases become 0.

    Works in place and returns `network`. Glorot and Bengio 2010, Eq. 16; the gain is that of Park et al. 2020's code.
    """
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
                nn.init.xavier_normal_(module.weight, gain)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
    return network


def with_spectral_norm(network: nn.Module) -> nn.Module:
    """Divides the weight of every convolution but the last by its largest singular value (Miyato et al. 2018, Eq. 7).

    Works in place and returns `network`.
    """
    convolutions = [module for module in network.modules() if isinstance(module, nn.Conv2d)]
    for convolution in convolutions[:-1]:
        nn.utils.parametrizations.spectral_norm(convolution)
    return network
