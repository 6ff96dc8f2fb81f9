"""What the signs of health mean: each as a small number and a sentence, with what to look at told in words."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from ctmri_core.method import JUDGED
from ctmri_core.training.run_plan import RunPlan
from ctmri_core.training.run_record import Curve, RunRecord
from ctmri_gui.training.monitor.words import number, plain, signal_of

_RECENT, _EARLIER = 5, 50
_JUMP = 20.0
_MUCH, _SOME = 0.5, 0.1
_LITTLE_SHARE, _LITTLE_GIB = 0.1, 1.0
_BLIND, _NEARLY = 0.02, 0.9
_ALIKE, _SETTLED = 0.1, 500
_BOUNDED = "lsgan"  # real is taught to be 1 and synthetic 0


@dataclass(frozen=True)
class Reading:
    """One line. `watch`: worth a look."""

    name: str
    value: str
    meaning: str
    watch: bool = False


def readings(record: RunRecord, plan: RunPlan | None) -> list[Reading]:
    """Of the newest signs, in the order in which a person should read them."""
    return [
        *_losses(record), *_judgements(record, plan), *_balance(record), *_gradients(record), *_saturation(record),
        *_variety(record), *_memory(record),
    ]  # fmt: skip


def _losses(record: RunRecord) -> Iterator[Reading]:
    bad = [plain(name) for name, curve in record.losses.items() if curve.values and not math.isfinite(curve.values[-1])]
    if bad:
        advice = "The run has diverged: go on from an earlier model with a lower learning rate, or with precision 32."
        yield Reading(f"Loss {', '.join(bad)}", "no number", advice, watch=True)
    elif record.losses:
        yield Reading("Losses", "all numbers", "None has diverged.")


def _judgements(record: RunRecord, plan: RunPlan | None) -> Iterator[Reading]:
    real, synthetic = f"{JUDGED}real_", f"{JUDGED}synthetic_"
    for name, curve in _told(record):
        other = record.signals.get(synthetic + name.removeprefix(real))
        if not name.startswith(real) or other is None or not other.values:
            continue
        means = _recent(curve), _recent(other)
        values = f"real {number(means[0])}, synthetic {number(means[1])}"
        yield Reading(f"Discriminator of {plain(name.removeprefix(real))}", values, *_told_apart(means, plan))


def _told_apart(means: tuple[float, float], plan: RunPlan | None) -> tuple[str, bool]:
    """What lasts, and matters, the run says itself."""
    gap = means[0] - means[1]
    if not math.isfinite(gap):
        return "What it says is no number any more.", True
    if gap < 0:
        return "At present it takes synthetic pictures for the more real ones.", False
    if gap < _BLIND:
        return "At present it cannot tell them apart.", False
    if plan is not None and getattr(plan.config, "gan_loss", "") == _BOUNDED and gap > _NEARLY:
        return "Almost as far apart as it is taught: the generator learns little from it where that lasts.", False
    return "The further apart, the more easily it tells them; the generator learns from what is between.", False


def _balance(record: RunRecord) -> Iterator[Reading]:
    curve = record.signals.get("loss_ratio")
    if curve is not None and curve.values:
        meaning = "Discriminators' share of all losses. What matters is whether it stays: falling to 0, they win."
        yield Reading("Balance", f"{100 * _recent(curve):.1f} %", meaning)


def _gradients(record: RunRecord) -> Iterator[Reading]:
    for name, curve in _told(record):
        if not name.startswith("gradient_"):
            continue
        now, before = curve.values[-1], median(curve.values[-_EARLIER:])
        meaning, watch = "Steady.", False
        if not math.isfinite(now):
            meaning, watch = "Its gradient is no number: the step was too large.", True
        elif now == 0:
            meaning, watch = "It learns nothing at present.", True
        elif now > _JUMP * before:
            meaning, watch = f"{now / before:.0f} times as long as usual. The setting “Clip norm” keeps such steps short.", True
        yield Reading(f"Gradient of {signal_of(name)}", number(now), meaning, watch)


def _saturation(record: RunRecord) -> Iterator[Reading]:
    for name, curve in _told(record):
        if not name.startswith("saturation_"):
            continue
        share = curve.values[-1]
        meaning, watch = "Little of the body is black or white throughout, as it should be.", False
        if share > _MUCH:
            meaning, watch = "The generator has collapsed, or values do not fit the recipe. Look at the pictures.", True
        elif share > _SOME:
            meaning, watch = "Much of the body is black or white throughout. Look at the pictures.", True
        yield Reading(f"Saturation, {signal_of(name)}", f"{100 * share:.1f} %", meaning, watch)


def _variety(record: RunRecord) -> Iterator[Reading]:
    for name, curve in _told(record):
        if not name.startswith("variety_"):
            continue
        alike = curve.values[-1] < _ALIKE and curve.iterations[-1] >= _SETTLED
        meaning = "Synthetic pictures differ as their sources do where this is near 1."
        if alike:
            meaning = "Synthetic pictures look the same whatever they are made from: look at them."
        yield Reading(f"Variety, {signal_of(name)}", number(curve.values[-1]), meaning, alike)


def _memory(record: RunRecord) -> Iterator[Reading]:
    used, free = memory(record)
    if used is None:
        return
    if free is None:
        yield Reading("Memory", f"{used:.1f} GiB", "In use by the run.")
        return
    little = free < _LITTLE_GIB or free < _LITTLE_SHARE * (used + free)
    meaning = "Little is left: use a smaller crop or batch, or close other programs." if little else "Enough is left."
    yield Reading("Memory", f"{used:.1f} GiB, {free:.1f} free", meaning, little)


def memory(record: RunRecord) -> tuple[float | None, float | None]:
    """GiB (in use, free) as last told; of the graphics card where the run is on one."""
    last = {name: curve.values[-1] for name, curve in record.signals.items() if curve.values}
    used = last.get("memory_gib")
    if used is None:  # runs of earlier versions
        older = last.get("device_memory_mb", last.get("memory_mb"))
        used = None if older is None else older / 1024
    return used, last.get("memory_free_gib")


def _told(record: RunRecord) -> Iterator[tuple[str, Curve]]:
    """The signals that have a value: a run that is resumed has none until it tells them anew."""
    return ((name, curve) for name, curve in record.signals.items() if curve.values)


def _recent(curve: Curve) -> float:
    return sum(curve.values[-_RECENT:]) / len(curve.values[-_RECENT:])
