"""Archives as input: unpacked once into a private folder, then read like any folder, and spoken of under their own name.

What a series of an archive says never holds the name of a member or of the temporary folder.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path, PurePosixPath

from ctmri_core.errors import FileRefused, Stopped, shown_name
from ctmri_core.events import StopSignal
from ctmri_core.io import preflight, zip_archive
from ctmri_core.io.member_names import renamed
from ctmri_core.io.private_folders import discard, private_folder
from ctmri_core.io.series import Series
from ctmri_core.io.unpacking import unpacked
from ctmri_core.volume import Finding, Volume

Scan = Callable[[Path], tuple[Series, ...]]

_OUR_NAME = re.compile(r" (ct_)?f[0-9]{6}[\w.+]*")
_lock = threading.Lock()
_unpacked: dict[str, tuple[tuple[int, int], Path, tuple[Finding, ...]]] = {}
"""(size and time of the archive, where it was unpacked to, what is to be said of it) by its real path."""
_archives: dict[Path, Path] = {}
"""The archive of every folder that holds what was in one."""


def scan_archive(path: Path, packing: str, scan_folder: Scan, stop: StopSignal) -> tuple[Series, ...]:
    """The series inside a `zip`, or in a single file packed with `gzip`.

    Raises `FileRefused`, and `Stopped` when asked to end.
    """
    folder, left_out = _folder_of(path, packing, stop)
    try:
        found = scan_folder(folder)
    except FileRefused as refusal:
        raise of_archive(refusal) from None
    labels = [_without_member(series.label, series.files, path.name) for series in found]
    return tuple(
        replace(
            series,
            path=path,
            label=f"{label}, part {n}" if labels.count(label) > 1 else label,  # which one would else be a guess
            findings=(*series.findings, *left_out),
        )
        for n, (series, label) in enumerate(zip(found, labels, strict=True), 1)
    )


def of_archive(refusal: FileRefused) -> FileRefused:
    """`refusal` of something that came out of an archive, said of the archive; any other as it is."""
    archive = _archive_of(refusal.path)
    if archive is None:
        return refusal
    if refusal.path.is_dir():
        return FileRefused(archive, _OUR_NAME.sub(" one of its files", refusal.problem), refusal.way_out)
    if refusal.path.parent.is_dir() and not refusal.path.exists():
        return FileRefused(archive, "does not hold a file that another one in it names.", "Pack both into it.")
    said = str(refusal).removeprefix(shown_name(refusal.path)).removesuffix(refusal.way_out).rstrip()
    said = _OUR_NAME.sub("", said)
    return FileRefused(archive, f"one of its files{said}", refusal.way_out)


def check_still_there(series: Series) -> None:
    """Raises `FileRefused` when the archive of a series was taken away or changed: its copy is not shown any more, either."""
    if not series.files:
        return
    if _archive_of(series.files[0]) is not None:
        preflight.regular_file(series.path)
    elif series.path not in series.files and series.path.is_file() and not series.files[0].exists():
        raise FileRefused(series.path, "has changed since it was looked into.", "Open it again.")


def named_by_archive(series: Series, volume: Volume) -> Volume:
    """`volume`, loaded for `series`, under the name of the archive it came from, if it did."""
    if not series.files or _archive_of(series.files[0]) is None:
        return volume
    return replace(volume, name=_without_member(volume.name, series.files, series.path.name), path=series.path)


def _without_member(text: str, files: Iterable[Path], name: str) -> str:
    for file in files:
        if file.name in text:
            return text.replace(file.name, name)
    return text


def _archive_of(path: Path) -> Path | None:
    return next((archive for folder in (path, *path.parents) if (archive := _archives.get(folder)) is not None), None)


def _folder_of(path: Path, packing: str, stop: StopSignal) -> tuple[Path, tuple[Finding, ...]]:
    """Where the archive is unpacked to; done once as long as it stays as it is, and what it was before is not kept."""
    status, real = path.stat(), os.path.realpath(path)
    state = status.st_size, status.st_mtime_ns
    with _lock:
        known, folder, findings = _unpacked.get(real, ((-1, -1), Path(), ()))
        if known != state or not folder.is_dir():
            if _archives.pop(folder, None) is not None:
                discard(folder)
            folder = private_folder()
            unpack = zip_archive.unpack if packing == "zip" else _unpack_gzip
            try:
                findings = unpack(path, folder, stop)
            except BaseException:  # Ctrl+C too leaves no copies of a patient's files behind
                discard(folder)
                raise
            _unpacked[real] = state, folder, findings
            _archives[folder] = path
        return folder, findings


def _unpack_gzip(path: Path, folder: Path, stop: StopSignal) -> tuple[Finding, ...]:
    """One file; its length is not known before."""
    inner = PurePosixPath(path.name.lower().removesuffix(".gz"))
    target = folder / renamed([inner])[inner]
    target.parent.mkdir()
    written = 0
    with target.open("xb") as copy:
        for block, _ in unpacked(path, "gzip", 0, None, ""):
            if stop():
                raise Stopped("Unpacking was stopped.")
            zip_archive.check_room(path, written + len(block), folder, written)
            written += len(block)
            copy.write(block)
    return ()
