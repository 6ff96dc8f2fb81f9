"""Ties what came of a translation to the viewer and to its dock: maps, draws, slices to look at with care."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from ctmri_core.volume import Volume
from ctmri_gui.session import Session
from ctmri_gui.settings import Settings
from ctmri_gui.translating.draws import Draws
from ctmri_gui.translating.made import Made
from ctmri_gui.translating.map_layers import inside_of, layers_of
from ctmri_gui.translating.results_box import DrawPart, MapPart, ResultsBox
from ctmri_gui.translating.slice_list import Run, runs_of
from ctmri_gui.viewer.linked_views import LinkedViews
from ctmri_gui.viewer.maps.map_model import MapLayer
from ctmri_gui.viewer.maps.map_views import MapViews
from ctmri_gui.viewer.readout import Readout
from ctmri_gui.viewer.roles import Role

_SLICES = "{count} to look at with care, unlike what this model learnt from:"


class CertaintyLink(QObject):
    """`box`: what goes into the dock."""

    def __init__(self, session: Session, settings: Settings, views: LinkedViews, window: QWidget) -> None:
        super().__init__(window)
        self._session, self._views = session, views
        self._made: Made | None = None
        self._layers: tuple[MapLayer, ...] = ()
        self.maps, self.draws = MapViews(views), Draws(session, views, self)
        self.box = ResultsBox(MapPart(self.maps.model, views, settings), DrawPart(self.draws, views))
        self.box.slices.chosen.connect(self._go_to)
        session.volumeChanged.connect(self._follow)
        self._follow(Role.SYNTHETIC, session.volumes[Role.SYNTHETIC])

    def forms(self, readout: Readout | None) -> tuple[str, ...]:
        """The values under the mouse, that of the map among them: as `Readout.forms`."""
        if readout is None:
            return ("",)
        told = self.maps.words_at(np.asarray(readout.mm))
        return tuple("   ".join(part for part in (form, told) if part) for form in readout.forms)

    def saved_beside(self) -> dict[str, Volume]:
        """What can be saved beside the volumes of the panes, by what it is called."""
        made, shown = self._session.made, self._session.volumes[Role.SYNTHETIC]
        if made is None:
            return {}
        names = ["Picture", *(f"Draw {number} of {len(made.draws)}" for number in range(1, len(made.draws) + 1))]
        others = {name: one for name, one in zip(names, made.answers, strict=True) if one is not shown}
        return {f"{layer.title} map": layer.volume for layer in self._layers} | others

    def _follow(self, role: Role, volume: Volume | None) -> None:
        if role is not Role.SYNTHETIC:
            return
        made = self._session.made
        if made is not self._made:
            self._made, self._layers = made, layers_of(made)
        self.maps.model.set_layers(self._layers, inside_of(self._session.synthetic_source) if self._layers else None)
        runs = runs_of(volume)
        self.box.slices.show_runs(runs)
        count = sum(run.last - run.first + 1 for run in runs)
        self.box.tell(slices=_SLICES.format(count="1 slice" if count == 1 else f"{count} slices") if runs else "")

    def _go_to(self, run: Run) -> None:
        volume = self._session.volumes[Role.SYNTHETIC]
        if volume is not None:
            self._views.model.show_place(run.place_in(self._views.model.placed[Role.SYNTHETIC]), Role.SYNTHETIC)
