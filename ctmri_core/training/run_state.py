"""The checkpoint of a run: what must fit before it goes on, and what is said where it fits and is not the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch

from ctmri_core.data.preparation import PreparedData
from ctmri_core.errors import TrainingFailed
from ctmri_core.method import MethodCard, MethodConfig
from ctmri_core.training.checkpoint import load_checkpoint
from ctmri_core.training.run_folder import RunFolder
from ctmri_core.training.settings import TrainingSettings


def identity(card: MethodCard, config: MethodConfig, data: PreparedData) -> dict[str, Any]:
    """What must be the same when a run goes on."""
    return {
        "method": card.name, "config": config.model_dump(mode="json"), "direction": data.direction.name,
        "recipe": data.recipe.model_dump(mode="json", exclude={"field_mm"}),
    }  # fmt: skip


def circumstances(data: PreparedData, device: torch.device) -> dict[str, Any]:
    """What may change between the parts of a run, and is said then: the device, and the cases by their prepared files."""
    return {"device": device.type, **cases_of(data)}


def cases_of(data: PreparedData) -> dict[str, Any]:
    """What tells cases from others, wherever they lie."""
    return {
        "salt": data.facts.salt, "train": [path.name for path in data.train.files],
        "validation": [path.name for path in data.validation.files], "slices": [len(data.train), data.validation.pairs],
    }  # fmt: skip


def changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """What a person should know of circumstances that changed, in words."""
    if before["device"] != now["device"]:
        yield f"This run began on {before['device']} and goes on on {now['device']}: the same only up to rounding."
    if before["salt"] != now["salt"]:
        yield "The cases were prepared anew since this run began. If they are not the same, its curves cannot be compared."
        return
    old, new = ({*each["train"], *each["validation"]} for each in (before, now))
    if old != new:
        yield f"This run began with other cases: {len(new - old)} are new and {len(old - new)} are gone."
    elif before["slices"] != now["slices"]:
        yield "This run began with other slices of these cases."
    leaked = len(set(before["train"]) & set(now["validation"]))
    if leaked:
        yield f"{leaked} cases that it was trained on are now among those it is validated on: its scores flatter it."


def check_same_cases(before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Raises `TrainingFailed` unless the data are those that the run began with, wherever they lie: files are named by hashes of
    what they were prepared from.
    """
    if any(before.get(name) != now[name] for name in ("salt", "train", "validation", "slices")):
        raise TrainingFailed("--data: these are not the slices that the run began with. Name where those are now.")


def stored_state(folder: RunFolder, own: dict[str, Any], *, resume: bool) -> Any:
    """The checkpoint to go on from, or None to begin. Raises `TrainingFailed` where two runs would be mixed in one folder."""
    if not resume:
        folder.check_no_run()
        return None
    state = load_checkpoint(folder.checkpoint)
    differing = [name for name, value in own.items() if state["identity"].get(name, value) != value]
    if differing:
        raise TrainingFailed(f"The run to resume was made with another {differing[0]}. Use the same, or start a new run.")
    return state


def check_fit(data: PreparedData, settings: TrainingSettings) -> None:
    """Raises `TrainingFailed` for settings that cannot work with these data."""
    if settings.schedule == "plateau" and not data.validation.pairs:
        raise TrainingFailed("--schedule plateau waits for progress on validation pairs, and there are none. Choose another.")
