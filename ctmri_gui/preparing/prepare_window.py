"""The window in which scans are prepared for learning. It stands beside the main window."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QTabWidget, QVBoxLayout, QWidget

from ctmri_gui.jobs.queue import Jobs
from ctmri_gui.preparing.cases_page import CasesPage
from ctmri_gui.preparing.data_page import DataPage
from ctmri_gui.preparing.preparer import Preparer
from ctmri_gui.preparing.preview_page import PreviewPage
from ctmri_gui.preparing.result_page import ResultPage
from ctmri_gui.settings import Settings
from ctmri_gui.theme import app_icon
from ctmri_gui.training.data_work import Prepared
from ctmri_gui.training.new_run.source_card import dropped
from ctmri_gui.viewer.palette import scaled

TITLE = "Prepare data – CT-MRI Studio"  # no name of a folder: titles end up in screenshots
DATA, CASES, PREVIEW, RESULT = range(4)
_PAGES = ("&Data and recipe", "&Cases", "Pre&view", "R&esult")
_WIDTH, _HEIGHT, _SHARE_OF_SCREEN = 1120, 800, 0.9


class PrepareWindow(QWidget):
    """Closing hides it; nothing stops. `trainWanted(str)`: a model is to learn from that prepared folder."""

    trainWanted = Signal(str)

    def __init__(self, jobs: Jobs, settings: Settings, preparer: Preparer) -> None:
        super().__init__(None, Qt.WindowType.Window)
        self.preparer = preparer
        self.setWindowTitle(TITLE)
        self.setWindowIcon(app_icon())
        self.setAcceptDrops(True)
        self.setMinimumSize(640, 480)
        self.setAttribute(Qt.WidgetAttribute.WA_QuitOnClose, False)
        self.data, self.cases = DataPage(preparer, settings), CasesPage(preparer, jobs)
        self.preview = PreviewPage(preparer, self.cases.pairs, jobs)
        self.result = ResultPage(preparer, jobs)
        self.tabs = QTabWidget()
        self.tabs.setProperty("role", "views")
        self.tabs.setDocumentMode(True)
        self.tabs.tabBar().setDrawBase(False)
        for number, (page, words) in enumerate(zip((self.data, self.cases, self.preview, self.result), _PAGES, strict=True)):
            self.tabs.addTab(page, words)
            self.tabs.setTabToolTip(number, f"Ctrl+{number + 1}")
            QShortcut(QKeySequence(f"Ctrl+{number + 1}"), self).activated.connect(lambda number=number: self.go(number))
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.addWidget(self.tabs)
        self.tabs.currentChanged.connect(self._turned)
        self.result.trainWanted.connect(self.trainWanted)
        preparer.prepared.connect(self._show_result)
        self.resize(QSize(scaled(_WIDTH), scaled(_HEIGHT)).boundedTo(self.screen().availableSize() * _SHARE_OF_SCREEN))

    def present(self) -> None:
        """Shows the window before all others."""
        self.show()
        self.setWindowState(self.windowState() & ~Qt.WindowState.WindowMinimized)
        self.raise_()
        self.activateWindow()

    def go(self, page: int) -> None:
        """To `DATA`, `CASES`, `PREVIEW` or `RESULT`."""
        self.tabs.setCurrentIndex(page)

    def _turned(self, page: int) -> None:
        """The first case is looked at where none was selected, and previewed."""
        pairs = self.cases.pairs
        if page == CASES and self.preparer.cases and not self.cases.view.currentIndex().isValid():
            self.cases.select(1)
        if page == PREVIEW and self.preview.preview is None and pairs.loaded is not None:
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
