"""The same preparation as a command for a terminal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel

from ctmri_core.config_flags import flag_of
from ctmri_gui.training.new_run.data_choices import DataChoices
from ctmri_gui.training.new_run.plan_files import command_line


def command_for(source: str, choices: DataChoices, output: Path) -> str:
    """In one line; what was decided by hand lies in `output`, where the command reads it."""
    words = ["ctmri", "prepare", source, "--out", str(output)]
    if choices.domains:
        words += ["--domains", ",".join(domain.value for domain in choices.domains)]
    if choices.layout:
        words += ["--layout", choices.layout]
    for form in (choices.layout_options, choices.recipe, choices.split, choices.options):
        words += _flags(form)
    return command_line(words)


def _flags(form: BaseModel) -> list[str]:
    """Of what differs from the defaults."""
    words: list[str] = []
    for name, field in type(form).model_fields.items():
        value: Any = getattr(form, name)
        if value == field.default:
            continue
        flag = flag_of(name)
        words += [flag if value else f"--no-{flag[2:]}"] if isinstance(value, bool) else [f"{flag}={value}"]
    return words
