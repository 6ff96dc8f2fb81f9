"""Where volumes lie: where their files say, or where somebody put them by linking a pane by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ctmri_core.geometry import FloatArray
from ctmri_core.volume import Volume
from ctmri_gui.viewer.displayed_grid import Display, DisplayedGrid
from ctmri_gui.viewer.panes import PaneSpec
from ctmri_gui.viewer.roles import Role


class VolumePlaces:
    """`volumes`: those of the panes, kept up to date by their owner; the first in the order of roles is the reference, which
    stays where it is. `offsets`: mm from a place of the reference to the same place of a volume that was moved. `placed`: the
    volumes as they lie, after `place`; the voxels are the same.
    """

    def __init__(self, volumes: dict[Role, Volume]) -> None:
        self._volumes = volumes
        self.offsets: dict[Role, FloatArray] = {}
        self.placed: dict[Role, Volume] = {}

    @property
    def reference(self) -> Volume | None:
        return next((self._volumes[role] for role in Role if role in self._volumes), None)

    def place(self) -> None:
        """After volumes or offsets have changed."""
        self.placed = {role: self._moved(role, volume) for role, volume in self._volumes.items()}

    def is_elsewhere(self, role: Role) -> bool:
        """Whether there is such a volume beside the reference."""
        return role in self._volumes and self._volumes[role] is not self.reference

    def is_foreign(self, role: Role) -> bool:
        """Whether places of the reference mean nothing in the volume, as far as is known: its frame of reference is another, and
        nobody has moved it."""
        return role not in self.offsets and frames_apart(self._volumes.get(role), self.reference) is not None

    def are_apart(self, one: Role, other: Role) -> bool:
        """Whether two volumes have frames of reference that are known to differ."""
        return frames_apart(self._volumes.get(one), self._volumes.get(other)) is not None

    def own_slices(self, spec: PaneSpec, display: Display) -> DisplayedGrid:
        """The slices of a volume where it lies."""
        own, offset = DisplayedGrid.of(self._volumes[spec.role], spec.plane, display), self.offsets.get(spec.role)
        return own if offset is None else own.shifted(-offset)

    def _moved(self, role: Role, volume: Volume) -> Volume:
        offset, before = self.offsets.get(role), self.placed.get(role)
        if offset is None:
            return volume
        x, y, z = (np.asarray(volume.geometry.origin) - offset).tolist()
        moved = replace(volume, geometry=replace(volume.geometry, origin=(x, y, z)))
        same = before is not None and before.voxels is volume.voxels and before.geometry == moved.geometry
        return before if same and before is not None else moved


def frames_apart(volume: Volume | None, reference: Volume | None) -> tuple[str, str] | None:
    """The frames of reference of both, where they are known and differ."""
    if volume is None or reference is None or volume.frame_of_reference is None or reference.frame_of_reference is None:
        return None
    frames = reference.frame_of_reference, volume.frame_of_reference
    return frames if frames[0] != frames[1] else None
