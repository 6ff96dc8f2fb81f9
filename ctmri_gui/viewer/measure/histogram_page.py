"""How often values of two images occur together: in the selected region, on the slice shown, in the body."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QComboBox, QFormLayout, QVBoxLayout, QWidget

from ctmri_core.geometry import Geometry
from ctmri_core.measuring.joint_histogram import (
    JointHistogram,
    joint_histogram,
    pairs_in_body,
    pairs_in_region,
    pairs_on_slice,
)
from ctmri_core.measuring.shapes import Shape
from ctmri_core.volume import Volume
from ctmri_gui.panels.small_parts import label, naming
from ctmri_gui.viewer.measure.measure_model import MeasureModel
from ctmri_gui.viewer.measure.newest import Newest
from ctmri_gui.viewer.roles import Role
from ctmri_gui.viewer.viewer_model import ViewerModel

if TYPE_CHECKING:
    from ctmri_gui.viewer.measure.plots import HistogramPlot

REGION, SLICE, BODY = "Selected region", "Slice shown", "Body"
NO_REGION = "Draw a region (O) or select one, or take the slice or the body."
ONE_IMAGE = "Two images are needed whose places belong together."
NOTHING = "The two images have no values in common there."
_FAVOURITES = ((Role.SYNTHETIC, Role.TRUTH), (Role.SOURCE, Role.TRUTH), (Role.SOURCE, Role.SYNTHETIC))


class HistogramPage(QWidget):
    """`plane`: the slice on the active pane, None without any."""

    def __init__(
        self, model: MeasureModel, viewer: ViewerModel, palette: Callable[[], str], plane: Callable[[], Geometry | None]
    ) -> None:
        super().__init__()
        self._model, self._viewer, self._palette, self._plane = model, viewer, palette, plane
        self._newest = Newest("joint histogram")
        self._asked: tuple[object, ...] = ()
        self._touched = False
        self.plot: HistogramPlot | None = None
        self.one, self.other, self.where = QComboBox(), QComboBox(), QComboBox()
        self.said = label("", "muted")
        self._lay_out()
        model.changed.connect(self.follow)
        viewer.volumesChanged.connect(self.follow)
        viewer.posesChanged.connect(lambda _panes: self.follow())

    def _lay_out(self) -> None:
        for role in Role:
            self.one.addItem(role.label, role)
            self.other.addItem(role.label, role)
        self.where.addItems([REGION, SLICE, BODY])
        self.where.setCurrentText(SLICE)
        form = QFormLayout()
        for words, choice in (("&Across", self.one), ("&Up", self.other), ("&Where", self.where)):
            form.addRow(naming(words, choice), choice)
            choice.activated.connect(self._chosen)
        self._column = QVBoxLayout(self)
        self._column.addLayout(form)
        self._column.addWidget(self.said, 1, Qt.AlignmentFlag.AlignTop)

    def follow(self) -> None:
        """Counts again where what is shown has become something else."""
        if not self.isVisible():
            return
        if not self._touched:
            self._choose()
        asked = self._what()
        if isinstance(asked, str):
            self._newest.drop()
            self._asked = ()
            self._say(asked)
        elif asked != self._asked:
            self._asked = asked
            self.said.setText("Counting …")
            one, other, where, place = asked
            self._newest.ask(partial(_count, one, other, place), partial(self._draw, one, other, where))

    def use(self, where: str) -> None:
        self.where.setCurrentText(where)
        self._touched = False
        self.follow()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.follow()

    def dress(self) -> None:
        """Colours or the size of text have changed: the plot is made anew."""
        if self.plot is not None:
            self._column.removeWidget(self.plot)
            self.plot.deleteLater()
            self.plot, self._asked = None, ()
            self.follow()

    def close_background(self) -> None:
        self._newest.close()

    def _chosen(self) -> None:
        self._touched = True
        self.follow()

    def _choose(self) -> None:
        """The two images that are most often compared, of those that are there."""
        present = self._viewer.volumes
        pair = next((pair for pair in _FAVOURITES if all(role in present for role in pair)), None)
        if pair is not None:
            self.one.setCurrentIndex(list(Role).index(pair[0]))
            self.other.setCurrentIndex(list(Role).index(pair[1]))

    def _what(self) -> tuple[Volume, Volume, str, Shape | Geometry | None] | str:
        """What is to be counted, or why nothing can be."""
        one, other = Role(self.one.currentData()), Role(self.other.currentData())
        volumes, where = self._viewer.placed, self.where.currentText()
        if one not in volumes or other not in volumes or not self._viewer.share_space(one, other):
            return ONE_IMAGE
        if where == BODY:
            return volumes[one], volumes[other], where, None
        if where == SLICE:
            plane = self._plane()
            return ONE_IMAGE if plane is None else (volumes[one], volumes[other], where, plane)
        item = self._model.selected
        region = None if item is None or not item.shape.kind.is_region else item.shape
        return NO_REGION if region is None else (volumes[one], volumes[other], where, region)

    def _draw(self, one: Volume, other: Volume, where: str, histogram: JointHistogram | None) -> None:
        if histogram is None:
            self._say(NOTHING)
            return
        if self.plot is None:
            from ctmri_gui.viewer.measure.plots import HistogramPlot  # takes a moment to import

            self.plot = HistogramPlot(self._palette())
            self._column.setStretchFactor(self.said, 0)
            self._column.insertWidget(1, self.plot, 1)
        self.plot.show()
        self.plot.draw(histogram, f"{one.label} ({one.unit})", f"{other.label} ({other.unit})")
        made = " Synthetic images are not for diagnosis." if one.synthetic or other.synthetic else ""
        self.said.setText(f"{where}: {histogram.pairs:,} pairs of values; brighter is more, logarithmic.{made}")

    def _say(self, why: str) -> None:
        self.said.setText(why)
        if self.plot is not None:
            self.plot.hide()


def _count(one: Volume, other: Volume, place: Shape | Geometry | None) -> JointHistogram | None:
    if isinstance(place, Shape):
        return joint_histogram(pairs_in_region(one, other, place))
    if isinstance(place, Geometry):
        return joint_histogram(pairs_on_slice(one, other, place))
    return joint_histogram(pairs_in_body(one, other))
