"""Temporary folders that only their owner may enter, gone when the program ends.

A folder of a program that was killed is removed by the next one that needs a folder: each is locked while its program lives.
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
_held: dict[Path, IO[bytes]] = {}
_owner = 0


def private_folder() -> Path:
    """A new empty folder, mode 0700, which lasts until `discard` or the end of the program. Raises `OSError`."""
    global _owner
    if _owner != os.getpid():
        _owner = os.getpid()
        _held.clear()
        _remove_forsaken()
        atexit.register(_remove_own, _owner)
    place = Path(tempfile.mkdtemp(prefix=_PREFIX))
    handle = (place / _LOCK).open("xb")
    _lock(handle)
    _held[place] = handle
    folder = place / "files"
    folder.mkdir()
    return folder


def discard(folder: Path) -> None:
    """Removes a folder that `private_folder` made, with all that is in it."""
    handle = _held.pop(folder.parent, None)
    if handle is not None:
        handle.close()
        shutil.rmtree(folder.parent, ignore_errors=True)


def _remove_own(owner: int) -> None:
    if owner == os.getpid():  # and not a forked child, whose parent still needs them
        for place in list(_held):
            discard(place / "files")


def _remove_forsaken() -> None:
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
    """Raises `OSError` when another program, or this one, holds the lock."""
    if os.name == "nt":
        import msvcrt

        msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
    else:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
