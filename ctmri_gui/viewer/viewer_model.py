"""What the panes show: volumes, slice and camera per pane, windows, crosshair. Widgets ask here and render; none decides."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from PySide6.QtCore import QObject, Signal

from ctmri_core.geometry import FloatArray, Geometry
from ctmri_core.volume import Volume
from ctmri_gui.viewer.camera import Camera, Frame
from ctmri_gui.viewer.displayed_grid import DisplayedGrid, Pose
from ctmri_gui.viewer.presets import Preset, Window, first_window, percentile_window, presets_for
from ctmri_gui.viewer.roles import Role
from ctmri_gui.viewer.screen_layout import ScreenLayout


class ViewerModel(QObject):
    """Linked panes show slices (axis 0) of one grid, the reference: the source's, or without one the first volume's there is.

    They share one pose; an unlinked pane keeps its own and goes through its own volume's slices. Windows are shared within a
    modality: CT panes have the same window; MR panes, whose units are arbitrary, move in proportion unless the synthetic one
    matches truth.
    """

    volumesChanged = Signal()
    posesChanged = Signal(object)  # tuple of roles
    windowsChanged = Signal(object)  # tuple of roles
    crosshairChanged = Signal()
    sliceChanged = Signal(int)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.volumes: dict[Role, Volume] = {}
        self._shared: DisplayedGrid | None = None
        self._alone: dict[Role, DisplayedGrid] = {}  # unlinked panes whose volumes lie on another grid
        self.windows: dict[Role, Window] = {}
        self._placed: FloatArray | None = None
        self._pointed: FloatArray | None = None
        self.neurological = False
        self.matches_truth = False
        self._unlinked: set[Role] = set()
        self._poses = dict.fromkeys(Role, Pose(0, Camera()))

    @property
    def reference(self) -> Role | None:
        return next((role for role in Role if role in self.volumes), None)

    @property
    def slice(self) -> int:
        """The slice of the reference grid that the linked panes show."""
        return self._poses[self._linked_roles()[0] if self._linked_roles() else Role.SOURCE].k

    @property
    def crosshair(self) -> FloatArray | None:
        """LPS mm: the point under the mouse while it points, else the one placed."""
        return self._placed if self._pointed is None else self._pointed

    @property
    def layout(self) -> ScreenLayout | None:
        """Of the linked panes."""
        return None if self._shared is None else self._shared.layout

    @property
    def frame(self) -> Frame:
        """Of the linked panes."""
        return Frame(0, 0, 1, 1) if self._shared is None else self._shared.frame

    def displayed(self, role: Role) -> DisplayedGrid | None:
        """The slices that a pane goes through; None without any volume."""
        return self._alone.get(role, self._shared)

    def pose(self, role: Role) -> Pose:
        """On the slices that the pane goes through."""
        return self._poses[role]

    def show_one_slice(self, one: Role, other: Role) -> bool:
        """Whether two panes show the same slice of the same grid."""
        same_grid = self.displayed(one) is self.displayed(other)
        return same_grid and self._poses[one].k == self._poses[other].k

    def is_linked(self, role: Role) -> bool:
        return role not in self._unlinked

    def set_volume(self, role: Role, volume: Volume | None) -> None:
        """Puts a volume in a pane, or takes it away. Slice and camera stay unless the reference grid becomes another;
        the number of the slice stays even then where the same files were read another way."""
        before, old, k = self._grid, self._reference_volume, self.slice
        volumes = {**self.volumes, role: volume}
        self.volumes = {one: present for one in Role if (present := volumes.get(one)) is not None}
        self.windows.pop(role, None)
        if volume is not None:
            self.windows[role] = self._opening_window(role, volume)
            self._follow_truth()
        grid = self._grid
        moved = grid is not None and (before is None or not before.is_close(grid))
        if moved or grid is None:
            self._lay_out()
            self._go_to_opening(k if _same_slices(old, self._reference_volume) else None)
        for unlinked in tuple(self._unlinked):
            self._part(unlinked)
        self.volumesChanged.emit()
        if moved:
            self.sliceChanged.emit(self.slice)

    def set_neurological(self, neurological: bool) -> None:
        """Patient's right on screen left (False) or right; slice, zoom and the point in the middle stay."""
        before = {role: self.displayed(role) for role in Role}
        self.neurological = neurological
        self._lay_out()
        for role, alone in self._alone.items():
            layout = DisplayedGrid.of(self.volumes[role], neurological=neurological).layout
            self._alone[role] = replace(alone, layout=layout)
        for role, pose in self._poses.items():
            old, new = before[role], self.displayed(role)
            if old is not None and new is not None:
                middle = new.layout.from_mm(old.layout.to_mm(*pose.camera.centre, pose.k))[:2]
                self._poses[role] = replace(pose, camera=replace(pose.camera, centre=middle))
        self.volumesChanged.emit()

    def set_slice(self, k: int, role: Role | None = None) -> None:
        """Clamped to the stack; in all linked panes, or in `role` alone when it is unlinked."""
        shown = self._displayed_with(role)
        if shown is None:
            return
        before = self.slice
        self._change(self._moving_with(role), k=shown.clamped(k))
        if self.slice != before:
            self.sliceChanged.emit(self.slice)

    def step(self, forward: int, role: Role | None = None) -> None:
        """So many slices towards head, front or left."""
        shown = self._displayed_with(role)
        if shown is not None:
            self.set_slice(self._pose_of(role).k + forward * shown.layout.forward, role)

    def zoom(self, factor: float, anchor: tuple[float, float] | None, role: Role | None = None) -> None:
        self._change(self._moving_with(role), camera=self._pose_of(role).camera.zoomed(factor, anchor))

    def move(self, right: float, down: float, role: Role | None = None) -> None:
        self._change(self._moving_with(role), camera=self._pose_of(role).camera.moved(right, down))

    def reset_cameras(self) -> None:
        for role in Role:
            shown = self.displayed(role)
            if shown is not None:
                self._change((role,), camera=Camera.on(shown.frame))

    def set_linked(self, role: Role, linked: bool) -> None:
        """A pane that is linked again goes where the others are; one that is not goes through its own volume."""
        before = self.displayed(role)
        if linked:
            self._unlinked.discard(role)
            self._alone.pop(role, None)
            others = [other for other in (*self._linked_roles(), *Role) if other is not role and other not in self._alone]
            if self.displayed(role) is not before or self._linked_roles() != (role,):
                self._poses[role] = self._poses[others[0]]
        else:
            self._unlinked.add(role)
            self._part(role)
        if self.displayed(role) is not before:
            self.volumesChanged.emit()
        self.posesChanged.emit((role,))

    def set_crosshair(self, mm: FloatArray | None, *, go: bool = False) -> None:
        """Places it, or takes it away. `go`: also show the slice nearest to the point."""
        self._placed = None if mm is None else np.asarray(mm, np.float64)
        if go and self._placed is not None:
            self.show_place(self._placed)
        self.crosshairChanged.emit()

    def show_place(self, mm: FloatArray) -> None:
        """The slice nearest to a point."""
        if self.layout is not None:
            self.set_slice(round(self.layout.from_mm(mm)[2]))

    def point_at(self, mm: FloatArray | None) -> None:
        """Shows the crosshair elsewhere for as long as the mouse points; None brings the placed one back."""
        self._pointed = mm
        self.crosshairChanged.emit()

    @property
    def foreign_frames(self) -> tuple[str, str] | None:
        """The frames of reference of the reference grid and the truth where both are known and differ."""
        shown, truth = self._reference_volume, self.volumes.get(Role.TRUTH)
        if shown is None or truth is None or shown.frame_of_reference is None or truth.frame_of_reference is None:
            return None
        frames = shown.frame_of_reference, truth.frame_of_reference
        return frames if frames[0] != frames[1] else None

    def point_mm(self, role: Role, point: tuple[float, float]) -> FloatArray | None:
        """LPS mm of a point of a pane's picture."""
        shown = self.displayed(role)
        return None if shown is None else shown.layout.to_mm(*point, self._poses[role].k)

    def crosshair_in(self, role: Role) -> tuple[float, float] | None:
        """Where the crosshair is in a pane's picture; None when it lies in another slice."""
        shown = self.displayed(role)
        if self.crosshair is None or shown is None:
            return None
        u, v, k = shown.layout.from_mm(self.crosshair)
        return (u, v) if abs(k - self._poses[role].k) <= 0.5 + 1e-6 else None

    def levels(self, role: Role) -> tuple[float, float]:
        return self.windows[role].levels(dicom=self.volumes[role].dicom is not None)

    def drag_window(self, role: Role, right: float, up: float) -> None:
        if role in self.windows:
            self.set_window(role, self.windows[role].dragged(right, up))

    def set_window(self, role: Role, window: Window) -> None:
        """The window of a pane, and of the panes whose windows go with it."""
        before = self.windows[role]
        peers = self._peers(role)
        for peer in peers:
            if self._same_scale(role, peer):
                self.windows[peer] = window
            else:
                own, ratio = self.windows[peer], self.windows[peer].width / before.width
                centre = own.centre + (window.centre - before.centre) * ratio
                self.windows[peer] = Window(centre, max(window.width * ratio, 1e-3))
        self.windowsChanged.emit(peers)

    def apply_preset(self, key: str, role: Role) -> None:
        """The preset on `key` in the list of the pane's modality; keys without a preset do nothing."""
        preset = next((one for one in self._presets(role) if one.key == key), None)
        if preset is None:
            return
        peers = self._peers(role)
        if preset.percentiles is not None:
            self.matches_truth = self.matches_truth and preset.key != "0"
            for peer in peers:
                self.windows[peer] = percentile_window(self.volumes[peer], *preset.percentiles)
        elif preset.window is not None:
            self.windows.update(dict.fromkeys(peers, preset.window))
        if preset.matches_truth:
            self.matches_truth = True
        self._follow_truth()
        self.windowsChanged.emit(peers)

    def reset_window(self, role: Role) -> None:
        """The window with which the volume opened, for the pane and its modality."""
        self.matches_truth = False
        peers = self._peers(role)
        for peer in peers:
            self.windows[peer] = first_window(self.volumes[peer])
        self.windowsChanged.emit(peers)

    def _presets(self, role: Role) -> Iterable[Preset]:
        return presets_for(self.volumes[role].domain) if role in self.volumes else ()

    def _opening_window(self, role: Role, volume: Volume) -> Window:
        for other, present in self.volumes.items():
            if other is not role and self._same_units(volume, present):
                return self.windows[other]
        return first_window(volume)

    def _follow_truth(self) -> None:
        if self.matches_truth and {Role.SYNTHETIC, Role.TRUTH} <= set(self._peers(Role.TRUTH)):
            self.windows[Role.SYNTHETIC] = self.windows[Role.TRUTH]

    def _same_scale(self, one: Role, other: Role) -> bool:
        matched = self.matches_truth and {one, other} == {Role.SYNTHETIC, Role.TRUTH}
        return one is other or matched or self._same_units(self.volumes[one], self.volumes[other])

    @staticmethod
    def _same_units(one: Volume, other: Volume) -> bool:
        return one.unit == other.unit == "HU"

    def _peers(self, role: Role) -> tuple[Role, ...]:
        """The panes of the same modality, `role` among them; nothing for an empty pane."""
        if role not in self.volumes:
            return ()
        modality = self.volumes[role].domain.modality
        return tuple(one for one, volume in self.volumes.items() if volume.domain.modality == modality)

    @property
    def _grid(self) -> Geometry | None:
        volume = self._reference_volume
        return None if volume is None else volume.geometry

    @property
    def _reference_volume(self) -> Volume | None:
        return None if self.reference is None else self.volumes[self.reference]

    def _lay_out(self) -> None:
        volume = self._reference_volume
        self._shared = None if volume is None else DisplayedGrid.of(volume, neurological=self.neurological)

    def _go_to_opening(self, k: int | None = None) -> None:
        """`k`: another slice than the one that tells most."""
        self._placed = self._pointed = None
        self._alone.clear()
        if self._shared is not None:
            opening = self._shared.opening_pose
            self._poses = dict.fromkeys(Role, opening if k is None else replace(opening, k=k))

    def _part(self, role: Role) -> None:
        """Leads an unlinked pane through its own volume's slices, from the place it shows; from the slice that tells most
        where that place is none in its volume, or no place in its frame of reference."""
        volume, shared, before = self.volumes.get(role), self._shared, self._alone.pop(role, None)
        if volume is None or shared is None or volume.geometry.is_close(shared.grid):
            if before is not None and shared is not None:
                self._poses[role] = self._poses[self.reference] if self.reference else shared.opening_pose
        elif before is not None and before.grid.is_close(volume.geometry):
            self._alone[role] = before
        else:
            own = DisplayedGrid.of(volume, neurological=self.neurological)
            foreign = role is Role.TRUTH and self.foreign_frames is not None
            alike = None if foreign or before is not None else own.showing_as(shared, self._poses[role])
            self._alone[role], self._poses[role] = alike or (own, own.opening_pose)

    def _linked_roles(self) -> tuple[Role, ...]:
        return tuple(role for role in Role if role not in self._unlinked)

    def _moving_with(self, role: Role | None) -> tuple[Role, ...]:
        return (role,) if role in self._unlinked and role is not None else self._linked_roles()

    def _displayed_with(self, role: Role | None) -> DisplayedGrid | None:
        return self._shared if role is None else self.displayed(role)

    def _pose_of(self, role: Role | None) -> Pose:
        return self._poses[self._moving_with(role)[0]] if self._moving_with(role) else self._poses[Role.SOURCE]

    def _change(self, roles: tuple[Role, ...], *, k: int | None = None, camera: Camera | None = None) -> None:
        changed = []
        for role in roles:
            before = self._poses[role]
            after = Pose(before.k if k is None else k, camera or before.camera)
            if after != before:
                self._poses[role] = after
                changed.append(role)
        if changed:
            self.posesChanged.emit(tuple(changed))


def _same_slices(one: Volume | None, other: Volume | None) -> bool:
    """Whether two volumes were read from the same files, slice for slice."""
    if one is None or other is None or not one.files:
        return False
    return one.files == other.files and one.geometry.shape[0] == other.geometry.shape[0]
