"""Formats of two files: which header belongs to a data file, so that either opens the volume."""

from __future__ import annotations

from pathlib import Path

from ctmri_core.errors import FileRefused
from ctmri_core.io import preflight

_HEADERS = {
    ".img": (".hdr", ".HDR", ".hdr.gz"),
    ".rec": (".PAR", ".par", ".Par"),
    ".brik": (".HEAD", ".head"),
}
_DATA_ENDS = tuple(end for suffix in _HEADERS for end in (suffix, f"{suffix}.gz"))


def header_of(path: Path) -> Path:
    """The header beside a data file: .hdr of .img, .PAR of .REC, .HEAD of .BRIK, each packed or not; any other path as it is."""
    if not path.name.lower().endswith(_DATA_ENDS):
        return path
    stem = path.name[:-3] if path.name.lower().endswith(".gz") else path.name
    for suffix, endings in _HEADERS.items():
        if not stem.lower().endswith(suffix):
            continue
        for ending in endings:
            header = path.with_name(stem[: -len(suffix)] + ending)
            if header.is_file():
                return header
    return path


def head_of_header(path: Path, head: bytes) -> tuple[Path, bytes]:
    """`header_of` and its first bytes, which are `head` where it is `path` itself; none where it is empty or locked."""
    header = header_of(path)
    if header == path:
        return path, head
    try:
        return header, preflight.head_of(header)
    except FileRefused:
        return header, b""
