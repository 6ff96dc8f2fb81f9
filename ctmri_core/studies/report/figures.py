"""Figures: each reader with interval, ROC curves, what was called real, time, the course of the reading, grades."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ctmri_core.reporting.document import Figure
from ctmri_core.reporting.drawing import COLOURS, INK, LINES, MARKERS, Drawing
from ctmri_core.reporting.lettering import drawable, shortened
from ctmri_core.reporting.wording import sentence
from ctmri_core.studies.analysis.found import ALL, Called, Curve, Pooled, Scale, Telling, Value
from ctmri_core.studies.analysis.results import Course, StudyResults
from ctmri_core.studies.report.wording import FIGURES, arm_label, percent

_WIDTH = 170.0
_ROW = 6.5  # mm of one line of a figure
_MOST_READERS = 40


def forest(results: StudyResults, found: Telling) -> Figure | None:
    """Share of right answers of each reader and of all, with the band of the margin. None without readers."""
    asked = results.card.protocol.analysis
    lines = [(one.reader, one.accuracy) for one in found.readers if one.arm == ALL][:_MOST_READERS]
    together = next((one for one in found.pooled if one.figure == "accuracy"), None)
    if together is not None:
        lines.append(("together", together.estimate))
    if not any(value.value is not None for _, value in lines):
        return None
    drawing = Drawing(_WIDTH, 24 + _ROW * len(lines), lambda figure: _paint_forest(figure, lines, asked.margin))
    caption = (
        f"Share of right answers with its {percent(1 - asked.alpha)} interval: exact for each reader, over readers and"
        " pictures for all"
        f" together. One half is chance; the band is ±{asked.margin:g} around it."
    )
    told = sentence(f"{name} {value.value:.2f}" for name, value in lines if value.value is not None)
    return Figure("Right answers, reader by reader", drawing, caption, f"Shares of right answers: {told}.")


def roc_figure(curves: Sequence[Curve], title: str, signal: str) -> Figure | None:
    """Of each reader, thin; their average, thick. None without a curve."""
    if not curves:
        return None
    drawing = Drawing(105.0, 95.0, lambda figure: _paint_roc(figure, curves, signal))
    caption = (
        "Each step is a level of confidence. The diagonal is chance; the thick line is the average of the readers along lines of"
        " slope −1, so that the area under it is the mean of their areas."
    )
    told = f"{sum(bool(one.reader) for one in curves)} curves of readers{', and their average' if not curves[-1].reader else ''}."
    return Figure(title, drawing, caption, told)


def called_figure(results: StudyResults, called: Sequence[Called]) -> Figure | None:
    """How often each kind of picture was called real, by reader and together. None where nothing was called."""
    arms = list(dict.fromkeys(one.arm for one in called))
    if not arms:
        return None
    drawing = Drawing(_WIDTH, 26 + 9 * len(arms), lambda figure: _paint_called(figure, called, arms))
    caption = (
        "Each mark is a reader; the large one is all together with the"
        f" {percent(1 - results.card.protocol.analysis.alpha)} interval over readers and pictures. Alike rates for real and for"
        " synthetic pictures say that readers do not tell them apart, wherever they lie."
    )
    whole = [one for one in called if not one.reader]
    told = sentence(f"{arm_label(one.arm)} {one.called_real / one.trials:.2f}" for one in whole)
    return Figure("Called real", drawing, caption, f"Shares called real: {told}.")


def times_figure(found: Course) -> Figure | None:
    """Boxes of time for each reader and kind of picture."""
    kinds = any(one.of for one in found.times)
    rows = [one for one in found.times if one.reader and bool(one.of) == kinds][: 2 * _MOST_READERS]
    if not rows:
        return None
    drawing = Drawing(_WIDTH, 22 + 4.6 * len(rows), lambda figure: _paint_times(figure, rows, kinds=kinds))
    caption = (
        "Time for an answer, less what another window had the keys. The box holds the middle half of the trials, its line is the"
        " median, whiskers reach from 5 to 95 %."
    )
    told = sentence(f"{one.reader} {one.of or ''} median {one.quantiles[2]:.1f} s".replace("  ", " ") for one in rows)
    return Figure("Time for an answer", drawing, caption, f"{told}.")


def course_figure(found: Course) -> Figure | None:
    """Right answers and time along the test, of all readers together."""
    if len(found.parts) < 2:
        return None
    drawing = Drawing(_WIDTH, 62.0, lambda figure: _paint_course(figure, found))
    judged = found.parts[0].right is not None
    caption = "Parts of the test in the order shown, all readers together."
    caption += " A rising share of right answers would be learning." if judged else ""
    told = sentence(f"trials {one.first} to {one.last}: median {one.median_s:.1f} s" for one in found.parts)
    return Figure("Along the test", drawing, caption, f"{told}.")


def grades_figure(scale: Scale) -> Figure:
    """Shares of each grade by kind of picture, and the mean."""
    drawing = Drawing(_WIDTH, 26 + 9 * len(scale.arms), lambda figure: _paint_grades(figure, scale))
    caption = "Share of each grade among all of a kind of picture, from the lowest (left, light) to the highest (right, dark)."
    told = sentence(f"{arm_label(one.arm)} mean {one.mean.value:.2f}" for one in scale.arms if one.mean.value is not None)
    return Figure(f"Grades: {scale.text}", drawing, caption, f"{told}." if told else "Grades by kind of picture.")


def pooled_forest(results: StudyResults, pooled: Sequence[Pooled], title: str) -> Figure | None:
    """One line for each modality."""
    lines = [(arm_label(one.modality), one.estimate) for one in pooled if one.estimate.value is not None]
    if len(lines) < 2:
        return None
    figure_of = FIGURES[pooled[0].figure]
    drawing = Drawing(_WIDTH, 24 + _ROW * len(lines), lambda figure: _paint_forest(figure, lines, None, figure_of))
    caption = f"With {percent(1 - results.card.protocol.analysis.alpha)} intervals over readers and pictures."
    return Figure(title, drawing, caption, sentence(f"{name} {value.value:.2f}" for name, value in lines) + ".")


def _paint_forest(figure: Any, lines: Sequence[tuple[str, Value]], margin: float | None, name: str = FIGURES["accuracy"]) -> None:
    axes = figure.add_subplot()
    if margin is not None:
        axes.axvspan(0.5 - margin, 0.5 + margin, color=LINES, alpha=0.45, linewidth=0)
    axes.axvline(0.5, color=INK, linewidth=0.8, linestyle="--")
    for row, (reader, value) in enumerate(lines):
        whole = reader == "together"
        colour = COLOURS[1] if whole else COLOURS[0]
        if value.low is not None and value.high is not None:
            axes.plot([value.low, value.high], [row, row], color=colour, linewidth=2.4 if whole else 1.2)
        if value.value is not None:
            axes.plot([value.value], [row], marker="D" if whole else "o", markersize=6 if whole else 4.5, color=colour)
    axes.set_yticks(range(len(lines)), [drawable(shortened(name_, 24)) for name_, _ in lines])
    axes.set_ylim(len(lines) - 0.4, -0.6)
    axes.set_xlim(0, 1.01)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel(name)
    axes.grid(axis="x")


def _paint_roc(figure: Any, curves: Sequence[Curve], signal: str) -> None:
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], color=INK, linestyle="--", linewidth=0.8)
    several = sum(bool(one.reader) for one in curves) <= len(COLOURS)
    for place, one in enumerate(curves):
        if not one.reader:
            axes.plot(one.false_alarms, one.hits, color=INK, linewidth=2.4, label="average", zorder=4)
            continue
        axes.plot(
            one.false_alarms, one.hits, color=COLOURS[place % len(COLOURS)] if several else LINES, linewidth=1.0,
            marker=MARKERS[place % len(MARKERS)] if several else None, markersize=3.5,
            label=drawable(shortened(one.reader, 20)) if several else None,
        )  # fmt: skip
    axes.set_xlim(-0.01, 1.01)
    axes.set_ylim(-0.01, 1.01)
    axes.set_aspect("equal")
    axes.set_xlabel(drawable(shortened(f"without: called “{signal}”", 44)))
    axes.set_ylabel(drawable(shortened(f"with: called “{signal}”", 44)))
    axes.grid()
    axes.legend(loc="lower right")


def _paint_called(figure: Any, called: Sequence[Called], arms: Sequence[str]) -> None:
    axes = figure.add_subplot()
    for row, arm in enumerate(arms):
        own = [one for one in called if one.arm == arm and one.reader]
        shift = [0.18 * ((place % 5) - 2) / 2 for place in range(len(own))]
        shares = [one.called_real / one.trials for one in own]
        axes.scatter(shares, [row + by for by in shift], s=14, c=COLOURS[0], alpha=0.7, linewidths=0, zorder=3)
        whole = next((one for one in called if one.arm == arm and not one.reader), None)
        if whole is not None and whole.share.value is not None:
            if whole.share.low is not None and whole.share.high is not None:
                axes.plot([whole.share.low, whole.share.high], [row, row], color=COLOURS[1], linewidth=2.4, zorder=4)
            axes.plot([whole.share.value], [row], marker="D", markersize=6, color=COLOURS[1], zorder=5)
    axes.set_yticks(range(len(arms)), [drawable(shortened(arm_label(arm), 24)) for arm in arms])
    axes.set_ylim(len(arms) - 0.4, -0.6)
    axes.set_xlim(-0.01, 1.01)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("share called real")
    axes.grid(axis="x")


def _paint_times(figure: Any, rows: Sequence[Any], *, kinds: bool) -> None:
    axes = figure.add_subplot()
    for row, one in enumerate(rows):
        low, first, middle, third, high = one.quantiles
        colour = COLOURS[1] if one.of == "synthetic" else COLOURS[0]
        axes.plot([low, high], [row, row], color=colour, linewidth=0.9)
        axes.barh(row, third - first, left=first, height=0.62, color=colour, alpha=0.35, edgecolor=colour, linewidth=0.8)
        axes.vlines(middle, row - 0.31, row + 0.31, color=INK, linewidth=1.6, zorder=4)
    labels = [f"{shortened(one.reader, 18)}, {one.of}" if kinds else shortened(one.reader, 24) for one in rows]
    axes.set_yticks(range(len(rows)), [drawable(label) for label in labels])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlim(0, None)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("seconds")
    axes.grid(axis="x")


def _paint_course(figure: Any, found: Course) -> None:
    middles = [(one.first + one.last) / 2 for one in found.parts]
    right = [one.right for one in found.parts if one.right is not None]
    panels = [("share right", right)] if right else []
    panels.append(("median time (s)", [one.median_s for one in found.parts]))
    for place, (name, values) in enumerate(panels):
        axes = figure.add_subplot(1, len(panels), place + 1)
        axes.plot(middles, values, color=COLOURS[place], marker=MARKERS[place], markersize=4.5)
        axes.set_xlabel("trial of the test")
        axes.set_ylabel(name)
        axes.set_ylim(0, 1.02 if name == "share right" else 1.1 * (max(values) or 1))
        if name == "share right":
            axes.axhline(0.5, color=INK, linewidth=0.8, linestyle="--")
        axes.grid()


def _paint_grades(figure: Any, scale: Scale) -> None:
    axes = figure.add_subplot()
    steps = list(scale.arms[0].counts) if scale.arms else []
    for row, one in enumerate(scale.arms):
        left = 0.0
        for place, step in enumerate(steps):
            share = one.counts[step] / one.grades if one.grades else 0.0
            shade = 0.15 + 0.85 * place / max(1, len(steps) - 1)
            axes.barh(row, share, left=left, height=0.6, color=COLOURS[0], alpha=shade, linewidth=0)
            if share > 0.05:
                light = shade > 0.55
                axes.text(left + share / 2, row, step, ha="center", va="center", fontsize=7, color="white" if light else INK)
            left += share
    axes.set_yticks(range(len(scale.arms)), [drawable(shortened(arm_label(one.arm), 24)) for one in scale.arms])
    axes.set_ylim(len(scale.arms) - 0.4, -0.6)
    axes.set_xlim(0, 1)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("share of grades")
