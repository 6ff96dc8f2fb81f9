"""Going on from a model that is there: its generator's weights are where a new run begins.

A model file holds the generator of one direction and no discriminators, which begin anew. Where a method learns both ways, the
other generator begins with the file beside it that the same run wrote for the other direction, if it is there.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel, ConfigDict
from torch import nn

from ctmri_core.config_flags import flag_of
from ctmri_core.data.preparation import PreparedData
from ctmri_core.domain import Direction
from ctmri_core.errors import TrainingFailed, shown_name
from ctmri_core.events import Noted
from ctmri_core.method import Method, MethodCard, MethodConfig
from ctmri_core.model_card import ModelCard, TrainingData, read_card
from ctmri_core.model_file import load_model
from ctmri_core.registry import find_card, load_method, method_cards, validated_config

_OTHERWISE = (
    "The model to begin with was made for slices prepared otherwise ({what}). It has to learn that first; data prepared as it was"
    " made would spare it."
)
_SEEN = "{count} validation cases are among those that the model to begin with has learnt from: scores flatter it."


class StartedFrom(BaseModel):
    """What the cards of new models tell of those that they began with: by direction, name of the file and hash of the weights."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    models: dict[str, tuple[str, str]]
    training_data: tuple[TrainingData, ...]

    def stored(self) -> dict[str, Any]:
        """For a checkpoint."""
        return self.model_dump(mode="json")

    def fact(self, direction: Direction) -> dict[str, Any]:
        """For the card of one direction's model."""
        if direction.name not in self.models:
            return {}
        name, weights = self.models[direction.name]
        return {"started_from": {"file": name, "weights_sha256": weights}}


def check_start(path: str, card: MethodCard, config: MethodConfig, direction: Direction) -> None:
    """Raises `TrainingFailed` naming what differs where a run of this method cannot begin with the model in `path`, and
    `ModelRefused` where it is none.
    """
    model = read_card(path)
    name = shown_name(Path(path))
    if model.method != card.name:
        known = method_cards()[model.method].title if model.method in method_cards() else model.method
        raise TrainingFailed(f"{name} was made by {known}, this run is of {card.title}. Choose {known}, or another model.")
    fitting = {direction, direction.reverse} if card.both_ways else {direction}
    if model.direction not in fitting and card.needs != "multi_domain":
        there = model.direction.label
        raise TrainingFailed(f"{name} translates {there}, this run learns {direction.label}. Name that direction.")
    theirs = validated_config(model)
    differing = _differing(card, theirs, config, model.direction)
    if differing:
        values = ((field, getattr(theirs, field), getattr(config, field)) for field in differing)
        said = ", ".join(f"{flag_of(field)} ({there} there, {here} here)" for field, there, here in values)
        raise TrainingFailed(f"{name} has other networks: {said}. Take its settings, or another model.")


def begin_from(path: str, method: Method[Any], data: PreparedData) -> tuple[StartedFrom, list[Noted]]:
    """Puts the weights of the model in `path` into the generators of `method`, and says what a person should know of it.

    Raises `ModelRefused` where the file is damaged, `TrainingFailed` where its domains are not those of the run.
    """
    models: dict[str, tuple[str, str]] = {}
    cards: list[ModelCard] = []
    for file in (Path(path), *_siblings(Path(path), method.directions)):
        loaded = load_model(file)
        direction = loaded.card.direction
        if direction not in method.directions:
            raise TrainingFailed(f"{shown_name(file)} translates {direction.label}, which this run does not learn.")
        method.generator(direction).load_state_dict(loaded.generator.state_dict())
        models[direction.name] = (file.name, loaded.card.weights_sha256)
        cards.append(loaded.card)
    known: dict[str, TrainingData] = {each.model_dump_json(): each for card in cards for each in card.training_data}
    return StartedFrom(models=models, training_data=tuple(known.values())), list(_notes(method, cards, known.values(), data))


def _siblings(path: Path, directions: tuple[Direction, ...]) -> Iterator[Path]:
    """Files beside `path` that the same run wrote for its other directions: named alike, of the same settings and cases."""
    card = read_card(path)
    for other in directions:
        beside = path.with_name(path.name.replace(card.direction.name, other.name))
        if other != card.direction and beside != path and beside.is_file():
            theirs = read_card(beside)
            if (theirs.direction, theirs.method, theirs.config, theirs.training_data) == (
                other, card.method, card.config, card.training_data,
            ):  # fmt: skip
                yield beside


def _differing(card: MethodCard, theirs: MethodConfig, ours: MethodConfig, direction: Direction) -> list[str]:
    """Names of the settings by which the generators are not alike; empty where they are."""
    build = load_method(card.name).build_generator

    def built(config: MethodConfig) -> tuple[str, dict[str, tuple[int, ...]]]:
        with torch.device("meta"):
            generator: nn.Module = build(config, direction)
        return repr(generator), {name: tuple(each.shape) for name, each in generator.state_dict().items()}

    own = built(ours)
    if built(theirs) == own:
        return []
    names = [name for name in type(ours).model_fields if getattr(ours, name) != getattr(theirs, name)]
    alone = [name for name in names if built(ours.model_copy(update={name: getattr(theirs, name)})) != own]
    return alone or names


def _notes(method: Method[Any], cards: list[ModelCard], learnt: Any, data: PreparedData) -> Iterator[Noted]:
    started = {card.direction for card in cards}
    fresh = [way for way in method.directions if way not in started and way.reverse in started]
    if fresh and find_card(cards[0].method).needs != "multi_domain":  # one network for all
        names = ", ".join(way.label for way in fresh)
        yield Noted(message=f"No model of {names} lies beside the one to begin with: that direction begins anew.")
    shapes = {"multiple", "slices", "slice_mm", "size", "field_mm"}
    before, now = (recipe.model_dump(exclude=shapes) for recipe in (cards[0].recipe, data.recipe))
    if what := [field.replace("_", " ") for field in now if before[field] != now[field]]:
        yield Noted(message=_OTHERWISE.format(what=", ".join(what)), serious=True)
    seen = {mark for each in learnt if each.salt == data.facts.salt for mark in each.fingerprints}
    validated_on = {file.stem.rpartition("-")[2] for file in data.validation.files}
    if count := len(seen & validated_on):
        yield Noted(message=_SEEN.format(count=count), serious=True)
