"""Panes by name: whose volume each shows, and along which plane."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from ctmri_gui.viewer.roles import Role


class Plane(StrEnum):
    """How a pane cuts the patient. `ACQUIRED`: the slices of the reference volume as they were stored."""

    ACQUIRED = "acquired"
    AXIAL = "axial"
    CORONAL = "coronal"
    SAGITTAL = "sagittal"

    @property
    def label(self) -> str:
        return "As acquired" if self is Plane.ACQUIRED else self.value.capitalize()


@dataclass(frozen=True)
class PaneSpec:
    """`compare`: the way in which the pane shows its volume together with another's when the layout opens; empty for alone."""

    role: Role
    plane: Plane = Plane.ACQUIRED
    compare: str = ""


def named(specs: Iterable[PaneSpec]) -> dict[str, PaneSpec]:
    """The id of each pane: its role for the first of a role, then `source-2` and so on."""
    seen: Counter[Role] = Counter()
    panes = {}
    for spec in specs:
        seen[spec.role] += 1
        panes[spec.role.value if seen[spec.role] == 1 else f"{spec.role.value}-{seen[spec.role]}"] = spec
    return panes
