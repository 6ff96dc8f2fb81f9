"""Exported series of every kind, judged by `dciodvfy` and read back by pydicom, SimpleITK and dcmtk, none of them ours."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from itertools import product

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage, MRImageStorage

from ctmri_core.domain import Domain
from ctmri_core.events import finish
from ctmri_core.geometry import Geometry, rigid_transform
from ctmri_core.io.dicom_export import write_dicom_series
from ctmri_core.io.export_rules import marks_missing_in, missing_marks
from ctmri_core.io.opening import open_volume
from ctmri_core.volume import DicomSource, Finding, Synthetic, Volume

_TURN = rigid_transform((8.0, -15.0, 30.0), (0.0, 0.0, 0.0))[:3, :3]
_OBLIQUE = tuple(map(tuple, _TURN[:, ::-1].T.tolist()))
GRIDS = {
    "axial": Geometry((4, 9, 7), (2.5, 0.488281, 0.7), (-125.123, -130.5, 456.789)),
    "oblique": Geometry((4, 9, 7), (3.3, 0.6667, 0.71), (-100.0, 20.0, -30.0), _OBLIQUE),
    "one slice": Geometry((1, 9, 7), (5.0, 0.9, 0.9), (10.0, 20.0, 30.0)),
    "tilted": Geometry((4, 9, 7), (2.0, 0.8, 0.8), (-50.0, -60.0, 70.0)),
}
KINDS = {"ct": Domain.CT, "t1": Domain.MR_T1}
_ALL = product(GRIDS, KINDS, ("synthetic", "acquired"), ("named", "pseudonymous"), ("dicom", "no dicom"))
CASES = [case for case in _ALL if case[0] != "tilted" or case[-1] == "dicom"]  # only DICOM keeps where tilted slices lay
_DICIODVFY_KNOWS_NOT = "0x0008,0x001c"  # SyntheticData is younger than its 2022 build


def _volume(grid: str, kind: str, origin: str, identity: str) -> Volume:
    geometry, domain = GRIDS[grid], KINDS[kind]
    low, high = (-1024, 3000) if domain is Domain.CT else (0, 1000)
    voxels = np.random.default_rng(3).integers(low, high, geometry.shape).astype(np.int16)
    positions = ()
    if grid == "tilted":  # each slice displaced along its columns by a gantry of 15 degrees
        shifts = np.outer(np.arange(4) * 2.0 * np.tan(np.radians(15)), geometry.axes[1])
        positions = tuple(map(tuple, (geometry.index_to_mm([(k, 0, 0) for k in range(4)]) + shifts).tolist()))
    known = Dataset()
    known.PatientName, known.PatientID, known.StudyDate, known.BodyPartExamined = "Müller^Änne", "HOSP-4711", "20200131", "HEAD"
    dicom = DicomSource(
        study_uid="1.2.3.4",
        series_uid="1.2.3.4.5",
        sop_class_uid=CTImageStorage if domain is Domain.CT else MRImageStorage,
        frame_of_reference_uid="1.2.3.9",
        instance_uids=tuple(f"1.2.3.4.5.{k}" for k in range(geometry.shape[0])),
        patient_and_study=known.to_json_dict(),
        positions=positions,
    )
    made = Synthetic("demo", "ab" * 32) if origin == "synthetic" else None
    findings = (Finding("gap", "1 mm."),)
    return Volume(
        voxels, geometry, domain, "x", findings=findings, history=("read from DICOM",), synthetic=made,
        dicom=dicom if identity == "dicom" else None,
    )  # fmt: skip


@pytest.fixture(scope="module")
def series(tmp_path_factory):
    """Every combination, written once: {case: (volume, folder)}."""
    parent = tmp_path_factory.mktemp("series")
    written = {}
    for number, (grid, kind, origin, name, identity) in enumerate(CASES):
        volume = _volume(grid, kind, origin, identity)
        finish(write_dicom_series(volume, parent / str(number), deidentify=name == "pseudonymous"))
        written[grid, kind, origin, name, identity] = volume, parent / str(number)
    return written


def _places(volume: Volume) -> np.ndarray:
    if volume.dicom is not None and volume.dicom.positions:
        return np.asarray(volume.dicom.positions)
    return volume.geometry.index_to_mm([(k, 0, 0) for k in range(volume.geometry.shape[0])])


def test_our_own_rules_find_nothing_missing(series):
    for (_, _, origin, name, _), (_, folder) in series.items():
        for path in folder.glob("*.dcm"):
            assert missing_marks(path, synthetic=origin == "synthetic", deidentified=name == "pseudonymous") == ()


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dciodvfy (dicom3tools) is not installed")
def test_the_validator_finds_no_error_of_ours(series):
    for case, (_, folder) in series.items():
        path = min(folder.glob("*.dcm"))
        said = subprocess.run(["dciodvfy", str(path)], capture_output=True, text=True, check=False)
        errors = [line for line in (said.stdout + said.stderr).splitlines() if line.startswith("Error")]
        assert [line for line in errors if _DICIODVFY_KNOWS_NOT not in line] == [], case


def test_pydicom_finds_voxels_and_places(series):
    for volume, folder in series.values():
        places = _places(volume)
        for k, path in enumerate(sorted(folder.glob("*.dcm"))):
            slice_ = pydicom.dcmread(path)
            values = slice_.pixel_array.astype(int) + int(slice_.get("RescaleIntercept", 0))
            np.testing.assert_array_equal(values, volume.voxels[k])
            np.testing.assert_allclose(slice_.ImagePositionPatient, places[k], atol=1e-3)
            axes = np.reshape(np.asarray(slice_.ImageOrientationPatient, float), (2, 3))
            np.testing.assert_allclose(axes, volume.geometry.axes[[2, 1]], atol=1e-6)


_ITK = """
import json, sys, numpy as np, SimpleITK as sitk
sitk.ProcessObject.SetGlobalWarningDisplay(False)
for folder in sys.argv[1:]:
    reader = sitk.ImageSeriesReader()
    (number,) = reader.GetGDCMSeriesIDs(folder)
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(folder, number))
    image = reader.Execute()
    ends = [[0, 0, 0], [n - 1 for n in image.GetSize()]]
    print(json.dumps({"voxels": sitk.GetArrayFromImage(image).tolist(),
                      "ends": [image.TransformIndexToPhysicalPoint(end) for end in ends]}))
"""


def test_simpleitk_finds_voxels_and_places(series):
    """ITK squeezes tilted slices onto a straight grid (it warns of it), so they are for the others to judge."""
    straight = {case: pair for case, pair in series.items() if case[0] != "tilted"}
    folders = [str(folder) for _, folder in straight.values()]
    said = subprocess.run([sys.executable, "-c", _ITK, *folders], capture_output=True, text=True, check=True)
    for (volume, _), line in zip(straight.values(), said.stdout.splitlines(), strict=True):
        found = json.loads(line)
        np.testing.assert_array_equal(found["voxels"], volume.voxels)
        last = [n - 1 for n in volume.geometry.shape]
        np.testing.assert_allclose(found["ends"], volume.geometry.index_to_mm([(0, 0, 0), last]), atol=1e-3)


@pytest.mark.skipif(shutil.which("dcmj2pnm") is None or shutil.which("dcmdump") is None, reason="dcmtk is not installed")
def test_dcmtk_finds_pixels_and_dumps_without_complaint(series, tmp_path):
    for case, (volume, folder) in list(series.items())[:: len(series) // 12]:
        path = min(folder.glob("*.dcm"))
        dump = subprocess.run(["dcmdump", str(path)], capture_output=True, text=True, check=True)
        assert dump.stderr == "", case
        raw = tmp_path / "raw.pgm"
        subprocess.run(["dcmj2pnm", "--write-16-bit-pnm", "--no-modality", "--min-max-window", path, raw], check=True)
        shown = np.loadtxt(raw.read_text().split("65535\n")[1].splitlines(), dtype=float).ravel()
        stored = volume.voxels[0].astype(float).ravel()
        stretched = (stored - stored.min()) / (stored.max() - stored.min()) * 65535
        np.testing.assert_allclose(shown, stretched, atol=1.0, err_msg=str(case))


def test_nothing_of_the_patient_is_in_a_pseudonymous_series(series):
    for (_, _, _, name, identity), (_, folder) in series.items():
        content = b"".join(path.read_bytes() for path in folder.iterdir())
        planted = ["Müller".encode(), b"HOSP-4711", b"20200131", b"1.2.3.4", b"1.2.3.9"]
        assert all((word in content) == (name == "named" and identity == "dicom") for word in planted)


def test_frames_of_one_instance_are_referred_to_by_number(tmp_path):
    volume = _volume("axial", "ct", "synthetic", "dicom")
    origin = replace(volume.dicom, instance_uids=("1.2.3.4.5.0",) * 4, frames=(4, 3, 2, 1))
    volume = replace(volume, dicom=origin)
    for k, path in enumerate(finish(write_dicom_series(volume, tmp_path / "out"))):
        (reference,) = pydicom.dcmread(path).SourceImageSequence
        assert (reference.ReferencedSOPInstanceUID, reference.ReferencedFrameNumber) == ("1.2.3.4.5.0", 4 - k)
    resampled = replace(volume, voxels=volume.voxels[:3].copy(), geometry=replace(volume.geometry, shape=(3, 9, 7)))
    (reference,) = pydicom.dcmread(finish(write_dicom_series(resampled, tmp_path / "two"))[0]).SourceImageSequence
    assert reference.ReferencedFrameNumber == [4, 3, 2, 1]


@pytest.mark.skipif(shutil.which("dcentvfy") is None, reason="dcentvfy (dicom3tools) is not installed")
def test_the_entity_validator_finds_one_patient_one_study_and_one_frame_of_reference(series, tmp_path, shared_data):
    """A synthetic series beside its real source; and each exported one by itself."""
    folder = shared_data / "porcine_ct_t2" / "dicom_excerpt" / "ct"
    source = open_volume(folder)
    made = replace(source, domain=Domain.MR_T1, voxels=source.voxels.clip(0), synthetic=Synthetic("demo", "ab" * 32))
    beside = finish(write_dicom_series(made, tmp_path / "out", source=source))
    together = [*beside, *(path for path in folder.iterdir() if path.is_file())]
    for files in (together, *(sorted(each.glob("*.dcm")) for _, each in list(series.values())[::8])):
        said = subprocess.run(["dcentvfy", *map(str, files)], capture_output=True, text=True, check=False)
        assert [line for line in (said.stdout + said.stderr).splitlines() if line.startswith("Error")] == []
    for path in beside:
        assert missing_marks(path) == ()


def test_a_record_that_is_cut_or_private_elements_of_others_are_noticed(series):
    for (_, _, origin, name, _), (_, folder) in list(series.items())[::5]:
        slice_ = pydicom.dcmread(min(folder.glob("*.dcm")))
        assert ((0x0071, 0x1001) in slice_) == (origin == "synthetic" and name == "named")
        slice_.private_block(0x0073, "SOMEBODY", create=True).add_new(1, "LO", "x")
        synthetic, deidentified = origin == "synthetic", name == "pseudonymous"
        assert "only known elements" in marks_missing_in(slice_, synthetic=synthetic, deidentified=deidentified)
