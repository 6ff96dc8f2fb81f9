"""What keeps a record from being read or written, in words a reader or a coordinator can act on."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ctmri_core.errors import FileRefused, WriteFailed

_PRIMARY = 0xFF
"""Result codes carry details above their lowest byte (https://www.sqlite.org/rescode.html)."""
_LOCKED = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_FORBIDDEN = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN)
_LONGEST_FOLDER = 440
"""Bytes: of the 512 that a path may have for SQLite, less those of the names in the folder while they are written."""
_KEPT = "What was answered is kept."


@contextmanager
def sqlite_errors(path: Path) -> Iterator[None]:
    """Raises `WriteFailed` or `FileRefused` about `path` in place of SQLite's errors."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise WriteFailed(_words(path.name, error)) from error
    except sqlite3.DatabaseError as error:
        raise FileRefused(path, "is no record of a reader study, or damaged.", "Take the copy that was exported last.") from error


def check_depth(path: Path) -> None:
    """Raises `WriteFailed` where SQLite opens no file `path`, nor what it puts beside it, because of how long their names are."""
    length = len(os.fsencode(path.absolute().parent))
    if length > _LONGEST_FOLDER:
        message = f"{path.name} would lie too deep: its folder has a name of {length} bytes with all folders above, and may have"
        raise WriteFailed(f"{message} {_LONGEST_FOLDER}. Put the study into a folder with a shorter name.")


def has_no_room(error: sqlite3.OperationalError) -> bool:
    """Whether room on the disk may help: a full one answers so, and a quota as an error of the disk."""
    return _code(error) in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)


def was_cut_off(error: sqlite3.OperationalError) -> bool:
    """Whether a write was cut off (a power cut), which whoever may write has to undo before anybody reads."""
    return error.sqlite_errorcode == sqlite3.SQLITE_READONLY_ROLLBACK


def _words(name: str, error: sqlite3.OperationalError) -> str:
    code = _code(error)
    if code in _LOCKED:
        return f"{name} is held by another program at the moment, such as one that copies or scans it. Wait for its end. {_KEPT}"
    if code == sqlite3.SQLITE_ERROR:
        return f"{name} could not be read: {error}. It may be of a newer version of this program: update. {_KEPT}"
    if code in _FORBIDDEN:
        return f"{name} may not be written: {error}. See that the file and its folder may be written. {_KEPT}"
    if code == sqlite3.SQLITE_FULL:
        return f"{name} could not be used: {error}. Make room on its disk. {_KEPT}"
    return f"{name} could not be used: {error}. See that its disk is there and has room. {_KEPT}"


def _code(error: sqlite3.OperationalError) -> int:
    return int(getattr(error, "sqlite_errorcode", 0)) & _PRIMARY
