"""The hardest and the easiest pictures, with what they are: of a closed study alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

import ctmri_core
from ctmri_core.errors import FileRefused
from ctmri_core.reporting.document import Block, Figure, Paragraph
from ctmri_core.reporting.drawing import Drawing
from ctmri_core.reporting.wording import plural
from ctmri_core.studies.analysis.results import CaseScores, StudyResults
from ctmri_core.studies.pictures import Pictures
from ctmri_core.studies.report.wording import arm_label
from ctmri_core.studies.truth import REAL

_WIDTH = 170.0
_MOST = 8
_ACROSS = 4
_TITLE_MM = 11.0
_SAID = ctmri_core.NOT_FOR_DIAGNOSIS


def gallery(results: StudyResults, pictures: Pictures | None) -> tuple[Block, ...]:
    """Figures, or one sentence where they may not be shown or are not there."""
    if not results.cases:
        return ()
    if not results.closed:
        return (Paragraph("The study is open still: which pictures were recognised stays hidden until it is closed."),)
    if pictures is None:
        return ()
    ways = (
        ("Hardest", results.cases, "Fewest readers were right; of those that few got right, the surest wrong answers first."),
        ("Easiest", results.cases[::-1], "Most readers were right, and sure of it."),
    )
    return tuple(_figure(results, pictures, title, list(cases[:_MOST]), about) for title, cases, about in ways)


def _figure(results: StudyResults, pictures: Pictures, title: str, cases: Sequence[CaseScores], about: str) -> Block:
    try:
        shown = [(case, *_slice(results, pictures, case)) for case in cases]
    except FileRefused as refusal:
        return Paragraph(f"{title} pictures cannot be shown. {refusal}")
    lines = -(-len(shown) // _ACROSS)
    tallest = max(grey.shape[0] * aspect / grey.shape[1] for _, grey, aspect in shown)
    height = lines * (min(80.0, _WIDTH / _ACROSS * tallest) + _TITLE_MM)
    drawing = Drawing(_WIDTH, height, lambda figure: _paint(figure, shown, lines), 150)
    caption = f"{about} Above each: what it is, and how many readers were right. Of a volume, the slice at which trials began."
    told = "; ".join(f"{arm_label(case.arm)}, right {case.right} of {case.readers}" for case in cases)
    return Figure(f"{title} pictures", drawing, caption, f"{plural(len(cases), 'picture')}: {told}.")


def _slice(results: StudyResults, pictures: Pictures, case: CaseScores) -> tuple[NDArray[np.uint8], float]:
    """8-bit greys in the window of the study, the head up, and how tall a pixel is for its width."""
    voxels = pictures.voxels(case.token)
    item, display = pictures.items[case.token], results.card.protocol.display
    plane = voxels[round(display.start * (len(voxels) - 1))].astype(np.float32)
    if display.window is None:
        low, high = float(voxels.min()), float(voxels.max())
    else:
        centre, width = display.window
        low, high = centre - width / 2, centre + width / 2
    grey = np.clip((plane - low) / max(high - low, 1e-6), 0, 1) * 255
    return grey.astype(np.uint8), item.spacing[1] / item.spacing[2]


def _paint(figure: Any, shown: Sequence[tuple[CaseScores, NDArray[np.uint8], float]], lines: int) -> None:
    """By hand: a layout engine is slow with pictures."""
    figure.set_layout_engine("none")
    across, down = 1 / _ACROSS, 1 / lines
    title = _TITLE_MM / (25.4 * figure.get_figheight())
    for place, (case, grey, aspect) in enumerate(shown):
        row, column = divmod(place, _ACROSS)
        panel = figure.add_axes((column * across, 1 - (row + 1) * down, 0.97 * across, down - title))
        panel.imshow(grey, cmap="gray", vmin=0, vmax=255, aspect=aspect)
        panel.set_axis_off()
        panel.set_title(f"{arm_label(case.arm)[:22]}\nright: {case.right} of {case.readers}", fontsize=7)
        if case.arm != REAL:
            box = {"facecolor": "black", "alpha": 0.65, "linewidth": 0, "boxstyle": "square,pad=0.25"}
            panel.text(
                0.5, 0.015, _SAID, transform=panel.transAxes, ha="center", va="bottom", fontsize=4.6, color="white", bbox=box
            )  # fmt: skip
