"""Everything that a run is started with: what the command line reads from flags, and the window from a form. No torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from ctmri_core.config_flags import flag_of, validated
from ctmri_core.domain import Direction
from ctmri_core.errors import CtmriError
from ctmri_core.hints import nearest_hint
from ctmri_core.method import MethodCard, MethodConfig
from ctmri_core.model_card import read_card
from ctmri_core.registry import find_card, validated_config
from ctmri_core.training.run_folder import run_config
from ctmri_core.training.settings import ModelDescription, TrainingSettings, settings_for

_TABLES = ("config", "settings", "about")
PARTS = ("method", "data", "direction", *_TABLES)


@dataclass(frozen=True)
class RunPlan:
    """`data`: as `--data` takes it."""

    card: MethodCard
    config: MethodConfig
    settings: TrainingSettings
    about: ModelDescription
    data: str
    direction: Direction

    @classmethod
    def made(cls, card: MethodCard, data: str, direction: Direction, **changed: Mapping[str, Any]) -> RunPlan:
        """With what was `changed` (`config`, `settings`, `about`) over the defaults.

        Raises `CtmriError` naming the setting, or why the method cannot learn `direction`.
        """
        if problem := card.problem_with(direction):
            raise CtmriError(problem)
        return cls(
            card=card,
            config=validated(card.config, dict(changed.get("config", {}))),
            settings=settings_for(card, changed.get("settings", {})),
            about=validated(ModelDescription, dict(changed.get("about", {}))),
            data=data,
            direction=direction,
        )

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> RunPlan:
        """What `stored` gave, or a part of it: missing settings take their defaults. Raises `CtmriError`."""
        for name in stored:
            if name not in PARTS:
                raise CtmriError(f"There is no part called {name!r} in a run's settings.{nearest_hint(name, PARTS)}")
        missing = [name for name in ("method", "data", "direction") if not isinstance(stored.get(name), str)]
        tables = {name: stored.get(name, {}) for name in _TABLES}
        if missing or not all(isinstance(table, dict) for table in tables.values()):
            raise CtmriError(f"These are no settings of a run: {missing[0] if missing else 'a table'} is missing or wrong.")
        try:
            direction = Direction.parse(stored["direction"])
        except ValueError as error:
            raise CtmriError(f"The settings name no direction: {error}") from None
        return cls.made(find_card(stored["method"]), stored["data"], direction, **tables)

    @classmethod
    def from_model(cls, path: Path, data: str) -> RunPlan:
        """Method, direction and settings of the model in `path`, to go on from it with `data`. Raises `CtmriError`."""
        model = read_card(path)
        config, settings = validated_config(model).model_dump(mode="json"), {"start_from": str(path)}
        return cls.made(find_card(model.method), data, model.direction, config=config, settings=settings)

    def stored(self) -> dict[str, Any]:
        """As `config.json` of a run folder holds it."""
        return run_config(self.card, self.config, self.data, self.direction, self.settings, self.about)

    @property
    def changed(self) -> dict[str, dict[str, Any]]:
        """What differs from the defaults of the method and its authors, by table."""
        usual = self.made(self.card, self.data, self.direction)
        pairs = ((self.config, usual.config), (self.settings, usual.settings), (self.about, usual.about))
        return {name: _differing(own, default) for name, (own, default) in zip(_TABLES, pairs, strict=True)}

    def command(self, run_folder: str | Path) -> list[str]:
        """The words of the `ctmri train` line that starts the same run."""
        words = ["ctmri", "train", self.card.name, "--data", self.data, "--direction", self.direction.name]
        words += ["--run", str(run_folder)]
        for table in self.changed.values():
            for name, value in table.items():
                if isinstance(value, bool):
                    words.append(flag_of(name) if value else f"--no-{flag_of(name)[2:]}")
                elif value is not None:
                    words += [f"{flag_of(name)}={value}"] if str(value).startswith("-") else [flag_of(name), str(value)]
        return words


def _differing(own: BaseModel, usual: BaseModel) -> dict[str, Any]:
    defaults = usual.model_dump(mode="json")
    return {name: value for name, value in own.model_dump(mode="json").items() if value != defaults[name]}
