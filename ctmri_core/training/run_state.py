"""The checkpoint of a run: what must fit before it goes on."""

from __future__ import annotations

from typing import Any

from ctmri_core.data.preparation import PreparedData
from ctmri_core.errors import TrainingFailed
from ctmri_core.method import MethodCard, MethodConfig
from ctmri_core.training.checkpoint import load_checkpoint
from ctmri_core.training.run_folder import RunFolder
from ctmri_core.training.settings import TrainingSettings


def identity(card: MethodCard, config: MethodConfig, data: PreparedData) -> dict[str, Any]:
    """What must be the same when a run goes on."""
    return {"method": card.name, "config": config.model_dump(mode="json"), "direction": data.direction.name}


def stored_state(folder: RunFolder, own: dict[str, Any], *, resume: bool) -> Any:
    """The checkpoint to go on from, or None to begin. Raises `TrainingFailed` where two runs would be mixed in one folder."""
    if not resume:
        if folder.checkpoint.exists():
            raise TrainingFailed(f"{folder.path.name} holds a run already. Resume it, or choose another folder.")
        return None
    state = load_checkpoint(folder.checkpoint)
    differing = [name for name, value in own.items() if state["identity"].get(name) != value]
    if differing:
        raise TrainingFailed(f"The run to resume was made with another {differing[0]}. Use the same, or start a new run.")
    return state


def check_fit(data: PreparedData, settings: TrainingSettings) -> None:
    """Raises `TrainingFailed` for settings that cannot work with these data."""
    if settings.schedule == "plateau" and not data.validation.pairs:
        raise TrainingFailed("--schedule plateau waits for progress on validation pairs, and there are none. Choose another.")
