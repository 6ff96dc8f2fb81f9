"""The figures of a verdict as rows of a table, with the differences and their intervals. Computed in the background."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ctmri_core.statistics.bootstrap import interval
from ctmri_core.training.verdict import Contender, DirectionVerdict, Measure

_BETTER = {"error": -1.0, "psnr_db": 1.0, "ssim": 1.0}
_FORMS = {"error": "{:.1f}", "psnr_db": "{:.2f}", "ssim": "{:.3f}"}
_UNITS = {"psnr_db": "dB", "ssim": ""}
_NAMES = {"error": "Error", "psnr_db": "PSNR", "ssim": "SSIM"}


@dataclass(frozen=True)
class VerdictTable:
    """`head`: titles of the columns with units; `rows`: texts, the new model first."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def table_of(verdict: DirectionVerdict) -> VerdictTable:
    """A row for each contender: mean and SD over patients of each measure, then by how much the new model is better."""
    units = {**_UNITS, "error": verdict.unit}
    head = ["Means over patients"]
    for measure, name in _NAMES.items():
        unit = f", {units[measure]}" if units[measure] else ""
        head += [f"{name}{unit}\nmean ± SD", f"{name}{unit}\nbetter by (95 % interval)"]
    own = verdict.contenders[0] if verdict.contenders else None
    return VerdictTable(tuple(head), tuple(_row(own, each) for each in verdict.contenders if own is not None))


def _row(own: Contender, other: Contender) -> tuple[str, ...]:
    texts = [other.label[:1].upper() + other.label[1:] + (f": {other.name}" if other.name and other.who == "shipped" else "")]
    for measure in ("error", "psnr_db", "ssim"):
        texts += [_mean(other, measure), "" if other is own else _difference(own, other, measure)]
    return tuple(texts)


def _mean(contender: Contender, measure: Measure) -> str:
    form, spread = _FORMS[measure], contender.sd(measure)
    mean = form.format(contender.mean(measure))
    return mean if spread is None else f"{mean} ± {form.format(spread)}"


def _difference(own: Contender, other: Contender, measure: Measure) -> str:
    form = _FORMS[measure].replace("{:", "{:+")
    gains = _BETTER[measure] * (np.array(own.values(measure)) - np.array(other.values(measure)))
    mean = form.format(float(gains.mean()))
    if len(gains) < 2:
        return mean
    low, high = interval(gains)
    return f"{mean} ({form.format(low)} to {form.format(high)})"
