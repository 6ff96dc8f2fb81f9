"""One writer at a time in a folder, whatever becomes of it: the system lets go of the lock of a process that was killed."""

from __future__ import annotations

import errno
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ctmri_core.errors import WriteFailed
from ctmri_core.files import write_failed

_NAME = ".lock"
_HELD = (errno.EACCES, errno.EAGAIN, errno.EDEADLK)
_TRIES, _SECONDS_BETWEEN_TRIES = 5, 0.02
_TRIES_TO_WRITE = 50
"""Whoever asks whether a folder is held keeps a writer out for a moment, which is long where he is taken off the processor."""


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Holds `folder`, which is made, for this caller alone. Raises `WriteFailed` when somebody else holds it.

    Disks of other machines that know no locks are written without one.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        number = os.open(folder / _NAME, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise write_failed(folder, error) from error
    try:
        if not _taken(number, _TRIES_TO_WRITE):
            message = f"Another ctmri is writing into {folder.name} at the moment. Wait for its end, or name another folder."
            raise WriteFailed(message)
        yield
    finally:
        os.close(number)


@contextmanager
def claimed(path: Path) -> Iterator[bool]:
    """Whether the lock of the file `path`, which is made and stays, is this caller's inside; False: somebody else has it.

    Raises `WriteFailed` where the file cannot be made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        number = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise write_failed(path, error) from error
    try:
        yield _taken(number)
    finally:
        os.close(number)


def is_held(folder: Path) -> bool:
    """Whether somebody, this process included, holds `folder` now; where there are no locks, nobody does."""
    try:
        number = os.open(folder / _NAME, os.O_RDWR)
    except OSError:
        return False
    try:
        return not _free(number)
    finally:
        os.close(number)


def _free(number: int) -> bool:
    """Whether the lock of an open file is nobody's; those who ask at the same time do not take each other for a writer."""
    if sys.platform == "win32":
        return _taken(number)
    import fcntl

    try:
        fcntl.flock(number, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in _HELD
    return True


def _taken(number: int, tries: int = _TRIES) -> bool:
    """Takes the lock of an open file, which its closing gives back; False when somebody else has it."""
    for left in reversed(range(tries)):
        try:
            _lock(number)
        except OSError as error:
            if error.errno not in _HELD:
                return True
            if left:
                time.sleep(_SECONDS_BETWEEN_TRIES)
        else:
            return True
    return False


def _lock(number: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(number, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
