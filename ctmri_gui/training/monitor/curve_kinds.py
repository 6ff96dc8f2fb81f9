"""Which curves a run has, in which plots they stand, and how each is drawn: never told apart by colour alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPen, QPixmap
from PySide6.QtWidgets import QApplication

from ctmri_core.training.run_plan import RunPlan
from ctmri_core.training.run_record import Curve, RunRecord
from ctmri_gui.training.monitor.words import metric_of, plain, signal_of

_COLOURS = {  # Okabe and Ito 2008, lighter or darker where the ground asks for it
    "dark": ("#56b4e9", "#e69f00", "#33c9a0", "#f0e442", "#e092bd", "#ff8a4c", "#b7c0cc"),
    "light": ("#0072b2", "#a85c00", "#007a59", "#6f6300", "#a33a78", "#c24a00", "#4d5968"),
}
_LINES = (
    Qt.PenStyle.SolidLine, Qt.PenStyle.DashLine, Qt.PenStyle.DotLine, Qt.PenStyle.DashDotLine, Qt.PenStyle.DashDotDotLine,
)  # fmt: skip
DASHES = (  # the same styles as marks and gaps of so many pixels
    (True,), (True,) * 14 + (False,) * 7, (True,) * 4 + (False,) * 5, (True,) * 14 + (False,) * 6 + (True,) * 4 + (False,) * 6,
    (True,) * 14 + ((False,) * 5 + (True,) * 4) * 2 + (False,) * 5,
)  # fmt: skip
LOSSES, RATE, GRADIENTS, JUDGEMENTS = "Losses", "Learning rate", "Gradient lengths", "What discriminators say"
VARIETY = "Variety of synthetic pictures"
BALANCE, SATURATION, MEMORY = "Discriminators' share of all losses", "Share of the body that is black or white", "Memory (GiB)"


@dataclass(frozen=True)
class Kind:
    """One curve: `plot` is the title of the plot in which it stands, `label` its name there."""

    key: str
    plot: str
    label: str
    shown: bool = False


def curves_of(record: RunRecord, plan: RunPlan | None) -> Iterator[tuple[Kind, Curve]]:
    """All that `record` has, in the order in which a person reads them. `shown`: what is looked at first."""
    wanted = plan.settings.best_metric if plan is not None else "mae"
    for name, curve in record.losses.items():
        yield Kind(f"loss/{name}", LOSSES, plain(name), shown=True), curve
    for name, curve in record.metrics.items():
        way, words, unit = metric_of(name)
        title = f"Validation: {words}" + (f" ({unit})" if unit else "")
        yield Kind(f"metric/{name}", title, way or words, shown=name.rpartition("/")[2].startswith(wanted)), curve
    if record.learning_rate.iterations:
        yield Kind("rate", RATE, "learning rate"), record.learning_rate
    for name, curve in record.signals.items():
        yield Kind(f"signal/{name}", _plot_of(name), signal_of(name)), curve


def _plot_of(signal: str) -> str:
    starts = {
        "gradient_": GRADIENTS, "judged_": JUDGEMENTS, "saturation_": SATURATION, "loss_ratio": BALANCE,
        "variety_": VARIETY,
    }  # fmt: skip
    named = next((plot for start, plot in starts.items() if signal.startswith(start)), "")
    if named:
        return named
    if signal.endswith("_gib"):
        return MEMORY
    return "Memory (MiB)" if signal.endswith("_mb") else plain(signal)


def pen(place: int, palette: str, *, width: float = 1.0, faint: bool = False, solid: bool = False) -> QPen:
    """How the curve at `place` of its plot is drawn: colours and line styles both change from one to the next."""
    colours = _COLOURS[palette]
    colour = QColor(colours[place % len(colours)])
    if faint:
        colour.setAlphaF(0.25)
    made = QPen(colour, width, Qt.PenStyle.SolidLine if faint or solid else _LINES[place % len(_LINES)])
    made.setCosmetic(True)
    return made


def swatch(place: int, palette: str, height: int) -> QIcon:
    """A piece of the line, for the list of curves."""
    wide = height * 2
    picture = QPixmap(wide, height)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setPen(pen(place, palette, width=3))
    middle = QRect(0, 0, wide, height).center().y()
    painter.drawLine(1, middle, wide - 2, middle)
    painter.end()
    return QIcon(picture)


def palette_name() -> str:
    """Of the palette in use."""
    app = QApplication.instance()
    return str((app.property("palette_name") if app is not None else None) or "dark")
