"""Which slices of a scan lie far from what a model learnt from, or from their own neighbours, so that people look there.

By greys as the network sees them, size of the body, and whether it is cut off; the distance of slices is one for all, which
`far_off` tells of. Single damaged slices are found beside their neighbours, whatever the model learnt from.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ctmri_core.preprocess.body_mask import coarse_body_mask
from ctmri_core.preprocess.recipe import Recipe, Record
from ctmri_core.preprocess.slice_grid import slice_order
from ctmri_core.recognition.far_off import AIR, CUT, GREY
from ctmri_core.recognition.training_range import TrainingRange
from ctmri_core.volume import Finding, Volume

VALUES, SIZE, SMALL, CUT_OFF, EMPTY = "values", "size", "small", "cut off", "no body"
_WORDS = {
    VALUES: "other greys than it learnt from, or than their neighbours",
    SIZE: "a larger body than it learnt from, or of another size than their neighbours",
    SMALL: "a smaller cut through the body than any that it learnt from",
    CUT_OFF: "a body that reaches beyond the picture",
    EMPTY: "no body between slices that show one",
}
_CELL_MM = 4.0
_LEAST_BODY = 0.01
_AIR_GREY = 0.1
"""Up to so much above the background, of 2 in all, is air."""
_BESIDE = 3
"""Slices on either side that a slice is held against."""
_ENOUGH = 0.5
"""Share of the largest body in a slice, from which on greys and size are looked at: about the crown both vary much."""
_JUMP = 0.4
"""Greys, of 2 in all, by which a slice may differ from those."""
_TIMES = 1.6
"""How many times as large as theirs, or theirs as it, its body may be."""
_SMALLER = 0.8
"""Of the smallest body in a slice that was learnt from."""
_MANY, _FEW = 1 / 3, 6
"""Share of the slices from which on it looks as if the scan were of another part of the body; of fewer slices nobody can tell."""
_FEW_BEYOND = 1.1
"""How many times as large as the slices that were learnt from a body may be."""


class Card(Protocol):
    """What a model card says that counts here."""

    @property
    def recipe(self) -> Recipe: ...

    @property
    def training_range(self) -> TrainingRange | None: ...


@dataclass(frozen=True)
class SliceFlags:
    """`reasons` by the number of the slice, from 0, along `axis` of the stored voxels, of `count`: `VALUES`, `SIZE`, `SMALL`,
    `CUT_OFF`, `EMPTY`."""

    axis: int
    count: int
    reasons: Mapping[int, tuple[str, ...]] = field(default_factory=dict)

    @property
    def finding(self) -> Finding | None:
        """All in one: how many, why, and which, counted from 1 as slices are on the screen. None where there are none."""
        if not self.reasons:
            return None
        why = [words for reason, words in _WORDS.items() if any(reason in each for each in self.reasons.values())]
        some = f"{len(self.reasons)} of {self.count} slices"
        message = f"{some} show what this model did not learn from ({'; '.join(why)}): {ranges(sorted(self.reasons))}."
        many = self.count >= _FEW and len(self.reasons) >= _MANY * self.count
        means = "That is too much: do not trust what it shows." if many else "Look at them with care."
        return Finding("slice_flags", f"{message} {means}", serious=many)

    @property
    def details(self) -> dict[str, Any]:
        """For `Synthetic.details`: plain JSON, slices from 0."""
        return {"axis": self.axis, "count": self.count, "slices": {str(n): list(self.reasons[n]) for n in sorted(self.reasons)}}


def ranges(numbers: Sequence[int]) -> str:
    """`1-8, 155` of 0 to 7 and 154, ascending."""
    if not numbers:
        return ""
    ends = [n for n, (low, high) in enumerate(pairwise(numbers)) if high - low > 1]
    starts = [0, *(n + 1 for n in ends)]
    runs = [(numbers[a] + 1, numbers[b] + 1) for a, b in zip(starts, [*ends, len(numbers) - 1], strict=True)]
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in runs)


def slice_flags(volume: Volume, record: Record, card: Card) -> SliceFlags:
    """Of the axial slices of `volume`; `record`: of the card's recipe. Costs some tenths of a second, and no copy of voxels."""
    order, _ = slice_order(volume.geometry)
    facts = _measured(volume, record, order)
    reasons: dict[int, tuple[str, ...]] = {}
    known, recipe = card.training_range, card.recipe
    field_mm = _field_of(known, recipe.field_mm)
    flags = {
        VALUES: _odd_greys(facts, known),
        SIZE: _odd_sizes(facts, field_mm),
        SMALL: _small(facts, known),
        CUT_OFF: _cut_off(facts, known),
        EMPTY: _empty(facts),
    }
    for n in range(len(facts.seen)):
        if found := tuple(reason for reason, odd in flags.items() if odd[n]):
            reasons[n] = found
    return SliceFlags(order[0], len(facts.seen), reasons)


@dataclass(frozen=True, eq=False)
class _Facts:
    """Of every slice (n,): whether a body is `seen`, and a `large` one; 5th, 50th and 95th percentile of its greys in [-1, 1]
    (n, 3); `area` in mm2, `size` in mm (n, 2); its shares of the slice and of its border. And whether there is anything but air,
    be it outlined or not: where a slice is lost, one of the halves is not."""

    seen: NDArray[np.bool_]
    large: NDArray[np.bool_]
    greys: NDArray[np.float64]
    area: NDArray[np.float64]
    size: NDArray[np.float64]
    share: NDArray[np.float64]
    border: NDArray[np.float64]
    filled: NDArray[np.bool_]


def _measured(volume: Volume, record: Record, order: tuple[int, int, int]) -> _Facts:
    mask, grid = coarse_body_mask(volume, _CELL_MM)
    body = mask.transpose(order)
    steps = [round(grid.spacing[axis] / volume.geometry.spacing[axis]) for axis in order]
    voxels = (volume.voxels if record.changed is None else record.changed).transpose(order)
    cells = [grid.spacing[axis] for axis in order[1:]]
    count = len(voxels)
    greys, filled = np.full((count, 3), np.nan), np.zeros(count, np.bool_)
    planes = [body[min(n // steps[0], len(body) - 1)] for n in range(count)]
    for n, plane in enumerate(planes):
        few = voxels[n, :: steps[1], :: steps[2]]
        filled[n] = np.mean(record.scale.to_unit(np.ascontiguousarray(few)) > record.background + _AIR_GREY) >= _LEAST_BODY
        inside = few[: plane.shape[0], : plane.shape[1]][plane[: few.shape[0], : few.shape[1]]]
        if inside.size:
            greys[n] = np.percentile(record.scale.to_unit(np.ascontiguousarray(inside)), (5, 50, 95))
    share = np.array([plane.mean() for plane in planes])
    sizes = [[np.ptp(np.flatnonzero(plane.any(1 - way))) + 1 if plane.any() else 0 for way in (0, 1)] for plane in planes]
    border = [np.concatenate((p[0], p[-1], p[1:-1, 0], p[1:-1, -1])).mean() for p in planes]
    area = np.array([plane.sum() for plane in planes]) * cells[0] * cells[1]
    seen = (share >= _LEAST_BODY) & np.isfinite(greys).all(1)
    large = seen & (area > _ENOUGH * area.max(initial=0.0))
    return _Facts(seen, large, greys, area, np.array(sizes) * cells, share, np.array(border), filled)


def _field_of(known: TrainingRange | None, field_mm: tuple[float, float] | None) -> tuple[float, float] | None:
    if field_mm is not None:
        return field_mm
    if known is None or known.height_mm is None or known.width_mm is None:
        return None
    return known.height_mm[1], known.width_mm[1]


def _odd_greys(facts: _Facts, known: TrainingRange | None) -> NDArray[np.bool_]:
    odd = np.zeros(len(facts.seen), np.bool_)
    for own, name in zip(facts.greys.T, ("dark", "middle", "bright"), strict=True):
        if name != "dark":  # which a few cells of air in the outline decide
            odd |= _apart(own, facts.large) > _JUMP
        if known is not None:
            low, high = getattr(known, name)
            margin = max(GREY[1], high - low)
            odd |= (own < low - margin) | (own > high + margin)
    return odd & facts.large


def _apart(own: NDArray[np.float64], seen: NDArray[np.bool_]) -> NDArray[np.float64]:
    """How far each lies from the median of those beside it; 0 where there are too few."""
    return np.array([abs(own[n] - np.median(beside)) if len(beside) > _BESIDE else 0.0 for n, beside in _beside(own, seen)])


def _beside(own: NDArray[np.float64], seen: NDArray[np.bool_]) -> Iterator[tuple[int, NDArray[np.float64]]]:
    for n in range(len(own)):
        near = [m for m in range(max(n - _BESIDE, 0), min(n + _BESIDE + 1, len(own))) if m != n and seen[m]]
        yield n, own[near]


def _odd_sizes(facts: _Facts, field_mm: tuple[float, float] | None) -> NDArray[np.bool_]:
    area = np.log(np.maximum(facts.area, 1.0))
    odd: NDArray[np.bool_] = facts.large & (_apart(area, facts.large) > np.log(_TIMES))
    if field_mm is not None:
        odd |= facts.seen & (facts.size > _FEW_BEYOND * np.array(field_mm)).any(1)
    return odd


def _small(facts: _Facts, known: TrainingRange | None) -> NDArray[np.bool_]:
    """Of a model that learnt from single slices, through the middle of heads perhaps: crown and neck show less of a body."""
    if known is None or known.body_mm2 is None:
        return np.zeros(len(facts.seen), np.bool_)
    return facts.seen & (facts.area < _SMALLER * known.body_mm2[0])


def _cut_off(facts: _Facts, known: TrainingRange | None) -> NDArray[np.bool_]:
    odd = np.zeros(len(facts.seen), np.bool_)
    if known is not None:
        odd |= facts.seen & (facts.border > CUT) & (1 - facts.share < known.air[0] - AIR)
    return odd


def _empty(facts: _Facts) -> NDArray[np.bool_]:
    places = np.flatnonzero(facts.filled)
    odd = ~facts.filled
    if len(places):
        odd[: places[0]] = odd[places[-1] + 1 :] = False
    else:
        odd[:] = False
    return odd
