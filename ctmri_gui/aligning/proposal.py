"""Another place for the truth, shown for a look."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from ctmri_core.aligning.by_hand import Nudge
from ctmri_core.preprocess.spatial_transform import SpatialTransform

if TYPE_CHECKING:
    from ctmri_core.volume import Volume

_NOT_NUDGED = Nudge()


@dataclass(frozen=True, eq=False)
class Proposal:
    """`truth`: what lies in the case; `original`: what is moved, as it was read; `placed`: where `transform` puts it. `how`: for
    the record, empty for a place found by hand alone; `numbers`: how well it lies there. `nudge`: by hand on top of it."""

    source: Volume
    truth: Volume
    original: Volume
    transform: SpatialTransform
    placed: Volume
    how: str = ""
    numbers: str = ""
    nudge: Nudge = _NOT_NUDGED

    @property
    def may_be_nudged(self) -> bool:
        return self.transform.rigid

    @cached_property
    def full(self) -> SpatialTransform:
        """With what was done by hand."""
        return self.nudge.on(self.transform, self.placed.geometry.centre) if self.nudge else self.transform

    @cached_property
    def shown(self) -> Volume:
        """The truth in that place, with the record of it."""
        if not self.nudge:
            return self.placed
        from ctmri_core.aligning.placed import placed

        how = ", then moved ".join(part for part in (self.how, str(self.nudge)) if part)
        return placed(self.original, self.source, self.full, how if self.how else f"laid {self.nudge}")

    def nudged(self, nudge: Nudge) -> Proposal:
        return replace(self, nudge=nudge)

    @property
    def told(self) -> str:
        """One line for people."""
        full, grid = self.full, self.original.geometry
        moved = f"turned {full.turned_degrees:.1f}°, moved {full.moved_mm(grid):.1f} mm"
        found = f"As found: {self.numbers}; " if self.nudge else f"{self.numbers[:1].upper()}{self.numbers[1:]}; "
        by_hand = f" ({self.nudge})" if self.nudge and self.how else ""
        return f"{found if self.numbers else ''}{moved if self.numbers else moved.capitalize()}{by_hand}"
