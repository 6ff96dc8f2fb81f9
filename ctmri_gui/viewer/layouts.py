"""Named arrangements of panes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ctmri_gui.viewer.panes import PaneSpec, Plane
from ctmri_gui.viewer.roles import MAIN, Role

_MOST_ROWS, _MOST_COLUMNS = 4, 6
_LARGEST = 100_000
Sizes = tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class PaneLayout:
    """`rows` of panes from the top, each from the left. `sizes`: the heights of the rows, then the widths in each row, in any
    unit; empty for equal ones."""

    name: str
    rows: tuple[tuple[PaneSpec, ...], ...]
    sizes: Sizes = ()

    @property
    def specs(self) -> tuple[PaneSpec, ...]:
        return tuple(spec for row in self.rows for spec in row)

    def stored(self) -> dict[str, Any]:
        """As JSON takes it."""
        rows = [[[spec.role.value, spec.plane.value, spec.compare] for spec in row] for row in self.rows]
        return {"name": self.name, "rows": rows, "sizes": [list(part) for part in self.sizes]}

    @classmethod
    def read(cls, stored: object) -> PaneLayout | None:
        """What `stored` gave; None for anything else."""
        if not isinstance(stored, Mapping) or not isinstance(name := stored.get("name"), str):
            return None
        try:
            rows = tuple(
                tuple(PaneSpec(Role(role), Plane(plane), str(compare)) for role, plane, compare in row) for row in stored["rows"]
            )
            sizes = tuple(tuple(min(max(int(size), 0), _LARGEST) for size in part) for part in stored.get("sizes", ()))
        except (KeyError, TypeError, ValueError, OverflowError):
            return None
        fits = 0 < len(rows) <= _MOST_ROWS and all(0 < len(row) <= _MOST_COLUMNS for row in rows)
        return cls(name, rows, sizes) if fits and name else None


_PLANES = (Plane.AXIAL, Plane.CORONAL, Plane.SAGITTAL)
SIDE_BY_SIDE = PaneLayout("Side by side", (tuple(PaneSpec(role) for role in MAIN),))
THREE_PLANES = PaneLayout("Three planes of each", tuple(tuple(PaneSpec(role, plane) for role in MAIN) for plane in _PLANES))
TWO_BY_TWO = PaneLayout(
    "Two by two",
    (
        (PaneSpec(Role.SOURCE), PaneSpec(Role.SYNTHETIC)),
        (PaneSpec(Role.TRUTH), PaneSpec(Role.SYNTHETIC, compare="difference")),
    ),
)
PLANES_OF_ONE = PaneLayout(
    "Planes of the source",
    ((PaneSpec(Role.SOURCE, Plane.AXIAL), PaneSpec(Role.SOURCE, Plane.CORONAL), PaneSpec(Role.SOURCE, Plane.SAGITTAL)),),
)
MODELS = "Models side by side"
BUILT_IN = (SIDE_BY_SIDE, THREE_PLANES, TWO_BY_TWO, PLANES_OF_ONE)


def models_side_by_side(roles: Sequence[Role], width: float, height: float) -> PaneLayout:
    """A pane for each of `roles`, in so many rows as make the pictures largest where there is so much room for them."""
    count = len(roles)
    columns = max(range(count, 0, -1), key=lambda n: min(width / n, height / -(-count // n)))
    rows = tuple(tuple(PaneSpec(role) for role in roles[first : first + columns]) for first in range(0, count, columns))
    return PaneLayout(MODELS, rows)


def single(spec: PaneSpec) -> PaneLayout:
    """One pane alone."""
    return PaneLayout("Single", ((spec,),))
