"""Sentences that name flags, as a person reads them who has a form before them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from ctmri_core.config_fields import ConfigField, fields_of
from ctmri_core.method import MethodCard
from ctmri_core.training.settings import ModelDescription, TrainingSettings

_FLAG = re.compile(r"--(?:no-)?([a-z][a-z0-9]*(?:-[a-z0-9]+)*)")
_NAME = re.compile(r"`?\b([a-z][a-z0-9]*(?:_[a-z0-9]+)+)\b`?")
_ELSEWHERE = {"data": "the data", "direction": "the direction"}


def run_fields(card: MethodCard) -> tuple[ConfigField, ...]:
    """All that can be set of a run of `card`, of its method, of the run and of the model's description, in this order."""
    return (*fields_of(card.config), *fields_of(TrainingSettings, card.settings), *fields_of(ModelDescription))


def labels_of(fields: Iterable[ConfigField]) -> dict[str, str]:
    """How sentences name each of `fields`."""
    return {field.name: f"“{field.label}”" for field in fields}


def run_words(text: str, card: MethodCard | None) -> str:
    """What a run of `card` says, `in_words`; as it is where nobody knows the method."""
    return text if card is None or not text else in_words(text, labels_of(run_fields(card)))


def in_words(text: str, labels: Mapping[str, str]) -> str:
    """`text` with `labels` in place of flags (`--crop`), and of the names of fields where these hold a `_`."""

    def flag(match: re.Match[str]) -> str:
        name = match[1].replace("-", "_")
        return labels.get(name) or _ELSEWHERE.get(name, match[0])

    named = _NAME.sub(lambda match: labels.get(match[1], match[0]), _FLAG.sub(flag, text))
    return named[:1].upper() + named[1:]


def matches(field: ConfigField, words: Iterable[str]) -> bool:
    """Whether all `words`, in lower case, are part of its name, its help or its group."""
    text = f"{field.label} {field.name} {field.help} {field.group}".casefold()
    return all(word in text for word in words)
