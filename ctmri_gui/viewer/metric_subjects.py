"""What the metrics are of: one synthetic image, or those of several models, beside the truth or beside each other."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ctmri_core.volume import Volume
from ctmri_gui.viewer.metric_rows import ModelRow
from ctmri_gui.viewer.pane_frame import SHORT_HASH
from ctmri_gui.viewer.roles import SYNTHETICS, Pair, Role

if TYPE_CHECKING:
    from ctmri_core.comparison import Comparison, Verdict

MAIN_PAIR = (Role.SYNTHETIC, Role.TRUTH)


@dataclass(frozen=True)
class Subjects:
    """`comparisons`: those that allow numbers, by pair. `rows`: of the table; empty where one image alone is looked at.
    `verdict`: on the truth, None while that is not known. `reason`: why there are no numbers, or none beside the truth.
    `names`: what the letters in the rows stand for."""

    comparisons: Mapping[Pair, Comparison] = field(default_factory=dict)
    rows: tuple[ModelRow, ...] = ()
    verdict: Verdict | None = None
    reason: str = ""
    names: tuple[str, ...] = ()

    def lead(self, role: Role) -> Pair | None:
        """The pair that curve and worst slice are of: that of `role`, else the first."""
        rows = [row.pair for row in self.rows if row.role is role and row.pair in self.comparisons]
        return next(iter((*rows, *self.comparisons)), None)


def subjects(known: Mapping[Pair, Comparison], volumes: Mapping[Role, Volume | None], on_panes: Collection[Role]) -> Subjects:
    """Of `known`, what is on the panes; the usual synthetic image in any case. Beside a truth that allows no numbers, or without
    one, how models differ from each other."""
    shown = {pair: one for pair, one in known.items() if all(_counts(role, on_panes) for role in pair)}
    truths = {pair: one for pair, one in shown.items() if pair[1] is Role.TRUTH}
    models = {pair: one for pair, one in shown.items() if pair[1] is not Role.TRUTH}
    main = truths.get(MAIN_PAIR) or next(iter(truths.values()), None)
    usable = _usable(truths)
    if usable:
        first = usable.get(MAIN_PAIR, next(iter(usable.values())))
        rows = tuple(_row(pair, one, volumes) for pair, one in truths.items()) if len(truths) > 1 else ()
        return Subjects(usable, rows, first.verdict, names=_names(rows, volumes))
    verdict = None if main is None else main.verdict
    reason = "" if verdict is None else verdict.message
    if _usable(models):
        rows = tuple(_row(pair, one, volumes) for pair, one in models.items())
        return Subjects(_usable(models), rows, verdict, reason, _names(rows, volumes))
    return Subjects(verdict=verdict, reason=reason)


def _usable(comparisons: Mapping[Pair, Comparison]) -> dict[Pair, Comparison]:
    return {pair: one for pair, one in comparisons.items() if one.verdict.comparable}


def _counts(role: Role, on_panes: Collection[Role]) -> bool:
    return role in on_panes or role in MAIN_PAIR


def _row(pair: Pair, comparison: Comparison, volumes: Mapping[Role, Volume | None]) -> ModelRow:
    one, other = pair
    if other.is_synthetic:
        name = f"{one.letter} – {other.letter}"
        tip = f"{_called(volumes[one])} and {_called(volumes[other])}"
    else:
        name, tip = one.letter, _called(volumes[one])
    return ModelRow(pair, name, tip if comparison.verdict.comparable else f"{tip}: {comparison.verdict.message}")


def _names(rows: Iterable[ModelRow], volumes: Mapping[Role, Volume | None]) -> tuple[str, ...]:
    roles = {role for row in rows for role in row.pair if role.is_synthetic}
    return tuple(f"{role.letter}: {_called(volumes[role])}" for role in SYNTHETICS if role in roles)


def _called(volume: Volume | None) -> str:
    """`Name 1a2b3c4d`."""
    made = None if volume is None else volume.synthetic
    return "" if made is None else f"{made.model_name} {made.model_hash[:SHORT_HASH]}".strip()
