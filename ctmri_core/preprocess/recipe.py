"""How a volume is prepared for a network, and how the network's answer comes back onto the volume's grid.

A recipe is stored inside the model file; its record of one volume undoes the geometry exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from ctmri_core.domain import Domain
from ctmri_core.errors import WrongInput
from ctmri_core.geometry import Geometry
from ctmri_core.preprocess.bias_field import BiasField
from ctmri_core.preprocess.body_mask import body_mask
from ctmri_core.preprocess.field_window import windows_of
from ctmri_core.preprocess.given_body import checked_body
from ctmri_core.preprocess.intensity import HuCurve, HuRange, PercentileRange
from ctmri_core.preprocess.mr_standard import AnyScale, MrScaling
from ctmri_core.preprocess.resample import resample_array, resample_to
from ctmri_core.preprocess.slice_grid import (
    LARGEST_SLICE,
    PLANES,
    Plane,
    SliceGrid,
    Slices,
    Window,
    own_plane,
    plane_order,
    slice_order,
)
from ctmri_core.volume import Volume

Size = Annotated[int, Field(ge=1, le=LARGEST_SLICE)]
Millimetres = Annotated[float, Field(gt=0, le=10_000)]
_THICKEST_MM = 3.0
"""Slices that are farther apart make coronal and sagittal pictures that no network has learnt from."""
_SURE = HuRange(low=0.0, high=1.0)


@dataclass(frozen=True)
class Record:
    """What was done to one volume: its grid and the range of its values; enough to undo the geometry."""

    grid: SliceGrid
    scale: AnyScale
    background: float
    """The source's background in [-1, 1]."""
    changed: NDArray[Any] | None = field(default=None, compare=False, repr=False)
    """The source's voxels where steps before the scaling changed them: bias field, body mask."""
    field_grid: SliceGrid | None = None
    """Of slices wider than what was learnt from: a window as large as that, where some slices fit into it and others do not."""
    in_field: NDArray[np.bool_] | None = field(default=None, compare=False, repr=False)
    """(n,): which slices fit into `field_grid`."""
    body: NDArray[np.bool_] | None = field(default=None, compare=False, repr=False)
    """On the source's grid: the body as a person gave it, beyond which a result is background too; None where nobody did."""

    @property
    def geometry(self) -> Geometry:
        """The source's own grid."""
        return self.grid.source

    @property
    def count(self) -> int:
        """Number of slices."""
        return self.grid.count

    @property
    def slice_shape(self) -> tuple[int, int]:
        """(rows, columns) of a prepared slice, the largest where they differ."""
        return self.grid.slice_shape

    def grid_at(self, number: int) -> SliceGrid:
        """On what grid slice `number` is translated."""
        if self.field_grid is None or self.in_field is None or not self.in_field[number]:
            return self.grid
        return self.field_grid

    def alike(self, start: int, stop: int) -> int:
        """Up to where, at most `stop`, slices from `start` on share a grid."""
        return next((n for n in range(start + 1, stop) if self.grid_at(n) is not self.grid_at(start)), stop)

    @property
    def slices_of_full_size(self) -> float:
        """How many slices of `slice_shape` have as many pixels as all that are translated."""
        pixels = sum(float(np.prod(self.grid_at(n).slice_shape)) for n in range(self.count))
        return pixels / float(np.prod(self.slice_shape))


@dataclass(frozen=True, eq=False)
class Prepared:
    """`slices`: float32 (n, h, w) in [-1, 1], feet first, rows to posterior, columns to the patient's left."""

    slices: Slices
    record: Record


class SliceChoice(BaseModel):
    """Which slices are learnt from; all are translated."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    least_body: float = Field(default=0.01, ge=0, le=1, description="leave out slices with less body than this share")
    every: int = Field(default=1, ge=1, le=100, description="take every n-th slice")
    trim: float = Field(default=0.0, ge=0, lt=0.5, description="share of the slices with body left out at either end")

    def kept(self, mask: NDArray[np.bool_]) -> NDArray[np.intp]:
        """Which of (n, h, w) slices hold enough body."""
        return np.flatnonzero(mask.mean((1, 2)) >= max(self.least_body, 1e-6))

    def chosen(self, count: int) -> tuple[int, ...]:
        """Which of `count` slices that hold enough."""
        cut = int(count * self.trim)
        return tuple(range(cut, count - cut, self.every))


class Recipe(BaseModel):
    """Correct MR's bias field, clear what is outside the body (both if asked for), reorient, crop to a window about the body
    (slices far wider than what was learnt from), resample in plane, pad (or crop), scale to [-1, 1].

    `planes`: `three` for a network that learnt from axial, coronal and sagittal slices; what it makes of each is fused.
    `spacing_mm`: pixel spacing in plane, None keeps the source's. `size`: (rows, columns) to pad or crop to, centred; None
    pads to a `multiple` and never crops. `ct`, `mr`: how values of either modality are scaled. `bias_field`: N4 of MR, None for
    none. `only_body`: everything outside the outline of the body becomes background. `slices`: what is learnt from. `slice_mm`:
    how far apart the neighbouring slices are that a network is shown beside the one it translates; None where it is shown none
    or nobody knows. `field_mm`: (rows, columns) of the slices that a network learnt from; None where nobody knows or `size`
    decides: then slices are shown whole, as wide as they are.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    orientation: Literal["axial"] = "axial"
    planes: Literal["axial", "three"] = "axial"
    spacing_mm: float | None = Field(default=1.0, ge=0.05, le=20)
    size: tuple[Size, Size] | None = None
    multiple: int = Field(default=4, ge=1, le=1024)
    ct: Annotated[HuRange | HuCurve, Field(discriminator="kind")] = HuRange()
    mr: Annotated[MrScaling, Field(discriminator="kind")] = PercentileRange()
    bias_field: BiasField | None = None
    only_body: bool = False
    slices: SliceChoice = SliceChoice()
    slice_mm: float | None = Field(default=None, gt=0, le=1000)
    field_mm: tuple[Millimetres, Millimetres] | None = None

    def intensity(self, domain: Domain) -> HuRange | HuCurve | MrScaling:
        """The scaling of `domain`; of a mask, how sure it is, from 0 to 1. Raises `WrongInput` for an unknown modality."""
        if domain is Domain.MASK:
            return _SURE
        if domain is Domain.UNKNOWN:
            raise WrongInput("It is not known whether this volume is CT or MR. Say which it is and try again.")
        return self.ct if domain is Domain.CT else self.mr

    def problem_with(self, geometry: Geometry) -> str:
        """Why a volume on `geometry` cannot be prepared, in a sentence for people, or "". Cheap: asks no voxel."""
        try:
            self.grid_of(geometry)
        except WrongInput as error:
            return str(error)
        return ""

    def planes_for(self, geometry: Geometry) -> tuple[Plane, ...]:
        """Along which planes a volume on `geometry` is translated, axial first. A network that learnt from all three is given all
        of them where slices lie close enough for that, else those that the scan was taken in, which may be a single one."""
        if self.planes != "three":
            return ("axial",)
        apart: dict[Plane, float] = {}
        for plane in PLANES:
            with suppress(WrongInput):
                apart[plane] = self.grid_of(geometry, plane=plane).slice_mm
        if not apart:
            return ("axial",)
        if len(apart) == len(PLANES) and max(apart.values()) <= _THICKEST_MM:
            return PLANES
        return (max(apart, key=apart.__getitem__),)

    def record_of(self, volume: Volume, body: NDArray[np.bool_] | None = None) -> Record:
        """Plans the preparation of `volume`; reads its voxels only to measure an MR's range and to find the body in wide slices.

        `body`: on the volume's grid, what a person says is the body: it takes the place of the one that is found, and what lies
        beyond becomes background. Raises `WrongInput` when it is none, the modality is unknown or `problem_with` the geometry.
        """
        body = None if body is None else checked_body(body, volume)
        windows = None if self.field_mm is None or self.size is not None else windows_of(volume, self.field_mm, body)
        grid = self.grid_of(volume.geometry, windows.whole if windows else None)
        field_grid = self.grid_of(volume.geometry, windows.field) if windows and windows.field else None
        changed = self.changed(volume, body)
        scale = self.intensity(volume.domain).scale_of(changed, body)
        background = float(scale.to_unit(np.asarray([volume.background]))[0])
        voxels = None if changed is volume else changed.voxels
        return Record(grid, scale, background, voxels, field_grid, windows.fit if windows else None, body)

    def along(self, record: Record, plane: Plane) -> Record:
        """`record` of the same volume cut along another plane; its slices are shown whole, as nothing is known of how wide such
        slices were in training. Raises `WrongInput` where they would be no pictures."""
        if plane_order(record.geometry, plane)[0] == record.grid.order:
            return record
        return replace(record, grid=self.grid_of(record.geometry, plane=plane), field_grid=None, in_field=None)

    def changed(self, volume: Volume, body: NDArray[np.bool_] | None = None) -> Volume:
        """`volume` after the steps on its own grid; itself where there are none. The body is outlined before any of them, or
        given: then what is outside of it is cleared in any case."""
        corrects, clears = self.bias_field is not None and volume.domain.is_mr, self.only_body or body is not None
        if not corrects and not clears:
            return volume
        mask, changed = body_mask(volume) if body is None else body, volume
        if corrects and self.bias_field is not None:
            changed = self.bias_field.corrected(volume, mask)
        if clears:
            voxels = np.where(mask, changed.voxels, changed.voxels.dtype.type(volume.background))
            changed = changed.with_history("outside of the body cleared", voxels=voxels)
        return changed

    def forward_slices(
        self, volume: Volume, record: Record, start: int, stop: int, grid: SliceGrid | None = None
    ) -> Slices:  # fmt: skip
        """Prepared slices `start` to `stop` alone: float32 (stop - start, h, w), on `grid` where it is not the record's."""
        voxels = volume.voxels if record.changed is None else record.changed
        return _forward(voxels, grid or record.grid, record.scale, record.background, start, stop)

    def forward(self, volume: Volume) -> Prepared:
        """All slices. Raises `WrongInput` as `record_of` does."""
        record = self.record_of(volume)
        return Prepared(self.forward_slices(volume, record, 0, record.count), record)

    def to_nominal(self, slices: NDArray[Any], domain: Domain) -> Slices:
        """[-1, 1] -> HU for CT, 0 to `mr.nominal_high` arbitrary units for MR."""
        return self.intensity(domain).nominal.from_unit(slices)

    def forward_group(
        self, volumes: Sequence[Volume], body: NDArray[np.bool_] | None = None
    ) -> tuple[list[Slices], NDArray[np.bool_], tuple[float, ...]]:
        """(slices of each, mask, background of each in [-1, 1]) of volumes in one space, on the first one's prepared grid.

        The others are resampled onto the first one's grid; each has a range of its own. `mask`: in the first one's body and in
        the field of view of all others. `body`: on the first one's grid, in the place of what is found in each.
        """
        first = volumes[0]
        cleared = body if self.only_body else None
        record = self.record_of(first, cleared)
        inside = body_mask(first) if body is None else body
        slices, backgrounds = [self.forward_slices(first, record, 0, record.count)], [record.background]
        for other in volumes[1:]:
            own = None if cleared is None else resample_array(cleared, first.geometry, other.geometry, order=0)
            other = self.changed(other, own)
            scale = self.intensity(other.domain).scale_of(other, own)
            background = float(scale.to_unit(np.asarray([other.background]))[0])
            moved = resample_to(other, first.geometry)
            everything = Volume(np.ones(other.geometry.shape, np.float32), other.geometry, Domain.MR)
            inside = inside & (resample_to(everything, first.geometry).voxels > 0.5)
            slices.append(_forward(moved.voxels, record.grid, scale, background, 0, record.count))
            backgrounds.append(background)
        mask = record.grid.forward(record.grid.oriented(inside.astype(np.float32)), 0.0) > 0.5
        return slices, mask, tuple(backgrounds)

    def grid_of(self, geometry: Geometry, window: Window | None = None, plane: Plane | None = None) -> SliceGrid:
        """How a volume on `geometry`, or a `window` of its slices, becomes slices. Raises `WrongInput` as `problem_with` says.

        `plane`: None for the plane of a single slice, if the network has learnt from it, else axial.

        Pixels of planes other than axial are square and as large as axial ones where no `spacing_mm` is wanted: slices of a scan
        lie farther apart than its pixels, and a network would see a squashed head.
        """
        plane = plane or (own_plane(geometry) if self.planes == "three" else "axial")
        spacing = self.spacing_mm
        if spacing is None and plane != "axial":
            order, _ = slice_order(geometry)
            spacing = min(geometry.spacing[axis] for axis in order[1:])
        return SliceGrid.plan(geometry, spacing, self.size, self.multiple, window, plane)


def _forward(voxels: NDArray[Any], grid: SliceGrid, scale: AnyScale, background: float, start: int, stop: int) -> Slices:
    return grid.forward(scale.to_unit(grid.oriented(voxels)[start:stop]), background)
