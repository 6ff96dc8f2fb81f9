"""Tiny runs of the real trainer, heard to their end."""

from __future__ import annotations

from typing import Any

from ctmri_core.events import Event, StopSignal, never
from ctmri_core.methods.pix2pix.card import Pix2PixConfig
from ctmri_core.training.settings import TrainingSettings
from ctmri_core.training.trainer import RunResult, Trainer

TINY = Pix2PixConfig(generator="resnet_6", width=4, discriminator_width=4, receptive_field=16)


def settings(**changed: Any) -> TrainingSettings:
    base = {"iterations": 6, "batch_size": 2, "crop": 16, "precision": "32", "device": "cpu", "tensorboard": False}
    return TrainingSettings.model_validate(base | changed)


def run(trainer: Trainer, stop: StopSignal = never) -> tuple[list[Event], RunResult]:
    """All events, and the result."""
    events: list[Event] = []
    work = trainer.run(stop)
    while True:
        try:
            events.append(next(work))
        except StopIteration as ended:
            return events, ended.value
