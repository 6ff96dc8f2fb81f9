"""The standard scale of MR, learnt from the training cases before any is prepared."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from ctmri_core.data.dataset import DatasetFolder, DatasetIndex, key_of
from ctmri_core.data.layouts.layout import CaseReference
from ctmri_core.domain import Domain
from ctmri_core.errors import FileRefused, GeometryMismatch, TrainingFailed, WrongInput
from ctmri_core.events import Progress, StopSignal, Work
from ctmri_core.preprocess.mr_standard import HistogramMatch, NyulScale
from ctmri_core.preprocess.recipe import Recipe

_MOST_CASES = 40


def with_learnt_scale(
    recipe: Recipe, domains: Sequence[Domain], cases: Sequence[CaseReference], folder: Path, data: str, stop: StopSignal
) -> Work[Recipe | None]:
    """`recipe` with the landmarks of its MR, where it has a scale that is learnt: of at most 40 of `cases`, spread evenly, or
    those with which `folder` was begun from the same `data`. None when stopped.

    Raises `TrainingFailed` for several kinds of MR, which have no scale in common, and where there is nothing to learn from.
    """
    step, kinds = recipe.mr, [domain for domain in domains if domain.is_mr]
    if not isinstance(step, NyulScale | HistogramMatch) or step.standard or not kinds:
        return recipe
    if len(kinds) > 1:
        names = ", ".join(domain.label for domain in kinds)
        raise TrainingFailed(f"One standard scale is learnt for one kind of MR, not for {names}. Prepare them one by one.")
    known = _known(folder, data)
    if known is not None and isinstance(known.mr, type(step)) and known.mr.model_copy(update={"standard": ()}) == step:
        return recipe.model_copy(update={"mr": known.mr})
    chosen = cases[:: max(1, -(-len(cases) // _MOST_CASES))]
    found = []
    for number, reference in enumerate(chosen):
        if stop():
            return None
        yield Progress(done=number, total=len(chosen), unit="cases", message="learning the scale of MR")
        with suppress(FileRefused, WrongInput, GeometryMismatch):  # it is told of when it is prepared
            volume = reference.load().volumes.get(kinds[0])
            if volume is not None:
                found.append(np.asarray(step.landmarks(recipe.changed(volume)), np.float64))
    try:
        return recipe.model_copy(update={"mr": step.learnt(found)})
    except WrongInput as error:
        raise TrainingFailed(str(error)) from error


def _known(folder: Path, data: str) -> Recipe | None:
    """The recipe with which the same data were begun to be prepared there."""
    with suppress(OSError, ValidationError):
        index = DatasetIndex.model_validate_json(DatasetFolder(folder).index.read_bytes())
        if index.made_from.get("data") == key_of(data, index.salt):
            return index.recipe
    return None
