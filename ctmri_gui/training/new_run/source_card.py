"""Where the data of a run come from: a folder, chosen or dropped, one of those before, or digital heads."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QHBoxLayout,
    QMenu,
    QPushButton,
    QSizePolicy,
    QSpinBox,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from ctmri_gui import file_choice
from ctmri_gui.panels.small_parts import label, naming
from ctmri_gui.private_paths import tells_of_patient
from ctmri_gui.settings import Settings
from ctmri_gui.training.new_run.draft import PHANTOM
from ctmri_gui.training.new_run.flowing_row import FlowingRow

_WHAT = "Patients with CT and MR, DICOM, slices as pictures, or slices that were prepared before. The layout is found out."
_HEADS = "No scans at hand? Digital heads are made on the spot; everything can be tried on them."
_MOST_HEADS, _USUAL_HEADS, _KEPT = 500, 8, 8
_LEAST_LETTERS = 110  # side by side


class SourceCard(QWidget):
    """`chosen(str)`: a folder, or `phantom:COUNT`; `lesson()`: the whole first run is asked for."""

    chosen = Signal(str)
    lesson = Signal()

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings
        self.setAcceptDrops(True)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.choose, self.recent = QPushButton("Choose a &folder…"), QToolButton()
        self.choose.setProperty("primary", True)
        self.recent.setText("&Recent")
        self.recent.setToolTip("Data that were chosen before")
        self.recent.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.recent.setMenu(QMenu(self.recent))
        self.heads, self.use_heads = QSpinBox(), QPushButton("&Use digital heads")
        self.heads.setRange(2, _MOST_HEADS)
        self.heads.setValue(_USUAL_HEADS)
        self.heads.setAccessibleName("Number of digital heads")
        self.first = QPushButton("First lesson: &set everything for me")
        self.first.setToolTip("Digital heads, a small network, a few minutes: all is filled in, and only waits to be started")
        self.choose.clicked.connect(self._ask)
        self.use_heads.clicked.connect(lambda: self.chosen.emit(f"{PHANTOM}{self.heads.value()}"))
        self.first.clicked.connect(self.lesson)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(12)
        self._row.addWidget(self._folders(), 3)
        self._row.addWidget(self._phantoms(), 2)
        settings.changed.connect(self._follow)
        self._list_recent()

    def show_source(self, source: str) -> None:
        """The number of heads of a phantom source."""
        count = source.removeprefix(PHANTOM).partition(":")[0]
        if source.startswith(PHANTOM) and count.isdecimal():
            self.heads.setValue(int(count))

    def remember(self, source: str) -> None:
        """Puts a folder on top of the recent ones, unless it tells of a patient or nothing is to be remembered."""
        if source.startswith(PHANTOM) or not self._settings["remember_recent"] or tells_of_patient(Path(source)):
            return
        others = [each for each in self._settings["training_recent"] if each != source]
        self._settings["training_recent"] = (source, *others[: _KEPT - 1])

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        if paths:
            self.chosen.emit(str(dropped(paths)))

    def minimumSizeHint(self) -> QSize:
        """As wide as the widest part must be: they can stand below each other."""
        parts = [item.widget() for number in range(self._row.count()) if (item := self._row.itemAt(number)) is not None]
        widest = max((part.minimumSizeHint().width() for part in parts if part is not None), default=0)
        return QSize(widest, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._turn()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange and self.layout() is not None:
            self._turn()

    def _turn(self) -> None:
        narrow = self.width() < _LEAST_LETTERS * self.fontMetrics().averageCharWidth()
        self._row.setDirection(QBoxLayout.Direction.TopToBottom if narrow else QBoxLayout.Direction.LeftToRight)

    def _ask(self) -> None:
        folder = file_choice.existing_folder(self, "Data to learn from", self._settings["last_folder"])
        if folder is not None:
            self.chosen.emit(str(folder))

    def _follow(self, key: str) -> None:
        if key == "training_recent":
            self._list_recent()

    def _list_recent(self) -> None:
        menu = self.recent.menu()
        menu.clear()
        for path in self._settings["training_recent"]:
            menu.addAction(Path(path).name or path, lambda path=path: self.chosen.emit(path)).setToolTip(path)
        menu.setToolTipsVisible(True)
        self.recent.setEnabled(bool(self._settings["training_recent"]))

    def _folders(self) -> QWidget:
        buttons = QVBoxLayout()
        buttons.addWidget(FlowingRow(self.choose, self.recent))
        return _framed("drop", "Drop a folder here", _WHAT, buttons)

    def _phantoms(self) -> QWidget:
        both = QVBoxLayout()
        both.setSpacing(8)
        both.addWidget(FlowingRow(naming("&Heads", self.heads), self.heads, self.use_heads))
        both.addWidget(self.first, 0, Qt.AlignmentFlag.AlignLeft)
        return _framed("card", "Learn on the phantom", _HEADS, both)


def dropped(paths: list[Path]) -> Path:
    """The folder that is meant: a file stands for its folder, several things for what holds them all."""
    folders = list(dict.fromkeys(path if path.is_dir() else path.parent for path in paths))
    return folders[0] if len(folders) == 1 else folders[0].parent


def _framed(role: str, heading: str, text: str, inside: QBoxLayout) -> QFrame:
    frame = QFrame()
    frame.setProperty("role", role)
    column = QVBoxLayout(frame)
    column.setContentsMargins(16, 12, 16, 12)
    column.setSpacing(8)
    column.addWidget(label(heading, "heading"))
    column.addWidget(label(text, "muted"))
    column.addLayout(inside)
    column.addStretch(1)
    return frame
