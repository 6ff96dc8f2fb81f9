"""Atomic writing: the only way anything is written.

An artefact appears under its name whole or not at all: temporary sibling, fsync, rename, fsync of the folder
(measured: plain writes under kill -9 leave most files corrupt, this way none). What a killed writer leaves behind is hidden by
its name and removed by the next writer in that folder.
"""

from __future__ import annotations

import errno
import hashlib
import os
import platform
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ctmri_core.errors import WriteFailed

_REASONS = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EACCES: "writing is not permitted there",
    errno.EPERM: "writing is not permitted there",
    errno.EROFS: "that disk is read-only",
    errno.ENOENT: "the folder does not exist and cannot be made",
    errno.ENOTDIR: "a part of its path is a file, not a folder",
    errno.ENAMETOOLONG: "the name is too long",
    errno.EFBIG: "that disk takes no file of this size",
    errno.EEXIST: "something of that name was put there meanwhile",
    errno.ENOTEMPTY: "something of that name was put there meanwhile",
    errno.EISDIR: "a folder has that name",
    errno.EIO: "the disk reports an error",
    errno.EINVAL: "that disk does not take this name",
}
_LEFTOVER = re.compile(r"\.part-([0-9a-f]{8})-(\d+)-[0-9a-f]{8}(\..*)?")
_ROOM = 1 << 16  # more than a disk block, so that a full disk cannot grant it from what it has given already


@contextmanager
def atomic_file(target: str | Path, *, private: bool = False) -> Iterator[Path]:
    """Yields a temporary sibling of `target` with the same suffixes; renames it over `target` when the block succeeds.

    `private`: readable by its owner alone from the first byte on (the file exists already, empty, when the block begins).
    Raises `WriteFailed` with the cause (full disk, read-only folder); the old file, if any, stays untouched.
    """
    target = Path(target)
    temporary = _temporary(target)
    with _folder_of(target):
        try:
            if private:
                os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            yield temporary
            _flush_file(temporary)
            temporary.replace(target)
            _flush_folder(target.parent)
        finally:
            with suppress(OSError):  # the folder itself may be what refused
                temporary.unlink(missing_ok=True)


@contextmanager
def atomic_folder(target: str | Path) -> Iterator[Path]:
    """Yields a temporary sibling folder; the finished folder appears under `target` whole.

    Raises `WriteFailed` when `target` exists and is not an empty folder, or when the disk refuses.
    """
    target = Path(target)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise WriteFailed(f"{target.name} exists already and is not empty. Choose another name or empty it first.")
    temporary = _temporary(target)
    with _folder_of(target):
        try:
            temporary.mkdir()
            yield temporary
            for path in sorted(temporary.rglob("*")):
                (_flush_file if path.is_file() else _flush_folder)(path)
            _flush_folder(temporary)
            if target.exists():
                target.rmdir()
            temporary.replace(target)
            _flush_folder(target.parent)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def staged_beside(target: str | Path) -> Iterator[Path]:
    """Yields a temporary sibling folder of `target`, for what is to appear with it at once; in the end it is gone.

    Raises `WriteFailed` when the disk refuses.
    """
    target = Path(target).absolute()
    stage = _temporary(target.with_name("stage"))
    with _folder_of(target):
        try:
            stage.mkdir()
            yield stage
            _flush_folder(target.parent)
        finally:
            shutil.rmtree(stage, ignore_errors=True)


@contextmanager
def making_room(folder: str | Path) -> Iterator[None]:
    """Inside, an older `folder` is out of the way; it comes back when nothing came in its place, and else it is removed.

    A file, or nothing, is left as it is. Raises `WriteFailed`.
    """
    folder = Path(folder)
    if not folder.is_dir():
        yield
        return
    aside = _temporary(folder)
    try:
        folder.rename(aside)
    except OSError as error:
        raise write_failed(folder, error) from error
    try:
        yield
    finally:
        if folder.exists():
            shutil.rmtree(aside, ignore_errors=True)
        else:
            with suppress(OSError):
                aside.rename(folder)


def write_bytes(target: str | Path, content: bytes, *, private: bool = False) -> None:
    """Writes `content` atomically; `private` as in `atomic_file`."""
    with atomic_file(target, private=private) as temporary:
        temporary.write_bytes(content)


def write_text(target: str | Path, content: str) -> None:
    """Writes UTF-8 text atomically."""
    write_bytes(target, content.encode("utf-8"))


def check_writable(target: str | Path) -> None:
    """Raises `WriteFailed` where `atomic_file` or `atomic_folder` could not begin, by making and removing such a sibling.

    Folders that are still to be made are not: the next one above, which will hold them, is tried.
    """
    target = Path(target).absolute()
    try:
        folder = next(parent for parent in target.parents if parent.exists())
        with suppress(FileNotFoundError, NotADirectoryError):
            target.lstat()  # a name that is too long is refused here
        temporary = _temporary(folder / target.name)
        try:
            temporary.touch(exist_ok=False)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise write_failed(target, error) from error


def provoke_refusal(path: Path) -> None:
    """Raises the `OSError` that a library kept to itself: the disk is asked for a little more room behind `path`."""
    with path.open("ab") as handle:
        handle.write(bytes(_ROOM))
        handle.flush()
        os.fsync(handle.fileno())


def same_file(one: Path, other: Path) -> bool:
    """Whether both names lead to one existing file or folder."""
    try:
        return one.samefile(other)
    except OSError:
        return False


def write_failed(target: Path, error: OSError) -> WriteFailed:
    """`error` in words the user can act on."""
    cause = _with_number(error)
    reason = _REASONS.get(cause.errno or 0) or cause.strerror or "the disk gives no reason"
    return WriteFailed(f"{target.name} could not be written: {reason}. Nothing partial was left behind.")


@contextmanager
def _folder_of(target: Path) -> Iterator[None]:
    """Makes the folder of `target`, and takes it away again when the block fails and nothing is in it.

    Raises `WriteFailed` in place of `OSError`.
    """
    folder = target.absolute().parent
    made: list[Path] = []
    try:
        made = [each for each in (folder, *folder.parents) if not each.exists()]
        folder.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(folder)
        yield
    except BaseException as error:  # Ctrl+C too leaves no empty folders behind
        with suppress(OSError):  # somebody else has put something there
            for each in made:
                each.rmdir()
        if isinstance(error, OSError):
            raise write_failed(target, error) from error
        raise


def _temporary(target: Path) -> Path:
    """A hidden sibling whose name tells its writer's machine (by a hash) and process and the format, nothing else."""
    suffix = ".nii.gz" if target.name.lower().endswith(".nii.gz") else target.suffix
    return target.with_name(f".part-{_machine()}-{os.getpid()}-{secrets.token_hex(4)}{suffix}")


def _remove_leftovers(folder: Path) -> None:
    """Removes what writers that are no longer alive left in `folder`. What cannot be removed is hidden and harms nobody."""
    with os.scandir(folder) as entries:
        found = [(match, entry) for entry in entries if (match := _LEFTOVER.fullmatch(entry.name))]
    for match, entry in found:
        if match[1] == _machine() and not _alive(int(match[2])):
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path, ignore_errors=True)
            else:
                with suppress(OSError):
                    Path(entry.path).unlink()


def _machine() -> str:
    """A hash of where the numbers of processes are ours: on a shared disk a number of another machine says nothing."""
    with suppress(OSError):
        return _hashed(f"{platform.node()} {Path('/proc/self/ns/pid').readlink()}")  # containers of one machine number anew
    return _hashed(platform.node())


def _hashed(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _alive(process: int) -> bool:
    import psutil  # only where something was left behind

    return process == os.getpid() or bool(psutil.pid_exists(process))


def _with_number(error: OSError) -> OSError:
    """What the system said: libraries raise errors of their own, without its number, in place of it."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno:
            return cause
        cause = cause.__cause__ or cause.__context__
    return error


def _flush_file(path: Path) -> None:
    with path.open("rb+") as handle:
        os.fsync(handle.fileno())


def _flush_folder(folder: Path) -> None:
    if os.name == "nt":  # Windows cannot open a folder for fsync; its rename is journalled
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
