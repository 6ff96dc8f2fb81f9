"""The files below a folder that may be looked at, and what had to be passed over on the way."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from ctmri_core.errors import FileRefused
from ctmri_core.volume import Finding

_MOST_FILES = 100_000
_CLUTTER = {"thumbs.db", "desktop.ini", "__macosx"}


class FolderFiles:
    """Iterates over the files of `folder` and below in order. Hidden files and those that systems leave behind are no part of it.

    Links are followed to files inside the folder only; `remarks` tells afterwards of those that were not, of subfolders that may
    not be read, and of `archives`, which whoever looks at the files counts.
    Raises `FileRefused` when there are too many files, or when `folder` itself may not be read.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._root = Path(os.path.realpath(folder))
        self._unread = self._leaving = self._dangling = 0
        self.archives = 0

    def __iter__(self) -> Iterator[Path]:
        count = 0
        for parent, folders, names in os.walk(self._folder, onerror=self._not_read):
            for name in folders:
                path = Path(parent, name)
                if path.is_symlink() and not self._inside(path):
                    self._leaving += 1
            folders[:] = sorted(name for name in folders if not _is_clutter(name))
            for name in sorted(name for name in names if not _is_clutter(name)):
                count += 1
                if count > _MOST_FILES:
                    raise FileRefused(self._folder, f"holds more than {_MOST_FILES} files.", "Choose one of its subfolders.")
                path = Path(parent, name)
                if not path.is_symlink() or self._may_follow(path):
                    yield path

    @property
    def remarks(self) -> tuple[Finding, ...]:
        """Of the walk so far; without names, for findings are written into files."""
        leaving = "out of the folder, which was not followed"
        said = (
            (self._unread, "subfolder may not be read", "subfolders may not be read"),
            (self._leaving, f"link leads {leaving}", f"links lead {leaving}"),
            (self._dangling, "link leads to nothing", "links lead to nothing"),
            (self.archives, "archive was not looked into", "archives were not looked into"),
        )
        parts = [f"{count} {one if count == 1 else many}" for count, one, many in said if count]
        return (Finding("passed_over", f"What is in the folder may not be complete: {'; '.join(parts)}."),) if parts else ()

    def _may_follow(self, link: Path) -> bool:
        if not os.path.exists(link):  # noqa: PTH110  # pathlib raises at links in a ring
            self._dangling += 1
            return False
        if not self._inside(link):
            self._leaving += 1
            return False
        return True

    def _inside(self, link: Path) -> bool:
        return Path(os.path.realpath(link)).is_relative_to(self._root)

    def _not_read(self, error: OSError) -> None:
        if error.filename is not None and Path(error.filename) == self._folder:
            problem = f"cannot be read: {error.strerror or 'input error'}."
            raise FileRefused(self._folder, problem, "Change its permissions or copy it.")
        self._unread += 1


def _is_clutter(name: str) -> bool:
    return name.startswith(".") or name.lower() in _CLUTTER
