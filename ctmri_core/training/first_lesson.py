"""The first thing to train: digital heads made on the spot, and a small network that has learnt them within five minutes."""

from __future__ import annotations

from ctmri_core.domain import Direction, Domain
from ctmri_core.registry import find_card
from ctmri_core.training.run_plan import RunPlan

_HEADS = "phantom:15:100"  # none that the shipped models learnt from, nor the demo's
_CONFIG = {"generator": "plain_unet", "width": 16, "dropout": False, "lambda_gan": 0.0, "learning_rate": 1e-3}
_SETTINGS = {
    "minutes": 3.0, "spacing_mm": 2.0, "crop": 128, "batch_size": 4, "validation_share": 0.34, "validation_slices": 24,
    "validate_every": 200, "ema": 0.99, "precision": "32",
}  # fmt: skip
_ABOUT = {"name": "My first lesson", "body_region": "head", "demo": True}


def first_lesson() -> RunPlan:
    """Learn on the phantom: from CT to T1 MR, with neither scans nor a graphics card."""
    direction = Direction(Domain.CT, Domain.MR_T1)
    return RunPlan.made(find_card("pix2pix"), _HEADS, direction, config=_CONFIG, settings=_SETTINGS, about=_ABOUT)
