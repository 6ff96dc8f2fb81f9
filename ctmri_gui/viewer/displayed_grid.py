"""The slices that panes go through: how they lie on the screen, what of them is shown first, and where the body is in them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ctmri_core.geometry import FloatArray, Geometry
from ctmri_core.preprocess.body_mask import coarse_body_mask
from ctmri_core.preprocess.resample import resample_array
from ctmri_core.volume import Volume
from ctmri_gui.viewer.camera import Camera, Frame, body_frame
from ctmri_gui.viewer.panes import Plane
from ctmri_gui.viewer.plane_grids import Order, is_straight, own_order, straightened, turned
from ctmri_gui.viewer.screen_layout import ScreenLayout, screen_layout

_COARSE_MM = 4.0


@dataclass(frozen=True)
class Display:
    """How patients lie on the screen. `neurological`: their left on the left. `nose_right`: sagittal slices look to the right.
    `straight`: axial, coronal and sagittal run along the patient's axes even where the volume's slices do not."""

    neurological: bool = False
    nose_right: bool = False
    straight: bool = False


@dataclass(frozen=True)
class Pose:
    """Slice `k` of the displayed grid and the part of it that is seen."""

    k: int
    camera: Camera


@dataclass(frozen=True)
class DisplayedGrid:
    """Slices of one plane through a volume. `order`: that of the volume's own array axes where its own voxels lie on them, else
    None. `opening`: the slice shown first; `frame`: what zoom 1 shows."""

    grid: Geometry
    order: Order | None
    layout: ScreenLayout
    frame: Frame
    opening: int

    @classmethod
    def of(cls, volume: Volume, plane: Plane = Plane.ACQUIRED, display: Display | None = None) -> DisplayedGrid:
        """Opens where the volume tells most, on the body."""
        display = display or Display()
        resliced = display.straight and plane is not Plane.ACQUIRED and not is_straight(volume.geometry)
        order = None if resliced else own_order(volume.geometry, plane)
        grid = straightened(volume.geometry, plane) if resliced else turned(volume.geometry, plane)
        layout = layout_of(grid, display)
        mask = _body_on(volume, grid, order)
        opening, count = _telling_slice(mask), grid.shape[0]
        body = np.stack([layout.arrange(slice_) for slice_ in mask])
        frame = body_frame(body, opening, layout.size_mm)
        return cls(grid, order, layout, frame, min(int(opening * count), count - 1))

    @property
    def opening_pose(self) -> Pose:
        return Pose(self.opening, Camera.on(self.frame))

    def clamped(self, k: int) -> int:
        return min(max(k, 0), self.grid.shape[0] - 1)

    def relaid(self, display: Display) -> DisplayedGrid:
        """The same slices in another display; the frame keeps the body in it."""
        layout = layout_of(self.grid, display)
        old = self.frame
        centre = layout.from_mm(self.layout.to_mm(*Camera.on(old).centre, self.opening))
        frame = replace(old, left=centre[0] - old.width / 2, top=centre[1] - old.height / 2)
        return replace(self, layout=layout, frame=frame)

    def shifted(self, mm: FloatArray) -> DisplayedGrid:
        """The same slices of a volume that was moved by so many mm."""
        return replace(self, grid=_moved(self.grid, mm), layout=replace(self.layout, geometry=_moved(self.layout.geometry, mm)))

    def moved_here(self, pose: Pose, before: DisplayedGrid) -> Pose:
        """The pose on these slices nearest to the place that `pose` showed on others."""
        u, v, k = self.layout.from_mm(before.layout.to_mm(*pose.camera.centre, pose.k))
        return Pose(self.clamped(round(k)), replace(pose.camera, centre=(u, v)))

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


def layout_of(grid: Geometry, display: Display) -> ScreenLayout:
    return screen_layout(grid, neurological=display.neurological, nose_right=display.nose_right)


def _moved(grid: Geometry, mm: FloatArray) -> Geometry:
    x, y, z = (np.asarray(grid.origin) + mm).tolist()
    return replace(grid, origin=(x, y, z))


def _body_on(volume: Volume, grid: Geometry, order: Order | None) -> NDArray[np.bool_]:
    """The body on a coarse lattice with the slices of `grid` along axis 0."""
    mask, cells = coarse_body_mask(volume, _COARSE_MM)
    if order is not None:
        return mask.transpose(order)
    steps = [max(round(_COARSE_MM / spacing), 1) for spacing in grid.spacing]
    shape = tuple(-(-count // step) for count, step in zip(grid.shape, steps, strict=True))
    spacing = tuple(extent / count for extent, count in zip(grid.extent, shape, strict=True))
    first = [(fine / own - 1) / 2 for fine, own in zip(spacing, grid.spacing, strict=True)]
    coarse = Geometry(shape, spacing, tuple(grid.index_to_mm(first)), grid.direction)  # type: ignore[arg-type]  # three each
    on_grid: NDArray[np.bool_] = resample_array(mask.astype(np.uint8), cells, coarse, order=0, background=0) > 0
    return on_grid


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
