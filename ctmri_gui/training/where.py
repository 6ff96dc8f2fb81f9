"""Where a run trains unless a person says otherwise: on a thread beside the window, or in a process of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ctmri_gui.training.live_run import Where

if TYPE_CHECKING:
    from ctmri_core.training.estimate import Estimate
    from ctmri_core.training.run_plan import RunPlan


class Place(NamedTuple):
    """`reason`: a sentence for the one who starts the run. `only`: nothing else is possible."""

    where: Where
    reason: str
    only: bool = False


def best_place(
    plan: RunPlan | None = None, *, estimate: Estimate | None = None, reading: bool = False, broke_off: bool = False
) -> Place:
    """`estimate`: of the run's needs, where somebody measured them; `reading`: a reading session is open; `broke_off`: the run
    ended last with the whole program.
    """
    if plan is not None and plan.settings.processes > 1:
        return Place("process", "Several devices train in processes of their own.", only=True)
    if estimate is not None and estimate.tight:
        return Place("process", "Memory may run short: a process of its own cannot take the window with it.")
    if reading:
        return Place("process", "A reading session is open: nothing may disturb it.")
    if broke_off:
        return Place("process", "The run ended with the program last time: in a process of its own it cannot.")
    return Place("thread", "Beside the window: it begins at once and shares what is loaded.")
