"""Terms of models that learnt from data whose licence forbids commercial use: said before their first use, once for each data.

What was said, and whether such models are hidden, is kept in a file beside the settings of the window; both programs heed it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from ctmri_core.errors import WriteFailed
from ctmri_core.events import Noted
from ctmri_core.files import write_bytes
from ctmri_core.model_card.card import ModelCard
from ctmri_core.model_card.header import SUFFIX
from ctmri_core.resources_folder import noncommercial_folder, user_config_folder

_MOST_BYTES = 1 << 20
TERMS_FILES = ("NOTICE", "LICENSE")


class _Kept(BaseModel):
    """`said`: hashes of the terms that somebody has seen."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    hidden: bool = False
    said: tuple[str, ...] = ()


def terms_of(card: ModelCard) -> str:
    """What a person must know before the first use of the model, a sentence or three; empty where nothing forbids commerce."""
    if not card.noncommercial:
        return ""
    sources = "; ".join(f"{data.what} ({data.licence})" for data in card.training_data if data.licence) or "other weights"
    made = f" Weights: {card.origin.licence}." if card.origin is not None else ""
    named = "".join(f" {data.credit}" for data in card.training_data if data.credit)
    return (
        f"{card.name} learnt from {sources}.{made} That forbids commercial use: the model, and what it makes, are for research"
        f" and teaching, with the creators of the data named. Not for diagnosis.{named}"
    )


def unsaid_terms(cards: Iterable[ModelCard]) -> tuple[str, ...]:
    """The terms of those models whose terms nobody has seen on this account."""
    said = set(_kept().said)
    told = {_mark(card): terms_of(card) for card in cards if card.noncommercial}
    return tuple(words for mark, words in told.items() if mark not in said)


def remember_said(cards: Iterable[ModelCard]) -> None:
    """Notes that a person has seen the terms of these models. Raises `WriteFailed`."""
    kept = _kept()
    said = dict.fromkeys((*kept.said, *(_mark(card) for card in cards if card.noncommercial)))
    if tuple(said) != kept.said:
        _keep(kept.model_copy(update={"said": tuple(said)}))


def terms_notes(cards: Iterable[ModelCard]) -> Iterator[Noted]:
    """The terms that nobody has seen yet, as notes of weight; seen from then on, where that can be kept."""
    known = tuple(cards)
    for words in unsaid_terms(known):
        yield Noted(message=words, serious=True)
    try:
        remember_said(known)
    except WriteFailed:  # they are said once more then
        return


def hides_noncommercial() -> bool:
    """Whether models are hidden that may not be used commercially."""
    return _kept().hidden


def hide_noncommercial(hidden: bool) -> None:
    """Hides them, or shows them again. Raises `WriteFailed`."""
    kept = _kept()
    if kept.hidden is not hidden:
        _keep(kept.model_copy(update={"hidden": hidden}))


def shipped_terms() -> dict[str, str]:
    """By name, the texts that lie with the models for non-commercial use that came with the program; none where these did not."""
    if not any(noncommercial_folder().glob(f"*{SUFFIX}")):
        return {}
    found = {name: noncommercial_folder() / name for name in TERMS_FILES}
    return {name: path.read_text(encoding="utf-8") for name, path in found.items() if path.is_file()}


def _mark(card: ModelCard) -> str:
    """Models of the same data have the same terms."""
    sources = sorted({(data.what, data.licence) for data in card.training_data})
    origin = card.origin.licence if card.origin is not None else ""
    return hashlib.sha256(json.dumps([sources, origin]).encode()).hexdigest()[:32]


def _file() -> Path:
    return user_config_folder() / "model_terms.json"


def _kept() -> _Kept:
    """A file that is damaged, or too large to be ours, says nothing: then terms are said once more."""
    try:
        if _file().stat().st_size > _MOST_BYTES:
            return _Kept()
        return _Kept.model_validate_json(_file().read_bytes())
    except (OSError, ValidationError):
        return _Kept()


def _keep(kept: _Kept) -> None:
    write_bytes(_file(), kept.model_dump_json().encode(), private=True)
