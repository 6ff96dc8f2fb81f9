"""Saving, read back by nibabel and SimpleITK."""

from __future__ import annotations

import errno
import json
import os
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk

from ctmri_core.domain import Domain
from ctmri_core.errors import WriteFailed
from ctmri_core.events import Progress, finish
from ctmri_core.geometry import Geometry, rigid_transform
from ctmri_core.io import saving
from ctmri_core.io.opening import open_volume, scan
from ctmri_core.io.report import describe
from ctmri_core.volume import Finding, Synthetic, Volume

FORMATS = {".nii": "NIfTI", ".nii.gz": "NIfTI", ".mha": "MetaImage", ".nrrd": "NRRD"}
SUFFIXES = [".nii", ".nii.gz", ".mha", ".nrrd"]
FINDINGS = (Finding("partial", "Translation was stopped.", serious=True), Finding("demo_model", "A demonstration model."))


def _volume(dtype=np.int16, synthetic=True, geometry=None):
    turn = rigid_transform((11.0, 22.0, -33.0), (0.0, 0.0, 0.0))[:3, :3]
    axes = tuple(map(tuple, turn[:, ::-1].T.tolist()))
    geometry = geometry or Geometry((6, 7, 8), (2.5, 0.9, 0.8), (-123.4, 98.7, 456.7), axes)
    voxels = np.random.default_rng(5).normal(300, 200, geometry.shape).astype(dtype)
    made = Synthetic("demo CT → T1", "ab" * 32, {"recipe": "x"}) if synthetic else None
    history = ("translated by demo",)
    return Volume(voxels, geometry, Domain.MR_T1, "T1 MR, head", findings=FINDINGS, history=history, synthetic=made)


def saved(volume, path):
    return finish(saving.save(volume, path))


@pytest.mark.parametrize("dtype", [np.int16, np.float32])
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_other_libraries_read_the_same(tmp_path, suffix, dtype):
    volume = _volume(dtype)
    path = saved(volume, tmp_path / f"größe 1{suffix}")
    image = sitk.ReadImage(str(path))
    grid = Geometry.from_itk(image.GetSize(), image.GetSpacing(), image.GetOrigin(), image.GetDirection())
    np.testing.assert_allclose(grid.corners, volume.geometry.corners, atol=1e-4)
    voxels = sitk.GetArrayFromImage(image)
    assert voxels.dtype == dtype
    np.testing.assert_array_equal(voxels, volume.voxels)
    if suffix.startswith(".nii"):
        header = nib.load(path).header
        assert (int(header["sform_code"]), int(header["qform_code"])) == (1, 1)
        np.testing.assert_allclose(header.get_sform(), header.get_qform(), atol=1e-4)
        assert bytes(header["descrip"].item()).startswith(b"synthetic, not for diagnosis")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_synthetic_volume_is_known_as_one_when_it_is_opened_again(tmp_path, suffix):
    path = saved(_volume(), tmp_path / f"a{suffix}")
    again = open_volume(path)
    assert again.synthetic == Synthetic("demo CT → T1", "ab" * 32, {"recipe": "x"})
    assert again.domain is Domain.MR_T1
    assert again.history == ("translated by demo", f"read from {FORMATS[suffix]}")
    assert again.findings == FINDINGS
    sidecar = tmp_path / f"a{suffix}.provenance.json"
    assert json.loads(sidecar.read_text())["model_hash"] == "ab" * 32
    for content in ("{}", "[" * 100_000, "not json", None):
        sidecar.write_text(content) if content else sidecar.unlink()
        alone = open_volume(path)
        assert alone.synthetic == Synthetic("unknown model", "")  # the mark stands in the image itself
        assert [finding.kind for finding in alone.findings] == ["no_record"]


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.mha", "a.nrrd", "series"])
def test_synthetic_is_said_before_anything_is_loaded(tmp_path, name):
    (series,) = scan(finish(saving.save(replace(_volume(), phantom=True), tmp_path / name)))
    assert series.synthetic
    assert series.label.startswith("Synthetic T1 MR phantom, ")
    assert describe(series)["synthetic"].startswith("yes")
    if name != "series":
        (series,) = scan(saved(_volume(synthetic=False), tmp_path / f"scan{name[1:]}"))
        assert not series.synthetic
        assert series.label.startswith("T1 MR, ")


def test_every_file_keeps_its_own_record(tmp_path):
    for name, suffix in (("A", ".nii"), ("B", ".nii.gz"), ("C", ".mha"), ("D", ".nrrd")):
        saved(replace(_volume(), synthetic=Synthetic(name, "ab" * 32)), tmp_path / f"head{suffix}")
    for name, suffix in (("A", ".nii"), ("B", ".nii.gz"), ("C", ".mha"), ("D", ".nrrd")):
        assert open_volume(tmp_path / f"head{suffix}").synthetic.model_name == name


def test_a_record_counts_with_its_own_voxels_only(tmp_path):
    path = saved(_volume(), tmp_path / "a.nii")
    record = (tmp_path / "a.nii.provenance.json").read_bytes()
    other = _volume()
    other.voxels[0, 0, 0] += 1
    saved(replace(other, synthetic=Synthetic("another", "cd" * 32)), path)
    (tmp_path / "a.nii.provenance.json").write_bytes(record)
    assert open_volume(path).synthetic == Synthetic("unknown model", "")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_acquired_volume_keeps_what_was_said_about_it(tmp_path, suffix):
    again = open_volume(saved(_volume(synthetic=False), tmp_path / f"a{suffix}"))
    assert (again.synthetic, again.findings, again.history[0]) == (None, FINDINGS, "translated by demo")


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("synthetic", [True, False])
def test_a_phantom_stays_one_without_its_record(tmp_path, suffix, synthetic):
    path = saved(replace(_volume(synthetic=synthetic), phantom=True), tmp_path / f"head{suffix}")
    (tmp_path / f"head{suffix}.provenance.json").unlink()
    again = open_volume(path)
    assert (again.phantom, again.domain, again.synthetic is not None) == (True, Domain.MR_T1, synthetic)
    assert "phantom" in again.name
    assert "phantom" in again.label


def test_no_file_name_gets_into_the_record(tmp_path):
    first = saved(_volume(), tmp_path / "Doe_Jane.nii")
    second = saved(open_volume(first), tmp_path / "b.nii")
    assert "Doe" not in (tmp_path / "b.nii.provenance.json").read_text() + str(open_volume(second).history)


def test_an_acquired_volume_is_never_taken_for_synthetic(tmp_path):
    path = tmp_path / "a.nii.gz"
    saved(_volume(), path)
    saved(_volume(synthetic=False), path)
    assert open_volume(path).synthetic is None
    assert open_volume(path).domain is Domain.MR_T1


def test_left_handed_and_far_away_grids(tmp_path):
    flipped = Geometry((3, 4, 5), (1.0, 1.0, 1.0), (1500.0, -2000.0, 900.0), ((0.0, 0.0, -1.0), (0.0, 1.0, 0.0), (1.0, 0.0, 0.0)))
    for suffix in SUFFIXES:
        volume = _volume(geometry=flipped)
        assert open_volume(saved(volume, tmp_path / f"a{suffix}")).geometry.is_close(flipped, 1e-3)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_damage_on_the_way_keeps_the_old_file(tmp_path, suffix, monkeypatch):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(b"old")
    write = saving._WRITERS[suffix]

    def damaged(volume, target):
        yield from write(volume, target)
        target.write_bytes(target.read_bytes()[:-10])

    monkeypatch.setitem(saving._WRITERS, suffix, damaged)
    with pytest.raises(WriteFailed, match=f"a{suffix}"):
        saved(_volume(), path)
    assert path.read_bytes() == b"old"
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_a_wrong_voxel_is_noticed(tmp_path, monkeypatch):
    write = saving._WRITERS[".nii"]

    def other(volume, target):
        voxels = volume.voxels.copy()
        voxels[0, 0, 0] += 1
        yield from write(Volume(voxels, volume.geometry, volume.domain, synthetic=volume.synthetic), target)

    monkeypatch.setitem(saving._WRITERS, ".nii", other)
    with pytest.raises(WriteFailed, match="not the same"):
        saved(_volume(), tmp_path / "a.nii")


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
@pytest.mark.parametrize("name", ["a.nii.gz", "a.mha", "slices"])
def test_no_file_is_written_whose_values_are_no_numbers(tmp_path, name, wrong):
    volume = _volume(np.float32, synthetic=False)
    volume.voxels[2, 3, 4] = wrong
    for slices in ("dicom", "png"):
        with pytest.raises(WriteFailed, match="NaN or infinite"):
            finish(saving.save(volume, tmp_path / name, slices=slices))
    assert list(tmp_path.iterdir()) == []


def test_names_are_checked_before_the_work(tmp_path):
    for name in ("a.jpg", "a.nii.bz2", "a.dcm"):
        with pytest.raises(WriteFailed, match=r"\.nii\.gz"):
            saving.check_target(tmp_path / name)
        with pytest.raises(WriteFailed):
            finish(saving.save(_volume(), tmp_path / name))
    saving.check_target(tmp_path / "a.nii.gz")
    saving.check_target(tmp_path / "new folder")
    saving.check_target(tmp_path)
    (tmp_path / "there").write_text("x")
    for taken in (tmp_path, tmp_path / "there", tmp_path / "there" / "a.nii"):
        with pytest.raises(WriteFailed):
            saving.check_target(taken)


@pytest.mark.parametrize(
    ("number", "words"), [(errno.EACCES, "not permitted"), (errno.ENOSPC, "full"), (errno.EROFS, "read-only")]
)
def test_a_disk_that_refuses_is_said_in_words(tmp_path, monkeypatch, number, words):
    def refused(volume, target):
        target.write_bytes(b"half")
        yield 1
        raise OSError(number, os.strerror(number))

    monkeypatch.setitem(saving._WRITERS, ".nii", refused)
    with pytest.raises(WriteFailed, match=words):
        saved(_volume(), tmp_path / "a.nii")
    assert list(tmp_path.iterdir()) == []


def test_what_was_opened_is_never_written_over(tmp_path):
    scan = saved(_volume(synthetic=False), tmp_path / "scans" / "scan.nii.gz")
    before = scan.read_bytes()
    opened = open_volume(scan)
    (tmp_path / "link.nii.gz").symlink_to(scan)
    os.link(scan, tmp_path / "hard.nii.gz")
    for target in (scan, tmp_path / "link.nii.gz", tmp_path / "hard.nii.gz", tmp_path / "scans" / ".." / "scans" / "scan.nii.gz"):
        with pytest.raises(WriteFailed, match="is what was opened"):
            saving.check_target(target, sources=[scan], overwrite=True)
        with pytest.raises(WriteFailed, match="is what was opened"):
            finish(saving.save(_volume(), target, source=opened))
        with pytest.raises(WriteFailed, match="is what was opened"):
            saved(opened, target)
    with pytest.raises(WriteFailed, match="is what was opened"):
        saving.check_target(scan, sources=[tmp_path / "scans"], overwrite=True)
    assert scan.read_bytes() == before
    saving.check_target(tmp_path / "scans" / "new.nii.gz", sources=[tmp_path / "scans"])


def test_other_files_are_replaced_only_when_that_is_said(tmp_path):
    path = tmp_path / "a.nii"
    path.write_bytes(b"mine")
    with pytest.raises(WriteFailed, match="exists already"):
        saving.check_target(path)
    with pytest.raises(WriteFailed, match="exists already"):
        finish(saving.save(_volume(), path, overwrite=False))
    assert path.read_bytes() == b"mine"
    saving.check_target(path, overwrite=True)
    finish(saving.save(_volume(), path, overwrite=True))
    assert open_volume(path).synthetic is not None


def test_the_disk_is_asked_early_and_nothing_stays_of_it(tmp_path, monkeypatch):
    saving.check_target(tmp_path / "new" / "folder" / "a.nii")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(WriteFailed, match="empty"):
        saving.check_target("")
    for length in (250, 300):
        with pytest.raises(WriteFailed, match="too long"):
            saving.check_target(tmp_path / f"{'a' * length}.nii")
    if Path("/proc/self").is_dir():
        with pytest.raises(WriteFailed, match="could not be written"):
            saving.check_target("/proc/a.nii")


@pytest.mark.skipif(os.name == "nt", reason="limits are POSIX")
@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.mha", "a.nrrd", "series"])
def test_a_disk_that_takes_no_more_is_told_by_its_cause(tmp_path, name):
    """The limit on the size of a file stands for the full disk: the system refuses in the middle of a write."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (400, hard))
    try:
        with pytest.raises(WriteFailed, match=r"takes no file of this size.*Nothing partial was left behind"):
            finish(saving.save(_volume(), tmp_path / name))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []


def test_save_chooses_by_the_name(tmp_path):
    assert finish(saving.save(_volume(), tmp_path / "a.mha")) == tmp_path / "a.mha"
    folder = finish(saving.save(_volume(), tmp_path / "series"))
    assert len(list(folder.glob("*.dcm"))) == 6 and (folder / "IMG00001.dcm.provenance.json").is_file()


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.mha", "a.nrrd", "series"])
def test_saving_stops_at_any_moment_and_leaves_nothing(tmp_path, name):
    heard = list(saving.save(_volume(), tmp_path / "whole" / name))
    assert heard
    assert all(isinstance(event, Progress) for event in heard)
    assert any(event.done == event.total == 6 and "writing" in event.message for event in heard)
    for moment in range(3):
        count = iter(range(100))
        assert finish(saving.save(_volume(), tmp_path / name, stop=lambda count=count, m=moment: next(count) == m)) is None
        assert [path.name for path in tmp_path.iterdir()] == ["whole"]
