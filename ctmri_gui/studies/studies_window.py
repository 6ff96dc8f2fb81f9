"""The window of reader studies: set up, followed to their end, opened again, rehearsed. It stands beside the main window."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QByteArray, QEvent, Qt, QTimer, QUrl, Signal
from PySide6.QtGui import QCloseEvent, QDesktopServices, QDragEnterEvent, QDropEvent, QKeyEvent
from PySide6.QtWidgets import QVBoxLayout

from ctmri_core.studies.pack import Merged
from ctmri_core.studies.protocol import Design, codes_problem
from ctmri_core.studies.study_folder import RECORD
from ctmri_gui import file_choice
from ctmri_gui.evaluation.folder_field import dropped_folder
from ctmri_gui.messages import Kind, MessageBars
from ctmri_gui.panels.asking import ask
from ctmri_gui.panels.name_dialog import NameDialog
from ctmri_gui.panels.side_window import SideWindow, tabs_in
from ctmri_gui.session import Session
from ctmri_gui.settings import Settings
from ctmri_gui.studies.page.study_page import StudyPage
from ctmri_gui.studies.passphrase_dialog import PassphraseDialog
from ctmri_gui.studies.past_page import PastPage
from ctmri_gui.studies.places import is_study
from ctmri_gui.studies.rehearsal_page import RehearsalPage
from ctmri_gui.studies.setup.setup_page import SetupPage
from ctmri_gui.studies.studies import Studies
from ctmri_gui.studies.study_state import RESULTS_FOLDER, StudyState
from ctmri_gui.studies.study_work import PDF, REPORT, ExportFormat

TITLE = "Reader studies – CT-MRI Studio"
SETUP, STUDY, BEFORE, REHEARSE = range(4)
_PAGES = ("Set &up", "Study", "Be&fore", "Re&hearsal")
_WIDTH, _HEIGHT = 1180, 860
_LOOK_MS = 2000
_YOU = "YOU"
_PACKED, _ANSWERS = "Packed studies (*.ctmri-reader)", "Answers (*.ctmri-answers)"
_FILES = {"csv": ("answers.csv", "Tables (*.csv)"), "jsonl": ("answers.jsonl", "JSON lines (*.jsonl)"),
          "imrmc": ("scores.imrmc", "iMRMC (*.imrmc)")}  # fmt: skip
_CLOSING = "No answer comes in after it, not even one that is on its way. It cannot be opened again."
_LAST = "Readers whose answers are missing stay unfinished in the report. Close it for good?"
_INTERIM = (
    "Who looks at results before the end may steer the study, knowingly or not. It goes on record, and the report says how often."
)
_NOT_A_STUDY = "That folder holds no reader study. Choose the one with study.json in it."


class StudiesWindow(SideWindow):
    """Closing hides it; nothing stops, and what was being set up is kept.

    `placeWanted(Flagged)`, `sourceWanted(Flagged)`: to be shown in the main window.
    """

    placeWanted = Signal(object)
    sourceWanted = Signal(object)

    def __init__(self, session: Session, settings: Settings, studies: Studies) -> None:
        super().__init__(TITLE)
        self._settings, self.studies = settings, studies
        self.setMinimumSize(640, 480)
        self.messages = MessageBars()
        self.setup = SetupPage(session.jobs, session.library, settings, studies)
        self.study, self.before, self.rehearsal = StudyPage(studies), PastPage(), RehearsalPage(studies)
        pages = (self.setup, self.study, self.before, self.rehearsal)
        self.tabs = tabs_in(self, tuple(zip(_PAGES, pages, strict=True)))
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.addWidget(self.messages)
        column.addWidget(self.tabs, 1)
        self._reads_after = False
        self._stamp: tuple[Path, int] | None = None
        self._looks = QTimer(self)
        self._looks.setInterval(_LOOK_MS)
        self._looks.timeout.connect(self._look_for_answers)
        self._connect()
        self.resize_within_screen(_WIDTH, _HEIGHT)
        self.restoreGeometry(QByteArray.fromBase64(settings["study_geometry"].encode("ascii")))
        studies.refresh()

    def go(self, page: int) -> None:
        """To `SETUP`, `STUDY`, `BEFORE` or `REHEARSE`."""
        self.tabs.setCurrentIndex(page)

    def ask_folder(self) -> None:
        """Opens a study that lies anywhere."""
        folder = file_choice.existing_folder(self, "Folder of a study", self._settings["last_folder"])
        if folder is not None:
            self.open_folder(folder)

    def open_folder(self, folder: Path) -> None:
        """The study in `folder`, or the one whose part it is."""
        found = next((place for place in (folder, folder.parent) if is_study(place)), None)
        if found is None:
            self.messages.show_message(_NOT_A_STUDY, Kind.WARNING)
        else:
            self.go(STUDY)
            self.studies.open(found)

    def _connect(self) -> None:
        studies, study = self.studies, self.study
        studies.opened.connect(self._show)
        studies.made.connect(lambda _folder: self.go(STUDY))
        studies.listed.connect(self.before.take)
        studies.begun.connect(self.messages.clear)
        studies.failed.connect(self._fail)
        studies.merged.connect(self._say_merged)
        studies.written.connect(lambda path: self.messages.show_message(f"Written: {path.name}.", Kind.DONE))
        studies.analysed.connect(self._say_analysed)
        studies.rehearsed.connect(self._rehearsed)
        studies.deleted.connect(self._deleted)
        studies.stopped.connect(lambda: self.messages.show_message("Stopped; nothing was changed.", Kind.INFO))
        studies.passphraseWanted.connect(self._ask_passphrase)
        self.before.openWanted.connect(self.open_folder)
        self.before.otherWanted.connect(self.ask_folder)
        self.before.deleteWanted.connect(self._ask_delete)
        self.rehearsal.wanted.connect(self._rehearse)
        study.newWanted.connect(lambda: self.go(SETUP))
        study.closeWanted.connect(self._ask_close)
        study.interimWanted.connect(self._ask_interim)
        study.analyseWanted.connect(studies.analyse)
        study.finishWanted.connect(studies.finish_rehearsal)
        study.deleteWanted.connect(lambda: self._ask_delete(studies.folder))
        study.folderWanted.connect(lambda: self._open_outside(studies.folder))
        study.readers.addWanted.connect(self._ask_reader)
        study.readers.packWanted.connect(self._ask_pack)
        study.readers.mergeWanted.connect(self._ask_merge)
        study.results.reportWanted.connect(lambda: self._open_result(REPORT))
        study.results.pdfWanted.connect(lambda: self._open_result(PDF))
        study.results.exportWanted.connect(self._ask_export)
        study.flagged.placeWanted.connect(self.placeWanted)
        study.flagged.sourceWanted.connect(self.sourceWanted)

    # What happened ----------------------------------------------------------------------------------------------------

    def _show(self, state: StudyState) -> None:
        record = state.folder / RECORD
        if self._stamp is not None and self._stamp[0] != record:
            self.messages.clear()  # they were about another study
        self._stamp = (record, _changed_at(record))
        if state.stage == "open":
            self._looks.start()
        else:
            self._looks.stop()

    def _look_for_answers(self) -> None:
        """Somebody reads in another process: what is answered shows here as it grows."""
        if self._stamp is not None and self.isVisible() and not self.studies.running:
            record, before = self._stamp
            now = _changed_at(record)
            if now != before:
                self._stamp = record, now
                self.studies.look_again()

    def _fail(self, message: str) -> None:
        self.messages.show_message(message, Kind.ERROR)

    def _say_merged(self, taken: tuple[Merged, ...]) -> None:
        count = sum(one.answers for one in taken)
        anchors = [str(anchor) for one in taken for anchor in one.anchors]
        kind = Kind.DONE if count else Kind.INFO
        said = f"{count} answers taken in. Compare with what the reader's window showed: {'; '.join(anchors)}"
        self.messages.show_message(said, kind, stays=True)

    def _say_analysed(self, state: StudyState) -> None:
        self.go(STUDY)
        offers = [("Open the report", lambda: self._open_result(REPORT))]
        self.messages.show_message("The study is analysed.", Kind.DONE, offers=offers)
        if state.rehearsal:
            self._open_result(REPORT)

    # Rehearsal --------------------------------------------------------------------------------------------------------

    def _rehearse(self, design: Design, reads: bool) -> None:
        self._reads_after = reads
        self.studies.rehearse(design)

    def _rehearsed(self, _state: StudyState) -> None:
        self.go(STUDY)
        self.studies.refresh()
        if self._reads_after:
            self.studies.read_here(_YOU)
        else:
            QTimer.singleShot(0, self.studies.finish_rehearsal)  # the job that made it has ended by then

    def _ask_delete(self, folder: Path | None) -> None:
        if folder is not None:
            ask(
                self, "Delete the rehearsal", f"Delete {folder.name}?", "Its pictures, answers and report go.", yes="&Delete",
                no="&Keep", then=lambda: self.studies.delete_rehearsal(folder), name="delete_question",
            )  # fmt: skip

    def _deleted(self, folder: Path) -> None:
        self.study.take(self.studies.shown)
        self.messages.show_message(f"{folder.name} is deleted.", Kind.DONE)

    # Questions --------------------------------------------------------------------------------------------------------

    def _ask_passphrase(self, then: Callable[[], None]) -> None:
        dialog = PassphraseDialog(self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)

        def take() -> None:
            self.studies.passphrase = dialog.field.text()
            then()

        dialog.accepted.connect(take)
        dialog.open()

    def _ask_close(self) -> None:
        state = self.studies.shown
        if state is None:
            return
        left = [one.code for one in state.readers if one.answered < one.trials]
        missing = f" Not finished: {', '.join(left)}." if left else ""
        ask(
            self, "Close the study", "Close the study?", _CLOSING + missing, yes="&Close it", no="&Not yet",
            then=lambda: QTimer.singleShot(0, self._ask_close_again), name="close_question",
        )  # fmt: skip

    def _ask_close_again(self) -> None:
        ask(
            self, "Close the study", "Are you sure?", _LAST, yes="Close it for &good", no="&Not yet", then=self.studies.close,
            name="close_again_question",
        )  # fmt: skip

    def _ask_interim(self) -> None:
        ask(
            self, "Interim look", "Look at results before the study is closed?", _INTERIM, yes="&Look, on record", no="&Not now",
            then=lambda: self.studies.analyse(interim=True), name="interim_question",
        )  # fmt: skip

    def _ask_reader(self) -> None:
        state = self.studies.shown
        known = {one.code.casefold() for one in state.readers} if state is not None else set()

        def refuse(code: str) -> str:
            if code.casefold() in known:
                return f"{code} is a reader of this study already."
            return codes_problem([code])

        said = "That this reader came after the opening goes on record."
        dialog = NameDialog("Add a reader", "&Code of the reader, never a name", refuse, lambda _code: said, self, begin="&Add")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.accepted.connect(lambda: self.studies.add_reader(dialog.name))
        dialog.open()

    def _ask_pack(self, code: str) -> None:
        start = Path(self._settings["last_folder"] or Path.home()) / f"{code}.ctmri-reader"
        target = file_choice.new_file(self, f"Pack for {code}", start, _PACKED)
        if target is not None:
            self.studies.pack(code, target if target.suffix else target.with_suffix(".ctmri-reader"))

    def _ask_merge(self) -> None:
        files = file_choice.existing_files(self, "Answers that came back", self._settings["last_folder"], _ANSWERS)
        if files:
            self.studies.merge(files)

    def _ask_export(self, form: ExportFormat) -> None:
        folder = self.studies.folder
        if folder is not None:
            name, pattern = _FILES[form]
            target = file_choice.new_file(self, "Export answers", folder / name, pattern)
            if target is not None:
                suffix = Path(name).suffix
                self.studies.export(form, target if target.suffix else target.with_suffix(suffix))

    def _open_result(self, name: str) -> None:
        folder = self.studies.folder
        place = None if folder is None else folder / RESULTS_FOLDER / name
        if place is not None and not place.exists():
            self.messages.show_message(f"{name} is not there any more. Analyse the study again; that writes it.", Kind.WARNING)
        else:
            self._open_outside(place)

    def _open_outside(self, place: Path | None) -> None:
        if place is not None and not (place.exists() and QDesktopServices.openUrl(QUrl.fromLocalFile(str(place)))):
            said = f"Nothing on this desktop opens {place.name}. It lies in the study's folder."
            self.messages.show_message(said, Kind.WARNING)

    # Qt's events ------------------------------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, modifiers = event.key(), event.modifiers()
        enter = key in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if enter and modifiers & Qt.KeyboardModifier.ControlModifier and self.tabs.currentIndex() == SETUP:
            self.setup.make.begin()
        elif key == Qt.Key.Key_Escape:
            self.close()
        else:
            super().keyPressEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if dropped_folder(event) is not None and not self.studies.running:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """A study is opened; answers are taken into the one that is open; any other folder is data."""
        paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        answers = [path for path in paths if path.suffix == ".ctmri-answers"]
        event.acceptProposedAction()
        folder = dropped_folder(event)
        if answers and self.studies.shown is not None and self.studies.shown.stage == "open":
            self.studies.merge(answers)
        elif folder is not None and is_study(folder):
            self.open_folder(folder)
        elif folder is not None and not answers:
            self.go(SETUP)
            self.setup.cases.data.take(str(folder))

    def changeEvent(self, event: QEvent) -> None:
        """Coming back to the window, what was answered meanwhile shows."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.ActivationChange and self.isActiveWindow():
            self._look_for_answers()

    def closeEvent(self, event: QCloseEvent) -> None:
        self._settings["study_geometry"] = bytes(self.saveGeometry().toBase64().data()).decode("ascii")
        self._settings.save()
        event.accept()


def _changed_at(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
