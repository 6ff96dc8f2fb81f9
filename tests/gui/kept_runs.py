"""Runs as they lie in a user's folder: a tiny plan, copies of a run that differ, and one whose program died."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from ctmri_core.domain import Direction
from ctmri_core.registry import find_card
from ctmri_core.training.run_plan import RunPlan

WAY = Direction.parse("ct_to_mr_t1")
NETWORKS = {"generator": "resnet_6", "width": 4, "discriminator_width": 4, "receptive_field": 16}
SETTINGS = {
    "iterations": 4, "crop": 32, "spacing_mm": 8.0, "validate_every": 2, "validation_slices": 2, "device": "cpu",
    "precision": "32", "tensorboard": False,
}  # fmt: skip


def tiny_plan(**settings) -> RunPlan:
    return RunPlan.made(find_card("pix2pix"), "phantom:3", WAY, config=NETWORKS, settings={**SETTINGS, **settings})


def another(runs: Path, name: str, **settings) -> Path:
    """A copy whose settings differ."""
    made = runs / name
    shutil.copytree(runs / "pix2pix-001", made)
    config = json.loads((made / "config.json").read_text())
    config["settings"] |= settings
    (made / "config.json").write_text(json.dumps(config))
    return made


def broken_off(runs: Path, name: str) -> Path:
    """A copy of a run whose program died."""
    made = another(runs, name)
    lines = (made / "events.jsonl").read_text().splitlines(keepends=True)
    (made / "events.jsonl").write_text("".join(line for line in lines if '"finished"' not in line) + '{"kind":"st')
    return made
