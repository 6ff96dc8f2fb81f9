"""Ties what came of a translation to the viewer and to its dock: maps, draws, slices to look at with care."""

from __future__ import annotations

from functools import partial

import numpy as np
from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from ctmri_core.volume import Volume
from ctmri_gui.session import Session
from ctmri_gui.settings import Settings
from ctmri_gui.translating.draws import Draws
from ctmri_gui.translating.made import Beside, Made
from ctmri_gui.translating.map_layers import inside_of, layers_of
from ctmri_gui.translating.results_box import DrawPart, MapPart, ResultsBox
from ctmri_gui.translating.slice_runs import Run, runs_of
from ctmri_gui.viewer.linked_views import LinkedViews
from ctmri_gui.viewer.maps.map_model import MapLayer
from ctmri_gui.viewer.maps.map_views import MapViews
from ctmri_gui.viewer.readout import Readout
from ctmri_gui.viewer.roles import Role

_SLICES = "{count} to look at with care, unlike what this model learnt from:"


class CertaintyLink(QObject):
    """`box`: what goes into the dock."""

    saveAsked = Signal(str)  # the word of what is to be saved first, empty for the picture that is shown

    def __init__(self, session: Session, settings: Settings, views: LinkedViews, window: QWidget) -> None:
        super().__init__(window)
        self._session, self._views = session, views
        self._made: Made | None = None
        self._layers: tuple[MapLayer, ...] = ()
        self.maps, self.draws = MapViews(views), Draws(session, views, self)
        self.box = ResultsBox(MapPart(self.maps.model, views, settings), DrawPart(self.draws, views))
        self.box.slices.chosen.connect(self._go_to)
        self.box.maps.saveAsked.connect(self._save_map)
        self.box.draws.saveAsked.connect(partial(self.saveAsked.emit, ""))
        session.volumeChanged.connect(self._follow)
        self._follow(Role.SYNTHETIC, session.volumes[Role.SYNTHETIC])

    def forms(self, readout: Readout | None) -> tuple[str, ...]:
        """The values under the mouse, that of the map among them: as `Readout.forms`."""
        if readout is None:
            return ("",)
        told = self.maps.words_at(np.asarray(readout.mm))
        return tuple("   ".join(part for part in (form, told) if part) for form in readout.forms)

    def beside(self) -> tuple[Beside, ...]:
        """What can be saved beside the volumes of the panes."""
        made, shown = self._session.made, self._session.volumes[Role.SYNTHETIC]
        if made is None:
            return ()
        maps = [
            Beside(told.kind, f"{told.title} map", layer.volume, is_map=True)
            for told, layer in zip(made.maps, self._layers, strict=True)
        ]
        answers = [Beside("picture", "Picture without draws", made.volume)]
        count = len(made.draws)
        answers += [Beside(f"draw{number}", f"Draw {number} of {count}", one) for number, one in enumerate(made.draws, 1)]
        return (*maps, *(one for one in answers if one.volume is not shown))

    def _follow(self, role: Role, volume: Volume | None) -> None:
        if role is not Role.SYNTHETIC:
            return
        made = self._session.made
        if made is not self._made:
            self._made, self._layers = made, layers_of(made)
            self.maps.model.set_layers(self._layers, inside_of(self._session.synthetic_source) if self._layers else None)
        runs = runs_of(volume if made is None else made.volume)  # a draw is of the same slices
        self.box.slices.show_runs(runs)
        count = sum(run.last - run.first + 1 for run in runs)
        self.box.tell(slices=_SLICES.format(count="1 slice" if count == 1 else f"{count} slices") if runs else "")

    def _save_map(self) -> None:
        chosen = self.maps.model.chosen
        words = [one.word for one in self.beside() if chosen is not None and one.volume is chosen.volume]
        self.saveAsked.emit(next(iter(words), ""))

    def _go_to(self, run: Run) -> None:
        volume = self._session.volumes[Role.SYNTHETIC]
        if volume is not None:
            self._views.model.show_place(run.place_in(self._views.model.placed[Role.SYNTHETIC]), Role.SYNTHETIC)
