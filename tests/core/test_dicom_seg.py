"""DICOM Segmentations: judged by `dciodvfy`, read back by highdicom and SimpleITK, none of them ours."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import highdicom
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage

from ctmri_core.domain import Domain
from ctmri_core.errors import WriteFailed
from ctmri_core.events import finish, never
from ctmri_core.geometry import Geometry, rigid_transform
from ctmri_core.labels.dicom_seg import write_dicom_seg
from ctmri_core.labels.saving import save_labels
from ctmri_core.volume import DicomSource, Volume

_TURN = rigid_transform((10, -25, 40), (0, 0, 0))[:3, :3]
_AXES = tuple(map(tuple, (np.eye(3)[::-1] @ _TURN.T).tolist()))
GRIDS = [
    Geometry((5, 16, 12), (2.5, 0.7, 0.8), (-20.0, 13.0, 70.0)),
    Geometry((4, 11, 7), (1.5, 1.0, 1.2), (3.0, 4.0, 5.0), _AXES),
]


def scan_on(grid: Geometry) -> Volume:
    known = Dataset()
    known.PatientName, known.PatientID, known.StudyDate, known.PatientSex = "Doe^Jane", "4711", "20200131", "F"
    source = DicomSource(
        study_uid="1.2.3.4", series_uid="1.2.3.4.5", sop_class_uid=CTImageStorage, frame_of_reference_uid="1.2.3.9",
        instance_uids=tuple(f"1.2.3.4.5.{k}" for k in range(grid.shape[0])), patient_and_study=known.to_json_dict(),
    )  # fmt: skip
    return Volume(np.zeros(grid.shape, np.int16), grid, Domain.CT, "x", dicom=source)


def labels_on(grid: Geometry) -> np.ndarray:
    labels = np.random.default_rng(0).integers(0, 3, grid.shape).astype(np.uint8)
    labels[1], labels[0, 0, 0] = 0, 255
    return labels


@pytest.mark.parametrize("grid", GRIDS, ids=["axial", "oblique"])
def test_others_read_the_same_labels_at_the_same_places(tmp_path, grid):
    scan, labels = scan_on(grid), labels_on(grid)
    path = write_dicom_seg(labels, scan, tmp_path / "seg.dcm", {1: "body", 2: "bone\\marrow"})
    seg = highdicom.seg.segread(path)
    assert [seg.get_segment_description(n).segment_label for n in (1, 2)] == ["body", "bone marrow"]
    assert str(seg.PatientName) == "Doe^Jane" and seg.StudyInstanceUID == "1.2.3.4" and seg.FrameOfReferenceUID == "1.2.3.9"
    pixels = seg.get_pixels_by_source_instance(
        list(scan.dicom.instance_uids), combine_segments=True, assert_missing_frames_are_empty=True, ignore_spatial_locations=True
    )
    np.testing.assert_array_equal(pixels, np.where(labels == 255, 0, labels))
    dataset = pydicom.dcmread(path)
    for group in dataset.PerFrameFunctionalGroupsSequence:
        uid = group.DerivationImageSequence[0].SourceImageSequence[0].ReferencedSOPInstanceUID
        place = [float(value) for value in group.PlanePositionSequence[0].ImagePositionPatient]
        np.testing.assert_allclose(place, grid.index_to_mm((int(uid.rpartition(".")[2]), 0, 0)), atol=1e-6)
    image = sitk.GetArrayFromImage(sitk.ReadImage(str(path)))
    assert image.shape == (dataset.NumberOfFrames, *grid.shape[1:])
    np.testing.assert_array_equal(image[: (labels == 1).any((1, 2)).sum()] > 0, (labels == 1)[(labels == 1).any((1, 2))])


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dciodvfy (dicom3tools) is not installed")
@pytest.mark.parametrize("deidentify", [False, True])
def test_the_standard_finds_nothing_wrong(tmp_path, deidentify):
    path = write_dicom_seg(labels_on(GRIDS[0]), scan_on(GRIDS[0]), tmp_path / "seg.dcm", {1: "body"}, deidentify=deidentify)
    for way in ((), ("-new",)):
        said = subprocess.run(["dciodvfy", *way, str(path)], capture_output=True, text=True, check=False).stderr
        assert "Error" not in said, said


def test_under_a_pseudonym_nothing_leads_back(tmp_path):
    scan = scan_on(GRIDS[0])
    names = {1: "Jane's liver"}
    path = write_dicom_seg(labels_on(GRIDS[0]), scan, tmp_path / "seg.dcm", names, pseudonym="trial7", drawn_by="AUTOMATIC")
    text = str(pydicom.dcmread(path)) + path.read_bytes().decode("latin-1")
    assert not any(told in text for told in ("Doe", "Jane", "4711", "1.2.3.4", "1.2.3.9", "20200131")) and "ANON-trial7" in text
    assert highdicom.seg.segread(path).get_segment_description(1).segment_label == "Segment 1"


def test_what_cannot_be_filed_is_refused(tmp_path):
    scan, labels = scan_on(GRIDS[0]), labels_on(GRIDS[0])
    nobody = replace(scan, dicom=replace(scan.dicom, patient_and_study={}))
    for volume, drawn, said in (
        (replace(scan, dicom=None), labels, "Save the scan as DICOM first"), (nobody, labels, "do not tell the patient"),
        (scan, np.zeros_like(labels), "nothing to be saved"), (scan, labels[1:], "The labels are"),
    ):  # fmt: skip
        with pytest.raises(WriteFailed, match=said):
            write_dicom_seg(drawn, volume, tmp_path / "seg.dcm", {})
    assert not list(tmp_path.iterdir())


def test_labels_of_another_grid_are_laid_on_the_scan_and_that_is_said(tmp_path):
    scan = scan_on(GRIDS[0])
    finer = Geometry((10, 16, 12), (1.25, 0.7, 0.8), (-20.0, 13.0, 69.375))
    labels = np.repeat(labels_on(GRIDS[0]) % 255, 2, 0)
    work = save_labels(labels, finer, {1: "a", 2: "b"}, scan, Path(tmp_path / "x.dcm"), "MANUAL", never)
    assert any("nearest label" in getattr(event, "message", "") for event in work)
    assert finish(save_labels(labels, finer, {1: "a", 2: "b"}, scan, tmp_path / "x.json", "MANUAL", never)) == tmp_path / "x"
    assert len(list((tmp_path / "x").iterdir())) == 5
