"""What the main window has to do with training: the way there, a run that goes on, models of runs, and the end of the program.

Everything of training is imported only when it is needed: the window stands before.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QMessageBox, QWidget

from ctmri_core.events import Event, Finished, Validated
from ctmri_gui.jobs import work
from ctmri_gui.messages import Kind, MessageBars
from ctmri_gui.panels.asking import ask
from ctmri_gui.run_places import run_places
from ctmri_gui.session import Session
from ctmri_gui.settings import Settings

if TYPE_CHECKING:
    from ctmri_core.training.runs import RunSummary
    from ctmri_gui.training.live_run import LiveRun
    from ctmri_gui.training.training_window import TrainingWindow
    from ctmri_gui.training.trainings import Trainings

_LEFT = (
    "Training cannot go on once the program is closed. Its state is kept, so the run can be resumed later; ending it takes at"
    " most ten seconds."
)


class TrainingLink(QObject):
    """Lives as long as the main window. `trainings` and `window` are made when they are first asked for."""

    def __init__(self, session: Session, settings: Settings, bars: MessageBars, main: QWidget) -> None:
        super().__init__(main)
        self._session, self._settings, self._bars, self._main = session, settings, bars, main
        self._trainings: Trainings | None = None
        self._window: TrainingWindow | None = None
        self._agreed = False

    # Showing ----------------------------------------------------------------------------------------------------------

    @property
    def trainings(self) -> Trainings:
        if self._trainings is None:
            from ctmri_gui.training.trainings import Trainings

            self._trainings = Trainings(self._session.jobs, parent=self, settings=self._settings)
            self._trainings.begun.connect(self._begun)
            self._trainings.ended.connect(self._ended)
            self._trainings.listed.connect(self._session.library.refresh)
        return self._trainings

    @property
    def window(self) -> TrainingWindow:
        if self._window is None:
            from ctmri_gui.training.training_window import TrainingWindow

            self._window = TrainingWindow(self._session, self._settings, self.trainings)
            self._window.modelWanted.connect(self._raise_main)
        return self._window

    @property
    def live(self) -> LiveRun | None:
        """The run that goes on."""
        return self._trainings.live if self._trainings is not None else None

    def open(self) -> None:
        """Shows the training window; at the run that goes on, where there is one."""
        if self.live is not None:
            self.window.show_current()
        self.window.present()

    def open_with(self, data: str) -> None:
        """Shows a new run that learns from the prepared folder `data`."""
        self.window.take_data(data)
        self.window.present()

    def _show_current(self) -> None:
        self.window.show_current()
        self.window.present()

    def _raise_main(self) -> None:
        self._main.raise_()
        self._main.activateWindow()

    # Runs -------------------------------------------------------------------------------------------------------------

    def _begun(self, run: LiveRun) -> None:
        self._session.library.runs = run_places(self._settings)
        run.heard.connect(self._heard)
        if run.state is not None:
            run.state.show = self._show_current

    def _heard(self, event: Event) -> None:
        if isinstance(event, Validated) and event.best:
            self._session.library.refresh()

    def _ended(self, run: LiveRun, end: Finished) -> None:
        """The run's models are listed with the runs, which are read again now."""
        if end.reason == "completed" and (self._window is None or not self._window.isVisible()):
            offer = ("See the verdict", partial(self._show_verdict, run))
            self._bars.show_message(f"{run.title}: the run {run.folder.name} is done.", Kind.WARNING, offers=[offer])

    def _show_verdict(self, run: LiveRun) -> None:
        self.window.show_verdict(run.folder)
        self.window.present()

    # After an unclean end ---------------------------------------------------------------------------------------------

    def look_for_interrupted(self) -> None:
        """Offers to resume a run that ended without a word; a cheap look in the background."""
        begin = partial(work.find_interrupted, self._session.library.runs)
        self._session.jobs.run("Look for interrupted runs", begin, on_result=self._offer, listed=False)

    def _offer(self, runs: tuple[RunSummary, ...]) -> None:
        known = set(self._settings["training_not_now"])
        wanted = [run for run in runs if _token(run) not in known]
        if not wanted or wanted[0].plan is None:
            return
        run, more = wanted[0], len(wanted) - 1
        others = f" {more} more are in the list of runs." if more else ""
        what = f"{wanted[0].plan.card.title}, {wanted[0].plan.direction.label}, {run.iteration} steps"
        text = f"The training run {run.folder.name} ({what}) was interrupted: the program or the power went.{others}"

        def resume() -> None:
            self._bars.close_message(text)
            self.trainings.resume(run.folder)
            self._show_current()

        def not_now() -> None:
            self._bars.close_message(text)
            self._settings["training_not_now"] = (*self._settings["training_not_now"], *map(_token, wanted))
            self._settings.save()

        self._bars.show_message(text, Kind.WARNING, offers=[("Resume training", resume), ("Not now", not_now)])

    # Ending -----------------------------------------------------------------------------------------------------------

    def may_close(self) -> bool:
        """Whether the program may end now. While a run goes on, asks; where the person agrees, the window closes then."""
        run = self.live
        if run is None or self._agreed:
            return True
        ask(
            self._main, "A run goes on", f"The run {run.folder.name} goes on.", _LEFT,
            yes="&Stop, keep the state and close", no="Cancel", then=self.end, name="closing_question",
            icon=QMessageBox.Icon.Question, harm=False,
        )  # fmt: skip
        return False

    def end(self) -> None:
        """Ends the run, if one goes on, keeping its state, and closes the main window; asks nobody."""
        self._agreed = True
        if self.live is not None:
            self.live.ask("stop")
        self._main.close()

    def close(self) -> None:
        """Closes the training window for good."""
        if self._window is not None:
            self._window.close_for_good()


def _token(run: RunSummary) -> str:
    """Another one once the run was resumed and interrupted again."""
    return f"{run.folder.name}/{run.iteration}"
