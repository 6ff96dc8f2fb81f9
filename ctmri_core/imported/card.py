"""What the card of an imported model says of its network: the published layout, its size, and how pictures go in and come out."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from ctmri_core.method import MethodCard, MethodConfig

IMPORTED = "imported"
"""What a model card names as its method where another program made the model."""

LayoutName = Literal[
    "resnet", "unet", "antialiased_resnet", "unit", "attention_gan", "aggan", "stargan", "plain_unet", "residual_unit",
    "stage_unet", "unet_plus_plus", "onnx",
]  # fmt: skip
Channels = Literal["copies", "neighbours"]
Output = Literal["mean", "first", "middle"]
Statistics = Literal["training", "picture"]

_MULTIPLES = {"plain_unet": 32, "stage_unet": 32, "unet_plus_plus": 32}


class ImportedConfig(MethodConfig):
    """How an imported network is built and fed. `channels`: what more than one channel of its input holds; `output`: which of
    several channels of its answer is the picture."""

    layout: LayoutName = Field(description="which published network it is")
    in_channels: int = Field(default=1, ge=1, le=64, description="channels of its input, without those that name a domain")
    out_channels: int = Field(default=1, ge=1, le=64, description="channels of its answer")
    width: int = Field(default=64, ge=1, le=1024, description="channels of its first layer")
    blocks: int = Field(default=9, ge=1, le=64, description="residual blocks, where it has any")
    downs: int = Field(default=8, ge=5, le=10, description="levels of a U-Net")
    maps: int = Field(default=10, ge=2, le=64, description="attention maps of AttentionGAN")
    norm: Literal["batch", "instance"] = Field(default="instance", description="its norm layers")
    dropout: bool = Field(default=False, description="whether it was trained with dropout")
    statistics: Statistics = Field(
        default="training",
        description="training: batch norm by the statistics of training, no dropout; picture: by each picture's, with dropout",
    )
    channels: Channels = Field(default="copies", description="copies: one slice in all channels; neighbours: slices in a row")
    output: Output = Field(default="mean", description="the picture in an answer of several channels")
    domains: int = Field(default=2, ge=2, le=64, description="domains that a StarGAN knows")
    wanted: int = Field(default=0, ge=0, le=63, description="place of the target domain among those, from 0")
    input_low: float = Field(default=-1.0, ge=-1e6, le=1e6, description="what the network is shown for the recipe's -1")
    input_high: float = Field(default=1.0, ge=-1e6, le=1e6, description="what the network is shown for the recipe's 1")
    output_low: float = Field(default=-1.0, ge=-1e6, le=1e6, description="the network's answer that means the recipe's -1")
    output_high: float = Field(default=1.0, ge=-1e6, le=1e6, description="the network's answer that means the recipe's 1")
    onnx_bytes: int = Field(default=0, ge=0, le=2**31, description="length of an ONNX model")
    multiple: int = Field(default=1, ge=1, le=1024, description="an ONNX model takes multiples of so many pixels")

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        if self.input_high <= self.input_low or self.output_high <= self.output_low:
            raise ValueError("the high end of a range must lie above its low end")
        if self.channels == "neighbours" and self.in_channels % 2 == 0:
            raise ValueError(f"{self.in_channels} neighbouring slices have no middle one")
        if self.output == "middle" and self.out_channels % 2 == 0:
            raise ValueError(f"{self.out_channels} channels have no middle one")
        if self.layout == "stargan" and self.wanted >= self.domains:
            raise ValueError(f"domain {self.wanted} is none of {self.domains}, counted from 0")
        return self

    @property
    def size_multiple(self) -> int:
        if self.layout == "unet":
            return 1 << self.downs
        return self.multiple if self.layout == "onnx" else _MULTIPLES.get(self.layout, 4)

    @property
    def context(self) -> int:
        return self.in_channels if self.channels == "neighbours" else 1


CARD = MethodCard(
    name=IMPORTED,
    title="Imported",
    citation="Another program's model; where it is from stands in its card",
    summary="A model that another program made, in a layout that is known here.",
    needs="unpaired",
    config=ImportedConfig,
    implementation="ctmri_core.imported.networks:Imported",
)
