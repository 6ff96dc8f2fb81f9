"""The checks before any parser."""

from __future__ import annotations

import os

import psutil
import pytest

from ctmri_core.errors import FileRefused
from ctmri_core.io import preflight


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n", "png"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"NRRD0005\n", "nrrd"),
        (b"ObjectType = Image\nNDims = 3\n", "metaimage"),
        (b"NDims=3\n", "metaimage"),
        (b"\0" * 128 + b"DICM", "dicom"),
        (b"\x5c\x01\0\0" + b"\0" * 340 + b"n+1\0", "nifti"),
        (b"\x1c\x02\0\0n+2\0\r\n\x1a\n", "nifti"),
        (b"\x5c\x01\0\0" + b"\0" * 344, "analyze"),
        (b"PK\x03\x04", "zip"),
        (b"some = text", None),
        (b"", None),
    ],
)
def test_kind_goes_by_magic_bytes(head, kind):
    assert preflight.kind(head) == kind


def test_only_regular_files_with_content_pass(tmp_path):
    (tmp_path / "empty").touch()
    os.mkfifo(tmp_path / "fifo")
    for path, reason in [
        (tmp_path / "empty", "empty"),
        (tmp_path / "fifo", "ordinary file"),
        (tmp_path, "ordinary file"),
        (tmp_path / "gone", "does not exist"),
        (tmp_path / "gone" / "deeper", "does not exist"),
        (tmp_path / ("n" * 300), "cannot be read"),
        ("/dev/zero", "ordinary file"),
    ]:
        with pytest.raises(FileRefused, match=reason):
            preflight.regular_file(type(tmp_path)(path))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), 0.0, -1.0, 1e30, 1e-30])
def test_odd_spacing_is_refused_by_name(tmp_path, value):
    with pytest.raises(FileRefused, match="pixdim"):
        preflight.check_spacing(tmp_path / "a.nii", (1.0, value, 1.0), "pixdim")


def test_claims_are_held_against_bytes_and_memory(tmp_path):
    preflight.check_claim(tmp_path / "a", 1000, 1000)
    preflight.check_claim(tmp_path / "a", 1000, 10, ratio=100)
    with pytest.raises(FileRefused, match="promises 1001 bytes"):
        preflight.check_claim(tmp_path / "a", 1001, 1000)
    with pytest.raises(FileRefused, match="of memory"):
        preflight.check_memory(tmp_path / "a", psutil.virtual_memory().total)


def test_data_files_stay_beside_their_header(tmp_path):
    folder = tmp_path / "inside"
    folder.mkdir()
    header = folder / "a.mhd"
    header.write_text("x")
    (tmp_path / "secret.raw").write_bytes(b"1234")
    (folder / "good data.raw").write_bytes(b"1234")
    (folder / "link.raw").symlink_to(tmp_path / "secret.raw")
    assert preflight.beside(header, "good data.raw") == folder / "good data.raw"
    for name in ("../secret.raw", str(tmp_path / "secret.raw"), "link.raw", "", ".", "..", "%s%s%n", "a\\b", "C:data"):
        with pytest.raises(FileRefused):
            preflight.beside(header, name)


def test_sheared_grids_are_refused(tmp_path):
    affine = [[0, 0, 1, 0], [0, 1, 0.5, 0], [2, 0, 0, 0], [0, 0, 0, 1]]
    with pytest.raises(FileRefused, match=r"sform.*right angles"):
        preflight.checked_geometry(tmp_path / "a.nii", (2, 2, 2), affine, "sform")
