"""The formats that can be opened, in the order in which they are asked. DICOM last: its files may lack every mark."""

from __future__ import annotations

from ctmri_core.io.afni import AFNI_READER
from ctmri_core.io.analyze import ANALYZE_READER
from ctmri_core.io.dicom import DICOM_READER
from ctmri_core.io.dicom_segmentation import SEGMENTATION_READER
from ctmri_core.io.itk_formats import META_IMAGE_READER, NRRD_READER
from ctmri_core.io.mgh import MGH_READER
from ctmri_core.io.nibabel_formats import MINC_READER, PAR_REC_READER
from ctmri_core.io.nifti import NIFTI_READER
from ctmri_core.io.pictures import PICTURE_READER
from ctmri_core.io.series import Reader

READERS: tuple[Reader, ...] = (
    NIFTI_READER,
    ANALYZE_READER,
    MGH_READER,
    AFNI_READER,
    PAR_REC_READER,
    MINC_READER,
    META_IMAGE_READER,
    NRRD_READER,
    PICTURE_READER,
    SEGMENTATION_READER,
    DICOM_READER,
)

FILE_SUFFIXES = (".nii.gz", ".nii", ".mha", ".nrrd")
"""How the names of whole volumes in one file end, ours among them; the longer of two that fit comes first."""

VOLUME_SUFFIXES = (
    ".hdr", ".hdr.gz", ".img", ".img.gz", ".mhd", ".nhdr", ".mgh", ".mgz", ".mgh.gz", ".head", ".par", ".mnc",
)  # fmt: skip
"""How the names of further volumes end that can be opened, and not written."""


def reader_named(name: str) -> Reader:
    """The reader whose `scan` made a series with this `format_name`."""
    return next(reader for reader in READERS if reader.name == name)
