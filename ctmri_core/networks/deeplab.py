"""DeepLabV3+ (Chen et al. 2018): atrous spatial pyramid pooling over an encoder, and a small decoder beside it.

Keys of the plain kind are those of the best known public implementation: `backbone.*`, `classifier.{project,aspp,classifier}.*`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from ctmri_core.networks.mobilenet_encoder import MobilenetEncoder
from ctmri_core.networks.resnet_encoder import ResnetEncoder

Backbone = Literal["resnet_34", "resnet_50", "mobilenet_v2"]
_RATES = {16: (6, 12, 18), 8: (12, 24, 36)}
"""Of the dilated convolutions, by the output stride (section 4)."""
_WIDE, _LOW = 256, 48
_DROPOUT = 0.1
_COLOURS = (0.229, 0.224, 0.225)
"""By which public weights expect red, green and blue in [0, 1] to be divided."""
_COUNTER = "num_batches_tracked"
_Conv3 = Callable[[int, int, int], nn.Module]


class DeepLab(nn.Module):
    """(n, in_channels, h, w) -> (n, classes - 1, h, w) in [-1, 1]: how sure each class but the background is, -1 not at all.

    `classes`: with the background, which comes first. `width`: 64 is the published size, of every layer. `separable`: the
    convolutions of pyramid and decoder filter channel by channel, then mix (section 3.2), with one more behind the pyramid.
    h, w multiples of 16; with `logits`, what the softmax is taken of, (n, classes, h, w).
    """

    multiple = 16

    def __init__(
        self, in_channels: int = 3, classes: int = 2, backbone: Backbone = "resnet_50", *,
        output_stride: Literal[8, 16] = 16, separable: bool = False, width: int = 64,
    ) -> None:  # fmt: skip
        super().__init__()
        self.backbone: ResnetEncoder | MobilenetEncoder
        if backbone == "mobilenet_v2":
            self.backbone = MobilenetEncoder(in_channels, width, output_stride=output_stride, last=separable)
            low, high = self.backbone.channels
        else:
            self.backbone = ResnetEncoder(in_channels, width, deep=backbone == "resnet_50", output_stride=output_stride)
            low, high = self.backbone.channels[1], self.backbone.channels[-1]
        self.classifier = _Head(low, high, classes, _RATES[output_stride], separable=separable, width=width)

    def forward(self, x: Tensor, *, logits: bool = False) -> Tensor:
        features = self.backbone(x)
        low = features[0] if len(features) == 2 else features[1]
        found: Tensor = self.classifier(low, features[-1])
        found = functional.interpolate(found, x.shape[-2:], mode="bilinear", align_corners=False)
        return found if logits else 2 * found.softmax(1)[:, 1:] - 1

    def take_public_weights(self, weights: Mapping[str, Tensor]) -> int:
        """Starts the encoder with weights learnt on photographs, keys as torchvision's; how many tensors of it they fill.

        Grey in [-1, 1] stands for three equal colours, scaled as there; the mean that the first layer would take away is left to
        the norm behind it. Raises `ValueError` saying what does not fit.
        """
        own, first = self.backbone.state_dict(), next(iter(self.backbone.state_dict()))
        found = {name: weights.get(name, weights.get(f"backbone.{name}")) for name in own if not name.endswith(_COUNTER)}
        lacking = [name for name, tensor in found.items() if tensor is None]
        if lacking:
            raise ValueError(f"it lacks {len(lacking)} of {len(found)} tensors of this encoder, {lacking[0]!r} the first.")
        filled = {name: tensor for name, tensor in found.items() if tensor is not None}
        if filled[first].ndim == 4 and filled[first].shape[1] == len(_COLOURS):
            kernel = filled[first] / (2 * torch.tensor(_COLOURS).reshape(1, -1, 1, 1))
            filled[first] = kernel.sum(1, keepdim=True).expand(-1, own[first].shape[1], -1, -1) / own[first].shape[1]
        odd = [name for name, tensor in filled.items() if tensor.shape != own[name].shape]
        if odd:
            shapes = f"{list(filled[odd[0]].shape)} instead of {list(own[odd[0]].shape)}"
            raise ValueError(f"its tensor {odd[0]!r} has the shape {shapes}: it is of another encoder.")
        self.backbone.load_state_dict(filled, strict=False)
        return len(filled)


class _Head(nn.Module):
    """Section 3.1, figure 2: what is far (the pyramid) joined with what is near (features at stride 4)."""

    def __init__(
        self, low: int, high: int, classes: int, rates: tuple[int, ...], *, separable: bool, width: int
    ) -> None:  # fmt: skip
        super().__init__()
        wide, narrow = max(_WIDE * width // 64, 8), max(_LOW * width // 64, 4)
        conv3: _Conv3 = _separable if separable else _plain
        self.project = nn.Sequential(nn.Conv2d(low, narrow, 1, bias=False), nn.BatchNorm2d(narrow), nn.ReLU(inplace=True))
        self.aspp = Aspp(high, wide, rates, conv3)
        self.behind = _normed(conv3(wide, wide, 1), wide) if separable else nn.Identity()
        self.classifier = nn.Sequential(*_normed(conv3(wide + narrow, wide, 1), wide), nn.Conv2d(wide, classes, 1))

    def forward(self, low: Tensor, high: Tensor) -> Tensor:
        near = self.project(low)
        far = functional.interpolate(self.behind(self.aspp(high)), near.shape[-2:], mode="bilinear", align_corners=False)
        result: Tensor = self.classifier(torch.cat([near, far], 1))
        return result


class Aspp(nn.Module):
    """One 1 x 1 convolution, three dilated ones and the mean of the picture, side by side (Chen et al. 2017, section 3.3)."""

    def __init__(self, before: int, wide: int, rates: tuple[int, ...], conv3: _Conv3) -> None:
        super().__init__()
        branches = [_normed(nn.Conv2d(before, wide, 1, bias=False), wide)]
        branches += [_normed(conv3(before, wide, rate), wide) for rate in rates]
        branches.append(nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Conv2d(before, wide, 1, bias=False), PooledNorm(wide), nn.ReLU(inplace=True)
        ))  # fmt: skip
        self.convs = nn.ModuleList(branches)
        joined = nn.Conv2d(len(branches) * wide, wide, 1, bias=False)
        self.project = nn.Sequential(*_normed(joined, wide), nn.Dropout(_DROPOUT))

    def forward(self, x: Tensor) -> Tensor:
        found = [branch(x) for branch in self.convs]
        found[-1] = found[-1].expand(-1, -1, *x.shape[-2:])
        result: Tensor = self.project(torch.cat(found, 1))
        return result


class PooledNorm(nn.BatchNorm2d):
    """Batch norm of one value a picture: a single picture has no variance, and is normed by what training saw before."""

    def forward(self, x: Tensor) -> Tensor:
        if self.training and len(x) == 1:
            return functional.batch_norm(
                x, self.running_mean, self.running_var, self.weight, self.bias, training=False, eps=self.eps
            )  # fmt: skip
        result: Tensor = super().forward(x)
        return result


def _normed(convolution: nn.Module, channels: int) -> nn.Sequential:
    return nn.Sequential(convolution, nn.BatchNorm2d(channels), nn.ReLU(inplace=True))


def _plain(before: int, after: int, rate: int) -> nn.Module:
    return nn.Conv2d(before, after, 3, 1, rate, rate, bias=False)


def _separable(before: int, after: int, rate: int) -> nn.Module:
    each = nn.Conv2d(before, before, 3, 1, rate, rate, before, bias=False)
    return nn.Sequential(each, nn.Conv2d(before, after, 1, bias=False))
