"""Temporary folders that only their owner may enter, gone when the program ends.

What a program that was killed left behind is removed by the next window, or by whoever needs a folder next: its place is locked
while it lives.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path
from typing import IO

_PREFIX = "ctmri-unpacked-"
_LOCK = ".lock"
_place: Path | None = None
_place_owner = 0
_locks: list[IO[bytes]] = []
_count = 0


def private_folder() -> Path:
    """A new empty folder, whose parent has mode 0700; it lasts until `discard` or the end of the program. Raises `OSError`."""
    global _place, _place_owner, _count
    if _place is None or _place_owner != os.getpid() or not _place.is_dir():
        remove_forsaken()
        _place, _place_owner = Path(tempfile.mkdtemp(prefix=_PREFIX)), os.getpid()
        handle = (_place / _LOCK).open("xb")
        _lock(handle)
        _locks.append(handle)
        atexit.register(_remove, _place, handle, os.getpid())
    _count += 1
    folder = _place / str(_count)
    folder.mkdir()
    return folder


def discard(folder: Path) -> None:
    """Removes a folder that `private_folder` made, with all that is in it."""
    shutil.rmtree(folder, ignore_errors=True)


def _remove(place: Path, handle: IO[bytes], owner: int) -> None:
    if owner == os.getpid():  # and not a forked child, whose parent still needs it
        handle.close()
        shutil.rmtree(place, ignore_errors=True)


def remove_forsaken() -> None:
    """Removes what programs that were killed have left behind."""
    for place in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        try:
            if place.is_symlink() or (hasattr(os, "getuid") and place.stat().st_uid != os.getuid()):
                continue
            with (place / _LOCK).open("rb+") as handle:
                _lock(handle)
        except OSError:  # alive, or being made at this moment
            continue
        shutil.rmtree(place, ignore_errors=True)


def _lock(handle: IO[bytes]) -> None:
    """Raises `OSError` when another program holds the lock."""
    if os.name == "nt":
        import msvcrt

        msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]  # only on Windows
    else:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
