"""Figures by matplotlib without its global state: each is painted anew, as SVG that takes its ink from the page or as pixels.

Nothing of the user's settings of matplotlib comes in, no text is read as mathematics, and letters are drawn as outlines, so that
a figure looks the same everywhere. The same drawing gives the same bytes.
"""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

INK, LINES, GROUND = "#1c2126", "#c3cad2", "#fefeff"
"""Of text and axes, of grids, and of what lies under a text; in SVG the page's own take their place."""
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""Told apart by those with any kind of colour vision (Okabe and Ito 2008)."""
MARKERS = ("o", "s", "^", "D", "v", "P")
"""Shapes that tell the same apart without colour."""
_MM = 25.4
_PAGE_INK = {INK: "currentColor", LINES: "var(--line)", GROUND: "var(--ground)"}
_LOCK = threading.Lock()  # matplotlib's settings are the process's
_STYLE = {
    "svg.fonttype": "path", "text.parse_math": False, "axes.unicode_minus": True, "font.family": ["DejaVu Sans"],
    "font.size": 8.0, "axes.titlesize": 9.0, "axes.titleweight": "bold", "axes.titlelocation": "left", "axes.labelsize": 8.0,
    "axes.spines.top": False, "axes.spines.right": False, "axes.edgecolor": INK, "axes.labelcolor": INK, "axes.titlecolor": INK,
    "text.color": INK, "xtick.color": INK, "ytick.color": INK, "grid.color": LINES, "grid.linewidth": 0.6,
    "axes.axisbelow": True, "axes.facecolor": "none", "figure.facecolor": "none", "lines.linewidth": 1.2,
    "legend.frameon": False, "legend.labelcolor": INK, "image.interpolation": "none", "figure.dpi": 100.0,
}  # fmt: skip


@dataclass(frozen=True)
class Drawing:
    """`paint` is given an empty `matplotlib.figure.Figure` of this size. `pixels_per_inch`: in a PDF."""

    width_mm: float
    height_mm: float
    paint: Callable[[Any], None]
    pixels_per_inch: int = 200


def as_svg(drawing: Drawing, name: str) -> str:
    """An `<svg>` element to stand in a page, without title. `name`: begins all its identifiers, unlike those of other figures."""
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    stream = io.StringIO()
    with _figure(drawing, name) as figure:
        metadata = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        FigureCanvasSVG(figure).print_svg(stream, metadata=metadata)
    return _of_page(stream.getvalue(), name)


def as_pixels(drawing: Drawing) -> NDArray[np.uint8]:
    """(rows, columns, 3), on white."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    with _figure(drawing, "") as figure:
        figure.set_dpi(drawing.pixels_per_inch)
        figure.set_facecolor("white")
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        return np.array(canvas.buffer_rgba())[..., :3]


@contextmanager
def _figure(drawing: Drawing, name: str) -> Iterator[Any]:
    import matplotlib
    from matplotlib.figure import Figure

    with _LOCK, matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update({**_STYLE, "svg.hashsalt": name or "figure"})
        figure = Figure(figsize=(drawing.width_mm / _MM, drawing.height_mm / _MM), layout="constrained")
        drawing.paint(figure)
        yield figure


def _of_page(svg: str, name: str) -> str:
    """The element alone, without comments (which repeat texts), with identifiers of its own and the page's ink."""
    svg = re.sub(r"<!--.*?-->|<metadata>.*?</metadata>", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    svg = re.sub(r' (xmlns(:\w+)?|version)="[^"]*"', "", svg)
    svg = svg.replace("xlink:href", "href")
    svg = re.sub(r'(\bid="|url\(#|href="#)', rf"\1{name}-", svg)
    for ink, of_page in _PAGE_INK.items():
        svg = svg.replace(ink, of_page)
    return re.sub(r">\s+<", "><", svg).strip()
