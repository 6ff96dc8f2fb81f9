"""The work of evaluations that the window starts; heavy modules load when it runs.

Every function is a generator of events to be given to a `Job`; its return value is None when it was stopped.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from ctmri_core.domain import Direction, Domain
from ctmri_core.errors import FileRefused
from ctmri_core.evaluation.results import EVALUATION, Evaluation, read_evaluation
from ctmri_core.events import Event, Noted, Progress, StopSignal, Work, relayed
from ctmri_core.resources_folder import user_datasets_folder
from ctmri_gui.evaluation.wanted import Wanted, keep

if TYPE_CHECKING:
    from ctmri_core.evaluation.order import EvaluationOrder

Result = TypeVar("Result")
PREPARED_INDEX = "dataset.json"
_SIDES = ("train", "validation", "test")


@dataclass(frozen=True)
class Listed:
    """A past evaluation, in a line. `problem`: why it cannot be read; empty where it can."""

    folder: Path
    made: datetime | None = None
    models: tuple[str, ...] = ()
    what: str = ""
    cases: int = 0
    score: str = ""
    problem: str = ""


@dataclass(frozen=True)
class KnownData:
    """Data that were prepared before. `words`: for a list."""

    spec: str
    words: str


def evaluate(wanted: Wanted, stop: StopSignal) -> Work[Evaluation | None]:
    """Runs it; what is finished is an evaluation too where it was stopped. Where its data lie is kept here, and not when the
    window hears of it: that may be closing."""
    yield Progress(done=0, message="starting the evaluation")
    from ctmri_core.evaluation.evaluate import evaluate as evaluated

    found = yield from quietly(evaluated(order_of(wanted), stop))
    if found is not None:
        keep(wanted)
    return found


def quietly(begun: Work[Result]) -> Work[Result]:
    """What is to be known stands where the results stand, not in a bar of the main window."""

    def hear(event: Event) -> Event:
        return event.model_copy(update={"serious": False}) if isinstance(event, Noted) else event

    return relayed(begun, hear)


def order_of(wanted: Wanted) -> EvaluationOrder:
    """Raises `CtmriError` when its parts do not go together."""
    from ctmri_core.data.split import SplitPlan
    from ctmri_core.evaluation.order import EvaluationOrder
    from ctmri_core.inference.order import Order

    return EvaluationOrder(
        wanted.output, wanted.models, wanted.data or None, wanted.side, SplitPlan(test_share=wanted.test_share),
        predictions=wanted.predictions, truth=wanted.truth, sources=wanted.sources, masks=wanted.masks,
        made_by=wanted.made_by, patients=wanted.patients, labels=wanted.labels, predicted_labels=wanted.predicted_labels,
        direction=Direction.parse(wanted.direction) if wanted.direction else None, metrics=wanted.metrics,
        features=wanted.features, feature_weights=wanted.feature_weights,
        translation=Order(**wanted.how), back="auto" if wanted.cycle else None,  # type: ignore[arg-type]  # by the names of an Order
        body_model=wanted.body_model,
        even_trained_on=wanted.even_trained_on, names=wanted.names, keep_unfinished=True,
    )  # fmt: skip


def read(folder: Path, _stop: StopSignal) -> Work[Evaluation]:
    """Raises `FileRefused`."""
    yield Progress(done=0, message="reading the evaluation")
    return read_evaluation(folder)


def list_evaluations(places: tuple[Path, ...], stop: StopSignal) -> Work[tuple[Listed, ...] | None]:
    """All that lie in one of `places`, or are one of them; the newest first."""
    found: list[Listed] = []
    for place in places:
        folders = [place, *sorted(place.iterdir())] if place.is_dir() else []
        for folder in folders:
            if (folder / EVALUATION).is_file():
                yield Progress(done=len(found), message="reading evaluations")
                if stop():
                    return None
                found.append(_listed(folder))
    newest = sorted(found, key=lambda one: one.made.timestamp() if one.made is not None else 0.0, reverse=True)
    return tuple({one.folder: one for one in newest}.values())


def _listed(folder: Path) -> Listed:
    try:
        there = read_evaluation(folder)
    except FileRefused as refusal:
        return Listed(folder, problem=str(refusal))
    from ctmri_gui.evaluation.figures import Words, number

    words, key = Words(there), there.main_metric
    best = [found for model in there.models if (found := there.summary(model.number, key)) is not None]
    means = ", ".join(number(one.mean, words.unit(key)) for one in best)
    what = " · ".join(part for part in (there.data.what, there.data.side, "" if there.finished else "stopped early") if part)
    score = f"{words.title(key)}: {means}" if means else ""
    return Listed(folder, there.made, tuple(model.name for model in there.models), what, len(there.cases), score)


def list_prepared(_stop: StopSignal) -> Work[tuple[KnownData, ...]]:
    """The data that this user has prepared in the window. Only the index is looked at: what knows more of it loads the engine."""
    yield Progress(done=0, message="looking for prepared data")
    place = user_datasets_folder()
    found = []
    for path in sorted(place.iterdir()) if place.is_dir() else []:
        with suppress(OSError, ValueError, KeyError, TypeError):  # whatever is no such index is not offered
            index = json.loads((path / PREPARED_INDEX).read_bytes())
            if index["format"] == "ctmri-dataset-1" and index["complete"]:
                kinds = ", ".join(Domain(name).label for name in index["domains"])
                sides = {side: len({case["patient"] for case in index["cases"] if case["side"] == side}) for side in _SIDES}
                patients = ", ".join(f"{count} {side}" for side, count in sides.items())
                found.append(KnownData(str(path), f"{kinds} · patients: {patients} · {path.name}"))
    return tuple(found)


def write_report(folder: Path, _stop: StopSignal) -> Work[Path]:
    """The HTML report in `folder`. Raises `CtmriError`."""
    yield Progress(done=0, message="drawing the report")
    from ctmri_core.evaluation.report import write_report as written

    return written(folder)


def write_pdf(folder: Path, target: Path, _stop: StopSignal) -> Work[Path]:
    """The report as PDF. Raises `CtmriError`."""
    yield Progress(done=0, message="drawing the report")
    from ctmri_core.evaluation.report import write_pdf as written

    return written(folder, target)
