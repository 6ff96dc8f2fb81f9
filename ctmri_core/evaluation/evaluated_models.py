"""The models that are evaluated, loaded once, and what leads back from their answers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ctmri_core.domain import Direction
from ctmri_core.errors import CtmriError
from ctmri_core.evaluation.order import EvaluationOrder
from ctmri_core.evaluation.results import EvaluatedModel
from ctmri_core.inference.cycle import recipe_of_answers
from ctmri_core.model_card import ModelCard, model_back, read_card
from ctmri_core.model_file import LoadedModel, load_model
from ctmri_core.resources_folder import model_folders

AUTO = "auto"


@dataclass(frozen=True, eq=False)
class Contender:
    """A model, or a folder of pictures where `loaded` is None. `mark`: changes when scores of it would; `back`: leads back;
    `maker`: card of the model that is said to have made the pictures."""

    number: int
    name: str
    mark: str
    loaded: LoadedModel | None = None
    back: LoadedModel | None = None
    maker: ModelCard | None = None

    @property
    def card(self) -> ModelCard | None:
        return self.maker if self.loaded is None else self.loaded.card

    def told(self, direction: Direction, trained_on: tuple[int, ...]) -> EvaluatedModel:
        """As results tell of it."""
        card = self.card
        if card is None:
            return EvaluatedModel(number=self.number, name=self.name, direction=direction.name, pictures=True)
        known = any(data.fingerprints for data in card.training_data)
        return EvaluatedModel(
            number=self.number, name=self.name, weights_sha256=card.weights_sha256, method=card.method,
            direction=card.direction.name, pictures=self.loaded is None, trained_on=trained_on, training_known=known,
            licences=card.licences,
        )  # fmt: skip


def common_direction(models: Sequence[Path]) -> Direction:
    """Of all of them. Raises `CtmriError` where they translate differently, `ModelRefused`."""
    cards = [read_card(path) for path in models]
    for card in cards[1:]:
        if card.direction != cards[0].direction:
            first, other = cards[0], card
            raise CtmriError(
                f"{first.name} translates {first.direction.label}, {other.name} {other.direction.label}: their scores cannot"
                " stand side by side. Evaluate each by itself."
            )
    return cards[0].direction


def contenders(order: EvaluationOrder, steps_done: Sequence[str]) -> list[Contender]:
    """In the order in which they were named. Raises `ModelRefused`, `CtmriError` for a way back that is none.

    `steps_done`: steps of recipes that the data have been through, which are not taken twice.
    """
    if order.predictions:
        return list(_folders(order))
    found: list[Contender] = []
    for number, path in enumerate(order.models, 1):
        loaded = load_model(path)
        back = _way_back(order, path, loaded.card)
        mark = _hashed(loaded.card.model_dump_json(), "" if back is None else back.card.model_dump_json(), *steps_done)
        name = _unlike(loaded.card.name, [one.name for one in found])
        found.append(Contender(number, name, mark, _without_steps(loaded, steps_done), back))
    return found


def _folders(order: EvaluationOrder) -> Iterator[Contender]:
    """Named by their models where these are known."""
    count, names = len(order.predictions), list[str]()
    for number in range(1, count + 1):
        model = order.made_by[number - 1] if order.made_by else None
        maker = None if model is None else read_card(model)
        name = (f"pictures {number}" if count > 1 else "pictures") if maker is None else f"pictures of {maker.name}"
        names.append(_unlike(name, names))
        yield Contender(number, names[-1], "" if maker is None else _hashed(maker.model_dump_json()), maker=maker)


def _way_back(order: EvaluationOrder, path: Path, card: ModelCard) -> LoadedModel | None:
    """What is shown answers as they are, not scaled anew."""
    if order.back is None:
        return None
    back = load_model(model_back(path, model_folders()) if order.back == AUTO else order.back)
    way = back.card.direction
    if not (back.card.takes(card.direction.target) and way.target.accepts(card.direction.source)):
        wanted = card.direction.reverse.label
        raise CtmriError(f"{back.card.name} translates {way.label}; cycle scores need a model for {wanted}.")
    recipe = recipe_of_answers(back.card.recipe, card.direction.target)
    return LoadedModel(back.generator, back.card.model_copy(update={"recipe": recipe}))


def _without_steps(model: LoadedModel, steps: Sequence[str]) -> LoadedModel:
    changes = {step: {"bias_field": None, "only_body": False}[step] for step in steps}
    if not changes:
        return model
    recipe = model.card.recipe.model_copy(update=changes)
    return LoadedModel(model.generator, model.card.model_copy(update={"recipe": recipe}))


def _unlike(name: str, others: Sequence[str]) -> str:
    """With a number where another model has the name."""
    number, made = 1, name
    while made in others:
        number += 1
        made = f"{name} ({number})"
    return made


def _hashed(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()
