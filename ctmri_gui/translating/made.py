"""What comes of one translation, as the window keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ctmri_core.volume import Volume

if TYPE_CHECKING:
    from ctmri_core.inference.value_map import ValueMap


@dataclass(frozen=True, eq=False)
class Beside:
    """What can be saved beside the picture that is shown. `word`: in the name of its file; `label`: in words."""

    word: str
    label: str
    volume: Volume
    is_map: bool = False


@dataclass(frozen=True, eq=False)
class Made:
    """`maps`: what is told of `volume` voxel by voxel; `draws`: other answers that are as plausible; `finished`: whether it was
    not stopped on the way."""

    volume: Volume
    maps: tuple[ValueMap, ...] = ()
    draws: tuple[Volume, ...] = ()
    finished: bool = True

    @property
    def answers(self) -> tuple[Volume, ...]:
        """The picture, then the draws."""
        return (self.volume, *self.draws)

    def has(self, volume: Volume | None) -> bool:
        """Whether it is one of the answers."""
        return any(volume is one for one in self.answers)

    @property
    def map_bytes(self) -> int:
        return sum(one.values.nbytes for one in self.maps)
