"""What the window is about: the volumes on its panes, the models, and the work under way. Knows no widget.

Widgets call the intents (`open_paths`, `translate`, `save`, ...) and follow the signals. An answer that comes after its
question has changed (another scan was opened meanwhile) is dropped by generation number.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from ctmri_core.domain import Direction, Domain
from ctmri_core.events import Finished, StopSignal, Work
from ctmri_core.resources_folder import model_folders, user_models_folder
from ctmri_core.volume import Synthetic, Volume
from ctmri_gui.jobs import work
from ctmri_gui.jobs.queue import Jobs, JobState
from ctmri_gui.openings import Opening, Openings
from ctmri_gui.placement import place_for, source_first
from ctmri_gui.settings import Settings
from ctmri_gui.viewer.roles import Role

if TYPE_CHECKING:
    from ctmri_core.comparison import Comparison
    from ctmri_core.model_card import ModelEntry

MODEL_SUFFIX = ".safetensors"


class Session(QObject):
    """The model behind the window."""

    volumeChanged = Signal(object, object)  # Role, Volume | None
    comparisonChanged = Signal(object)  # Comparison | None
    modelsChanged = Signal()
    modelChosen = Signal(object)  # ModelEntry | None
    translationChanged = Signal(object)  # JobState | None
    failed = Signal(str)
    noted = Signal(str)
    done = Signal(str)

    def __init__(self, settings: Settings, folders: Sequence[Path] | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.settings = settings
        self.jobs = Jobs(self)
        self.jobs.noted.connect(self.noted)
        self.jobs.changed.connect(self._follow_translation)
        self.openings = Openings(self.jobs, self)
        self.openings.loaded.connect(self._opened)
        self.openings.failed.connect(self.failed)
        self.volumes: dict[Role, Volume | None] = dict.fromkeys(Role)
        self.comparison: Comparison | None = None
        self.models: tuple[ModelEntry, ...] = ()
        self.model: ModelEntry | None = None
        self.translation: JobState | None = None
        self._folders = tuple(folders) if folders is not None else model_folders()
        self._generation = dict.fromkeys(("translate", "compare"), 0)
        self._translate_when_listed = False

    # Opening ----------------------------------------------------------------------------------------------------------

    def open_paths(self, paths: Sequence[Path], role: Role | None = None) -> None:
        """Opens scans (one after another, in the order asked) and adds model files."""
        for path in paths:
            if path.suffix == MODEL_SUFFIX:
                self.add_model(path)
        scans = tuple(path for path in paths if path.suffix != MODEL_SUFFIX)
        if scans:
            self.openings.add(scans, role)

    def open_demo(self) -> None:
        """Puts the digital head on the panes and translates it."""

        def place(volumes: tuple[Volume, Volume] | None) -> None:
            if volumes is not None:
                self.place(volumes[0], Role.SOURCE)
                self.place(volumes[1], Role.TRUTH)

        self._run("Demo case", work.make_demo_case, place)

    def _opened(self, opening: Opening, volumes: tuple[Volume, ...]) -> None:
        for path in opening.paths:
            self.settings.remember(path)
        for number, volume in enumerate(source_first(volumes, self._directions)):
            self.place(volume, opening.role if number == 0 else None)

    # Volumes ----------------------------------------------------------------------------------------------------------

    def place(self, volume: Volume, role: Role | None = None) -> None:
        """Puts `volume` on a pane: `role`, or where it belongs beside what is there."""
        direction = self.model.card.direction if self.model is not None and self.model.card is not None else None
        role = role or place_for(volume, self.volumes[Role.SOURCE], direction)
        if role is Role.SOURCE:
            self._place_source(volume)
        elif role is Role.SYNTHETIC:
            self._set(Role.SYNTHETIC, _marked_synthetic(volume))
        else:
            self._set(Role.TRUTH, volume)
        self._compare()

    def set_domain(self, role: Role, domain: Domain) -> None:
        """Corrects what a volume is, where its file could not say."""
        volume = self.volumes[role]
        if volume is not None and volume.domain is not domain:
            self.place(volume.with_history(f"domain set to {domain.label} by hand", domain=domain), role)

    def close_volumes(self) -> None:
        """Empties the panes."""
        self.cancel_translation()
        for role in Role:
            self._set(role, None)
        self._compare()

    def _place_source(self, volume: Volume) -> None:
        self.cancel_translation()
        truth = self.volumes[Role.TRUTH]
        self._set(Role.SYNTHETIC, None)
        if truth is not None and not _same_patient(volume, truth):
            self._set(Role.TRUTH, None)
        self._set(Role.SOURCE, volume)
        self._choose_fitting_model()
        if self.settings["translate_after_open"]:
            self._translate_when_listed = not self.models
            if self._can_translate(volume):
                self.translate()

    def _set(self, role: Role, volume: Volume | None) -> None:
        if self.volumes[role] is not volume:
            self.volumes[role] = volume
            self.volumeChanged.emit(role, volume)

    def _compare(self) -> None:
        source, synthetic, truth = (self.volumes[role] for role in Role)
        generation = self._next_generation("compare")
        self._take_comparison(generation, None)
        if source is not None and synthetic is not None and truth is not None:
            begin = partial(work.compare, source, synthetic, truth)
            self._run("Compare with ground truth", begin, partial(self._take_comparison, generation))

    def _take_comparison(self, generation: int, comparison: Comparison | None) -> None:
        if generation == self._generation["compare"] and comparison is not self.comparison:
            self.comparison = comparison
            self.comparisonChanged.emit(comparison)

    # Models -----------------------------------------------------------------------------------------------------------

    def refresh_models(self, choose: Path | None = None) -> None:
        """Reads the model folders again; then chooses the file `choose`, if it is there."""
        self._run("List models", partial(work.list_models, self._folders), partial(self._take_models, choose), listed=False)

    def add_model(self, path: Path) -> None:
        """Checks a model file, copies it to the user's models and chooses it."""
        folder = user_models_folder() if user_models_folder() in self._folders else self._folders[-1]

        def added(target: Path) -> None:
            self.done.emit(f"{target.name} is in the list of models now. It is unverified: nobody here has tested it.")
            self.refresh_models(target)

        self._run(f"Add model {path.name}", partial(work.add_model, path, folder), added)

    def choose_model(self, entry: ModelEntry | None) -> None:
        """Makes `entry` the model that the next translation uses."""
        if entry is not self.model and (entry is None or entry.card is not None):
            self.model = entry
            self.modelChosen.emit(entry)

    def is_shipped(self, entry: ModelEntry) -> bool:
        """Whether the model came with the program; any other is unverified."""
        return entry.path.parent == model_folders()[0]

    def warnings(self, role: Role) -> tuple[str, ...]:
        """What must stand on the pane: the volume's findings, and a synthetic image of unknown origin."""
        volume = self.volumes[role]
        if volume is None:
            return ()
        trusted = {entry.card.weights_sha256 for entry in self.models if entry.card is not None and self.is_shipped(entry)}
        unknown = volume.synthetic is not None and volume.synthetic.model_hash not in trusted
        said = tuple(finding.message for finding in volume.findings)
        return (*said, "Made by an unverified model: it did not come with the program.") if unknown else said

    @property
    def _directions(self) -> tuple[Direction, ...]:
        return tuple(entry.card.direction for entry in self.models if entry.card is not None)

    def _take_models(self, choose: Path | None, entries: tuple[ModelEntry, ...]) -> None:
        self.models = entries
        kept = self.model.path if self.model is not None else None
        self.modelsChanged.emit()
        wanted = choose or kept
        self.model = None
        self.choose_model(next((entry for entry in entries if entry.path == wanted), None))
        self._choose_fitting_model()
        source = self.volumes[Role.SOURCE]
        if self._translate_when_listed and source is not None and self._can_translate(source):
            self.translate()
        self._translate_when_listed = False

    def _choose_fitting_model(self) -> None:
        """Keeps the present model while it fits the source; else takes the first that does, its target like the truth's."""
        source, truth = self.volumes[Role.SOURCE], self.volumes[Role.TRUTH]
        if self.model is not None and (source is None or self._can_translate(source)):
            return
        fitting = [entry for entry in self.models if entry.card is not None and (source is None or _fits(entry, source))]
        if truth is not None:
            fitting.sort(key=lambda entry: not (entry.card is not None and entry.card.direction.target.accepts(truth.domain)))
        if fitting:
            self.choose_model(fitting[0])

    def _can_translate(self, volume: Volume) -> bool:
        return self.model is not None and _fits(self.model, volume)

    # Translation ------------------------------------------------------------------------------------------------------

    def translate(self) -> None:
        """Translates the source with the chosen model; what runs already is cancelled."""
        problem = self.translation_problem
        source, model = self.volumes[Role.SOURCE], self.model
        if problem or source is None or model is None or model.card is None:
            self.failed.emit(problem)
            return
        self.cancel_translation()
        generation = self._next_generation("translate")

        def take(volume: Volume | None) -> None:
            if generation == self._generation["translate"] and volume is not None:
                self._set(Role.SYNTHETIC, volume)
                self._compare()

        begin = partial(work.translate, source, model.path, str(self.settings["device"]))
        state = self._run(f"Translate {model.card.direction.label}", begin, take)
        self.translation = state
        self.translationChanged.emit(state)

    def cancel_translation(self) -> None:
        """Asks the running translation to end; its answer, should one still come, is dropped."""
        if self.translation is not None:
            self._next_generation("translate")
            self.jobs.stop(self.translation)

    @property
    def translation_problem(self) -> str:
        """Why the source cannot be translated now, in words; empty when it can."""
        source, model = self.volumes[Role.SOURCE], self.model
        if source is None:
            return "Open a scan first: drop it on the window."
        if model is None or model.card is None:
            return "No model is chosen. Drop a model file on the window, or choose one from the list."
        if not _fits(model, source):
            takes = f"{model.card.name} takes {model.card.direction.source.label}; this scan is {source.domain.label}."
            return f"{takes} Choose another model, or correct the scan's kind."
        return ""

    def _follow_translation(self, state: JobState) -> None:
        if state is self.translation:
            self.translation = state if state.running else None
            self.translationChanged.emit(self.translation)

    # Saving -----------------------------------------------------------------------------------------------------------

    def save(self, role: Role, target: Path) -> None:
        """Writes the volume of a pane: a file by its suffix, else a folder with a DICOM series."""
        volume = self.volumes[role]
        if volume is None:
            self.failed.emit(f"There is no {role.label.lower()} volume to save.")
            return
        begin = partial(work.save, volume, target, self.volumes[Role.SOURCE])
        self._run(f"Save {target.name}", begin, lambda path: self.done.emit(f"Saved {path.name}."))

    # Common -----------------------------------------------------------------------------------------------------------

    def warm_up(self) -> None:
        """Gets the heavy imports out of the way once the window stands."""
        self._run("Get ready", work.warm_up, listed=False)

    def _run(
        self,
        title: str,
        begin: Callable[[StopSignal], Work[Any]],
        on_result: Callable[..., None] | None = None,
        *,
        listed: bool = True,
    ) -> JobState:
        return self.jobs.run(title, begin, on_result=on_result, on_end=self._say_failure, listed=listed)

    def _say_failure(self, end: Finished) -> None:
        if end.reason in ("failed", "crashed"):
            self.failed.emit(end.message)

    def _next_generation(self, question: str) -> int:
        self._generation[question] += 1
        return self._generation[question]


def _fits(entry: ModelEntry, volume: Volume) -> bool:
    return entry.card is not None and entry.card.direction.source.accepts(volume.domain)


def _same_patient(one: Volume, other: Volume) -> bool:
    return one.frame_of_reference is not None and one.frame_of_reference == other.frame_of_reference


def _marked_synthetic(volume: Volume) -> Volume:
    """What lies on the synthetic pane is labelled so, wherever it came from."""
    return volume if volume.synthetic else replace(volume, synthetic=Synthetic("read from a file", ""))
