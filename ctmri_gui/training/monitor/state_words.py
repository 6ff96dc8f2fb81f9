"""What a run is doing, in a word and a sentence."""

from __future__ import annotations

from dataclasses import dataclass

from ctmri_core.events import Event, Finished, Sample
from ctmri_core.training.run_record import RunRecord
from ctmri_gui.training.live_run import LiveRun
from ctmri_gui.training.monitor.words import count

_ENDED = {"completed": "Finished", "stopped": "Stopped", "failed": "Failed", "crashed": "Failed unexpectedly"}
_BUSY = "Preparing"


@dataclass(frozen=True)
class RunState:
    """`word` stands in the header; `sentence` says more; `role`: of the label; `over`: nothing more will come."""

    word: str
    sentence: str = ""
    role: str = "heading"
    over: bool = False


def state_of(record: RunRecord, live: LiveRun | None, last: Event | None) -> RunState:
    """`last`: what a run that goes on has said last."""
    if live is None or not live.running:
        return _ended(record)
    if live.orders.stop() or (live.state is not None and live.state.stopping):
        return RunState("Stopping", "The run ends within ten seconds; what it has learnt is kept.", "warning")
    if record.paused:
        return RunState("Paused", "The clock of the run stands still. Resume goes on with the next step.", "warning")
    if is_preparing(record):
        return RunState(_BUSY, _progress(record))
    if isinstance(last, Sample):
        return RunState("Validating", "Sample pictures are written and the validation patients translated.")
    return RunState("Training", _next(live), "good")


def is_preparing(record: RunRecord) -> bool:
    """Of a run that goes on: its cases are prepared. One that is resumed has ended before."""
    return record.started is None or record.finished is not None


def _next(live: LiveRun) -> str:
    if live.orders.paused:
        return "Pausing after this step."
    return "It ends after this epoch." if live.orders.ends_with_epoch else ""


def _progress(record: RunRecord) -> str:
    progress = record.progress
    if progress is None:
        return "The run begins."
    counted = f" ({count(progress.done)} of {count(progress.total)} {progress.unit})".replace(" )", ")") if progress.total else ""
    return f"{progress.message[:1].upper()}{progress.message[1:] or 'Preparing'}{counted}."


def _ended(record: RunRecord) -> RunState:
    end = record.finished
    if end is None:
        words = "The run did not say that it ended: the program or the power went. It can go on from its last checkpoint."
        return RunState("Interrupted", words, "warning", over=True)
    role = {"completed": "good", "stopped": "heading"}.get(end.reason, "error")
    return RunState(_ENDED[end.reason], why(end, record), role, over=True)


def why(end: Finished, record: RunRecord) -> str:
    """The reason of the end in words."""
    steps = record.last_step.iteration if record.last_step else 0
    if end.reason == "completed":
        return end.message or f"All {count(steps)} steps are done."
    return end.message or ("Stopped before the first step." if not steps else f"Stopped after {count(steps)} steps.")
