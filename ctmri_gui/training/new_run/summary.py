"""What of a run differs from the usual, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ctmri_core.config_fields import ConfigField
from ctmri_core.method import MethodCard
from ctmri_core.training.run_plan import RunPlan
from ctmri_core.training.settings import LENGTHS
from ctmri_gui.training.new_run.field_words import run_fields
from ctmri_gui.training.new_run.value_editors import shown


def summary_of(card: MethodCard, plan: RunPlan | None) -> str:
    """One line for each setting, `Width: 32 instead of 64`."""
    if plan is None:
        return "It is shown once everything is chosen."
    fields = {field.name: field for field in run_fields(card)}
    changed = {name: value for table in plan.changed.values() for name, value in table.items()}
    replaced = any(changed.get(name) is not None for name in LENGTHS)
    lines = [
        f"{fields[name].label}: {shown(value)}" + ("" if name in LENGTHS else f" instead of {shown(fields[name].default)}")
        for name, value in changed.items()
        if not (replaced and name in LENGTHS and value is None)
    ]
    return "\n".join(lines) or f"Nothing: every setting of {card.title} is as usual."


def change_words(changes: Mapping[str, Mapping[str, Any]], fields: Iterable[ConfigField]) -> str:
    """`crop 128, accumulate 4`."""
    given = {name: value for table in changes.values() for name, value in table.items()}
    names = {field.name: field.label for field in fields}
    return ", ".join(f"{names[name][:1].lower()}{names[name][1:]} {shown(value)}" for name, value in given.items())
