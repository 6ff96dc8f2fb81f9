"""From one trial to the next: shows, times, saves. No trial is shown before the answer to the last one is on the disk."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from enum import Enum, auto
from functools import partial
from time import perf_counter

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from ctmri_core.studies.reading import Reading, what_is_missing
from ctmri_core.studies.trials import Answer, Trial
from ctmri_gui.studies.reading.shelf import Shelf
from ctmri_gui.studies.reading.trial_clock import TrialClock
from ctmri_gui.studies.reading.trial_page import TrialPage
from ctmri_gui.studies.reading.writing import Writing

GAP_MS = 100
"""From Enter to the next picture, at least: so a picture that was read quickly from the disk comes no sooner than others."""
_TICK_MS = 50
_TRY_AGAIN_MS = 5_000
_CLOSING_S = 3.0
_SAVING = "Your answer is being saved; the disk takes its time. It goes on by itself."
_RIGHT = {"0": "the one on the left", "1": "the one on the right"}


class State(Enum):
    """`IDLE` between blocks and at the end, `WAITING` for pictures, `LOOKING`, `UNSAVED` answer, `TOLD` what was right."""

    IDLE = auto()
    WAITING = auto()
    LOOKING = auto()
    UNSAVED = auto()
    TOLD = auto()
    PAUSED = auto()


class TrialFlow(QObject):
    """Signals: `ended()` when every trial is answered; `testBegins()` before the test, `breakDue()`, `paused()`: `go_on` follows;
    `refused(str)`: pictures cannot be read, `go_on` tries again."""

    ended = Signal()
    testBegins = Signal()
    breakDue = Signal()
    paused = Signal()
    refused = Signal(str)

    def __init__(self, reading: Reading, page: TrialPage, *, now: Callable[[], float] = perf_counter) -> None:
        super().__init__(page)
        self._reading, self._page, self._now = reading, page, now
        self._shelf = Shelf(reading.voxels, self)
        self.writing = Writing(self)
        self.state = State.IDLE
        self.trial: Trial | None = None
        self._clock = TrialClock(now)
        self._asked = now()
        self._rested: float | None = None  # until a picture stands there: pages before, and a break itself, are no reading
        self._entered: float | None = None
        self._shown_at = ""
        self._load_ms = 0.0
        self._unsaved: Answer | None = None
        self._on_its_way = False
        self._paused_at = now()
        self._greeted = any(trial.block == "test" and trial.token in reading.answers for trial in reading.trials)
        self._gone = False
        self._tick, self._retry, self._gap = QTimer(self), QTimer(self), QTimer(self)
        self._gap.setSingleShot(True)
        self._gap.setTimerType(Qt.TimerType.PreciseTimer)
        self._gap.timeout.connect(self._show_if_there)
        self._tick.setInterval(_TICK_MS)
        self._retry.setInterval(_TRY_AGAIN_MS)
        self._tick.timeout.connect(self._watch_time)
        self._retry.timeout.connect(self._save)
        self._connect()

    def _connect(self) -> None:
        page = self._page
        self._shelf.ready.connect(self._show_if_there, Qt.ConnectionType.QueuedConnection)
        self._shelf.failed.connect(self._refuse, Qt.ConnectionType.QueuedConnection)
        page.area.stood.connect(self._begin_time)
        page.area.acted.connect(lambda: self._clock.act())
        page.submitted.connect(self.submit)
        page.pauseAsked.connect(self.pause)
        page.backAsked.connect(self.go_back)

    # From trial to trial ----------------------------------------------------------------------------------------------

    def go_on(self) -> None:
        """Shows the first trial without an answer, goes on with the one that was paused, or says that there is none left."""
        if self.state is State.PAUSED:
            self._resume()
            return
        trial = self._reading.next_trial
        if trial is None:
            self.trial, self.state = None, State.IDLE
            self._page.area.clear()
            self.ended.emit()
        elif trial.block == "test" and not self._greeted:
            self._greeted, self.state = True, State.IDLE
            if any(one.block == "practice" for one in self._reading.trials):
                self._entered = None
                self.testBegins.emit()
            else:
                self.show(trial)
        else:
            self.show(trial)

    def show(self, trial: Trial) -> None:
        """Takes the last pictures away, and brings these after the same short while as all others."""
        page = self._page
        self.trial, self.state = trial, State.WAITING
        self._clock, self._gone = TrialClock(self._now), False
        self._clock.look_away(not page.window().isActiveWindow())
        page.area.clear()
        block = [one for one in self._reading.trials if one.block == trial.block]
        done = sum(one.token in self._reading.answers for one in block)
        page.panel.begin(trial, done=done, of=len(block), may_go_back=self._before(trial) is not None)
        if self._entered is None:
            self._entered = self._now()
        self._asked, self._entered = self._entered, None
        self._shelf.want(trial, self._after(trial))
        self._gap.start(max(round(GAP_MS - 1000 * (self._now() - self._asked)), 0))

    def submit(self) -> None:
        """Enter: saves the answer and goes on, or says what is missing."""
        if self.state is State.TOLD:
            self._entered = self._now()
            self._go_on_or_rest()
        elif self.state is State.UNSAVED:
            self._save()
        elif self.state is State.LOOKING and self.trial is not None:
            answer = self._answer(self.trial)
            missing = self._missing(self.trial, answer)
            if missing:
                self._page.panel.say(missing)
                self._lead_to_gap(self.trial, answer)
                return
            self._clock.run(False)
            self._tick.stop()
            self._entered = self._now()
            self._unsaved, self.state = answer, State.UNSAVED
            self._save()

    def pause(self) -> None:
        """Takes the picture away; no time counts until `go_on`."""
        if self.state is State.LOOKING:
            self._clock.run(False)
            self._tick.stop()
            self.state = State.PAUSED
            self._paused_at = self._now()
            self.paused.emit()

    def go_back(self) -> None:
        """To the trial before this one, where the protocol allows it."""
        before = self._before(self.trial) if self.state is State.LOOKING and self.trial is not None else None
        if before is not None:
            self.show(before)

    def look_away(self, away: bool) -> None:
        """Whether another window has the keys now."""
        self._clock.look_away(away)

    @property
    def has_unsaved(self) -> bool:
        return self._unsaved is not None

    def save_the_last(self) -> bool:
        """Whether every answer that was given is on the disk. One that is not is tried once more, and goes on being tried."""
        self._save()
        self.writing.wait(_CLOSING_S)
        return not self.has_unsaved

    def close(self) -> None:
        """Nothing more is shown."""
        self.writing.close()
        for timer in (self._tick, self._retry, self._gap):
            timer.stop()
        self.state = State.IDLE
        self._shelf.close()

    # One trial --------------------------------------------------------------------------------------------------------

    def _show_if_there(self) -> None:
        if self.state is not State.WAITING or self.trial is None or self._page.area.panes_wait:
            return
        pictures = self._shelf.pictures(self.trial)
        if pictures is None or self._gap.isActive():
            return
        captions = self._page.panel.choice.captions(len(pictures))
        self._page.area.show_pictures(pictures, self._reading.item(self.trial.items[0]).spacing, captions)

    def _begin_time(self) -> None:
        """The pictures stand on the screen."""
        if self.state is not State.WAITING or self.trial is None:
            return
        self.state = State.LOOKING
        self._clock.run(True)
        self._rested = self._now() if self._rested is None else self._rested
        self._shown_at = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._load_ms = 1000 * (self._now() - self._asked)
        before = self._reading.answers.get(self.trial.token)
        if before is not None:
            self._page.panel.put(before)
            self._page.places.put(before.marks)
        self._page.lock(False)
        self._page.look()
        self._tick.start()

    def _watch_time(self) -> None:
        """The button says how long the picture must be looked at; after the longest time it goes."""
        display, panel = self._reading.protocol.display, self._page.panel
        left = display.least_seconds - self._looked_ms / 1000
        panel.submit.setText("Next  (Enter)" if left <= 0 else f"Look, {left:.0f} s" if left >= 1 else "Look …")
        if left <= 0 and panel.told.text() == self._too_soon:
            panel.say("")
        if 0 < display.most_seconds * 1000 <= self._clock.elapsed_ms and not self._gone:
            self._gone = True
            self._page.area.clear("The time for looking is over. Answer now.")

    @property
    def _too_soon(self) -> str:
        return f"Look at the picture for {self._reading.protocol.display.least_seconds:g} s first."

    @property
    def _looked_ms(self) -> float:
        return self._clock.elapsed_ms - self._clock.focus_lost_ms

    def _resume(self) -> None:
        self.state = State.LOOKING
        paused = 1000 * (self._now() - self._paused_at)
        if self.trial is not None:
            noted = partial(self._reading.note, "pause", trial=self.trial.token, ms=round(paused))
            self.writing.write(noted, _nothing, _nothing)  # a full disk shows at the answer, which matters
        self._rested = self._now()
        self._clock.run(True)
        self._tick.start()
        self._page.look()

    def _refuse(self, words: str) -> None:
        if self.state is State.WAITING and self.trial is not None and self._shelf.pictures(self.trial) is None:
            self.state = State.IDLE
            self.refused.emit(words)

    # Answers ----------------------------------------------------------------------------------------------------------

    def _answer(self, trial: Trial) -> Answer:
        panel, clock = self._page.panel, self._clock
        return Answer(
            reader=self._reading.reader, session=self._reading.session, trial=trial.token, choice=panel.choice.choice,
            confidence=panel.choice.confidence, reasons=panel.ticked, marks=tuple(self._page.places.marks),
            questions=panel.questions, shown_at=self._shown_at, first_action_ms=clock.first_action_ms,
            response_ms=clock.elapsed_ms, focus_lost_ms=clock.focus_lost_ms, load_ms=self._load_ms,
            viewing=self._page.area.viewing,
        )  # fmt: skip

    def _missing(self, trial: Trial, answer: Answer) -> str:
        if self._looked_ms < 1000 * self._reading.protocol.display.least_seconds:
            return self._too_soon
        return self._missing_of_design(trial, answer) or what_is_missing(self._reading.protocol, trial, answer)

    def _missing_of_design(self, trial: Trial, answer: Answer) -> str:
        """Questions beside it left out."""
        if _unmarked(answer):
            return "Mark where it is: click on it, or arrows and Space."
        return what_is_missing(self._reading.protocol.model_copy(update={"questions": ()}), trial, answer)

    def _lead_to_gap(self, trial: Trial, answer: Answer) -> None:
        """What is missing comes into sight, and has the keys."""
        if self._missing_of_design(trial, answer):
            self._page.panel.show_top()
            self._page.look()
            if _unmarked(answer):
                self._page.ask_mark()
        else:
            self._page.panel.go_to_open_question()

    def _save(self) -> None:
        """On the disk, or kept here and tried again."""
        answer = self._unsaved
        if answer is None or self._on_its_way:
            return
        self._on_its_way = True
        self.writing.write(partial(self._reading.answer, answer), self._go_on_after_saving, self._try_again_soon)
        if self._on_its_way:
            self._page.lock(True)
            self._page.panel.submit.setText("Saving …")
            self._page.panel.say(_SAVING, "muted")

    def _try_again_soon(self, words: str) -> None:
        self._on_its_way, self._entered = False, None
        panel = self._page.panel
        self._page.lock(True)
        panel.submit.setText("Try again  (Enter)")
        panel.say(f"Not saved yet: {words} Your answer is kept here; it is tried again every 5 s.", "error")
        self._retry.start()

    def _go_on_after_saving(self) -> None:
        self._retry.stop()
        self._on_its_way, self._unsaved = False, None
        panel = self._page.panel
        panel.submit.setText("Next  (Enter)")
        if self.trial is None:
            return
        right = self._reading.right(self.trial)
        if right is None:
            self._go_on_or_rest()
            return
        self.state, self._entered = State.TOLD, None
        self._page.lock(True)
        hit, words = right == self._reading.answers[self.trial.token].choice, _RIGHT.get(right, right)
        panel.say(f"Correct: it is {words}." if hit else f"No: it is {words}.", "good" if hit else "warning")

    def _go_on_or_rest(self) -> None:
        every = self._reading.protocol.break_every
        read = 0.0 if self._rested is None else self._now() - self._rested
        if every and self._reading.next_trial is not None and read >= 60 * every:
            self.state, self._entered = State.IDLE, None
            self._rested = None
            self._page.area.clear()
            self.breakDue.emit()
        else:
            self.go_on()

    # Order ------------------------------------------------------------------------------------------------------------

    def _after(self, trial: Trial) -> Trial | None:
        """The one that is shown when this one is answered."""
        answered = self._reading.answers
        return next((one for one in self._reading.trials if one.token not in answered and one is not trial), None)

    def _before(self, trial: Trial) -> Trial | None:
        trials = self._reading.trials
        place = trials.index(trial)
        before = trials[place - 1] if place else None
        return before if before is not None and before.block == trial.block and self._reading.may_change(before) else None


def _nothing(*_: object) -> None:
    """Whether it was written or not."""


def _unmarked(answer: Answer) -> bool:
    """A finding that is said to be there, and no place of it."""
    return answer.choice == "present" and not any(mark.label == "" for mark in answer.marks)
