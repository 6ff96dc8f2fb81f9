"""The registration network of RegGAN (Kong et al. 2021): a residual U-Net that finds a field of displacements."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

_SMALL = 1e-5


class RegistrationNet(nn.Module):
    """Two pictures (n, 1, h, w) -> displacements (n, 2, h, w) in pixels, (down, right). Nearly none before training.

    `levels` halvings, from `width` channels, `2 width` below the first; residual blocks at every level and, twice as wide, at
    the bottom. Sizes that cannot be halved so often end at one pixel.
    """

    def __init__(self, channels: int = 2, width: int = 32, levels: int = 7, bottom_blocks: int = 3) -> None:
        super().__init__()
        wide = 2 * width
        widths = [width, *[wide] * (levels - 1)]
        self.down = nn.ModuleList(_Down(before, after) for before, after in zip([channels, *widths[:-1]], widths, strict=True))
        self.bottom = nn.Sequential(
            _Conv(wide, 2 * wide, 1), *(_Residual(2 * wide) for _ in range(bottom_blocks)), _Conv(2 * wide, wide, 1)
        )
        befores = [wide, *[wide] * (levels - 1)]
        afters = [*[wide] * (levels - 1), width]
        self.up = nn.ModuleList(
            _Conv(before + skip, after, 3) for before, skip, after in zip(befores, widths[::-1], afters, strict=True)
        )
        self.refine = nn.Sequential(_Residual(width), _Conv(width, width, 1))
        self.flow = nn.Conv2d(width, 2, 3, padding=1)
        nn.init.normal_(self.flow.weight, 0.0, _SMALL)
        nn.init.zeros_(self.flow.bias)  # type: ignore[arg-type]  # a convolution made with a bias

    def forward(self, moving: Tensor, fixed: Tensor) -> Tensor:
        x = torch.cat([moving, fixed], 1)
        skips = []
        for down in self.down:
            x = down(x)
            skips.append(x)
            x = functional.max_pool2d(x, 2, ceil_mode=True)
        x = self.bottom(x)
        for up in self.up:
            skip = skips.pop()
            x = functional.interpolate(x, skip.shape[2:], mode="bilinear", align_corners=False)
            x = up(torch.cat([x, skip], 1))
        result: Tensor = self.flow(self.refine(x))
        return result


def warp(picture: Tensor, flow: Tensor) -> Tensor:
    """(n, c, h, w) sampled bilinearly where `flow` (n, 2, h, w; pixels down, right) points; edges repeated."""
    height, width = picture.shape[2:]
    rows = torch.arange(height, device=picture.device, dtype=flow.dtype)[None, :, None] + flow[:, 0]
    columns = torch.arange(width, device=picture.device, dtype=flow.dtype)[None, None, :] + flow[:, 1]
    grid = torch.stack([2 * columns / max(width - 1, 1) - 1, 2 * rows / max(height - 1, 1) - 1], -1)
    return functional.grid_sample(picture.to(grid.dtype), grid, mode="bilinear", padding_mode="border", align_corners=True)


class _Conv(nn.Module):
    def __init__(self, before: int, after: int, kernel: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(before, after, kernel, padding=kernel // 2)

    def forward(self, x: Tensor) -> Tensor:
        return functional.leaky_relu(self.conv(x), 0.2)


class _Residual(nn.Module):
    """`x + f(x)`, two 3 x 3 convolutions with instance norm."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        hidden = functional.relu(_instance_norm(self.first(x)))
        return x + _instance_norm(self.second(hidden))


def _instance_norm(x: Tensor) -> Tensor:
    """Instance norm; a plane of a single pixel has no deviation and passes."""
    return x if x.shape[2] * x.shape[3] == 1 else functional.instance_norm(x)


class _Down(nn.Module):
    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.conv = _Conv(before, after, 3)
        self.residual = _Residual(after)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.residual(self.conv(x))
        return result
