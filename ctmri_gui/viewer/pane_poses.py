"""Which slices each pane goes through, and where it is on them. Arithmetic alone: who moves tells the panes."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np

from ctmri_core.geometry import FloatArray
from ctmri_gui.viewer.camera import Camera
from ctmri_gui.viewer.displayed_grid import Display, DisplayedGrid, Pose
from ctmri_gui.viewer.panes import PaneSpec, Plane
from ctmri_gui.viewer.plane_grids import is_straight, native_plane
from ctmri_gui.viewer.roles import Role
from ctmri_gui.viewer.volume_places import VolumePlaces

_NOWHERE = Pose(0, Camera())
_NOTHING_MM = 1e-3


@dataclass(frozen=True)
class _Alone:
    """What an unlinked pane goes through. `own`: its volume's slices, not the linked panes'."""

    shown: DisplayedGrid
    pose: Pose
    own: bool


@dataclass(frozen=True)
class KeptPoses:
    """Where all panes were: those of a plane together, those that were not linked each for itself."""

    panes: dict[str, PaneSpec]
    shared: dict[Plane, tuple[DisplayedGrid, Pose]]
    alone: dict[str, tuple[DisplayedGrid, Pose]]
    offsets: dict[Role, FloatArray]
    apart: frozenset[Role]


class PanePoses:
    """Linked panes of one plane show slices of one grid, the reference volume's, and share one pose on them.

    An unlinked pane has a pose of its own; it goes through its own volume's slices where these lie elsewhere. A volume that was
    linked by hand stays where it was put, for as long as one of its panes is linked by it; all its panes, also those that go
    through its own slices, have it there. `unlinked`: panes by id; `apart`: volumes none of whose panes is linked, nor those
    that are still to come.
    """

    def __init__(self, places: VolumePlaces, panes: dict[str, PaneSpec]) -> None:
        self._places = places
        self.panes = panes
        self.display = Display()
        self.unlinked: set[str] = set()
        self.apart: set[Role] = set()
        self._shared: dict[Plane, DisplayedGrid] = {}
        self._poses: dict[Plane, Pose] = {}
        self._alone: dict[str, _Alone] = {}

    def shared(self, plane: Plane = Plane.ACQUIRED) -> DisplayedGrid | None:
        """The slices that linked panes of a plane show; None without any volume."""
        volume, cut = self._places.reference, self.cut(plane)
        if volume is None:
            return None
        if cut not in self._shared:
            self._shared[cut] = DisplayedGrid.of(volume, plane, self.display)
            self._poses[cut] = self._shared[cut].opening_pose
        return self._shared[cut]

    def displayed(self, pane: str) -> DisplayedGrid | None:
        """The slices that a pane goes through; None without any volume."""
        alone = self._alone.get(pane)
        return self.shared(self.panes[pane].plane) if alone is None else alone.shown

    def pose(self, pane: str) -> Pose:
        """On the slices that the pane goes through."""
        alone = self._alone.get(pane)
        return self.shared_pose(self.panes[pane].plane) if alone is None else alone.pose

    def shared_pose(self, plane: Plane = Plane.ACQUIRED) -> Pose:
        """Of the linked panes of a plane; where none is linked, of the first that goes through the same slices all the same."""
        panes = self._of_plane(plane)
        if not any(pane not in self._alone for pane in panes):
            ours = [pane for pane in panes if not self._alone[pane].own]
            ours.sort(key=lambda pane: self._places.is_elsewhere(self.panes[pane].role))  # the reference first
            if ours:
                return self._alone[ours[0]].pose
        return self._poses[self.cut(plane)] if self.shared(plane) is not None else _NOWHERE

    def is_linked(self, pane: str) -> bool:
        return pane not in self.unlinked

    def share_space(self, one: Role, other: Role) -> bool:
        """Whether a place of one volume means something in the other: they have one frame of reference, as far as is known, or
        are linked all the same."""
        return one is other or not self._places.are_apart(one, other) or (self._follows(one) and self._follows(other))

    def begin_anew(self, k: int | None = None) -> None:
        """The reference grid is another: all panes where it tells most, or at its stored slice `k`."""
        self._shared.clear()
        self._poses.clear()
        self._alone.clear()
        self._places.offsets.clear()
        shared = self.shared()
        if shared is not None and k is not None:
            self._poses[self.cut(Plane.ACQUIRED)] = replace(shared.opening_pose, k=k)

    def set_panes(self, panes: dict[str, PaneSpec]) -> None:
        """Other panes; those that show the same as before stay as they were. New ones are linked, unless their volume is not."""
        kept = {pane for pane, spec in panes.items() if pane in self.panes and self.panes[pane] == spec}
        new = {pane for pane, spec in panes.items() if pane not in kept and spec.role in self.apart}
        self.panes = panes
        self.unlinked = self.unlinked & kept | new
        self._alone = {pane: alone for pane, alone in self._alone.items() if pane in kept}
        for pane in new:
            self._part(pane)

    def set_display(self, display: Display) -> None:
        """Slice, zoom and the point in the middle stay, as nearly as the slices do."""
        if display.straight != self.display.straight:
            self._reslice(display.straight)
        self.display = display
        for plane, shared in self._shared.items():
            self._shared[plane] = shared.relaid(display)
            self._poses[plane] = self._shared[plane].moved_here(self._poses[plane], shared)
        for pane, alone in self._alone.items():
            shown = alone.shown.relaid(display) if alone.own else self.shared(self.panes[pane].plane)
            assert shown is not None
            self._alone[pane] = replace(alone, shown=shown, pose=shown.moved_here(alone.pose, alone.shown))

    def keep(self) -> KeptPoses:
        """For `put_back`, once these volumes are shown again."""
        shared = {plane: (shown, self._poses[plane]) for plane, shown in self._shared.items()}
        alone = {pane: (one.shown, one.pose) for pane, one in self._alone.items()}
        return KeptPoses(dict(self.panes), shared, alone, dict(self._places.offsets), frozenset(self.apart))

    def put_back(self, kept: KeptPoses, same: Collection[Role]) -> None:
        """All panes where they were, as far as they go through the same slices still; how patients lie, and which panes there
        are, may have changed. `same`: the roles whose volumes are those of then."""
        if any(not self._places.is_elsewhere(role) for role in same):
            self._places.offsets.update({role: offset for role, offset in kept.offsets.items() if role in same})
        for plane, (before, pose) in kept.shared.items():
            shown = self.shared(plane)
            if shown is not None and shown.grid.is_close(before.grid):
                self._poses[self.cut(plane)] = shown.moved_here(pose, before)
        self.apart = self.apart.difference(same) | kept.apart.intersection(same)
        for pane, spec in self.panes.items():
            if spec.role not in same:
                continue
            known = kept.panes.get(pane) == spec
            self._set_unlinked(pane, pane in kept.alone if known else spec.role in self.apart)
            if known and pane in kept.alone:
                self._go_back(pane, *kept.alone[pane])

    def _go_back(self, pane: str, before: DisplayedGrid, pose: Pose) -> None:
        alone = self._alone.get(pane)
        if alone is not None and alone.shown.grid.is_close(before.grid):
            shown = before.relaid(self.display) if alone.own else alone.shown  # at the scale at which it was seen
            self._alone[pane] = _Alone(shown, shown.moved_here(pose, before), alone.own)

    def move(self, pane: str, *, k: int | None = None, camera: Camera | None = None) -> tuple[str, ...]:
        """Another slice or camera, for the panes that move with this one; those whose pose has changed."""
        shown = self.displayed(pane)
        if shown is None:
            return ()
        before = self.pose(pane)
        after = Pose(before.k if k is None else shown.clamped(k), camera or before.camera)
        if after == before:
            return ()
        if pane in self._alone:
            self._alone[pane] = replace(self._alone[pane], pose=after)
            return (pane,)
        plane = self.panes[pane].plane
        self._poses[self.cut(plane)] = after
        return tuple(other for other in self._of_plane(plane) if other not in self._alone)

    def show_shared(self, plane: Plane, k: int) -> tuple[str, ...]:
        """Another slice in the linked panes of a plane, there or to come; the panes that show it."""
        shared = self.shared(plane)
        if shared is None or shared.clamped(k) == self._poses[self.cut(plane)].k:
            return ()
        self._poses[self.cut(plane)] = replace(self._poses[self.cut(plane)], k=shared.clamped(k))
        return tuple(pane for pane in self._of_plane(plane) if pane not in self._alone)

    def link(self, pane: str) -> None:
        """The pane goes where the others of its plane are; where none is linked, they will come to it."""
        self.unlinked.discard(pane)
        self.apart.discard(self.panes[pane].role)
        alone = self._alone.pop(pane, None)
        plane = self.panes[pane].plane
        others = [other for other in self._of_plane(plane) if other != pane and other not in self._alone]
        if alone is not None and not alone.own and not others:
            self._poses[self.cut(plane)] = alone.pose

    def unlink(self, pane: str) -> None:
        """The pane goes through its volume's own slices. The last one of a volume ends its offset."""
        self._set_unlinked(pane, True)
        role = self.panes[pane].role
        if not any(self.is_linked(other) for other in self.of_role(role)):
            self.apart.add(role)
            self._end_offset(role)

    def link_all(self) -> None:
        """Every pane, also those that are still to come."""
        self.apart.clear()
        for pane in tuple(self.unlinked):
            self.link(pane)

    def can_link_as_shown(self, pane: str) -> bool:
        """Whether what the pane shows can be another place than the one that the others show."""
        return pane in self._alone and self._places.is_elsewhere(self.panes[pane].role)

    def link_as_shown(self, pane: str) -> None:
        """The middle of what an unlinked pane shows is taken for the middle of what the linked panes show. All panes of its
        volume are linked, for the volume lies in one place."""
        spec, alone, shared = self.panes[pane], self._alone[pane], self.shared(self.panes[pane].plane)
        if shared is None:
            return
        pose = self.shared_pose(spec.plane)
        moved = alone.shown.layout.to_mm(*alone.pose.camera.centre, alone.pose.k)
        moved = moved - shared.layout.to_mm(*pose.camera.centre, pose.k)
        if alone.own or np.abs(moved).max() > _NOTHING_MM:
            self._places.offsets[spec.role] = self._places.offsets.get(spec.role, np.zeros(3)) + moved
        self.apart.discard(spec.role)
        for other in self.of_role(spec.role):
            self._set_unlinked(other, False)
        self._poses[self.cut(spec.plane)] = pose

    def part_unlinked(self) -> None:
        """Leads the unlinked panes anew, after volumes have changed."""
        for pane in tuple(self.unlinked):
            self._part(pane)

    def of_role(self, role: Role) -> list[str]:
        """The panes of a volume."""
        return [pane for pane, spec in self.panes.items() if spec.role is role]

    def _follows(self, role: Role) -> bool:
        """Whether all panes of a volume are linked, also those that are still to come."""
        return role not in self.apart and all(self.is_linked(pane) for pane in self.of_role(role))

    def _set_unlinked(self, pane: str, unlinked: bool) -> None:
        if unlinked:
            self.unlinked.add(pane)
            self._part(pane)
        else:
            self.unlinked.discard(pane)
            self._alone.pop(pane, None)

    def _end_offset(self, role: Role) -> None:
        """The volume lies where its file says; unlinked panes go on showing the same voxels of it."""
        offset = self._places.offsets.pop(role, None)
        if offset is None:
            return
        for pane in self.of_role(role):
            alone = self._alone.get(pane)
            if alone is not None and alone.own:
                self._alone[pane] = replace(alone, shown=alone.shown.shifted(offset))
                self._part(pane)

    def _own(self, pane: str) -> DisplayedGrid | None:
        """The slices of the pane's volume where it lies; None where they are those of the linked panes, or there is none."""
        spec, shared = self.panes[pane], self.shared(self.panes[pane].plane)
        if shared is None or not self._places.is_elsewhere(spec.role):
            return None
        own = self._places.own_slices(spec, self.display)
        return None if own.grid.is_close(shared.grid) else own

    def _part(self, pane: str) -> None:
        """Leads an unlinked pane through its own volume's slices, from the place it shows; from the slice that tells most
        where that place is none in its volume, or no place in its frame of reference."""
        spec, shared, before = self.panes[pane], self.shared(self.panes[pane].plane), self._alone.pop(pane, None)
        if shared is None:
            return
        own, place = self._own(pane), self._poses[self.cut(spec.plane)]
        if own is None:
            stays = before is not None and before.shown.grid.is_close(shared.grid)
            self._alone[pane] = _Alone(shared, before.pose if before is not None and stays else place, own=False)
        elif before is not None and before.shown.grid.is_close(own.grid):
            self._alone[pane] = replace(before, own=True)
        else:
            again = before is not None and before.own
            lost = again or self._places.is_foreign(spec.role)
            alike = None if lost else own.showing_as(shared, place if before is None else before.pose)
            shown, pose = alike or (own, own.opening_pose)
            self._alone[pane] = _Alone(shown, pose, own=True)

    def _reslice(self, straight: bool) -> None:
        """Other slices in every plane but those as acquired, on the places that the panes show."""
        planes = [*dict.fromkeys(spec.plane for spec in self.panes.values() if spec.plane is not Plane.ACQUIRED), Plane.ACQUIRED]
        before = [(plane, shared, self.shared_pose(plane)) for plane in planes if (shared := self.shared(plane)) is not None]
        alone = self._alone
        self.display = replace(self.display, straight=straight)
        self._shared, self._poses, self._alone = {}, {}, {}
        for plane, old, pose in before:
            new = self.shared(plane)
            assert new is not None
            self._poses[self.cut(plane)] = new.moved_here(pose, old)
        self.part_unlinked()
        for pane, old_one in alone.items():
            shown = self._alone[pane].shown
            self._alone[pane] = replace(self._alone[pane], pose=shown.moved_here(old_one.pose, old_one.shown))

    def _of_plane(self, plane: Plane) -> list[str]:
        """The panes that cut as `plane` does."""
        return [pane for pane, spec in self.panes.items() if self.cut(spec.plane) is self.cut(plane)]

    def cut(self, plane: Plane) -> Plane:
        """The plane under one name: as acquired is the one that it is nearest to, unless that is resliced."""
        volume = self._places.reference
        if volume is None or plane is not Plane.ACQUIRED or (self.display.straight and not is_straight(volume.geometry)):
            return plane
        return native_plane(volume.geometry)
