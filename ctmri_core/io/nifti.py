"""NIfTI-1 and NIfTI-2: .nii, .nii.gz, and .hdr with .img or .img.gz.

The stored voxel order is kept: Fortran-ordered (i, j, k) bytes are C-ordered (k, j, i) bytes. RAS becomes LPS with the header.
"""

from __future__ import annotations

from pathlib import Path

from ctmri_core.io import preflight
from ctmri_core.io.nifti_header import plain_head, read_header
from ctmri_core.io.raw_image import RawImageReader


def _is_nifti(path: Path, head: bytes) -> bool:
    return preflight.kind(plain_head(path, head)[0]) == "nifti"


NIFTI_READER = RawImageReader("NIfTI", _is_nifti, read_header)
