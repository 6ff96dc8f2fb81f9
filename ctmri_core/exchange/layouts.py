"""The published layouts of translation networks: by which weights each is known, and how large a network its weights make.

Facts of the layouts: the public repositories' own files, as far as they name and number their layers. Names are compared after
prefixes that wrapping a network leaves have been taken off.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ctmri_core.imported.card import LayoutName, Statistics

Shapes = Mapping[str, tuple[int, ...]]
Settings = dict[str, Any]


@dataclass(frozen=True)
class Layout:
    """`signature`: names that its weights must have; `tells`: what else tells it from layouts with the same names.

    `settings`: of `ImportedConfig`, from the shapes under their own names. `here`: what a name is in our network of these
    settings. `chance`: whether batch norm or dropout leave a choice how it translates; `advised`: what its authors do.
    `counts_in_vain`: its instance norms learn a scale and count statistics that its authors never use. `supplied`: weights that
    answers make.
    """

    name: LayoutName
    title: str
    signature: tuple[str, ...]
    settings: Callable[[Shapes], Settings]
    tells: Callable[[Shapes], bool] = lambda _: True
    here: Callable[[str, Settings], str] = lambda name, _: name
    chance: Callable[[Settings], bool] = lambda _: False
    advised: Statistics = "training"
    counts_in_vain: bool = False
    supplied: tuple[str, ...] = ()

    def fits(self, shapes: Shapes) -> bool:
        """Whether weights of these names are of this layout."""
        return all(name in shapes for name in self.signature) and self.tells(shapes)


def _count(shapes: Shapes, pattern: str) -> int:
    """How many numbers the names hold where `pattern` has its group."""
    return len({found[1] for name in shapes if (found := re.match(pattern, name))})


def _resnet(shapes: Shapes, block: str = "conv_block") -> Settings:
    blocks = _count(shapes, rf"model\.(\d+)\.{block}\.")
    width, channels = shapes["model.1.weight"][:2]
    return {
        "in_channels": channels, "out_channels": shapes.get(f"model.{17 + blocks}.weight", (1,))[0], "width": width,
        "blocks": blocks, "norm": "batch" if "model.2.weight" in shapes else "instance",
        "dropout": any(name.endswith(f".{block}.6.weight") and len(shape) == 4 for name, shape in shapes.items()),
    }  # fmt: skip


def _headed_resnet(shapes: Shapes) -> Settings:
    blocks = _count(shapes, r"model_body\.(\d+)\.")
    width, channels = shapes["model_head.1.weight"][:2]
    answers = shapes.get("model_tail.7.weight", (1,))[0]
    return {"in_channels": channels, "out_channels": answers, "width": width, "blocks": blocks}


def _antialiased(shapes: Shapes) -> Settings:
    blocks = _count(shapes, r"model\.(\d+)\.conv_block\.")
    width, channels = shapes["model.1.weight"][:2]
    answers = shapes.get(f"model.{21 + blocks}.weight", (1,))[0]
    return {"in_channels": channels, "out_channels": answers, "width": width, "blocks": blocks}


def _unet(shapes: Shapes) -> Settings:
    width, channels = shapes["model.model.0.weight"][:2]
    return {
        "in_channels": channels, "out_channels": shapes["model.model.3.weight"][1], "width": width, "dropout": True,
        "downs": max(name.split(".").count("model") for name in shapes) - 1,
        "norm": "batch" if "model.model.1.model.2.weight" in shapes else "instance",
    }  # fmt: skip


def _unit(shapes: Shapes) -> Settings:
    width, channels = shapes["enc.model.0.conv.weight"][:2]
    answers = shapes.get("dec.model.5.conv.weight", (1,))[0]
    blocks = _count(shapes, r"enc\.model\.3\.model\.(\d+)\.")
    return {"in_channels": channels, "out_channels": answers, "width": width, "blocks": blocks}


def _attention(shapes: Shapes) -> Settings:
    width, channels = shapes["conv1.weight"][:2]
    blocks, maps = _count(shapes, r"resnet_blocks\.(\d+)\."), shapes["deconv3_attention.weight"][0]
    return {"in_channels": channels, "out_channels": channels, "width": width, "blocks": blocks, "maps": maps}


def _aggan(shapes: Shapes) -> Settings:
    width, channels = shapes["model.1.weight"][:2]
    blocks = _count(shapes, r"model\.(\d+)\.conv_block\.")
    return {"in_channels": channels, "out_channels": channels, "width": width, "blocks": blocks, "norm": "batch"}


def _stargan(shapes: Shapes) -> Settings:
    blocks = _count(shapes, r"main\.(\d+)\.main\.")
    width, both = shapes["main.0.weight"][:2]
    answers = shapes.get(f"main.{15 + blocks}.weight", (1,))[0]
    return {"in_channels": answers, "out_channels": answers, "width": width, "blocks": blocks, "domains": both - answers}


def _plain_unet(shapes: Shapes) -> Settings:
    width, channels = shapes["enc1.0.weight"][:2]
    return {"in_channels": channels, "width": width, "norm": "batch", "dropout": True}


def _residual_unit(shapes: Shapes) -> Settings:
    width, channels = shapes["initial.0.weight"][:2]
    units = _count(shapes, r"res_blocks\.0\.conv\.(unit\d+)\.")
    return {"in_channels": channels, "out_channels": shapes["output.0.weight"][0], "width": width, "blocks": units}


def _stage_unet(shapes: Shapes) -> Settings:
    width, channels = shapes["downs.0.0.weight"][:2]
    return {"in_channels": channels, "out_channels": shapes["final.0.weight"][1], "width": width}


def _unet_plus_plus(shapes: Shapes) -> Settings:
    width, channels = shapes["encoder.conv1.weight"][:2]
    answers = shapes["segmentation_head.0.weight"][0]
    return {"in_channels": channels, "out_channels": answers, "width": width, "norm": "batch"}


def _in_a_row(name: str, settings: Settings) -> str:
    """`model_head.N`, `model_body.N`, `model_tail.N`: RegGAN numbers the layers of each anew."""
    part, number, last, *_ = (*name.removeprefix("model_").split(".", 2), "", "")
    begin = {"head": 0, "body": 10, "tail": 10 + settings["blocks"]}.get(part)
    return name if begin is None or not number.isdigit() else f"model.{begin + int(number)}.{last}"


def _shuffles_pixels(shapes: Shapes) -> bool:
    """AGGAN enlarges by a 1 x 1 convolution behind its blocks, whose answers are shuffled into place."""
    blocks = _count(shapes, r"model\.(\d+)\.conv_block\.")
    return shapes.get(f"model.{14 + blocks}.weight", ())[2:] == (1, 1)


def _always(_: Any) -> bool:
    return True


def _of_resnet(settings: Settings) -> bool:
    return bool(settings["norm"] == "batch" or settings["dropout"])


LAYOUTS = (
    Layout(
        name="antialiased_resnet", title="CUT (ResNet generator that blurs before halving)", settings=_antialiased,
        signature=("model.1.weight", "model.7.filt", "model.12.conv_block.1.weight"),
    ),
    Layout(
        name="aggan", title="AGGAN v1 (attention-guided generator)", settings=_aggan, chance=_always, tells=_shuffles_pixels,
        signature=("model.1.weight", "model.10.conv_block.1.weight"),
    ),
    Layout(
        name="resnet", title="CycleGAN or pix2pix (ResNet generator)", settings=_resnet, chance=_of_resnet,
        signature=("model.1.weight", "model.10.conv_block.1.weight"),
    ),
    Layout(
        name="resnet", title="CycleGAN (ResNet generator whose blocks are called `block`)", chance=_of_resnet,
        settings=lambda shapes: _resnet(shapes, "block"), here=lambda name, _: name.replace(".block.", ".conv_block."),
        signature=("model.1.weight", "model.10.block.1.weight"),
    ),
    Layout(
        name="resnet", title="RegGAN (ResNet generator in head, body and tail)", settings=_headed_resnet, here=_in_a_row,
        signature=("model_head.1.weight", "model_body.0.conv_block.1.weight", "model_tail.0.weight"),
    ),
    Layout(
        name="unet", title="pix2pix (U-Net generator)", settings=_unet, chance=_always, advised="picture",
        signature=("model.model.0.weight", "model.model.1.model.1.weight", "model.model.3.weight"),
    ),
    Layout(
        name="unit", title="UNIT (encoder of one domain, decoder of the other)", settings=_unit,
        signature=("enc.model.0.conv.weight", "enc.model.3.model.0.model.0.conv.weight", "dec.model.5.conv.weight"),
    ),
    Layout(
        name="attention_gan", title="AttentionGAN v2", settings=_attention,
        signature=("conv1.weight", "deconv3_attention.weight", "deconv3_content.weight"),
    ),
    Layout(
        name="stargan", title="StarGAN (one generator for all domains)", settings=_stargan, supplied=("target",),
        here=lambda name, _: f"generator.{name}", counts_in_vain=True,
        signature=("main.0.weight", "main.1.weight", "main.9.main.0.weight"),
    ),
    Layout(
        name="plain_unet", title="U-Net of enc1 to dec1 (pix2pix on SynthRAD heads)", settings=_plain_unet, chance=_always,
        signature=("enc1.0.weight", "bottleneck.0.weight", "final_upsample.0.weight"),
    ),
    Layout(
        name="residual_unit", title="CycleGAN with one residual unit", settings=_residual_unit,
        signature=("initial.0.weight", "res_blocks.0.conv.unit0.conv.weight", "output.0.weight"),
    ),
    Layout(
        name="stage_unet", title="CycleGAN (U-Net of downs, bottleneck and ups)", settings=_stage_unet,
        signature=("downs.0.0.weight", "ups.0.0.weight", "final.0.weight"),
    ),
    Layout(
        name="unet_plus_plus", title="2.5-D UNet++ with a ResNet-34 encoder", settings=_unet_plus_plus, chance=_always,
        signature=("encoder.conv1.weight", "decoder.blocks.x_0_0.conv1.0.weight", "segmentation_head.0.weight"),
    ),
)  # fmt: skip
"""More particular ones first."""

UNUSABLE = {
    r"network_weights\..*|.*\.stages\.\d+\.0\.convs\..*": "an nnU-Net, which works on blocks of a volume",
    r"(.*\.)?denoise_fn\..*": "a diffusion model (BBDM), which needs many steps for a slice",
    r"conv_tower\..*|cnns\.\d\..*": "a discriminator, which judges pictures and makes none; add the generator's file",
    r"encode_A\..*|decode_A\..*": "UNIT's first version, whose files hold both directions in a way that is not read here",
}
"""What is recognised by a name and cannot be used."""


def is_discriminator(shapes: Shapes) -> bool:
    """Whether the weights are those of a patch discriminator: nothing but 4 x 4 kernels, down to one channel."""
    kernels = [shape for shape in shapes.values() if len(shape) == 4]
    return 3 <= len(kernels) <= 9 and all(shape[2:] == (4, 4) for shape in kernels[:-2]) and any(k[0] == 1 for k in kernels[-2:])
