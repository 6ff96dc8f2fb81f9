"""Where the crosshair is: the point under the mouse while it points, else the one placed."""

from __future__ import annotations

from dataclasses import dataclass

from ctmri_core.geometry import FloatArray
from ctmri_gui.viewer.roles import Role


@dataclass(frozen=True)
class Spot:
    """LPS mm of a place in the volume of a role."""

    mm: FloatArray
    of: Role


class Crosshair:
    """Either may be None."""

    def __init__(self) -> None:
        self.placed: Spot | None = None
        self.pointed: Spot | None = None

    @property
    def shown(self) -> Spot | None:
        return self.placed if self.pointed is None else self.pointed

    def forget(self, of: Role | None = None) -> None:
        """No crosshair; only where it was in the volume `of`, if one is given."""
        if of is None or (self.placed is not None and self.placed.of is of):
            self.placed = None
        if of is None or (self.pointed is not None and self.pointed.of is of):
            self.pointed = None
