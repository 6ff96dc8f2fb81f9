"""Archives as input: the same volumes as from the folder that was packed, and nothing read or written outside."""

from __future__ import annotations

import gzip
import io
import os
import signal
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk
from PIL import Image

from ctmri_core.domain import Domain
from ctmri_core.errors import FileRefused, Stopped
from ctmri_core.events import finish
from ctmri_core.geometry import Geometry
from ctmri_core.io import archives
from ctmri_core.io.opening import load, open_volume, preview, scan
from ctmri_core.io.png_export import write_png_slices
from ctmri_core.io.private_folders import private_folder
from ctmri_core.io.saving import check_target
from ctmri_core.volume import Synthetic, Volume
from tests.core.test_dicom import slice_of, stored_values, write

VOXELS = np.random.default_rng(4).integers(-900, 1500, (4, 5, 6)).astype(np.int16)
SECRETS = ("Doe", "Jane", "4711")


def _zip(path: Path, folder: Path, method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for file in sorted(folder.rglob("*")):
            archive.write(file, file.relative_to(folder))
    return path


def _members(path: Path, members: dict[str, bytes], mode: int = stat.S_IFREG | 0o644, method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(name)
            info.external_attr, info.compress_type = mode << 16, method
            archive.writestr(info, content)
    return path


def _nifti(values: np.ndarray = VOXELS) -> bytes:
    return nib.Nifti1Image(values.T, np.diag([-1.0, -1.0, 2.0, 1.0])).to_bytes()


def _unpacked_files(archive: Path) -> list[Path]:
    folder = next(folder for folder, origin in archives._archives.items() if origin == archive)
    return [file for file in folder.rglob("*") if file.is_file()]


def _assert_discreet(path: Path, *said: object) -> None:
    names = [str(file) for file in _unpacked_files(path)]
    for text in (*map(str, said), *names):
        assert not any(secret in text for secret in SECRETS)


def _write_itk(path: Path, compressed: bool = False) -> None:
    image = sitk.GetImageFromArray(VOXELS)
    image.SetSpacing((0.5, 0.75, 2.0))
    sitk.WriteImage(image, str(path), compressed)


@pytest.mark.parametrize("name", ["Doe_ct.nii.gz", "Doe.mha", "Doe Jane.mhd", "Doe_4711.nhdr", "Doe_Jane.img", "Doe_ct.nrrd"])
def test_volumes_and_pairs_survive_their_new_names(tmp_path, name):
    folder = tmp_path / "Doe" / "Jane 4711"
    folder.mkdir(parents=True)
    _write_itk(folder / name)
    path = _zip(tmp_path / "scans.zip", tmp_path / "Doe")
    (series,) = scan(path)
    volume = finish(load(series))
    np.testing.assert_array_equal(volume.voxels, VOXELS)
    assert volume.geometry.spacing == pytest.approx((2.0, 0.75, 0.5))
    assert volume.domain is (Domain.CT if "ct" in name else Domain.UNKNOWN)
    assert series.path == volume.path == path
    assert "scans.zip" in series.label
    assert "scans.zip" in volume.name
    _assert_discreet(path, series.label, volume.name, volume.findings)
    assert series.domain is volume.domain
    with pytest.raises(Exception, match="not written over"):
        check_target(path, sources=[volume.path], overwrite=True)


@pytest.mark.parametrize("reference", ["LIST", "Doe%02d.raw 9 12 1"])
def test_a_header_that_lists_its_slices_finds_them(tmp_path, reference):
    names = [f"Doe{k:02}.raw" for k in range(9, 13)]
    listed = "\n".join(["LIST", *names]) if reference == "LIST" else reference
    header = f"ObjectType = Image\nNDims = 3\nDimSize = 6 5 4\nElementType = MET_SHORT\nElementDataFile = {listed}\n"
    members = {"Doe.mhd": header.encode()} | {name: plane.tobytes() for name, plane in zip(names, VOXELS, strict=True)}
    np.testing.assert_array_equal(open_volume(_members(tmp_path / "a.zip", members)).voxels, VOXELS)


def test_dicom_opens_as_from_its_folder(tmp_path):
    slices = [slice_of(values, 2.0 * k) for k, values in enumerate(stored_values(6))]
    folder = write(tmp_path / "Doe", slices)
    expected = open_volume(folder)
    path = _zip(tmp_path / "a.zip", folder)
    (series,) = scan(path)
    volume = finish(load(series))
    np.testing.assert_array_equal(volume.voxels, expected.voxels)
    assert volume.geometry == expected.geometry
    assert volume.findings == expected.findings
    assert preview(series).voxels.shape[0] == 1
    assert scan(path)[0].files == series.files  # unpacked once


def test_series_are_numbered_only_where_their_names_do_not_tell_them_apart(tmp_path):
    for number in (3, 4):
        slices = [slice_of(values, 2.0 * k) for k, values in enumerate(stored_values(6))]
        for each in slices:
            each.SeriesInstanceUID, each.SeriesNumber = f"1.2.{number}", str(number)
        write(tmp_path / "Doe" / str(number), slices)
    labels = sorted(series.label for series in scan(_zip(tmp_path / "a.zip", tmp_path / "Doe")))
    assert ["series 3" in labels[0], "series 4" in labels[1]] == [True, True]
    assert not any("part" in label for label in labels)
    alike = [series.label for series in scan(_members(tmp_path / "b.zip", {"Doe.nii": _nifti(), "Jane.nii": _nifti()}))]
    assert sorted(label.rpartition(", ")[2] for label in alike) == ["part 1", "part 2"]


def _picture(value: int) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(np.full((4, 5), value, np.uint16)).save(stream, "PNG")
    return stream.getvalue()


def test_stacks_keep_order_gaps_planes_and_kinds(tmp_path):
    numbers = (8, 9, 10, 12, 100)
    members = {f"Doe/4711_ct_{n}.png": _picture(n) for n in numbers}
    members |= {f"Doe/ct_coronal_{n}.png": _picture(n) for n in (1, 2)}
    members |= {f"Jane/mr_t1/{n}.png": _picture(n) for n in (2, 10)} | {f"Jane/flair/{n}.png": _picture(n) for n in (3, 20)}
    path = _members(tmp_path / "a.zip", members)
    found = {series.shape[0] if series.shape[0] == 5 else (series.plane, series.domain): series for series in scan(path)}
    assert set(found) == {
        5, ("coronal", Domain.CT), ("axial", Domain.MR_T1), ("axial", Domain.MR_FLAIR)
    }  # fmt: skip
    assert finish(load(found[5])).voxels[:, 0, 0].tolist() == list(numbers)
    assert found[5].has("gap")
    assert not found["coronal", Domain.CT].has("gap")
    assert finish(load(found["coronal", Domain.CT])).voxels[:, 0, 0].tolist() == [1 - 1024, 2 - 1024]
    assert finish(load(found["axial", Domain.MR_T1])).voxels[:, 0, 0].tolist() == [2, 10]
    assert len({series.label for series in found.values()}) == 4
    _assert_discreet(path, *(series.label for series in found.values()))


def test_slices_of_our_own_keep_grid_and_record(tmp_path):
    grid = Geometry(VOXELS.shape, (2.5, 0.5, 0.75), (1.0, -2.0, 3.0))
    made = Synthetic("model", "0" * 64, {"seed": 1})
    volume = Volume(VOXELS, grid, Domain.CT, synthetic=made, history=("made up",))
    finish(write_png_slices(volume, tmp_path / "Doe"))
    again = open_volume(_zip(tmp_path / "a.zip", tmp_path / "Doe"))
    np.testing.assert_array_equal(again.voxels, VOXELS)
    assert again.geometry == grid
    assert again.synthetic == made
    assert not {"no_record", "estimated_spacing", "hounsfield_offset"} & {finding.kind for finding in again.findings}


def test_clutter_is_passed_over(tmp_path):
    members = {
        "a.nii": _nifti(), "__MACOSX/._a.nii": b"x" * 400, "._a.nii": b"x" * 400, "Thumbs.db": b"x", "b/": b"",
        "read me.txt": b"x", "viewer.exe": b"MZ" + bytes(500),
    }  # fmt: skip
    volume = open_volume(_members(tmp_path / "a.zip", members))
    assert not {"passed_over", "left_out"} & {finding.kind for finding in volume.findings}


@pytest.mark.parametrize("name", ["../../evil.nii", "/abs/evil.nii", "..\\..\\evil.nii", "C:\\evil.nii"])
def test_names_that_lead_out_are_left_out_and_said(tmp_path, name):
    before = set(tmp_path.parent.rglob("evil*"))
    volume = open_volume(_members(tmp_path / "a.zip", {"a.nii": _nifti(), name: _nifti()}))
    assert any("1 with a name that leads out of it" in finding.message for finding in volume.findings)
    assert set(tmp_path.parent.rglob("evil*")) == before
    with pytest.raises(FileRefused, match="leads out of it"):
        scan(_members(tmp_path / "b.zip", {name: _nifti()}))


@pytest.mark.parametrize("mode", [stat.S_IFLNK | 0o777, stat.S_IFCHR | 0o600, stat.S_IFIFO | 0o600])
def test_links_and_devices_are_left_out(tmp_path, mode):
    with pytest.raises(FileRefused, match=r"1 that is a link or a device\. Unpack it yourself"):
        scan(_members(tmp_path / "a.zip", {"a.nii": b"/etc/passwd"}, mode))


def test_an_archive_in_an_archive_is_not_opened(tmp_path):
    with pytest.raises(FileRefused, match=r"1 that is an archive\. Unpack it yourself"):
        scan(_members(tmp_path / "a.zip", {"b.zip": _members(tmp_path / "b.zip", {"a.nii": _nifti()}).read_bytes()}))


def test_an_empty_mask_packs_to_a_thousandth_and_opens(tmp_path):
    path = _members(tmp_path / "a.zip", {"mask.nii": _nifti(np.zeros((170, 300, 400), np.uint8))})
    (series,) = scan(path)
    assert series.shape == (170, 300, 400)


def test_times_in_names_are_no_drives(tmp_path):
    (series,) = scan(_members(tmp_path / "a.zip", {"Doe 12:30:00/scan 2020-01-01T12:30.nii": _nifti()}))
    assert not series.findings


def test_bombs_and_lies_are_refused_before_they_are_unpacked(tmp_path):
    for name, count, claimed, words in (("a", 1, 2**32 - 2, "than it can hold"), ("b", 99, 60 << 20, "unpacks to 5.8 GB")):
        path = _members(tmp_path / f"{name}.zip", {f"{n}.nii": np.random.default_rng(n).bytes(61_440) for n in range(count)})
        content = bytearray(path.read_bytes())
        place = 0
        while (place := content.find(b"PK\1\2", place + 1)) > 0:
            content[place + 24 : place + 28] = claimed.to_bytes(4, "little")
        path.write_bytes(content)
        with pytest.raises(FileRefused, match=words):
            scan(path)
    content[-14:-10] = (60_000).to_bytes(2, "little") * 2
    path.write_bytes(content)
    with pytest.raises(FileRefused, match="60000 files"):
        scan(path)


def test_members_that_share_their_bytes_are_refused(tmp_path):
    path = _members(tmp_path / "a.zip", {"a.nii": _nifti(), "b.nii": _nifti()})
    content = bytearray(path.read_bytes())
    second = content.index(b"PK\1\2", content.index(b"PK\1\2") + 4)
    content[second + 42 : second + 46] = bytes(4)
    path.write_bytes(content)
    with pytest.raises(FileRefused, match="overlap"):
        scan(path)


def test_passwords_and_rare_packings_are_said(tmp_path):
    path = _members(tmp_path / "a.zip", {"a.nii": _nifti()})
    content = bytearray(path.read_bytes())
    content[6] |= 1
    content[content.index(b"PK\1\2") + 8] |= 1
    path.write_bytes(content)
    with pytest.raises(FileRefused, match="password"):
        scan(path)
    with pytest.raises(FileRefused, match="packed in a way"):
        scan(_members(tmp_path / "b.zip", {"a.nii": _nifti()}, method=zipfile.ZIP_LZMA))


def test_twice_the_same_name_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive, pytest.warns(UserWarning, match="Duplicate"):
        for _ in range(2):
            archive.writestr("a.nii", _nifti())
    with pytest.raises(FileRefused, match="two files of one name"):
        scan(tmp_path / "a.zip")


def test_damage_anywhere_is_found_or_harmless(tmp_path):
    path = _members(tmp_path / "a.zip", {"a.nii": _nifti(), "b.txt": b"words"})
    whole = path.read_bytes()
    random = np.random.default_rng(6)
    for cut in random.integers(1, len(whole), 40):
        path.write_bytes(whole[: int(cut)])
        with pytest.raises(FileRefused):
            open_volume(path)
    for position in random.integers(0, len(whole), 120):
        damaged = bytearray(whole)
        damaged[position] ^= 1 << random.integers(8)
        path.write_bytes(damaged)
        os.utime(path, ns=(0, int(position) + 1))
        try:
            np.testing.assert_array_equal(open_volume(path).voxels, VOXELS)
        except FileRefused as refusal:
            assert refusal.path == path


def test_what_is_wrong_inside_is_said_of_the_archive(tmp_path):
    path = _members(tmp_path / "a.zip", {"Doe/4711.nii": _nifti()[:400]})
    with pytest.raises(FileRefused, match=r"^a\.zip: one of its files is incomplete: the header promises"):
        scan(path)


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"Doe.hdr": _nifti()[:344] + b"ni1\0"}, r"one of its files has no data file \(\.img\) beside it"),
        ({"Doe.mhd": b"NDims = 3\nDimSize = 6 5 4\nElementType = MET_SHORT\nElementDataFile = a.raw\n"}, "does not hold a file"),
        ({"a.nii": b"words" * 90, "b.nii": b"words" * 90}, "2 files were refused, the first: one of its files is not what"),
    ],
)
def test_refusals_hold_no_names_of_members(tmp_path, members, words):
    with pytest.raises(FileRefused, match=rf"^scan\.zip.*{words}") as caught:
        open_volume(_members(tmp_path / "scan.zip", members))
    assert not any(name in str(caught.value) for name in ("Doe", "f0000", "a.raw"))


def test_unpacking_can_be_stopped_and_leaves_nothing(tmp_path):
    path = _members(tmp_path / "a.zip", {"a.nii": _nifti()})
    place = private_folder().parent
    before = set(place.iterdir())
    with pytest.raises(Stopped):
        scan(path, lambda: True)
    assert set(place.iterdir()) == before
    assert len(scan(path)) == 1


def test_a_changed_archive_is_unpacked_again(tmp_path):
    path = _members(tmp_path / "a.zip", {"a.nii": _nifti()})
    (before,) = scan(path)
    _members(path, {"a.nii": _nifti(VOXELS + 1), "b.txt": b""})
    np.testing.assert_array_equal(open_volume(path).voxels, VOXELS + 1)
    with pytest.raises(FileRefused, match=r"a\.zip has changed since"):
        finish(load(before))


_OPENS = """
import os, sys, tempfile
tempfile.tempdir = sys.argv[2]
from ctmri_core.io.opening import scan
(series,) = scan(sys.argv[1])
print(oct(series.files[0].parents[2].stat().st_mode), flush=True)
os.abort() if sys.argv[3] == "die" else None
"""


_IS_TOLD_TO_END = """
import os, signal, sys, tempfile
tempfile.tempdir = sys.argv[2]
from ctmri_core.cli.main import main
from ctmri_core.io import archives
made = archives.private_folder
def then_the_signal():
    folder = made()
    os.kill(os.getpid(), int(sys.argv[3]))
    return folder
archives.private_folder = then_the_signal
sys.exit(main(["info", sys.argv[1]]))
"""


@pytest.mark.skipif(os.name == "nt", reason="modes and signals of POSIX")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_command_that_is_told_to_end_leaves_nothing(tmp_path, name):
    path = _members(tmp_path / "a.zip", {"a.nii": _nifti()})
    place = tmp_path / "temporary"
    place.mkdir()
    command = [sys.executable, "-c", _IS_TOLD_TO_END, str(path), str(place), str(int(getattr(signal, name)))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (130, "")
    assert not list(place.iterdir())


@pytest.mark.skipif(os.name == "nt", reason="modes and signals of POSIX")
def test_the_folder_is_private_and_goes_with_the_program_or_with_the_next(tmp_path):
    path = _members(tmp_path / "a.zip", {"a.nii": _nifti()})
    place = tmp_path / "temporary"
    place.mkdir()
    for end, left in (("live", 0), ("die", 1), ("die", 1), ("live", 0)):
        command = [sys.executable, "-c", _OPENS, str(path), str(place), end]
        said = subprocess.run(command, capture_output=True, text=True, check=False)
        assert said.stdout.strip() == "0o40700", said.stderr
        assert len(list(place.iterdir())) == left


def test_a_packed_file_opens_by_itself(tmp_path):
    slices = [slice_of(stored_values(1)[0], 0.0)]
    folder = write(tmp_path / "Doe", slices)
    (file,) = folder.iterdir()
    expected = open_volume(file)
    path = tmp_path / "a.dcm.gz"
    path.write_bytes(gzip.compress(file.read_bytes()))
    volume = open_volume(path)
    np.testing.assert_array_equal(volume.voxels, expected.voxels)
    assert volume.path == path
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(FileRefused, match="incomplete"):
        scan(path)


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"7z\xbc\xaf\x27\x1c", "7z"), (b"Rar!\x1a\x07\x01\0", "RAR"), (b"a" * 257 + b"ustar\x0000", "tar"),
        (b"\x1f\x8b\x08\0", "gzip"),
    ],
)  # fmt: skip
def test_other_archives_are_named(tmp_path, content, word):
    (tmp_path / "a.bin").write_bytes(content + bytes(400))
    with pytest.raises(FileRefused, match=f"{word} archive.*Unpack it"):
        scan(tmp_path / "a.bin")
