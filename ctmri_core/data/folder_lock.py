"""One writer at a time in a folder, whatever becomes of it: the system lets go of the lock of a process that was killed."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ctmri_core.errors import WriteFailed
from ctmri_core.files import write_failed

_NAME = ".lock"
_HELD = (errno.EACCES, errno.EAGAIN, errno.EDEADLK)


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
        try:
            _lock(number)
        except OSError as error:
            if error.errno in _HELD:
                message = f"Another ctmri is writing into {folder.name} at the moment. Wait for its end, or name another folder."
                raise WriteFailed(message) from error
        yield
    finally:
        os.close(number)


def _lock(number: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(number, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
