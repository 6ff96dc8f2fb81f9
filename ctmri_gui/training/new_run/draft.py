"""The run that is being put together. Knows no widget."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from ctmri_core.domain import PICTURES, Direction, Domain
from ctmri_core.errors import CtmriError
from ctmri_core.method import MethodCard
from ctmri_core.registry import find_card, method_cards
from ctmri_core.training.run_plan import RunPlan
from ctmri_gui.private_paths import tells_of_patient
from ctmri_gui.settings import Settings
from ctmri_gui.training.live_run import Where
from ctmri_gui.training.new_run.field_words import in_words, labels_of, run_fields

KEPT = "training_draft"
KEPT_SOURCE = "training_source"
PHANTOM = "phantom:"
_FIRST_METHOD = "pix2pix"
_TABLES = ("config", "settings", "about")


@dataclass(frozen=True)
class KnownData:
    """What is known of the data once they were looked at. `spec`: as `--data` takes it, a prepared folder or `phantom:COUNT`;
    `domains`: what they show; `slices`, `patients`: to learn from; `held`: slices to validate on; `paired`: slices that show more
    than one domain in one place; `serious`: what was found should be looked at first; `groups`: how many slices to learn from
    show which domains together; `curved`: CT was prepared to be a source alone.
    """

    spec: str
    domains: tuple[Domain, ...]
    slices: int
    patients: int
    held: int
    paired: int
    serious: bool = False
    groups: tuple[tuple[tuple[Domain, ...], int], ...] = ()
    curved: bool = False

    def pairs(self, direction: Direction) -> int:
        """How many slices to learn from show both domains of `direction` in one place."""
        both = {direction.source, direction.target}
        return sum(count for domains, count in self.groups if both <= set(domains)) if self.groups else self.paired

    @property
    def directions(self) -> tuple[Direction, ...]:
        """Every one that the domains allow, those from the first domain first; to masks after those to pictures."""
        ways = (Direction(source, target) for source in self.domains for target in self.domains if source is not target)
        return tuple(sorted((way for way in ways if way.source in PICTURES), key=lambda way: way.target not in PICTURES))


def why_not(card: MethodCard, data: KnownData | None, direction: Direction | None) -> str:
    """Why `card` cannot learn `direction` from `data`, in words; empty where it can, or nothing is known yet."""
    if data is None:
        return ""
    if card.outlines and Domain.MASK not in data.domains:
        return "Learns from masks, and the data hold none: add a mask to each scan, and tick it where the data are prepared."
    if direction is not None and (problem := card.problem_with(direction)):
        return problem
    if len(data.domains) < 2:
        only = data.domains[0].label if data.domains else "nothing that is known"
        return f"The data show only {only}; every method learns from two kinds of pictures or more."
    if not card.outlines and sum(domain in PICTURES for domain in data.domains) < 2:
        return "Learns from two kinds of pictures or more, and the data hold one, with masks."
    if card.paired and not (data.paired if direction is None else data.pairs(direction)):
        both = "" if direction is None else f" of {direction.source.label} and {direction.target.label}"
        what = "masks" if card.outlines else "aligned pairs"
        return f"Learns from {what}{both}, and the data hold none. Register them, or take a method without pairs."
    if data.curved and (card.both_ways or (direction is not None and direction.target is Domain.CT)):
        return "Learns CT as a target, and the data were prepared with CT as the source alone (soft tissue curve)."
    return ""


class Draft(QObject):
    """What was chosen so far. Only what differs from the defaults is held, by method, so that changing one's mind loses nothing.

    `source`: where the data come from, as it was chosen; `data`: what was found there, None until they were looked at;
    `where`: None leaves it to the program.
    """

    changed = Signal()

    def __init__(self, settings: Settings, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._settings = settings
        self.source = ""
        self.data: KnownData | None = None
        self.preparation: dict[str, Any] = {}
        self.method = _FIRST_METHOD
        self.direction: Direction | None = None
        self.where: Where | None = None
        self._config: dict[str, dict[str, Any]] = {}
        self._shared: dict[str, dict[str, Any]] = {"settings": {}, "about": {}}
        self._read()

    @property
    def card(self) -> MethodCard:
        return find_card(self.method)

    def choose(self, **chosen: Any) -> None:
        """Sets attributes (`source`, `data`, `preparation`, `method`, `direction`, `where`) and tells of it once."""
        for name, value in chosen.items():
            setattr(self, name, value)
        self._tell()

    def values(self, table: str) -> dict[str, Any]:
        """What was changed in `config` (of the present method), `settings` or `about`."""
        return dict(self._config.get(self.method, {}) if table == "config" else self._shared[table])

    def change(self, table: str, values: Mapping[str, Any]) -> None:
        """Replaces what was changed in `table`."""
        if table == "config":
            self._config[self.method] = dict(values)
        else:
            self._shared[table] = dict(values)
        self._tell()

    def plan(self) -> RunPlan:
        """The run as it would start now. Raises `CtmriError` saying what is missing or does not go together."""
        if self.data is None:
            raise CtmriError("Choose the data first: a folder of scans, prepared slices, or digital phantoms.")
        if self.direction is None:
            raise CtmriError("Choose what is to be made of what.")
        missing = [each.label for each in (self.direction.source, self.direction.target) if each not in self.data.domains]
        if missing:
            raise CtmriError(f"The data hold no {' and no '.join(missing)}. Choose another direction, or other data.")
        if reason := why_not(self.card, self.data, self.direction):
            raise CtmriError(f"{self.card.title}: {reason[:1].lower()}{reason[1:]}")
        return self._made(self.data.spec, self.direction)

    @property
    def problem(self) -> str:
        """Why it cannot start, in words; empty when it can."""
        try:
            self.plan()
        except CtmriError as error:
            return in_words(str(error), labels_of(run_fields(self.card)))
        return ""

    @property
    def settings_problem(self) -> str:
        """Why the settings alone do not go together, in words; empty when they do."""
        try:
            self._made("", self.direction or self.card.example)
        except CtmriError as error:
            return in_words(str(error), labels_of(run_fields(self.card)))
        return ""

    def take(self, plan: RunPlan) -> None:
        """Everything as in `plan`, of a stored configuration or another run; other data must be looked at anew."""
        for table, values in plan.changed.items():
            if table == "config":
                self._config[plan.card.name] = dict(values)
            else:
                self._shared[table] = dict(values)
        same = self.data is not None and self.data.spec == plan.data
        if not same:
            self.source, self.data, self.preparation = plan.data, None, {}
        self.choose(method=plan.card.name, direction=plan.direction)

    def _made(self, data: str, direction: Direction) -> RunPlan:
        """Refused here is what the run would refuse before it does anything."""
        plan = RunPlan.made(self.card, data, direction, **{table: self.values(table) for table in _TABLES})
        plan.config.for_crop(plan.settings.crop)
        plan.config.domains_of(direction)
        return plan

    def _tell(self) -> None:
        folder, way = path_of(self.source), self.direction
        kept = {
            "preparation": self.preparation, "method": self.method, "direction": way.name if way else "", "where": self.where,
            "config": self._config, **self._shared,
        }  # fmt: skip
        self._settings[KEPT] = json.dumps(kept)
        if folder is None or (self._settings["remember_recent"] and not tells_of_patient(folder)):
            self._settings[KEPT_SOURCE] = self.source
        else:
            self._settings[KEPT_SOURCE] = ""
        self.changed.emit()

    def _read(self) -> None:
        """As it was left; what this version does not know is dropped."""
        self.source = str(self._settings[KEPT_SOURCE])
        try:
            kept = json.loads(str(self._settings[KEPT]) or "{}")
        except ValueError:
            return
        if not isinstance(kept, dict):
            return
        tables = {name: kept[name] for name in (*_TABLES, "preparation") if isinstance(kept.get(name), dict)}
        self._config = {name: dict(values) for name, values in tables.get("config", {}).items() if isinstance(values, dict)}
        self._shared |= {name: dict(tables[name]) for name in ("settings", "about") if name in tables}
        self.preparation = dict(tables.get("preparation", {}))
        if kept.get("method") in method_cards():
            self.method = kept["method"]
        if kept.get("where") in ("thread", "process"):
            self.where = kept["where"]
        try:
            self.direction = Direction.parse(str(kept.get("direction", "")))
        except ValueError:
            self.direction = None


def path_of(source: str) -> Path | None:
    """The folder that `source` names; None for phantoms and nothing."""
    return None if not source or source.startswith(PHANTOM) else Path(source)
