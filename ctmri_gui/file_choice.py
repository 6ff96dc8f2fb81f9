"""Asks for files and folders without leaving a trace of them.

Qt's own dialog is used everywhere: those of the desktop keep lists of what was chosen, which the program cannot empty. Qt's
writes the last folders into the settings that all Qt programs share, where they are put back as they were.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import shiboken6
from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QFileDialog, QHeaderView, QTreeView, QWidget

from ctmri_gui.panels.small_parts import resize_dialog

_KEPT_BY_QT = ("FileDialog/history", "FileDialog/lastVisited")
_TYPE = 2  # the column of it
Mode = QFileDialog.FileMode


def existing_files(parent: QWidget, title: str, folder: str, pattern: str = "") -> list[Path]:
    """Files that were chosen, none when the user gave up. `pattern`: as `Model files (*.safetensors)`."""
    return _ask(parent, title, folder, pattern, mode=Mode.ExistingFiles)


def existing_folder(parent: QWidget, title: str, folder: str) -> Path | None:
    """The folder that was chosen, None when the user gave up."""
    return next(iter(_ask(parent, title, folder, mode=Mode.Directory)), None)


def new_file(parent: QWidget, title: str, start: Path, pattern: str) -> Path | None:
    """Where to write; the user was asked before an existing file is named."""
    return next(iter(_ask(parent, title, str(start.parent), pattern, mode=Mode.AnyFile, name=start.name)), None)


def _ask(
    parent: QWidget, title: str, folder: str, pattern: str = "", *, mode: QFileDialog.FileMode, name: str = ""
) -> list[Path]:
    with _no_trace():
        dialog = QFileDialog(parent, title, folder, pattern)
        dialog.setOption(QFileDialog.Option.DontUseNativeDialog)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly, mode is Mode.Directory)
        dialog.setFileMode(mode)
        dialog.setHistory([])
        _give_room(dialog)
        if name:
            dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
            dialog.selectFile(name)
        chosen = [Path(path) for path in dialog.selectedFiles()] if dialog.exec() else []
        shiboken6.delete(dialog)  # it writes its settings now, and not at some later time
    return chosen


def _give_room(dialog: QFileDialog) -> None:
    """Names are read whole: they get what size and date leave; each kind of file is told by its name already."""
    resize_dialog(dialog, 820, 520)
    files = dialog.findChild(QTreeView)
    if files is not None:
        files.header().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        files.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        files.hideColumn(_TYPE)


@contextmanager
def _no_trace() -> Iterator[None]:
    settings = QSettings(QSettings.Scope.UserScope, "QtProject")
    before = {key: settings.value(key) for key in _KEPT_BY_QT if settings.contains(key)}
    try:
        yield
    finally:
        settings.sync()
        for key in _KEPT_BY_QT:
            if key in before:
                settings.setValue(key, before[key])
            else:
                settings.remove(key)
        settings.sync()
