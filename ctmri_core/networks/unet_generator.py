"""The U-Net generator of pix2pix (Isola et al. 2017, after Ronneberger et al. 2015)."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from ctmri_core.networks.normalisation import Norm, conv_has_bias, norm_layer

Place = Literal["outermost", "intermediate", "innermost"]


class UnetBlock(nn.Module):
    """One level: halve, everything below (`inside`), double.

    Except at the outermost level the input is activated first and the *activated* tensor is what the skip carries; public
    checkpoints were trained that way (an in-place LeakyReLU).
    """

    def __init__(
        self, channels: int, inside_channels: int, inside: UnetBlock | None, place: Place, norm: Norm,
        *, in_channels: int | None = None, dropout: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        self.place = place
        bias = conv_has_bias(norm)
        shrink = nn.Conv2d(in_channels or channels, inside_channels, 4, stride=2, padding=1, bias=bias)
        layers: list[nn.Module] = [shrink] if place == "outermost" else [nn.LeakyReLU(0.2), shrink]
        if place == "intermediate":
            layers.append(norm_layer(norm, inside_channels))
        if inside is not None:
            layers.append(inside)
        from_inside = inside_channels if place == "innermost" else 2 * inside_channels
        outermost = place == "outermost"
        layers += [nn.ReLU(True), nn.ConvTranspose2d(from_inside, channels, 4, stride=2, padding=1, bias=bias or outermost)]
        layers.append(nn.Tanh() if outermost else norm_layer(norm, channels))
        if dropout:
            layers.append(nn.Dropout(0.5))
        self.model = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor
        if self.place == "outermost":
            result = self.model(x)
            return result
        activated: Tensor = self.model[0](x)
        result = activated
        for layer in list(self.model)[1:]:
            result = layer(result)
        return torch.cat([activated, result], 1)


class UnetGenerator(nn.Module):
    """(n, in_channels, h, w) in [-1, 1] -> (n, out_channels, h, w) in [-1, 1]; h and w multiples of `multiple` = 2**downs.

    `downs` levels (at least 5; 8 gives "U-Net-256", 7 "U-Net-128"); channels double from `width` up to 8 x `width`. Dropout,
    where wanted, sits in the `downs` - 5 innermost intermediate levels. State-dict keys are those of the public pix2pix
    checkpoints.
    """

    def __init__(
        self,
        in_channels: int = 1,
        out_channels: int = 1,
        width: int = 64,
        downs: int = 8,
        norm: Norm = "batch",
        dropout: bool = True,
    ) -> None:
        super().__init__()
        if downs < 5:
            raise ValueError(f"a U-Net of this kind needs at least 5 levels, not {downs}")
        self.multiple = 2**downs
        block = UnetBlock(8 * width, 8 * width, None, "innermost", norm)
        for _ in range(downs - 5):
            block = UnetBlock(8 * width, 8 * width, block, "intermediate", norm, dropout=dropout)
        for channels in (4 * width, 2 * width, width):
            block = UnetBlock(channels, 2 * channels, block, "intermediate", norm)
        self.model = UnetBlock(out_channels, width, block, "outermost", norm, in_channels=in_channels)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.model(x)
        return result
