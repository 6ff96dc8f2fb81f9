"""The values of all images along the selected line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from ctmri_core.geometry import FloatArray
from ctmri_core.measuring.export import Measurement
from ctmri_core.measuring.profile import Profile, line_profile
from ctmri_core.measuring.shapes import Kind, Shape
from ctmri_core.volume import Volume
from ctmri_gui.panels.small_parts import label
from ctmri_gui.viewer.measure.measure_model import MeasureModel
from ctmri_gui.viewer.measure.newest import Newest
from ctmri_gui.viewer.measure.values import Values
from ctmri_gui.viewer.readout import number_text
from ctmri_gui.viewer.roles import Role

if TYPE_CHECKING:
    from ctmri_gui.viewer.measure.plots import ProfilePlot

NO_LINE = "Draw a length (D) or select one: the values of all images along it stand here."


class ProfilePage(QWidget):
    """`pointed`: told the place (LPS mm) that is read on the plot, and in which volume; or None."""

    def __init__(
        self,
        model: MeasureModel,
        values: Values,
        palette: Callable[[], str],
        pointed: Callable[[FloatArray | None, Role | None], None],
    ) -> None:
        super().__init__()
        self._model, self._values, self._palette, self._pointed = model, values, palette, pointed
        self._newest = Newest("profile")
        self._line: Shape | None = None
        self._shown: tuple[Shape, Profile, Mapping[Role, Volume], Role] | None = None
        self.plot: ProfilePlot | None = None
        self.title, self.reading = label(NO_LINE, "muted"), label("", "muted")
        self._column = QVBoxLayout(self)
        self.title.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._column.addWidget(self.title, 1)
        self._column.addWidget(self.reading)
        model.changed.connect(self.follow)

    def follow(self) -> None:
        """Draws the profile of the line that is selected or being drawn; the last one stays while there is none."""
        measurement = self._measurement()
        if not self.isVisible() or measurement is None:
            return
        volumes = self._values.volumes_for(measurement)
        known = self._shown
        if volumes and (known is None or known[0] is not measurement.shape or known[2] != volumes):
            work = partial(line_profile, measurement.shape, {role.value: volume for role, volume in volumes.items()})
            self._newest.ask(work, partial(self._draw, measurement, volumes))

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.follow()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.read_at(None)

    def dress(self) -> None:
        """Colours or the size of text have changed: the plot is made anew."""
        if self.plot is not None:
            self._column.removeWidget(self.plot)
            self.plot.deleteLater()
            self.plot, self._shown = None, None
            self.follow()

    def close_background(self) -> None:
        self._newest.close()

    def _measurement(self) -> Measurement | None:
        item, draft = self._model.selected, self._model.draft
        wanted = draft or (None if item is None else item.measurement)
        return wanted if wanted is not None and wanted.shape.kind is Kind.LENGTH and wanted.shape.length_mm else None

    def _draw(self, measurement: Measurement, volumes: Mapping[Role, Volume], profile: Profile) -> None:
        if self.plot is None:
            from ctmri_gui.viewer.measure.plots import ProfilePlot  # takes a moment to import

            self.plot = ProfilePlot(self._palette(), self.read_at)
            self.title.setAlignment(Qt.AlignmentFlag.AlignLeft)
            self._column.setStretchFactor(self.title, 0)
            self._column.insertWidget(1, self.plot, 1)
        self._shown = measurement.shape, profile, volumes, Role(measurement.drawn_on)
        self.plot.show()
        self.plot.draw(profile, volumes)
        made = " Synthetic images are not for diagnosis." if any(volume.synthetic for volume in volumes.values()) else ""
        self.title.setText(f"{measurement.name or 'Length'}: {measurement.shape.length_mm:.1f} mm. Trilinear samples.{made}")
        self.reading.setText("")

    def read_at(self, mm: float | None) -> None:
        """Says the values so many mm along the line, and shows the place on the panes."""
        if self._shown is None or self.plot is None:
            return
        self.plot.read_at(mm)
        line, profile, volumes, drawn_on = self._shown
        if mm is None:
            self._pointed(None, None)
            self.reading.setText("")
            return
        ends = line.array
        self._pointed(ends[0] + (ends[1] - ends[0]) * mm / profile.distance_mm[-1], drawn_on)
        at = int(np.argmin(np.abs(profile.distance_mm - mm)))
        parts = [
            f"{role.label} {_value_text(float(profile.values[role][at]), volume.unit)}" for role, volume in volumes.items()
        ]
        self.reading.setText(f"{profile.distance_mm[at]:.1f} mm:  " + "   ".join(parts))


def _value_text(value: float, unit: str) -> str:
    return f"{number_text(value)} {unit}" if np.isfinite(value) else "outside"
