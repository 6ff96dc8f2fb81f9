"""The slices that panes go through: how they lie on the screen, what of them is shown first, and where the body is in them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ctmri_core.geometry import Geometry
from ctmri_core.preprocess.body_mask import coarse_body_mask
from ctmri_core.volume import Volume
from ctmri_gui.viewer.camera import Camera, Frame, body_frame
from ctmri_gui.viewer.screen_layout import ScreenLayout, screen_layout

_COARSE_MM = 4.0


@dataclass(frozen=True)
class Pose:
    """Slice `k` of the displayed grid and the part of it that is seen."""

    k: int
    camera: Camera


@dataclass(frozen=True)
class DisplayedGrid:
    """A volume's own slices. `opening`: the slice shown first; `frame`: what zoom 1 shows."""

    grid: Geometry
    layout: ScreenLayout
    frame: Frame
    opening: int

    @classmethod
    def of(cls, volume: Volume, *, neurological: bool) -> DisplayedGrid:
        """Opens where the volume tells most, on the body."""
        layout = screen_layout(volume.geometry, neurological=neurological)
        mask, _ = coarse_body_mask(volume, _COARSE_MM)
        opening, count = _telling_slice(mask), volume.geometry.shape[0]
        body = np.stack([layout.arrange(slice_) for slice_ in mask])
        frame = body_frame(body, opening, layout.size_mm)
        return cls(volume.geometry, layout, frame, min(int(opening * count), count - 1))

    @property
    def opening_pose(self) -> Pose:
        return Pose(self.opening, Camera.on(self.frame))

    def clamped(self, k: int) -> int:
        return min(max(k, 0), self.grid.shape[0] - 1)

    def showing_as(self, other: DisplayedGrid, pose: Pose) -> tuple[DisplayedGrid, Pose] | None:
        """This grid and a pose that show the place, at the scale, which `pose` shows on `other`; None where it has no such
        slice, or slices that cut the patient another way."""
        u, v, k = self.layout.from_mm(other.layout.to_mm(*pose.camera.centre, pose.k))
        if self.layout.plane != other.layout.plane or not 0 <= round(k) < self.grid.shape[0]:
            return None
        middle = Camera.on(other.frame).centre
        left, top, _ = self.layout.from_mm(other.layout.to_mm(*middle, pose.k))
        width, height = other.frame.width, other.frame.height
        alike = replace(self, frame=Frame(left - width / 2, top - height / 2, width, height))
        return alike, Pose(round(k), replace(pose.camera, centre=(u, v)))


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
