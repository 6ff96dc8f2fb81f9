"""From what is set in the dock to what a translation is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ctmri_gui.settings import Settings

SMALLEST_PATCH = 32
_PLANES: Mapping[str, dict[str, Any]] = {
    "model": {}, "axial": {"planes": "axial"}, "mean": {"planes": "three"}, "median": {"planes": "three", "fusion": "median"}
}  # fmt: skip
_WITHOUT_DRAWS = ("none", "planes")


def wanted(settings: Settings, back: Path | None = None) -> dict[str, Any]:
    """Of an `Order`, by its names, where it differs from the defaults. `back`: the model that would translate back."""
    device, card = settings["device"], settings["graphics_card"]
    asked: dict[str, Any] = {"device": f"cuda:{card}" if device == "cuda" and card else device}
    asked |= _PLANES[settings["translation_planes"]]
    doubt = settings["translation_doubt"]
    if doubt == "planes" and asked.get("planes") == "axial":
        doubt = "auto"
    if doubt != "none":
        asked |= {"doubt": doubt, "samples": settings["translation_samples"]}
    if doubt not in _WITHOUT_DRAWS:
        asked["draws"] = min(settings["translation_draws"], settings["translation_samples"])
    if settings["translation_precision"] != "auto":
        asked["precision"] = settings["translation_precision"]
    if settings["translation_batch"]:
        asked["batch"] = settings["translation_batch"]
    if settings["translation_patch"]:
        patch = max(settings["translation_patch"], SMALLEST_PATCH)
        asked |= {"patch": patch, "overlap": min(32, patch // 4)}
    if settings["translation_cycle"] and back is not None:
        asked["back"] = back
    return asked
