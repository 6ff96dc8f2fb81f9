"""How rough a map is."""

from __future__ import annotations

from torch import Tensor


def total_variation(maps: Tensor) -> Tensor:
    """Sum of absolute differences of neighbours along both axes of (n, c, h, w), per sample (Tang et al. 2019, Eq. 5)."""
    down = (maps[:, :, 1:] - maps[:, :, :-1]).abs().sum()
    right = (maps[:, :, :, 1:] - maps[:, :, :, :-1]).abs().sum()
    return (down + right) / len(maps)


def flow_roughness(flow: Tensor) -> Tensor:
    """Mean squared difference of neighbouring displacements, both axes added (Kong et al. 2021, Eq. 5; Balakrishnan 2019)."""
    down = (flow[:, :, 1:] - flow[:, :, :-1]).square().mean()
    right = (flow[:, :, :, 1:] - flow[:, :, :, :-1]).square().mean()
    return down + right
