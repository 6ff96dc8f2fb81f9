"""Puts into the panes what the model says: pictures, greys, texts, crosshairs."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from PySide6.QtCore import QSize

from ctmri_core.geometry import Geometry
from ctmri_core.volume import Volume
from ctmri_gui.viewer.annotations import EmptyText, PaneText
from ctmri_gui.viewer.pane_frame import show_provenance
from ctmri_gui.viewer.roles import Role
from ctmri_gui.viewer.slice_stack import SampledSlices, SliceStack, slices_of
from ctmri_gui.viewer.slice_view import SliceView
from ctmri_gui.viewer.viewer_model import ViewerModel

_EMPTY = {
    Role.SOURCE: EmptyText("Drop a CT or MR here", "DICOM, NIfTI, MHA, NRRD, MGZ, pictures or a zip"),
    Role.SYNTHETIC: EmptyText("Translate to fill this pane", "Choose a model and run it"),
    Role.TRUTH: EmptyText("Drop the real image here", "to compare the synthetic one with it"),
}
_NOTHING_HERE = EmptyText("Nothing of this image lies on this slice", "Unlink this pane to go through its own slices")
_PREPARING = EmptyText("Resampling …", "onto the slices of the source")


class PaneContents:
    """Follows the model's signals; the panes' own state is set here and nowhere else."""

    def __init__(self, model: ViewerModel, panes: Mapping[Role, SliceView]) -> None:
        self._model, self._panes = model, panes
        self._stacks: dict[Role, SliceStack] = {}
        self._empty = dict(_EMPTY)
        self._inverted = False
        model.volumesChanged.connect(self.show_volumes)
        model.posesChanged.connect(self._show_poses)
        model.windowsChanged.connect(self._show_windows)
        model.crosshairChanged.connect(self._show_crosshair)

    def set_empty(self, role: Role, headline: str, detail: str) -> None:
        """What the pane says without a volume; without a headline the usual invitation."""
        self._empty[role] = EmptyText(headline, detail) if headline else _EMPTY[role]
        if role not in self._model.volumes:
            self._panes[role].set_empty(self._empty[role])

    def set_inverted(self, inverted: bool) -> None:
        """Bright becomes dark, and each picture says so."""
        self._inverted = inverted
        self._show_windows(tuple(self._stacks))

    def fit_panes(self) -> None:
        """One scale for all panes: the smallest one's that shows the body."""
        shown = [pane.canvas.size() for pane in self._panes.values() if not pane.isHidden()]
        fit = QSize(min(size.width() for size in shown), min(size.height() for size in shown))
        for role, pane in self._panes.items():
            displayed = self._model.displayed(role)
            pane.set_fit(fit, self._model.frame if displayed is None else displayed.frame)

    def close(self) -> None:
        """No more pictures are made ahead."""
        for stack in self._stacks.values():
            stack.close()

    def show_volumes(self) -> None:
        for role, pane in self._panes.items():
            volume, displayed = self._model.volumes.get(role), self._model.displayed(role)
            if volume is None or displayed is None:
                self._close_stack(role)
                pane.set_empty(self._empty[role])
                pane.set_picture(None, (1.0, 1.0))
                pane.header.set_title("")
                pane.strip.set_note("")
            elif role not in self._stacks or not self._stacks[role].serves(volume, displayed.grid):
                self._close_stack(role)
                self._open_stack(role, volume, displayed.grid)
        self.fit_panes()
        self._show_windows(tuple(self._stacks))
        self._show_poses(tuple(self._stacks))

    def _open_stack(self, role: Role, volume: Volume, grid: Geometry) -> None:
        stack = slices_of(volume, grid, partial(self._show_slice, role))
        self._stacks[role] = stack
        pane = self._panes[role]
        show_provenance(pane.header, pane.strip, volume, resampled=isinstance(stack, SampledSlices))

    def _close_stack(self, role: Role) -> None:
        if role in self._stacks:
            self._stacks.pop(role).close()

    def _show_poses(self, roles: tuple[Role, ...]) -> None:
        for role in roles:
            self._panes[role].set_camera(self._model.pose(role).camera)
            self._show_slice(role)
        self._show_crosshair()

    def _show_slice(self, role: Role) -> None:
        displayed, pane, stack = self._model.displayed(role), self._panes[role], self._stacks.get(role)
        if displayed is None or stack is None:
            return
        layout, k = displayed.layout, self._model.pose(role).k
        picture = stack.picture(k)
        pane.set_empty(_PREPARING if picture is None else None if stack.reaches(k) else _NOTHING_HERE)
        pane.set_picture(None if picture is None else layout.arrange(picture), layout.size_mm)
        self._show_text(role)

    def _show_text(self, role: Role) -> None:
        displayed, stack = self._model.displayed(role), self._stacks.get(role)
        if displayed is None or stack is None:
            return
        layout = displayed.layout
        convention = "NEUROLOGICAL" if self._model.neurological else "RADIOLOGICAL"
        position = stack.position_label(self._model.pose(role).k)
        window, letters = self._model.windows[role].label, layout.edge_letters
        self._panes[role].set_text(PaneText(letters, position, window, convention, layout.plane, self._inverted))

    def _show_windows(self, roles: tuple[Role, ...]) -> None:
        for role in roles:
            low, high = self._model.levels(role)
            self._panes[role].set_levels(*((high, low) if self._inverted else (low, high)))
            self._show_text(role)

    def _show_crosshair(self) -> None:
        for role, pane in self._panes.items():
            pane.set_crosshair(self._model.crosshair_in(role) if role in self._stacks else None)
