"""UNet++ (Zhou et al. 2018) with a ResNet-34 encoder, in the layout of the public segmentation library's weights."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from ctmri_core.networks.resnet_encoder import ResnetEncoder

_DECODER = (256, 128, 64, 32, 16)


class UnetPlusPlus(nn.Module):
    """(n, in_channels, h, w) -> (n, out_channels, h, w) in [-1, 1]; h, w multiples of 32.

    In the 2.5-D use the channels are neighbouring slices and the result is the middle one. `width` scales every layer (64 is
    the published size).
    """

    multiple = 32

    def __init__(self, in_channels: int = 5, out_channels: int = 1, width: int = 64) -> None:
        super().__init__()
        self.encoder = ResnetEncoder(in_channels, width)
        outs = tuple(max(channels * width // 64, 4) for channels in _DECODER)
        self.decoder = _Decoder(self.encoder.channels, outs)
        self.segmentation_head = nn.Sequential(nn.Conv2d(outs[-1], out_channels, 3, padding=1))

    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(self.segmentation_head(self.decoder(self.encoder(x))))


class _Decoder(nn.Module):
    """Node x_i_j joins the node below-left with all nodes of its level to the left and the encoder's feature there."""

    def __init__(self, encoder: tuple[int, ...], outs: tuple[int, ...]) -> None:
        super().__init__()
        bottom, *skips = encoder[::-1]
        befores = (bottom, *outs[:-1])
        self.depth = len(skips)
        blocks: dict[str, nn.Module] = {}
        for layer in range(self.depth):
            for start in range(layer + 1):
                before = befores[layer] if start == 0 else skips[layer - 1]
                after = outs[layer] if start == 0 else skips[layer]
                blocks[f"x_{start}_{layer}"] = _DecoderBlock(before, skips[layer] * (layer + 1 - start), after)
        blocks[f"x_0_{self.depth}"] = _DecoderBlock(befores[-1], 0, outs[-1])
        self.blocks = nn.ModuleDict(blocks)

    def forward(self, features: list[Tensor]) -> Tensor:
        below = features[::-1]
        nodes: dict[tuple[int, int], Tensor] = {}
        for span in range(self.depth):
            for start in range(self.depth - span):
                layer = start + span
                lower = below[start] if span == 0 else nodes[start, layer - 1]
                beside = [nodes[other, layer] for other in range(start + 1, layer + 1)] + [below[layer + 1]]
                nodes[start, layer] = self.blocks[f"x_{start}_{layer}"](lower, torch.cat(beside, 1))
        result: Tensor = self.blocks[f"x_0_{self.depth}"](nodes[0, self.depth - 1], None)
        return result


class _DecoderBlock(nn.Module):
    def __init__(self, before: int, skip: int, after: int) -> None:
        super().__init__()
        self.conv1 = _conv(before + skip, after)
        self.conv2 = _conv(after, after)

    def forward(self, x: Tensor, skip: Tensor | None) -> Tensor:
        x = functional.interpolate(x, scale_factor=2.0, mode="nearest")
        if skip is not None:
            x = torch.cat([x, skip], 1)
        result: Tensor = self.conv2(self.conv1(x))
        return result


def _conv(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(before, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU(inplace=True))
