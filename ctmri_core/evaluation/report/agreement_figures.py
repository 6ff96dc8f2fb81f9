"""Bland-Altman of values, and whether a model knows where it is wrong."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ctmri_core.evaluation.report.wording import domain_label, model_label, shown
from ctmri_core.evaluation.results import Agreement, Calibration, EvaluatedModel, Evaluation
from ctmri_core.reporting.document import Cell, Column, Figure, Number, Table, number
from ctmri_core.reporting.drawing import COLOURS, GROUND, INK, LINES, MARKERS, Drawing
from ctmri_core.reporting.lettering import drawable, shortened
from ctmri_core.reporting.wording import sentence

_WIDTH = 170.0
_DENSITY = "cividis"  # even in lightness, and the same to those who do not tell red from green
_LIMITS = "#d55e00"
_GAUSSIAN = (0.683, 0.954, 0.997)

_AGREEMENT_SAID = (
    "all voxels inside the masks of all cases that count. Up: the synthetic value is higher than the true one. A cloud about 0 at"
    " every value is wanted; one that leans says that low values are taken for high ones or the other way round. Brighter bins"
    " hold more voxels, on a logarithmic scale. The solid line is the mean difference, broken lines are the limits of agreement"
    " (± 1.96 SD), between which 95 % of the voxels would lie if differences were Gaussian; an arrow points to one beyond the"
    " axes. Differences beyond the axes are counted in their outermost bins."
)
_CALIBRATION_SAID = (
    "Of each tenth of the voxels, from the surest to the least sure: the spread that the model told (across) and the error that"
    " there was (up), both root mean squares. On the broken line they are equal; above it the model is surer than it should be,"
    " below it less sure. A line that rises says that the map of uncertainty shows where errors are, even off the broken line."
)

Agreed = Sequence[tuple[EvaluatedModel, Agreement]]
Calibrated = Sequence[tuple[EvaluatedModel, Calibration]]


def bland_altman(evaluation: Evaluation) -> Figure | None:
    """A panel for each model; None where no values were counted."""
    held = [(evaluation.model(one.model), one.agreement) for one in evaluation.curves if one.agreement is not None]
    if not held:
        return None
    unit = evaluation.unit
    drawing = Drawing(_WIDTH, 72.0 * -(-len(held) // 2), lambda figure: _paint_agreement(figure, held, unit))
    told = (f"{model_label(model)}: {_limits_told(one, unit)}" for model, one in held)
    caption = f"Bland-Altman of {domain_label(evaluation.target)} values, {_AGREEMENT_SAID}"
    return Figure("Value by value", drawing, caption, f"Bland-Altman plots. {sentence(told)}.")


def calibration_figure(evaluation: Evaluation) -> Figure | None:
    """All models in one panel; None where no model was asked for its uncertainty."""
    held = _calibrated(evaluation)
    if not held:
        return None
    unit = evaluation.unit
    drawing = Drawing(120.0, 95.0, lambda figure: _paint_calibration(figure, held, unit))
    told = (f"{model_label(model)}: rank correlation {one.correlation:.2f}, {_ends(one, unit)}" for model, one in held)
    return Figure("Calibration of uncertainty", drawing, _CALIBRATION_SAID, f"Spread against error. {sentence(told)}.")


def calibration_table(evaluation: Evaluation) -> Table | None:
    """Shares of errors within the spread, beside those of a calibrated Gaussian."""
    held = _calibrated(evaluation)
    columns = (
        Column("Model", numeric=False), Column("Rank correlation", "spread and |error|"), Column("Within 1 ×", "the spread"),
        Column("Within 2 ×", "the spread"), Column("Within 3 ×", "the spread"),
    )  # fmt: skip
    rows: list[tuple[Cell, ...]] = [
        (model_label(model), number(one.correlation, 2), *map(_percent, one.inside)) for model, one in held
    ]
    rows.append(("calibrated and Gaussian", number(None), *map(_percent, _GAUSSIAN)))
    return Table("How often errors lie within the spread", columns, tuple(rows), evaluation.conventions) if held else None


def _calibrated(evaluation: Evaluation) -> Calibrated:
    return [(evaluation.model(one.model), one.calibration) for one in evaluation.curves if one.calibration is not None]


def _percent(share: float) -> Number:
    return Number(f"{100 * share:.1f} %", share)


def _limits_told(one: Agreement, unit: str) -> str:
    low, high = (shown(limit, unit, signed=True).text for limit in one.limits)
    return f"mean difference {shown(one.bias, unit, signed=True).text} {unit}, limits of agreement {low} to {high} {unit}"


def _ends(one: Calibration, unit: str) -> str:
    first, last = (shown(one.points[place].error, unit).text for place in (0, -1))
    return f"error {first} where it is surest and {last} {unit} where it is least sure"


def _paint_agreement(figure: Any, held: Agreed, unit: str) -> None:
    most = max(int(np.max(one.counts)) for _, one in held)
    decades = max(1, math.ceil(math.log10(max(most, 2))))
    lines, columns = -(-len(held) // 2), 1 if len(held) == 1 else 2
    panels, shown_last = [], None
    for place, (model, one) in enumerate(held):
        axes = figure.add_subplot(lines, columns, place + 1)
        panels.append(axes)
        counts = np.ma.masked_less(np.asarray(one.counts, float), 1)
        extent = (one.low, one.high, -one.difference, one.difference)
        shown_last = axes.imshow(
            np.ma.log10(counts), extent=extent, origin="lower", aspect="auto", cmap=_DENSITY, vmin=0, vmax=decades
        )
        _limit_lines(axes, one, unit)
        axes.set_title(drawable(shortened(model_label(model), 40)))
        axes.set_xlabel(f"mean of synthetic and true ({unit})")
        axes.set_ylabel(f"synthetic − true ({unit})")
        axes.locator_params(axis="x", nbins=5)
    bar = figure.colorbar(shown_last, ax=panels, shrink=0.8, pad=0.02, label="voxels in a bin")
    bar.set_ticks(range(decades + 1), labels=[f"{10**power:,}" for power in range(decades + 1)])
    bar.outline.set_visible(False)


def _limit_lines(axes: Any, one: Agreement, unit: str) -> None:
    """What lies beyond the axes is told at their end, with an arrow."""
    low, high = one.limits
    axes.axhline(0, color=LINES, linewidth=0.6, zorder=2)
    for value, style, name in ((one.bias, "-", "mean"), (low, "--", "−1.96 SD"), (high, "--", "+1.96 SD")):
        text, beyond = f"{name} {shown(value, unit, signed=True).text}", abs(value) > one.difference
        if beyond:
            text = f"{text} {'↑' if value > 0 else '↓'}"
        else:
            axes.axhline(value, color=_LIMITS, linestyle=style, linewidth=1.3, zorder=3)
        above = value < 0 or not beyond
        axes.annotate(
            text, (1, min(max(value, -one.difference), one.difference)), xycoords=("axes fraction", "data"),
            xytext=(-2, 2 if above else -2), textcoords="offset points", ha="right", va="bottom" if above else "top", fontsize=7,
            color=INK, zorder=4, bbox={"facecolor": GROUND, "alpha": 0.8, "linewidth": 0, "pad": 0.8},
        )  # fmt: skip


def _paint_calibration(figure: Any, held: Calibrated, unit: str) -> None:
    axes = figure.add_subplot()
    most = 1.08 * max(max(point.spread, point.error) for _, one in held for point in one.points)
    axes.plot([0, most], [0, most], color=INK, linestyle="--", linewidth=0.9, label="spread = error")
    for model, one in held:
        place = model.number - 1
        across, up = ([getattr(point, name) for point in one.points] for name in ("spread", "error"))
        axes.plot(
            across, up, color=COLOURS[place % len(COLOURS)], marker=MARKERS[place % len(MARKERS)], markersize=4.5,
            label=drawable(shortened(model_label(model), 36)),
        )  # fmt: skip
    axes.set_xlim(0, most or 1)
    axes.set_ylim(0, most or 1)
    axes.set_aspect("equal")
    axes.set_xlabel(f"spread that was told ({unit})")
    axes.set_ylabel(f"error that there was ({unit})")
    axes.grid()
    axes.legend(loc="upper left", bbox_to_anchor=(1.02, 1))
