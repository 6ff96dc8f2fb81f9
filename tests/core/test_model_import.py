"""Checkpoints of others, written here by networks of our own reading of the published tables: taken, and translating alike."""

from __future__ import annotations

import itertools
import re
from collections import OrderedDict
from pathlib import Path

import pytest
import torch
from monai.networks.blocks import ResidualUnit
from torch import nn
from torch.nn import functional as F

from ctmri_core.errors import ModelRefused
from ctmri_core.events import finish
from ctmri_core.exchange.found_model import look
from ctmri_core.exchange.importing import import_model
from ctmri_core.model_file import load_model
from ctmri_core.registry import validated_config

CARD = {
    "direction": "mr_t1_to_ct", "body_region": "head", "licence": "BSD-2-Clause",
    "recipe": {"spacing_mm": 1.0, "ct": {"kind": "hu_range", "low": -1000, "high": 1000}, "mr": {"kind": "min_max"}},
}  # fmt: skip
ROOT = Path(__file__).resolve().parents[2]
GREY = {"channels": "copies", "output": "mean"}


class Residual(nn.Module):
    def __init__(self, inside, name="conv_block"):
        super().__init__()
        self.add_module(name, inside)
        self.name = name

    def forward(self, x):
        return x + getattr(self, self.name)(x)


def norm(kind, channels):
    return nn.BatchNorm2d(channels) if kind == "batch" else nn.InstanceNorm2d(channels)


def resnet_layers(channels, answers, width, blocks, kind="instance", dropout=False, name="conv_block"):
    """METHODS 1.1 in a row."""
    bias = kind == "instance"
    layers = [nn.ReflectionPad2d(3), nn.Conv2d(channels, width, 7, bias=bias), norm(kind, width), nn.ReLU()]
    for c in (width, 2 * width):
        layers += [nn.Conv2d(c, 2 * c, 3, 2, 1, bias=bias), norm(kind, 2 * c), nn.ReLU()]
    c = 4 * width
    for _ in range(blocks):
        block = [nn.ReflectionPad2d(1), nn.Conv2d(c, c, 3, bias=bias), norm(kind, c), nn.ReLU()]
        block += [nn.Dropout(0.5)] if dropout else []
        layers += [Residual(nn.Sequential(*block, nn.ReflectionPad2d(1), nn.Conv2d(c, c, 3, bias=bias), norm(kind, c)), name)]
    for c in (4 * width, 2 * width):
        layers += [nn.ConvTranspose2d(c, c // 2, 3, 2, 1, output_padding=1, bias=bias), norm(kind, c // 2), nn.ReLU()]
    return [*layers, nn.ReflectionPad2d(3), nn.Conv2d(width, answers, 7), nn.Tanh()]


class Modelled(nn.Module):
    """Layers under the name `model`."""

    def __init__(self, *layers):
        super().__init__()
        self.model = nn.Sequential(*layers)

    def forward(self, x):
        return self.model(x)


class Headed(nn.Module):
    """RegGAN: the same layers in three parts."""

    def __init__(self, width=4, blocks=9):
        super().__init__()
        layers = resnet_layers(1, 1, width, blocks)
        self.model_head = nn.Sequential(*layers[:10])
        self.model_body = nn.Sequential(*layers[10 : 10 + blocks])
        self.model_tail = nn.Sequential(*layers[10 + blocks :])

    def forward(self, x):
        return self.model_tail(self.model_body(self.model_head(x)))


class UnetLevel(nn.Module):
    """METHODS 1.2: the skip carries the activated tensor."""

    def __init__(self, outer, inner, inside, place, channels=None):
        super().__init__()
        shrink = nn.Conv2d(channels or outer, inner, 4, 2, 1, bias=False)
        up = nn.ConvTranspose2d(inner if place == "innermost" else 2 * inner, outer, 4, 2, 1, bias=place == "outermost")
        if place == "outermost":
            layers = [shrink, inside, nn.ReLU(), up, nn.Tanh()]
        elif place == "innermost":
            layers = [nn.LeakyReLU(0.2), shrink, nn.ReLU(), up, nn.BatchNorm2d(outer)]
        else:
            layers = [nn.LeakyReLU(0.2), shrink, nn.BatchNorm2d(inner), inside, nn.ReLU(), up, nn.BatchNorm2d(outer)]
        self.model, self.outermost = nn.Sequential(*layers), place == "outermost"

    def forward(self, x):
        if self.outermost:
            return self.model(x)
        active = F.leaky_relu(x, 0.2)
        return torch.cat([active, self.model[1:](active)], 1)


def unet(channels, answers, width, downs):
    level = UnetLevel(8 * width, 8 * width, None, "innermost")
    for _ in range(downs - 5):
        level = UnetLevel(8 * width, 8 * width, level, "middle")
    for outer in (4 * width, 2 * width, width):
        level = UnetLevel(outer, 2 * outer, level, "middle")
    whole = Modelled()
    whole.model = UnetLevel(answers, width, level, "outermost", channels)
    return whole


class Blur(nn.Module):
    """METHODS 8.4: [1, 2, 1] down, [1, 3, 3, 1] up, as convolutions with a kernel per channel."""

    def __init__(self, channels, taps, up):
        super().__init__()
        row = torch.tensor(taps, dtype=torch.float32)
        kernel = row[:, None] * row / row.sum() ** 2 * (4 if up else 1)
        self.register_buffer("filt", kernel.repeat(channels, 1, 1, 1))
        self.up = up

    def forward(self, x):
        c = x.shape[1]
        if not self.up:
            return F.conv2d(F.pad(x, [1] * 4, "reflect"), self.filt, stride=2, groups=c)
        return F.conv_transpose2d(F.pad(x, [1] * 4, "replicate"), self.filt, stride=2, padding=2, groups=c)[:, :, 1:-1, 1:-1]


def cut(width=4, blocks=9):
    layers = [nn.ReflectionPad2d(3), nn.Conv2d(1, width, 7), nn.InstanceNorm2d(width), nn.ReLU()]
    for c in (width, 2 * width):
        layers += [nn.Conv2d(c, 2 * c, 3, 1, 1), nn.InstanceNorm2d(2 * c), nn.ReLU(), Blur(2 * c, (1, 2, 1), up=False)]
    c = 4 * width
    for _ in range(blocks):
        half = [nn.ReflectionPad2d(1), nn.Conv2d(c, c, 3), nn.InstanceNorm2d(c)]
        again = [nn.ReflectionPad2d(1), nn.Conv2d(c, c, 3), nn.InstanceNorm2d(c)]
        layers += [Residual(nn.Sequential(*half, nn.ReLU(), *again))]
    for c in (4 * width, 2 * width):
        layers += [Blur(c, (1, 3, 3, 1), up=True), nn.Conv2d(c, c // 2, 3, 1, 1), nn.InstanceNorm2d(c // 2), nn.ReLU()]
    return Modelled(*layers, nn.ReflectionPad2d(3), nn.Conv2d(width, 1, 7), nn.Tanh())


def aggan(width=4, blocks=6):
    """METHODS 3, v1, without the composition."""

    def half(c):
        return [nn.Conv2d(c, 2 * c, 3, 2, 1), nn.BatchNorm2d(2 * c), nn.ReLU()]

    def double(c):
        h = c // 2
        shuffled = [nn.Conv2d(h, 4 * h, 1), nn.PixelShuffle(2), nn.BatchNorm2d(h), nn.ReLU()]
        return [nn.ReflectionPad2d(1), nn.Conv2d(c, h, 3), nn.BatchNorm2d(h), nn.ReLU(), *shuffled]

    def block(c):
        one, two = ([nn.ReflectionPad2d(1), nn.Conv2d(c, c, 3), nn.BatchNorm2d(c)] for _ in range(2))
        return Residual(nn.Sequential(*one, nn.ReLU(), *two))

    head = [nn.ReflectionPad2d(3), nn.Conv2d(3, width, 7), nn.BatchNorm2d(width), nn.ReLU(), *half(width), *half(2 * width)]
    tail = [*double(4 * width), *double(2 * width), nn.ReflectionPad2d(3), nn.Conv2d(width, 4, 7)]
    return Modelled(*head, *(block(4 * width) for _ in range(blocks)), *tail)


def aggan_answer(network, x):
    y = network(x)
    a = torch.sigmoid(y[:, :1]).repeat(1, 3, 1, 1)
    return y[:, 1:] * a + x * (1 - a)


class Attention(nn.Module):
    """METHODS 3, v2: 54 tensors."""

    def __init__(self, width=4):
        super().__init__()
        w = width
        self.conv1, self.conv2, self.conv3 = nn.Conv2d(3, w, 7), nn.Conv2d(w, 2 * w, 3, 2, 1), nn.Conv2d(2 * w, 4 * w, 3, 2, 1)
        self.resnet_blocks = nn.ModuleList()
        for _ in range(9):
            self.resnet_blocks.append(nn.ModuleDict({"conv1": nn.Conv2d(4 * w, 4 * w, 3), "conv2": nn.Conv2d(4 * w, 4 * w, 3)}))
        for end, last in (("content", nn.Conv2d(w, 27, 7)), ("attention", nn.Conv2d(w, 10, 1))):
            self.add_module(f"deconv1_{end}", nn.ConvTranspose2d(4 * w, 2 * w, 3, 2, 1, 1))
            self.add_module(f"deconv2_{end}", nn.ConvTranspose2d(2 * w, w, 3, 2, 1, 1))
            self.add_module(f"deconv3_{end}", last)

    def forward(self, x):
        def act(layer, h):
            return F.relu(F.instance_norm(layer(h)))

        h = act(self.conv3, act(self.conv2, act(self.conv1, F.pad(x, [3] * 4, "reflect"))))
        for block in self.resnet_blocks:
            inner = act(block["conv1"], F.pad(h, [1] * 4, "reflect"))
            h = h + F.instance_norm(block["conv2"](F.pad(inner, [1] * 4, "reflect")))
        content = act(self.deconv2_content, act(self.deconv1_content, h))
        content = torch.tanh(self.deconv3_content(F.pad(content, [3] * 4, "reflect")))
        attention = self.deconv3_attention(act(self.deconv2_attention, act(self.deconv1_attention, h))).softmax(1)
        parts = [content[:, 3 * i : 3 * i + 3] * attention[:, i : i + 1] for i in range(9)]
        return sum(parts) + x * attention[:, 9:]


class Star(nn.Module):
    """METHODS 4, with the running statistics that nobody uses."""

    def __init__(self, channels=1, domains=2, width=4):
        super().__init__()

        def n(c):
            return nn.InstanceNorm2d(c, affine=True, track_running_stats=True)

        layers = [nn.Conv2d(channels + domains, width, 7, 1, 3, bias=False), n(width), nn.ReLU()]
        for c in (width, 2 * width):
            layers += [nn.Conv2d(c, 2 * c, 4, 2, 1, bias=False), n(2 * c), nn.ReLU()]
        c = 4 * width
        for _ in range(6):
            one, two = ([nn.Conv2d(c, c, 3, 1, 1, bias=False), n(c)] for _ in range(2))
            layers += [Residual(nn.Sequential(*one, nn.ReLU(), *two), "main")]
        for c in (4 * width, 2 * width):
            layers += [nn.ConvTranspose2d(c, c // 2, 4, 2, 1, bias=False), n(c // 2), nn.ReLU()]
        self.main = nn.Sequential(*layers, nn.Conv2d(width, channels, 7, 1, 3, bias=False), nn.Tanh())

    def forward(self, x, place):
        planes = torch.zeros(len(x), 2, *x.shape[2:])
        planes[:, place] = 1
        return self.main.train()(torch.cat([x, planes], 1))


class UnitPart(nn.Module):
    """METHODS 2.1: encoder and decoder of one domain under its published names."""

    def __init__(self, width=4):
        super().__init__()
        w = width

        def conv(before, after, kernel):
            return nn.ModuleDict({"conv": nn.Conv2d(before, after, kernel)})

        def blocks():
            pairs = [nn.ModuleList([conv(4 * w, 4 * w, 3), conv(4 * w, 4 * w, 3)]) for _ in range(4)]
            inner = [nn.ModuleDict({"model": pair}) for pair in pairs]
            return nn.ModuleDict({"model": nn.ModuleList(inner)})

        def upward(before, after):
            layer = conv(before, after, 5)
            layer["norm"] = nn.ParameterDict({"gamma": torch.rand(after), "beta": torch.randn(after)})
            return layer

        sizes = ((1, w, 7, 1), (w, 2 * w, 4, 2), (2 * w, 4 * w, 4, 2))
        down = [nn.ModuleDict({"conv": nn.Conv2d(before, after, k, s)}) for before, after, k, s in sizes]
        grow = nn.Upsample(scale_factor=2)
        up = [blocks(), grow, upward(4 * w, 2 * w), grow, upward(2 * w, w), conv(w, 1, 7)]
        self.enc = nn.ModuleDict({"model": nn.ModuleList([*down, blocks()])})
        self.dec = nn.ModuleDict({"model": nn.ModuleList(up)})

    @staticmethod
    def residual(part, h):
        for block in part["model"]:
            one, two = block["model"]
            inner = F.relu(F.instance_norm(one["conv"](F.pad(h, [1] * 4, "reflect"))))
            h = h + F.instance_norm(two["conv"](F.pad(inner, [1] * 4, "reflect")))
        return h

    def encode(self, x):
        for layer, pad in zip(self.enc["model"], (3, 1, 1), strict=False):
            x = F.relu(F.instance_norm(layer["conv"](F.pad(x, [pad] * 4, "reflect"))))
        return self.residual(self.enc["model"][3], x)

    def decode(self, h):
        model = self.dec["model"]
        h = self.residual(model[0], h)
        for layer in (model[2], model[4]):
            h = layer["conv"](F.pad(F.interpolate(h, scale_factor=2), [2] * 4, "reflect"))
            flat = h.flatten(1)
            mean, deviation = flat.mean(1)[:, None, None, None], flat.std(1)[:, None, None, None]
            gamma, beta = (layer["norm"][name][:, None, None] for name in ("gamma", "beta"))
            h = F.relu((h - mean) / (deviation + 1e-5) * gamma + beta)
        return torch.tanh(model[5]["conv"](F.pad(h, [3] * 4, "reflect")))


class SeedUnet(nn.Module):
    """METHODS 6.1: enc1 to dec1."""

    def __init__(self, w=4):
        super().__init__()
        sizes = [1, w, 2 * w, 4 * w, 8 * w, 16 * w]
        for name, (before, after) in zip(("enc1", "enc2", "enc3", "enc4", "bottleneck"), itertools.pairwise(sizes), strict=True):
            layers = [nn.Conv2d(before, after, 4, 2, 1), nn.BatchNorm2d(after), nn.LeakyReLU(0.14), nn.Dropout(0.05)]
            self.add_module(name, nn.Sequential(*layers))
        for name, before, after in (("dec4", 16 * w, 8 * w), ("dec3", 16 * w, 4 * w), ("dec2", 8 * w, 2 * w), ("dec1", 4 * w, w)):
            self.add_module(name, nn.Sequential(nn.ConvTranspose2d(before, after, 4, 2, 1), nn.BatchNorm2d(after), nn.ReLU()))
        self.final_upsample = nn.Sequential(nn.ConvTranspose2d(2 * w, 1, 4, 2, 1), nn.Tanh())

    def forward(self, x):
        skips = [x := getattr(self, name)(x) for name in ("enc1", "enc2", "enc3", "enc4")]
        x = self.bottleneck(x)
        for name in ("dec4", "dec3", "dec2", "dec1"):
            x = torch.cat([getattr(self, name)(x), skips.pop()], 1)
        return self.final_upsample(x)


class SeedResidualUnit(nn.Module):
    """METHODS 6.2, with MONAI's own residual unit."""

    def __init__(self, w=4):
        super().__init__()

        def part(layer, channels):
            return nn.Sequential(layer, nn.InstanceNorm2d(channels), nn.ReLU())

        self.initial = part(nn.Conv2d(1, w, 7, padding=3, padding_mode="reflect"), w)
        self.down1, self.down2 = part(nn.Conv2d(w, 2 * w, 3, 2, 1), 2 * w), part(nn.Conv2d(2 * w, 4 * w, 3, 2, 1), 4 * w)
        self.res_blocks = nn.Sequential(ResidualUnit(2, 4 * w, 4 * w, subunits=6, act="RELU", norm="INSTANCE", dropout=0.0))
        self.up1 = part(nn.ConvTranspose2d(4 * w, 2 * w, 3, 2, 1, 1), 2 * w)
        self.up2 = part(nn.ConvTranspose2d(2 * w, w, 3, 2, 1, 1), w)
        self.output = nn.Sequential(nn.Conv2d(w, 1, 7, padding=3, padding_mode="reflect"), nn.Tanh())

    def forward(self, x):
        for name in ("initial", "down1", "down2", "res_blocks", "up1", "up2", "output"):
            x = getattr(self, name)(x)
        return x


class SeedStages(nn.Module):
    """METHODS 6.3: the U-Net of three channels."""

    def __init__(self, w=4):
        super().__init__()
        sizes = [3, w, 2 * w, 4 * w, 8 * w]
        self.downs = nn.ModuleList(
            nn.Sequential(nn.Conv2d(a, b, 4, 2, 1, bias=False), nn.InstanceNorm2d(b), nn.LeakyReLU(0.2))
            for a, b in itertools.pairwise(sizes)
        )
        self.bottleneck = nn.Sequential(nn.Conv2d(8 * w, 16 * w, 4, 2, 1, bias=False), nn.ReLU())
        self.ups = nn.ModuleList(
            nn.Sequential(nn.ConvTranspose2d(a, b, 4, 2, 1, bias=False), nn.InstanceNorm2d(b), nn.ReLU())
            for a, b in ((16 * w, 8 * w), (16 * w, 4 * w), (8 * w, 2 * w), (4 * w, w))
        )
        self.final = nn.Sequential(nn.ConvTranspose2d(2 * w, 3, 4, 2, 1), nn.Tanh())

    def forward(self, x):
        skips = []
        for down in self.downs:
            skips.append(x := down(x))
        x = self.bottleneck(x)
        for up, skip in zip(self.ups, skips[::-1], strict=True):
            x = torch.cat([up(x), skip], 1)
        return self.final(x)


class PlusPlus:
    """METHODS 8.3: UNet++ over ResNet-34, 2.5-D. The weights come into being where they are first used."""

    def __init__(self, width):
        self.width, self.state = width, OrderedDict()

    def conv(self, name, x, out, kernel=3, stride=1):
        made = torch.randn(out, x.shape[1], kernel, kernel) / (x.shape[1] * kernel**2) ** 0.5
        weight = self.state.setdefault(f"{name}.weight", made)
        return F.conv2d(x, weight, self.state.get(f"{name}.bias"), stride, kernel // 2)

    def normed(self, name, x):
        state, c = self.state, x.shape[1]
        made = {"weight": torch.rand(c) + 0.5, "bias": torch.randn(c)}
        made |= {"running_mean": torch.randn(c), "running_var": torch.rand(c) + 0.5}
        weight, bias, mean, variance = (state.setdefault(f"{name}.{key}", value) for key, value in made.items())
        state.setdefault(f"{name}.num_batches_tracked", torch.tensor(5))
        return F.batch_norm(x, mean, variance, weight, bias)

    def basic(self, name, x, out, stride):
        h = F.relu(self.normed(f"{name}.bn1", self.conv(f"{name}.conv1", x, out, 3, stride)))
        h = self.normed(f"{name}.bn2", self.conv(f"{name}.conv2", h, out))
        if stride != 1 or x.shape[1] != out:
            x = self.normed(f"{name}.downsample.1", self.conv(f"{name}.downsample.0", x, out, 1, stride))
        return F.relu(h + x)

    def node(self, name, x, beside, out):
        h = torch.cat([F.interpolate(x, scale_factor=2), *beside], 1)
        for part in ("conv1", "conv2"):
            h = F.relu(self.normed(f"decoder.blocks.{name}.{part}.1", self.conv(f"decoder.blocks.{name}.{part}.0", h, out)))
        return h

    def __call__(self, x):
        w = self.width
        h = F.relu(self.normed("encoder.bn1", self.conv("encoder.conv1", x, w, 7, 2)))
        features = [h]
        h = F.max_pool2d(h, 3, 2, 1)
        for layer, (count, times) in enumerate(((3, 1), (4, 2), (6, 4), (3, 8)), 1):
            for block in range(count):
                h = self.basic(f"encoder.layer{layer}.{block}", h, times * w, 2 if block == 0 and layer > 1 else 1)
            features.insert(0, h)
        skips, outs = [4 * w, 2 * w, w, w], [max(c * w // 64, 4) for c in (256, 128, 64, 32, 16)]
        nodes = {}
        for reach in range(4):
            for first in range(4 - reach):
                last = first + reach
                below = features[first] if reach == 0 else nodes[first, last - 1]
                beside = [nodes[other, last] for other in range(first + 1, last + 1)] + [features[last + 1]]
                nodes[first, last] = self.node(f"x_{first}_{last}", below, beside, outs[last] if first == 0 else skips[last])
        h = self.node("x_0_4", nodes[0, 3], [], outs[4])
        self.state.setdefault("segmentation_head.0.bias", torch.randn(1))
        return torch.tanh(self.conv("segmentation_head.0", h, 1))


def mean_of_copies(network):
    return lambda x: network(x.repeat(1, 3, 1, 1)).mean(1, keepdim=True)


def _old_instance_norms(state, network):
    """As before PyTorch 0.4: instance norms counted statistics."""
    for name, layer in network.named_modules():
        if isinstance(layer, nn.InstanceNorm2d):
            size = layer.num_features
            state |= {f"{name}.running_mean": torch.randn(size), f"{name}.running_var": torch.rand(size)}
    return state


def _without_counters(state, _network):
    return {name: tensor for name, tensor in state.items() if not name.endswith("num_batches_tracked")}


def plain(state, _network):
    return state


def prefixed(prefix, within=None):
    def change(state, _network):
        named = OrderedDict((f"{prefix}{name}", tensor) for name, tensor in state.items())
        return {within: named, "epoch": 3, "optimizer": {"state": {0: {"exp_avg": torch.zeros(3)}}}} if within else named

    return change


def resnet(*sizes, **options):
    return lambda: Modelled(*resnet_layers(*sizes, **options))


CASES = {
    "cyclegan": (resnet(1, 1, 4, 9), plain, {}, None),
    "cyclegan 6 blocks": (resnet(1, 1, 4, 6), plain, {}, None),
    "cyclegan in colour": (resnet(3, 3, 4, 9), plain, GREY, mean_of_copies),
    "cyclegan of several cards": (resnet(1, 1, 4, 9), prefixed("module."), {}, None),
    "cyclegan compiled": (resnet(1, 1, 4, 9), prefixed("_orig_mod."), {}, None),
    "cyclegan before 0.4": (resnet(1, 1, 4, 9), _old_instance_norms, {}, None),
    "resnet with batch norm and dropout": (
        resnet(1, 1, 4, 9, kind="batch", dropout=True), _without_counters, {"statistics": "training"}, None,
    ),
    "cyclegan of blocks called block": (resnet(3, 3, 4, 9, name="block"), plain, GREY, mean_of_copies),
    "pix2pix": (lambda: unet(1, 1, 2, 8), plain, {"statistics": "training"}, None),
    "pix2pix in colour, 7 levels": (lambda: unet(3, 3, 2, 7), plain, {**GREY, "statistics": "training"}, mean_of_copies),
    "cut": (cut, plain, {}, None),
    "reggan": (Headed, plain, {}, None),
    "aggan": (
        aggan, plain, {**GREY, "statistics": "training"}, lambda network: mean_of_copies(lambda x: aggan_answer(network, x)),
    ),
    "attentiongan": (Attention, plain, GREY, mean_of_copies),
    "attentiongan, first channel": (
        Attention, plain, {"channels": "copies", "output": "first"}, lambda net: lambda x: net(x.repeat(1, 3, 1, 1))[:, :1],
    ),
    "stargan": (Star, plain, {"wanted": 1}, lambda network: lambda x: network(x, 1)),
    "enc1 to dec1": (SeedUnet, plain, {"statistics": "training"}, None),
    "residual unit": (SeedResidualUnit, prefixed("module."), {}, None),
    "downs and ups": (SeedStages, prefixed("G_AB.", within="state_dict"), GREY, mean_of_copies),
}  # fmt: skip


@pytest.fixture(autouse=True)
def _calm(one_thread):
    torch.manual_seed(7)


def written(path, content, *, old=False):
    torch.save(content, path, _use_new_zipfile_serialization=not old)
    return path


def taken(path, folder, **said):
    return load_model(finish(import_model(path, {**CARD, **said}, folder)))


def pictures(size=256, channels=1):
    return torch.rand(2, channels, size, size) * 2 - 1


@pytest.mark.parametrize("case", CASES)
def test_a_checkpoint_of_a_published_layout_translates_as_its_own_network(tmp_path, case):
    make, change, said, answer_of = CASES[case]
    network = make().eval()
    with torch.no_grad():
        for layer in network.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.running_mean.normal_(0, 0.3), layer.running_var.uniform_(0.5, 2), layer.weight.normal_(1, 0.2)
    path = written(tmp_path / "any name.bin", change(OrderedDict(network.state_dict()), network), old=len(case) % 2 == 0)
    generator, card = taken(path, tmp_path, **said)
    x = pictures(256 if "pix2pix" in case else 64)
    with torch.no_grad():
        expected = answer_of(network)(x) if answer_of else network(x)
        torch.testing.assert_close(generator(x), expected, rtol=0, atol=2e-5)
    assert card.origin is not None and card.origin.file == "any name.bin" and len(card.origin.sha256) == 64
    assert card.recipe.multiple % (256 if case == "pix2pix" else 4) == 0


def test_the_unet_plus_plus_of_a_public_challenge_entry_looks_at_five_slices(tmp_path):
    network, x = PlusPlus(16), pictures(64, 5)
    expected = network(x)
    content = {"Model": {"UNetpp5": {f"model.{name}": tensor for name, tensor in network.state.items()}}, "epoch": 99, "it": 3}
    path = written(tmp_path / "CV_0.pt", content)
    said = {"channels": "neighbours", "statistics": "training", "input_range": [-3, 3]}
    generator, card = taken(path, tmp_path, **said)
    torch.testing.assert_close(generator(x / 3), expected, rtol=0, atol=2e-5)
    assert validated_config(card).context == 5
    published = PlusPlus(64)
    published(pictures(32, 5))
    learnt = (tensor for name, tensor in published.state.items() if not re.search("running|num_batches", name))
    assert sum(tensor.numel() for tensor in learnt) == 26_084_881


@pytest.mark.parametrize(("part", "way"), [("a_to_b", ("a", "b")), ("b_to_a", ("b", "a"))])
def test_both_ways_through_a_unit_file(tmp_path, part, way):
    networks = {"a": UnitPart().eval(), "b": UnitPart().eval()}
    path = written(tmp_path / "gen_01000000.pt", {name: network.state_dict() for name, network in networks.items()})
    assert [network.part for network in look(path).networks] == ["a_to_b", "b_to_a"]
    assert len(networks["a"].state_dict()) == 48
    generator, _ = taken(path, tmp_path, part=part)
    x = pictures(32)
    with torch.no_grad():
        expected = networks[way[1]].decode(networks[way[0]].encode(x))
        torch.testing.assert_close(generator(x), expected, rtol=0, atol=2e-5)
    with pytest.raises(ModelRefused, match="part: which of the networks"):
        finish(import_model(path, CARD, tmp_path))
    with pytest.raises(ModelRefused, match="'c' is none of a_to_b, b_to_a"):
        taken(path, tmp_path, part="c")


def small():
    return Modelled(*resnet_layers(1, 1, 4, 2))


def state():
    return OrderedDict(small().state_dict())


def _short(weights):
    weights["model.1.weight"] = torch.zeros(4, 1, 7, 5)
    return weights


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda weights: weights.pop("model.4.bias") is None or weights, r"lacks weight 'model\.4\.bias' \(1 in all\)"),
        (lambda weights: weights | {"model.99.weight": torch.zeros(2)}, r"holds the unknown weight 'model\.99\.weight'"),
        (_short, r"weight 'model\.1\.weight' has the shape \[4, 1, 7, 5\] instead of \[4, 1, 7, 7\]"),
        (lambda weights: weights | {"model.4.bias": torch.zeros(8, dtype=torch.int64)}, "has the type int64"),
        (lambda weights: {f"x.{name}": tensor for name, tensor in list(weights.items())[3:]}, "of no layout that is known here"),
        (lambda _: {"network_weights": {"encoder.stages.0.0.convs.0.conv.weight": torch.zeros(3)}}, "nnU-Net"),
        (lambda _: {"model": {"denoise_fn.input.weight": torch.zeros(3)}}, "diffusion"),
        (lambda _: {"conv_tower.0.weight": torch.zeros(4, 3, 4, 4)}, "discriminator"),
        (lambda _: {"epoch": 3, "names": ["a", ("b",)]}, "holds no weights"),
    ],
)
def test_what_is_not_quite_a_layout_is_refused_by_the_name_of_the_weight(tmp_path, change, says):
    path = written(tmp_path / "net.pth", change(state()))
    with pytest.raises(ModelRefused, match=says):
        finish(import_model(path, CARD, tmp_path))
    assert not list(tmp_path.glob("*.safetensors"))


def test_a_discriminator_is_told_from_a_generator(tmp_path):
    judge = nn.Sequential(*(nn.Conv2d(a, b, 4) for a, b in ((1, 4), (4, 8), (8, 16), (16, 1))))
    path = written(tmp_path / "latest_net_D_A.pth", {f"model.{name}": tensor for name, tensor in judge.state_dict().items()})
    with pytest.raises(ModelRefused, match="discriminator"):
        look(path)


@pytest.mark.parametrize(
    ("said", "says"),
    [
        ({}, r"direction: .*\n  body_region: .*\n  licence: "),
        ({"direction": "mr_t1_to_ct", "body_region": "head", "licence": "MIT"}, r"recipe\.spacing_mm: the size in mm"),
        ({**CARD, "recipe": {"spacing_mm": None, "ct": {"kind": "hu_range"}}}, r"recipe\.mr: how MR values"),
        ({**CARD, "recipe": {"spacing_mm": None, "mr": {"kind": "min_max"}}}, r"recipe\.ct: how CT values"),
        ({**CARD, "direction": "ct_to_ct"}, "name two different kinds"),
        ({**CARD, "direction": "ct_to_unknown"}, "name two different kinds"),
        ({**CARD, "direction": "sideways"}, "direction: Value error, 'sideways' is no direction"),
        ({**CARD, "surprise": 1}, "surprise: Extra inputs"),
        ({**CARD, "recipe": {**CARD["recipe"], "spacing_mm": -1}}, r"recipe\.spacing_mm: Input should"),
    ],
)
def test_what_a_card_leaves_out_is_asked_for_and_never_guessed(tmp_path, said, says):
    path = written(tmp_path / "net.pth", state())
    with pytest.raises(ModelRefused, match=says):
        finish(import_model(path, said, tmp_path))
    assert not list(tmp_path.glob("*.safetensors"))


def test_batch_norm_by_each_picture_is_what_pix2pix_publishes(tmp_path):
    network = Modelled(*resnet_layers(1, 1, 4, 2, kind="batch"))
    path = written(tmp_path / "latest_net_G.pth", network.state_dict())
    with pytest.raises(ModelRefused, match="statistics: how it translates"):
        finish(import_model(path, CARD, tmp_path))
    by_picture, card = taken(path, tmp_path, statistics="picture")
    x = pictures(32)
    with torch.no_grad():
        expected = torch.cat([network.train()(one) for one in x.split(1)])
        torch.testing.assert_close(by_picture(x), expected, rtol=0, atol=2e-5)
    assert card.config["statistics"] == "picture" and "of each picture" in card.origin.changed[-1]


def test_the_same_file_is_not_written_twice_and_another_not_over_it(tmp_path):
    path = written(tmp_path / "net.pth", state())
    first = finish(import_model(path, CARD, tmp_path))
    assert finish(import_model(path, CARD, tmp_path)) == first
    other = finish(import_model(written(path, state()), CARD, tmp_path))
    assert other != first and other.is_file() and load_model(first).card.origin != load_model(other).card.origin


def test_a_card_says_that_a_network_learnt_from_three_planes(tmp_path):
    path = written(tmp_path / "net.pth", state())
    recipe = {**CARD["recipe"], "planes": "three"}
    assert load_model(finish(import_model(path, {**CARD, "recipe": recipe}, tmp_path))).card.recipe.planes == "three"
    with pytest.raises(ModelRefused, match=r"recipe\.planes"):
        finish(import_model(path, {**CARD, "recipe": {**recipe, "planes": "four"}}, tmp_path))


def test_only_one_module_calls_torch_load_and_that_with_weights_only():
    sources = {path: path.read_text() for folder in ("ctmri_core", "ctmri_gui") for path in (ROOT / folder).rglob("*.py")}
    calls = {path.name: re.findall(r"torch\.load\(.*\)", text) for path, text in sources.items() if "torch.load(" in text}
    assert list(calls) == ["foreign_weights.py"] and all("weights_only=True" in call for call in calls["foreign_weights.py"])
