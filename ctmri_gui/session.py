"""What the window is about: the cases that are open, the one on the screen, and the work under way. Knows no widget.

Widgets call the intents (`open_paths`, `translate`, `save`, ...) and follow the signals, which tell of the case on the screen.
What comes of work on another case goes there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from PySide6.QtCore import QObject, Signal

from ctmri_core.domain import Domain
from ctmri_core.volume import Finding, Volume
from ctmri_gui.cases.arrivals import Arrivals
from ctmri_gui.cases.case import Case
from ctmri_gui.cases.cases import Cases
from ctmri_gui.changes import Changes
from ctmri_gui.jobs import work
from ctmri_gui.jobs.latest import Latest
from ctmri_gui.jobs.queue import Jobs, JobState
from ctmri_gui.models.importing import Importing, is_of_others
from ctmri_gui.models.library import Library
from ctmri_gui.models.terms import Terms
from ctmri_gui.open_files import KEPT, writes_over
from ctmri_gui.openings import Opening, Openings
from ctmri_gui.origins import Origins
from ctmri_gui.run_places import run_places
from ctmri_gui.settings import Settings
from ctmri_gui.translating.made import Beside, Made
from ctmri_gui.translating.save_work import paths_beside, save_with
from ctmri_gui.translating.several import in_turns, why_not_together
from ctmri_gui.translating.wanted import wanted
from ctmri_gui.translation import Doubt, Row, Translation, why_not
from ctmri_gui.viewer.body.bodies import Bodies
from ctmri_gui.viewer.roles import Pair, Role

if TYPE_CHECKING:
    from ctmri_core.comparison import Comparison
    from ctmri_core.model_card import ModelEntry

MODEL_SUFFIX = ".safetensors"


class Session(QObject):
    """The model behind the window. Its signals are those of the case on the screen."""

    caseChanged = Signal()  # another case is on the screen: what was shown is gone; `volumeChanged` follows for every role
    volumeChanged = Signal(object, object)  # Role, Volume | None
    scanOpened = Signal()
    comparisonChanged = Signal(object)  # Comparison | None
    groundChanged = Signal()  # how the truth lies on the source is known, or no longer
    translationChanged = Signal(object)  # JobState | None
    translationDoubted = Signal(object)  # Doubt
    translationStopped = Signal(object, object)  # Made: a part of it, and the Volume it was made from
    modelsBegun = Signal(int)  # so many models begin to translate the source in turn
    previewed = Signal(object, object)  # Role, Volume: one slice of what will lie there; for looking at only
    previewOver = Signal()
    demoTold = Signal(str)  # how far the making of the demo case is; empty once it is over
    somethingElse = Signal()  # what was said about the scans before no longer matters
    failed = Signal(str)
    noted = Signal(str)
    done = Signal(str)
    saved = Signal(object)  # Path

    def __init__(self, settings: Settings, folders: Sequence[Path] | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.settings = settings
        self.jobs = Jobs(self)
        self.jobs.noted.connect(self.noted)
        self.jobs.failed.connect(self.failed)
        self.library = Library(self.jobs, folders, self, runs=run_places(settings))
        self.library.changed.connect(self._models_listed)
        self.library.chose.connect(self._model_chosen)
        self.library.added.connect(
            lambda name: self.done.emit(f"{name} is in the list of models now. It is unverified: nobody here has tested it.")
        )
        self.terms = Terms(self.jobs, self.library, settings, self)
        self.importing = Importing(self.jobs, self.library, self)
        self.bodies = Bodies(self)
        self.origins = Origins()
        self.openings = Openings(self.jobs, lambda: any(not case.empty for case in self.cases.all), self)
        self.cases = Cases(self._make_case, self)
        self.cases.left.connect(self._leave)
        self.cases.entered.connect(self._enter)
        self._hear(self.cases.current)
        self.arrivals = Arrivals(self.cases, self.openings, self.library, settings, self.origins)
        self.arrivals.arrived.connect(self.scanOpened)
        self.arrivals.previewed.connect(self.previewed)
        self.arrivals.previewOver.connect(self.previewOver)
        self._demo = Latest(self.jobs)
        self._demo_run: JobState | None = None
        self.jobs.changed.connect(self._follow_demo)

    # The case on the screen -------------------------------------------------------------------------------------------

    @property
    def volumes(self) -> dict[Role, Volume | None]:
        return self.cases.current.volumes

    @property
    def synthetic_source(self) -> Volume | None:
        """What the synthetic volume was made from, where it was made here."""
        return self.cases.current.synthetic_source

    @property
    def made(self) -> Made | None:
        """All that came of the translation that is shown, where it was made here."""
        return self.cases.current.made

    @property
    def comparison(self) -> Comparison | None:
        return self.cases.current.comparison

    @property
    def comparisons(self) -> Mapping[Pair, Comparison]:
        """Of all pairs that can be compared, as far as they were looked at."""
        return self.cases.current.comparisons

    def made_from(self, role: Role) -> Volume | None:
        """See `Case.made_from`."""
        return self.cases.current.made_from(role)

    @property
    def translation(self) -> Translation:
        return self.cases.current.translation

    @property
    def changes(self) -> Changes:
        return self.cases.current.changes

    @property
    def previewing(self) -> bool:
        """Whether the panes show what is not open yet."""
        return self.arrivals.previews_in(self.cases.current)

    def place(self, volume: Volume, asked: Role | None = None) -> None:
        """See `Case.place`."""
        self.cases.current.place(volume, asked)

    def place_together(self, volumes: Sequence[Volume]) -> None:
        """See `Case.place_together`."""
        self.cases.current.place_together(volumes)
        self.scanOpened.emit()

    def show_scored(self, source: Volume | None, made: Made, truth: Volume | None) -> None:
        """Shows a case of an evaluation or a study, with what a model made of it, in a case of its own."""
        self.somethingElse.emit()
        home = self.cases.begin()
        home.place_scored(source, made, truth)
        self.cases.show(home)
        self.scanOpened.emit()

    def set_domain(self, role: Role, domain: Domain) -> None:
        """Corrects what a volume is, where its file could not say."""
        self.cases.current.set_domain(role, domain)

    def warnings(self, role: Role) -> tuple[Finding, ...]:
        """What must stand on the pane."""
        return self.cases.current.warnings(role)

    def offers(self, role: Role) -> dict[str, str]:
        """By kind of warning, what can be done about it."""
        return self.cases.current.offers(role)

    # All cases --------------------------------------------------------------------------------------------------------

    @property
    def open_volumes(self) -> tuple[Volume, ...]:
        """Of all cases."""
        return tuple(volume for case in self.cases.all for volume in case.held)

    @property
    def open_files(self) -> tuple[Path, ...]:
        """The files and folders that the volumes here were read from; they are never written over."""
        return tuple({volume.path: None for volume in self.open_volumes if volume.path is not None})

    def show_case(self, case: Case) -> None:
        if case is not self.cases.current:
            self.somethingElse.emit()
            self.cases.show(case)

    def step_case(self, forward: int) -> None:
        """To the next case, or the one before."""
        if self.cases.others:
            self.somethingElse.emit()
            self.cases.step(forward)

    def close_case(self, case: Case | None = None) -> None:
        """Ends `case`, or the one on the screen, and gives up what is being opened for it."""
        case = case or self.cases.current
        if case is self.cases.current:
            self._demo.drop()
            self.somethingElse.emit()
        self.openings.drop(case)
        self.cases.close(case)

    def close_all_cases(self) -> None:
        """Lets go of everything that is open or being opened."""
        self._demo.drop()
        self.openings.stop()
        self.somethingElse.emit()
        self.cases.close_all()

    def _make_case(self, number: int) -> Case:
        case = Case(number, self.jobs, self.library, self.origins, self.openings.spacings)
        case.sourcePlaced.connect(self._source_placed)
        case.noted.connect(self.noted)
        return case

    def _hear(self, case: Case) -> None:
        case.volumeChanged.connect(self.volumeChanged)
        case.comparisonChanged.connect(self.comparisonChanged)
        case.groundChanged.connect(self.groundChanged)
        case.translationChanged.connect(self.translationChanged)
        case.translationDoubted.connect(self.translationDoubted)
        case.translationStopped.connect(self.translationStopped)

    def _leave(self, case: Case) -> None:
        case.volumeChanged.disconnect(self.volumeChanged)
        case.comparisonChanged.disconnect(self.comparisonChanged)
        case.groundChanged.disconnect(self.groundChanged)
        case.translationChanged.disconnect(self.translationChanged)
        case.translationDoubted.disconnect(self.translationDoubted)
        case.translationStopped.disconnect(self.translationStopped)
        if self.arrivals.previews_in(case):
            self.previewOver.emit()

    def _enter(self, case: Case) -> None:
        self._hear(case)
        self.caseChanged.emit()
        self._show_model(case)
        for role in Role:
            self.volumeChanged.emit(role, case.volumes[role])
        self.comparisonChanged.emit(case.comparison)
        self.translationChanged.emit(case.translation.state)
        self.arrivals.show_previews()

    # Opening ----------------------------------------------------------------------------------------------------------

    def open_paths(self, paths: Sequence[Path], role: Role | None = None, *, alone: bool = False) -> None:
        """Opens scans (one after another, in the order asked) and adds model files. `alone`: in a case of their own; else `role`
        says where, or what is known of them does (docs/decisions/0012)."""
        for path in paths:
            if path.suffix == MODEL_SUFFIX:
                self.library.add(path)
            elif is_of_others(path):
                self.importing.look_at(path)
        scans = tuple(path for path in paths if path.suffix != MODEL_SUFFIX and not is_of_others(path))
        if scans:
            if not self.openings.busy:
                self.somethingElse.emit()
            self._demo.drop()
            self.openings.add(Opening(scans, None if alone else role, self.cases.current, alone))

    def open_demo(self) -> None:
        """Shows the digital head in a case of its own, in place of whatever is being opened, and translates it."""
        self.openings.stop()
        self.somethingElse.emit()
        if self._demo.state is None or not self._demo.state.running:  # pressing again does not begin again
            self._demo_run = self._demo.ask("Demo case", work.make_demo_case, self.arrivals.place_demo)

    def _follow_demo(self, state: JobState) -> None:
        if state is self._demo_run and not self.openings.busy:
            self.demoTold.emit(state.text if state is self._demo.state and state.running else "")

    def make_room(self, opening: Opening, closed: Sequence[Case]) -> None:
        """Closes cases before a scan is loaded for which memory is short; without any it is tried all the same."""
        for case in closed:
            self.close_case(case)
        self.openings.load(opening)

    # Translation ------------------------------------------------------------------------------------------------------

    def translate(self) -> None:
        """Translates the source with the chosen model; what runs already is given up."""
        problem, model = self.translation_problem, self.library.chosen
        if problem or model is None:
            self.failed.emit(problem)
        else:
            self._start_translation(self.cases.current, model)

    def translate_all_the_same(self, doubt: Doubt) -> None:
        """Translates what there was a doubt about, if it is still on the screen."""
        case = self.cases.current
        if doubt.of_terms:
            self.terms.agree(doubt.entry)
        if case.translation.go_on(doubt, all_the_same=True):
            return
        if case.volumes[Role.SOURCE] is doubt.source and case.model is doubt.entry:
            self._start_translation(case, doubt.entry, all_the_same=True)

    def leave_out(self, doubt: Doubt) -> None:
        """Goes on without the model that there was a doubt about, where others wait."""
        for case in self.cases.all:
            case.translation.go_on(doubt, all_the_same=False)

    def compare_models(self) -> None:
        """Translates the source with all marked models, one after another; what runs already is given up."""
        problem, source = self.comparing_problem, self.volumes[Role.SOURCE]
        if problem or source is None:
            self.failed.emit(problem)
            return
        case, models = self.cases.current, self.library.marked
        case.drop_further()
        turns = in_turns(models, self.wanted_of)
        case.translation.start_row(Row(source, turns, self._whose(case), self.bodies.wanted(source)))
        self.modelsBegun.emit(len(turns))

    @property
    def comparing_problem(self) -> str:
        """Why the marked models cannot be compared now, in words; empty when they can."""
        if self.previewing:
            return "A scan is being opened."
        return why_not_together(self.volumes[Role.SOURCE], self.library.marked)

    def drop_models(self) -> None:
        """Lets go of what the further models made of the source on the screen."""
        self.cases.current.drop_further()

    @property
    def translation_doubt(self) -> Doubt | None:
        """Why what is on the screen was not translated with the chosen model."""
        doubt = self.translation.doubt
        fits = doubt is not None and doubt.source is self.volumes[Role.SOURCE] and doubt.entry is self.library.chosen
        return doubt if fits else None

    def cancel_translation(self) -> None:
        self.translation.cancel()

    @property
    def translation_problem(self) -> str:
        """Why the source cannot be translated now, in words; empty when it can."""
        if self.previewing:
            return "A scan is being opened."
        return why_not(self.volumes[Role.SOURCE], self.library.chosen)

    def wanted_of(self, model: ModelEntry) -> dict[str, Any]:
        """What is set of translating, for this model."""
        back = self.library.back_of(model)
        return wanted(self.settings, None if back is None else back.path)

    def show_answer(self, number: int) -> None:
        """The picture (0) or one of the draws (from 1) in the pane of the synthetic image; after the last comes the picture."""
        case = self.cases.current
        if case.made is not None:
            case.show_answer(case.made.answers[number % len(case.made.answers)])

    def _start_translation(self, case: Case, model: ModelEntry, *, all_the_same: bool = False, asked: bool = True) -> None:
        source = case.volumes[Role.SOURCE]
        if source is not None:
            body, order = self.bodies.wanted(source), self.wanted_of(model)
            case.translation.start(source, model, order, self._whose(case), body=body, all_the_same=all_the_same, asked=asked)

    def _whose(self, case: Case) -> str:
        """For the list of jobs."""
        return f" (case {case.number})" if self.cases.others else ""

    def _source_placed(self, case: Case) -> None:
        self._choose_model(case)
        if self.settings["translate_after_open"]:
            case.waits_for_model = not self.library.entries
            self._translate_unasked(case)

    def _translate_unasked(self, case: Case) -> None:
        problem = self.arrivals.previews_in(case) or why_not(case.volumes[Role.SOURCE], case.model)
        if case.volumes[Role.SYNTHETIC] is None and case.model is not None and not problem:
            self._start_translation(case, case.model, asked=False)

    def _choose_model(self, case: Case) -> None:
        """One that fits what the case shows."""
        fitting = self.library.fitting(case.model, case.volumes[Role.SOURCE], case.volumes[Role.TRUTH])
        case.model = fitting
        if case is self.cases.current:
            self.library.choose(fitting)

    def _show_model(self, case: Case) -> None:
        """What was chosen for the case; for one that is new, what was chosen last."""
        case.model = self.library.at(case.model.path) if case.model is not None else self.library.chosen
        self._choose_model(case)

    def _model_chosen(self, entry: ModelEntry | None) -> None:
        self.cases.current.model = entry

    def _models_listed(self) -> None:
        self.cases.current.model = self.library.chosen
        for case in self.cases.all:
            case.model = self.library.at(case.model.path) if case.model is not None else None
            self._choose_model(case)
            if case.waits_for_model:
                self._translate_unasked(case)
            case.waits_for_model = False

    # Saving and ending ------------------------------------------------------------------------------------------------

    def save(
        self,
        volume: Volume,
        target: Path,
        source: Volume | None = None,
        *,
        slices: Literal["dicom", "png"] = "dicom",
        deidentify: bool = False,
        burn_in: bool = False,
        beside: Sequence[Beside] = (),
    ) -> None:
        """Writes a file by its suffix, else a folder of `slices`. `source`: what a synthetic volume was made from;
        `deidentify`: without the patient's data; `burn_in`: with the word SYNTHETIC in every slice; `beside`: what is written
        next to it.
        """
        for written in (target, *paths_beside(target, beside)):
            if writes_over(written, self.open_files):
                self.failed.emit(KEPT.format(name=written.name))
                return

        def saved(path: Path | None) -> None:
            if path is not None:
                self.saved.emit(target)

        begin = partial(save_with, volume, target, source, beside, slices, deidentify, burn_in)
        self.jobs.run("Save image", begin, on_result=saved)  # without a name: it stays in the list of jobs

    def warm_up(self) -> None:
        """Gets the heavy imports out of the way once the window stands."""
        self.jobs.run("Get ready", work.warm_up, listed=False)

    def close(self) -> None:
        """Asks all work to end, and begins none any more."""
        self.openings.stop()
        self.jobs.close()
