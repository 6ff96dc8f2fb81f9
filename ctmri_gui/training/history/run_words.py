"""What the table says of a run, and by what its columns are sorted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ctmri_core.resources_folder import user_datasets_folder
from ctmri_core.training.runs import RunSummary, State
from ctmri_gui.private_paths import tells_of_patient
from ctmri_gui.training.monitor.words import count, duration, score
from ctmri_gui.training.new_run.field_words import run_words

STATES: dict[State, tuple[str, str]] = {
    "running": ("goes on", "translate"),
    "completed": ("done", "done"),
    "stopped": ("stopped", "stop"),
    "failed": ("failed", "error"),
    "crashed": ("failed unexpectedly", "error"),
    "interrupted": ("interrupted", "warning"),
    "unreadable": ("damaged", "error"),
}
"""In words, and the icon beside them."""

COLUMNS = ("Run", "State", "Method", "Direction", "Best", "Steps", "Duration", "Begun", "Data")
_PHANTOM = "phantom:"
_NEVER = -1.0
_KEY_LETTERS = 4


def cells(run: RunSummary) -> tuple[str, ...]:
    """A text for each column."""
    plan = run.plan
    return (
        run.folder.name,
        STATES[run.state][0],
        plan.card.title if plan else "",
        plan.direction.label if plan else "",
        best(run),
        count(run.iteration) if run.iteration else "",
        duration(run.seconds) if run.seconds else "",
        f"{run.begun.day} {run.begun:%b %Y %H:%M}",
        data_words(plan.data) if plan else "",
    )


def keys(run: RunSummary) -> tuple[str | float, ...]:
    """What each column is sorted by. The best scores of one metric stand together."""
    texts, named = cells(run), run.own_best
    value = named[1] if named else _NEVER
    numbers = {5: float(run.iteration), 6: run.seconds, 7: run.begun.timestamp()}
    texts = (*texts[:4], f"{named[0]} {value:020.6f}" if named else "~", *texts[5:])
    return tuple(numbers.get(column, text.casefold()) for column, text in enumerate(texts))


def best(run: RunSummary) -> str:
    """`error 84.3 HU`; empty before the first validation."""
    named = run.own_best
    return score(*named) if named else ""


def data_words(spec: str) -> str:
    """What a run learnt from, without telling of a patient."""
    if spec.startswith(_PHANTOM):
        number = spec.removeprefix(_PHANTOM).partition(":")[0]
        return "1 digital head" if number == "1" else f"{number} digital heads"
    path = Path(spec)
    if path.parent == user_datasets_folder():  # prepared in the window: its name is a key, of which little tells sets apart
        return f"prepared slices {path.name[:_KEY_LETTERS]}"
    return "a folder" if tells_of_patient(path) or not path.name else path.name


def about(run: RunSummary) -> str:
    """One run in a few lines, for the part below the table."""
    if run.plan is None:
        return f"This run cannot be read: {run.message} What is left of it can be opened as a folder, or deleted."
    told = [f"{run.plan.card.title}, {run.plan.direction.label}, from {data_words(run.plan.data)}: {STATES[run.state][0]}."]
    if run.iteration:
        told.append(f"{count(run.iteration)} steps in {duration(run.seconds)}.")
    if run.best is not None:
        told.append(f"Best: {best(run)} at step {count(run.best.iteration)}.")
    if run.message:
        told.append(run_words(run.message, run.plan.card))
    return " ".join(told)


def what_is_lost(runs: Sequence[RunSummary]) -> str:
    """Of deleting them, by name."""
    return "\n".join(f"{run.folder.name}: {_lost(run)}." for run in runs) + "\nThere is no way back."


def _lost(run: RunSummary) -> str:
    lost = []
    if run.iteration:
        lost.append(f"{count(run.iteration)} steps ({duration(run.seconds)} of training)")
    if run.models:
        its = "its model" if len(run.models) == 1 else f"its {len(run.models)} models"
        lost.append(f"{its}, which the main window then no longer offers")
    if run.can_go_on:
        lost.append("what it could be resumed from")
    return ", ".join(lost) or "its settings and whatever else lies in its folder"
