"""Finds the methods. Reads cards only; torch is loaded when a method itself is asked for."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

import ctmri_core.methods
from ctmri_core.errors import CtmriError, ModelRefused, TrainingFailed
from ctmri_core.hints import nearest_hint
from ctmri_core.imported.card import CARD as IMPORTED
from ctmri_core.method import Method, MethodCard, MethodConfig
from ctmri_core.model_card import ModelCard

if TYPE_CHECKING:
    from torch import nn

ENTRY_POINT_GROUP = "ctmri.methods"
_BROKEN = (
    ImportError, SyntaxError, NameError, AttributeError, TypeError, ValueError, LookupError, ArithmeticError, AssertionError,
    OSError, RuntimeError,
)  # fmt: skip
"""What loading the code of another package may end with; ours must go on without it."""


def method_cards() -> Mapping[str, MethodCard]:
    """All methods by name: ours first, then those of other packages (each entry point names a `MethodCard`)."""
    return _found()[0]


def method_problems() -> tuple[str, ...]:
    """Why methods of other packages are left out, a sentence for each."""
    return _found()[1]


@cache
def _found() -> tuple[dict[str, MethodCard], tuple[str, ...]]:
    folders = sorted(module.name for module in pkgutil.iter_modules(ctmri_core.methods.__path__) if module.ispkg)
    cards = {name: importlib.import_module(f"ctmri_core.methods.{name}.card").CARD for name in folders}
    problems = []
    for entry in entry_points(group=ENTRY_POINT_GROUP):
        package = entry.dist.name if entry.dist else entry.module
        try:
            card = _foreign_card(entry)
            if card.name in cards:
                raise CtmriError(f"there is a method called {card.name} already")
            cards[card.name] = card
        except CtmriError as error:
            problems.append(f"The method {entry.name} of the package {package} is left out: {error}.")
    return cards, tuple(problems)


def _foreign_card(entry: EntryPoint) -> MethodCard:
    try:
        card = entry.load()
    except _BROKEN as error:
        raise CtmriError(str(error).rstrip(".") or type(error).__name__) from error
    if not isinstance(card, MethodCard):
        raise CtmriError(f"{entry.value} is of type {type(card).__name__}, not MethodCard")
    return card


def find_card(name: str) -> MethodCard:
    """The card of a method. Raises `CtmriError` naming the nearest known one, and what is left out."""
    cards = method_cards()
    if name in cards:
        return cards[name]
    hint = nearest_hint(name, cards) or f" Known methods: {', '.join(cards)}."
    raise CtmriError(" ".join((f"There is no method called {name!r}.{hint}", *method_problems())))


def load_method(name: str) -> type[Method[Any]]:
    """The class of a method; imports torch. Raises `CtmriError` where there is none of that name, or its code is broken."""
    return _implementation(find_card(name))


def maker_of(card: ModelCard) -> MethodCard | None:
    """What made a model: a method, or another program; None where this installation does not know it."""
    return IMPORTED if card.method == IMPORTED.name else method_cards().get(card.method)


def _implementation(card: MethodCard) -> type[Method[Any]]:
    module, _, attribute = card.implementation.partition(":")
    try:
        loaded: type[Method[Any]] = getattr(importlib.import_module(module), attribute)
    except _BROKEN as error:
        raise CtmriError(f"The method {card.name} cannot be loaded from {module}: {error}.") from error
    return loaded


def build_generator(card: ModelCard) -> nn.Module:
    """The generator that fits a model file, without initial weights worth having, on torch's current default device.

    Inside `with torch.device("meta")` nothing is allocated. Raises `ModelRefused` when the method is unknown here or the
    config does not fit it, naming the field.
    """
    maker = maker_of(card)
    if maker is None:
        raise ModelRefused(f"{card.name} was made with the method {card.method!r}, which this installation does not have.")
    try:
        return _implementation(maker).build_generator(validated_config(card), card.direction)
    except TrainingFailed as error:
        raise ModelRefused(f"The settings of {card.name} do not fit {card.method}: {error}") from None


def validated_config(card: ModelCard) -> MethodConfig:
    """`card.config` as the method's own type. Raises `ModelRefused` naming field and problem."""
    try:
        return (maker_of(card) or find_card(card.method)).config.model_validate(card.config)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise ModelRefused(f"The settings of {card.name} do not fit {card.method}: {field}: {first['msg']}.") from None
