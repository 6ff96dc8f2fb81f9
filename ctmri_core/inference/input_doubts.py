"""What speaks against giving a scan to a model, found before it runs; no torch.

Serious: another kind of scan or part of the body, black and white exchanged, a body cut off, values in no known unit, or far
beyond what was learnt from (`recognition.far_off`, `slice_doubts`). Anything less goes with the result as a warning.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ctmri_core.domain import Domain
from ctmri_core.inference.body_region import doubt_about_region
from ctmri_core.inference.slice_doubts import doubts_about_slices
from ctmri_core.model_card import ModelCard
from ctmri_core.preprocess.intensity import HuRange
from ctmri_core.preprocess.recipe import Record
from ctmri_core.recognition import far_off, recognise
from ctmri_core.registry import validated_config
from ctmri_core.volume import Finding, Volume

_OF_NO_MATTER_FOR_THE_GRID = {"bias_field": None, "only_body": False, "mr": HuRange()}
"""Steps that would take seconds, exchanged for none and for a scaling that measures nothing."""
_UNIT, _LOWEST_HU = "not_hounsfield", -100


def doubts_before(
    volume: Volume, card: ModelCard, record: Record | None = None, *, body: NDArray[np.bool_] | None = None
) -> tuple[Finding, ...]:  # fmt: skip
    """Wrong kind, wrong region, slices unlike those that were learnt from, values far from theirs; serious ones are asked about,
    as the result is not to be trusted. `record`: of the card's recipe, where it is at hand; else `body`: as `record_of` takes
    it. Raises `WrongInput` as that does.
    """
    if record is None:
        record = card.recipe.model_copy(update=_OF_NO_MATTER_FOR_THE_GRID).record_of(volume, body)
    kind = (*_doubts_about_kind(volume, card), *_doubts_about_unit(volume), *_doubts_about_learning(volume, card))
    if any(doubt.kind == _UNIT for doubt in kind):
        return kind  # whatever else is looked for needs the outline of the body, which is found by HU
    region = doubt_about_region(volume, card, record.body)
    return (
        *kind,
        *((region,) if region else ()),
        *doubts_about_slices(volume, record, card.recipe, validated_config(card).context),
        *(far_off(volume, card.training_range, card.recipe) if card.training_range else ()),
    )


def _doubts_about_kind(volume: Volume, card: ModelCard) -> Iterator[Finding]:
    """By its voxels. What is synthetic is judged by its record alone."""
    takes = card.direction.source
    seen = recognise(volume)
    if seen.inverted:
        message = "Black and white look exchanged in this scan; no model was made for that. Do not trust what it shows."
        yield Finding("wrong_kind", message, serious=True)
    elif volume.synthetic is None and seen.contradicts(takes):
        message = f"This model takes {takes.label}; this scan looks like {seen.label}. Do not trust what it shows."
        told = seen.domain.modality == takes.modality and volume.domain is not Domain.MR and _told_by_hand(volume)
        yield Finding("wrong_kind", message, serious=not told)


def _doubts_about_learning(volume: Volume, card: ModelCard) -> Iterator[Finding]:
    """What learnt from digital phantoms knows nothing of people, whatever their scans' sizes and greys are like."""
    if card.only_phantoms and not card.outlines and not volume.phantom:
        yield Finding("of_phantoms", f"{card.name} learnt from digital phantoms alone: do not trust what it shows of a person.")


def _doubts_about_unit(volume: Volume) -> Iterator[Finding]:
    """Of a CT none of whose values is as low as fat, not to speak of air."""
    lowest = float(volume.voxels.min())
    if volume.domain is Domain.CT and lowest > _LOWEST_HU:
        message = f"The lowest value of this CT is {lowest:g}, so these are not Hounsfield units, which this model takes."
        yield Finding(_UNIT, f"{message} Do not trust what it shows.", serious=True)


def _told_by_hand(volume: Volume) -> bool:
    """Whether a person said how this MR is weighted, who may know better."""
    return any(step.startswith(("taken for ", "domain set to ")) for step in volume.history)
