"""The work on a whole folder: what cases it holds, and preparing them as a person decided. Heavy modules load when it runs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ctmri_core.data.decisions import Decisions
from ctmri_core.data.prepared_place import check_place
from ctmri_core.events import Progress, StopSignal, Work
from ctmri_gui.training import data_work
from ctmri_gui.training.data_work import Look, Prepared
from ctmri_gui.training.new_run.data_choices import DataChoices

if TYPE_CHECKING:
    from ctmri_core.data.layouts.layout import CaseReference


@dataclass(frozen=True)
class Listed:
    """What a folder holds, and what was decided about it before."""

    look: Look
    cases: tuple[CaseReference, ...]
    decisions: Decisions


def list_cases(source: str, choices: DataChoices, output: Path, stop: StopSignal) -> Work[Listed | None]:
    """Raises `CtmriError` where `source` is none, or what was decided cannot be read."""
    look = yield from data_work.look(source, choices, stop, output)
    if look is None:
        return None
    if not look.domains or look.layout == data_work.PREPARED:
        return Listed(look, (), Decisions())
    from ctmri_core.data.case_sources import find_cases

    chosen = choices.showing(look.domains)
    found = find_cases(
        source, chosen.domains, chosen.recipe.spacing_mm, layout=chosen.layout, options=chosen.layout_options, stop=stop
    )
    return None if stop() else Listed(look, found.cases, Decisions.read(output))


def prepare(
    source: str, choices: DataChoices, output: Path, decisions: Decisions, stop: StopSignal
) -> Work[Prepared | None]:  # fmt: skip
    """Prepares `source` into `output`; goes on where it was stopped. Raises `CtmriError`."""
    check_place(output, source)
    yield from keep(decisions, output, stop)
    return (yield from data_work.prepare(source, choices, stop, output))


def keep(decisions: Decisions, output: Path, stop: StopSignal) -> Work[bool]:
    """Writes what was decided into the folder, which is made where it is not there. Raises `WriteFailed`."""
    yield Progress(done=0, message="keeping what was decided")
    if stop():
        return False
    data_work.make_private(output)
    decisions.write(output)
    return True
