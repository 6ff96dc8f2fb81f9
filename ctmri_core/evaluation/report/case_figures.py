"""The best, the median and the worst case of each model, as pictures that say that they are synthetic."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import ctmri_core
from ctmri_core.errors import FileRefused
from ctmri_core.evaluation.report.wording import domain_label, model_label, shown
from ctmri_core.evaluation.results import CasePicture, Evaluation
from ctmri_core.io.picture_headers import check_complete, read_header
from ctmri_core.io.reader_process import shared_reader
from ctmri_core.reporting.document import Block, Figure, Paragraph
from ctmri_core.reporting.drawing import Drawing

_WIDTH = 170.0
_LARGEST_PIXELS = 4096 * 4096
_MOST_PIXELS = 30 * 256 * 256
"""Of all pictures together: what is more is made smaller, so that the file stays small enough to be sent."""
_BAR, _TITLE = 16.0, 6.5  # mm for the bar of colours and for titles
_DIFFERENCES = "inferno"
_ORDER = {"worst": 0, "median": 1, "best": 2}

Grey = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class _Panes:
    """8-bit greys of one size; `source` may be absent."""

    source: Grey | None
    synthetic: Grey
    truth: Grey
    difference: Grey


def case_figures(evaluation: Evaluation, folder: Path) -> tuple[Block, ...]:
    """A figure for each, or a sentence where its pictures cannot be shown."""
    pictures = sorted(evaluation.pictures, key=lambda one: (one.model, _ORDER[one.which]))
    side = int((_MOST_PIXELS / max(30, 4 * len(pictures))) ** 0.5)
    return tuple(_figure(evaluation, one, folder, side) for one in pictures)


def _figure(evaluation: Evaluation, one: CasePicture, folder: Path, side: int) -> Block:
    model, case = model_label(evaluation.model(one.model)), evaluation.case(one.case).label
    title = f"{model}: {one.which} case, {case}, slice {one.k + 1}"
    try:
        panes = _read(one, folder, side)
    except FileRefused as refusal:
        return Paragraph(f"{title}: its pictures cannot be shown. {refusal}")
    unit = evaluation.unit
    rows, columns = panes.truth.shape
    count = 3 if panes.source is None else 4
    height = min(110.0, max(30.0, 0.97 * (_WIDTH - _BAR) / count * rows * one.aspect / columns + _TITLE))
    source, target = domain_label(evaluation.source), domain_label(evaluation.target)
    drawing = Drawing(_WIDTH, height, lambda figure: _paint(figure, one, panes, (source, target), unit), 150)
    error = f"{shown(one.error, unit).text} {unit}"
    black, white = (f"{end:g}".replace("-", "−") for end in one.target_window)
    windows = f"Grey from {black} to {white} {unit} in synthetic and true {target} alike"
    caption = (
        f"{one.caption.rstrip('.')}. {windows}; the difference is |synthetic − true| inside the mask, black for none and"
        f" palest for {one.difference:g} {unit} or more. The mean error of this slice is {error}. Bright edges are often"
        " pictures that do not lie quite on each other; bright areas are wrong values."
    ).strip()
    alternative = f"Slice {one.k + 1} of {case} side by side: {'' if panes.source is None else f'source {source}, '}"
    alternative += f"synthetic {target} by {model}, true {target} and their difference. Mean error {error}."
    return Figure(title, drawing, caption, alternative)


def _read(one: CasePicture, folder: Path, side: int) -> _Panes:
    """Raises `FileRefused`."""
    found = [_grey(name, folder) for name in (one.synthetic_file, one.truth_file, one.difference_file)]
    source = _grey(one.source_file, folder) if one.source_file else None
    for name, grey in zip((one.truth_file, one.difference_file), found[1:], strict=True):
        if grey.shape != found[0].shape:
            raise FileRefused(folder / name, "has another size than the picture beside it.", "Evaluate again.")
    synthetic, truth, difference = (_smaller(grey, side) for grey in found)
    return _Panes(None if source is None else _smaller(source, side), synthetic, truth, difference)


def _grey(name: str, folder: Path) -> Grey:
    """The pixels of a picture below the folder; what an evaluation of someone else's names beyond it is not read."""
    path = folder / name
    if not name.isprintable() or not path.resolve().is_relative_to(folder.resolve()):
        raise FileRefused(path, "does not lie in the folder of the evaluation.", "Evaluate again.")
    if not path.is_file():
        raise FileRefused(path, "is missing.", "Evaluate again.")
    header = read_header(path)
    if header.kind != "png" or header.shape[1] * header.shape[2] > _LARGEST_PIXELS:
        raise FileRefused(path, "is no picture of an evaluation.", "Evaluate again.")
    check_complete(path, header.kind)
    values, _ = shared_reader().call("ctmri_core.io.native_pictures:read_grey", path, header.kind)
    if values.dtype != np.uint8:
        raise FileRefused(path, "is no picture of 8 bits.", "Evaluate again.")
    grey: Grey = values[0]
    return grey


def _smaller(grey: Grey, side: int) -> Grey:
    """Means of whole blocks, so that neither side is longer."""
    step = -(-max(grey.shape) // side)
    if step == 1:
        return grey
    rows, columns = (length // step * step for length in grey.shape)
    if not rows or not columns:
        return grey
    blocks = grey[:rows, :columns].reshape(rows // step, step, columns // step, step)
    smaller: Grey = np.rint(blocks.mean((1, 3))).astype(np.uint8)
    return smaller


def _paint(figure: Any, one: CasePicture, panes: _Panes, domains: tuple[str, str], unit: str) -> None:
    source, target = domains
    told = [(f"Source {source}", panes.source), (f"Synthetic {target}", panes.synthetic), (f"True {target}", panes.truth)]
    greys = [(title, pane) for title, pane in told if pane is not None]
    axes = _panels(figure, len(greys) + 1)
    for (title, pane), panel in zip(greys, axes, strict=False):
        panel.imshow(pane, cmap="gray", vmin=0, vmax=255, aspect=one.aspect)
        panel.set_title(title)
    drawn = axes[-1].imshow(
        panes.difference * (one.difference / 255), cmap=_DIFFERENCES, vmin=0, vmax=one.difference, aspect=one.aspect
    )
    axes[-1].set_title("Difference")
    for panel in (axes[len(greys) - 2], axes[-1]):
        _mark(panel)
    bar = figure.colorbar(drawn, cax=figure.add_axes((1 - (_BAR - 1) / _WIDTH, 0.06, 2.5 / _WIDTH, 0.76)))
    bar.set_label(unit)
    bar.outline.set_visible(False)


def _panels(figure: Any, count: int) -> list[Any]:
    """Side by side, with room for titles above and a bar to the right; by hand, which is much faster than a layout engine."""
    figure.set_layout_engine("none")
    each = (1 - _BAR / _WIDTH) / count
    height = 1 - _TITLE / (25.4 * figure.get_figheight())
    panels = [figure.add_axes((place * each, 0.01, 0.97 * each, height - 0.01)) for place in range(count)]
    for panel in panels:
        panel.set_axis_off()
    return panels


def _mark(panel: Any) -> None:
    """In the picture itself, so that it stays where the picture is cut out."""
    box = {"facecolor": "black", "alpha": 0.65, "linewidth": 0, "boxstyle": "square,pad=0.25"}
    panel.text(
        0.5, 0.015, ctmri_core.NOT_FOR_DIAGNOSIS, transform=panel.transAxes, ha="center", va="bottom", fontsize=5.5,
        color="white", bbox=box,
    )  # fmt: skip
