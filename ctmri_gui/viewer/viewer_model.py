"""What the panes show: volumes, slice and camera per pane, windows, crosshair. Widgets ask here and render; none decides."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from ctmri_core.geometry import FloatArray, Geometry
from ctmri_core.preprocess.body_mask import coarse_body_mask
from ctmri_core.volume import Volume
from ctmri_gui.viewer.camera import Camera, Frame, body_frame
from ctmri_gui.viewer.presets import Preset, Window, first_window, percentile_window, presets_for
from ctmri_gui.viewer.roles import Role
from ctmri_gui.viewer.screen_layout import ScreenLayout, screen_layout

_COARSE_MM = 4.0


@dataclass(frozen=True)
class Pose:
    """Slice `k` of the reference grid and the part of it that is seen."""

    k: int
    camera: Camera


class ViewerModel(QObject):
    """All panes show slices (axis 0) of one grid, the reference: the source's, or without one the first volume's there is.

    Panes that are linked share one pose; an unlinked pane keeps its own. Windows are shared within a modality: CT panes
    have the same window; MR panes, whose units are arbitrary, move in proportion unless the synthetic one matches truth.
    """

    volumesChanged = Signal()
    posesChanged = Signal(object)  # tuple of roles
    windowsChanged = Signal(object)  # tuple of roles
    crosshairChanged = Signal()
    sliceChanged = Signal(int)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.volumes: dict[Role, Volume] = {}
        self.layout: ScreenLayout | None = None
        self.frame = Frame(0, 0, 1, 1)
        self.windows: dict[Role, Window] = {}
        self._placed: FloatArray | None = None
        self._pointed: FloatArray | None = None
        self.neurological = False
        self.matches_truth = False
        self._unlinked: set[Role] = set()
        self._opening = 0.5
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

    def pose(self, role: Role) -> Pose:
        return self._poses[role]

    def is_linked(self, role: Role) -> bool:
        return role not in self._unlinked

    def set_volume(self, role: Role, volume: Volume | None) -> None:
        """Puts a volume in a pane, or takes it away. Slice and camera stay unless the reference grid becomes another."""
        before = self._grid
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
            self._go_to_opening()
        self.volumesChanged.emit()
        if moved:
            self.sliceChanged.emit(self.slice)

    def set_neurological(self, neurological: bool) -> None:
        """Patient's right on screen left (False) or right; slice, zoom and the point in the middle stay."""
        before, self.neurological = self.layout, neurological
        self._lay_out()
        if before is not None and self.layout is not None:
            for role, pose in self._poses.items():
                middle = self.layout.from_mm(before.to_mm(*pose.camera.centre, pose.k))[:2]
                self._poses[role] = replace(pose, camera=replace(pose.camera, centre=middle))
        self.volumesChanged.emit()

    def set_slice(self, k: int, role: Role | None = None) -> None:
        """Clamped to the stack; in all linked panes, or in `role` alone when it is unlinked."""
        if self.layout is None:
            return
        k = min(max(k, 0), self.layout.geometry.shape[0] - 1)
        before = self.slice
        self._change(self._moving_with(role), k=k)
        if self.slice != before:
            self.sliceChanged.emit(self.slice)

    def step(self, forward: int, role: Role | None = None) -> None:
        """So many slices towards head, front or left."""
        if self.layout is not None:
            self.set_slice(self._pose_of(role).k + forward * self.layout.forward, role)

    def zoom(self, factor: float, anchor: tuple[float, float] | None, role: Role | None = None) -> None:
        self._change(self._moving_with(role), camera=self._pose_of(role).camera.zoomed(factor, anchor))

    def move(self, right: float, down: float, role: Role | None = None) -> None:
        self._change(self._moving_with(role), camera=self._pose_of(role).camera.moved(right, down))

    def reset_cameras(self) -> None:
        if self.layout is not None:
            self._change(tuple(Role), camera=Camera.on(self.frame))

    def set_linked(self, role: Role, linked: bool) -> None:
        """A pane that is linked again goes where the others are."""
        if linked:
            self._unlinked.discard(role)
            others = [other for other in self._linked_roles() if other is not role]
            if others:
                self._poses[role] = self._poses[others[0]]
                self.posesChanged.emit((role,))
        else:
            self._unlinked.add(role)

    def set_crosshair(self, mm: FloatArray | None, *, go: bool = False) -> None:
        """Places it, or takes it away. `go`: also show the slice nearest to the point."""
        self._placed = None if mm is None else np.asarray(mm, np.float64)
        if go and self._placed is not None and self.layout is not None:
            self.set_slice(round(self.layout.from_mm(self._placed)[2]))
        self.crosshairChanged.emit()

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
        return None if self.layout is None else self.layout.to_mm(*point, self._poses[role].k)

    def crosshair_in(self, role: Role) -> tuple[float, float] | None:
        """Where the crosshair is in a pane's picture; None when it lies in another slice."""
        if self.crosshair is None or self.layout is None:
            return None
        u, v, k = self.layout.from_mm(self.crosshair)
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
        self.layout = None
        if volume is not None:
            self.layout = screen_layout(volume.geometry, neurological=self.neurological)
            mask, _ = coarse_body_mask(volume, _COARSE_MM)
            self._opening = _telling_slice(mask)
            body = np.stack([self.layout.arrange(slice_) for slice_ in mask])
            self.frame = body_frame(body, self._opening, self.layout.size_mm)

    def _go_to_opening(self) -> None:
        self._placed = self._pointed = None
        if self.layout is not None:
            k = min(int(self._opening * self.layout.geometry.shape[0]), self.layout.geometry.shape[0] - 1)
            self._poses = dict.fromkeys(Role, Pose(k, Camera.on(self.frame)))

    def _linked_roles(self) -> tuple[Role, ...]:
        return tuple(role for role in Role if role not in self._unlinked)

    def _moving_with(self, role: Role | None) -> tuple[Role, ...]:
        return (role,) if role in self._unlinked and role is not None else self._linked_roles()

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


def _telling_slice(body: NDArray[np.bool_]) -> float:
    """Where a volume opens, from 0 to 1 through the stack: the widest section of the body within its middle half.

    In a head that is the brain above the skull base; shoulders at the end of a long neck do not count.
    """
    areas = body.reshape(len(body), -1).sum(axis=1)
    first, end = len(areas) // 4, len(areas) - len(areas) // 4
    middle = areas[first:end]
    if not middle.size or middle.max() == middle.min():
        return 0.5
    return float((first + np.argmax(middle) + 0.5) / len(areas))
