"""What a person asked to be saved."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ctmri_gui.film.look import Look


class Kind(StrEnum):
    """In the order in which they are offered."""

    PICTURE = "picture"
    GRID = "grid"
    SCROLL = "scroll"
    WIPE = "wipe"

    @property
    def label(self) -> str:
        return _LABELS[self]

    @property
    def is_film(self) -> bool:
        return self in (Kind.SCROLL, Kind.WIPE)

    @property
    def takes_slices(self) -> bool:
        return self in (Kind.GRID, Kind.SCROLL)


_LABELS = {
    Kind.PICTURE: "Picture",
    Kind.GRID: "Grid of slices",
    Kind.SCROLL: "Film through the slices",
    Kind.WIPE: "Film of the wipe",
}


@dataclass(frozen=True)
class Order:
    """`panes`: ids of those that are shown; `leading`: the one whose slices are gone through; `slices`: their numbers, from 0.
    `columns`: of a grid. `rate`: frames per second of a film; `film_suffix`: of its file."""

    kind: Kind
    panes: tuple[str, ...]
    leading: str
    look: Look
    slices: range = range(1)
    columns: int = 5
    rate: int = 10
    there_and_back: bool = False
    film_suffix: str = ".gif"

    @property
    def suffix(self) -> str:
        """Of the file."""
        return self.film_suffix if self.kind.is_film else ".png"
