"""DICOMDIR: the images it lists open, whatever the case of their names, and nothing outside of its folder does."""

from __future__ import annotations

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, MediaStorageDirectoryStorage, generate_uid

from ctmri_core.errors import FileRefused
from ctmri_core.events import finish, never
from ctmri_core.io.dicom import DICOM_READER
from ctmri_core.io.opening import scan

pytestmark = pytest.mark.filterwarnings("ignore:Invalid value", "ignore:The value length")  # pydicom, of names that lead away


def item(**attributes):
    data = Dataset()
    for keyword, value in attributes.items():
        setattr(data, keyword, value)
    return data


def saved(path, data, sop_class=CTImageStorage):
    path.parent.mkdir(parents=True, exist_ok=True)
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID, data.file_meta.MediaStorageSOPClassUID = ExplicitVRLittleEndian, sop_class
    data.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    data.save_as(path, enforce_file_format=True)
    return path


def ct_slice(k):
    stored = np.full((4, 5), 100 * k, np.int16)
    data = item(SOPClassUID=CTImageStorage, SOPInstanceUID=generate_uid(), Modality="CT", SeriesInstanceUID="1.2.9")
    data.StudyInstanceUID, data.ImagePositionPatient, data.ImageOrientationPatient = "1.2", [0, 0, 2 * k], [1, 0, 0, 0, 1, 0]
    data.PixelSpacing, data.SliceThickness, data.RescaleSlope, data.RescaleIntercept = [1, 1], 2, 1, 0
    data.Rows, data.Columns, data.SamplesPerPixel, data.PhotometricInterpretation = 4, 5, 1, "MONOCHROME2"
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 16, 15, 1
    data.InstanceNumber, data.PixelData = k + 1, stored.tobytes()
    data["PixelData"].VR = "OW"
    return data


def disk(folder, references=None, count=4, name="DICOMDIR"):
    """A folder with slices IMAGES/IM000k and a DICOMDIR that lists `references`, all of them by default."""
    for k in range(count):
        saved(folder / "IMAGES" / f"IM000{k}", ct_slice(k))
    references = [["IMAGES", f"IM000{k}"] for k in range(count)] if references is None else references
    series = item(DirectoryRecordType="SERIES", RecordInUseFlag=0xFFFF)
    images = [item(DirectoryRecordType="IMAGE", RecordInUseFlag=0xFFFF, ReferencedFileID=each) for each in references]
    return saved(folder / name, item(DirectoryRecordSequence=[series, *images]), MediaStorageDirectoryStorage)


def load(path):
    (series,) = DICOM_READER.scan(path)
    return finish(DICOM_READER.load(series, never))


def test_the_images_that_are_listed_open(tmp_path):
    path = disk(tmp_path)
    saved(tmp_path / "IMAGES" / "not_listed", ct_slice(9))
    (series,) = scan(path)
    assert series.path == path and len(series.files) == 4 and series.findings == ()
    assert np.array_equal(load(path).voxels[:, 0, 0], [0, 100, 200, 300])


def test_names_may_differ_in_capitals_and_version(tmp_path):
    path = disk(tmp_path, name="dicomdir")
    (tmp_path / "IMAGES").rename(tmp_path / "Images")
    for n, ending in enumerate(("", ";1", ".;1", ".")):
        (tmp_path / "Images" / f"IM000{n}").rename(tmp_path / "Images" / f"im000{n}{ending}")
    assert load(path).geometry.shape == (4, 4, 5)


def test_images_that_are_missing_are_said(tmp_path):
    path = disk(tmp_path)
    (tmp_path / "IMAGES" / "IM0003").unlink()
    (finding,) = load(path).findings
    assert (finding.kind, finding.serious) == ("left_out", True) and "is listed in DICOMDIR, but not there" in finding.message
    assert "IM0003" not in finding.message


@pytest.mark.parametrize(
    "reference",
    [["..", "outside", "IM0000"], ["IMAGES", "..", "..", "outside", "IM0000"], ["IMAGES/../../outside/IM0000"],
     ["LINK", "IM0000"], ["LINKED"], ["", "outside"], ["C:"], ["."], ["IMAGES"]],
)  # fmt: skip
def test_nothing_outside_of_its_folder_is_opened(tmp_path, reference):
    saved(tmp_path / "outside" / "IM0000", ct_slice(7))
    inside = tmp_path / "disk"
    path = disk(inside, [reference, ["IMAGES", "IM0000"]])
    (inside / "LINK").symlink_to(tmp_path / "outside", target_is_directory=True)
    (inside / "LINKED").symlink_to(tmp_path / "outside" / "IM0000")
    (series,) = DICOM_READER.scan(path)
    assert series.files == (inside / "IMAGES" / "IM0000",)
    assert "left_out" in [finding.kind for finding in series.findings]


def test_an_absolute_name_is_not_followed(tmp_path):
    outside = saved(tmp_path / "outside" / "IM0000", ct_slice(7))
    path = disk(tmp_path / "disk", [[str(outside)]])
    with pytest.raises(FileRefused, match="lists 1 images, none of which is there"):
        DICOM_READER.scan(path)


def test_records_out_of_use_are_passed_over(tmp_path):
    path = disk(tmp_path)
    data = pydicom.dcmread(path)
    data.DirectoryRecordSequence[4].RecordInUseFlag = 0
    data.save_as(path)
    assert len(DICOM_READER.scan(path)[0].files) == 3


@pytest.mark.parametrize(
    "content", [bytes(128) + b"DICM" + bytes(90), bytes(128) + b"DICM\x04\0\x20\x12SQ\0\0\xff\xff\xff\xff\xfe\xff"]
)
def test_a_damaged_list_is_refused(tmp_path, content):
    path = tmp_path / "DICOMDIR"
    path.write_bytes(content)
    with pytest.raises(FileRefused, match="list"):
        DICOM_READER.scan(path)


@pytest.mark.parametrize("name", ["DICOMDIR", "DICOMDIR-bigEnd", "DICOMDIR-implicit", "DICOMDIR-nooffset", "DICOMDIR-reordered"])
def test_a_real_list_opens_what_its_folder_holds(shared_data, name):
    folder = shared_data / "odd_files/pydicom_test_files/dicomdirtests"
    of_list = DICOM_READER.scan(folder / name)
    assert {series.files for series in of_list} == {series.files for series in DICOM_READER.scan(folder)}
