"""Scans that come in: which case each belongs to, and its first picture while it is being loaded."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from ctmri_core.volume import Volume
from ctmri_gui.cases.case import Case
from ctmri_gui.cases.cases import Cases
from ctmri_gui.models.library import Library
from ctmri_gui.openings import Opening, Openings
from ctmri_gui.origins import Origins
from ctmri_gui.placement import belongs, joins, roles_together
from ctmri_gui.settings import Settings
from ctmri_gui.viewer.compare.label_map import looks_like_mask, surely_mask
from ctmri_gui.viewer.roles import Role

if TYPE_CHECKING:
    from ctmri_core.io.series import Series


class Arrivals(QObject):
    """Puts what the openings load into its case. Signals tell of the case on the screen."""

    arrived = Signal()  # a scan is open
    previewed = Signal(object, object)  # Role, Volume: one slice of what will lie there
    previewOver = Signal()
    maskLike = Signal(object, object)  # Volume that looks like a mask over the case on the screen, what opens it as a scan

    def __init__(self, cases: Cases, openings: Openings, library: Library, settings: Settings, origins: Origins) -> None:
        super().__init__(openings)
        self._cases, self._openings, self._library, self._settings, self._origins = cases, openings, library, settings, origins
        self._previews: dict[Role, Volume] = {}
        self._previewed: Case | None = None
        openings.loaded.connect(self._take)
        openings.previewed.connect(self._preview)
        openings.previewOver.connect(self._end_preview)
        openings.over.connect(self._over)

    def previews_in(self, case: Case) -> bool:
        """Whether the panes of `case` show what is not open yet."""
        return self._openings.previewing and self._previewed is case

    def show_previews(self) -> None:
        """Tells once more of the first pictures of the case on the screen."""
        if self.previews_in(self._cases.current):
            for role, first in self._previews.items():
                self.previewed.emit(role, first)

    def place_demo(self, volumes: tuple[Volume, ...]) -> None:
        """In its own case, be it one that is open from before."""
        home = self._known(volumes) or self._cases.begin()
        home.place_together(volumes)
        self._cases.show(home)
        self.arrived.emit()

    def _take(self, opening: Opening, chosen: tuple[Series, ...], volumes: tuple[Volume, ...]) -> None:
        take = partial(self._take_scans, opening, chosen, volumes)
        shown = self._cases.current
        beside = not (opening.alone or shown.empty)
        if len(volumes) == 1 and (surely_mask(volumes[0]) or (beside and looks_like_mask(volumes[0]))):
            self.maskLike.emit(volumes[0], take)
        else:
            take()

    def _take_scans(self, opening: Opening, chosen: tuple[Series, ...], volumes: tuple[Volume, ...]) -> None:
        for volume, series in zip(volumes, chosen, strict=True):
            self._origins.remember(volume, series)
        for path in opening.paths:
            here = [volume for volume in volumes if volume.path is not None and volume.path.is_relative_to(path)]
            patients = [volume.dicom for volume in here if volume.dicom is not None]
            self._settings.remember(path, " and ".join(volume.label for volume in here), patients)
        seen = opening.home is not None  # whoever went to another case since then stays there
        home = self._home(opening, volumes, len(volumes))
        if len(volumes) > 1:
            home.place_together(volumes)
        else:
            home.place(volumes[0], opening.role)
        if opening.role is None and not seen:
            self._cases.show(home)
        if home is self._cases.current:
            self.arrived.emit()

    def _preview(self, opening: Opening, chosen: tuple[Series, ...], first: tuple[int, Volume]) -> None:
        number, volume = first
        seen = opening.home is not None
        home = self._home(opening, (volume,), len(chosen))
        if opening.role is None and not seen:
            self._cases.show(home)
        if len(chosen) > 1:
            together = roles_together(chosen, self._library.directions)
            role = next((role for role, series in together.items() if series is chosen[number]), None)
        else:
            role = home.place_of(volume, opening.role)
        if role is not None:
            self._previewed, self._previews[role] = home, volume
            if home is self._cases.current:
                self.previewed.emit(role, volume)

    def _end_preview(self) -> None:
        self._previews.clear()
        self._previewed = None
        self.previewOver.emit()

    def _over(self, opening: Opening) -> None:
        """A case that was begun for a scan which never came goes with it."""
        if opening.home is not None and opening.home.empty and self._cases.others:
            self._cases.close(opening.home)

    def _home(self, opening: Opening, volumes: Sequence[Volume], count: int) -> Case:
        """The case for an opening of `count` volumes, of which `volumes` are known."""
        home = opening.home
        if home is not None and home in self._cases.all:
            return home
        if opening.role is not None and opening.asked_in in self._cases.all:
            home = opening.asked_in
        else:
            home = self._open_home(opening, volumes, count) or self._cases.begin()
        opening.home = home
        return home

    def _open_home(self, opening: Opening, volumes: Sequence[Volume], count: int) -> Case | None:
        """The open case for volumes which nobody gave a pane; None for a new one."""
        if opening.alone:
            return None
        current = self._cases.current
        known = self._known(volumes)
        return known or (current if count == 1 and joins(volumes, current.volumes, self._library.direction) else None)

    def _known(self, volumes: Sequence[Volume]) -> Case | None:
        """The case that volumes are known to belong to, that on the screen before others."""
        cases = (self._cases.current, *self._cases.others)
        return next((case for case in cases if belongs(volumes, case.volumes)), None)
