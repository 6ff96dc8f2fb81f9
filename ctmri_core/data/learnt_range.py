"""What prepared slices are like that a model learns from, for its card."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ctmri_core.data.prepared_slices import PreparedCase, PreparedSlices
from ctmri_core.domain import Domain
from ctmri_core.preprocess.recipe import Recipe
from ctmri_core.recognition import SliceFacts, TrainingRange, slice_facts

_MOST_CASES, _MOST_SLICES, _LEAST_VALUES = 60, 6, 20


def learnt_range(slices: PreparedSlices, source: Domain, recipe: Recipe) -> TrainingRange | None:
    """Of the `source` pictures of at most 60 cases, spread evenly. Pixels count as wide as they were prepared."""
    cases = [case for case in slices.cases if source in case.domains]
    step = max(1, len(cases) // _MOST_CASES)
    return TrainingRange.over(facts for case in cases[::step] for facts in _facts(case, source, recipe))


def _facts(case: PreparedCase, source: Domain, recipe: Recipe) -> Iterator[SliceFacts]:
    """None for a case without body."""
    stored = case.mapped()
    places = np.array(case.chosen if case.chosen is not None else range(len(stored)), np.intp)
    if not len(places):
        return
    few = stored[places[:: max(1, len(places) // _MOST_SLICES)], :, ::2, ::2]
    body = few[:, -1] > 0
    values = few[:, case.domains.index(source)].astype(np.float32)[body]
    if values.size >= _LEAST_VALUES:
        pixel = recipe.spacing_mm
        yield slice_facts(values, float(1 - body.mean()), (case.slice_mm, pixel, pixel), (len(stored), *stored.shape[2:]))
