"""Finds the methods. Reads cards only; torch is loaded when a method itself is asked for."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

import ctmri_core.methods
from ctmri_core.errors import CtmriError, ModelRefused
from ctmri_core.hints import nearest_hint
from ctmri_core.method import Method, MethodCard, MethodConfig
from ctmri_core.model_card import ModelCard

if TYPE_CHECKING:
    from torch import nn

ENTRY_POINT_GROUP = "ctmri.methods"


@cache
def method_cards() -> dict[str, MethodCard]:
    """All methods by name: ours first, then those of other packages (each entry point names a `MethodCard`)."""
    folders = sorted(module.name for module in pkgutil.iter_modules(ctmri_core.methods.__path__) if module.ispkg)
    cards = [_card(importlib.import_module(f"ctmri_core.methods.{name}.card").CARD) for name in folders]
    cards += [_card(entry.load()) for entry in entry_points(group=ENTRY_POINT_GROUP)]
    found: dict[str, MethodCard] = {}
    for card in cards:
        if card.name in found:
            raise CtmriError(f"Two methods are called {card.name}; uninstall the package that brings the second one.")
        found[card.name] = card
    return found


def find_card(name: str) -> MethodCard:
    """The card of a method. Raises `CtmriError` naming the nearest known one."""
    cards = method_cards()
    if name in cards:
        return cards[name]
    hint = nearest_hint(name, cards) or f" Known methods: {', '.join(cards)}."
    raise CtmriError(f"There is no method called {name!r}.{hint}")


def load_method(name: str) -> type[Method[Any]]:
    """The class of a method; imports torch."""
    module, _, attribute = find_card(name).implementation.partition(":")
    loaded: type[Method[Any]] = getattr(importlib.import_module(module), attribute)
    return loaded


def build_generator(card: ModelCard) -> nn.Module:
    """The generator that fits a model file, without initial weights worth having, on torch's current default device.

    Inside `with torch.device("meta")` nothing is allocated. Raises `ModelRefused` when the method is unknown here or the
    config does not fit it, naming the field.
    """
    if card.method not in method_cards():
        raise ModelRefused(f"{card.name} was made with the method {card.method!r}, which this installation does not have.")
    return load_method(card.method).build_generator(validated_config(card), card.direction)


def validated_config(card: ModelCard) -> MethodConfig:
    """`card.config` as the method's own type. Raises `ModelRefused` naming field and problem."""
    try:
        return find_card(card.method).config.model_validate(card.config)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise ModelRefused(f"The settings of {card.name} do not fit {card.method}: {field}: {first['msg']}.") from None


def _card(candidate: object) -> MethodCard:
    if not isinstance(candidate, MethodCard):
        raise CtmriError(f"An installed package names a {type(candidate).__name__} where a method's card belongs.")
    return candidate
