"""Whether real and synthetic pictures can be told apart by what no reader should go by.

A simple classifier (logistic regression with a ridge) is given trivial features of each picture and judged by cross-validation
over patients: the area under its ROC curve is 0.5 where they tell nothing. Whether an area is more than chance is asked of the
same pictures with their arms exchanged at random within each patient.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from ctmri_core.statistics import roc
from ctmri_core.statistics.answers import Interval, NotComputable
from ctmri_core.studies.pictures import Int16Array

WARNS, BLOCKS = 0.60, 0.75
"""Areas above which a study is warned of, and may not be opened without a reason on record (READER_STUDY, issue)."""
FEWEST_PATIENTS = 10
"""With fewer no area can be told from chance."""
_FOLDS, _EXCHANGES, _RIDGE, _STEPS = 5, 200, 1.0, 12
_CHANCE = 0.05
_EDGE = 2
FloatArray = NDArray[np.float64]

TITLES = {
    "lowest": "lowest value", "highest": "highest value", "background": "value of the background",
    "background_sd": "spread of the background", "background_share": "share of the background",
    "values": "number of different values", "noise": "noise inside the body", "sharpness": "sharpness of edges",
    "fine": "share of fine detail", "height": "extent up and down", "depth": "extent front to back",
    "width": "extent left to right", "slices": "number of slices",
}  # fmt: skip


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TellingFeature(_Frozen):
    """One feature alone: `area` from 0.5 (tells nothing) to 1; medians of both arms."""

    key: str
    title: str
    area: float
    real: float
    synthetic: float


class LeakAudit(_Frozen):
    """`area`: of the classifier, `low` to `high` its 95 % interval (DeLong); `p`: of areas as large among exchanged arms, None
    where there are too few patients; `features`: the most telling first; `verdict`: `too few` says that nothing can be said."""

    area: float | None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    pictures: int
    patients: int
    features: tuple[TellingFeature, ...] = ()
    verdict: Literal["clear", "warns", "blocks", "too few"]

    @property
    def words(self) -> str:
        """One or two sentences for set-up and report."""
        if self.area is None:
            few = "One patient is" if self.patients == 1 else f"{self.patients} patients are"
            return f"{few} too few to tell whether trivial features give the synthetic pictures away."
        said = f"A classifier on trivial features tells them apart with an area of {self.area:.2f} (0.5 is chance)."
        if self.verdict == "clear":
            return said
        worst = " and ".join(feature.title for feature in self.features[:2] if feature.area > WARNS)
        return f"{said} What tells most: {worst or 'several features together'}."


def background_of(voxels: Int16Array) -> tuple[int, float]:
    """The commonest value of the outermost voxels of all slices, and the standard deviation there."""
    edge = _edge(voxels)
    values, counts = np.unique(edge, return_counts=True)
    return int(values[counts.argmax()]), float(edge.std())


def features_of(voxels: Int16Array, spacing: tuple[float, float, float]) -> dict[str, float]:
    """Trivial features of one picture (k, j, i) in the common form; lengths in mm.

    The time to load is none of them: every picture of a study is the same number of plain bytes, read as a whole before its
    trial shows (`Pictures`), and a time that is measured would answer otherwise each time it is asked.
    """
    background, spread = background_of(voxels)
    inside = voxels != background
    middle = voxels[len(voxels) // 4 : len(voxels) - len(voxels) // 4].astype(np.float32)
    body = inside[len(voxels) // 4 : len(voxels) - len(voxels) // 4]
    found = {
        "lowest": float(voxels.min()), "highest": float(voxels.max()), "background": float(background),
        "background_sd": spread, "background_share": 1.0 - float(inside.mean()),
        "values": float(len(np.unique(voxels))), "slices": float(len(voxels)),
    }  # fmt: skip
    return found | _texture(middle, body) | _extent(inside, spacing)


def audit(
    features: Sequence[Mapping[str, float]], synthetic: Sequence[bool], patients: Sequence[str], seed: int = 0
) -> LeakAudit:
    """Of pictures with their arms and patients, one of each for every picture. All features must have the same keys."""
    arm, group = np.asarray(synthetic, bool), np.unique(np.asarray(patients), return_inverse=True)[1]
    count = int(group.max()) + 1 if len(group) else 0
    if count < FEWEST_PATIENTS or arm.all() or not arm.any():
        return LeakAudit(area=None, pictures=len(arm), patients=count, verdict="too few")
    keys = list(features[0])
    table = np.array([[row[key] for key in keys] for row in features], float)
    chance = np.random.default_rng(seed)
    folds = chance.permutation(count)[group] % _FOLDS
    scores = _held_out(table, arm, folds)
    area = _area(scores, arm)
    exchanged = [_exchanged(arm, group, chance) for _ in range(_EXCHANGES)]
    chances = [_area(_held_out(table, other, folds), other) for other in exchanged]
    p = (1 + sum(one >= area for one in chances)) / (1 + _EXCHANGES)
    estimate = roc.area(scores[~arm], scores[arm])
    interval = None if isinstance(estimate, NotComputable) else estimate.area.interval
    low, high = (interval.low, interval.high) if isinstance(interval, Interval) else (None, None)
    told = area > WARNS and p <= _CHANCE
    return LeakAudit(
        area=area, low=low, high=high, p=p, pictures=len(arm), patients=count,
        features=_alone(table, keys, arm), verdict="clear" if not told else "blocks" if area > BLOCKS else "warns",
    )  # fmt: skip


def _edge(voxels: Int16Array) -> Int16Array:
    """The outermost voxels of every slice: what no head reaches."""
    frame = np.ones(voxels.shape[1:], bool)
    frame[_EDGE:-_EDGE, _EDGE:-_EDGE] = False
    return voxels[:, frame]


def _texture(values: NDArray[np.float32], body: NDArray[np.bool_]) -> dict[str, float]:
    """Within slices, where the body is: noise from the median absolute second difference (in units of the body's spread, which
    contrast would change otherwise), the median gradient among the steepest tenth, and how much of the spread is fine."""
    if not body.any():
        return {"noise": 0.0, "sharpness": 0.0, "fine": 0.0}
    spread = float(values[body].std()) or 1.0
    second = values[:, :, 2:] - 2 * values[:, :, 1:-1] + values[:, :, :-2]
    within = body[:, :, 1:-1]
    slope = np.hypot(values[:, 1:, 1:] - values[:, :-1, 1:], values[:, 1:, 1:] - values[:, 1:, :-1])[body[:, 1:, 1:]]
    bend = np.abs(second[within]) if within.any() else np.zeros(1)
    steep = slope[slope >= np.quantile(slope, 0.9)] if slope.size else np.zeros(1)
    return {"noise": float(np.median(bend)) / spread, "sharpness": float(np.median(steep)) / spread,
            "fine": float(np.square(bend).mean()) / spread**2}  # fmt: skip


def _extent(inside: NDArray[np.bool_], spacing: tuple[float, float, float]) -> dict[str, float]:
    sizes = {}
    for axis, name in enumerate(("height", "depth", "width")):
        others = tuple(other for other in range(3) if other != axis)
        places = np.flatnonzero(inside.any(axis=others))
        sizes[name] = float(places[-1] - places[0] + 1) * spacing[axis] if len(places) else 0.0
    return sizes


def _held_out(table: FloatArray, arm: NDArray[np.bool_], folds: NDArray[np.int64]) -> FloatArray:
    """Scores of pictures whose patients the classifier has not seen."""
    scores = np.zeros(len(arm))
    for fold in range(_FOLDS):
        held = folds == fold
        known = arm[~held]
        if not held.any() or known.all() or not known.any():
            continue
        mean, sd = table[~held].mean(axis=0), table[~held].std(axis=0)
        steady = sd <= 1e-9 * (1 + np.abs(mean))
        scale = np.where(steady, 1.0, sd)
        scores[held] = _with_one((table[held] - mean) / scale) @ _ridge_logistic((table[~held] - mean) / scale, known)
    return scores


def _with_one(table: FloatArray) -> FloatArray:
    return np.column_stack([np.ones(len(table)), table])


def _ridge_logistic(table: FloatArray, arm: NDArray[np.bool_]) -> FloatArray:
    """Weights, the first of a constant that is not held back (Newton's steps)."""
    design = _with_one(np.clip(table, -10, 10))
    weights = np.zeros(design.shape[1])
    hold = np.full(len(weights), _RIDGE)
    hold[0] = 1e-6
    for _ in range(_STEPS):
        likely = 1 / (1 + np.exp(-np.clip(design @ weights, -30, 30)))
        slope = design.T @ (arm - likely) - hold * weights
        bend = (design * (likely * (1 - likely))[:, None]).T @ design + np.diag(hold)
        step = np.linalg.solve(bend, slope)
        weights += step
        if np.abs(step).max() < 1e-6:
            break
    return weights


def _area(scores: FloatArray, arm: NDArray[np.bool_]) -> float:
    """Mann-Whitney, ties one half."""
    ranks = np.unique(scores, return_inverse=True, return_counts=True)
    ends = np.cumsum(ranks[2])
    mean_rank = (ends - (ranks[2] - 1) / 2)[ranks[1]]
    many = int(arm.sum())
    return float((mean_rank[arm].sum() - many * (many + 1) / 2) / (many * (len(arm) - many)))


def _exchanged(arm: NDArray[np.bool_], group: NDArray[np.int64], chance: np.random.Generator) -> NDArray[np.bool_]:
    """Arms drawn anew: within a patient where he has both, else between patients."""
    order = np.lexsort((chance.random(len(arm)), group))
    places = np.argsort(group, kind="stable")
    drawn = np.empty_like(arm)
    drawn[places] = arm[order]
    single = np.array([len(set(arm[group == one])) == 1 for one in range(int(group.max()) + 1)])[group]
    drawn[single] = chance.permutation(arm[single])
    return drawn


def _alone(table: FloatArray, keys: Sequence[str], arm: NDArray[np.bool_]) -> tuple[TellingFeature, ...]:
    found = []
    for column, key in zip(table.T, keys, strict=True):
        area = _area(column, arm)
        real, synthetic = float(np.median(column[~arm])), float(np.median(column[arm]))
        found.append(TellingFeature(key=key, title=TITLES[key], area=max(area, 1 - area), real=real, synthetic=synthetic))
    return tuple(sorted(found, key=lambda one: -one.area))
