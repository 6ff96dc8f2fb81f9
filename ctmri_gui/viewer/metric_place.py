"""Which slice the metrics are of: that of the plane in which the user goes through the stack, where all its panes agree."""

from __future__ import annotations

from dataclasses import dataclass

from ctmri_core.geometry import Geometry
from ctmri_gui.viewer.roles import Role
from ctmri_gui.viewer.viewer_model import ViewerModel


@dataclass(frozen=True)
class Place:
    """Slice `k` of `grid`, which `panes` show; `plane`: how they cut, in a word."""

    panes: tuple[str, ...]
    grid: Geometry
    k: int
    plane: str


def place_of(model: ViewerModel, followed: str) -> Place | None:
    """Where the panes of synthetic and truth are that cut as `followed` does; None where they show different slices."""
    displayed = model.displayed(followed)
    if displayed is None:
        return None
    panes = [pane for pane, spec in model.panes.items() if spec.role is not Role.SOURCE and _cut_alike(model, pane, followed)]
    first, *others = panes or [followed]
    shown = model.displayed(first)
    if shown is None or not all(model.show_one_slice(first, other) for other in others):
        return None
    return Place((first, *others), shown.grid, model.pose(first).k, shown.layout.plane)


def go_to(model: ViewerModel, place: Place, k: int) -> None:
    """Shows slice `k` in all panes of a place."""
    for pane in place.panes:
        model.set_slice(k, pane)


def _cut_alike(model: ViewerModel, one: str, other: str) -> bool:
    """Meant to cut in one plane, or doing so."""
    shown = model.displayed(one), model.displayed(other)
    if shown[0] is None or shown[1] is None:
        return False
    return model.panes[one].plane is model.panes[other].plane or shown[0].layout.plane == shown[1].layout.plane
