"""The verdict on every real file of a volume format in the folder of odd files; opened ones agree with another reader."""

from __future__ import annotations

import warnings
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk
from nibabel.parrec import PARRECArrayProxy, PARRECHeader

from ctmri_core.errors import FileRefused
from ctmri_core.events import finish
from ctmri_core.geometry import Geometry
from ctmri_core.io.opening import load, preview, scan

NIBABEL = "nibabel_tests/tests/data/"
NO_DATA = r"has no data file .* beside it"
MINC_2 = r"is a MINC 2 volume, which cannot be opened here"
OPENED = {
    **{f"nifti_orientations/{name}.nii.gz": 1 for name in ("AIL", "LAS", "LPS", "PIR", "RAS", "SRP", "minimal")},
    **{f"itkelastix_2d_head_ct/CT_2D_head_{name}.mha": 1 for name in ("fixed", "fixed_mask", "moving", "moving_mask")},
    "vtk_headsq/quarter.nhdr": 1,
    f"{NIBABEL}anatomical.nii": 1, f"{NIBABEL}example4d.nii.gz": 2, f"{NIBABEL}example_nifti2.nii.gz": 2,
    f"{NIBABEL}functional.nii": 20, f"{NIBABEL}reoriented_anat_moved.nii": 1, f"{NIBABEL}resampled_anat_moved.nii": 1,
    f"{NIBABEL}standard.nii.gz": 1,
    f"{NIBABEL}example4d+orig.HEAD": 3, f"{NIBABEL}example4d+orig.BRIK.gz": 3, f"{NIBABEL}scaled+tlrc.HEAD": 1,
    f"{NIBABEL}scaled+tlrc.BRIK": 1,
    f"{NIBABEL}minc1-no-att.mnc": 1, f"{NIBABEL}minc1_1_scale.mnc": 1, f"{NIBABEL}minc1_4d.mnc": 2, f"{NIBABEL}tiny.mnc": 1,
    f"{NIBABEL}phantom_EPI_asc_CLEAR_2_1.PAR": 3, f"{NIBABEL}phantom_EPI_asc_CLEAR_2_1.REC": 3,
    f"{NIBABEL}phantom_varscale.PAR": 3, f"{NIBABEL}phantom_varscale.REC": 3,
}  # fmt: skip
"""How many volumes there are in each file."""
REFUSED = {
    f"{NIBABEL}analyze.hdr": NO_DATA, f"{NIBABEL}nifti1.hdr": NO_DATA, f"{NIBABEL}nifti2.hdr": NO_DATA,
    f"{NIBABEL}row_major.dconn.nii": "is a CIFTI matrix",
    f"{NIBABEL}test.mgz": "its direction cosines cannot be used",
    f"{NIBABEL}bad_attribute+orig.HEAD": "BYTEORDER_STRING is incomplete", f"{NIBABEL}bad_datatype+orig.HEAD": NO_DATA,
    **{f"{NIBABEL}minc2{name}.mnc": MINC_2 for name in ("-4d-d", "-no-att", "_1_scale", "_4d", "_baddim")},
    f"{NIBABEL}small.mnc": MINC_2,
    **{f"{NIBABEL}phantom_fake_{name}.PAR": NO_DATA for name in ("dualTR", "v4", "v4_1")},
    f"{NIBABEL}phantom_truncated.PAR": "does not fit together", f"{NIBABEL}phantom_truncated.REC": "does not fit together",
}  # fmt: skip
SUFFIXES = (
    ".nii", ".nii.gz", ".hdr", ".img", ".mgz", ".mgh", ".mha", ".mhd", ".nhdr", ".nrrd", ".HEAD", ".BRIK", ".BRIK.gz", ".mnc",
    ".PAR", ".REC",
)  # fmt: skip
_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])

pytestmark = pytest.mark.shared_data


def test_no_file_is_without_a_verdict(shared_data):
    folder = shared_data / "odd_files"
    present = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.name.endswith(SUFFIXES)}
    assert present == {*OPENED, *REFUSED}


def _other_reader(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """((n, k, j, i) values, (4, 4) (k, j, i) -> LPS mm) as another library gives them."""
    if path.suffix == ".mha":
        image = sitk.ReadImage(str(path))
        return sitk.GetArrayFromImage(image)[None, None], np.eye(4)[[2, 1, 0, 3]].T
    if path.suffix == ".nhdr":
        slices = [np.fromfile(path.with_name(f"quarter.{n}"), "<i2").reshape(64, 64) for n in range(1, 94)]  # ITK refuses it
        return np.stack(slices)[None], Geometry((93, 64, 64), (1.5, 3.2, 3.2)).affine
    if path.suffix in (".PAR", ".REC"):
        return _of_par(path.with_suffix(".PAR"))
    image = nib.load(path)
    values = np.asanyarray(image.dataobj)
    if path.suffix == ".mnc":
        return values.reshape(-1, *values.shape[-3:]), _TO_LPS @ image.affine
    return values.reshape(*values.shape[:3], -1, order="F").T, _TO_LPS @ image.affine[:, [2, 1, 0, 3]]


def _of_par(path: Path) -> tuple[np.ndarray, np.ndarray]:
    with path.open() as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it finds two repetition times
        header = PARRECHeader.from_fileobj(file)
    values = np.asanyarray(PARRECArrayProxy(str(path.with_suffix(".REC")), header))
    return values.T, _TO_LPS @ header.get_affine()[:, [2, 1, 0, 3]]


@pytest.mark.parametrize("name", OPENED)
def test_opened_files_have_the_values_and_the_place_that_another_reader_gives(shared_data, name):
    path = shared_data / "odd_files" / name
    found = scan(path)
    values, affine = _other_reader(path)
    assert len(found) == len(values) == OPENED[name]
    for series, expected in list(zip(found, values, strict=True))[-3:]:
        volume = finish(load(series))
        finite = np.isfinite(expected)
        np.testing.assert_array_equal(volume.voxels[finite], expected[finite].astype(volume.voxels.dtype))
        assert finite.all() or any(finding.kind == "not_finite" for finding in volume.findings)
        np.testing.assert_allclose(volume.geometry.affine, affine, atol=1e-5)
        assert series.plane == volume.geometry.plane
        if (slice_ := preview(series)) is not None:
            k = len(expected) // 2
            np.testing.assert_array_equal(slice_.voxels[0][finite[k]], volume.voxels[k][finite[k]])


@pytest.mark.parametrize("name", REFUSED)
def test_refused_files_get_one_sentence_and_a_way_out(shared_data, name):
    path = shared_data / "odd_files" / name
    with pytest.raises(FileRefused, match=REFUSED[name]) as caught:
        finish(load(scan(path)[0]))
    assert caught.value.way_out and str(shared_data) not in str(caught.value) and "\n" not in str(caught.value)
