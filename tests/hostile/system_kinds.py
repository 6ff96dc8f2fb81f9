"""Oddities of the file system and of what people save under an image's name."""

from __future__ import annotations

import gzip
import os
import pickle
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from tests.hostile.dicom_bytes import dicom
from tests.hostile.kinds import OUTSIDE, VOXELS, Expectation, Kind, either, file_kind, opens, refused
from tests.hostile.nifti_kinds import nifti
from tests.hostile.picture_kinds import GREY, png

_HTML = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body>" + b"<p>Please sign in</p>" * 200 + b"</body></html>"

_SUFFIXES = (
    ".nii", ".nii.gz", ".mha", ".mhd", ".nrrd", ".nhdr", ".dcm", ".png", ".jpg", ".tif", ".mgz", ".hdr", ".img", ".zip", ""
)  # fmt: skip


def _at(name: str | bytes, place: Callable[[Path], object]) -> Callable[[Path], Path]:
    """`place` makes something at the path that is then opened."""

    def make(folder: Path) -> Path:
        path = folder / os.fsdecode(name)
        place(path)
        return path

    return make


def _folder(place: Callable[[Path], object]) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        place(folder)
        return folder

    return make


def _sparse(content: bytes, size: int) -> Callable[[Path], None]:
    def place(path: Path) -> None:
        path.write_bytes(content)
        os.truncate(path, size)

    return place


def _locked(path: Path) -> None:
    path.write_bytes(nifti())
    path.chmod(0)


def _socket(path: Path) -> None:
    here = os.getcwd()  # noqa: PTH109  # the name of a socket may be 100 characters long
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(here)


def _series(folder: Path) -> None:
    for k in range(len(VOXELS)):
        (folder / f"{k:03}.dcm").write_bytes(dicom(k=k))


def _beside_series(more: Callable[[Path], object]) -> Callable[[Path], Path]:
    def place(folder: Path) -> None:
        _series(folder)
        more(folder)

    return _folder(place)


def _deep(folder: Path) -> None:
    inner = folder
    for _ in range(60):
        inner = inner / "d"
        inner.mkdir()
    (inner / "a.nii").write_bytes(nifti())


def _special_kinds() -> Iterator[Kind]:
    placed: tuple[tuple[str, str | bytes, Callable[[Path], object], Expectation], ...] = (
        ("missing", "gone.nii", lambda path: None, refused("exist")),
        ("missing_folder", "gone/gone.nii", lambda path: None, refused("exist")),
        ("below_a_file", "a.nii/b.nii", lambda path: path.parent.write_bytes(nifti()), refused()),
        ("fifo", "a.nii.gz", os.mkfifo, refused("ordinary")),
        ("fifo_dcm", "a.dcm", os.mkfifo, refused("ordinary")),
        ("socket", "a.nii", _socket, refused("ordinary")),
        ("device_link", "a.nii", lambda path: path.symlink_to("/dev/zero"), refused("ordinary")),
        ("terminal_link", "a.mha", lambda path: path.symlink_to("/dev/tty"), refused()),
        ("own_process_link", "a.dcm", lambda path: path.symlink_to("/proc/self/mem"), refused()),
        ("kernel_file_link", "a.nii", lambda path: path.symlink_to("/proc/self/status"), refused()),
        ("link_loop", "a.nii", lambda path: path.symlink_to(path.name), refused()),
        ("link_broken", "a.nii", lambda path: path.symlink_to("gone"), refused("exist")),
        ("folder_like_file", "a.nii.gz", lambda path: path.mkdir(), refused()),
        ("folder_like_dicom", "a.dcm", lambda path: path.mkdir(), refused()),
        ("name_of_255", "n" * 251 + ".nii", lambda path: path.write_bytes(nifti()), opens()),
        ("name_too_long", "n" * 300 + ".nii", lambda path: None, refused()),
        ("name_with_newline", "a\nb\r.nii", lambda path: path.write_bytes(nifti()), opens()),
        ("name_with_escapes", "a\x1b[31m\u202efii.nii", lambda path: path.write_bytes(nifti()), opens()),
        ("name_not_utf8", b"a\xff\xfe.nii", lambda path: path.write_bytes(nifti()), opens()),
        ("name_not_utf8_refused", b"a\xff\xfe.nii", lambda path: path.write_bytes(nifti()[:200]), refused()),
        ("name_of_format_string", "%s%n%d{0}.nii", lambda path: path.write_bytes(nifti()), opens()),
        ("name_of_html", "<b>x<img src=x>.nii", lambda path: path.write_bytes(nifti()[:100]), refused()),
        ("name_like_option", "-rf.nii", lambda path: path.write_bytes(nifti()), opens()),
        ("name_of_dots", "...nii", lambda path: path.write_bytes(nifti()), opens()),
        ("name_upper_case", "A.NII", lambda path: path.write_bytes(nifti()), opens()),
        ("name_of_emoji", "🧠.nii", lambda path: path.write_bytes(nifti()), opens()),
        ("locked", "a.nii", _locked, refused("permission") if os.geteuid() else opens()),
        ("sparse_terabyte", "a.nii", _sparse(nifti(dim_3=20000), 1 << 40), either(None)),
        ("sparse_dicom", "a.dcm", _sparse(dicom(), 8 << 30), either(VOXELS[:1])),
        ("sparse_png", "a.png", _sparse(png(), 8 << 30), either(GREY)),
        ("sparse_zeros", "a.dcm", _sparse(b"", 4 << 30), refused()),
        ("sparse_gzip", "a.nii.gz", _sparse(gzip.compress(nifti()), 2 << 30), refused("zeros")),
    )
    yield from (Kind(f"system_{name}", _at(file_name, place), expected) for name, file_name, place, expected in placed)
    yield Kind("system_zero_character", lambda folder: folder / "a\0b.nii", refused("zero character"))
    yield Kind("system_device", lambda folder: Path("/dev/zero"), refused("ordinary"))
    yield Kind("system_own_memory", lambda folder: Path("/proc/self/mem"), refused())


def _folder_kinds() -> Iterator[Kind]:
    def leaving(folder: Path) -> None:
        (folder / "z.dcm").symlink_to(folder.parent / OUTSIDE / "secret.dcm")
        (folder / "more").symlink_to(folder.parent / OUTSIDE)

    def looping(folder: Path) -> None:
        (folder / "again").symlink_to(folder)
        (folder / "myself.dcm").symlink_to("myself.dcm")

    def clutter(folder: Path) -> None:
        os.mkfifo(folder / "fifo.dcm")
        (folder / "empty.dat").touch()
        (folder / "Thumbs.db").write_bytes(b"\xd0\xcf\x11\xe0" + bytes(100))
        (folder / ".hidden.dcm").write_bytes(dicom(k=0))
        (folder / "read me.txt").write_text("hello")
        (folder / "a.dcm").mkdir()

    def only_links(folder: Path) -> None:
        (folder / "a.nii").symlink_to(folder.parent / OUTSIDE / "secret.nii")

    yield Kind("folder_empty", _folder(lambda folder: None), refused())
    yield Kind("folder_of_text", _folder(lambda folder: (folder / "a.txt").write_text("hello")), refused())
    yield Kind("folder_of_fifos", _folder(lambda folder: [os.mkfifo(folder / f"{n}.dcm") for n in range(5)]), refused())
    yield Kind("folder_links_leave", _beside_series(leaving), opens(), "R7")
    yield Kind("folder_of_links_out", _folder(only_links), refused(), "R7")
    yield Kind("folder_loops", _beside_series(looping), opens())
    yield Kind("folder_clutter", _beside_series(clutter), opens())
    yield Kind("folder_deep", _folder(_deep), either())
    yield Kind("folder_of_3000_empty", _folder(lambda folder: [(folder / f"{n}.dcm").touch() for n in range(3000)]), refused())


def _wrong_content() -> Iterator[Kind]:
    for suffix in _SUFFIXES:
        name = suffix.replace(".", "_") or "_no_suffix"
        yield file_kind(f"html{name}", f"a{suffix}", _HTML, refused())
        yield file_kind(f"empty{name}", f"a{suffix}", b"", refused("empty"))
        yield file_kind(f"zeros{name}", f"a{suffix}", bytes(5000), refused())
        yield file_kind(f"noise{name}", f"a{suffix}", np.random.default_rng(len(name)).bytes(5000), refused())
    objects = np.array([{"a": 1}], dtype=object)
    for name, content in (
        ("pickle", pickle.dumps(objects)), ("one_byte", b"\x5c"), ("all_ff", b"\xff" * 5000), ("long_line", b"a" * 3_000_000),
        ("html_packed", gzip.compress(_HTML)), ("tar_mark", b"a" + bytes(256) + b"ustar\x0000" + bytes(600)),
        ("elf", b"\x7fELF" + bytes(500)), ("pdf", b"%PDF-1.7\n" + bytes(500)),
        ("xml_bomb", b'<!DOCTYPE a [<!ENTITY b "x">]><a/>'),
        ("numpy_object", b"\x93NUMPY\x01\0\x46\0{'descr': '|O', 'fortran_order': False, 'shape': (1,), }" + bytes(60)),
    ):  # fmt: skip
        yield file_kind(f"content_{name}", "a.nii.gz", content, refused())


def kinds() -> Iterator[Kind]:
    if os.name == "posix":
        yield from _special_kinds()
        yield from _folder_kinds()
    yield from _wrong_content()
