"""What the experiment on real heads found, as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from real_heads_scores import WholeSlice, mean_of

from ctmri_core.domain import Direction, Domain
from ctmri_core.evaluation.results import Evaluation
from ctmri_core.model_card import ModelCard

_SHOWN = {"mae": "{:.1f}", "psnr_hu": "{:.1f}", "psnr": "{:.1f}", "ssim": "{:.3f}", "mae_bone": "{:.0f}",
          "mae_soft_tissue": "{:.0f}", "ncc": "{:.3f}"}  # fmt: skip
_MOST_WORST = 3


@dataclass(frozen=True)
class Row:
    """One method. `number`: of its model in the evaluation; `curve`: (step, error) at validations; `memory`: most bytes of its
    training; `file`: bytes of the model."""

    method: str
    card: ModelCard
    evaluation: Evaluation = field(repr=False)
    number: int
    whole: list[WholeSlice] = field(repr=False)
    curve: list[tuple[int, float]]
    memory: int
    file: int


def written(rows: Sequence[Row], direction: Direction, minutes: float) -> str:
    """Scores of all methods, best first, then how they came there and their worst slices."""
    rows = sorted(rows, key=lambda row: _mean(row, "mae"))
    unit = "HU" if direction.target is Domain.CT else "% of range"
    said = f"{direction.label}, {2 * minutes:g} processor minutes each, {datetime.now(UTC):%Y-%m-%d}"
    parts = [f"### {said}", _scores(rows), f"Error inside the body ({unit}, 2 mm) as each run went on:", _curves(rows)]
    return "\n\n".join([*parts, "Worst slices (error inside the mask):", _worst(rows)]) + "\n"


def _mean(row: Row, metric: str, centre: str = "") -> float:
    summary = row.evaluation.summary(row.number, metric, centre=centre)
    return float("nan") if summary is None else summary.mean


def _scores(rows: Sequence[Row]) -> str:
    metrics = [metric for metric in rows[0].evaluation.metrics if metric.key in _SHOWN]
    heads = [f"{metric.title}{f', {metric.unit}' if metric.unit else ''}" for metric in metrics]
    centres = list(rows[0].evaluation.centres)
    is_ct = rows[0].card.direction.target is Domain.CT
    whole = (*(["SSIM whole at 4024"] if is_ct else []), "SSIM whole, students' range", "MSE whole")
    heads = ["method", *heads, *(f"MAE {centre}" for centre in centres), *whole, "s per slice", "weights", "memory"]
    lines = []
    for row in rows:
        summary = row.evaluation.summary(row.number, "mae")
        spread = "" if summary is None or summary.low is None else f" ({summary.low:.1f} to {summary.high:.1f})"
        means = {metric.key: _SHOWN[metric.key].format(_mean(row, metric.key)) for metric in metrics}
        values = [mean + (spread if key == "mae" else "") for key, mean in means.items()]
        values += [f"{_mean(row, 'mae', centre):.1f}" for centre in centres]
        seconds = float(np.median([each.seconds for each in row.whole]))
        values += [f"{mean_of(row.whole, name):.3f}" for name in (("wide", "ssim") if is_ct else ("ssim",))]
        values += [f"{mean_of(row.whole, 'mse'):.4f}", f"{seconds:.2f}"]
        lines.append([row.method, *values, f"{row.file / 4e6:.1f} M", f"{row.memory / 2**30:.1f} GiB"])
    return table(heads, lines)


def _curves(rows: Sequence[Row]) -> str:
    lines = []
    for row in rows:
        points = row.curve[:: max(1, -(-len(row.curve) // 5))]
        course = ", ".join(f"{step}: {error:.1f}" for step, error in points)
        lines.append([row.method, str(row.card.training.get("steps", "")), course])
    return table(["method", "best at step", "step: error"], lines)


def _worst(rows: Sequence[Row]) -> str:
    lines = []
    for row in rows:
        worst = sorted(row.whole, key=lambda each: -each.error)[:_MOST_WORST]
        lines.append([row.method, ", ".join(f"{each.subject} {each.plane} {each.error:.0f}" for each in worst)])
    return table(["method", "slices"], lines)


def table(heads: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """In Markdown."""
    rows = ["| " + " | ".join(cells) + " |" for cells in (heads, ["---"] * len(heads), *lines)]
    return "\n".join(rows)


def put_in(document: Path, mark: str, text: str) -> None:
    """In the place of what stands between `<!-- mark -->` and `<!-- end of mark -->`."""
    before, _, rest = document.read_text("utf-8").partition(f"<!-- {mark} -->")
    _, _, after = rest.partition(f"<!-- end of {mark} -->")
    document.write_text(f"{before}<!-- {mark} -->\n\n{text}\n<!-- end of {mark} -->{after}", "utf-8")
