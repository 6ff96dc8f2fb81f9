"""How long, in which pieces and how fast a run goes; the same for every method. No torch."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ctmri_core.training.schedules import Schedule

Unit = Literal["epochs", "iterations", "seconds"]
LENGTHS = ("epochs", "iterations", "minutes")
"""The settings of which one says how long a run is."""


class TrainingSettings(BaseModel):
    """Settings of the run.

    At most one of `epochs`, `iterations` and `minutes` says how long; none means 200 epochs.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    epochs: int | None = Field(default=None, ge=1, le=100_000, description="train for this many passes over the slices")
    iterations: int | None = Field(default=None, ge=1, le=10**9, description="train for this many steps")
    minutes: float | None = Field(default=None, gt=0, le=100_000, description="train for this long; schedules follow the clock")
    schedule: Schedule = Field(default="linear", description="how the learning rate falls")
    constant_share: float = Field(default=0.5, ge=0, le=1, description="share of a linear schedule before the rate falls")
    batch_size: int = Field(default=1, ge=1, le=1024, description="slices per step")
    crop: int = Field(default=256, ge=16, le=1024, description="edge in pixels of the random squares that are trained on")
    flip: bool = Field(default=True, description="mirror pictures left to right at random")
    spacing_mm: float = Field(default=1.0, ge=0.2, le=5, description="pixel spacing in mm that slices are resampled to")
    soft_tissue_curve: bool = Field(default=True, description="CT as the source: soft tissue takes most of the grey range")
    validation_share: float = Field(default=0.2, ge=0, lt=1, description="share of the cases kept for validation; 0: none")
    validation_slices: int = Field(default=64, ge=1, le=100_000, description="validate on at most this many slices")
    validate_every: int = Field(default=500, ge=1, le=10**9, description="steps between validations and sample pictures")
    checkpoint_seconds: float = Field(default=120.0, ge=1, le=86_400, description="seconds between checkpoints")
    clip_norm: float = Field(default=0.0, ge=0, le=10**6, description="longest gradient of a network group; 0 does not clip")
    precision: Literal["auto", "32", "bf16-mixed"] = Field(
        default="auto", description="number format; auto: bf16-mixed where the device multiplies it natively"
    )
    device: Literal["auto", "cpu", "cuda"] = Field(default="auto", description="where to train")
    seed: int = Field(default=0, ge=0, lt=2**31, description="of weights, order, crops and dropout")
    tensorboard: bool = Field(default=True, description="write TensorBoard logs")

    @model_validator(mode="after")
    def _one_length(self) -> Self:
        if sum(getattr(self, name) is not None for name in LENGTHS) > 1:
            raise ValueError("give only one of --epochs, --iterations and --minutes")
        return self

    @property
    def length(self) -> tuple[float, Unit]:
        """How long, and in what: `(200, "epochs")`."""
        if self.iterations is not None:
            return self.iterations, "iterations"
        if self.minutes is not None:
            return self.minutes * 60, "seconds"
        return self.epochs or 200, "epochs"


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
