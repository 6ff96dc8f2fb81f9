"""The window in which scans are prepared for learning. It stands beside the main window."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QKeyEvent
from PySide6.QtWidgets import QVBoxLayout

from ctmri_gui.jobs.queue import Jobs
from ctmri_gui.panels.side_window import SideWindow, tabs_in
from ctmri_gui.preparing.cases_page import CasesPage
from ctmri_gui.preparing.data_page import DataPage
from ctmri_gui.preparing.preparer import Preparer
from ctmri_gui.preparing.preview_page import PreviewPage
from ctmri_gui.preparing.result_page import ResultPage
from ctmri_gui.settings import Settings
from ctmri_gui.training.data_work import Prepared
from ctmri_gui.training.new_run.source_card import dropped

TITLE = "Prepare data – CT-MRI Studio"
DATA, CASES, PREVIEW, RESULT = range(4)
_PAGES = ("&Data and recipe", "&Cases", "Pre&view", "R&esult")
_WIDTH, _HEIGHT = 1160, 800


class PrepareWindow(SideWindow):
    """`trainWanted(str)`: a model is to learn from that prepared folder."""

    trainWanted = Signal(str)

    def __init__(self, jobs: Jobs, settings: Settings, preparer: Preparer) -> None:
        super().__init__(TITLE)
        self.preparer = preparer
        self.setMinimumSize(640, 480)
        self.data, self.cases = DataPage(preparer, settings), CasesPage(preparer, jobs)
        self.preview = PreviewPage(preparer, self.cases.pairs, jobs)
        self.result = ResultPage(preparer, jobs)
        pages = (self.data, self.cases, self.preview, self.result)
        self.tabs = tabs_in(self, tuple(zip(_PAGES, pages, strict=True)))
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.addWidget(self.tabs)
        self.tabs.currentChanged.connect(self._turned)
        self.cases.pairs.read.connect(self._preview)
        self.preview.caseWanted.connect(self.cases.select)
        self.result.trainWanted.connect(self.trainWanted)
        preparer.prepared.connect(self._show_result)
        self.resize_within_screen(_WIDTH, _HEIGHT)

    def go(self, page: int) -> None:
        """To `DATA`, `CASES`, `PREVIEW` or `RESULT`."""
        self.tabs.setCurrentIndex(page)

    def _turned(self, page: int) -> None:
        """The first case is looked at where none was selected, and previewed."""
        if page in (CASES, PREVIEW) and self.preparer.cases and not self.cases.view.currentIndex().isValid():
            self.cases.select(1)
        self._preview()

    def _preview(self) -> None:
        """The selected case, where it is to be seen and is not yet."""
        loaded = self.cases.pairs.loaded
        if self.tabs.currentIndex() == PREVIEW and loaded is not None and self.preview.number != loaded.number:
            self.preview.start()

    def _show_result(self, prepared: Prepared | None) -> None:
        if prepared is not None:
            self.go(RESULT)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, modifiers = event.key(), event.modifiers()
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and modifiers & Qt.KeyboardModifier.ControlModifier:
            self.preparer.prepare()
        elif key == Qt.Key.Key_Escape:
            self.close()
        else:
            super().keyPressEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()) and not self.preparer.running:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        if paths:
            event.acceptProposedAction()
            self.go(DATA)
            self.preparer.choose(dropped(paths))
