"""Multi-frame DICOM files built here with known geometry, read by our reader and, where it is right, by SimpleITK or nibabel."""

from __future__ import annotations

import gzip
import pickle
import shutil
import subprocess
import warnings

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate, encapsulate_extended
from pydicom.pixels import get_encoder
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    EnhancedCTImageStorage,
    EnhancedMRImageStorage,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    LegacyConvertedEnhancedCTImageStorage,
    RLELossless,
    generate_uid,
)  # fmt: skip

from ctmri_core.domain import Domain
from ctmri_core.errors import FileRefused
from ctmri_core.events import finish, never
from ctmri_core.geometry import Geometry
from ctmri_core.io.dicom import DICOM_READER
from ctmri_core.io.dicom_encapsulated import frame_code, frame_ranges

ROWS, COLUMNS = 12, 10


def item(**attributes):
    data = Dataset()
    for keyword, value in attributes.items():
        setattr(data, keyword, value)
    return data


def stored_values(count, high=3000, dtype=np.int16):
    return np.random.default_rng(count).integers(0, high, (count, ROWS, COLUMNS), dtype, endpoint=True)


def frame_groups(k, *, position=None, content=None, **more):
    """The functional groups of one frame, 2.5 mm from frame to frame."""
    place = [-20, -30, 2.5 * k - 4] if position is None else position
    groups = item(PlanePositionSequence=[item(ImagePositionPatient=place)], FrameContentSequence=[item(**(content or {}))])
    for keyword, value in more.items():
        setattr(groups, keyword, [value])
    return groups


def enhanced(stored, frames=None, *, modality="CT", shared=None, **attributes):
    """An enhanced image; `frames`: the functional groups of each. Attributes override or, with None, remove."""
    data = Dataset()
    data.SOPClassUID = EnhancedCTImageStorage if modality == "CT" else EnhancedMRImageStorage
    data.SOPInstanceUID, data.Modality, data.PatientName = generate_uid(), modality, "Doe^Jane"
    data.StudyInstanceUID, data.SeriesInstanceUID, data.FrameOfReferenceUID = "1.2.3", "1.2.3.4", "1.2.3.5"
    data.SeriesNumber, data.ImageType, data.InstanceNumber = 7, ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"], 1
    data.NumberOfFrames, (data.Rows, data.Columns) = len(stored), stored.shape[1:]
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated = data.BitsStored = 8 * stored.dtype.itemsize
    data.HighBit, data.PixelRepresentation = data.BitsStored - 1, int(stored.dtype.kind == "i")
    common = {
        "PlaneOrientationSequence": item(ImageOrientationPatient=[1, 0, 0, 0, 1, 0]),
        "PixelMeasuresSequence": item(PixelSpacing=[0.5, 0.75], SliceThickness=2.5),
    }
    if modality == "CT":
        common["PixelValueTransformationSequence"] = item(RescaleIntercept=-1024, RescaleSlope=1, RescaleType="HU")
    groups = item(**{keyword: [value] for keyword, value in (common | (shared or {})).items() if value is not None})
    data.SharedFunctionalGroupsSequence = [groups]
    data.PerFrameFunctionalGroupsSequence = frames if frames is not None else [frame_groups(k) for k in range(len(stored))]
    data.PixelData = stored.tobytes()
    data["PixelData"].VR = "OW" if stored.dtype.itemsize == 2 else "OB"
    for keyword, value in attributes.items():
        if value is None:
            delattr(data, keyword)
        else:
            setattr(data, keyword, value)
    return data


def saved(path, data, syntax=ExplicitVRLittleEndian):
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = syntax
    data.save_as(path, enforce_file_format=True)
    return path


def load(path, number=0):
    return finish(DICOM_READER.load(DICOM_READER.scan(path)[number], never))


def itk(path):
    image = sitk.ReadImage(str(path))
    geometry = Geometry.from_itk(image.GetSize(), image.GetSpacing(), image.GetOrigin(), image.GetDirection())
    return sitk.GetArrayFromImage(image), geometry


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
@pytest.mark.parametrize("uid", [EnhancedCTImageStorage, LegacyConvertedEnhancedCTImageStorage])
def test_an_enhanced_ct_opens_as_itk_reads_it(tmp_path, syntax, uid):
    stored = stored_values(6)
    path = saved(tmp_path / "ct", enhanced(stored, SOPClassUID=uid), syntax)
    (series,) = DICOM_READER.scan(path)
    volume = finish(DICOM_READER.load(series, never))
    assert (series.label, series.files, volume.domain) == ("CT, series 7, 6 slices", (path,), Domain.CT)
    assert volume.findings == () and volume.frame_of_reference == "1.2.3.5" and volume.voxels.dtype == np.int16
    assert np.array_equal(volume.voxels, stored - 1024)
    assert volume.geometry.spacing == (2.5, 0.5, 0.75)
    if uid == EnhancedCTImageStorage:
        voxels, geometry = itk(path)
        assert volume.geometry.is_close(geometry) and np.array_equal(volume.voxels, voxels)
    assert pickle.loads(pickle.dumps(series)) == series  # noqa: S301  # made on the line itself


def test_the_frames_are_said_in_the_source(tmp_path):
    data = enhanced(stored_values(4), [frame_groups(-k) for k in range(4)])
    source = load(saved(tmp_path / "ct", data)).dicom
    assert source.instance_uids == (data.SOPInstanceUID,) * 4 and source.frames == (4, 3, 2, 1)
    assert source.sop_class_uid == EnhancedCTImageStorage


def test_frames_in_any_order_come_to_lie_by_position(tmp_path):
    stored, order = stored_values(7), np.random.default_rng(0).permutation(7)
    path = saved(tmp_path / "ct", enhanced(stored[order], [frame_groups(int(k)) for k in order]))
    assert np.array_equal(load(path).voxels, stored - 1024)


def test_an_oblique_enhanced_mr_lies_where_its_corners_are(tmp_path):
    rows, columns = np.array([0.6, 0.8, 0]), np.array([0, 0, -1.0])
    normal, stored = np.cross(rows, columns), stored_values(5)
    frames = [frame_groups(k, position=(np.array([5.0, 6, 7]) + 1.25 * k * normal).tolist()) for k in range(5)]
    shared = {"PlaneOrientationSequence": item(ImageOrientationPatient=[*rows, *columns])}
    volume = load(saved(tmp_path / "mr", enhanced(stored, frames, modality="MR", shared=shared)))
    assert np.array_equal(volume.voxels, stored)
    expected = np.array([5.0, 6, 7]) + 3 * 1.25 * normal + 4 * 0.5 * columns + 2 * 0.75 * rows
    assert np.allclose(volume.geometry.index_to_mm((3, 4, 2)), expected, atol=1e-4)


def test_each_frame_is_rescaled_by_its_own_numbers(tmp_path):
    stored, slopes = stored_values(4), [0.5, 1.0, 2.0, 0.25]
    frames = [
        frame_groups(k, PixelValueTransformationSequence=item(RescaleSlope=slope, RescaleIntercept=k, RescaleType="US"))
        for k, slope in enumerate(slopes)
    ]
    volume = load(saved(tmp_path / "mr", enhanced(stored, frames, modality="MR")))
    for k, slope in enumerate(slopes):
        assert np.allclose(volume.voxels[k], stored[k] * slope + k, rtol=1e-6)


def test_the_window_of_a_frame_is_kept(tmp_path):
    shared = {"FrameVOILUTSequence": item(WindowCenter=40, WindowWidth=80)}
    assert load(saved(tmp_path / "ct", enhanced(stored_values(3), shared=shared))).window == (40.0, 80.0)


def echo(k):
    return {"MREchoSequence": item(EffectiveEchoTime=30.0 + 60 * k)}


def phase(k):
    return {"content": {"TemporalPositionIndex": k + 1}}


def acquisition(k):
    return {"content": {"FrameAcquisitionNumber": k + 1}}


def kind(k):
    return {"MRImageFrameTypeSequence": item(FrameType=["ORIGINAL", "PRIMARY", ("M", "P")[k], "NONE"])}


def diffusion(k):
    return {"MRDiffusionSequence": item(DiffusionBValue=1000.0 * k)}


def nothing(_):
    """The stacks follow each other."""
    return {}


def direction(k):
    return {"content": {"DimensionIndexValues": [1, 0, k + 1]}}


@pytest.mark.parametrize("part", [echo, phase, acquisition, kind, diffusion, direction, nothing])
def test_what_is_imaged_twice_becomes_series_of_their_own(tmp_path, part):
    frames = [frame_groups(k, **part(n)) for n in range(2) for k in range(4)]
    for n, groups in enumerate(frames):
        if "DimensionIndexValues" in groups.FrameContentSequence[0]:
            groups.FrameContentSequence[0].DimensionIndexValues[1] = n % 4 + 1
    pointers = [item(DimensionIndexPointer=tag) for tag in (0x00209056, 0x00200032, 0x00189089)]
    stored = stored_values(8)
    path = saved(tmp_path / "mr", enhanced(stored, frames, modality="MR", DimensionIndexSequence=pointers))
    found = [finish(DICOM_READER.load(series, never)).voxels for series in DICOM_READER.scan(path)]
    assert np.array_equal(found, [stored[:4], stored[4:]])


def test_stacks_are_series_of_their_own_wherever_they_lie(tmp_path):
    frames = [frame_groups(k + 20 * (k // 4), content={"StackID": "ab"[k // 4]}) for k in range(8)]
    found = DICOM_READER.scan(saved(tmp_path / "mr", enhanced(stored_values(8), frames, modality="MR")))
    assert [series.shape for series in found] == [(4, ROWS, COLUMNS)] * 2


def test_frames_that_lack_their_dimension_indices_open(tmp_path):
    data = enhanced(stored_values(3), DimensionIndexSequence=[item(DimensionIndexPointer=0x00189087)])
    assert load(saved(tmp_path / "ct", data)).geometry.shape[0] == 3


@pytest.mark.parametrize("offsets", [[0, 3, 6], [-40, -37, -34]])
@pytest.mark.parametrize("columns", [1, -1])
def test_the_frames_of_a_dose_lie_by_their_offsets(tmp_path, offsets, columns):
    stored = stored_values(3)
    attributes = {"SharedFunctionalGroupsSequence": None, "PerFrameFunctionalGroupsSequence": None, "Modality": "RTDOSE"}
    place = {"ImagePositionPatient": [5, 6, -40], "ImageOrientationPatient": [1, 0, 0, 0, columns, 0], "PixelSpacing": [2, 2]}
    dose = {"GridFrameOffsetVector": offsets, "DoseGridScaling": 0.5}
    volume = load(saved(tmp_path / "dose", enhanced(stored, **attributes, **place, **dose)))
    height = 3 if offsets[0] or columns == 1 else -3
    for k in range(3):
        place = volume.geometry.mm_to_index([5, 6, -40 + height * k])
        assert np.allclose(volume.voxels[round(place[0])], stored[k] * 0.5) and np.allclose(place[1:], 0)


def test_stacks_of_one_frame_each_are_one_series(tmp_path):
    frames = [frame_groups(k, content={"StackID": str(k)}) for k in range(5)]
    assert load(saved(tmp_path / "mr", enhanced(stored_values(5), frames, modality="MR"))).geometry.shape[0] == 5


def test_frames_of_several_files_form_one_series(tmp_path):
    stored = stored_values(6)
    for n in range(2):
        saved(tmp_path / f"IM{n}", enhanced(stored[3 * n : 3 * n + 3], [frame_groups(k + 3 * n) for k in range(3)]))
    (series,) = DICOM_READER.scan(tmp_path)
    assert series.files == (tmp_path / "IM0", tmp_path / "IM1")
    assert np.array_equal(finish(DICOM_READER.load(series, never)).voxels, stored - 1024)


def test_the_weighting_is_concluded_from_enhanced_fields(tmp_path):
    shared = {
        "MREchoSequence": item(EffectiveEchoTime=100.0),
        "MRTimingAndRelatedParametersSequence": item(RepetitionTime=5000.0),
    }
    data = enhanced(stored_values(2), modality="MR", shared=shared, EchoPulseSequence="SPIN")
    assert DICOM_READER.scan(saved(tmp_path / "a", data))[0].domain is Domain.MR_T2
    data = enhanced(stored_values(2), modality="MR", AcquisitionContrast="FLUID_ATTENUATED")
    assert DICOM_READER.scan(saved(tmp_path / "b", data))[0].domain is Domain.MR_FLAIR
    agent = [item(ContrastBolusAgentNumber=1)]
    data = enhanced(stored_values(2), modality="MR", AcquisitionContrast="T1", ContrastBolusAgentSequence=agent)
    assert DICOM_READER.scan(saved(tmp_path / "c", data))[0].domain is Domain.MR_T1_GD


@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        ({"PerFrameFunctionalGroupsSequence": None}, "holds 3 frames without a position for each"),
        ({"NumberOfFrames": 4}, "NumberOfFrames is 4, PerFrameFunctionalGroupsSequence describes 3"),
        ({"NumberOfFrames": 100_000}, "NumberOfFrames is 100000; 1 to 65535"),
        ({"SharedFunctionalGroupsSequence": []}, "no position and orientation"),
        ({"shared": {"PixelMeasuresSequence": None}}, "PixelSpacing is missing"),
        ({"shared": {"PixelValueTransformationSequence": item(RescaleSlope=0, RescaleIntercept=1)}}, "RescaleSlope is 0"),
    ],
)
def test_frames_without_a_place_are_refused_in_words(tmp_path, attributes, words):
    path = saved(tmp_path / "ct", enhanced(stored_values(3), **attributes))
    with pytest.raises(FileRefused, match=words) as caught:
        DICOM_READER.scan(path)
    assert caught.value.way_out and "Doe" not in str(caught.value)


@pytest.mark.parametrize("missing", [1, ROWS * COLUMNS * 2, 5 * ROWS * COLUMNS])
def test_frames_that_are_not_there_are_refused(tmp_path, missing):
    path = saved(tmp_path / "ct", enhanced(stored_values(6)))
    path.write_bytes(path.read_bytes()[:-missing])
    with pytest.raises(FileRefused, match=f"PixelData holds \\d+ of {2 * ROWS * COLUMNS} bytes"):
        load(path)


def test_big_endian_frames(tmp_path):
    stored = stored_values(4)
    path = saved(tmp_path / "ct", enhanced(stored.byteswap()), ExplicitVRBigEndian)  # in file order
    assert np.array_equal(load(path).voxels, stored - 1024)


def codes(stored):
    """Of each frame, by pydicom."""
    encoder = get_encoder(RLELossless)
    options = {"rows": ROWS, "columns": COLUMNS, "samples_per_pixel": 1, "photometric_interpretation": "MONOCHROME2"}
    bits = {"bits_allocated": 16, "bits_stored": 16, "pixel_representation": 1, "number_of_frames": 1}
    return [encoder.encode(part.tobytes(), index=0, **options, **bits) for part in stored]


def compressed(path, stored, data, offsets):
    parts = codes(stored)
    if offsets == "extended":
        data.PixelData, data.ExtendedOffsetTable, data.ExtendedOffsetTableLengths = encapsulate_extended(parts)
    else:
        data.PixelData = encapsulate(parts, has_bot=offsets == "filled")
    data["PixelData"].is_undefined_length = True
    data["PixelData"].VR = "OB"
    return saved(path, data, RLELossless)


@pytest.mark.parametrize("offsets", ["empty", "filled", "extended"])
def test_compressed_frames(tmp_path, offsets):
    stored = stored_values(5)
    volume = load(compressed(tmp_path / "ct", stored, enhanced(stored), offsets))
    assert np.array_equal(volume.voxels, stored - 1024) and volume.voxels.dtype == np.int16


def test_different_compressed_frames_of_one_place_are_no_copies(tmp_path):
    stored = stored_values(3)
    frames = [frame_groups(k) for k in (0, 0, 1)]
    path = compressed(tmp_path / "ct", stored, enhanced(stored, frames), "empty")
    with pytest.raises(FileRefused, match="different pictures of the same place"):
        load(path)
    stored[1] = stored[0]
    path = compressed(tmp_path / "twice", stored, enhanced(stored, frames), "empty")
    assert [finding.kind for finding in load(path).findings] == ["duplicate"]


def test_a_compressed_file_cut_short_is_refused(tmp_path):
    stored = stored_values(5)
    path = compressed(tmp_path / "ct", stored, enhanced(stored), "filled")
    content = path.read_bytes()
    for cut in (9, 60, 400):
        path.write_bytes(content[:-cut])
        with pytest.raises(FileRefused, match=r"incomplete|does not say which belong"):
            load(path)
    path.write_bytes(content[:-8])  # the mark that ends the sequence says nothing
    assert np.array_equal(load(path).voxels, stored - 1024)


@pytest.mark.parametrize("table", [True, False])
def test_frames_of_several_fragments_are_told_apart(tmp_path, table):
    parts = [bytes([k]) * (20 + 6 * k) + b"\xff\xd9" for k in range(4)]
    path = tmp_path / "pixels"
    path.write_bytes(b"head" + encapsulate(parts, fragments_per_frame=2, has_bot=table))
    with path.open("rb") as stream:
        ranges = frame_ranges(path, stream, 4, 4)
    assert [frame_code(path, *part) for part in ranges] == parts
    if not table:
        path.write_bytes(path.read_bytes().replace(b"\xff\xd9", b"\xff\xda"))
        with path.open("rb") as stream, pytest.raises(FileRefused, match=r"8 compressed fragments .* 4 frames"):
            frame_ranges(path, stream, 4, 4)


def test_a_single_frame_of_several_fragments_is_joined(tmp_path):
    stored = stored_values(1)
    data = enhanced(stored)
    data.PixelData = encapsulate(codes(stored), fragments_per_frame=1)
    data["PixelData"].is_undefined_length = True
    data["PixelData"].VR = "OB"
    assert np.array_equal(load(saved(tmp_path / "ct", data, RLELossless)).voxels, stored - 1024)


@pytest.mark.parametrize(
    ("tool", "option", "bits", "fragments"),
    [
        ("jpeg", "+eb", 8, None),
        ("jpeg", "+ee", 12, "1"),
        ("jpeg", "+el", 16, None),
        ("jpeg", "+e1", 16, "1"),
        ("jpls", "+el", 16, None),
        ("jpls", "+en", 12, None),
    ],
)
def test_frames_compressed_by_dcmtk_are_as_dcmtk_decodes_them(tmp_path, tool, option, bits, fragments):
    encoder, decoder = shutil.which(f"dcmc{tool}"), shutil.which(f"dcmd{tool}")
    if encoder is None or decoder is None:
        pytest.skip("dcmtk is not installed")
    smooth = np.outer(np.hanning(64), np.hanning(48)) * ((1 << bits) - 1)
    stored = np.stack([np.roll(smooth, 9 * k) for k in range(4)]).astype(np.uint8 if bits == 8 else np.uint16)
    path = saved(tmp_path / "plain", enhanced(stored, modality="MR", BitsStored=bits, HighBit=bits - 1))
    split = ["+fs", fragments] if fragments else []
    subprocess.run([encoder, option, *split, path, tmp_path / "compressed"], check=True, capture_output=True)
    subprocess.run([decoder, tmp_path / "compressed", tmp_path / "decoded"], check=True, capture_output=True)
    voxels = load(tmp_path / "compressed").voxels
    assert np.array_equal(voxels, pydicom.dcmread(tmp_path / "decoded").pixel_array)
    assert np.abs(voxels - stored.astype(float)).max() <= (0 if bits == 16 else 8)


def test_deflated_frames_are_inflated_once(tmp_path):
    stored = stored_values(5)
    path = saved(tmp_path / "ct", enhanced(stored), DeflatedExplicitVRLittleEndian)
    assert np.array_equal(load(path).voxels, stored - 1024)
    shorter = saved(tmp_path / "ct", enhanced(stored[::-1].copy()), DeflatedExplicitVRLittleEndian)  # under the same name
    assert np.array_equal(load(shorter).voxels, stored[::-1] - 1024)


def test_different_deflated_frames_of_one_place_are_no_copies(tmp_path):
    stored = np.zeros((2, ROWS, COLUMNS), np.int16)
    stored[1] = 1
    path = saved(tmp_path / "ct", enhanced(stored, [frame_groups(0)] * 2), DeflatedExplicitVRLittleEndian)
    with pytest.raises(FileRefused, match="different pictures of the same place"):
        load(path)


def test_the_kind_of_data_stands_in_for_a_missing_modality(tmp_path):
    assert load(saved(tmp_path / "ct", enhanced(stored_values(2), Modality=""))).domain is Domain.CT


def test_a_real_enhanced_mr_agrees_with_nibabel(tmp_path, shared_data):
    path = tmp_path / "mr.dcm"
    path.write_bytes(gzip.decompress((shared_data / NICOM / "philips_mprage.dcm.gz").read_bytes()))
    assert_as_nibabel(path, (176, 256, 256))


@pytest.mark.parametrize("name", ["siemens_dwi_0.dcm.gz", "siemens_dwi_1000.dcm.gz"])
def test_a_real_mosaic_agrees_with_nibabel(tmp_path, shared_data, name):
    path = tmp_path / "mosaic.dcm"
    path.write_bytes(gzip.decompress((shared_data / NICOM / name).read_bytes()))
    assert_as_nibabel(path, (48, 128, 128))


NICOM = "odd_files/nibabel_tests/nicom/tests/data"


def assert_as_nibabel(path, shape):
    (series,) = DICOM_READER.scan(path)
    volume = finish(DICOM_READER.load(series, never))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # nibabel's own words about its reader
        from nibabel.nicom.dicomwrappers import wrapper_from_file

        wrapper = wrapper_from_file(path)
        data = wrapper.get_data()
    assert volume.geometry.shape == shape and series.findings == ()
    indices = np.random.default_rng(0).integers(0, shape, (200, 3))
    places = [[*volume.geometry.index_to_mm(index), 1] for index in indices.tolist()]
    theirs = np.linalg.solve(wrapper.affine, np.transpose(places))[:3].T
    assert np.abs(theirs - np.rint(theirs)).max() < 2e-3
    for index, other in zip(indices.tolist(), np.rint(theirs).astype(int).tolist(), strict=True):
        assert volume.voxels[tuple(index)] == pytest.approx(data[tuple(other)], rel=1e-5)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda data: data.pop(0x00291010), "private header cannot be read"),
        (lambda data: setattr(data[0x00291010], "value", data[0x00291010].value[:300]), "private header cannot be read"),
        (lambda data: setattr(data, "Rows", 897), "48 equal slices do not fill"),
        (lambda data: delattr(data, "SpacingBetweenSlices"), "without SpacingBetweenSlices"),
        (lambda data: setattr(data, "ImageOrientationPatient", [0, 1, 0, 0, 0, 1]), "slice normal does not fit"),
    ],
)
def test_mosaics_that_cannot_be_taken_apart_are_refused_in_words(tmp_path, shared_data, change, words):
    path = tmp_path / "mosaic.dcm"
    path.write_bytes(gzip.decompress((shared_data / NICOM / "siemens_dwi_0.dcm.gz").read_bytes()))
    data = pydicom.dcmread(path)
    change(data)
    data.save_as(path)
    with pytest.raises(FileRefused, match=words):
        DICOM_READER.scan(path)
