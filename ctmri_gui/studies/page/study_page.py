"""One study: what it is, how far it is, and what may be done next. Which parts show follows from its stage."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QStackedLayout, QVBoxLayout, QWidget

from ctmri_core.studies.report.wording import DESIGNS
from ctmri_gui.panels.small_parts import label, nothing_yet, scrolling, set_primary
from ctmri_gui.studies.page.audit_box import AuditBox
from ctmri_gui.studies.page.draft_box import DraftBox
from ctmri_gui.studies.page.flagged_list import FlaggedList
from ctmri_gui.studies.page.readers_box import ReadersBox
from ctmri_gui.studies.page.record_box import RecordBox
from ctmri_gui.studies.page.results_box import ResultsBox
from ctmri_gui.studies.setup.step_page import say
from ctmri_gui.studies.studies import Studies
from ctmri_gui.studies.study_state import StudyState
from ctmri_gui.training.monitor.flow import Flow

_STAGES = {"draft": "Draft", "open": "Open", "closed": "Closed", "analysed": "Analysed"}
_NEXT = {
    "open": "Results stay sealed until the study is closed; then no answer comes in any more.",
    "closed": "No answer comes in any more. Analyse it: results and report are written into its folder.",
}  # fmt: skip
_REHEARSAL = "REHEARSAL – digital heads and simulated readers; nothing follows from it"
_YOU = "YOU is your place: press Read here. The other readers are simulated and have answered already."
_READ = "Everything is answered. See what a study tells at its end."


class StudyPage(QWidget):
    """Signals are those of its buttons; the window asks what is to be asked."""

    newWanted = Signal()
    closeWanted = Signal()
    interimWanted = Signal()
    analyseWanted = Signal()
    finishWanted = Signal()
    deleteWanted = Signal()
    folderWanted = Signal()

    def __init__(self, studies: Studies) -> None:
        super().__init__()
        self._studies = studies
        self._interim: Path | None = None
        self.title, self.stage, self.rehearsal = label("", "title"), label("", "badge", wrap=False), label(_REHEARSAL, "badge")
        self.title.setMinimumWidth(1)  # one long word is cut off, instead of all else beside it
        self.facts, self.said = label("", "muted"), label("")
        self.draft, self.readers, self.record = DraftBox(), ReadersBox(), RecordBox()
        self.results, self.flagged, self.audit = ResultsBox(), FlaggedList(), AuditBox()
        self.finish = _press("S&kip my part and see the results", "Simulates what is not answered, closes and analyses")
        self.analyse = _press("A&nalyse", "Writes results and report into the folder of the study", primary=True)
        self.close_study = _press("&Close the study…", "Ends the reading: after it no answer comes in")
        self.interim = _press("&Interim look…", "Analyses before the end, on record")
        self.table = _press("Export answers…", "What was answered so far, without what the pictures are")
        self.delete = _press("D&elete this rehearsal…", "Its folder is taken away")
        self.show_folder = _press("Sho&w folder", "Where the study lies")
        self.stop, self.bar, self.told = QPushButton("S&top"), QProgressBar(), label("", "muted")
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(6)
        self.bar.setAccessibleName("Progress")
        self.begin = QPushButton("Set up a &study")
        self.begin.setProperty("primary", True)
        self._lay_out()
        self._connect()
        self._show_work()

    def take(self, state: StudyState | None) -> None:
        """Shows it; None after it was deleted."""
        self._pages.setCurrentIndex(0 if state is None else 1)
        if state is None:
            return
        if state.folder != self._interim:
            self._interim = None
        asked = state.protocol
        self.title.setText(asked.title)
        self.title.setToolTip(asked.title)
        self.stage.setText(_STAGES[state.stage])
        self.rehearsal.setVisible(state.rehearsal)
        opened = f" · open since {state.opened[:16].replace('T', ' ')} UTC" if state.opened else ""
        looks = f" · {state.interim} interim {'look' if state.interim == 1 else 'looks'} on record" if state.interim else ""
        self.facts.setText(f"{DESIGNS[asked.design].capitalize()}{opened}{looks}")
        draft, ended = state.stage == "draft", state.stage in ("closed", "analysed")
        self._say_next(state)
        self.draft.setVisible(draft)
        for part in (self.readers, self.record):
            part.setVisible(not draft)
        self.audit.setVisible(not draft)
        if not draft:
            self.readers.take(state)
            self.record.take(state)
            self.audit.take_known(state.audit, state.override, read=state.stage == "open")
        told = state.results if ended or self._interim == state.folder else None
        self.results.setVisible(told is not None)
        self.flagged.setVisible(told is not None and ended)
        if told is not None:
            self.results.take(told)
            self.flagged.take(told.flagged, asked)
        self.finish.setVisible(state.rehearsal and not told)
        self.finish.setText("See the &results" if state.complete else "S&kip my part and see the results")
        self.analyse.setVisible((ended and not state.rehearsal) or state.stage == "analysed")
        self.analyse.setText("A&nalyse again" if state.results is not None else "A&nalyse")
        set_primary(self.analyse, state.stage == "closed")
        set_primary(self.finish, state.complete)
        set_primary(self.close_study, state.complete)
        for press in (self.close_study, self.interim, self.table):
            press.setVisible(state.stage == "open" and not state.rehearsal)
        self.delete.setVisible(state.rehearsal)
        self._show_work()

    def _say_next(self, state: StudyState) -> None:
        words = _NEXT.get(state.stage, "")
        if state.rehearsal and state.stage == "open":
            words = _READ if state.complete else _YOU
        elif state.stage == "open" and state.complete:
            words = f"Every reader has answered everything. {words}"
        say(self.said, words)

    def _show_work(self) -> None:
        """While something runs nothing else is begun; a draft is looked at as a job of its own."""
        studies = self._studies
        running, state = studies.running, studies.state
        for press in (self.finish, self.analyse, self.close_study, self.interim, self.table, self.delete):
            press.setEnabled(not running)
        self.draft.set_busy(running, looking=studies.checking)
        self.readers.set_busy(running)
        self._work.setVisible(running)
        self.bar.setVisible(running)
        if state is not None and running:
            self.stop.setEnabled(not state.stopping)
            fraction = state.fraction
            self.bar.setRange(0, 1000 if fraction is not None else 0)
            self.bar.setValue(round((fraction or 0.0) * 1000))
            self.told.setText(f"{state.title}: {state.text}")

    def _connect(self) -> None:
        studies = self._studies
        studies.changed.connect(self._show_work)
        studies.opened.connect(self.take)
        studies.checked.connect(self.draft.take)
        studies.compared.connect(self.record.show_compared)
        self.record.compareWanted.connect(studies.compare)
        self.draft.openWanted.connect(studies.open_shown)
        self.draft.checkWanted.connect(self._check_again)
        self.draft.audit.harmoniseWanted.connect(studies.harmonise)
        studies.analysed.connect(self._show_interim)
        self.readers.readWanted.connect(self._read)
        self.stop.clicked.connect(lambda _on=False: studies.stop())
        self.begin.clicked.connect(lambda _on=False: self.newWanted.emit())
        for press, wanted in ((self.finish, self.finishWanted), (self.analyse, self.analyseWanted),
                              (self.close_study, self.closeWanted), (self.interim, self.interimWanted),
                              (self.delete, self.deleteWanted), (self.show_folder, self.folderWanted)):  # fmt: skip
            press.clicked.connect(lambda _on=False, wanted=wanted: wanted.emit())
        self.table.clicked.connect(lambda _on=False: self.results.exportWanted.emit("csv"))

    def _show_interim(self, state: StudyState) -> None:
        """What was asked for before the end shows until somebody reads here, or the study is left."""
        self._interim = state.folder
        self.take(state)

    def _read(self, reader: str) -> None:
        self._interim = None
        self.take(self._studies.shown)
        self._studies.read_here(reader)

    def _check_again(self) -> None:
        self.draft.take(None)
        self._studies.check()

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.addWidget(self.title, 1)
        head.addWidget(self.stage)
        ways = Flow()
        for press in (self.finish, self.analyse, self.close_study, self.interim, self.table, self.show_folder, self.delete):
            ways.addWidget(press)
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(16, 12, 16, 12)
        column.setSpacing(12)
        column.addWidget(self.rehearsal)
        column.addLayout(head)
        for part in (self.facts, self.said):
            column.addWidget(part)
        column.addLayout(ways)
        for box in (self.results, self.draft, self.readers, self.flagged, self.audit, self.record):
            column.addWidget(box)
        column.addStretch(1)
        self._work = QWidget()
        foot = QHBoxLayout(self._work)
        foot.setContentsMargins(16, 4, 16, 6)
        foot.addWidget(self.stop)
        foot.addWidget(self.told, 1)
        whole = QWidget()
        outer = QVBoxLayout(whole)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scrolling(inside, "Study"), 1)
        outer.addWidget(self.bar)
        outer.addWidget(self._work)
        self._pages = QStackedLayout(self)
        self._pages.addWidget(nothing_yet("No study is shown. Set one up, open one, or rehearse with digital heads.", self.begin))
        self._pages.addWidget(whole)


def _press(words: str, tip: str, *, primary: bool = False) -> QPushButton:
    made = QPushButton(words)
    made.setToolTip(tip)
    made.setProperty("primary", primary)
    return made
