"""How long, in which pieces and how fast a run goes; the same for every method. No torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ctmri_core.config_flags import flag_of, validated
from ctmri_core.errors import CtmriError, TrainingFailed
from ctmri_core.method import MethodCard

Schedule = Literal["constant", "linear", "cosine", "cosine_restarts", "poly", "step", "plateau"]
Metric = Literal["mae", "psnr", "ssim", "dice", "iou"]
OVERLAPS: tuple[Metric, ...] = ("dice", "iou")
"""Metrics of what is outlined; the others are those of pictures."""
LENGTHS = ("epochs", "iterations", "minutes", "until")
"""The settings of which one says how long a run is."""

_UNTOLD = {
    "until", "device", "devices", "nodes", "tensorboard", "checkpoint_seconds", "spacing_mm", "soft_tissue_curve",
    "validation_share", "start_from",
}  # fmt: skip


class TrainingSettings(BaseModel):
    """Settings of the run.

    At most one of `epochs`, `iterations`, `minutes` and `until` says how long; none means 200 epochs.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    groups: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "How long; one of them, none means 200 epochs": LENGTHS,
        "Where it begins": ("start_from",),
        "The learning rate": (
            "schedule", "warm_up", "constant_share", "cycles", "cycle_growth", "power", "stages", "decay", "patience",
        ),
        "Batches, and how slices are varied": (
            "batch_size", "accumulate", "crop", "flip", "turn", "zoom", "bend", "mr_contrast", "mr_gain", "mr_noise",
        ),
        "How scans are prepared, where the data are not": ("spacing_mm", "soft_tissue_curve", "validation_share"),
        "Validation and what is kept": (
            "validation_slices", "validate_every", "best_metric", "checkpoint_seconds", "tensorboard",
        ),
        "How it is computed": ("clip_norm", "ema", "precision", "device", "devices", "nodes", "seed"),
    }  # fmt: skip

    epochs: int | None = Field(default=None, ge=1, le=100_000, description="train for this many passes over the slices")
    iterations: int | None = Field(default=None, ge=1, le=10**9, description="train for this many steps")
    minutes: float | None = Field(default=None, gt=0, le=100_000, description="train for this long; schedules follow the clock")
    until: str | None = Field(
        default=None, pattern=r"^([01]?\d|2[0-3]):[0-5]\d$", description="train until this time of day, like 7:00"
    )
    start_from: str = Field(default="", description="model file to go on from: its generator's weights are where training begins")
    schedule: Schedule = Field(default="linear", description="how the learning rate falls")
    warm_up: float = Field(default=0.0, ge=0, le=0.5, description="share of the run in which the rate first rises from zero")
    constant_share: float = Field(default=0.5, ge=0, le=1, description="linear: share of the run before the rate falls")
    cycles: int = Field(default=3, ge=1, le=100, description="cosine_restarts: how often the rate falls")
    cycle_growth: int = Field(default=1, ge=1, le=10, description="cosine_restarts: how much longer each cycle is than the last")
    power: float = Field(default=0.9, gt=0, le=10, description="poly: exponent of the share of the run that is left")
    stages: int = Field(default=10, ge=1, le=10_000, description="step: equal parts of the run, each with its own rate")
    decay: float = Field(default=0.5, gt=0, lt=1, description="step and plateau: what the rate is multiplied with each time")
    patience: int = Field(default=5, ge=0, le=10_000, description="plateau: validations without progress before the rate falls")
    batch_size: int = Field(default=1, ge=1, le=1024, description="slices per step, on all devices together")
    accumulate: int = Field(
        default=1, ge=1, le=1024, description="work each batch off in so many parts: in less memory all but the same step"
    )
    crop: int = Field(default=256, ge=16, le=1024, description="edge in pixels of the random squares that are trained on")
    flip: bool = Field(default=True, description="mirror pictures left to right at random")
    turn: float = Field(default=0.0, ge=0, le=45, description="turn pictures by up to this many degrees at random")
    zoom: float = Field(default=0.0, ge=0, le=0.5, description="scale pictures by up to this share at random")
    bend: float = Field(
        default=0.0, ge=0, le=5, description="bend pictures at random: pixels of standard deviation, at most, of points 32 apart"
    )
    mr_contrast: float = Field(default=0.0, ge=0, le=2, description="change MR's contrast by up to this share at random (gamma)")
    mr_gain: float = Field(default=0.0, ge=0, le=1, description="lay a smooth gain of up to this share over MR at random")
    mr_noise: float = Field(default=0.0, ge=0, le=0.5, description="add noise of up to this share of the range to MR")
    spacing_mm: float = Field(default=1.0, ge=0.05, le=20, description="pixel spacing in mm that slices are resampled to")
    soft_tissue_curve: bool = Field(default=True, description="CT as the source alone: soft tissue takes most of the range")
    validation_share: float = Field(default=0.2, ge=0, lt=1, description="share of the cases kept for validation; 0: none")
    validation_slices: int = Field(default=64, ge=1, le=100_000, description="validate on at most this many slices")
    validate_every: int = Field(default=500, ge=1, le=10**9, description="steps between validations and sample pictures")
    best_metric: Metric = Field(default="mae", description="the metric inside the body by which the best model is kept")
    checkpoint_seconds: float = Field(default=120.0, ge=0, le=86_400, description="seconds between checkpoints; 0: every step")
    clip_norm: float = Field(default=0.0, ge=0, le=10**6, description="longest gradient of a network group; 0 does not clip")
    ema: float = Field(
        default=0.0, ge=0, lt=1, description="decay of the running mean of the weights that is validated and exported; 0: none"
    )
    precision: Literal["auto", "32", "bf16-mixed", "16-mixed"] = Field(
        default="auto", description="number format; auto: bf16-mixed where the device multiplies it natively"
    )
    device: Literal["auto", "cpu", "cuda"] = Field(default="auto", description="where to train")
    devices: int = Field(default=1, ge=1, le=1024, description="devices on each node, one process each; they share every batch")
    nodes: int = Field(default=1, ge=1, le=1024, description="machines; start the same command on each, as Lightning Fabric says")
    seed: int = Field(default=0, ge=0, lt=2**31, description="of weights, order, crops and dropout")
    tensorboard: bool = Field(default=True, description="write TensorBoard logs")

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        if sum(getattr(self, name) is not None for name in LENGTHS) > 1:
            raise ValueError("give only one of --epochs, --iterations, --minutes and --until")
        if self.batch_size % (self.devices * self.nodes * self.accumulate):
            parts = f"{self.devices * self.nodes} devices in {self.accumulate} parts each"
            raise ValueError(f"--batch-size {self.batch_size} cannot be shared equally by {parts}; make it a multiple")
        return self

    def told(self) -> dict[str, Any]:
        """What a model file tells of these settings: nothing of the machine, nor what its recipe says."""
        return self.model_dump(mode="json", exclude=_UNTOLD, exclude_none=True)

    @property
    def processes(self) -> int:
        """How many processes train together."""
        return self.devices * self.nodes


def settings_for(card: MethodCard, given: Mapping[str, Any]) -> TrainingSettings:
    """`given` over what the method's authors chose over the defaults. Raises `CtmriError` naming the setting."""
    chosen = dict(card.settings)
    if any(given.get(name) is not None for name in LENGTHS):
        chosen = {name: value for name, value in chosen.items() if name not in LENGTHS}
    settings = validated(TrainingSettings, {**chosen, **given})
    if (settings.best_metric in OVERLAPS) is not card.outlines:
        raise CtmriError(f"--best-metric {settings.best_metric}: {card.title} is judged by {', '.join(metrics_of(card))}.")
    return settings


def metrics_of(card: MethodCard) -> tuple[Metric, ...]:
    """By which the best model of the method may be kept."""
    return tuple(name for name in get_args(Metric) if (name in OVERLAPS) is card.outlines)


def as_prepared(settings: TrainingSettings, decided: Mapping[str, Any]) -> TrainingSettings:
    """`settings` with what was `decided` when the data were prepared, which is what config and model then tell of.

    Raises `TrainingFailed` naming a setting that was given and cannot be had of them.
    """
    for name, value in decided.items():
        if name in settings.model_fields_set and getattr(settings, name) != value:
            given, there = _said(name, getattr(settings, name)), _said(name, value)
            raise TrainingFailed(f"{given}: these data are prepared already, with {there}. Leave it out, or prepare them anew.")
    return settings.model_copy(update=dict(decided))


def _said(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return flag_of(name if value else f"no_{name}")
    return f"{flag_of(name)} {value:g}"


class ModelDescription(BaseModel):
    """What the exported model's card says beside the facts of the run."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str | None = Field(default=None, max_length=100, description="name in lists of models; default: method and direction")
    body_region: str | None = Field(default=None, max_length=100, description="what part of the body the training data show")
    intended_use: str = Field(
        default="Research and comparison of methods. Not for diagnosis.", max_length=4000, description="what the model is for"
    )
    limitations: str = Field(default="", max_length=4000, description="what is known not to work")
    demo: bool = Field(default=False, description="mark the model as one that only shows how the program works")
