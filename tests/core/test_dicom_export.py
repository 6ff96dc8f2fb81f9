"""Exported series: read by pydicom and SimpleITK, judged by `dciodvfy`, and their marks removed one by one."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from itertools import cycle
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage, MRImageStorage

from ctmri_core.domain import PICTURES, Domain
from ctmri_core.errors import Stopped, WriteFailed
from ctmri_core.events import Noted, Progress, finish
from ctmri_core.geometry import Geometry, rigid_transform
from ctmri_core.io import dicom_export
from ctmri_core.io.export_rules import missing_marks
from ctmri_core.io.opening import open_volume
from ctmri_core.volume import DicomSource, Finding, LossyCompression, Synthetic, Volume

_TURN = rigid_transform((8.0, -15.0, 30.0), (0.0, 0.0, 0.0))[:3, :3]
SHAPE = (4, 6, 5)
GRIDS = {
    "axial": Geometry(SHAPE, (2.5, 0.488281, 0.7), (-125.123, -130.5, 456.789)),
    "oblique": Geometry(SHAPE, (3.3, 0.6667, 0.71), (-100.0, 20.0, -30.0), tuple(map(tuple, _TURN[:, ::-1].T.tolist()))),
    "left-handed": Geometry(SHAPE, (1.0, 1.0, 1.0), (1.0, 2.0, 3.0), ((0.0, 0.0, -1.0), (0.0, 1.0, 0.0), (1.0, 0.0, 0.0))),
}
MODEL = Synthetic("demo CT → T1", "ab" * 32)


def write_dicom_series(volume: Volume, folder: Path, **options) -> tuple[Path, ...]:
    return finish(dicom_export.write_dicom_series(volume, folder, **options))


def _source(**attributes: str) -> DicomSource:
    known = Dataset()
    known.SpecificCharacterSet = "ISO_IR 100"
    known.PatientName, known.PatientID, known.PatientSex, known.StudyDate = "Müller^Änne", "4711", "F", "20200131"
    for keyword, value in attributes.items():
        setattr(known, keyword, value)
    return DicomSource(
        study_uid="1.2.3.4",
        series_uid="1.2.3.4.5",
        sop_class_uid=CTImageStorage,
        frame_of_reference_uid="1.2.3.9",
        instance_uids=tuple(f"1.2.3.4.5.{k}" for k in range(SHAPE[0])),
        patient_and_study=known.to_json_dict(),
    )


def _synthetic(domain: Domain, grid: Geometry = GRIDS["axial"], dicom: DicomSource | None = None, dtype=np.int16) -> Volume:
    low, high = (-1024, 3000) if domain is Domain.CT else (0, 1000)
    voxels = np.random.default_rng(3).integers(low, high, grid.shape).astype(dtype)
    return Volume(voxels, grid, domain, "x", synthetic=MODEL, dicom=dicom)


@pytest.mark.parametrize("grid", GRIDS.values(), ids=GRIDS.keys())
@pytest.mark.parametrize("domain", [Domain.CT, Domain.MR_T1])
def test_geometry_and_values_survive(tmp_path, domain, grid):
    volume = _synthetic(domain, grid, _source())
    files = write_dicom_series(volume, tmp_path / "out")
    assert [path.name for path in files] == [f"IMG0000{n}.dcm" for n in (1, 2, 3, 4)]
    for k, path in enumerate(files):
        slice_ = pydicom.dcmread(path)
        assert path.read_bytes()[:128] == bytes(128)
        stored = np.frombuffer(slice_.PixelData, "<u2").reshape(grid.shape[1:]).astype(int)
        np.testing.assert_array_equal(stored + int(slice_.get("RescaleIntercept", 0)), volume.voxels[k])
        np.testing.assert_allclose(slice_.ImagePositionPatient, grid.index_to_mm((k, 0, 0)), atol=1e-3)
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames([str(path) for path in files])
    image = reader.Execute()
    last = image.TransformIndexToPhysicalPoint([n - 1 for n in image.GetSize()])
    np.testing.assert_allclose(last, grid.index_to_mm([n - 1 for n in grid.shape]), atol=1e-3)
    np.testing.assert_array_equal(sitk.GetArrayFromImage(image), volume.voxels)


def test_the_reader_opens_it_as_synthetic(tmp_path):
    volume = _synthetic(Domain.MR_T1, GRIDS["oblique"], _source())
    write_dicom_series(volume, tmp_path / "out")
    again = open_volume(tmp_path / "out")
    assert again.domain is Domain.MR_T1
    assert again.synthetic == Synthetic("demo CT to T1", "ab" * 32)
    assert again.geometry.is_close(volume.geometry, 1e-3)
    np.testing.assert_array_equal(again.voxels, volume.voxels)


NAMES = ("pix2pix T2 MR -> T1 MR", "computed by model x (SHA-256 of its weights 1)", "t2 gd flair")


@pytest.mark.parametrize(
    ("domain", "name"), list(zip([domain for domain in Domain if domain.modality != "OT"], cycle(NAMES), strict=False))
)
def test_its_contrast_is_known_again_whatever_the_model_is_called(tmp_path, domain, name):
    volume = replace(_synthetic(domain, dicom=_source()), synthetic=Synthetic(name, "ab" * 32))
    write_dicom_series(volume, tmp_path / "out")
    again = open_volume(tmp_path / "out")
    assert (again.domain, again.synthetic) == (domain, Synthetic(name, "ab" * 32))


def test_what_was_known_about_it_is_known_again(tmp_path):
    findings = (
        Finding("partial", "Translation was stopped after 3 of 9 slices; the others are empty.", serious=True),
        Finding("demo_model", "x is a demonstration model."),
    )
    write_dicom_series(replace(_synthetic(Domain.MR_T1, dicom=_source()), findings=findings), tmp_path / "out")
    assert open_volume(tmp_path / "out").findings == findings


def test_a_phantom_stays_one(tmp_path):
    path = write_dicom_series(replace(_synthetic(Domain.MR_T1), phantom=True), tmp_path / "out")[0]
    slice_ = pydicom.dcmread(path)
    assert (slice_.PatientName, slice_.QualityControlSubject) == ("PHANTOM^DIGITAL", "YES")
    assert "PHANTOM" in slice_.SeriesDescription
    assert "of a phantom" in slice_.DerivationDescription
    again = open_volume(tmp_path / "out")
    assert (again.phantom, again.domain, again.label) == (True, Domain.MR_T1, "Synthetic T1 MR phantom")
    assert "phantom" in again.name
    twice = replace(again, synthetic=MODEL)  # translated once more: in the phantom's own study
    assert pydicom.dcmread(write_dicom_series(twice, tmp_path / "two")[0]).QualityControlSubject == "YES"


def test_it_joins_the_study_of_its_source(tmp_path):
    source = replace(_synthetic(Domain.CT), synthetic=None, dicom=_source(BodyPartExamined="HEAD"))
    volume = _synthetic(Domain.MR_T1, dicom=source.dicom)
    slices = [pydicom.dcmread(path) for path in write_dicom_series(volume, tmp_path / "out", source=source)]
    for k, slice_ in enumerate(slices):
        assert (slice_.StudyInstanceUID, slice_.FrameOfReferenceUID) == ("1.2.3.4", "1.2.3.9")
        assert (slice_.PatientName, slice_.PatientID, slice_.StudyDate) == ("Müller^Änne", "4711", "20200131")
        assert slice_.BodyPartExamined == "HEAD"
        (reference,) = slice_.SourceImageSequence
        assert (reference.ReferencedSOPInstanceUID, reference.ReferencedSOPClassUID) == (f"1.2.3.4.5.{k}", CTImageStorage)
        (series,) = slice_.ReferencedSeriesSequence
        assert series.SeriesInstanceUID == "1.2.3.4.5"
        assert "ab" * 32 in slice_.DerivationDescription
    assert len({slice_.SOPInstanceUID for slice_ in slices}) == SHAPE[0]
    assert len({slice_.SeriesInstanceUID for slice_ in slices}) == 1
    again = [pydicom.dcmread(path) for path in write_dicom_series(volume, tmp_path / "two", source=source)]
    assert not {slice_.SOPInstanceUID for slice_ in slices} & {slice_.SOPInstanceUID for slice_ in again}


def _other(source: DicomSource | None) -> dict[str, Volume]:
    acquired = replace(_synthetic(Domain.CT), synthetic=None, dicom=source)
    shifted = replace(GRIDS["axial"], origin=(-125.123, -130.5, 459.289))
    return {
        "another grid": replace(acquired, geometry=shifted),
        "another series": replace(acquired, dicom=replace(_source(), series_uid="1.2.3.4.6")),
        "another study": replace(acquired, dicom=replace(_source(), study_uid="1.2.3.7")),
        "no DICOM on one side": replace(acquired, dicom=None if source else _source()),
    }


@pytest.mark.parametrize("own", [_source(), None], ids=["of a patient", "of nobody"])
@pytest.mark.parametrize("which", list(_other(None)))
def test_no_volume_gets_the_identity_of_what_it_was_not_made_from(tmp_path, own, which):
    with pytest.raises(WriteFailed, match="cannot be shown to come from this source"):
        write_dicom_series(_synthetic(Domain.MR_T1, dicom=own), tmp_path / "out", source=_other(own)[which])
    assert list(tmp_path.iterdir()) == []


def test_a_patient_that_cannot_be_told_is_never_left_blank_in_the_study(tmp_path):
    source = replace(_source(), patient_and_study={"00080020": {"vr": "DA", "Value": ["20200131"]}})
    with pytest.raises(WriteFailed, match="PatientName and PatientID"):
        write_dicom_series(_synthetic(Domain.MR_T1, dicom=source), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_another_number_of_slices_refers_to_all_of_the_source(tmp_path):
    source = _source()
    volume = _synthetic(Domain.MR_T1, dicom=replace(source, instance_uids=source.instance_uids[:3]))
    slice_ = pydicom.dcmread(write_dicom_series(volume, tmp_path / "out")[0])
    assert len(slice_.SourceImageSequence) == 3


def test_without_a_dicom_source_a_study_of_nobody_is_made_once(tmp_path):
    source = replace(_synthetic(Domain.CT), synthetic=None)
    files = [write_dicom_series(_synthetic(Domain.MR_T1), tmp_path / name, source=source)[0] for name in ("a", "b")]
    first, second = (pydicom.dcmread(path) for path in files)
    assert str(first.PatientName).startswith("ANONYMOUS")
    assert first.PatientID.startswith("CTMRI-")
    assert "without DICOM identity" in first.DerivationDescription
    for keyword in ("StudyInstanceUID", "FrameOfReferenceUID", "PatientID"):
        assert first[keyword].value == second[keyword].value
    assert "SourceImageSequence" not in first
    assert missing_marks(files[0]) == ()


REMOVABLE = {
    Domain.CT: ["RescaleIntercept", "RescaleSlope", "RescaleType", "KVP"],
    Domain.MR_T1: ["ScanningSequence", "RepetitionTime", "EchoTime"],
}
COMMON = [
    "SyntheticData", "ImageType", "SeriesDescription", "DerivationDescription", "DerivationCodeSequence", "SourceImageSequence",
    "ReferencedSeriesSequence", "ContributingEquipmentSequence", "BurnedInAnnotation", "RecognizableVisualFeatures",
    "WindowCenter", "WindowWidth", "FrameOfReferenceUID", "SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID",
]  # fmt: skip


@pytest.fixture(scope="module")
def marked(tmp_path_factory):
    """A slice of a synthetic series of each kind."""
    folder = tmp_path_factory.mktemp("marked")
    return {domain: write_dicom_series(_synthetic(domain, dicom=_source()), folder / domain)[0] for domain in REMOVABLE}


@pytest.mark.parametrize(("domain", "mark"), [(domain, mark) for domain, own in REMOVABLE.items() for mark in COMMON + own])
def test_every_removed_mark_is_caught(marked, tmp_path, domain, mark):
    assert missing_marks(marked[domain]) == ()
    slice_ = pydicom.dcmread(marked[domain])
    del slice_[mark]
    pydicom.dcmwrite(tmp_path / "a.dcm", slice_, enforce_file_format=False)
    assert mark in missing_marks(tmp_path / "a.dcm")


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("SyntheticData", "NO"), ("ImageType", ["ORIGINAL", "PRIMARY", "OTHER"]), ("SeriesDescription", "SYNTHETIC T1"),
        ("SOPClassUID", CTImageStorage), ("Modality", "OT"), ("ScanningSequence", "SE"), ("RepetitionTime", "500"),
        ("RescaleSlope", "1"), ("SOPInstanceUID", "1.2.3"),
    ],
)  # fmt: skip
def test_every_wrong_mark_is_caught(marked, tmp_path, keyword, value):
    slice_ = pydicom.dcmread(marked[Domain.MR_T1])
    setattr(slice_, keyword, value)
    pydicom.dcmwrite(tmp_path / "a.dcm", slice_)
    assert any(keyword in mark for mark in missing_marks(tmp_path / "a.dcm"))


SOURCES = {
    "no DICOM source": None,
    "bare": _source(),
    "head": _source(BodyPartExamined="HEAD", PatientPosition="HFS"),
    "knee": _source(BodyPartExamined="KNEE", Laterality="L"),
}


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dciodvfy (dicom3tools) is not installed")
@pytest.mark.parametrize("domain", [Domain.CT, Domain.MR_T1, Domain.MR])
@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES.keys())
def test_the_validator_finds_no_error_of_ours(tmp_path, domain, source):
    volume = replace(_synthetic(domain, GRIDS["oblique"], source), phantom=source is None, findings=(Finding("gap", "1 mm."),))
    path = write_dicom_series(volume, tmp_path / "out")[0]
    said = subprocess.run(["dciodvfy", str(path)], capture_output=True, text=True, check=False)
    errors = [line for line in (said.stdout + said.stderr).splitlines() if line.startswith("Error")]
    assert [line for line in errors if "0x0008,0x001c" not in line] == []  # its 2022 build does not know SyntheticData


@pytest.mark.parametrize("far", [1e6, 1e30])
@pytest.mark.parametrize("domain", [Domain.CT, Domain.MR_T1])
def test_what_is_rounded_or_clipped_is_said_and_known_again(tmp_path, domain, far):
    volume = _synthetic(domain, dtype=np.float32)
    volume.voxels[...] += 0.25
    volume.voxels[0, 0, :2] = far, -far
    heard = list(dicom_export.write_dicom_series(volume, tmp_path / "out"))
    slice_ = pydicom.dcmread(tmp_path / "out" / "IMG00001.dcm")
    values = slice_.pixel_array.ravel() + float(slice_.get("RescaleIntercept", 0))
    assert tuple(values[:2]) == {Domain.CT: (32767, -32768), Domain.MR_T1: (32767, -32768)}[domain]
    np.testing.assert_array_equal(values[2:], np.rint(volume.voxels[0].ravel()[2:]))
    clipped, rounded = open_volume(tmp_path / "out").findings
    assert [(event.message, event.serious) for event in heard if isinstance(event, Noted)] == [
        (clipped.message, True), (rounded.message, False),
    ]  # fmt: skip
    assert clipped.message.startswith("2 values beyond -32768 to 32767") and rounded.message.endswith("by up to 0.25.")
    assert clipped.message in slice_.DerivationDescription and rounded.message in slice_.DerivationDescription


def test_what_rounding_would_destroy_is_refused(tmp_path):
    volume = _synthetic(Domain.MR_T1, dtype=np.float32)
    volume.voxels[...] = np.linspace(0, 1, volume.voxels.size).reshape(SHAPE)
    with pytest.raises(WriteFailed, match="rounding"):
        write_dicom_series(volume, tmp_path / "two")
    volume.voxels[0, 0, 0] = np.nan
    with pytest.raises(WriteFailed, match="NaN"):
        write_dicom_series(volume, tmp_path / "three")


def test_a_volume_of_unknown_modality_is_no_ct_and_no_mr(tmp_path):
    with pytest.raises(WriteFailed, match="NIfTI"):
        write_dicom_series(replace(_synthetic(Domain.CT), domain=Domain.UNKNOWN), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_series_appears_whole_or_not_at_all(tmp_path, monkeypatch):
    written = []
    write = pydicom.dcmwrite

    def full_disk(path: Path, *arguments, **options):
        if len(written) == 2:
            raise OSError(28, "No space left on device")
        written.append(path)
        write(path, *arguments, **options)

    monkeypatch.setattr(dicom_export.pydicom, "dcmwrite", full_disk)
    with pytest.raises(WriteFailed, match="disk is full"):
        write_dicom_series(_synthetic(Domain.CT), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []
    monkeypatch.undo()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("keep")
    with pytest.raises(WriteFailed, match="not empty"):
        write_dicom_series(_synthetic(Domain.CT), tmp_path / "out")


def test_it_says_how_far_it_is_and_stops_between_slices(tmp_path):
    heard = list(dicom_export.write_dicom_series(_synthetic(Domain.CT), tmp_path / "whole"))
    assert [(event.done, event.total) for event in heard if isinstance(event, Progress)] == [(k, 4) for k in (1, 2, 3, 4)]
    asked = iter([False, False, True])
    with pytest.raises(Stopped):
        finish(dicom_export.write_dicom_series(_synthetic(Domain.CT), tmp_path / "out", stop=lambda: next(asked)))
    assert [path.name for path in tmp_path.iterdir()] == ["whole"]


def test_broken_attributes_of_the_source_are_left_out_but_the_patient_stays(tmp_path):
    source = _source()
    source.patient_and_study.update(
        {
            "00180015": {"vr": "CS", "Value": ["Head^Routine"]},
            "00100030": {"vr": "DA", "Value": ["1960"]},
            "00100020": {"vr": "LO", "Value": ["4" * 70]},
        }
    )
    slice_ = pydicom.dcmread(write_dicom_series(_synthetic(Domain.MR_T1, dicom=source), tmp_path / "out")[0])
    assert "BodyPartExamined" not in slice_
    assert not slice_.PatientBirthDate
    assert slice_.get_item("PatientID").value.strip() == b"4" * 70


def test_a_ct_relabelled_as_mr_is_caught(tmp_path):
    path = write_dicom_series(_synthetic(Domain.CT, dicom=_source()), tmp_path / "out")[0]
    slice_ = pydicom.dcmread(path)
    slice_.Modality = "MR"
    pydicom.dcmwrite(path, slice_)
    assert {"SOPClassUID", "ImageType", "ScanningSequence", "no RescaleSlope"} <= set(missing_marks(path))


def test_no_free_text_of_the_source_is_carried_along(tmp_path):
    planted = _source(StudyDescription="Brain", PatientComments="SECRET", InstitutionName="SECRET")
    path = write_dicom_series(_synthetic(Domain.MR_T1, dicom=planted), tmp_path / "out")[0]
    assert b"SECRET" not in path.read_bytes()
    assert pydicom.dcmread(path).StudyDescription == "Brain"


@pytest.mark.shared_data
def test_a_real_series_and_its_synthetic_twin(shared_data, tmp_path):
    source = open_volume(shared_data / "porcine_ct_t2" / "dicom_excerpt" / "ct")
    twin = replace(source, voxels=(source.voxels.clip(-1000, 1000) + 1000).astype(np.int16), domain=Domain.MR_T1, synthetic=MODEL)
    files = write_dicom_series(twin, tmp_path / "out", source=source)
    original = {pydicom.dcmread(path, stop_before_pixels=True).SOPInstanceUID: path for path in _dicom_files(shared_data)}
    for path in files:
        slice_ = pydicom.dcmread(path)
        reference = pydicom.dcmread(original[slice_.SourceImageSequence[0].ReferencedSOPInstanceUID], stop_before_pixels=True)
        np.testing.assert_allclose(slice_.ImagePositionPatient, reference.ImagePositionPatient, atol=1e-3)
        assert slice_.StudyInstanceUID == reference.StudyInstanceUID
        assert slice_.SOPClassUID == MRImageStorage
    assert open_volume(tmp_path / "out").geometry.is_close(source.geometry, 1e-3)


def _dicom_files(shared_data: Path) -> list[Path]:
    return [path for path in (shared_data / "porcine_ct_t2" / "dicom_excerpt" / "ct").iterdir() if path.is_file()]


@pytest.mark.parametrize(
    ("name", "expected"),
    [("MR2_JPLY", ("01", 17.0, "ISO_10918_1")), ("MR2_JPLL", ("00", None, None)), ("MR2_RLE", ("00", None, None))],
)
def test_what_was_lost_in_compression_stays_lost(shared_data, tmp_path, name, expected):
    found = list((shared_data / "odd_files" / "nema_wg04_ct_mr").rglob(name))
    if not found:
        pytest.skip(f"no {name}")
    source = open_volume(found[0])
    (written,) = write_dicom_series(_synthetic(Domain.CT, source.geometry, source.dicom), tmp_path / "out", source=source)
    slice_ = pydicom.dcmread(written)
    ratio = slice_.get("LossyImageCompressionRatio")
    assert (slice_.LossyImageCompression, ratio, slice_.get("LossyImageCompressionMethod")) == expected
    assert (open_volume(tmp_path / "out").dicom.lossy is not None) == (expected[0] == "01")


@pytest.mark.parametrize("known", [(), ("ISO_10918_1", "DOE^JANE 4711")], ids=["of nothing", "of a patient"])
def test_only_terms_are_written_as_methods_of_compression(tmp_path, known):
    source = replace(_source(), lossy=LossyCompression(("12.5",), known))
    path = write_dicom_series(_synthetic(Domain.MR_T1, dicom=source), tmp_path / "out")[0]
    slice_ = pydicom.dcmread(path)
    assert (slice_.LossyImageCompression, slice_.LossyImageCompressionRatio) == ("01", 12.5)
    assert "LossyImageCompressionMethod" not in slice_ and b"DOE" not in path.read_bytes()


@pytest.mark.parametrize("deidentify", [False, True])
@pytest.mark.parametrize("thickness", [4.0, None])
def test_slices_stay_as_thick_as_they_were(tmp_path, thickness, deidentify):
    source = replace(_source(), thickness=thickness)
    files = write_dicom_series(_synthetic(Domain.CT, dicom=source), tmp_path / "out", deidentify=deidentify)
    assert {(slice_.SliceThickness, slice_.SpacingBetweenSlices) for slice_ in map(pydicom.dcmread, files)} == {(thickness, 2.5)}
    again = open_volume(tmp_path / "out")
    assert (again.dicom.thickness, again.geometry.spacing[0]) == (thickness, 2.5)


@pytest.mark.parametrize("made", [None, MODEL], ids=["acquired", "synthetic"])
@pytest.mark.parametrize(("said", "kept"), [("YES", "YES"), ("NO", "NO"), ("DOE", None), (None, None)])
@pytest.mark.parametrize("deidentify", [False, True])
def test_text_that_is_burned_in_stays_said(tmp_path, made, said, kept, deidentify):
    source = _source(**({"BurnedInAnnotation": said} if said else {}))
    volume = replace(_synthetic(Domain.CT, dicom=source), synthetic=made)
    slice_ = pydicom.dcmread(write_dicom_series(volume, tmp_path / "out", deidentify=deidentify)[0])
    assert slice_.get("BurnedInAnnotation") == (kept or (made and "NO"))


@pytest.mark.parametrize("deidentify", [False, True])
@pytest.mark.parametrize("domain", PICTURES)
def test_a_converted_volume_is_known_again_with_what_was_known_about_it(tmp_path, domain, deidentify):
    findings = (Finding("estimated_spacing", "1 mm is assumed.", serious=True),)
    volume = replace(_synthetic(domain), synthetic=None, findings=findings, history=("read from NIfTI",))
    files = write_dicom_series(volume, tmp_path / "out", deidentify=deidentify)
    again = open_volume(tmp_path / "out")
    assert (again.domain, again.synthetic, again.findings) == (domain, None, findings)
    np.testing.assert_array_equal(again.voxels, volume.voxels)
    slice_ = pydicom.dcmread(files[0])
    assert "SyntheticData" not in slice_ and "BurnedInAnnotation" not in slice_
    assert slice_.ImageType[:2] == ["DERIVED", "SECONDARY"]
    assert ("Steps: read from NIfTI." in slice_.DerivationDescription) == (not deidentify)


def test_hounsfield_units_below_air_are_kept(tmp_path):
    voxels = _synthetic(Domain.CT).voxels.copy()
    voxels[0, 0, :3] = -32768, 32767, -3024
    write_dicom_series(replace(_synthetic(Domain.CT), synthetic=None, voxels=voxels), tmp_path / "out")
    np.testing.assert_array_equal(open_volume(tmp_path / "out").voxels, voxels)


def test_slices_of_a_tilted_gantry_lie_where_they_lay(tmp_path):
    grid = GRIDS["axial"]
    shifts = np.outer(np.arange(SHAPE[0]) * 0.9, grid.axes[1])
    places = grid.index_to_mm([(k, 0, 0) for k in range(SHAPE[0])]) + shifts
    tilted = replace(_source(), positions=tuple(map(tuple, places.tolist())))
    for k, path in enumerate(write_dicom_series(_synthetic(Domain.MR_T1, dicom=tilted), tmp_path / "out")):
        np.testing.assert_allclose(pydicom.dcmread(path).ImagePositionPatient, places[k], atol=1e-3)
    again = open_volume(tmp_path / "out")
    for name, deidentify in (("two", False), ("three", True)):
        for k, path in enumerate(write_dicom_series(again, tmp_path / name, deidentify=deidentify)):
            np.testing.assert_allclose(pydicom.dcmread(path).ImagePositionPatient, places[k], atol=1e-3)
        assert open_volume(tmp_path / name).dicom.positions == again.dicom.positions
        assert [finding.kind for finding in open_volume(tmp_path / name).findings] == ["tilt"]


@pytest.mark.parametrize("lacking", [{"series_uid": ""}, {"sop_class_uid": ""}, {"instance_uids": ("1.2", "", "1.3", "1.4")}])
def test_images_without_identifiers_are_not_referred_to(tmp_path, lacking):
    volume = _synthetic(Domain.MR_T1, dicom=replace(_source(), **lacking))
    slice_ = pydicom.dcmread(write_dicom_series(volume, tmp_path / "out")[0])
    assert "SourceImageSequence" not in slice_ and slice_.StudyInstanceUID == "1.2.3.4"
    assert "without DICOM identity" in slice_.DerivationDescription


ACQUIRED = [
    "ImageType", "SeriesDescription", "DerivationDescription", "ContributingEquipmentSequence", "SourceImageSequence",
    "ReferencedSeriesSequence", "RecognizableVisualFeatures", "WindowCenter", "WindowWidth", "FrameOfReferenceUID",
    "SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID",
]  # fmt: skip


@pytest.mark.parametrize("domain", [Domain.CT, Domain.MR_T1])
def test_every_removed_mark_of_a_converted_series_is_caught(tmp_path, domain):
    volume = replace(_synthetic(domain, dicom=_source()), synthetic=None)
    path = write_dicom_series(volume, tmp_path / "out")[0]
    assert missing_marks(path, synthetic=False) == ()
    for mark in ACQUIRED + REMOVABLE[domain]:
        slice_ = pydicom.dcmread(path)
        del slice_[mark]
        pydicom.dcmwrite(tmp_path / "a.dcm", slice_, enforce_file_format=False)
        assert mark in missing_marks(tmp_path / "a.dcm", synthetic=False)
    for keyword, value in (("SyntheticData", "YES"), ("SeriesDescription", "CT"), ("InstitutionName", "X")):
        slice_ = pydicom.dcmread(path)
        setattr(slice_, keyword, value)
        pydicom.dcmwrite(tmp_path / "a.dcm", slice_, enforce_file_format=False)
        assert missing_marks(tmp_path / "a.dcm", synthetic=False)
