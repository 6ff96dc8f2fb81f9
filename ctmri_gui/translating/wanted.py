"""From what is set in the dock to what a translation is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ctmri_gui.settings import Settings

if TYPE_CHECKING:
    from ctmri_core.model_card import ModelEntry

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


def way_back(entry: ModelEntry | None, entries: tuple[ModelEntry, ...]) -> ModelEntry | None:
    """The model for the reverse direction that goes best with `entry`: learnt beside it, then of its method, then any."""
    if entry is None or entry.card is None:
        return None
    from ctmri_core.model_card import LAST  # loads much, and no model is chosen while the program starts

    there = entry.card.direction
    ranks = {}
    for number, other in enumerate(entries):
        if other.card is None:
            continue
        takes, gives = other.card.direction.source, other.card.direction.target
        if takes.accepts(there.target) and gives.accepts(there.source):
            beside = other.path.parent == entry.path.parent and other.card.method == entry.card.method
            best = entry.path.stem.endswith(LAST) == other.path.stem.endswith(LAST)
            ranks[not beside, not best, other.card.method != entry.card.method, other.card.standing, number] = other
    return ranks[min(ranks)] if ranks else None
