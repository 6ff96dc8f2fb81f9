"""Whether scans and results are what they were: by what their files hold, or at a glance by sizes and times."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from ctmri_core.errors import Stopped
from ctmri_core.events import StopSignal, never
from ctmri_core.io.series import Series

_BLOCK = 1 << 22
_BESIDE = (".hdr", ".hdr.gz", ".mhd", ".nhdr", ".head", ".par")
"""Headers of voxels that lie in a file beside them."""
_LARGEST_HEADER = 1 << 16


def files_of(series: Series) -> tuple[Path, ...]:
    """All that the volume is read from: an archive stands for what is in it, a header brings the files that it goes with."""
    if series.path.is_file() and series.path not in series.files:
        return (series.path,)
    found = dict.fromkeys(series.files)
    for path in series.files:
        if path.name.lower().endswith(_BESIDE):
            found.update(dict.fromkeys(_beside(path)))
    return tuple(sorted(found))


def stamp_of(files: Iterable[Path]) -> str:
    """16 hexadecimal digits of the names, sizes and times of `files`; none is opened. Of one that is gone, its name."""
    digest = hashlib.blake2b(digest_size=8)
    for path in files:
        try:
            status = path.stat()
            told = f"{path.name}\0{status.st_size}\0{status.st_mtime_ns}\0"
        except OSError:
            told = f"{path.name}\0"
        digest.update(told.encode(errors="surrogateescape"))
    return digest.hexdigest()


def content_hash(files: Iterable[Path], stop: StopSignal = never) -> str:
    """SHA-256 of what `files` hold, in this order, whatever their names. Raises `OSError`, and `Stopped`."""
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.stat().st_size.to_bytes(8, "little"))
        with path.open("rb") as handle:
            while block := handle.read(_BLOCK):
                if stop():
                    raise Stopped("Stopped.")
                digest.update(block)
    return digest.hexdigest()


def parts_of(result: Path) -> tuple[Path, ...]:
    """The files of a result: itself, or all within, by name; none where it is gone."""
    if result.is_dir():
        return tuple(sorted(path for path in result.rglob("*") if path.is_file()))
    return (result,) if result.is_file() else ()


def _beside(header: Path) -> Iterable[Path]:
    """Files in its folder of the same stem, or that the header names."""
    stem = header.name.lower().removesuffix(".gz").rpartition(".")[0]
    try:
        with header.open("rb") as handle:
            text = handle.read(_LARGEST_HEADER).decode("latin-1")
        others = [path for path in header.parent.iterdir() if path.is_file()]
    except OSError:
        return ()
    return [path for path in others if path.name.lower().startswith(f"{stem}.") or path.name in text]
