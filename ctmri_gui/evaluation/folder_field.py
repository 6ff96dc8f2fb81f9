"""A folder or a file that a person chooses, drops, or leaves out."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from ctmri_gui import file_choice
from ctmri_gui.panels.small_parts import label
from ctmri_gui.settings import Settings


class FolderField(QWidget):
    """`words`: what is written where none is chosen; `optional`: it can be taken away again; `pattern`: of files, as
    `Tables (*.csv)`, where a file is wanted and no folder."""

    changed = Signal()

    def __init__(self, name: str, words: str, settings: Settings, *, optional: bool = False, pattern: str = "") -> None:
        super().__init__()
        self._name, self._words, self._settings, self._pattern = name, words, settings, pattern
        self.folder: Path | None = None
        self.setAcceptDrops(True)
        self.place = label(words, "muted")
        self.choose, self.clear = QPushButton("Choose…"), QPushButton("Clear")
        self.choose.setAccessibleName(f"Choose {name}")
        self.choose.setToolTip(f"Choose {name}, or drop it here")
        self.clear.setAccessibleName(f"Without {name}")
        self.clear.setToolTip(f"Without {name}")
        self.clear.setVisible(optional)
        self.choose.clicked.connect(self._ask)
        self.clear.clicked.connect(lambda: self.set_folder(None))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.place, 1)
        row.addWidget(self.choose)
        row.addWidget(self.clear)
        self.set_folder(None)

    def say_none(self, words: str) -> None:
        """What is written from now on where none is chosen."""
        self._words = words
        self.place.setText(words if self.folder is None else str(self.folder))

    def set_folder(self, folder: Path | None) -> None:
        self.folder = folder
        self.place.setText(self._words if folder is None else str(folder))
        self.clear.setEnabled(folder is not None)
        self.changed.emit()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if self._dropped(event) is not None:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        dropped = self._dropped(event)
        if dropped is not None:
            event.acceptProposedAction()
            self.set_folder(dropped)

    def _dropped(self, event: QDropEvent) -> Path | None:
        if not self._pattern:
            return dropped_folder(event)
        return next((path for path in _dropped(event) if path.is_file()), None)

    def _ask(self) -> None:
        start = str(self.folder.parent) if self.folder is not None else self._settings["last_folder"]
        title = self._name[0].upper() + self._name[1:]
        if self._pattern:
            chosen = next(iter(file_choice.existing_files(self, title, start, self._pattern)), None)
        else:
            chosen = file_choice.existing_folder(self, title, start)
        if chosen is not None:
            self.set_folder(chosen)


def dropped_folder(event: QDropEvent) -> Path | None:
    """The first folder, or the folder of the first file."""
    return next((path if path.is_dir() else path.parent for path in _dropped(event)), None)


def _dropped(event: QDropEvent) -> list[Path]:
    return [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
