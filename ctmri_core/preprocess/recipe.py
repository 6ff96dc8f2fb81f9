"""How a volume is prepared for a network, and how the network's answer comes back onto the volume's grid.

A recipe is stored inside the model file; its record of one volume undoes the geometry exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from ctmri_core.domain import Domain
from ctmri_core.errors import WrongInput
from ctmri_core.geometry import Geometry
from ctmri_core.preprocess.body_mask import body_mask
from ctmri_core.preprocess.intensity import AnyScale, HuCurve, HuRange, PercentileRange
from ctmri_core.preprocess.resample import resample_to
from ctmri_core.preprocess.slice_grid import LARGEST_SLICE, SliceGrid, Slices
from ctmri_core.volume import Volume

Size = Annotated[int, Field(ge=1, le=LARGEST_SLICE)]


@dataclass(frozen=True)
class Record:
    """What was done to one volume: its grid and the range of its values; enough to undo the geometry."""

    grid: SliceGrid
    scale: AnyScale
    background: float
    """The source's background in [-1, 1]."""

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
        """(rows, columns) of a prepared slice."""
        return self.grid.slice_shape


@dataclass(frozen=True, eq=False)
class Prepared:
    """`slices`: float32 (n, h, w) in [-1, 1], feet first, rows to posterior, columns to the patient's left."""

    slices: Slices
    record: Record


class Recipe(BaseModel):
    """Reorient to axial, resample in plane, pad (or crop), scale to [-1, 1].

    `spacing_mm`: pixel spacing in plane, None keeps the source's. `size`: (rows, columns) to pad or crop to, centred; None
    pads to a `multiple` and never crops. `ct`, `mr`: how values of either modality are scaled.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    orientation: Literal["axial"] = "axial"
    spacing_mm: float | None = Field(default=1.0, ge=0.05, le=20)
    size: tuple[Size, Size] | None = None
    multiple: int = Field(default=4, ge=1, le=1024)
    ct: Annotated[HuRange | HuCurve, Field(discriminator="kind")] = HuRange()
    mr: PercentileRange = PercentileRange()

    def intensity(self, domain: Domain) -> HuRange | HuCurve | PercentileRange:
        """The scaling of `domain`. Raises `WrongInput` for an unknown modality."""
        if domain is Domain.UNKNOWN:
            raise WrongInput("It is not known whether this volume is CT or MR. Say which it is and try again.")
        return self.ct if domain is Domain.CT else self.mr

    def problem_with(self, geometry: Geometry) -> str:
        """Why a volume on `geometry` cannot be prepared, in a sentence for people, or "". Cheap: asks no voxel."""
        try:
            self._plan(geometry)
        except WrongInput as error:
            return str(error)
        return ""

    def record_of(self, volume: Volume) -> Record:
        """Plans the preparation of `volume`; reads its voxels only to measure an MR's range.

        Raises `WrongInput` when the modality is unknown or `problem_with` the geometry.
        """
        grid = self._plan(volume.geometry)
        scale = self.intensity(volume.domain).scale_of(volume)
        background = float(scale.to_unit(np.asarray([volume.background]))[0])
        return Record(grid, scale, background)

    def forward_slices(self, volume: Volume, record: Record, start: int, stop: int) -> Slices:
        """Prepared slices `start` to `stop` alone: float32 (stop - start, h, w)."""
        return _forward(volume.voxels, record.grid, record.scale, record.background, start, stop)

    def forward(self, volume: Volume) -> Prepared:
        """All slices. Raises `WrongInput` as `record_of` does."""
        record = self.record_of(volume)
        return Prepared(self.forward_slices(volume, record, 0, record.count), record)

    def undo_geometry(self, slices: NDArray[Any], record: Record, background: float) -> NDArray[np.float32]:
        """(n, h, w) on the network's grid -> float32 on the source's grid; `background` where the network saw nothing."""
        result = np.empty(record.geometry.shape, np.float32)
        record.grid.oriented(result)[:] = record.grid.undo(slices, background)
        return result

    def to_nominal(self, slices: NDArray[Any], domain: Domain) -> Slices:
        """[-1, 1] -> HU for CT, 0 to `mr.nominal_high` arbitrary units for MR."""
        return self.intensity(domain).nominal.from_unit(slices)

    def forward_pair(self, source: Volume, target: Volume) -> tuple[Slices, Slices, NDArray[np.bool_]]:
        """(source, target, mask) slices on the source's prepared grid, for training and evaluation.

        The target is resampled onto the source's grid; its range is its own. `mask`: in the source's body and in the
        target's field of view.
        """
        record = self.record_of(source)
        scale = self.intensity(target.domain).scale_of(target)
        background = float(scale.to_unit(np.asarray([target.background]))[0])
        moved = resample_to(target, source.geometry)
        everything = Volume(np.ones(target.geometry.shape, np.float32), target.geometry, Domain.MR)
        seen = resample_to(everything, source.geometry).voxels > 0.5
        inside = (body_mask(source) & seen).astype(np.float32)
        mask = record.grid.forward(record.grid.oriented(inside), 0.0) > 0.5
        slices = self.forward_slices(source, record, 0, record.count)
        return slices, _forward(moved.voxels, record.grid, scale, background, 0, record.count), mask

    def _plan(self, geometry: Geometry) -> SliceGrid:
        return SliceGrid.plan(geometry, self.spacing_mm, self.size, self.multiple)


def _forward(voxels: NDArray[Any], grid: SliceGrid, scale: AnyScale, background: float, start: int, stop: int) -> Slices:
    return grid.forward(scale.to_unit(grid.oriented(voxels)[start:stop]), background)
