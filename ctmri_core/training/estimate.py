"""What a run will take of memory and time, found by a few of its steps in a process of their own. No torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from ctmri_core.events import StopSignal, Work
from ctmri_core.training.run_plan import RunPlan

TIGHT_SHARE = 0.8
"""Of the free memory: what takes more is near the limit."""


class Estimate(BaseModel):
    """`memory_bytes`: the most a run was seen to take, of the graphics card's memory where it trains there; where it did not fit
    (`fits`), what it had taken by then. `fixed_bytes` of these are there whatever the crop and the batch. `free_bytes`: what
    was free before. `seconds_per_step` once it is under way. `steps_per_epoch`: None where the slices are not counted yet.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    memory_bytes: int = Field(ge=0)
    fixed_bytes: int = Field(default=0, ge=0)
    free_bytes: int = Field(ge=0)
    seconds_per_step: float | None = Field(default=None, ge=0)
    steps_per_epoch: int | None = Field(default=None, ge=1)
    device: str = "cpu"
    fits: bool = True

    @property
    def seconds_per_epoch(self) -> float | None:
        if self.seconds_per_step is None or self.steps_per_epoch is None:
            return None
        return self.seconds_per_step * self.steps_per_epoch

    @property
    def tight(self) -> bool:
        """Whether the memory may not suffice."""
        return not self.fits or self.memory_bytes > TIGHT_SHARE * self.free_bytes


def estimate(plan: RunPlan, slices: int | None, stop: StopSignal) -> Work[Estimate | None]:
    """Works a few real steps of `plan` on random pictures, in a process of its own. `slices`: how many there are to learn from.

    None when stopped. Raises `TrainingFailed` for a plan that cannot be trained, or where it takes too long.
    """
    from ctmri_core.training.measuring import measured_apart

    return (yield from measured_apart(plan, slices, stop))


def smaller(plan: RunPlan, estimate: Estimate) -> dict[str, dict[str, Any]]:
    """What to change of `plan`, by table (`settings`, `config`), so that it fits what is free: fewer slices at a time, which
    makes the same step; then a smaller crop; then narrower networks. Empty where it fits already, or nothing helps.
    """
    raise NotImplementedError


def with_changes(plan: RunPlan, changes: Mapping[str, Mapping[str, Any]]) -> RunPlan:
    """`plan` with `changes` as `smaller` gives them. Raises `CtmriError` naming the setting."""
    stored = plan.stored()
    return RunPlan.read({**stored, **{table: {**stored[table], **values} for table, values in changes.items()}})
