"""What nibabel, SimpleITK, pydicom and Pillow read from a file. Run in a reader process of its own, for some of them crash.

Each returns voxels (k, j, i) as float64 and, where the format has one, the affine of (k, j, i) to LPS mm.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pydicom
import SimpleITK as sitk
from numpy.typing import NDArray
from PIL import Image

Answer = tuple[NDArray[np.float64], NDArray[np.float64] | None]
TASKS = "tests.hostile.references"
_LEAST_OFFSET = 348  # where no offset is given, nibabel takes it for 0; others begin behind the header


def nibabel_reads(path: Path) -> Answer:
    image = nib.load(path)
    if isinstance(image, nib.Spm2AnalyzeImage) and image.dataobj.slope != 1:
        raise ValueError("scaling made up from fields that mean something else")
    if isinstance(image, nib.Nifti1Image | nib.Nifti2Image) and image.dataobj.offset < _LEAST_OFFSET:
        raise ValueError("the header, taken for voxels")
    voxels = np.asanyarray(image.dataobj)
    voxels = voxels.reshape((*voxels.shape[:3], -1))[..., 0].astype(np.float64)
    lps = (np.diag([-1.0, -1.0, 1.0, 1.0]) @ image.affine)[:, [2, 1, 0, 3]]
    return np.ascontiguousarray(voxels.T), lps


def simpleitk_reads(path: Path) -> Answer:
    image, again = sitk.ReadImage(str(path)), sitk.ReadImage(str(path))
    if not np.array_equal(sitk.GetArrayViewFromImage(image), sitk.GetArrayViewFromImage(again), equal_nan=False):
        raise ValueError("memory that was never written")  # what ITK makes of compressed data without their length
    if image.GetNumberOfComponentsPerPixel() != 1 or image.GetDimension() not in (2, 3):
        raise ValueError("no plain volume")
    voxels = sitk.GetArrayFromImage(image).astype(np.float64)
    n = image.GetDimension()
    affine = np.eye(4)
    affine[:n, :n] = np.reshape(image.GetDirection(), (n, n)) * np.array(image.GetSpacing())
    affine[:n, 3] = image.GetOrigin()
    return voxels.reshape((1, *voxels.shape)[-3:]), affine[:, [2, 1, 0, 3]]


def pydicom_reads(path: Path) -> Answer:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = pydicom.dcmread(path, force=True)
        if data.BitsStored != data.BitsAllocated or data.PhotometricInterpretation != "MONOCHROME2":
            raise ValueError("pydicom leaves unused bits and the sense of the values to its caller")
        stored = data.pixel_array.astype(np.float64)
        slope = data.get("RescaleSlope") or data.get("DoseGridScaling") or 1
        voxels = stored * float(slope) + float(data.get("RescaleIntercept") or 0)
    return voxels.reshape((1, *voxels.shape)[-3:]), None


def pillow_reads(path: Path) -> Answer:
    with Image.open(path) as picture:
        if picture.format == "TIFF" and 262 not in picture.tag_v2:
            raise ValueError("Pillow takes white for zero where nothing is said, others black")
        if picture.mode not in ("L", "I;16", "I;16B", "I", "F"):
            raise ValueError("not grey")
        return np.array(picture).astype(np.float64)[None], None


BY_FORMAT: dict[str, Any] = {
    "NIfTI": nibabel_reads, "MGH": nibabel_reads, "Analyze": nibabel_reads, "MetaImage": simpleitk_reads, "NRRD": simpleitk_reads,
    "DICOM": pydicom_reads, "pictures": pillow_reads,
}  # fmt: skip
"""Whom to believe where: none of these is on the list of what it reads wrong in silence (truncated and odd files we refuse)."""
