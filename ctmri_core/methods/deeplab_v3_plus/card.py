"""DeepLabV3+: outlines the body, or labels by name, in slices that somebody outlined before.

L.-C. Chen, Y. Zhu, G. Papandreou, F. Schroff, H. Adam, "Encoder-Decoder with Atrous Separable Convolution for Semantic Image
Segmentation", ECCV 2018, arXiv 1802.02611. Atrous convolution: Eq. 1; encoder, pyramid and decoder: section 3.1 and figure 2;
separable convolutions: section 3.2. The overlap loss is that of V-Net (Milletari et al., 3DV 2016, section 3). The authors
descend with momentum from weights learnt on photographs, in crops of 513 pixels; here Adam with decoupled decay does, at one rate
for all layers, from random weights or from a file, and the decoder has one 3 x 3 convolution, as the best known code has.
"""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from ctmri_core.method import NETWORKS, MethodCard, MethodConfig

_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _-]{0,39}")
_MOST_LABELS = 50


class DeepLabConfig(MethodConfig):
    """Settings of DeepLabV3+."""

    groups: ClassVar[dict[str, tuple[str, ...]]] = {NETWORKS: ("labels", "backbone", "backbone_file")}

    labels: str = Field(
        default="body", max_length=1000,
        description="names of what the masks show, in the order of their numbers, such as liver,spleen; one: all that is drawn",
    )  # fmt: skip
    backbone: Literal["mobilenet_v2", "resnet_34", "resnet_50"] = Field(
        default="mobilenet_v2", description="the encoder; mobilenet_v2 is the light one"
    )
    backbone_file: str = Field(
        default="", description="file with public weights of that encoder (safetensors or .pth) to start with; none are fetched"
    )
    output_stride: Literal[8, 16] = Field(default=16, description="8: finer outlines for three to four times the work")
    separable: bool = Field(default=True, description="separable convolutions in pyramid and decoder, the light kind")
    width: int = Field(default=64, ge=8, le=256, description="channels of the encoder's first layer; 64 is the published size")
    lambda_ce: float = Field(default=1.0, ge=0, le=1000, description="weight of the cross-entropy of pixels")
    lambda_dice: float = Field(default=1.0, ge=0, le=1000, description="weight of the overlap (Dice) loss")
    learning_rate: float = Field(default=1e-3, gt=0, le=0.1, description="Adam's step size before the schedule")
    beta_1: float = Field(default=0.9, ge=0, lt=1, description="Adam's decay of the gradient's running mean")
    weight_decay: float = Field(default=1e-4, ge=0, le=1, description="Adam's pull of the weights towards zero, decoupled")

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        names = self.label_names
        if len(names) > _MOST_LABELS or not all(_LABEL.fullmatch(name) for name in names):
            raise ValueError(f"--labels: give 1 to {_MOST_LABELS} names of letters, digits, blanks, - and _, with commas between")
        if len({name.casefold() for name in names}) < len(names):
            raise ValueError("--labels: every name must be another one")
        if not self.lambda_ce and not self.lambda_dice:
            raise ValueError("--lambda-ce 0 with --lambda-dice 0 leaves nothing to learn by")
        if self.backbone_file and self.width != 64:
            raise ValueError("--backbone-file holds layers of the published size: leave out --width")
        return self

    @property
    def label_names(self) -> tuple[str, ...]:
        return tuple(name.strip() for name in self.labels.split(","))

    @property
    def public_weights(self) -> str:
        return self.backbone_file

    def told(self) -> dict[str, Any]:
        return {**super().told(), "backbone_file": PurePath(self.backbone_file).name}

    @property
    def decoupled_decay(self) -> bool:
        return True

    @property
    def size_multiple(self) -> int:
        return 16

    @property
    def least_crop(self) -> int:
        return 32  # batch norm needs more than one value


CARD = MethodCard(
    name="deeplab_v3_plus",
    title="DeepLabV3+",
    citation="Chen et al., Encoder-Decoder with Atrous Separable Convolution for Semantic Image Segmentation, ECCV 2018, Eq. 1",
    summary="Learns to outline the body, or labels, from masks that people drew; its outline can then stand for the one found.",
    needs="masks",
    config=DeepLabConfig,
    implementation="ctmri_core.methods.deeplab_v3_plus.method:DeepLabV3Plus",
    settings={
        "best_metric": "dice", "schedule": "poly", "epochs": 60, "batch_size": 8, "turn": 10.0, "zoom": 0.1, "mr_contrast": 0.3,
        "mr_gain": 0.2, "mr_noise": 0.02, "validate_every": 200,
    },
)  # fmt: skip
