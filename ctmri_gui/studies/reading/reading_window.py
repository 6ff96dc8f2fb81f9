"""The window of one reader: what he is told and asked before, the trials, and the end. It knows nothing of what pictures are."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QTimer
from PySide6.QtGui import QCloseEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QApplication, QMessageBox, QStackedWidget, QVBoxLayout, QWidget

from ctmri_core.studies.reading import ANSWERS, Reading
from ctmri_core.studies.trials import Monitor
from ctmri_gui.studies.reading.keys_shown import key_rows
from ctmri_gui.studies.reading.monitor_pattern import PatternPage
from ctmri_gui.studies.reading.pages import ConsentPage, EndPage, FactsPage, KeysPage, Page
from ctmri_gui.studies.reading.trial_flow import State, TrialFlow
from ctmri_gui.studies.reading.trial_page import TrialPage
from ctmri_gui.theme import apply_theme

_LEAST_TEXT, _MOST_TEXT = 12, 24
_WRITING = "This is being written; the disk takes its time. It goes on by itself."
_ANCHORS = "Write these down: with them anybody can show that nothing was changed"
_WARN_BEFORE = {
    "two_alternatives": "One of the two pictures comes from a scanner, the other was made by a computer.",
    "yes_no": "The share of synthetic pictures is not told, and counting does not help.",
}


class ReadingWindow(QWidget):
    """Reads `reading` from its first trial without an answer on, and closes it with itself."""

    def __init__(self, reading: Reading) -> None:
        super().__init__()
        self._reading = reading
        self.setWindowTitle(reading.protocol.title)
        self.setObjectName("reading")
        self._pages = QStackedWidget()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._pages)
        self.trial_page = TrialPage(reading.protocol)
        self._pages.addWidget(self.trial_page)
        self.flow = TrialFlow(reading, self.trial_page)
        self._pattern = PatternPage()
        self._note = ""
        self._first = reading.facts is None
        self._begun = False
        """This sitting stands in the record, and not yet its end."""
        self._connect()
        self.resize(1280, 760)
        QTimer.singleShot(0, self, self._begin)

    @property
    def page(self) -> QWidget | None:
        """What is shown now."""
        return self._pages.currentWidget()

    def _connect(self) -> None:
        flow = self.flow
        flow.ended.connect(self._end)
        flow.testBegins.connect(self._announce_test)
        flow.breakDue.connect(self._offer_break)
        flow.paused.connect(self._show_pause)
        flow.refused.connect(self._show_refusal)
        for keys, act in (("F11", self._toggle_full), ("F1", self._show_keys), ("Ctrl++", lambda: self._scale_text(1)),
                          ("Ctrl+=", lambda: self._scale_text(1)), ("Ctrl+-", lambda: self._scale_text(-1))):  # fmt: skip
            QShortcut(QKeySequence(keys), self).activated.connect(act)

    # Before the trials ------------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        protocol = self._reading.protocol
        if self._reading.next_trial is None:
            self._end()
        elif not self._first:
            done, of = len(self._reading.answers), len(self._reading.trials)
            said = f"{done} of {of} trials are done. Your monitor once more, then it goes on where you stopped."
            self._show(Page("Welcome back", said), self._ask_pattern)
        elif protocol.consent:
            self._show(ConsentPage(protocol.title, protocol.about, protocol.consent), self._ask_pattern)
        else:
            self._show(Page(protocol.title, protocol.about or protocol.question), self._ask_pattern)

    def _ask_pattern(self) -> None:
        self._show(self._pattern, self._ask_facts if self._first else self._start)

    def _ask_facts(self) -> None:
        code, monitor = self._reading.reader, self._monitor()
        page = FactsPage(code, f"{monitor.width} × {monitor.height} pixels and {monitor.depth} bits")

        def introduce() -> None:
            self._note = page.note
            self._attempt(page, lambda: self._reading.introduce(page.facts(code)), self._teach)

        self._show(page, introduce)

    def _teach(self) -> None:
        protocol = self._reading.protocol
        practice = sum(trial.block == "practice" for trial in self._reading.trials)
        told = " After each you are told what was right." if self._reading.order.feedback else ""
        texts = [_WARN_BEFORE.get(protocol.design, "")]
        texts += [f"{trials_of(practice, 'is', 'are')} for practice.{told}" if practice else ""]
        self._show(KeysPage(protocol.question, key_rows(protocol), *(text for text in texts if text)), self._start)

    def _start(self) -> None:
        page = self.page
        if isinstance(page, Page):
            self._attempt(page, lambda: self._reading.begin(self._monitor()), self._read)

    def _read(self) -> None:
        self._begun = True
        self._pages.setCurrentWidget(self.trial_page)
        self.flow.go_on()

    def _monitor(self) -> Monitor:
        screen = self.screen()
        ratio, size = screen.devicePixelRatio(), screen.size()
        return Monitor(width=max(round(size.width() * ratio), 1), height=max(round(size.height() * ratio), 1), pixel_ratio=ratio,
                       depth=max(screen.depth(), 1), note=self._note[:400], patches=self._pattern.patches)  # fmt: skip

    # Between and after them -------------------------------------------------------------------------------------------

    def _announce_test(self) -> None:
        count = sum(trial.block == "test" for trial in self._reading.trials)
        untold = ", in which you are not told what is right" if self._reading.order.feedback else ""
        said = f"The practice is over. {trials_of(count, 'follows', 'follow')}{untold}."
        back = "" if self._reading.protocol.go_back else " No answer can be changed afterwards."
        self._show(Page("The test begins", said + back), self._read)

    def _offer_break(self) -> None:
        every = self._reading.protocol.break_every
        minutes = "a minute" if every == 1 else f"{every:g} minutes"
        said = f"You have read for {minutes}. Rest your eyes; no time counts. All answers are saved."
        self._show(Page("A break", said, other="End for today"), self._read, self.close)

    def _show_pause(self) -> None:
        self._show(Page("Pause", "The picture is hidden and no time counts.", other="End for today"), self._read, self.close)

    def _show_keys(self) -> None:
        if self.flow.state is State.LOOKING:
            self.flow.pause()
            protocol = self._reading.protocol
            self._show(KeysPage(protocol.question, key_rows(protocol)), self._read)

    def _show_refusal(self, words: str) -> None:
        self._show(Page("A picture cannot be read", words, go_on="Try again", other="Close"), self._read, self.close)

    def _end(self) -> None:
        if self._begun:
            self._begun = False
            self.flow.writing.write(self._reading.finish, self._thank, lambda _: self._thank())
        else:
            self._thank()

    def _thank(self) -> None:
        anchors = self._reading.anchors
        record = self._reading.record.path
        facts = [(_ANCHORS, "\n".join(map(str, anchors)))] if anchors else []
        if record.suffix == ANSWERS:
            facts.insert(0, ("Send back this file", str(record)))
        self._show(EndPage(len(self._reading.answers), len(self._reading.trials), facts), self.close)

    # Parts ------------------------------------------------------------------------------------------------------------

    def _show(self, page: Page, done: Callable[[], object], other: Callable[[], object] | None = None) -> None:
        """A page; the one before is let go, but for the trials and the pattern."""
        before = self.page
        page.done.connect(done)
        if other is not None:
            page.other.connect(other)
        self._pages.addWidget(page)
        self._pages.setCurrentWidget(page)
        page.take_keys()
        if isinstance(before, Page) and before is not page:
            self._pages.removeWidget(before)
            if before is not self._pattern:
                before.deleteLater()

    def _attempt(self, page: Page, act: Callable[[], object], then: Callable[[], object]) -> None:
        """Writes something; what prevents it stands on the page, where Enter tries again."""
        if not self.flow.writing.busy and not self.flow.writing.write(act, then, page.say):
            page.say(_WRITING)

    def say(self, words: str) -> None:
        """What went wrong and is nobody's fault here."""
        page = self.page
        if isinstance(page, Page):
            page.say(words)
        else:
            self.trial_page.panel.say(words, "error")

    def _toggle_full(self) -> None:
        (self.showNormal if self.isFullScreen() else self.showFullScreen)()

    def _scale_text(self, more: int) -> None:
        app = QApplication.instance()
        if isinstance(app, QApplication):
            size = min(max(app.font().pixelSize() + more, _LEAST_TEXT), _MOST_TEXT)
            apply_theme(app, app.property("palette_name") or "dark", size)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.ActivationChange:
            self.flow.look_away(not self.isActiveWindow())
        super().changeEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        if not self.flow.save_the_last() and not self._may_lose():
            event.ignore()
            return
        hangs = self.flow.writing.busy
        self.flow.close()
        if not hangs:  # else the process holds the record until the disk answers
            if self._begun:
                self._reading.finish()
            self._reading.close()
        super().closeEvent(event)

    def _may_lose(self) -> bool:
        asked = "Your last answer is not saved: there may be no room on the disk. Close all the same? The trial then comes again."
        buttons = QMessageBox.StandardButton
        chosen = QMessageBox.question(self, self.windowTitle(), asked, buttons.Close | buttons.Cancel, buttons.Cancel)
        return chosen == buttons.Close


def trials_of(count: int, one: str, more: str) -> str:
    """`1 trial is`, `2 trials are`."""
    return f"1 trial {one}" if count == 1 else f"{count} trials {more}"
