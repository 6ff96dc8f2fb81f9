"""Pseudonyms: the same for what belongs together, nothing to work back from; and rules that catch whatever came along."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage

from ctmri_core.domain import Domain
from ctmri_core.errors import WriteFailed
from ctmri_core.events import Noted, finish
from ctmri_core.geometry import Geometry
from ctmri_core.io import deidentify
from ctmri_core.io.deidentify import pseudonymous, pseudonymous_uid
from ctmri_core.io.dicom_export import write_dicom_series
from ctmri_core.io.export_rules import missing_marks
from ctmri_core.io.face import face_reminder, may_show_face
from ctmri_core.io.opening import open_volume
from ctmri_core.io.saving import save
from ctmri_core.volume import DicomSource, Finding, Synthetic, Volume
from tests.hostile.identifiers import contents_of

GRID = Geometry((3, 6, 5), (2.5, 0.5, 0.7), (-125.0, -130.5, 456.0))


def _volume(*, synthetic=False, study="1.2.3.4", frame="1.2.3.9", patient="4711", **attributes) -> Volume:
    known = Dataset()
    known.PatientName, known.PatientID, known.StudyDate, known.PatientSex = "Doe^Jane", patient, "20200131", "F"
    for keyword, value in attributes.items():
        setattr(known, keyword, value)
    dicom = DicomSource(study, f"{study}.5", CTImageStorage, frame, tuple("123"), known.to_json_dict())
    voxels = np.random.default_rng(1).integers(-1000, 2000, GRID.shape).astype(np.int16)
    made = Synthetic("demo", "ab" * 32) if synthetic else None
    return Volume(voxels, GRID, Domain.CT, "CT, Doe.dcm", frame_of_reference=frame, synthetic=made, dicom=dicom)


def _names(volume: Volume, source: Volume | None = None) -> tuple[str, str, str, str | None]:
    dicom = pseudonymous(volume, source).dicom
    values = dicom.patient_and_study
    name = values["00100010"]["Value"][0]["Alphabetic"]
    assert [f"{values['00100020']['Value'][0]}^"] == [name]  # a family name alone
    return name, dicom.study_uid, dicom.series_uid, dicom.frame_of_reference_uid


def test_what_belongs_together_stays_together():
    names = _names(_volume())
    assert _names(_volume()) == _names(_volume(synthetic=True)) == names
    other_study = _names(_volume(study="1.2.3.5", frame="1.2.3.8"))
    assert other_study[0] == names[0] and not set(other_study[1:2] + other_study[3:]) & set(names)
    assert not set(_names(_volume(patient="4712", study="1.2.3.6"))[:2]) & set(names)
    assert _names(replace(_volume(), frame_of_reference="1.2.3.77"))[:2] == names[:2]
    bare = replace(_volume(), dicom=None, frame_of_reference=None)
    made = replace(bare, voxels=bare.voxels + np.int16(1), synthetic=Synthetic("demo", ""))
    assert pseudonymous(made, bare).dicom == pseudonymous(bare).dicom != pseudonymous(made).dicom


def test_what_nobody_says_belongs_together_does_not():
    """Patients without name and number, studies and frames of reference without identifiers."""
    nameless = {"00100010": {"vr": "PN"}, "00100020": {"vr": "LO", "Value": [" "]}, "00100021": {"vr": "LO", "Value": ["A"]}}
    first, second = (
        replace(
            volume, frame_of_reference=None, dicom=replace(volume.dicom, patient_and_study=nameless, frame_of_reference_uid=None)
        )
        for volume in (_volume(), _volume(study="1.2.3.5"))
    )
    assert not set(_names(first)[:2]) & set(_names(second))
    other_series = replace(first, dicom=replace(first.dicom, series_uid="1.2.3.4.6"))
    assert _names(other_series)[:2] == _names(first)[:2] and _names(other_series)[3] != _names(first)[3]
    bare, other = (
        replace(first, voxels=first.voxels + np.int16(n), dicom=replace(first.dicom, study_uid="", series_uid="")) for n in (0, 1)
    )
    assert not set(_names(bare)) & (set(_names(other)) - {""})
    assert _names(replace(other, synthetic=Synthetic("demo", "")), bare) == _names(bare)


def test_nobody_can_work_back_from_one_run_to_another():
    code = "from ctmri_core.io.deidentify import pseudonymous_uid; print(pseudonymous_uid('patient 4711'))"
    command = [sys.executable, "-c", code]
    other = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    assert other.startswith("2.25.")
    assert pseudonymous_uid("patient 4711") == pseudonymous_uid("patient 4711") != other


def test_only_terms_are_kept_never_free_text():
    kept = pseudonymous(_volume(BodyPartExamined="KNEE", Laterality="L", PatientPosition="HFS")).dicom.patient_and_study
    assert [kept[tag]["Value"] for tag in ("00180015", "00200060", "00185100")] == [["KNEE"], ["L"], ["HFS"]]
    with pytest.warns(UserWarning, match="Invalid value"):
        volume = _volume(BodyPartExamined="Knee of Ms Doe", Laterality="LEFT DOE", PatientPosition="DOE")
    assert set(pseudonymous(volume).dicom.patient_and_study) == {"00100010", "00100020"}


def test_what_a_file_says_of_itself_is_left_behind(tmp_path):
    """A record edited by hand, and comments of a series: free text that nobody has read."""
    doe = Finding("gap", "Seen in Jane Doe.", serious=True)
    made = Synthetic("doe's model", "Jane Doe", {"note": "Doe"})
    volume = replace(_volume(), dicom=None, findings=(doe,), history=("scanned by Joe Doe",), synthetic=made)
    finish(save(volume, tmp_path / "a.nii"))
    finish(write_dicom_series(replace(_volume(synthetic=True), findings=(doe,)), tmp_path / "b"))
    for name in ("a.nii", "b"):
        source = open_volume(tmp_path / name)
        assert source.findings[0] == doe
        twice = replace(source, synthetic=Synthetic("demo", "ab" * 32, {"source_history": source.history, "device": "cpu"}))
        for n, (given, model) in enumerate(((source, "unknown model"), (twice, "demo"))):
            for target in ("out.nii", "out", "pictures"):
                folder = tmp_path / f"{name} {n} {target}"
                finish(save(given, folder / target, deidentify=True, slices="png" if target == "pictures" else "dicom"))
                assert not any(b"Doe" in content for content in contents_of(folder))
                again = open_volume(folder / target)
                assert again.synthetic.model_name == model
                assert [(finding.kind, finding.serious) for finding in again.findings] == [("remarks", True)]


def _given(tmp_path, name, volume, source=None, **options) -> Dataset:
    finish(save(volume, tmp_path / name, source=source, pseudonym="Case-7", **options))
    return pydicom.dcmread(tmp_path / name / "IMG00001.dcm")


def test_under_a_pseudonym_of_ones_own_two_runs_meet(tmp_path, monkeypatch):
    scan, made, other = _given(tmp_path, "a", _volume()), _volume(synthetic=True), _volume(study="1.2.3.5", frame="1.2.3.8")
    monkeypatch.setattr(deidentify, "_SESSION_KEY", b"of another run")
    later, elsewhere = _given(tmp_path, "b", made, _volume()), _given(tmp_path, "c", other)
    for keyword in ("PatientID", "PatientName", "StudyInstanceUID", "FrameOfReferenceUID"):
        assert scan[keyword].value == later[keyword].value
        assert (scan[keyword].value == elsewhere[keyword].value) == keyword.startswith("Patient")
    assert scan.PatientID == "ANON-Case-7" and b"4711" not in (tmp_path / "a" / "IMG00001.dcm").read_bytes()
    assert missing_marks(tmp_path / "a" / "IMG00001.dcm", synthetic=False, deidentified=True) == ()


@pytest.mark.parametrize("name", ["4711", "jane", "JaneD", "case-4711", "a b", "-x", "x" * 33, "Doe_1", "é"])
def test_no_pseudonym_is_taken_that_tells_the_patient(tmp_path, name):
    with pytest.raises(WriteFailed, match="pseudonym"):
        finish(save(_volume(), tmp_path / "a", pseudonym=name))
    assert list(tmp_path.iterdir()) == []


def test_text_that_is_known_to_be_burned_in_is_warned_of(tmp_path):
    for said, serious in (("YES", True), ("NO", False)):
        heard = list(save(_volume(BurnedInAnnotation=said), tmp_path / said, deidentify=True))
        assert [event.serious for event in heard if isinstance(event, Noted)] == [serious]


def test_findings_stay_except_those_about_other_files():
    findings = (Finding("gap", "1 mm.", serious=True), Finding("passed_over", "One other volume: Doe"))
    given = pseudonymous(replace(_volume(), findings=findings))
    assert (given.findings, given.name, given.path, given.files) == (findings[:1], "CT", None, ())


DEIDENTIFIED = ["PatientIdentityRemoved", "DeidentificationMethod", "DeidentificationMethodCodeSequence", "PatientName"]
DEIDENTIFIED += ["LongitudinalTemporalInformationModified", "PatientID"]


@pytest.fixture(scope="module", params=[True, False], ids=["synthetic", "acquired"])
def series(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("series") / "out"
    return request.param, finish(write_dicom_series(_volume(synthetic=request.param), folder, deidentify=True))


@pytest.mark.parametrize("keyword", DEIDENTIFIED)
def test_every_removed_mark_is_caught(series, keyword, tmp_path):
    synthetic, (path, *_) = series
    slice_ = pydicom.dcmread(path)
    assert missing_marks(path, synthetic=synthetic, deidentified=True) == ()
    del slice_[keyword]
    pydicom.dcmwrite(tmp_path / "a.dcm", slice_)
    assert keyword in missing_marks(tmp_path / "a.dcm", synthetic=synthetic, deidentified=True)


CAME_ALONG = {
    "InstitutionName": "St. Elsewhere", "OperatorsName": "Doe^Joe", "StudyDate": "20200131", "ContentTime": "123456",
    "StudyDescription": "knee of Doe", "FrameOfReferenceUID": "1.2.3.9", "PatientAge": "093Y", "PatientName": "Doe^Jane",
    "DeviceSerialNumber": "4711", "PatientID": "4711", "RequestAttributesSequence": [Dataset()], "AccessionNumber": None,
}  # fmt: skip


@pytest.mark.parametrize(("keyword", "value"), CAME_ALONG.items())
def test_whatever_came_along_is_caught(series, keyword, value, tmp_path):
    synthetic, (path, *_) = series
    slice_ = pydicom.dcmread(path)
    setattr(slice_, keyword, value)
    pydicom.dcmwrite(tmp_path / "a.dcm", slice_)
    assert bool(missing_marks(tmp_path / "a.dcm", synthetic=synthetic, deidentified=True)) == (keyword != "AccessionNumber")


def test_private_and_nested_elements_are_caught(series, tmp_path):
    synthetic, (path, *_) = series
    for nested in (True, False):
        slice_ = pydicom.dcmread(path)
        at = slice_.ContributingEquipmentSequence[0] if nested else slice_
        at.private_block(0x0009, "DOE", create=True).add_new(1, "LO", "Doe")
        pydicom.dcmwrite(tmp_path / "a.dcm", slice_)
        assert "only known elements" in missing_marks(tmp_path / "a.dcm", synthetic=synthetic, deidentified=True)


def test_an_acquired_series_never_passes_for_synthetic_nor_the_reverse(series):
    synthetic, (path, *_) = series
    missing = missing_marks(path, synthetic=not synthetic, deidentified=True)
    assert ("SyntheticData" in missing) == (not synthetic)
    assert ("no SyntheticData" in missing) == synthetic
    again = open_volume(path.parent)
    assert (again.synthetic is not None) == synthetic
    assert again.geometry.is_close(GRID, 1e-3)


def test_no_study_is_shared_with_the_source_and_nothing_refers_to_it(series):
    _, paths = series
    for path in paths:
        slice_ = pydicom.dcmread(path)
        assert "SourceImageSequence" not in slice_ and "ReferencedSeriesSequence" not in slice_
        assert not slice_.StudyDate and not slice_.StudyTime and "SeriesDate" not in slice_
        assert slice_.PatientSex is None or slice_.PatientSex == ""
    assert len({str(pydicom.dcmread(path).StudyInstanceUID) for path in paths}) == 1


@pytest.mark.parametrize(
    ("part", "says"), [("HEAD", "this head"), (" brain ", "this head"), ("KNEE", ""), ("", "If this shows a head"), ("XYZ", "If")]
)
def test_the_reminder_of_a_face_is_left_out_only_where_there_is_none(part, says):
    with_part = _volume()
    with_part.dicom.patient_and_study["00180015"] = {"vr": "CS", "Value": [part]}
    reminder = face_reminder(with_part)
    assert (says in reminder) if says else reminder == ""
    assert may_show_face(with_part) == bool(reminder)
    assert face_reminder(replace(with_part, phantom=True)) == ""
    assert face_reminder(replace(with_part, dicom=None)).startswith("If this shows a head")
