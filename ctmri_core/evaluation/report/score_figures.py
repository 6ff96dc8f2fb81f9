"""Distributions of scores: for each measure a panel, for each model a box and every patient."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ctmri_core.evaluation.report.patients import patient_means
from ctmri_core.evaluation.report.wording import model_label, shown, unit_and_better
from ctmri_core.evaluation.results import Evaluation, Kind, ShownMetric
from ctmri_core.reporting.document import Figure
from ctmri_core.reporting.drawing import COLOURS, INK, MARKERS, Drawing
from ctmri_core.reporting.lettering import drawable, shortened
from ctmri_core.reporting.wording import plural, sentence

_WIDTH = 170.0
_COLUMNS, _MOST_PANELS = 3, 12
_FEWEST_FOR_BOX = 5
_MOST_VECTORS = 600
"""Points beyond which they become pixels in a figure, which would be many megabytes as outlines."""


def distributions(evaluation: Evaluation, kind: Kind) -> Figure | None:
    """None where no case has a score."""
    keys = [metric for metric in evaluation.metrics if metric.kind == kind and not metric.set_level]
    keys.sort(key=lambda metric: metric.key != evaluation.main_metric)
    held = [(metric, rows) for metric in keys if any(rows := _rows(evaluation, metric))][:_MOST_PANELS]
    if not held:
        return None
    lines = -(-len(held) // _COLUMNS)
    height = lines * (17 + 7.5 * len(evaluation.models))
    labels = [shortened(drawable(model_label(model)), 26) for model in evaluation.models]
    drawing = Drawing(_WIDTH, height, lambda figure: _paint(figure, held, labels))
    left_out = f" The first {_MOST_PANELS} measures; tables hold all." if len(keys) > _MOST_PANELS else ""
    what = "of true translations" if kind == "translation" else "of sources that went there and back (cycle)"
    caption = (
        f"Scores {what}. Each mark is one patient, in the colour and shape of its model; the box holds the middle half of the"
        " patients, its line is the median, whiskers reach to the furthest patient within 1.5 box lengths. Boxes are drawn from"
        f" {_FEWEST_FOR_BOX} patients up. Boxes that overlap do not mean that models are equal: the comparisons are paired."
        f"{left_out}"
    )
    return Figure(f"Scores {what}, patient by patient", drawing, caption, _alternative(evaluation, held))


def _rows(evaluation: Evaluation, metric: ShownMetric) -> list[list[float]]:
    """Of each model, values of patients."""
    return [patient_means(evaluation, model.number, metric.key, metric.kind) for model in evaluation.models]


def _alternative(evaluation: Evaluation, held: Sequence[tuple[ShownMetric, list[list[float]]]]) -> str:
    return " ".join(f"{metric.title}: {sentence(_medians(evaluation, metric, rows))}." for metric, rows in held)


def _medians(evaluation: Evaluation, metric: ShownMetric, rows: list[list[float]]) -> Iterator[str]:
    for model, values in zip(evaluation.models, rows, strict=True):
        if values:
            low, middle, high = (shown(float(part), metric.unit).text for part in np.percentile(values, (0, 50, 100)))
            of = plural(len(values), "patient")
            yield f"{model_label(model)} median {middle} {metric.unit}".rstrip() + f", {low} to {high}, {of}"


def _paint(figure: Any, held: Sequence[tuple[ShownMetric, list[list[float]]]], labels: list[str]) -> None:
    lines = -(-len(held) // _COLUMNS)
    pixels = sum(len(values) for _, rows in held for values in rows) > _MOST_VECTORS
    figure.get_layout_engine().set(w_pad=0.06, h_pad=0.06)
    for place, (metric, rows) in enumerate(held):
        axes = figure.add_subplot(lines, _COLUMNS, place + 1)
        for row, values in enumerate(rows):
            _strip(axes, row, values, pixels=pixels)
        axes.set_title(drawable(shortened(metric.title, 25)), fontsize=7.5)
        axes.set_xlabel(drawable(unit_and_better(metric.unit, metric.better)))
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.set_yticks(range(len(rows)), labels if place % _COLUMNS == 0 else [str(row + 1) for row in range(len(rows))])
        axes.tick_params(axis="y", length=0)
        axes.locator_params(axis="x", nbins=3)
        axes.ticklabel_format(axis="x", style="plain", useOffset=False)
        axes.grid(axis="x")


def _strip(axes: Any, row: int, values: list[float], *, pixels: bool) -> None:
    """Points that are spread evenly up and down, without chance, and a box over them."""
    if not values:
        return
    colour, marker = COLOURS[row % len(COLOURS)], MARKERS[row % len(MARKERS)]
    if len(values) >= _FEWEST_FOR_BOX:
        _box(axes, row, values)
    golden = 0.6180339887
    height = (np.arange(len(values)) * golden) % 1 - 0.5
    spread = 0.46 if len(values) >= _FEWEST_FOR_BOX else 0.0
    size = 9 if len(values) <= 60 else 4
    axes.scatter(
        values, row + spread * height, s=size, c=colour, marker=marker, alpha=0.7, linewidths=0, rasterized=pixels, zorder=3
    )


def _box(axes: Any, row: int, values: list[float]) -> None:
    """By hand: matplotlib's own looks for a window to show it in."""
    low, middle, high = np.percentile(values, (25, 50, 75))
    reach = 1.5 * (high - low)
    least, most = (pick(value for value in values if low - reach <= value <= high + reach) for pick in (min, max))
    line, half = {"color": INK, "linewidth": 0.9, "zorder": 4}, 0.31
    axes.plot([low, high, high, low, low], [row - half, row - half, row + half, row + half, row - half], **line)
    axes.vlines([least, most], row - half / 2, row + half / 2, **line)
    axes.hlines([row, row], [least, high], [low, most], **line)
    axes.vlines(middle, row - half, row + half, **{**line, "linewidth": 1.8})
