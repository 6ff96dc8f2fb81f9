"""What `ctmri train --estimate` prints: memory and time of a run that is not started."""

from __future__ import annotations

from ctmri_core.cli.terminal import Terminal, duration
from ctmri_core.cli.terminal import run as run_work
from ctmri_core.events import Event, Finished
from ctmri_core.training.estimate import Estimate
from ctmri_core.training.run_plan import RunPlan


def print_estimate(plan: RunPlan, *, as_json: bool) -> int:
    """Tries a few steps; gives the exit status. As JSON one line, the estimate, or where there is none how that came."""
    from ctmri_core.training.measuring import measured

    terminal = _ResultAlone(as_json=as_json)
    outcome = run_work(lambda stop: measured(plan, stop), terminal)
    if outcome.result is not None:
        terminal.say(outcome.result.model_dump_json() if as_json else "\n".join(_words(outcome.result)))
    return outcome.status


class _ResultAlone(Terminal):
    """Says no events but an end that is none."""

    def hear(self, event: Event) -> None:
        if isinstance(event, Finished) and event.reason != "completed":
            super().hear(event)


def _words(found: Estimate) -> list[str]:
    free = f"{_size(found.free_bytes)} that are free on {found.device}"
    if not found.fits:
        return [f"memory: does not fit the {free}. Use --accumulate, a smaller --crop, or narrower networks."]
    lines = [f"memory: {_size(found.memory_bytes)} of {free}"]
    if found.tight:
        lines.append("        that is near the limit: close other programs, or use --accumulate or a smaller --crop")
    if found.seconds_per_step is not None:
        lines.append(f"time:   {found.seconds_per_step:.3g} s per step")
    if found.seconds_per_epoch is not None:
        return [*lines, f"        {duration(found.seconds_per_epoch)} per epoch of {found.steps_per_epoch} steps"]
    return [*lines, "        how many steps an epoch has is known when the data are prepared"]


def _size(count: int) -> str:
    return f"{count / 2**30:.1f} GiB"
