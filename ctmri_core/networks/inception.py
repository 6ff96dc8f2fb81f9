"""The convolutions of Inception v3 (Szegedy et al. 2016, table 1), with the names that its public weights have."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

_Layer = tuple[str, int, int | tuple[int, int]]
"""Name, channels as published, kernel."""
_Branch = tuple[_Layer, ...]
_Pool = Literal["mean", "mean inside", "max"]


def _five(channels: int) -> tuple[_Branch, ...]:
    return (
        (("branch1x1", 64, 1),),
        (("branch5x5_1", 48, 1), ("branch5x5_2", 64, 5)),
        (("branch3x3dbl_1", 64, 1), ("branch3x3dbl_2", 96, 3), ("branch3x3dbl_3", 96, 3)),
        (("branch_pool", channels, 1),),
    )


def _six(channels: int) -> tuple[_Branch, ...]:
    across, down = (1, 7), (7, 1)
    return (
        (("branch1x1", 192, 1),),
        (("branch7x7_1", channels, 1), ("branch7x7_2", channels, across), ("branch7x7_3", 192, down)),
        (
            ("branch7x7dbl_1", channels, 1), ("branch7x7dbl_2", channels, down), ("branch7x7dbl_3", channels, across),
            ("branch7x7dbl_4", channels, down), ("branch7x7dbl_5", 192, across),
        ),
        (("branch_pool", 192, 1),),
    )  # fmt: skip


_STEM: tuple[tuple[_Layer, int, int], ...] = (  # layer, stride, padding
    (("Conv2d_1a_3x3", 32, 3), 2, 0), (("Conv2d_2a_3x3", 32, 3), 1, 0), (("Conv2d_2b_3x3", 64, 3), 1, 1),
    (("Conv2d_3b_1x1", 80, 1), 1, 0), (("Conv2d_4a_3x3", 192, 3), 1, 0),
)  # fmt: skip
_HALVED_AFTER = ("Conv2d_2b_3x3", "Conv2d_4a_3x3")
_SEVEN: tuple[_Branch, ...] = (
    (("branch1x1", 320, 1),),
    (("branch3x3_1", 384, 1), ("branch3x3_2a", 384, (1, 3)), ("branch3x3_2b", 384, (3, 1))),
    (("branch3x3dbl_1", 448, 1), ("branch3x3dbl_2", 384, 3), ("branch3x3dbl_3a", 384, (1, 3)), ("branch3x3dbl_3b", 384, (3, 1))),
    (("branch_pool", 192, 1),),
)
_BLOCKS: dict[str, tuple[_Branch, ...]] = {
    "Mixed_5b": _five(32), "Mixed_5c": _five(64), "Mixed_5d": _five(64),
    "Mixed_6a": (
        (("branch3x3", 384, 3),), (("branch3x3dbl_1", 64, 1), ("branch3x3dbl_2", 96, 3), ("branch3x3dbl_3", 96, 3)),
    ),
    "Mixed_6b": _six(128), "Mixed_6c": _six(160), "Mixed_6d": _six(160), "Mixed_6e": _six(192),
    "Mixed_7a": (
        (("branch3x3_1", 192, 1), ("branch3x3_2", 320, 3)),
        (("branch7x7x3_1", 192, 1), ("branch7x7x3_2", 192, (1, 7)), ("branch7x7x3_3", 192, (7, 1)), ("branch7x7x3_4", 192, 3)),
    ),
    "Mixed_7b": _SEVEN, "Mixed_7c": _SEVEN,
}  # fmt: skip
_HALVING = ("Mixed_6a", "Mixed_7a")
"""Each branch ends with a convolution of stride 2, and the pool is the largest of 3 x 3 without a convolution."""


class InceptionFeatures(nn.Module):
    """(n, 3, h, w) in [-1, 1] -> (n, 2048): means over places of the last features. h, w 299 as published, at least 75.

    `width`: channels of the first layer, 32 as published; the others are as many times wider. `of_fid`: pooled as the network
    that the FID was defined with (Heusel et al. 2017): averages leave out the padding, and the last block takes the largest.
    """

    def __init__(self, width: int = 32, *, of_fid: bool = True) -> None:
        super().__init__()
        channels = 3
        for (name, published, kernel), stride, padding in _STEM:
            after = published * width // 32
            self.add_module(name, _Convolution(channels, after, kernel, stride, (padding, padding)))
            channels = after
        for name, branches in _BLOCKS.items():
            pool: _Pool = "max" if of_fid and name == "Mixed_7c" else "mean inside" if of_fid else "mean"
            block = _Block(channels, branches, width, pool, halving=name in _HALVING)
            self.add_module(name, block)
            channels = block.channels

    def forward(self, x: Tensor) -> Tensor:
        for name, part in self.named_children():
            x = part(x)
            if name in _HALVED_AFTER:
                x = functional.max_pool2d(x, 3, 2)
        return x.mean((2, 3))


class _Convolution(nn.Module):
    def __init__(self, before: int, after: int, kernel: int | tuple[int, int], stride: int, padding: tuple[int, int]) -> None:
        super().__init__()
        self.conv = nn.Conv2d(before, after, kernel, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(after, eps=0.001)

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.bn(self.conv(x)))


class _Block(nn.Module):
    """Branches side by side, and what a pool leaves. Layers a and b of a branch both take what the layer before them gives."""

    def __init__(self, before: int, branches: tuple[_Branch, ...], width: int, pool: _Pool, *, halving: bool) -> None:
        super().__init__()
        self._branches, self._pool, self._halving = branches, pool, halving
        self.channels = before if halving else 0
        for branch in branches:
            channels = before
            for name, published, kernel in branch:
                after = published * width // 32
                stride = 2 if halving and name == branch[-1][0] else 1
                rows, columns = (kernel, kernel) if isinstance(kernel, int) else kernel
                padding = (0, 0) if stride == 2 else (rows // 2, columns // 2)
                self.add_module(name, _Convolution(channels, after, kernel, stride, padding))
                channels = channels if _is_head(name) else after
            self.channels += sum(published for name, published, _ in branch if _is_head(name)) * width // 32 or channels

    def forward(self, x: Tensor) -> Tensor:
        found = []
        for branch in self._branches:
            y, heads = x, []
            for name, _, _ in branch:
                if name == "branch_pool":
                    y = self._pooled(y)
                part = self.get_submodule(name)(y)
                if _is_head(name):
                    heads.append(part)
                else:
                    y = part
            found += heads or [y]
        return torch.cat([*found, functional.max_pool2d(x, 3, 2)] if self._halving else found, 1)

    def _pooled(self, x: Tensor) -> Tensor:
        if self._pool == "max":
            return functional.max_pool2d(x, 3, 1, 1)
        return functional.avg_pool2d(x, 3, 1, 1, count_include_pad=self._pool == "mean")


def _is_head(name: str) -> bool:
    return name.endswith(("a", "b"))
