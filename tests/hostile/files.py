"""All kinds of hostile and defective single files and small folders, by format.

    from tests.hostile.files import KINDS, lay_out
    path = lay_out(KINDS["mha_ndims_minus_one"], folder)
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.hostile import archive_kinds, dicom_kinds, legacy_kinds, nifti_kinds, picture_kinds, system_kinds, text_kinds
from tests.hostile.dicom_bytes import dicom
from tests.hostile.kinds import OUTSIDE, SECRET, SHAPE, Kind
from tests.hostile.nifti_kinds import nifti

_MODULES = (nifti_kinds, text_kinds, dicom_kinds, picture_kinds, legacy_kinds, archive_kinds, system_kinds)

_listed = [kind for module in _MODULES for kind in module.kinds()]
KINDS: dict[str, Kind] = {kind.name: kind for kind in _listed}
assert len(KINDS) == len(_listed), "two kinds of one name"


def lay_out(kind: Kind, root: Path) -> Path:
    """Makes `kind` in a folder of its own below `root`, with something beside it that nobody may look at."""
    outside = root / OUTSIDE
    if not outside.exists():
        outside.mkdir()
        voxels = np.full(SHAPE, SECRET, np.int16)
        (outside / "secret.raw").write_bytes(voxels.tobytes())
        (outside / "secret.nii").write_bytes(nifti(voxels))
        (outside / "secret.dcm").write_bytes(dicom(k=9, pixels=voxels[0].tobytes()))
        (outside / "secret").write_bytes(dicom(k=9, pixels=voxels[0].tobytes()))
    folder = root / kind.name
    folder.mkdir()
    return kind.make(folder)
