"""What prepared slices are like that a model learns from, for its card."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ctmri_core.data.prepared_slices import PreparedCase, PreparedSlices
from ctmri_core.domain import Domain
from ctmri_core.preprocess.recipe import Recipe
from ctmri_core.recognition import SliceFacts, TrainingRange, slice_facts

_MOST_CASES, _MOST_SLICES, _LEAST_VALUES = 120, 6, 20


def learnt_range(slices: PreparedSlices, source: Domain, recipe: Recipe) -> TrainingRange | None:
    """Of the `source` pictures of at most 120 cases, drawn by a fixed chance: prepared cases lie in an order of their own,
    planes of a head one after the other. Pixels count as wide as they were prepared."""
    cases = [case for case in slices.cases if source in case.domains]
    drawn = np.sort(np.random.default_rng(0).permutation(len(cases))[:_MOST_CASES])
    return TrainingRange.over(facts for number in drawn for facts in _facts(cases[number], source, recipe))


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
