"""What the user corrects about an open volume: its kind, its voxel size, its tilt. The corrected one takes its place."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from ctmri_core.domain import Domain
from ctmri_core.events import StopSignal, Work
from ctmri_core.io.series import straightened, with_spacing
from ctmri_core.volume import Volume
from ctmri_gui.given_spacings import GivenSpacings
from ctmri_gui.jobs import work
from ctmri_gui.jobs.latest import Latest
from ctmri_gui.jobs.queue import Jobs
from ctmri_gui.origins import Origins
from ctmri_gui.viewer.roles import Role

if TYPE_CHECKING:
    from ctmri_core.geometry import Triple
    from ctmri_core.io.series import Series


class Changes(QObject):
    """One change for each pane at a time; a new one takes the place of one under way."""

    made = Signal(object, object, object)  # Role, the Volume as it was, the corrected Volume

    def __init__(self, jobs: Jobs, origins: Origins, spacings: GivenSpacings, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._origins, self._spacings = origins, spacings
        self._latest = {role: Latest(jobs) for role in Role}

    def drop(self, role: Role) -> None:
        """No change of this pane is wanted any more."""
        self._latest[role].drop()

    def set_domain(self, role: Role, volume: Volume, domain: Domain) -> None:
        if volume.domain is domain:
            self.drop(role)
            return
        changed = work.with_domain(volume, domain)
        self._ask(
            role, volume, self._origins.series_of(volume), "Look at the scan anew", partial(work.look_at, changed), listed=False
        )

    def correct_tilt(self, role: Role, volume: Volume) -> None:
        """Reads `volume` again, its tilted slices brought onto a straight grid."""
        series = self._origins.series_of(volume)
        if series is not None:
            self._load_again(role, volume, straightened(series), "Correct tilt")

    def set_spacing(self, role: Role, volume: Volume, spacing: Triple) -> None:
        """Reads `volume` again with the voxel size that the user gives: along (k, j, i), mm. Raises `FileRefused` where it is
        none."""
        series = self._origins.series_of(volume)
        if series is not None:
            told = with_spacing(series, spacing)
            self._spacings.settle(series, spacing)
            self._load_again(role, volume, told, "Set voxel size")

    def _load_again(self, role: Role, volume: Volume, series: Series, title: str) -> None:
        self._ask(role, volume, series, title, partial(work.load_again, series, volume.domain))

    def _ask(
        self,
        role: Role,
        volume: Volume,
        series: Series | None,
        title: str,
        begin: Callable[[StopSignal], Work[Volume | None]],
        *,
        listed: bool = True,
    ) -> None:
        """`series`: what the corrected volume is read from, where it is read."""

        def take(changed: Volume) -> None:
            if series is not None:
                self._origins.remember(changed, series)
            self.made.emit(role, volume, changed)

        self._latest[role].ask(title, begin, take, listed=listed)
