"""A folder that a person chooses, drops, or leaves out."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from ctmri_gui import file_choice
from ctmri_gui.panels.small_parts import label
from ctmri_gui.settings import Settings


class FolderField(QWidget):
    """`words`: what is written where none is chosen; `optional`: it can be taken away again."""

    changed = Signal()

    def __init__(self, name: str, words: str, settings: Settings, *, optional: bool = False) -> None:
        super().__init__()
        self._name, self._words, self._settings = name, words, settings
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

    def set_folder(self, folder: Path | None) -> None:
        self.folder = folder
        self.place.setText(self._words if folder is None else str(folder))
        self.clear.setEnabled(folder is not None)
        self.changed.emit()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if dropped_folder(event) is not None:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        event.acceptProposedAction()
        self.set_folder(dropped_folder(event))

    def _ask(self) -> None:
        start = str(self.folder.parent) if self.folder is not None else self._settings["last_folder"]
        chosen = file_choice.existing_folder(self, self._name[0].upper() + self._name[1:], start)
        if chosen is not None:
            self.set_folder(chosen)


def dropped_folder(event: QDropEvent) -> Path | None:
    """The first folder, or the folder of the first file."""
    paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
    return next((path if path.is_dir() else path.parent for path in paths), None)
