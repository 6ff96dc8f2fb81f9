"""How the data of a run are to be prepared, as a person chose it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from ctmri_core.config_fields import ConfigField, fields_of
from ctmri_core.config_flags import validated
from ctmri_core.data.layouts.layout import LayoutOptions
from ctmri_core.data.preparation_options import PreparationOptions
from ctmri_core.data.recipe_flags import RecipeChoices
from ctmri_core.data.split import SplitChoices
from ctmri_core.domain import Domain
from ctmri_core.resources_folder import user_datasets_folder

_FORMS: Mapping[str, type[BaseModel]] = {
    "Pictures and values": RecipeChoices,
    "Who is learnt from, and who judges": SplitChoices,
    "Registration and choice of cases": PreparationOptions,
    "What the files do not say": LayoutOptions,
}
_NAMES = {name for form in _FORMS.values() for name in form.model_fields}
LAYOUT, DOMAINS, LEFT_OUT = "layout", "domains", "left_out"


@dataclass(frozen=True)
class DataChoices:
    """`domains`: what to prepare, the first is what others are laid on; empty: what is there. `layout`: its name, "" for the one
    it looks like. `left_out`: keys of cases that are not to be used.
    """

    domains: tuple[Domain, ...]
    layout: str
    left_out: frozenset[str]
    layout_options: LayoutOptions
    recipe: RecipeChoices
    split: SplitChoices
    options: PreparationOptions

    @classmethod
    def of(cls, chosen: Mapping[str, Any]) -> DataChoices:
        """From what a draft holds; what this version does not know is passed over. Raises `CtmriError` naming the setting."""
        known = {domain.value for domain in Domain}
        domains = tuple(Domain(name) for name in _texts(chosen.get(DOMAINS)) if name in known)
        return cls(
            domains=domains,
            layout=str(chosen.get(LAYOUT, "")),
            left_out=frozenset(_texts(chosen.get(LEFT_OUT))),
            layout_options=validated(LayoutOptions, _part(chosen, LayoutOptions)),
            recipe=validated(RecipeChoices, _part(chosen, RecipeChoices)),
            split=validated(SplitChoices, _part(chosen, SplitChoices)),
            options=validated(PreparationOptions, _part(chosen, PreparationOptions)),
        )

    def showing(self, domains: tuple[Domain, ...]) -> DataChoices:
        """With `domains` where none were chosen."""
        return self if self.domains else replace(self, domains=domains)

    def folder_for(self, source: str) -> Path:
        """Where the slices of `source` are kept that are prepared so. Its name tells neither; whoever guesses both can try."""
        forms = [form.model_dump(mode="json") for form in (self.layout_options, self.recipe, self.split, self.options)]
        made = [str(Path(source).absolute()), self.layout, [domain.value for domain in self.domains], *forms]
        content = json.dumps(made, sort_keys=True).encode(errors="surrogateescape")
        return user_datasets_folder() / hashlib.blake2b(content, digest_size=10).hexdigest()


def form_fields() -> tuple[ConfigField, ...]:
    """All that can be chosen in a form, the usual first."""
    return tuple(replace(field, group=title) for title, form in _FORMS.items() for field in fields_of(form))


def form_values(chosen: Mapping[str, Any]) -> dict[str, Any]:
    """What of `chosen` belongs to the form."""
    return {name: value for name, value in chosen.items() if name in _NAMES}


def _part(chosen: Mapping[str, Any], form: type[BaseModel]) -> dict[str, Any]:
    return {name: value for name, value in chosen.items() if name in form.model_fields}


def _texts(value: Any) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list | tuple) else []
