"""In what runs differ, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ctmri_core.training.runs import RunSummary
from ctmri_gui.training.history.run_words import STATES, best, data_words
from ctmri_gui.training.monitor.words import count, duration, metric_of, number, plain

_NONE = "–"
Row = tuple[str, tuple[str, ...]]


def compared(runs: Sequence[RunSummary]) -> tuple[Row, ...]:
    """(name, a text for each run): what came of them, their best validations, then the settings that differ."""
    came = (
        ("State", tuple(STATES[run.state][0] for run in runs)),
        ("Steps", tuple(count(run.iteration) for run in runs)),
        ("Duration", tuple(duration(run.seconds) for run in runs)),
        ("Best", tuple(best(run) or _NONE for run in runs)),
    )
    return (*came, *_metrics(runs), *differing(runs))


def differing(runs: Sequence[RunSummary]) -> tuple[Row, ...]:
    """The settings that are not the same in all `runs`."""
    each = [_flat(run) for run in runs]
    names = dict.fromkeys(name for settings in each for name in settings)
    rows = ((name, tuple(settings.get(name, _NONE) for settings in each)) for name in names)
    return tuple((name, values) for name, values in rows if len(set(values)) > 1)


def full_name(metric: str, run: RunSummary) -> str:
    """`<direction>/<metric>` also where the run learns one direction alone, and so does not say which."""
    return metric if "/" in metric or run.plan is None else f"{run.plan.direction.name}/{metric}"


def _metrics(runs: Sequence[RunSummary]) -> list[Row]:
    """Of the best validation of each run, in every direction."""
    each = [{full_name(name, run): value for name, value in run.best.metrics.items()} if run.best else {} for run in runs]
    names = dict.fromkeys(name for metrics in each for name in metrics)
    return [(_metric_name(name), tuple(number(of[name]) if name in of else _NONE for of in each)) for name in names]


def _metric_name(name: str) -> str:
    way, words, unit = metric_of(name)
    return f"Best: {words}" + (f", {unit}" if unit else "") + (f" ({way})" if way else "")


def _flat(run: RunSummary) -> dict[str, str]:
    if run.plan is None:
        return {}
    plan = run.plan
    told = {"Method": plan.card.title, "Direction": plan.direction.label, "Data": data_words(plan.data)}
    for table in (plan.config, plan.settings, plan.about):
        told |= {_title(name): _value(value) for name, value in table.model_dump(mode="json").items()}
    return told


def _title(name: str) -> str:
    words = plain(name)
    return words[:1].upper() + words[1:]


def _value(value: Any) -> str:
    if value is None or value == "":
        return _NONE
    if isinstance(value, bool):
        return "yes" if value else "no"
    return number(value) if isinstance(value, float) else str(value)
