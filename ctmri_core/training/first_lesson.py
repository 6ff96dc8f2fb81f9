"""The first thing to train: digital heads made on the spot, and a small network that has learnt them within five minutes."""

from __future__ import annotations

from ctmri_core.domain import Direction, Domain
from ctmri_core.registry import find_card
from ctmri_core.training.run_plan import RunPlan

_HEADS = "phantom:14:100"  # none that the shipped models learnt from, nor the demo's
_CONFIG = {"width": 16, "context_slices": 1}
_SETTINGS = {
    "minutes": 3.0, "schedule": "linear", "constant_share": 0.5, "spacing_mm": 2.0, "crop": 128, "batch_size": 8,
    "validate_every": 60, "validation_slices": 24,
}  # fmt: skip
_ABOUT = {"name": "My first lesson", "body_region": "head", "demo": True}


def first_lesson() -> RunPlan:
    """Learn on the phantom: from CT to T1 MR, with neither scans nor a graphics card."""
    direction = Direction(Domain.CT, Domain.MR_T1)
    return RunPlan.made(find_card("regressor"), _HEADS, direction, config=_CONFIG, settings=_SETTINGS, about=_ABOUT)
