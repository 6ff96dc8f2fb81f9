"""The window in which models are evaluated, and evaluations are read. It stands beside the main window."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QByteArray, Qt, QUrl, Signal
from PySide6.QtGui import QCloseEvent, QDesktopServices, QDragEnterEvent, QDropEvent, QKeyEvent
from PySide6.QtWidgets import QVBoxLayout

from ctmri_core.evaluation.results import EVALUATION
from ctmri_core.events import Finished
from ctmri_gui import file_choice
from ctmri_gui.evaluation.evaluations import Evaluations
from ctmri_gui.evaluation.folder_field import dropped_folder
from ctmri_gui.evaluation.new_page import NewPage
from ctmri_gui.evaluation.past_page import PastPage
from ctmri_gui.evaluation.result_page import ResultPage
from ctmri_gui.messages import Kind, MessageBars
from ctmri_gui.panels.side_window import SideWindow, tabs_in
from ctmri_gui.session import Session
from ctmri_gui.settings import Settings

TITLE = "Evaluation – CT-MRI Studio"
NEW, RESULT, BEFORE = range(3)
_PAGES = ("&New evaluation", "Res&ults", "&Before")
_WIDTH, _HEIGHT = 1180, 860
_UNKNOWN = (
    "Where the models and data of this evaluation lie is not known here: it was made elsewhere, or their folders' names tell of a"
    " patient. Evaluate them in this window to look at cases."
)
_NO_BROWSER = "The report is written, but no browser could be opened. It is {name}, in the folder of the evaluation."
_OPENING = "The case is being opened …"


class EvaluationWindow(SideWindow):
    """Closing hides it; nothing stops. `caseReady`: a case (`ShownCase`) is to be shown in the main window."""

    caseReady = Signal(object)

    def __init__(self, session: Session, settings: Settings, evaluations: Evaluations) -> None:
        super().__init__(TITLE)
        self._settings, self.evaluations = settings, evaluations
        self.setMinimumSize(640, 480)
        self.messages = MessageBars()
        self.new = NewPage(session.library, settings, evaluations)
        self.result = ResultPage()
        self.before = PastPage(evaluations, settings)
        self.tabs = tabs_in(self, tuple(zip(_PAGES, (self.new, self.result, self.before), strict=True)))
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.addWidget(self.messages)
        column.addWidget(self.tabs, 1)
        self._connect()
        self.resize_within_screen(_WIDTH, _HEIGHT)
        self.restoreGeometry(QByteArray.fromBase64(settings["evaluation_geometry"].encode("ascii")))
        evaluations.refresh()
        evaluations.look_for_data()

    def _connect(self) -> None:
        evaluations, result = self.evaluations, self.result
        evaluations.opened.connect(self._show)
        evaluations.ended.connect(self._ended)
        evaluations.prepared.connect(self.new.order.data.offer)
        evaluations.failed.connect(self._fail)
        evaluations.caseReady.connect(self.caseReady)
        evaluations.caseOver.connect(lambda: self.messages.close_message(_OPENING))
        evaluations.reported.connect(self._show_report)
        self.before.openWanted.connect(evaluations.open)
        result.newWanted.connect(lambda: self.go(NEW))
        result.caseWanted.connect(self.open_case)
        result.reportWanted.connect(evaluations.report)
        result.pdfWanted.connect(self._ask_pdf)
        result.folderWanted.connect(lambda: _open_outside(evaluations.folder))

    def go(self, page: int) -> None:
        """To `NEW`, `RESULT` or `BEFORE`."""
        self.tabs.setCurrentIndex(page)

    def open_case(self, case: int, model: int) -> None:
        """Has the case loaded and shown in the main window."""
        if self.evaluations.asked is None:
            self.messages.show_message(_UNKNOWN, Kind.WARNING)
            return
        self.messages.show_message(_OPENING, stays=True)
        self.evaluations.open_case(case, model)

    def _show(self, evaluation: object) -> None:
        self.messages.clear()
        self.result.take(evaluation)  # type: ignore[arg-type]  # Qt hands on objects
        self.go(RESULT)

    def _ended(self, end: Finished) -> None:
        if end.reason == "stopped":
            self.messages.show_message("Stopped before anything was finished.", Kind.INFO)

    def _fail(self, message: str) -> None:
        self.messages.show_message(message, Kind.ERROR)

    def _show_report(self, path: Path) -> None:
        if not _open_outside(path):
            self.messages.show_message(_NO_BROWSER.format(name=path.name), Kind.WARNING)

    def _ask_pdf(self) -> None:
        folder = self.evaluations.folder
        if folder is not None:
            target = file_choice.new_file(self, "Save the report", folder / "report.pdf", "PDF (*.pdf)")
            if target is not None:
                self.evaluations.save_pdf(target if target.suffix else target.with_suffix(".pdf"), self._say_saved)

    def _say_saved(self, path: Path) -> None:
        offer = ("Open", lambda: self._show_report(path))
        self.messages.show_message(f"Saved as {path.name}.", Kind.DONE, offers=[offer])

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, modifiers = event.key(), event.modifiers()
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and modifiers & Qt.KeyboardModifier.ControlModifier:
            self.new.start.trigger()
        elif key == Qt.Key.Key_Escape:
            self.close()
        else:
            super().keyPressEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if dropped_folder(event) is not None and not self.evaluations.running:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """A past evaluation is opened; any other folder is data, or finished pictures."""
        folder = dropped_folder(event)
        if folder is None:
            return
        event.acceptProposedAction()
        if (folder / EVALUATION).is_file():
            self.before.choose_folder(folder)
        else:
            self.go(NEW)
            self.new.order.take(folder)

    def closeEvent(self, event: QCloseEvent) -> None:
        self._settings["evaluation_geometry"] = bytes(self.saveGeometry().toBase64().data()).decode("ascii")
        self._settings.save()
        event.accept()


def _open_outside(place: Path | None) -> bool:
    """Whether the desktop has something that shows it."""
    return place is not None and QDesktopServices.openUrl(QUrl.fromLocalFile(str(place)))
