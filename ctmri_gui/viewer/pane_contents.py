"""Puts into the panes what the model says: pictures, greys, texts, crosshairs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np
from PySide6.QtCore import QSize
from PySide6.QtWidgets import QWidget

from ctmri_core.geometry import letters
from ctmri_core.volume import Volume
from ctmri_gui.viewer.annotations import EmptyText, PaneText
from ctmri_gui.viewer.camera import Frame
from ctmri_gui.viewer.draw_words import other_answer
from ctmri_gui.viewer.pane_frame import show_provenance
from ctmri_gui.viewer.roles import FURTHER, Role
from ctmri_gui.viewer.slice_stack import SampledSlices, SliceStack
from ctmri_gui.viewer.slice_stacks import SliceStacks
from ctmri_gui.viewer.slice_view import SliceView
from ctmri_gui.viewer.viewer_model import ViewerModel

_EMPTY = {
    Role.SOURCE: EmptyText("Drop a CT or MR here", "DICOM, NIfTI, MHA, NRRD, MGZ, pictures or a zip"),
    Role.SYNTHETIC: EmptyText("Translate to fill this pane", "Choose a model and run it"),
    Role.TRUTH: EmptyText("Drop the real image here", "to compare the synthetic one with it"),
    **dict.fromkeys(FURTHER, EmptyText("No other model here", "Tick several models and compare them")),
}
_NOTHING_HERE = EmptyText("Nothing of this image lies on this slice", "Unlink this pane to go through its own slices")
_PREPARING = EmptyText("Resampling …", "onto the slices of the source")


class PaneContents:
    """Follows the model's signals; the panes' own state is set here and nowhere else."""

    def __init__(self, model: ViewerModel, panes: Mapping[str, SliceView]) -> None:
        self._model, self._panes = model, dict(panes)
        self.stacks = SliceStacks()
        self.stacks.listeners.append(self._show_first)
        self._shown: dict[str, SliceStack] = {}
        self._empty = dict(_EMPTY)
        self._instead: dict[Role, Volume] = {}
        self._several = False
        self.inverted = False
        model.volumesChanged.connect(self.show_volumes)
        model.posesChanged.connect(self._show_poses)
        model.windowsChanged.connect(self._show_windows)
        model.crosshairChanged.connect(self._show_crosshair)

    def set_panes(self, panes: Mapping[str, SliceView]) -> None:
        """Other panes; what they show comes with `show_volumes`."""
        self._shown = {name: stack for name, stack in self._shown.items() if panes.get(name) is self._panes.get(name)}
        self._panes = dict(panes)

    def set_empty(self, role: Role, headline: str, detail: str) -> None:
        """What the panes of a role say without a volume; without a headline the usual invitation."""
        self._empty[role] = EmptyText(headline, detail) if headline else _EMPTY[role]
        if role not in self._model.volumes:
            for pane in self._panes.values():
                if pane.role is role:
                    pane.set_empty(self._empty[role])

    def show_instead(self, role: Role, volume: Volume | None) -> None:
        """Another answer of the same model in the panes of a role, for a look at it; None ends that."""
        if volume is self._instead.get(role):
            return
        self._instead.pop(role, None)
        if volume is not None:
            self._instead[role] = volume
        self.show_volumes()

    def _volume_in(self, pane: SliceView) -> Volume | None:
        """What a pane shows, as it lies on the screen."""
        placed, instead = self._model.placed.get(pane.role), self._instead.get(pane.role)
        if placed is None or instead is None or not other_answer(instead, self._model.volumes.get(pane.role)):
            return placed
        return instead if instead.geometry is placed.geometry else replace(instead, geometry=placed.geometry)

    def set_inverted(self, inverted: bool) -> None:
        """Bright becomes dark, and each picture says so."""
        self.inverted = inverted
        self._show_windows(tuple(Role))

    def fit_panes(self) -> None:
        """One scale for all panes of a window, whatever planes they show: the smallest one's that shows the largest body."""
        shown: dict[QWidget, list[tuple[SliceView, Frame]]] = {}
        for name, pane in self._panes.items():
            if not pane.isHidden():
                displayed = self._model.displayed(name)
                frame = self._model.frame if displayed is None else displayed.frame
                shown.setdefault(pane.window(), []).append((pane, frame))
        for beside in shown.values():
            fit = QSize(min(pane.canvas.width() for pane, _ in beside), min(pane.canvas.height() for pane, _ in beside))
            width, height = max(frame.width for _, frame in beside), max(frame.height for _, frame in beside)
            for pane, frame in beside:
                pane.set_fit(fit, frame.widened(width, height))

    def close(self) -> None:
        """No more pictures are made ahead."""
        self.stacks.close()

    def show_volumes(self) -> None:
        """Everything anew, but for pictures that are there already."""
        several = sum(role.is_synthetic for role in self._model.volumes) > 1
        if several is not self._several:
            self._several = several
            self._shown.clear()  # what is called otherwise from now on
        for name, pane in self._panes.items():
            volume, displayed = self._volume_in(pane), self._model.displayed(name)
            if volume is None or displayed is None:
                self._shown.pop(name, None)
                pane.set_empty(self._empty[pane.role])
                pane.set_picture(None, (1.0, 1.0))
                pane.header.set_title("")
                pane.strip.set_note("")
                continue
            stack = self.stacks.of(volume, displayed)
            if self._shown.get(name) is not stack:
                self._shown[name] = stack
                self.show_name(name)
            pane.header.set_offset(self._offset_words(pane.role))
        self._show_links(self._panes)
        self.stacks.keep("panes", self._shown.values())
        self.fit_panes()
        self._show_windows(tuple(Role))
        self._show_poses(tuple(self._shown))

    def show_name(self, name: str) -> None:
        """What a pane shows, in its bars, as long as it shows its own volume alone."""
        pane, stack = self._panes[name], self._shown.get(name)
        volume = self._volume_in(pane)
        if volume is not None and stack is not None:
            sampled = isinstance(stack, SampledSlices)
            letter = pane.role.letter if self._several else ""
            show_provenance(pane.header, pane.strip, volume, resampled=sampled, letter=letter)

    def _offset_words(self, role: Role) -> str:
        """`12.0 mm S, 3.5 mm L`; empty where the volume lies where its file says."""
        offset = self._model.offset(role)
        if offset is None:
            return ""
        parts = [f"{abs(part):.1f} mm {letters(np.sign(part) * axis)}" for part, axis in zip(offset, np.eye(3), strict=True)]
        told = [part for part in parts if not part.startswith("0.0")]
        return ", ".join(told) or "0 mm"

    def _show_first(self, stack: SliceStack) -> None:
        for name, shown in self._shown.items():
            if shown is stack:
                self._show_slice(name)

    def _show_links(self, panes: Iterable[str]) -> None:
        for name in panes:
            if name in self._panes and name in self._model.panes:
                self._panes[name].header.set_linked(self._model.is_linked(name))

    def _show_poses(self, panes: Iterable[str]) -> None:
        self._show_links(panes)
        for name in panes:
            if name in self._panes:
                self._panes[name].set_camera(self._model.pose(name).camera)
                self._show_slice(name)
        self._show_crosshair()

    def _show_slice(self, name: str) -> None:
        displayed, pane, stack = self._model.displayed(name), self._panes[name], self._shown.get(name)
        if displayed is None or stack is None:
            return
        layout, k = displayed.layout, self._model.pose(name).k
        picture = stack.picture(k)
        pane.set_empty(_PREPARING if picture is None else None if stack.reaches(k) else _NOTHING_HERE)
        pane.set_picture(None if picture is None else layout.arrange(picture), layout.size_mm)
        self._show_text(name)

    def _show_text(self, name: str) -> None:
        displayed, stack, role = self._model.displayed(name), self._shown.get(name), self._panes[name].role
        if displayed is None or stack is None:
            return
        layout = displayed.layout
        convention = "NEUROLOGICAL" if self._model.display.neurological else "RADIOLOGICAL"
        position = stack.position_label(self._model.pose(name).k)
        window, edges = self._model.windows[role].label, layout.edge_letters
        self._panes[name].set_text(PaneText(edges, position, window, convention, layout.plane, self.inverted))

    def _show_windows(self, roles: Iterable[Role]) -> None:
        for name in self._shown:
            role = self._panes[name].role
            if role in roles:
                low, high = self._model.levels(role)
                self._panes[name].set_levels(*((high, low) if self.inverted else (low, high)))
                self._show_text(name)

    def _show_crosshair(self) -> None:
        for name, pane in self._panes.items():
            pane.set_crosshair(self._model.crosshair_in(name) if name in self._shown else None)
