"""The cases of one side of a prepared dataset as volumes: what a user would have opened, but for what preparing has cut off."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from ctmri_core.data.case_check import MISPLACED
from ctmri_core.data.dataset import DatasetCase, DatasetFolder, DatasetIndex
from ctmri_core.domain import Direction, Domain
from ctmri_core.errors import CtmriError
from ctmri_core.evaluation.cases import FoundCase, FoundCases, OpenedCase, Placed, salted
from ctmri_core.evaluation.order import EvaluatedSide
from ctmri_core.evaluation.results import DataTold, Problem
from ctmri_core.geometry import Geometry
from ctmri_core.model_card import ModelCard
from ctmri_core.volume import Volume

_SIDES = ("train", "validation", "test")
_WHOLE_HU = 1000.0
"""A range of CT that ends below is a display window: bone is cut off."""


def prepared_cases(folder: DatasetFolder, direction: Direction, side: EvaluatedSide) -> FoundCases:
    """Those that show both domains in one place. Raises `CtmriError` saying what the dataset has instead."""
    index = folder.read()
    if not index.complete:
        raise CtmriError("These data are not prepared to their end. Run ctmri prepare again.")
    both = (direction.source, direction.target)
    fitting = [case for case in index.cases if case.shows(*both)]
    chosen = [case for case in fitting if side in ("all", case.side)]
    if not chosen:
        raise CtmriError(_nothing(fitting, direction, side))
    windowed = Domain.CT in both and index.recipe.ct.high < _WHOLE_HU
    problems = (_windowed(index),) if windowed else ()
    done = [name for name, there in (("bias_field", index.recipe.bias_field), ("only_body", index.recipe.only_body)) if there]
    told = DataTold(what=index.what, side=side, prepared=True, phantom=index.phantom, salt=index.salt)
    cases = tuple(_found(case, index, folder.path, direction, windowed) for case in chosen)
    return FoundCases(direction, told, cases, problems, tuple(done))


def _nothing(fitting: list[DatasetCase], direction: Direction, side: str) -> str:
    if not fitting:
        both = f"{direction.source.label} and {direction.target.label}"
        return f"No case of these data shows {both} in one place, so that there is no truth to hold a translation against."
    counts = {name: len({case.patient for case in fitting if case.side == name}) for name in _SIDES}
    there = ", ".join(f"{name} {count}" for name, count in counts.items() if count)
    return f"These data have no {side} patients; they have {there}. Name another side, or prepare them with a test share."


def _windowed(index: DatasetIndex) -> Problem:
    low, high = index.recipe.ct.low, index.recipe.ct.high
    message = f"CT was prepared from {low:g} to {high:g} HU only: errors in bone are cut off, and scores flatter."
    return Problem(kind="windowed", message=message)


def _found(case: DatasetCase, index: DatasetIndex, folder: Path, direction: Direction, windowed: bool) -> FoundCase:
    place = case.prepared_in(folder).file
    told = salted(f"{case.model_dump_json()} {index.recipe.model_dump_json()}", "")  # which slices count is in the index alone
    try:
        stamp = f"{told}-{place.stat().st_size}-{place.stat().st_mtime_ns}"
    except OSError:
        stamp = told
    return FoundCase(
        key=case.key, patient=case.patient, name="", stamp=stamp, centre=case.centre,
        load=partial(_opened, case, index, folder, direction, windowed), known_to=partial(_known, case.fingerprint, index.salt),
    )  # fmt: skip


def _known(fingerprint: str, salt: str, card: ModelCard, _opened: OpenedCase) -> bool | None:
    """Prepared slices are not the voxels that prints are of: only what was learnt from these very data can be told."""
    prints = [set(data.fingerprints) for data in card.training_data if data.salt == salt and data.fingerprints]
    return any(fingerprint in known for known in prints) if prints else None


def _opened(case: DatasetCase, index: DatasetIndex, folder: Path, direction: Direction, windowed: bool) -> OpenedCase:
    prepared, recipe, both = case.prepared_in(folder), index.recipe, (direction.source, direction.target)
    *pictures, inside = prepared.unpacked(*both)
    geometry = Geometry(inside.shape, prepared.spacing(recipe))
    source, truth = (
        Volume(np.ascontiguousarray(recipe.to_nominal(picture, domain)), geometry, domain, name=domain.label)
        for picture, domain in zip(pictures, both, strict=True)
    )
    problems = []
    if case.check is not None and case.check.has(*MISPLACED):
        message = next(problem.message for problem in case.check.problems if problem.kind in MISPLACED)
        problems.append(Problem(kind="misaligned", message=message, left_out=True))
    body = Placed(np.asarray(inside > 0), geometry)
    looked_at = case.check is not None
    return OpenedCase(
        truth, source, body, case.chosen, looked_at=looked_at, windowed=windowed, problems=tuple(problems),
        oriented=case.slice_mm is not None,  # pictures alone do not say how far apart they are
    )  # fmt: skip
