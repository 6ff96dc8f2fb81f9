"""The facade over all readers, and what is told about a series."""

from __future__ import annotations

import contextlib
import gzip
import json
import os

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk
from PIL import Image

from ctmri_core.errors import AmbiguousInput, FileRefused, Stopped
from ctmri_core.events import finish
from ctmri_core.io import preflight
from ctmri_core.io.opening import belonging_together, load, open_volume, scan, scan_together, sole_series
from ctmri_core.io.report import describe
from tests.core.test_dicom import slice_of, stored_values, write


def _nifti(path, values=0):
    nib.save(nib.Nifti1Image(np.arange(60, dtype=np.int16).reshape(3, 4, 5) + values, np.diag([-1.0, -2.0, 3.0, 1.0])), path)
    return path


def test_a_folder_with_one_volume_opens_and_several_are_listed(tmp_path):
    _nifti(tmp_path / "a_t1.nii.gz")
    assert open_volume(tmp_path).geometry.spacing == (3.0, 2.0, 1.0)
    (tmp_path / "deeper").mkdir()
    _nifti(tmp_path / "deeper" / "b_t2.nii")
    with pytest.raises(AmbiguousInput, match=r"2 volumes.*a_t1\.nii\.gz.*b_t2\.nii"):
        sole_series(tmp_path)


def test_what_was_passed_over_is_told(tmp_path):
    _nifti(tmp_path / "good.nii")
    broken = _nifti(tmp_path / "broken.nii")
    broken.write_bytes(broken.read_bytes()[:400])
    (tmp_path / ".hidden.nii").write_bytes(b"x")
    (series,) = scan(tmp_path)
    for findings in (series.findings, finish(load(series)).findings):
        (told,) = (finding for finding in findings if finding.kind == "passed_over")
        assert "promises" in told.message
        assert "broken" not in told.message  # findings are written into files, and a file name may name a patient


@pytest.mark.parametrize("name", ["Doe_Jane.hdr", "Doe_Jane.PAR"])
def test_what_was_passed_over_keeps_the_name_of_its_data_file(tmp_path, name):
    _nifti(tmp_path / "good.nii")
    if name.endswith("hdr"):
        nib.save(nib.Nifti1Pair(np.zeros((4, 5, 6), np.int16), np.eye(4)), tmp_path / name)
        (tmp_path / "Doe_Jane.img").unlink()
    else:
        (tmp_path / name).write_text("# === DATA DESCRIPTION FILE ===\n# === END OF DATA DESCRIPTION FILE ===\n")
    (series,) = scan(tmp_path)
    (told,) = (finding.message for finding in series.findings if finding.kind == "passed_over")
    assert "has no data file (." in told and "Doe" not in told
    with pytest.raises(FileRefused, match=r"^Doe_Jane.* has no data file \(\."):
        scan(tmp_path / name)


def _dicom_series(folder, number, *, places=(0.0, 2.0, 4.0)):
    slices = [slice_of(values, place) for values, place in zip(stored_values(len(places)), places, strict=True)]
    for data in slices:
        data.SeriesInstanceUID, data.SeriesNumber = f"1.2.3.{number}", number
    return write(folder, slices)


def _pictures(folder, _number):
    for n in range(3):
        Image.fromarray(np.full((4, 5), n, np.uint8)).save(folder / f"a{n}.png")


def _texts(folder, _number):
    for n in range(3):
        (folder / f"{n}.nii").write_text("words")


def test_one_of_several_can_be_named_by_its_number(tmp_path):
    _nifti(tmp_path / "a_t1.nii.gz")
    _nifti(tmp_path / "b_t2.nii")
    assert sole_series(tmp_path, 2) == scan(tmp_path)[1]
    with pytest.raises(AmbiguousInput, match=r"1: .*a_t1\.nii\.gz; 2: .*--series 1"):
        sole_series(tmp_path)
    for number in (0, 3):
        with pytest.raises(FileRefused, match=rf"2 series, so there is no number {number}"):
            sole_series(tmp_path, number)


def test_a_refused_series_beside_a_good_one_is_passed_over_and_told(tmp_path):
    _dicom_series(tmp_path / "good", 1)
    _dicom_series(tmp_path / "bad", 2, places=(0.0, 1.0, 2.0, 3.0, 30.0))
    assert [series.refusal is None for series in scan(tmp_path)].count(True) == 1
    volume = open_volume(tmp_path)
    assert volume.dicom.series_uid == "1.2.3.1"
    assert [finding.kind for finding in volume.findings] == ["passed_over"]


def test_a_folder_of_refused_series_gives_their_reason(tmp_path):
    for number in (1, 2):
        _dicom_series(tmp_path / str(number), number, places=(0.0, 1.0, 2.0, 3.0, 30.0))
        with pytest.raises(FileRefused, match="mm") as caught:
            open_volume(tmp_path)
        assert not isinstance(caught.value, AmbiguousInput)


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".mha", ".nrrd"])
@pytest.mark.parametrize(("dtype", "least"), [(np.int16, 2), (np.float32, 4), (np.float64, 4)])
def test_the_memory_asked_for_covers_the_voxels(tmp_path, monkeypatch, suffix, dtype, least):
    image = sitk.GetImageFromArray(np.linspace(0, 9, 60).reshape(3, 4, 5).astype(dtype))
    sitk.WriteImage(image, str(tmp_path / f"a{suffix}"))
    (series,) = scan(tmp_path)
    asked = []
    monkeypatch.setattr(preflight, "check_memory", lambda path, needed: asked.append(needed))
    finish(load(series))
    assert max(asked) >= least * 60


def test_a_folder_of_broken_files_gives_their_reason(tmp_path):
    for name in ("a.nii", "b.nii"):
        _nifti(tmp_path / name).write_bytes(_nifti(tmp_path / name).read_bytes()[:400])
        with pytest.raises(FileRefused, match=r"a\.nii.*promises"):
            scan(tmp_path)


@pytest.mark.parametrize("name", ["", "gone", "gone/deeper.nii"])
def test_empty_and_missing_folders(tmp_path, name):
    with pytest.raises(FileRefused, match="does not exist" if name else "no image files"):
        scan(tmp_path / name)


def test_loading_what_vanished_or_changed_is_refused(tmp_path):
    (series,) = scan(_nifti(tmp_path / "a.nii"))
    nib.save(nib.Nifti1Image(np.zeros((9, 9, 9), np.int16), np.eye(4)), tmp_path / "a.nii")
    assert finish(load(series)).geometry.shape == (9, 9, 9)  # the header is read again: never old sizes on new bytes
    (tmp_path / "a.nii").unlink()
    with pytest.raises(FileRefused, match="does not exist"):
        finish(load(series))


def test_the_report_is_plain_and_complete(tmp_path):
    (series,) = scan(_nifti(tmp_path / "head_t1.nii.gz"))
    before = describe(series)
    assert before["slices_rows_columns"] == [5, 4, 3]
    report = describe(series, finish(load(series)))
    assert json.loads(json.dumps(report)) == report
    assert (report["file"], report["format"], report["modality"]) == ("head_t1.nii.gz", "NIfTI", "T1 MR")
    assert (report["orientation"], report["values"], report["unit"]) == ("SPL", [0.0, 59.0], "a.u.")
    assert report["synthetic"] == "no"
    assert str(tmp_path) not in json.dumps(report)


def test_a_link_loop_does_not_hang(tmp_path):
    _nifti(tmp_path / "a.nii")
    (tmp_path / "loop").symlink_to(tmp_path, target_is_directory=True)
    assert len(scan(tmp_path)) == 1


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("brain.mgz", b"\x1f\x8b\x08\0" + bytes(300), "brain.mgz is damaged: it cannot be unpacked"),
        ("a+orig.BRIK.gz", b"\x1f\x8b\x08\0" + bytes(300), "is an AFNI volume without its header.*HEAD"),
        ("scan.nii.gz", b"words" * 90, "scan.nii.gz is not what its name says"),
        ("scan.nii", b"", "is empty"),
        ("DICOMDIR", bytes(128) + b"DICM" + bytes(90), "Open its folder"),
        ("text.txt", b"words" * 90, "text.txt is not an image format"),
    ],
)
def test_a_file_that_cannot_be_opened_leads_somewhere(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(FileRefused, match=words):
        scan(tmp_path / name)
    if name != "DICOMDIR":
        with pytest.raises(FileRefused, match="holds no image files" if name == "text.txt" else words):
            scan(tmp_path)


def test_a_folder_of_damaged_images_names_the_first(tmp_path):
    for name in ("a.nii.gz", "b.nrrd"):
        (tmp_path / name).write_bytes(b"words" * 90)
    with pytest.raises(FileRefused, match=r"2 files were refused, the first: a\.nii\.gz is not what its name says"):
        scan(tmp_path)


def test_links_that_lead_out_or_nowhere_are_not_followed_and_told(tmp_path):
    folder, outside = tmp_path / "inside", tmp_path / "outside"
    folder.mkdir(), outside.mkdir()
    _nifti(folder / "a.nii")
    _nifti(outside / "secret.nii")
    for number in range(2):
        (folder / f"out{number}.nii").symlink_to(outside / "secret.nii")
    (folder / "gone.nii").symlink_to(folder / "nowhere")
    (folder / "ring.nii").symlink_to("ring.nii")
    for n in (1, 2):
        Image.fromarray(np.zeros((4, 5), np.uint8)).save((outside if n == 2 else folder) / f"t1_{n}.png")
    (folder / "t1_2.png").symlink_to(outside / "t1_2.png")
    (folder / "more").symlink_to(outside, target_is_directory=True)
    (folder / "same.nii").symlink_to("a.nii")
    found = scan(folder)
    assert [series.files[0].name for series in found] == ["a.nii", "same.nii", "t1_1.png"]
    assert [len(series.files) for series in found] == [1, 1, 1]
    (told,) = (finding.message for finding in found[0].findings if finding.kind == "passed_over")
    assert "4 links lead out of the folder" in told
    assert "2 links lead to nothing" in told
    for name in ("a.nii", "same.nii", "t1_1.png"):
        (folder / name).unlink()
    with pytest.raises(FileRefused, match=r"no image files.*4 links lead out of the folder"):
        scan(folder)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is locked for the superuser")
def test_a_locked_subfolder_is_told(tmp_path):
    _nifti(tmp_path / "a.nii")
    (tmp_path / "locked").mkdir(mode=0)
    assert any("1 subfolder may not be read" in finding.message for finding in scan(tmp_path)[0].findings)


def test_an_archive_beside_images_is_told_and_alone_is_named(tmp_path):
    with gzip.open(tmp_path / "more.gz", "wb") as packed:
        packed.write(b"words" * 100)
    with pytest.raises(FileRefused, match=r"more\.gz is a gzip archive, which is not looked into"):
        scan(tmp_path)
    _nifti(tmp_path / "a.nii")
    assert any("1 archive was not looked into" in finding.message for finding in scan(tmp_path)[0].findings)


def test_what_systems_leave_behind_is_no_image(tmp_path):
    for name in ("Thumbs.db", "desktop.ini", ".DS_Store", "._a.nii", "__MACOSX/b.nii", ".hidden/c.nii"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        _nifti(tmp_path / "x.nii").rename(tmp_path / name)
    _nifti(tmp_path / "a.nii")
    (series,) = scan(tmp_path)
    assert not series.has("passed_over")


def test_a_screenshot_beside_a_volume_is_no_volume_to_work_on(tmp_path):
    _nifti(tmp_path / "a.nii")
    Image.fromarray(np.zeros((4, 5), np.uint8)).save(tmp_path / "shot.png")
    assert [series.localizer for series in scan(tmp_path)] == [False, True]
    assert sole_series(tmp_path).path.name == "a.nii"
    Image.fromarray(np.zeros((4, 5), np.uint8)).save(tmp_path / "t1_1.jpg")
    Image.fromarray(np.zeros((4, 5), np.uint8)).save(tmp_path / "t1_2.jpg")
    with pytest.raises(AmbiguousInput, match="2 volumes"):
        sole_series(tmp_path)


def test_a_disk_with_a_viewer_opens_as_its_scan(tmp_path):
    _dicom_series(tmp_path / "IMAGES", 1)
    (tmp_path / "help").mkdir()
    for n in range(3):
        Image.fromarray(np.zeros((4, 5), np.uint8)).save(tmp_path / "help" / f"button{n}.png")
        Image.fromarray(np.zeros((4, 5), np.uint8)).save(tmp_path / f"Doe_{n}.jpg")
    clutter = {"viewer.exe": b"MZ", "viewer.jar": b"PK\3\4", "report.docx": b"PK\3\4", "help/a.pdf": b"%PDF-1.7"}
    for name, content in clutter.items():
        (tmp_path / name).write_bytes(content + bytes(300))
    assert [(series.format_name, series.localizer) for series in scan(tmp_path)] == [
        ("DICOM", False), ("pictures", True), ("pictures", True),
    ]  # fmt: skip
    assert not open_volume(tmp_path).findings


@pytest.mark.parametrize("make", [_dicom_series, _pictures, _texts])
def test_looking_through_a_folder_can_be_stopped_at_any_file(tmp_path, make):
    make(tmp_path, 1)
    asked = []
    with contextlib.suppress(FileRefused):
        scan(tmp_path, lambda: bool(asked.append(1)))
    assert len(asked) >= 3
    for most in range(len(asked)):
        left = iter([False] * most)
        with pytest.raises(Stopped):
            scan(tmp_path, lambda left=left: next(left, True))


@pytest.mark.parametrize(("name", "words"), [("a.bmp", "Save it as PNG"), ("a.vtk", "NIfTI or MHA"), ("a.npy", "NumPy array")])
def test_known_formats_that_are_not_read_lead_on(tmp_path, name, words):
    (tmp_path / name).write_bytes(b"\x93NUMPY" + bytes(300))
    for path in (tmp_path / name, tmp_path):
        with pytest.raises(FileRefused, match=words):
            scan(path)


def test_pictures_that_are_given_together_are_a_stack(tmp_path):
    for n in range(9, 14):
        Image.fromarray(np.full((4, 5), n, np.uint8)).save(tmp_path / f"slice{n}.png")
    _nifti(tmp_path / "a.nii")
    given = [tmp_path / name for name in ("slice10.png", "a.nii", "slice9.png", "slice11.png")]
    pictures, volume = belonging_together(given)
    (series,) = scan_together(pictures)
    assert finish(load(series)).voxels[:, 0, 0].tolist() == [9, 10, 11]
    assert scan_together(volume) == scan(tmp_path / "a.nii")
