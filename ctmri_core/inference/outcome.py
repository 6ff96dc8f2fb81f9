"""The synthetic volume with its record: what was made, of what, how, and what there is to say of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ctmri_core import __version__
from ctmri_core.inference.one_pass import OnePass
from ctmri_core.inference.order import Order
from ctmri_core.inference.value_map import ValueMap
from ctmri_core.model_card import ModelCard, shipped_hashes
from ctmri_core.model_file import LoadedModel
from ctmri_core.preprocess.given_body import body_note
from ctmri_core.volume import Finding, Synthetic, Volume, Voxels

_GUESSED = (
    "A CT hardly shows what tells soft tissues apart in MR: contrast within them is the model's guess at what is usual. "
    "A map of uncertainty shows where its answers differ, not where they are wrong."
)


def synthetic_volume(
    source: Volume, voxels: Voxels, mains: Sequence[OnePass], order: Order, findings: Sequence[Finding], draw: int = 0
) -> Volume:
    """`mains`: the passes of which `voxels` are made, those of the first model first; `draw`: the number of another answer."""
    first, cards = mains[0], list({id(one.card): one.card for one in mains}.values())
    card = first.card
    told = [*source.findings, *findings]
    for each in cards:
        if each.demo:
            words = f"{each.name} is a demonstration model: it shows how the program works, no more."
            told.append(Finding("demo_model", words))
    if any(each.guesses_soft_tissue for each in cards):
        told.append(Finding("ill_posed", _GUESSED))
    used = _used(cards, order)
    told += [_not_for_sale(each) for each in used if each.noncommercial]
    planes = list(dict.fromkeys(one.plane for one in mains))
    details: dict[str, Any] = {
        "direction": card.direction.name,
        "device": first.runner.plan.device,
        "precision": first.runner.plan.precision,
        "batch": first.runner.batch,
        "patch": first.runner.patch,
        "planes": planes,
        "context_slices": first.context,
        "program_version": __version__,
        "verified": all(each.weights_sha256 in shipped_hashes() for each in cards),
        "licences": list(dict.fromkeys(licence for each in used for licence in each.licences)),
        "training_data": list(_learnt_from(used)),
        "recipe": card.recipe.model_dump(mode="json"),
        "source_range": [first.record.scale.low, first.record.scale.high],
        "source_history": list(source.history),
        "seed": order.seed,
        "asked": order.told,
    }
    recipe = card.recipe
    if order.body is not None or recipe.only_body or (recipe.bias_field is not None and source.domain.is_mr):
        details["body"] = body_note(order.body, source) | _outlined_by(order)
    if order.body is not None:
        origin = details["body"]["origin"]
        by = {"found": "as it was found", "model": f"as {details['body'].get('model')} outlines it"}
        drawn = by.get(origin, "as it was given")
        words = f"Only what lies within the outline of the body, {drawn}, was translated; the rest is background."
        told.append(Finding("only_body", words))
    if len(mains) > 1:
        details["fusion"] = order.fusion
    if len(cards) > 1:
        details["models"] = [{"name": each.name, "sha256": each.weights_sha256} for each in cards]
    if draw:
        details["draw"] = draw
    names = " and ".join(f"{each.name} ({each.short_hash})" for each in cards)
    ways = f", {order.fusion} of {' and '.join(planes)} slices" if len(planes) > 1 else ""
    drew = f", draw {draw}" if draw else ""
    target = card.direction.target
    return Volume(
        voxels=voxels,
        geometry=source.geometry,
        domain=target,
        name=f"Synthetic {target.label}" + (f" of {source.name}" if source.name else "") + drew,
        frame_of_reference=source.frame_of_reference,
        findings=tuple(told),
        history=(*source.history, f"translated {card.direction.label} by {names}{ways}{drew}"),
        synthetic=Synthetic(card.name, card.weights_sha256, details),
        phantom=source.phantom,
        dicom=source.dicom,
    )


def _used(cards: Sequence[ModelCard], order: Order) -> tuple[ModelCard, ...]:
    """Of all models that had a part in it, each once."""
    outliner = (order.body_model.card,) if isinstance(order.body_model, LoadedModel) else ()
    return tuple({each.weights_sha256: each for each in (*cards, *outliner)}.values())


def _not_for_sale(card: ModelCard) -> Finding:
    words = f"{card.name} learnt from data under {', '.join(card.forbidding)}: what it makes is not for commercial use."
    return Finding("noncommercial", words)


def _learnt_from(cards: Iterable[ModelCard]) -> Iterator[dict[str, Any]]:
    """What the models learnt from, and under which licence that is."""
    for card in cards:
        for data in card.training_data:
            yield {"model": card.name, "what": data.what, "licence": data.licence, "credit": data.credit, "cases": data.cases}


def _outlined_by(order: Order) -> dict[str, Any]:
    """Which model outlined the body, where one did."""
    if not isinstance(order.body_model, LoadedModel):
        return {}
    card = order.body_model.card
    return {"origin": "model", "model": card.name, "model_sha256": card.weights_sha256}


def with_details(volume: Volume, **details: Any) -> Volume:
    """`volume` with more in its record."""
    assert volume.synthetic is not None
    return replace(volume, synthetic=replace(volume.synthetic, details=volume.synthetic.details | details))


def with_map(volume: Volume, told: ValueMap) -> Volume:
    """`volume` with the figures of a map of it in its record."""
    return with_details(volume, **{told.kind: {"what": told.what, "unit": told.unit, **told.summary}})


def only_inside(voxels: Voxels, order: Order, background: float) -> Voxels:
    """`background` outside of the body that the order gives; works in place."""
    if order.body is not None:
        voxels[~order.body] = np.asarray(background, voxels.dtype)
    return voxels


def in_patches(mains: Sequence[OnePass], order: Order) -> Iterator[Finding]:
    """That memory made patches of slices, where nobody asked for them."""
    patches = [one.runner.patch for one in mains if one.runner.patch is not None]
    if order.patch is None and patches:
        words = f"Memory did not suffice for whole slices, which were translated in patches of {min(patches)} pixels."
        yield Finding("patches", f"{words} A network that looks at the whole slice may answer them otherwise: look for steps.")


def unfinished(mains: Sequence[OnePass], done: int) -> Finding:
    """What a translation is that was stopped after `done` slices of all passes, those of the picture first. Serious where the
    picture itself is not what was wanted."""
    count, whole = mains[0].record.count, sum(one.record.count for one in mains)
    if done >= whole:
        words = "Translating was stopped after the picture was whole, before all that was to be told of it was known."
        return Finding("unfinished", words)
    if done < count:
        words = f"Translating was stopped: only {done} of {count} slices, from the feet, were translated; the others are empty."
        return Finding("unfinished", words, serious=True)
    passes, left = 0, done
    for one in mains:
        if left < one.record.count:
            break
        left -= one.record.count
        passes += 1
    more = ", and of one more in some slices" if left else ""
    words = f"Translating was stopped: each voxel is made of {passes} of the {len(mains)} answers that were wanted{more}."
    return Finding("unfinished", words, serious=True)
