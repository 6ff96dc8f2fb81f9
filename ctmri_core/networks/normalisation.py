"""The norm layers that the translation networks know by name."""

from __future__ import annotations

from typing import Literal

from torch import nn

Norm = Literal["instance", "batch", "none"]


def norm_layer(norm: Norm, channels: int) -> nn.Module:
    """Batch norm with learnt scale and running statistics, or instance norm with neither (Isola et al. 2017, Zhu et al. 2017)."""
    if norm == "batch":
        return nn.BatchNorm2d(channels)
    if norm == "instance":
        return nn.InstanceNorm2d(channels)
    return nn.Identity()


def conv_has_bias(norm: Norm) -> bool:
    """A convolution followed by batch norm needs no bias. Before instance norm it is as redundant, but public weights hold it."""
    return norm != "batch"
