"""N4: the slow brightness changes that coils leave in an MR, taken out (Tustison et al., IEEE TMI 29, 2010)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from ctmri_core.preprocess.resample import coarsened
from ctmri_core.volume import Volume

_FEWEST_VOXELS = 64


class BiasField(BaseModel):
    """How N4 is run: on blocks of `cell_mm`, for it is slow and the field is smooth; the field then divides the whole volume."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    cell_mm: float = Field(default=6.0, ge=0.5, le=20, description="edge in mm of the blocks that N4 looks at")
    iterations: int = Field(default=50, ge=1, le=500, description="N4's iterations on each of its levels")
    levels: int = Field(default=3, ge=1, le=6, description="N4's levels, each with a finer field")

    def field_of(self, volume: Volume, mask: NDArray[np.bool_]) -> NDArray[np.float32]:
        """The gain at every voxel, 1 on the average of `mask`: `corrected` divides by it, multiplying undoes that.

        Everywhere 1 where `mask` holds nothing to go by.
        """
        import SimpleITK as sitk

        coarse = coarsened(volume, self.cell_mm)
        inside = coarsened(Volume(mask.astype(np.float32), volume.geometry, volume.domain), self.cell_mm).voxels >= 0.5
        inside &= np.isfinite(coarse.voxels) & (coarse.voxels > 0)
        if np.count_nonzero(inside) < _FEWEST_VOXELS or min(coarse.geometry.shape) < 4:
            return np.ones(volume.geometry.shape, np.float32)
        spacing = coarse.geometry.to_itk()[0]
        image, outline = (sitk.GetImageFromArray(part) for part in (np.nan_to_num(coarse.voxels), inside.astype(np.uint8)))
        whole = sitk.GetImageFromArray(np.empty(volume.geometry.shape, np.uint8))
        first = coarse.geometry.mm_to_index(volume.geometry.index_to_mm((0, 0, 0)))[::-1] * np.asarray(spacing)
        image.SetSpacing(spacing), outline.SetSpacing(spacing)
        whole.SetSpacing(volume.geometry.to_itk()[0]), whole.SetOrigin(first.tolist())
        n4 = sitk.N4BiasFieldCorrectionImageFilter()
        n4.SetMaximumNumberOfIterations([self.iterations] * self.levels)
        n4.Execute(sitk.Cast(image, sitk.sitkFloat32), outline)
        log_field = sitk.GetArrayFromImage(n4.GetLogBiasFieldAsImage(whole))
        gain: NDArray[np.float32] = np.exp(log_field - log_field[mask].mean()).astype(np.float32)
        return gain

    def corrected(self, volume: Volume, mask: NDArray[np.bool_]) -> Volume:
        """`volume` divided by its field, float32."""
        voxels = volume.voxels / self.field_of(volume, mask)
        return volume.with_history("bias field corrected (N4)", voxels=voxels.astype(np.float32))
