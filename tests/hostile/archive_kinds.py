"""Hostile zip archives and DICOMDIRs: traversal, bombs, lies about lengths and names."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.hostile.dicom_bytes import EXPLICIT, SEQUENCE_END, UNDEFINED, dicom, element, encoded, item, meta_group
from tests.hostile.kinds import SHAPE, VOXELS, Expectation, Kind, either, file_kind, opens, refused
from tests.hostile.nifti_kinds import nifti

_SLICES = {f"{k:03}.dcm": dicom(k=k) for k in range(SHAPE[0])}


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED, mode: int = 0o644) -> bytes:
    """A zip archive whose members are called as told, whatever that is."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo("x" * len(name))
            info.filename = name
            info.external_attr = (stat.S_IFREG | mode if mode < 0o10000 else mode) << 16
            info.compress_type = method
            archive.writestr(info, content)
    return stream.getvalue()


def _zip_kinds() -> Iterator[Kind]:
    fine = zipped(_SLICES)
    nested = zipped({"inner.zip": fine})
    bomb = zipped({"a.nii": nifti() + bytes(80 << 20)})
    end = fine.rindex(b"PK\5\6")
    first_data = fine.index(b"000.dcm") + 200
    huge = bytearray(zipped({"a.nii": nifti()}))
    directory = huge.index(b"PK\1\2")
    huge[directory + 24 : directory + 28] = struct.pack("<I", 2**32 - 2)
    encrypted = bytearray(fine)
    for mark, place in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        encrypted[encrypted.index(mark) + place] |= 1
    traversal = {"../../outside/new.dcm": _SLICES["000.dcm"], "/abs.dcm": _SLICES["001.dcm"], "..\\..\\b.dcm": _SLICES["002.dcm"]}
    cases: tuple[tuple[str, bytes, Expectation], ...] = (
        ("fine", fine, opens()),
        ("stored", zipped(_SLICES, zipfile.ZIP_STORED), opens()),
        ("bzip2", zipped(_SLICES, zipfile.ZIP_BZIP2), either()),
        ("lzma", zipped(_SLICES, zipfile.ZIP_LZMA), either()),
        ("one_nifti", zipped({"a.nii": nifti()}), opens()),
        ("empty", zipped({}), refused()),
        ("text_only", zipped({"read me.txt": b"hello"}), refused()),
        ("names_leave", zipped(traversal), either(VOXELS[:3])),
        ("names_with_newlines", zipped({f"a\n{name}": content for name, content in _SLICES.items()}), either()),
        ("names_empty_or_dots", zipped({"": b"x", ".": b"x", "..": b"x"} | _SLICES), either()),
        ("names_very_long", zipped({"d/" * 2000 + name: content for name, content in _SLICES.items()}), either()),
        ("names_of_devices", zipped({"CON.dcm": _SLICES["000.dcm"], "NUL": b"x"}), either(VOXELS[:1])),
        ("names_alike", zipped({"A.dcm": _SLICES["000.dcm"], "a.dcm": _SLICES["001.dcm"]}), either(VOXELS[:2])),
        ("link", zipped({"a.nii": b"../outside/secret.nii"}, mode=stat.S_IFLNK | 0o777), refused()),
        ("nested", nested, either()),
        ("bomb", bomb, refused()),
        ("overlapping_bomb", fine.replace(b"001.dcm", b"000.dcm"), either(None)),
        ("hundred_thousand_members", zipped({f"{n}": b"" for n in range(70_000)}, zipfile.ZIP_STORED), refused()),
        ("size_lies", bytes(huge), refused()),
        ("encrypted", bytes(encrypted), refused()),
        ("checksum", fine[:first_data] + bytes([fine[first_data] ^ 1]) + fine[first_data + 1 :], either(None)),
        ("without_directory", fine[:end], refused()),
        ("half", fine[: len(fine) // 2], refused()),
        ("entries_lie", fine[: end + 10] + b"\xff\xff" + fine[end + 12 :], either()),
        ("directory_beyond", fine[: end + 16] + struct.pack("<I", 2**31) + fine[end + 20 :], refused()),
        ("something_before", b"#!/bin/sh\n" + fine, either()),
        ("comment", fine[:end] + fine[end:-2] + struct.pack("<H", 5) + b"hello", opens()),
        ("magic_only", b"PK\3\4", refused()),
    )
    for name, content, expected in cases:
        yield file_kind(f"zip_{name}", "a.zip", content, expected, "R7" if name in ("names_leave", "link") else "")
    yield file_kind("zip_called_dcm", "a.dcm", fine, either())
    yield file_kind("zip_named_docx", "a.docx", zipped({"word/document.xml": b"<x/>"}), refused())


def directory(*file_ids: str, offsets: Callable[[int], int] = lambda n: 0, extra: bytes = b"") -> bytes:
    """A DICOMDIR of one flat list of images."""
    records = []
    for n, file_id in enumerate(file_ids):
        content = (
            encoded("OffsetOfTheNextDirectoryRecord", offsets(n)) + encoded("RecordInUseFlag", 0xFFFF)
            + encoded("OffsetOfReferencedLowerLevelDirectoryEntity", offsets(n))
            + encoded("DirectoryRecordType", "IMAGE") + encoded("ReferencedFileID", file_id)
        )  # fmt: skip
        records.append(item(content))
    sequence = element(0x00041220, "SQ", b"".join(records) + SEQUENCE_END, length=UNDEFINED)
    body = encoded("FileSetID", "X") + encoded("OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity", offsets(-1))
    body += encoded("OffsetOfTheLastDirectoryRecordOfTheRootDirectoryEntity", offsets(-1)) + encoded("FileSetConsistencyFlag", 0)
    return meta_group(EXPLICIT, "1.2.840.10008.1.3.10") + body + extra + sequence


def _directory_kinds() -> Iterator[Kind]:
    beside = {name.removesuffix(".dcm"): content for name, content in _SLICES.items()}
    inside = list(beside)
    cases: tuple[tuple[str, bytes, Expectation], ...] = (
        ("fine", directory(*inside), either()),
        ("leaves", directory("..\\outside\\secret", "..\\..\\etc\\passwd"), either()),
        ("absolute", directory("\\etc\\passwd", "C:\\WINDOWS"), either()),
        ("one_of_many_leaves", directory(*inside, "..\\outside\\secret"), either()),
        ("slashes", directory("../outside/secret"), either()),
        ("zero_character", directory("000\0.dcm", "\0"), either()),
        ("device", directory("CON", "NUL"), either()),
        ("itself", directory("DICOMDIR"), either()),
        ("missing_files", directory("GONE1", "GONE2"), either()),
        ("no_records", directory(), either()),
        ("records_loop", directory(*inside, offsets=lambda n: 400), either()),
        ("offsets_beyond", directory(*inside, offsets=lambda n: 2**31), either()),
        ("thousands", directory(*["000"] * 3000), either(VOXELS[:1])),
        ("deep_path", directory("\\".join(["A"] * 3000)), either()),
        ("cut", directory(*inside)[:600], either()),
    )
    for name, content, expected in cases:
        row = "R7" if name in ("leaves", "absolute", "one_of_many_leaves", "slashes") else ""
        yield file_kind(f"dicomdir_{name}", "DICOMDIR", content, expected, row, **beside)
    yield file_kind("dicomdir_alone", "DICOMDIR", directory("000"), refused())

    def folder_with_directory(folder: Path) -> Path:
        for name, content in {**beside, "DICOMDIR": directory("..\\outside\\secret")}.items():
            (folder / name).write_bytes(content)
        return folder

    yield Kind("dicomdir_that_leaves_in_a_folder", folder_with_directory, opens(), "R7")


def kinds() -> Iterator[Kind]:
    yield from _zip_kinds()
    yield from _directory_kinds()
