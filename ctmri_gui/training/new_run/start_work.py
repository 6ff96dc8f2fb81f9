"""The work behind the last page before a run. Every function is a generator of events, to be given to a `Job`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ctmri_core.events import Progress, StopSignal, Work
from ctmri_core.training.run_plan import RunPlan

if TYPE_CHECKING:
    from ctmri_core.training.estimate import Estimate
    from ctmri_core.training.graphics_cards import GraphicsCards


def measure(plan: RunPlan, slices: int | None, stop: StopSignal) -> Work[Estimate | None]:
    """What a few steps of `plan` take, in a process of their own. `slices`: how many there are to learn from."""
    yield Progress(done=0, message="getting ready to measure")
    from ctmri_core.training.estimate import estimate

    return (yield from estimate(plan, slices, stop))


def find_cards(_stop: StopSignal) -> Work[GraphicsCards]:
    """The graphics cards of this machine."""
    yield Progress(done=0, message="looking for graphics cards")
    from ctmri_core.training.graphics_cards import graphics_cards

    return graphics_cards()


def load(path: Path, _stop: StopSignal) -> Work[dict[str, Any]]:
    """The parts of a run's settings that `path` holds. Raises `FileRefused`."""
    yield Progress(done=0, message="reading the configuration")
    from ctmri_core.training.settings_file import read_settings

    return read_settings(path)


def save(path: Path, plan: RunPlan, _stop: StopSignal) -> Work[Path]:
    """Writes all settings of `plan`. Raises `WriteFailed`."""
    yield Progress(done=0, message="writing the configuration")
    from ctmri_core.training.settings_file import write_settings

    write_settings(path, plan)
    return path
