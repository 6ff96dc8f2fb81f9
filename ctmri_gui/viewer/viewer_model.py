"""What the panes show: volumes, slice and camera per pane, windows, crosshair. Widgets ask here and render; none decides."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from weakref import ref

import numpy as np
from PySide6.QtCore import QObject, Signal

from ctmri_core.geometry import FloatArray
from ctmri_core.volume import Volume
from ctmri_gui.viewer.camera import Camera, Frame
from ctmri_gui.viewer.crosshair import Crosshair, Spot
from ctmri_gui.viewer.displayed_grid import Display, DisplayedGrid, Pose
from ctmri_gui.viewer.draw_words import other_answer
from ctmri_gui.viewer.pane_poses import KeptPoses, PanePoses
from ctmri_gui.viewer.panes import PaneSpec, Plane, named
from ctmri_gui.viewer.preset_book import PresetBook
from ctmri_gui.viewer.presets import Window
from ctmri_gui.viewer.roles import MAIN, Role
from ctmri_gui.viewer.screen_layout import ScreenLayout
from ctmri_gui.viewer.volume_places import VolumePlaces, frames_apart
from ctmri_gui.viewer.volume_windows import VolumeWindows

THREE = named(PaneSpec(role) for role in MAIN)


@dataclass(frozen=True)
class ViewState:
    """How the volumes of a case were seen while it was on the screen."""

    poses: KeptPoses
    windows: dict[Role, tuple[ref[Volume], Window]]
    matches_truth: bool
    crosshair: Spot | None


class ViewerModel(QObject):
    """Linked panes show slices of one grid, the reference's: the source's, or without one the first volume's there is. How poses
    and windows go together is said by `PanePoses` and `VolumeWindows`. Panes have ids, volumes and windows have roles.
    """

    volumesChanged = Signal()
    panesChanged = Signal()
    posesChanged = Signal(object)  # tuple of ids of panes
    windowsChanged = Signal(object)  # tuple of roles
    crosshairChanged = Signal()
    sliceChanged = Signal(int)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.volumes: dict[Role, Volume] = {}
        self._places = VolumePlaces(self.volumes)
        self._poses = PanePoses(self._places, dict(THREE))
        self.presets = PresetBook(self)
        self._windows = VolumeWindows(self.volumes, self.presets)
        self._crosshair = Crosshair()

    # Panes ------------------------------------------------------------------------------------------------------------

    @property
    def panes(self) -> Mapping[str, PaneSpec]:
        return self._poses.panes

    def set_panes(self, panes: Mapping[str, PaneSpec]) -> None:
        """Other panes; those that show the same as before stay as they were. Planes that no pane showed open at the crosshair."""
        seen = {self._poses.cut(spec.plane) for spec in self.panes.values()}
        self._poses.set_panes(dict(panes))
        spot = self._crosshair.shown
        if spot is not None and self._is_of_reference(spot.of):
            self._show_in({spec.plane for spec in panes.values() if self._poses.cut(spec.plane) not in seen}, spot.mm)
        self.panesChanged.emit()

    @property
    def reference(self) -> Role | None:
        return next((role for role in Role if role in self.volumes), None)

    def displayed(self, pane: str) -> DisplayedGrid | None:
        """The slices that a pane goes through; None without any volume."""
        return self._poses.displayed(pane)

    def pose(self, pane: str) -> Pose:
        """On the slices that the pane goes through."""
        return self._poses.pose(pane)

    @property
    def slice(self) -> int:
        """The slice of the reference grid, as it was acquired, that the linked panes show."""
        return self._poses.shared_pose().k

    @property
    def layout(self) -> ScreenLayout | None:
        """Of the linked panes that show the slices as acquired."""
        shared = self._poses.shared()
        return None if shared is None else shared.layout

    @property
    def frame(self) -> Frame:
        """Of the linked panes that show the slices as acquired."""
        shared = self._poses.shared()
        return Frame(0, 0, 1, 1) if shared is None else shared.frame

    def show_one_slice(self, one: str, other: str) -> bool:
        """Whether two panes show the same slice of the same grid."""
        same_grid = self.displayed(one) is self.displayed(other)
        return same_grid and self.pose(one).k == self.pose(other).k

    # Volumes ----------------------------------------------------------------------------------------------------------

    @property
    def placed(self) -> dict[Role, Volume]:
        """The volumes as they lie on the screen: moved where one was linked by hand."""
        return self._places.placed

    def set_volume(self, role: Role, volume: Volume | None) -> None:
        """Puts a volume in the panes of a role, or takes it away. Slice and camera stay unless the reference grid becomes
        another; the number of the slice stays even then where the same files were read another way."""
        old, k, poses = self._places.reference, self.slice, self._poses
        before, present, leads = self.volumes.get(role), {**self.volumes, role: volume}, self.reference
        self.volumes.clear()
        self.volumes.update({one: found for one in Role if (found := present.get(one)) is not None})
        if not (_only_moved(before, volume) or other_answer(before, volume)):  # they are looked at in the window of the first
            self._windows.renew(role)
        new = self._places.reference
        moved = new is not None and (old is None or not old.geometry.is_close(new.geometry))
        if moved or new is None:
            self._crosshair.forget()
            poses.begin_anew(k if _same_slices(old, new) else None)
        elif volume is None or before is None or not before.geometry.is_close(volume.geometry):
            self._places.offsets.pop(role, None)
            self._crosshair.forget(role)
        if self.reference is not None and self.reference is not leads:
            self._places.offsets.pop(self.reference, None)  # the others are counted from it now
        poses.part_unlinked()
        self._places.place()
        self.volumesChanged.emit()
        if moved:
            self.sliceChanged.emit(self.slice)

    @property
    def foreign_frames(self) -> tuple[str, str] | None:
        """The frames of reference of the reference grid and the truth where both are known and differ."""
        return frames_apart(self.volumes.get(Role.TRUTH), self._places.reference)

    def keep(self) -> ViewState:
        """How everything is seen, for `put_back` once these volumes are shown again. Holds no volume."""
        windows = {role: (ref(volume), self.windows[role]) for role, volume in self.volumes.items()}
        return ViewState(self._poses.keep(), windows, self.matches_truth, self._crosshair.placed)

    def put_back(self, state: ViewState | None) -> None:
        """Everything is seen as it was, as far as the volumes are the same; None: nobody has seen them before."""
        before = self.slice
        if state is None:
            self.matches_truth = False
            return
        seen = {role: window for role, (volume, window) in state.windows.items() if volume() is self.volumes.get(role, self)}
        self._poses.put_back(state.poses, seen)
        self._windows.put_back(seen, state.matches_truth)
        self._crosshair.placed = state.crosshair if state.crosshair is not None and state.crosshair.of in self.volumes else None
        self._places.place()
        self.volumesChanged.emit()
        self._tell(tuple(self.panes), before)

    # Slices and cameras -----------------------------------------------------------------------------------------------

    def set_slice(self, k: int, pane: str | None = None) -> None:
        """Clamped to the stack; in all linked panes of the pane's plane, or in it alone when it is unlinked. Without a pane:
        of the slices as acquired."""
        before = self.slice
        changed = self._poses.show_shared(Plane.ACQUIRED, k) if pane is None else self._poses.move(pane, k=k)
        self._tell(changed, before)

    def set_pose(self, pane: str, pose: Pose) -> None:
        """Slice and camera at once, for the panes that move with this one."""
        before = self.slice
        self._tell(self._poses.move(pane, k=pose.k, camera=pose.camera), before)

    def step(self, forward: int, pane: str = Role.SOURCE) -> None:
        """So many slices towards head, front or left."""
        shown = self.displayed(pane)
        if shown is not None:
            self.set_slice(self.pose(pane).k + forward * shown.layout.forward, pane)

    def zoom(self, factor: float, anchor: tuple[float, float] | None, pane: str = Role.SOURCE) -> None:
        self._tell(self._poses.move(pane, camera=self.pose(pane).camera.zoomed(factor, anchor)))

    def move(self, right: float, down: float, pane: str = Role.SOURCE) -> None:
        self._tell(self._poses.move(pane, camera=self.pose(pane).camera.moved(right, down)))

    def reset_cameras(self) -> None:
        changed: set[str] = set()
        for pane in self.panes:
            shown = self.displayed(pane)
            if shown is not None:
                changed |= set(self._poses.move(pane, camera=Camera.on(shown.frame)))
        self._tell(tuple(changed))

    @property
    def display(self) -> Display:
        return self._poses.display

    def set_display(self, display: Display) -> None:
        """How patients lie on the screen; slice, zoom and the point in the middle stay."""
        if display != self._poses.display:
            self._poses.set_display(display)
            self.volumesChanged.emit()

    # Linking ----------------------------------------------------------------------------------------------------------

    def is_linked(self, pane: str) -> bool:
        return self._poses.is_linked(pane)

    def set_linked(self, pane: str, linked: bool) -> None:
        """A pane that is linked again goes where the others are; one that is not goes through its own volume. Linked is by
        place in the patient: an offset set by hand ends with the last pane that is linked by it."""
        before, role = self.displayed(pane), self.panes[pane].role
        offset = self.offset(role)
        if linked:
            self._poses.link(pane)
        else:
            self._poses.unlink(pane)
        self._places.place()
        if self.offset(role) is not offset or self.displayed(pane) is not before:
            self.volumesChanged.emit()
        self.posesChanged.emit((pane,))

    def set_role_linked(self, role: Role, linked: bool) -> None:
        """All panes of a volume, also those that are still to come."""
        (self._poses.apart.discard if linked else self._poses.apart.add)(role)
        for pane in self._poses.of_role(role):
            if self.is_linked(pane) is not linked:
                self.set_linked(pane, linked)

    def link_all(self) -> None:
        """As if nobody had ever unlinked anything."""
        self._poses.link_all()
        self._places.place()
        self.volumesChanged.emit()

    def can_link_as_shown(self, pane: str) -> bool:
        """Whether what an unlinked pane shows can be taken for another place than that of the others."""
        return self._poses.can_link_as_shown(pane)

    def link_as_shown(self, pane: str) -> None:
        """From now on what the pane shows is taken for the place that the others show, in all panes of its volume."""
        if self.can_link_as_shown(pane):
            self._poses.link_as_shown(pane)
            self._places.place()
            self.volumesChanged.emit()
            self.posesChanged.emit(tuple(self._poses.of_role(self.panes[pane].role)))

    def offset(self, role: Role) -> FloatArray | None:
        """LPS mm from a place of the reference to the same place of the volume, where it was linked by hand."""
        return self._places.offsets.get(role)

    # Places -----------------------------------------------------------------------------------------------------------

    def share_space(self, one: Role, other: Role) -> bool:
        """Whether a place of one volume means something in the other; see `PanePoses.share_space`."""
        return self._poses.share_space(one, other)

    def knows_places_of_reference(self, pane: str) -> bool:
        """Whether places of the reference mean something in a pane."""
        return pane in self.panes and self._is_of_reference(self.panes[pane].role)

    @property
    def crosshair(self) -> FloatArray | None:
        """LPS mm: the point under the mouse while it points, else the one placed."""
        return None if self._crosshair.shown is None else self._crosshair.shown.mm

    def set_crosshair(self, mm: FloatArray | None, *, go: bool = False, of: Role | None = None) -> None:
        """Places it, or takes it away. `go`: also show the slices nearest to the point. `of`: the volume whose place it is; by
        default the reference."""
        spot = self._crosshair.placed = self._spot_at(mm, of)
        if go and spot is not None:
            self.show_place(spot.mm, spot.of)
        self.crosshairChanged.emit()

    def show_place(self, mm: FloatArray, of: Role | None = None) -> None:
        """The slices nearest to a point of a volume (by default of the reference), in every plane; where it means nothing in the
        reference, only in the volume's own panes."""
        if of is None or self._is_of_reference(of):
            self._show_in((Plane.ACQUIRED, *(spec.plane for spec in self.panes.values())), mm)
            return
        for pane in self._poses.of_role(of):
            shown = self.displayed(pane)
            if shown is not None and not self.is_linked(pane):
                self.set_slice(round(shown.layout.from_mm(mm)[2]), pane)

    def show_acquired(self, mm: FloatArray) -> None:
        """The slice as acquired that is nearest to a point; other planes stay where they are."""
        self._show_in((Plane.ACQUIRED,), mm)

    def _show_in(self, planes: Iterable[Plane], mm: FloatArray) -> None:
        before = self.slice
        changed: list[str] = []
        for plane in dict.fromkeys(planes):
            shared = self._poses.shared(plane)
            if shared is not None:
                changed += self._poses.show_shared(plane, round(shared.layout.from_mm(mm)[2]))
        self._tell(tuple(dict.fromkeys(changed)), before)

    def point_at(self, mm: FloatArray | None, of: Role | None = None) -> None:
        """Shows the crosshair elsewhere for as long as the mouse points; None brings the placed one back. `of`: see
        `set_crosshair`."""
        self._crosshair.pointed = self._spot_at(mm, of)
        self.crosshairChanged.emit()

    def point_mm(self, pane: str, point: tuple[float, float]) -> FloatArray | None:
        """LPS mm of a point of a pane's picture."""
        shown = self.displayed(pane)
        return None if shown is None else shown.layout.to_mm(*point, self.pose(pane).k)

    def crosshair_in(self, pane: str) -> tuple[float, float] | None:
        """Where the crosshair is in a pane's picture; None when it lies in another slice, or means no place there."""
        shown, spot = self.displayed(pane), self._crosshair.shown
        if spot is None or shown is None or not self.share_space(spot.of, self.panes[pane].role):
            return None
        u, v, k = shown.layout.from_mm(spot.mm)
        return (u, v) if abs(k - self.pose(pane).k) <= 0.5 + 1e-6 else None

    def _spot_at(self, mm: FloatArray | None, of: Role | None) -> Spot | None:
        return None if mm is None else Spot(np.asarray(mm, np.float64), of or self.reference or Role.SOURCE)

    def _is_of_reference(self, role: Role) -> bool:
        reference = self.reference
        return reference is None or self.share_space(role, reference)

    # Windows ----------------------------------------------------------------------------------------------------------

    @property
    def windows(self) -> dict[Role, Window]:
        return self._windows.by_role

    @property
    def matches_truth(self) -> bool:
        return self._windows.matches_truth

    @matches_truth.setter
    def matches_truth(self, matches: bool) -> None:
        self._windows.matches_truth = matches

    def levels(self, role: Role) -> tuple[float, float]:
        return self._windows.levels(role)

    def drag_window(self, role: Role, right: float, up: float) -> None:
        if role in self.windows:
            self.set_window(role, self.windows[role].dragged(right, up))

    def set_window(self, role: Role, window: Window) -> None:
        """The window of a volume, and of those whose windows go with it."""
        self.windowsChanged.emit(self._windows.set(role, window))

    def put_windows(self, windows: Mapping[Role, Window]) -> None:
        """Each volume's own, as they were."""
        changed = tuple(role for role, window in windows.items() if self.windows.get(role, window) != window)
        self.windows.update({role: windows[role] for role in changed})
        if changed:
            self.windowsChanged.emit(changed)

    def apply_preset(self, preset_id: str, role: Role) -> None:
        """One of the presets that `presets` has for the volume, by number key or id; keys without a preset do nothing."""
        changed = self._windows.apply_preset(preset_id, role)
        if changed:
            self.windowsChanged.emit(changed)

    def reset_window(self, role: Role) -> None:
        """The window with which the volume opened, for it and its modality."""
        self.windowsChanged.emit(self._windows.reset(role))

    def _tell(self, changed: tuple[str, ...], slice_before: int | None = None) -> None:
        if changed:
            self.posesChanged.emit(changed)
        if slice_before is not None and self.slice != slice_before:
            self.sliceChanged.emit(self.slice)


def _only_moved(before: Volume | None, volume: Volume | None) -> bool:
    """Whether a picture lies in another place, and is the same."""
    if before is None or volume is None:
        return False
    return before.voxels is volume.voxels and before.domain is volume.domain and before.geometry is not volume.geometry


def _same_slices(one: Volume | None, other: Volume | None) -> bool:
    """Whether two volumes were read from the same files, slice for slice."""
    if one is None or other is None or not one.files:
        return False
    return one.files == other.files and one.geometry.shape[0] == other.geometry.shape[0]
