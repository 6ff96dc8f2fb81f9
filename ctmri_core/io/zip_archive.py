"""Zip archives: what is in them, checked before anything is unpacked, and unpacked under names of our own.

No name from the archive ever becomes a path, so none can lead out of the folder that the members go to. Lengths are held against
the archive, the disk and the memory first, and checksums are proved while unpacking.
"""

from __future__ import annotations

import re
import shutil
import stat
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path, PurePosixPath

from ctmri_core.errors import FileRefused, Stopped
from ctmri_core.events import StopSignal
from ctmri_core.io import preflight
from ctmri_core.io.member_names import TEXT_HEADERS, renamed, with_new_references
from ctmri_core.volume import Finding

_MOST_MEMBERS = 50_000
_LARGEST_DIRECTORY = 64 << 20
_SUSPECT_BYTES, _SUSPECT_RATIO = 4 << 30, 500  # images pack to a fifth, masks to a hundredth, empty ones to a thousandth
_DISK_SHARE = 0.8
_CHUNK = 1 << 20
_END_RECORD = struct.Struct("<4s4H2LH")
_LOCAL_HEADER_BYTES = 30
_ENCRYPTED = 0x1 | 0x40
_DRIVE = re.compile(r"[A-Za-z]:")
_JUNK = {"thumbs.db", "desktop.ini", "dicomdir"}
_NO_IMAGES = (
    ".txt", ".md", ".rtf", ".htm", ".html", ".css", ".js", ".xml", ".json", ".csv", ".tsv", ".xls", ".xlsx", ".doc", ".docx",
    ".pdf", ".ppt", ".pptx", ".exe", ".dll", ".msi", ".inf", ".ini", ".bat", ".sh", ".py", ".jar", ".app", ".so", ".ico", ".log",
    ".db", ".mp4", ".avi", ".mov", ".wav",
)  # fmt: skip
_ARCHIVES = (".zip", ".tar", ".tgz", ".tar.gz", ".7z", ".rar")
_AGAIN = "Copy or export it again."
_UNPACK = "Unpack it yourself and open the folder."
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, struct.error, ValueError, OverflowError, NotImplementedError, RuntimeError)


def unpack(path: Path, folder: Path, stop: StopSignal) -> tuple[Finding, ...]:
    """Fills `folder` with the members that may be images; the findings say what was left out.

    Raises `FileRefused`, and `Stopped` when asked to end.
    """
    count = _counted_members(path)
    try:
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
            if count is not None and len(infos) != count:  # a wrong length in the list makes entries vanish
                raise FileRefused(path, f"is damaged: of {count} files its list shows {len(infos)}.", _AGAIN)
            wanted, left_out = _wanted(path, infos)
            _check_sizes(path, list(wanted.values()), folder)
            new_names = renamed(wanted)
            for member, info in wanted.items():
                target = folder / new_names[member]
                target.parent.mkdir(exist_ok=True)
                with archive.open(info) as source, target.open("xb") as copy:
                    while block := source.read(_CHUNK):
                        if stop():
                            raise Stopped("Unpacking was stopped.")
                        copy.write(block)
    except _DAMAGE as error:
        raise FileRefused(path, "is damaged: its members cannot be unpacked.", _AGAIN) from error
    for member in wanted:
        if member.name.lower().endswith(TEXT_HEADERS):
            beside = {other.name: new_names[other].name for other in wanted if other.parent == member.parent}
            with_new_references(folder / new_names[member], beside)
    return left_out


def _counted_members(path: Path) -> int | None:
    """How many there are by the record at the end of the file (APPNOTE 4.3.16); None where they are too many for it.

    Raises `FileRefused` when the list of members is too long to be read at all.
    """
    size = preflight.regular_file(path)
    with path.open("rb") as handle:
        handle.seek(max(0, size - _END_RECORD.size - 0xFFFF))
        tail = handle.read()
    place = tail.rfind(b"PK\5\6")
    if place < 0 or len(tail) < place + _END_RECORD.size:
        raise FileRefused(path, "is incomplete: the list of its members is missing.", _AGAIN)
    _, _, _, _, count, length, offset, _ = _END_RECORD.unpack_from(tail, place)
    if count != 0xFFFF and count > _MOST_MEMBERS:
        raise FileRefused(path, f"holds {count} files; up to {_MOST_MEMBERS} can be unpacked.", _UNPACK)
    if 0xFFFFFFFF not in (length, offset) and offset + length > size:
        raise FileRefused(path, "is damaged: the list of its members lies behind its end.", _AGAIN)
    if size > _LARGEST_DIRECTORY and length == 0xFFFFFFFF:
        raise FileRefused(path, "has a list of members of more than 4 GB.", _UNPACK)
    if length != 0xFFFFFFFF and length > _LARGEST_DIRECTORY:
        raise FileRefused(path, "has an absurdly long list of members.", _UNPACK)
    return None if count == 0xFFFF else int(count)


def _wanted(path: Path, infos: Sequence[zipfile.ZipInfo]) -> tuple[dict[PurePosixPath, zipfile.ZipInfo], tuple[Finding, ...]]:
    if len(infos) > _MOST_MEMBERS:
        raise FileRefused(path, f"holds {len(infos)} files; up to {_MOST_MEMBERS} can be unpacked.", _UNPACK)
    _check_overlap(path, infos)
    wanted: dict[PurePosixPath, zipfile.ZipInfo] = {}
    left_out: Counter[str] = Counter()
    for info in infos:
        name = info.filename.replace("\\", "/")
        member = PurePosixPath(name)
        if name.endswith("/") or _is_clutter(member):
            continue
        if member.is_absolute() or ".." in member.parts or _DRIVE.match(name) or not member.name:
            left_out["with a name that leads out of it"] += 1
        elif stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
            left_out["that is a link or a device"] += 1
        elif name.lower().endswith(_ARCHIVES):
            left_out["that is an archive"] += 1
        elif member in wanted:
            raise FileRefused(path, "holds two files of one name.", _UNPACK)
        else:
            wanted[member] = info
    why = ", ".join(f"{count} {what}" for what, count in left_out.items())
    if not wanted and why:
        raise FileRefused(path, f"holds no files that may be images, but files that are not opened: {why}.", _UNPACK)
    if not wanted:
        raise FileRefused(path, "holds no files that may be images.", "Open an archive with images in it.")
    return wanted, (Finding("left_out", f"Files of the archive were left out: {why}."),) if why else ()


def _is_clutter(member: PurePosixPath) -> bool:
    hidden = any(part.startswith(".") and part != ".." for part in member.parts) or "__MACOSX" in member.parts
    name = member.name.lower()
    return hidden or name in _JUNK or (name.endswith(_NO_IMAGES) and not name.endswith(".provenance.json"))


def _check_overlap(path: Path, infos: Sequence[zipfile.ZipInfo]) -> None:
    """Members that share their bytes are how small archives claim to be large ones."""
    ordered = sorted(infos, key=lambda info: info.header_offset)
    for info, following in pairwise(ordered):
        if info.header_offset + _LOCAL_HEADER_BYTES + info.compress_size > following.header_offset:
            raise FileRefused(path, "is damaged: its members overlap.", _AGAIN)


def _check_sizes(path: Path, infos: Sequence[zipfile.ZipInfo], folder: Path) -> None:
    size = preflight.regular_file(path)
    for info in infos:
        if info.flag_bits & _ENCRYPTED:
            raise FileRefused(path, "is protected by a password.", _UNPACK)
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise FileRefused(path, "is packed in a way that is not read; stored and deflated members are.", _UNPACK)
        ratio = preflight.DEFLATE_LIMIT if info.compress_type == zipfile.ZIP_DEFLATED else 1
        if info.compress_size > size or info.file_size > max(info.compress_size, 1) * ratio:
            raise FileRefused(path, "is damaged: a member claims more bytes than it can hold.", _AGAIN)
    preflight.check_memory(path, max(info.file_size for info in infos))
    check_room(path, sum(info.file_size for info in infos), folder)


def check_room(path: Path, needed: int, folder: Path, written: int = 0) -> None:
    """Refuses what does not fit the disk of `folder`, or is so much more than the archive that it is made to fill it.

    `written`: bytes of it that lie there already.
    """
    if needed > max(_SUSPECT_BYTES, preflight.regular_file(path) * _SUSPECT_RATIO):
        problem = f"unpacks to {needed / 2**30:.1f} GB, more than {_SUSPECT_RATIO} times its size, as images do not."
        raise FileRefused(path, problem, _UNPACK)
    free = int(shutil.disk_usage(folder).free * _DISK_SHARE)
    if needed - written > free:
        problem = f"unpacks to {needed / 2**30:.1f} GB; {free / 2**30:.1f} GB are free for it on the disk of temporary files."
        raise FileRefused(path, problem, "Make room, or unpack it elsewhere and open the folder.")


