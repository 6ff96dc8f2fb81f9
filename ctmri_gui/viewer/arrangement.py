"""Which panes there are and how they stand: a layout on the screen."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

from PySide6.QtCore import QObject, Signal

from ctmri_gui.viewer.layouts import SIDE_BY_SIDE, PaneLayout, single
from ctmri_gui.viewer.pane_grid import PaneGrid
from ctmri_gui.viewer.panes import PaneSpec, Plane, named
from ctmri_gui.viewer.roles import Role
from ctmri_gui.viewer.slice_view import SliceView

_CHANGED = " (changed)"


class Arrangement(QObject):
    """`panes` by id, in the order in which they stand. `make`: builds a pane, ready for use, from its id and spec."""

    changed = Signal()  # other panes
    moved = Signal()  # other sizes, a pane maximised or in a window of its own

    def __init__(self, grid: PaneGrid, make: Callable[[str, PaneSpec], SliceView], parent: QObject) -> None:
        super().__init__(parent)
        self.grid, self._make = grid, make
        self.panes: dict[str, SliceView] = {}
        self._name, self._rows = SIDE_BY_SIDE.name, SIDE_BY_SIDE.rows
        grid.changed.connect(self.moved)

    @property
    def layout(self) -> PaneLayout:
        """What stands on the screen, with its sizes."""
        return PaneLayout(self._name, self._rows, self.grid.sizes)

    @property
    def rows(self) -> list[list[SliceView]]:
        panes = iter(self.panes.values())
        return [list(islice(panes, len(row))) for row in self._rows]

    def show(self, layout: PaneLayout) -> None:
        """Arranges other panes; one that shows the same as before stays what it was."""
        self._name, self._rows = layout.name, layout.rows
        before, self.panes = self.panes, {}
        for name, spec in named(layout.specs).items():
            kept = before.pop(name) if name in before and before[name].spec == spec else None
            self.panes[name] = kept or self._make(name, spec)
        self.grid.show_rows(self.rows, layout.sizes)
        for pane in before.values():
            pane.deleteLater()
        self.changed.emit()
        self.moved.emit()

    def show_in(self, pane: str, spec: PaneSpec) -> None:
        """Another volume or plane in one pane."""
        specs = iter([spec if name == pane else view.spec for name, view in self.panes.items()])
        rows = tuple(tuple(islice(specs, len(row))) for row in self._rows)
        name = self._name if self._name.endswith(_CHANGED) else f"{self._name}{_CHANGED}"
        self.show(PaneLayout(name, rows, self.grid.sizes))

    def show_single(self, pane: str) -> None:
        """One pane alone."""
        self.show(single(self.panes[pane].spec))

    def maximise(self, pane: str) -> None:
        """Shows one pane alone, or all again where it is alone already."""
        view = self.panes[pane]
        self.grid.maximise(None if self.grid.maximised is view else view)
        view.setFocus()

    def is_detached(self, pane: str) -> bool:
        return self.grid.is_detached(self.panes[pane])

    def set_detached(self, pane: str, detached: bool) -> None:
        """Puts a pane into a window of its own, for another screen, or brings it back."""
        view = self.panes[pane]
        if detached:
            plane = "" if view.spec.plane is Plane.ACQUIRED else f", {view.spec.plane.value}"
            self.grid.detach(view, f"{view.role.label}{plane} - CT-MRI Studio")
        else:
            self.grid.attach(view)

    def first(self, role: Role) -> SliceView | None:
        """The first pane of a volume, where there is one."""
        return next((pane for pane in self.panes.values() if pane.role is role), None)
