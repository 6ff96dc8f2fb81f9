"""The models of a batch: read once, however many cases they translate."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ctmri_core.domain import Domain
from ctmri_core.errors import ModelRefused
from ctmri_core.model_card import ModelCard, choose_model, read_card

if TYPE_CHECKING:
    from ctmri_core.model_file import LoadedModel


class Models:
    """`one`: the model for all, if there is one; `folders`: where to choose from. `forget` before looking at them anew."""

    def __init__(self, one: Path | None, folders: Sequence[Path]) -> None:
        self.one, self.folders = one, tuple(folders)
        self._cards: dict[Path, ModelCard] = {}
        self._choices: dict[str, str] = {}
        self._loaded: tuple[Path, LoadedModel] | None = None

    def card(self, path: Path) -> ModelCard:
        """Raises `ModelRefused`."""
        if path not in self._cards:
            self._cards[path] = read_card(path)
        return self._cards[path]

    def loaded(self, path: Path) -> LoadedModel:
        """The last one is kept. Raises `ModelRefused`."""
        from ctmri_core.model_file import load_model

        if self._loaded is None or self._loaded[0] != path:
            self._loaded = None
            self._loaded = path, load_model(path)
        return self._loaded[1]

    def hash_for(self, kind: str) -> str:
        """The hash of the model that a scan of `kind` (a `Domain`) would be given; empty where there is none."""
        if kind not in self._choices:
            self._choices[kind] = self._hash_for(kind)
        return self._choices[kind]

    def _hash_for(self, kind: str) -> str:
        if kind not in set(Domain):
            return ""
        try:
            path = self.one or choose_model(Domain(kind), self.folders)
            return self.card(path).weights_sha256
        except ModelRefused:
            return ""

    def forget(self) -> None:
        """Models may have come or gone."""
        self._cards.clear()
        self._choices.clear()
