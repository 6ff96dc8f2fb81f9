"""DICOM series written here with pydicom, read by our reader and, as the independent truth, by SimpleITK."""

from __future__ import annotations

import copy
import io
import itertools
import pickle
import zlib

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    CTImageStorage,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    MRImageStorage,
    PositronEmissionTomographyImageStorage,
    RLELossless,
    RTDoseStorage,
    generate_uid,
)  # fmt: skip

from ctmri_core.domain import Domain
from ctmri_core.errors import FileRefused, Stopped
from ctmri_core.events import Progress, Started, finish, never
from ctmri_core.geometry import Geometry
from ctmri_core.io.dicom import DICOM_READER
from ctmri_core.io.dicom_elements import elements, looks_like_dicom, quick_elements
from ctmri_core.io.opening import load as load_series
from ctmri_core.io.series import straightened

PATIENT = "Doe^Jane"
ROWS, COLUMNS = 12, 9


def slice_of(stored, place, *, modality="CT", normal=None, **attributes):
    """One slice; `place` mm along z. Attributes override or, with None, remove."""
    data = Dataset()
    data.SOPClassUID = CTImageStorage if modality == "CT" else MRImageStorage
    data.SOPInstanceUID, data.Modality, data.PatientName, data.PatientID = generate_uid(), modality, PATIENT, "4711"
    data.StudyInstanceUID, data.SeriesInstanceUID, data.FrameOfReferenceUID = "1.2.3", "1.2.3.4", "1.2.3.5"
    data.SeriesNumber, data.ImageType = 7, ["ORIGINAL", "PRIMARY", "AXIAL"]
    data.SeriesDescription, data.StudyDate, data.PatientSex = f"{PATIENT} head", "20240102", "F"
    data.ImagePositionPatient, data.ImageOrientationPatient = [-20, -30, place], [1, 0, 0, 0, 1, 0]
    data.PixelSpacing, data.SliceThickness = [0.5, 0.75], 2.0
    data.Rows, data.Columns = stored.shape
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated = data.BitsStored = 8 * stored.dtype.itemsize
    data.HighBit, data.PixelRepresentation = data.BitsStored - 1, int(stored.dtype.kind == "i")
    if modality == "CT":
        data.RescaleSlope, data.RescaleIntercept, data.RescaleType = 1, -1024, "HU"
    for keyword, value in attributes.items():
        if value is None:
            delattr(data, keyword)
        else:
            setattr(data, keyword, value)
    data.PixelData = stored.tobytes() + b"\0" * (stored.nbytes % 2)
    data["PixelData"].VR = "OW" if stored.dtype.itemsize == 2 else "OB"
    return data


def stored_values(count, dtype=np.int16, low=0, high=3000, shape=(ROWS, COLUMNS)):
    return np.random.default_rng(5).integers(low, high, (count, *shape), dtype, endpoint=True)


def write(folder, slices, syntax=ExplicitVRLittleEndian):
    folder.mkdir(parents=True, exist_ok=True)
    names = np.random.default_rng(1).permutation(len(slices))  # neither names nor instance numbers follow the positions
    for number, data in zip(names, slices, strict=True):
        data.InstanceNumber = int(number) + 1
        data.file_meta = FileMetaDataset()
        data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian if syntax == RLELossless else syntax
        if syntax == RLELossless:
            data.compress(RLELossless, generate_instance_uid=False)
        data.save_as(folder / f"IM{number:04d}", enforce_file_format=True)
    return folder


def series_of(count=6, dtype=np.int16, step=2.5, **attributes):
    return [slice_of(values, step * k - 4, **attributes) for k, values in enumerate(stored_values(count, dtype))]


def load(path):
    (series,) = DICOM_READER.scan(path)
    return finish(DICOM_READER.load(series, never))


def itk(folder):
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder)))
    image = reader.Execute()
    geometry = Geometry.from_itk(image.GetSize(), image.GetSpacing(), image.GetOrigin(), image.GetDirection())
    return sitk.GetArrayFromImage(image), geometry


def assert_as_itk(folder):
    volume, (voxels, geometry) = load(folder), itk(folder)
    assert volume.geometry.is_close(geometry)
    assert np.allclose(volume.voxels, voxels, rtol=1e-6, atol=1e-3)
    return volume


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, RLELossless])
def test_voxels_and_geometry_equal_itk(tmp_path, syntax):
    volume = assert_as_itk(write(tmp_path / "ct", series_of(), syntax))
    assert volume.voxels.dtype == np.int16 and volume.voxels.flags.c_contiguous
    assert volume.geometry.spacing == (2.5, 0.5, 0.75)
    assert volume.domain is Domain.CT and volume.findings == () and volume.frame_of_reference == "1.2.3.5"


def test_big_endian(tmp_path):
    stored = stored_values(3)
    slices = [slice_of(values.byteswap(), 2.0 * k) for k, values in enumerate(stored)]
    for data in slices:
        data.PixelData = data.PixelData  # already in file order
    volume = load(write(tmp_path, slices, ExplicitVRBigEndian))
    assert np.array_equal(volume.voxels, stored - 1024)


def test_deflated_files_are_read_in_the_reader_process(tmp_path, monkeypatch):
    stored = stored_values(3)
    write(tmp_path, [slice_of(values, 2.0 * k) for k, values in enumerate(stored)], DeflatedExplicitVRLittleEndian)
    monkeypatch.setattr(zlib, "decompress", None)  # what pydicom would inflate with, here
    assert np.array_equal(load(tmp_path).voxels, stored - 1024)


def test_a_deflated_bomb_is_refused(tmp_path):
    path = write(tmp_path, [slice_of(stored_values(1)[0], 0.0)], DeflatedExplicitVRLittleEndian) / "IM0000"
    content = path.read_bytes()
    start = 132 + 12 + int.from_bytes(content[140:144], "little")
    megabyte = bytes(1 << 20)
    deflater = zlib.compressobj(9, wbits=-15)
    element = b"\x09\x00\x10\x10UN\0\0" + (300 << 20).to_bytes(4, "little")
    packed = [deflater.compress(element), *(deflater.compress(megabyte) for _ in range(300)), deflater.flush()]
    path.write_bytes(content[:start] + b"".join(packed))
    with pytest.raises(FileRefused, match="IM0000: its deflated content is incomplete or larger than 256 MiB"):
        DICOM_READER.scan(path)


@pytest.mark.parametrize(
    ("dtype", "low", "high", "attributes", "kept"),
    [
        (np.uint16, 0, 4095, {"BitsStored": 12, "HighBit": 11}, np.int16),
        (np.uint16, 0, 65535, {"RescaleIntercept": -32768}, np.int16),
        (np.uint16, 0, 65535, {}, np.float32),
        (np.int16, -32768, 32767, {}, np.float32),
        (np.int16, -2000, 3000, {"RescaleSlope": 2}, np.int16),
        (np.int16, -2000, 3000, {"RescaleSlope": 0.5}, np.float32),
        (np.int16, -2000, 3000, {"RescaleIntercept": "-1024.25"}, np.float32),
        (np.uint8, 0, 255, {}, np.int16),
        (np.int8, -128, 127, {}, np.int16),
    ],
)
def test_rescaled_values_keep_int16_where_that_is_exact(tmp_path, dtype, low, high, attributes, kept):
    stored = stored_values(4, dtype, low, high)
    folder = write(tmp_path, [slice_of(values, 3.0 * k, **attributes) for k, values in enumerate(stored)])
    volume = load(folder)
    slope, intercept = float(attributes.get("RescaleSlope", 1)), float(attributes.get("RescaleIntercept", -1024))
    assert volume.voxels.dtype == kept
    assert np.allclose(volume.voxels, stored * slope + intercept, atol=1e-3)


@pytest.mark.parametrize(("signed", "bits", "high"), [(False, 12, 11), (True, 12, 11), (True, 10, 13), (False, 10, 15)])
def test_bits_outside_the_stored_ones_do_not_count(tmp_path, signed, bits, high):
    values = stored_values(2, np.int16, -(1 << bits - 1) if signed else 0, (1 << bits - 1) - 1 if signed else (1 << bits) - 1)
    low = high + 1 - bits
    mask = ((1 << bits) - 1) << low
    noise = stored_values(2, np.uint16, 0, 65535)
    stored = ((values.astype(np.uint16) << low) & mask) | (noise & ~np.uint16(mask))
    attributes = {"BitsStored": bits, "HighBit": high, "PixelRepresentation": int(signed)}
    slices = [slice_of(part, 2.0 * k, **attributes) for k, part in enumerate(stored)]
    assert np.array_equal(load(write(tmp_path, slices)).voxels, values - 1024)


def test_each_slice_is_rescaled_by_its_own_numbers(tmp_path):
    stored = stored_values(5)
    slopes = [0.5, 1.0, 1.25, 2.0, 0.1]
    slices = [slice_of(stored[k], k, RescaleSlope=slope, RescaleIntercept=k) for k, slope in enumerate(slopes)]
    volume = load(write(tmp_path, slices))
    for k, slope in enumerate(slopes):
        assert np.allclose(volume.voxels[k], stored[k] * slope + k, rtol=1e-6)


def test_slices_of_mixed_signedness_are_each_read_as_they_say(tmp_path):
    values = stored_values(2, np.int16, 0, 20000)
    slices = [slice_of(values[0], 0), slice_of(values[1].astype(np.uint16), 1)]
    assert np.array_equal(load(write(tmp_path, slices)).voxels, values - 1024)


@pytest.mark.parametrize("signed", [False, True])
def test_monochrome1_mr_is_inverted_as_itk_does(tmp_path, signed):
    stored = stored_values(3, np.int16 if signed else np.uint16, 0, 4095)
    attributes = {"modality": "MR", "PhotometricInterpretation": "MONOCHROME1"}
    if not signed:
        attributes |= {"BitsStored": 12, "HighBit": 11}
    folder = write(tmp_path, [slice_of(values, k, **attributes) for k, values in enumerate(stored)])
    volume = load(folder)
    assert np.array_equal(volume.voxels, (-1 if signed else 4095) - stored.astype(int))
    if not signed:
        assert np.array_equal(volume.voxels, itk(folder)[0])


def test_hounsfield_units_do_not_depend_on_how_they_are_shown(tmp_path):
    stored = stored_values(2)
    slices = [slice_of(values, k, PhotometricInterpretation="MONOCHROME1") for k, values in enumerate(stored)]
    assert np.array_equal(load(write(tmp_path, slices)).voxels, stored - 1024)


def test_oblique_slices_stacked_downwards(tmp_path):
    orientation = [0.99903217, -0.02178837, 0.03820965, 0.02651948, 0.99141387, -0.12804396]
    normal = np.cross(orientation[:3], orientation[3:])
    slices = series_of(7, modality="MR", ImageOrientationPatient=orientation)
    for k, data in enumerate(slices):
        data.ImagePositionPatient = [f"{value:.6f}" for value in np.array([10, 20, 30]) - 1.2 * k * normal]
    volume = assert_as_itk(write(tmp_path, slices))
    assert volume.geometry.spacing[0] == pytest.approx(1.2, abs=1e-5)


def test_a_folder_of_several_series_is_sorted_out(tmp_path):
    write(tmp_path / "a", series_of(6))
    write(tmp_path / "b" / "deep", series_of(9, modality="MR", SeriesInstanceUID="1.9", SeriesDescription="ax T2 tse"))
    write(tmp_path / "c", series_of(1, SeriesInstanceUID="1.8", ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"]))
    coronal = series_of(7, ImageOrientationPatient=[1, 0, 0, 0, 0, -1])
    for k, data in enumerate(coronal):
        data.ImagePositionPatient = [0, 2.0 * k, 0]
    write(tmp_path / "d", coronal)
    (tmp_path / "a" / "notes.txt").write_text("no picture")
    (tmp_path / ".hidden").write_bytes(b"\0" * 128 + b"DICM")
    found = DICOM_READER.scan(tmp_path)
    assert [(series.domain, len(series.files), series.localizer) for series in found] == [
        (Domain.MR_T2, 9, False), (Domain.CT, 7, False), (Domain.CT, 6, False), (Domain.CT, 1, True),
    ]  # fmt: skip
    assert found[2].label == "CT, series 7, 6 slices" and found[3].label == "CT localizer, series 7, 1 slice"
    for series in found:
        assert series == copy.deepcopy(series) and hash(series) == hash(copy.deepcopy(series)) and pickle.dumps(series)
        assert PATIENT not in repr(series) + series.label + repr(finish(DICOM_READER.load(series, never)))


def test_three_planes_in_one_series_are_a_localizer(tmp_path):
    planes = [[1, 0, 0, 0, 1, 0], [1, 0, 0, 0, 0, -1], [0, 1, 0, 0, 0, -1]]
    write(tmp_path, [slice_of(stored_values(1)[0], 0, modality="MR", ImageOrientationPatient=plane) for plane in planes])
    assert [series.localizer for series in DICOM_READER.scan(tmp_path)] == [True] * 3


def test_echoes_at_the_same_places_become_series_of_their_own(tmp_path):
    slices = [data for echo in (30, 90) for data in series_of(4, modality="MR", EchoTime=echo)]
    found = DICOM_READER.scan(write(tmp_path, slices))
    assert [len(series.files) for series in found] == [4, 4]


def test_equal_copies_are_left_out_and_said(tmp_path):
    slices = series_of(5)
    twin = copy.deepcopy(slices[2])
    twin.SOPInstanceUID = generate_uid()
    volume = load(write(tmp_path, [*slices, twin]))
    assert volume.geometry.shape[0] == 5 and [finding.kind for finding in volume.findings] == ["duplicate"]


def test_different_pictures_of_one_place_are_refused(tmp_path):
    slices = series_of(5)
    slices.append(slice_of(stored_values(1, high=10)[0], -4))
    (series,) = DICOM_READER.scan(write(tmp_path / "ct", slices))
    assert [finding.kind for finding in series.findings] == ["refused"] and series.shape is None
    with pytest.raises(FileRefused, match=r"^ct: .* show different pictures of the same place"):
        finish(DICOM_READER.load(series, never))


def test_a_missing_slice_is_said_and_filled(tmp_path):
    slices = series_of(12)
    del slices[6]
    volume = load(write(tmp_path, slices))
    assert [(finding.kind, finding.serious) for finding in volume.findings] == [("gap", True)]
    assert volume.geometry.shape[0] == 12 and volume.voxels.dtype == np.int16 and volume.history
    expected = (stored_values(12)[5].astype(float) + stored_values(12)[7]) / 2 - 1024
    assert np.abs(volume.voxels[6] - expected).max() <= 0.5
    assert np.array_equal(volume.voxels[7], stored_values(12)[7] - 1024)


def test_mixed_pixel_spacing_is_refused(tmp_path):
    slices = series_of(4)
    slices[2].PixelSpacing = [0.6, 0.9]
    with pytest.raises(FileRefused, match=r"PixelSpacing differs between its slices \(0\.5 and 0\.6 mm\)|PixelSpacing differs"):
        load(write(tmp_path, slices))


def test_a_slice_of_another_matrix_is_a_series_of_its_own_and_its_place_a_gap(tmp_path):
    slices = series_of(12)
    slices[5] = slice_of(stored_values(1, shape=(4, 4))[0], 2.5 * 5 - 4)
    found = DICOM_READER.scan(write(tmp_path, slices))
    assert [len(series.files) for series in found] == [11, 1]
    assert [(finding.kind, finding.serious) for finding in found[0].findings] == [("gap", True), ("torn", True)]
    assert "of 4 x 4 pixels instead of 12 x 9" in found[0].findings[1].message
    assert [(finding.kind, finding.serious) for finding in found[1].findings] == [("torn", False)]


def test_a_tilted_gantry_is_said_and_straightened_on_request(tmp_path):
    slices = series_of(6)
    for k, data in enumerate(slices):
        data.ImagePositionPatient = [-20, -30 + 0.5 * k, 2.5 * k]
    (series,) = DICOM_READER.scan(write(tmp_path, slices))
    volume = finish(DICOM_READER.load(series, never))
    assert [(finding.kind, finding.serious) for finding in volume.findings] == [("tilt", True)] and volume.history == ()
    assert "11.3 degrees" in volume.findings[0].message and "up to 1.5 mm" in volume.findings[0].message
    assert np.array_equal(volume.voxels, stored_values(6) - 1024) and series.shape == volume.geometry.shape
    assert np.allclose(volume.dicom.positions, [data.ImagePositionPatient for data in slices])
    assert np.allclose(volume.geometry.index_to_mm((3, 0, 0)), volume.dicom.positions[3])
    volume = finish(load_series(straightened(series)))
    assert [(finding.kind, finding.serious) for finding in volume.findings] == [("tilt", False)] and not volume.dicom.positions
    assert volume.geometry.shape == (6, ROWS + 5, COLUMNS) and volume.history and volume.voxels[0, -1, 0] == -1024
    for k, data in enumerate(slices):
        place = volume.geometry.mm_to_index([float(value) for value in data.ImagePositionPatient])
        assert np.allclose(place, (k, k, 0)) and np.array_equal(volume.voxels[k, k : k + ROWS], stored_values(6)[k] - 1024)


@pytest.mark.parametrize("attributes", [{"RescaleSlope": None}, {"RescaleIntercept": None}, {"RescaleType": "US"}])
def test_ct_that_may_not_be_in_hounsfield_units_says_so(tmp_path, attributes):
    volume = load(write(tmp_path, series_of(3, **attributes)))
    assert [(finding.kind, finding.serious) for finding in volume.findings] == [("not_hounsfield", True)]


@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        ({"ImagePositionPatient": None}, "ImagePositionPatient"),
        ({"PixelSpacing": None}, "PixelSpacing is missing"),
        ({"PixelSpacing": [0, 1]}, "PixelSpacing"),
        ({"NumberOfFrames": 3}, "holds 3 frames without a position for each"),
        ({"PhotometricInterpretation": "RGB", "SamplesPerPixel": 3}, "colour picture \\(RGB\\)"),
        ({"BitsStored": 17}, "BitsStored 17"),
        ({"RescaleSlope": 0}, "RescaleSlope is 0"),
        ({"Rows": 0}, "Rows and Columns are 0"),
        ({"ImageOrientationPatient": [1, 0, 0, 1, 0, 0]}, "ImageOrientationPatient"),
    ],
)
def test_a_slice_that_cannot_be_used_is_refused_with_field_and_value(tmp_path, attributes, words):
    path = write(tmp_path, [slice_of(stored_values(1)[0], 0, **attributes)]) / "IM0000"
    with pytest.raises(FileRefused, match=f"^IM0000:? .*{words}") as caught:
        load(path)
    assert PATIENT not in str(caught.value) and str(tmp_path) not in str(caught.value)


def test_cut_off_pixels_are_refused_with_the_file(tmp_path):
    folder = write(tmp_path, series_of(4))
    path = folder / "IM0002"
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(FileRefused, match=rf"IM0002: PixelData holds {ROWS * COLUMNS * 2 - 10} of {ROWS * COLUMNS * 2} bytes"):
        load(folder)


def test_damaged_compressed_pixels_are_refused(tmp_path):
    folder = write(tmp_path, series_of(2), RLELossless)
    path = folder / "IM0001"
    path.write_bytes(path.read_bytes()[:-60])
    with pytest.raises(FileRefused, match="IM0001"):
        load(folder)


def test_headers_longer_than_the_first_read_are_found(tmp_path):
    slices = series_of(3)
    for data in slices:
        data.private_block(0x0009, "LONG", create=True).add_new(1, "OB", bytes(100_000))
    assert_as_itk(write(tmp_path, slices))


def test_files_without_preamble_are_recognised(tmp_path):
    folder = write(tmp_path, series_of(3), ImplicitVRLittleEndian)
    for path in folder.iterdir():
        data = pydicom.dcmread(path)
        del data.file_meta
        data.preamble = None
        data.save_as(path, implicit_vr=True, little_endian=True)
        assert DICOM_READER.recognises(path, path.read_bytes()[:1024])
    assert np.array_equal(load(folder).voxels, stored_values(3) - 1024)
    assert DICOM_READER.recognises(folder, b"")
    assert not DICOM_READER.recognises(tmp_path / "x", b"\x89PNG\r\n\x1a\n" + b"\0" * 200)


def test_links_out_of_the_folder_are_not_followed(tmp_path):
    outside = write(tmp_path / "outside", series_of(2))
    folder = write(tmp_path / "inside", series_of(3))
    (folder / "link").symlink_to(outside / "IM0000")
    (folder / "folder").symlink_to(outside, target_is_directory=True)
    assert load(folder).geometry.shape[0] == 3


def test_a_damaged_file_beside_a_series_is_said(tmp_path):
    folder = write(tmp_path, series_of(3))
    (folder / "IM9").write_bytes(b"\0" * 128 + b"DICM\x02\0\0\0UL\x04\0\xff\xff")
    volume = load(folder)
    assert volume.geometry.shape[0] == 3 and [finding.kind for finding in volume.findings] == ["left_out"]


def emptied(path):
    path.write_bytes(b"")


def cut_before_the_pixels(path):
    content = path.read_bytes()
    path.write_bytes(content[: content.rindex(b"\xe0\x7f\x10\x00OW")])


def cut_in_the_header(path):
    path.write_bytes(path.read_bytes()[:400])


def cut_in_the_preamble(path):
    path.write_bytes(path.read_bytes()[:100])


def stripped(path):
    data = pydicom.dcmread(path)
    del data.PixelSpacing
    data.save_as(path)


@pytest.mark.parametrize("place", [0, 2, 4], ids=["first", "middle", "last"])
@pytest.mark.parametrize(
    ("lose", "suffix"),
    [
        *itertools.product([emptied, cut_before_the_pixels, cut_in_the_header, stripped], [".dcm", ""]),
        (cut_in_the_preamble, ".dcm"),  # without a suffix, nothing is left by which to know it
    ],
)
def test_no_slice_is_lost_in_silence(tmp_path, lose, place, suffix):
    folder = write(tmp_path, series_of(5))
    files = sorted(folder.iterdir(), key=lambda path: pydicom.dcmread(path).ImagePositionPatient[2])
    for n, path in enumerate(files):
        files[n] = path.rename(path.with_name(f"Doe_{path.name}{suffix}"))
    lose(files[place])
    (series,) = DICOM_READER.scan(folder)
    told = {finding.kind: finding for finding in finish(DICOM_READER.load(series, never)).findings}
    assert told["left_out"].serious and "1 file" in told["left_out"].message
    assert "Doe" not in told["left_out"].message
    assert ("gap" in told) == (place == 2)


def test_a_slice_that_may_not_be_read_is_said(tmp_path, monkeypatch):
    folder = write(tmp_path, series_of(4))
    victim, opened = folder / "IM0003", type(tmp_path).open

    def refuses(path, *arguments, **options):
        if path == victim:
            raise PermissionError(13, "Permission denied")
        return opened(path, *arguments, **options)

    monkeypatch.setattr(type(tmp_path), "open", refuses)
    (series,) = DICOM_READER.scan(folder)
    assert [(finding.kind, finding.serious) for finding in series.findings if finding.kind == "left_out"] == [("left_out", True)]


def test_what_is_left_out_of_another_series_is_no_loss_to_this_one(tmp_path):
    write(tmp_path / "a", series_of(4))
    write(tmp_path / "b", series_of(4, SeriesInstanceUID="1.9"))
    stripped(tmp_path / "b" / "IM0003")
    (tmp_path / "b" / "IM0002").write_bytes(b"")
    (tmp_path / "a" / "notes").write_bytes(b"no picture")
    (tmp_path / "a" / "empty.txt").write_bytes(b"")
    found = {series.files[0].parent.name: series for series in DICOM_READER.scan(tmp_path)}
    assert [(finding.kind, finding.serious) for finding in found["a"].findings] == [("left_out", False)]
    assert "2 other files" in found["a"].findings[0].message
    serious = [finding for finding in found["b"].findings if finding.kind == "left_out" and finding.serious]
    assert len(serious) == 1 and "2 files" in serious[0].message and "PixelSpacing" in serious[0].message


def test_the_patient_of_a_deflated_series_is_known(tmp_path):
    plain = load(write(tmp_path / "plain", series_of(3))).dicom.patient_and_study
    assert load(write(tmp_path / "deflated", series_of(3), DeflatedExplicitVRLittleEndian)).dicom.patient_and_study == plain


def test_what_a_derived_series_needs_is_carried_over(tmp_path):
    volume = load(write(tmp_path, series_of(4)))
    source = volume.dicom
    assert source.series_uid == "1.2.3.4" and source.study_uid == "1.2.3" and source.sop_class_uid == CTImageStorage
    attributes = Dataset.from_json(source.patient_and_study)
    assert (attributes.PatientName, attributes.PatientID, attributes.StudyDate) == (PATIENT, "4711", "20240102")
    assert "SeriesDescription" not in attributes and PATIENT not in repr(volume) + volume.name
    places = {data.SOPInstanceUID: data.ImagePositionPatient[2] for data in map(pydicom.dcmread, tmp_path.iterdir())}
    assert [places[uid] for uid in source.instance_uids] == [-4.0, -1.5, 1.0, 3.5]


def test_window_of_the_middle_slice(tmp_path):
    assert load(write(tmp_path, series_of(3, WindowCenter=[40, 400], WindowWidth=[80, 2000]))).window == (40.0, 80.0)


@pytest.mark.parametrize(
    ("explanation", "kept"),
    [
        *((["BRAIN", "BONE"], ("BRAIN", "BONE")), (["BRAIN"], ("BRAIN", "")), (None, ("", "")), (["Doe^Jane", "1970"], ("", ""))),
        *((["WINDOW1", "soft tissue 2"], ("WINDOW1", "soft tissue 2")), (["Doe", "BRAIN_DOE"], ("", ""))),
    ],
)
def test_all_windows_are_kept_with_what_the_scanner_calls_them(tmp_path, explanation, kept):
    more = {} if explanation is None else {"WindowCenterWidthExplanation": explanation}
    volume = load(write(tmp_path, series_of(3, WindowCenter=[40, 400], WindowWidth=[80, 2000], **more)))
    assert volume.windows == ((40.0, 80.0, kept[0]), (400.0, 2000.0, kept[1]))


def test_windows_that_show_nothing_are_left_out(tmp_path):
    volume = load(write(tmp_path, series_of(3, WindowCenter=[40, 400, 7], WindowWidth=[0, 2000])))
    assert volume.window == (400.0, 2000.0) and len(volume.windows) == 1


def test_progress_and_stopping(tmp_path):
    (series,) = DICOM_READER.scan(write(tmp_path, series_of(45)))
    events = list(DICOM_READER.load(series, never))
    assert isinstance(events[0], Started) and events[0].total == 45
    assert [event.done for event in events[1:] if isinstance(event, Progress)] == [20, 40, 45]
    with pytest.raises(Stopped):
        finish(DICOM_READER.load(series, lambda: True))


def sequence(scanning, repetition, echo, inversion=None):
    times = {"RepetitionTime": repetition, "EchoTime": echo, "ScanningSequence": scanning, "SeriesDescription": "head"}
    return times | ({} if inversion is None else {"InversionTime": inversion})


@pytest.mark.parametrize(
    ("attributes", "domain"),
    [
        ({"SeriesDescription": "t1_mprage_sag"}, Domain.MR_T1),
        ({"SeriesDescription": "AX T1 POST GD"}, Domain.MR_T1_GD),
        ({"SeriesDescription": "Ax T1", "ContrastBolusAgent": "Gadovist"}, Domain.MR_T1_GD),
        ({"SeriesDescription": "T2W_TSE"}, Domain.MR_T2),
        ({"SeriesDescription": "t2_space_dark-fluid"}, Domain.MR_FLAIR),
        ({"SeriesDescription": "Sag PD fs"}, Domain.MR_PD),
        ({"SeriesDescription": "ep2d_diff_b1000"}, Domain.MR),
        ({"SeriesDescription": "T2* gre"}, Domain.MR),
        (sequence("SE", 500, 12), Domain.MR_T1),
        (sequence("SE", 5000, 100), Domain.MR_T2),
        (sequence(["SE", "IR"], 9000, 120, 2500), Domain.MR_FLAIR),
        (sequence(["GR", "IR"], 2300, 3, 900), Domain.MR_T1),
        ({"SeriesDescription": "head"}, Domain.MR),
    ],
)
def test_the_weighting_of_an_mr_is_concluded(tmp_path, attributes, domain):
    (series,) = DICOM_READER.scan(write(tmp_path, series_of(1, modality="MR", **attributes)))
    assert series.domain is domain


@pytest.mark.parametrize(
    ("sop_class", "words"),
    [
        (RTDoseStorage, "of the kind RT Dose, which is neither CT nor MR."),
        (PositronEmissionTomographyImageStorage, "of the kind Positron Emission Tomography Image, which is neither CT nor MR."),
        ("1.2.3.4711", "Its header says neither CT nor MR."),
    ],
)
def test_what_is_neither_ct_nor_mr_says_what_it_is(tmp_path, sop_class, words):
    slices = [slice_of(values, 2.0 * k, SOPClassUID=sop_class, Modality="DOE JANE") for k, values in enumerate(stored_values(3))]
    (series,) = DICOM_READER.scan(write(tmp_path, slices))
    (told,) = (finding.message for finding in series.findings if finding.kind == "other_kind")
    assert told.endswith(words) and "DOE" not in told
    for modality in ("CT", "MR"):
        (known,) = DICOM_READER.scan(write(tmp_path / modality, series_of(3, modality=modality)))
        assert not known.has("other_kind")


@pytest.mark.parametrize(("count", "words"), [(0, ""), (1, "Some of the pictures were"), (3, "The pictures were")])
def test_compression_with_loss_is_told(tmp_path, count, words):
    slices = [
        slice_of(values, 2.0 * k, LossyImageCompression="01" if k < count else "00") for k, values in enumerate(stored_values(3))
    ]
    (series,) = DICOM_READER.scan(write(tmp_path, slices))
    told = [finding.message for finding in series.findings if finding.kind == "lossy"]
    assert [message.partition(" compressed with loss")[0] for message in told] == ([words] if words else [])


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, RLELossless])
def test_the_quick_walk_finds_what_pydicom_finds(tmp_path, syntax):
    for path in write(tmp_path, series_of(2), syntax).iterdir():
        content = path.read_bytes()
        wanted = {int(element.tag) for element in pydicom.dcmread(path) if element.VR != "SQ"} - {0x7FE00010}
        quick = quick_elements(content, wanted)
        assert quick is not None and quick == elements(io.BytesIO(content), wanted)
        assert len(quick.values) == len(wanted)
        assert all(quick_elements(content[:end], wanted) is None for end in range(0, quick.offset - 12, 7))


@pytest.mark.parametrize(
    "first",
    [b"\x08\0\x05\0CS\x0a\0ISO", b"\x08\0\x90\0PN\x04\0", b"\x02\0\0\0UL\x04\0", b"\0\x08\0\x05CS\0\x0aISO"],
)
def test_a_file_without_preamble_is_known_by_its_first_element(first):
    assert looks_like_dicom(first + bytes(200))
    assert not looks_like_dicom(b"\x08\0\x05\0--" + first)
