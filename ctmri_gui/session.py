"""What the window is about: the volumes on its panes, and the work under way. Knows no widget.

Widgets call the intents (`open_paths`, `translate`, `save`, ...) and follow the signals. An answer that comes after its
question has changed (another scan was opened meanwhile) is dropped.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import QObject, Signal

from ctmri_core.domain import Domain
from ctmri_core.resources_folder import user_runs_folder
from ctmri_core.volume import Finding, Volume
from ctmri_gui.changes import Changes
from ctmri_gui.doubts import doubts
from ctmri_gui.jobs import work
from ctmri_gui.jobs.latest import Latest
from ctmri_gui.jobs.queue import Jobs
from ctmri_gui.models.library import Library
from ctmri_gui.open_files import KEPT, writes_over
from ctmri_gui.openings import Opening, Openings
from ctmri_gui.origins import Origins
from ctmri_gui.placement import hides_a_better_truth, place_for, roles_together, same_patient
from ctmri_gui.settings import Settings
from ctmri_gui.translation import Translation, why_not
from ctmri_gui.viewer.roles import Role

if TYPE_CHECKING:
    from ctmri_core.comparison import Comparison
    from ctmri_core.io.series import Series

MODEL_SUFFIX = ".safetensors"
_TRUTH_GONE = (
    "The ground truth was taken off: nothing says that it shows the patient of the new scan. If it does, open it once more."
)
_TRUTH_KEPT = "{name} does not say what it shows; drop it on a pane to put it there."
_NOT_MARKED = "Nothing in this image says that a model made it, so it is shown as {place} and not as synthetic."


class Session(QObject):
    """The model behind the window. `synthetic_source`: what the synthetic volume was made from, where it was made here."""

    volumeChanged = Signal(object, object)  # Role, Volume | None
    scanOpened = Signal()
    comparisonChanged = Signal(object)  # Comparison | None
    previewed = Signal(object, object)  # Role, Volume: one slice of what will lie there; for looking at only
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
        self.library = Library(self.jobs, folders, self, runs=user_runs_folder())
        self.library.changed.connect(self._models_listed)
        self.library.added.connect(
            lambda name: self.done.emit(f"{name} is in the list of models now. It is unverified: nobody here has tested it.")
        )
        self.openings = Openings(self.jobs, self)
        self.openings.loaded.connect(self._opened)
        self.openings.previewed.connect(self._preview)
        self.translation = Translation(self.jobs, self)
        self.translation.made.connect(self._take_synthetic)
        self.volumes: dict[Role, Volume | None] = dict.fromkeys(Role)
        self.origins = Origins()
        self.synthetic_source: Volume | None = None
        self.comparison: Comparison | None = None
        self._demo, self._comparing = Latest(self.jobs), Latest(self.jobs)
        self.changes = Changes(self.jobs, self.origins, self.openings.spacings, self)
        self.changes.made.connect(self._take_changed)
        self._translate_when_listed = False

    # Opening ----------------------------------------------------------------------------------------------------------

    def open_paths(self, paths: Sequence[Path], role: Role | None = None) -> None:
        """Opens scans (one after another, in the order asked) and adds model files."""
        for path in paths:
            if path.suffix == MODEL_SUFFIX:
                self.library.add(path)
        scans = tuple(path for path in paths if path.suffix != MODEL_SUFFIX)
        if scans:
            if not self.openings.busy:
                self.somethingElse.emit()
            self._demo.drop()
            self.openings.add(scans, role)

    def open_demo(self) -> None:
        """Puts the digital head on the panes, in place of whatever is there or being opened, and translates it."""
        self.openings.stop()
        self.somethingElse.emit()
        self._demo.ask("Demo case", work.make_demo_case, self.place_together)

    def close_volumes(self) -> None:
        """Empties the panes and gives up what is being opened."""
        self._demo.drop()
        self.openings.stop()
        self.translation.abandon()
        self.somethingElse.emit()
        self._translate_when_listed = False
        for role in Role:
            self.changes.drop(role)
            self._set(role, None)

    def _opened(self, opening: Opening, chosen: tuple[Series, ...], volumes: tuple[Volume, ...]) -> None:
        for volume, series in zip(volumes, chosen, strict=True):
            self.origins.remember(volume, series)
        for path in opening.paths:
            here = [volume for volume in volumes if volume.path is not None and volume.path.is_relative_to(path)]
            patients = [volume.dicom for volume in here if volume.dicom is not None]
            self.settings.remember(path, " and ".join(volume.label for volume in here), patients)
        if len(volumes) > 1:
            self.place_together(volumes)
        else:
            self.place(volumes[0], opening.role)
            self.scanOpened.emit()

    def _preview(self, opening: Opening, chosen: tuple[Series, ...], first: tuple[int, Volume]) -> None:
        number, volume = first
        if len(chosen) > 1:
            together = roles_together(chosen, self.library.directions)
            role = next((role for role, series in together.items() if series is chosen[number]), None)
        else:
            role = self._place_of(volume, opening.role)
        if role is not None:
            self.previewed.emit(role, volume)

    # Volumes ----------------------------------------------------------------------------------------------------------

    def place(self, volume: Volume, asked: Role | None = None) -> None:
        """Puts `volume` on a pane: `asked`, or where it belongs beside what is there. Only marked volumes are synthetic."""
        role = self._place_of(volume, asked)
        if role is None:
            self.noted.emit(_TRUTH_KEPT.format(name=volume.path.name if volume.path is not None else "The scan"))
            return
        if asked is Role.SYNTHETIC and role is not asked:
            self.noted.emit(_NOT_MARKED.format(place=role.label.lower()))
        if role is Role.SOURCE:
            self._replace_source(volume)
            return
        if role is Role.SYNTHETIC:
            self.translation.abandon()
        self._set(role, volume)
        self._compare()

    def _place_of(self, volume: Volume, asked: Role | None) -> Role | None:
        """Where `volume` goes that was dropped on `asked`; None where it would push out a better truth."""
        if asked is not None and (asked is not Role.SYNTHETIC or volume.synthetic is not None):
            return asked
        place = place_for(volume, self.volumes[Role.SOURCE], self.library.direction)
        better = place is Role.TRUTH and hides_a_better_truth(volume, self.volumes[Role.TRUTH])
        return None if better else place

    def place_together(self, volumes: Sequence[Volume]) -> None:
        """Puts volumes that belong together on the panes in place of what is there: a source, its truth, its synthetic twin."""
        together = roles_together(volumes, self.library.directions)
        self.translation.abandon()
        for role in (Role.SYNTHETIC, Role.TRUTH):
            self._set(role, together.get(role))
        self._set_source(together[Role.SOURCE])
        self.scanOpened.emit()

    def set_domain(self, role: Role, domain: Domain) -> None:
        """Corrects what a volume is, where its file could not say."""
        volume = self.volumes[role]
        if volume is not None:
            self.changes.set_domain(role, volume, domain)

    @property
    def open_files(self) -> tuple[Path, ...]:
        """The files and folders that the volumes here were read from; they are never written over."""
        shown = (*self.volumes.values(), self.synthetic_source)
        return tuple({volume.path: None for volume in shown if volume is not None and volume.path is not None})

    def warnings(self, role: Role) -> tuple[Finding, ...]:
        """What must stand on the pane: the volume's findings, and a synthetic image of doubtful origin."""
        volume = self.volumes[role]
        made_from = self.synthetic_source if role is Role.SYNTHETIC else None
        return () if volume is None else doubts(volume, made_from, self.library)

    def _replace_source(self, volume: Volume) -> None:
        """A truth that lay there first waits for its source; one beside an old source goes unless the patient is the same."""
        old, truth = self.volumes[Role.SOURCE], self.volumes[Role.TRUTH]
        if old is not None and truth is not None and not same_patient(volume, old) and not same_patient(volume, truth):
            self._set(Role.TRUTH, None)
            self.noted.emit(_TRUTH_GONE)
        self.translation.abandon()
        self._set(Role.SYNTHETIC, None)
        self._set_source(volume)

    def _take_changed(self, role: Role, volume: Volume, changed: Volume) -> None:
        """Puts a corrected volume in the place of `volume`, unless another lies there by now."""
        if self.volumes[role] is not volume:
            return
        if role is not Role.SOURCE:
            self._set(role, changed, self.synthetic_source if role is Role.SYNTHETIC else None)
            self._compare()
            return
        self.translation.abandon()
        if self.synthetic_source is not None:
            self._set(Role.SYNTHETIC, None)
        self._set_source(changed)

    def _set_source(self, volume: Volume) -> None:
        self._set(Role.SOURCE, volume)
        self.library.choose_fitting(volume, self.volumes[Role.TRUTH])
        self._compare()
        if self.settings["translate_after_open"]:
            self._translate_when_listed = not self.library.entries
            self._translate_unasked()

    def _set(self, role: Role, volume: Volume | None, made_from: Volume | None = None) -> None:
        if role is Role.SYNTHETIC:
            self.synthetic_source = made_from
        if self.volumes[role] is not volume:
            self._comparing.drop()
            self._take_comparison(None)
            self.volumes[role] = volume
            self.volumeChanged.emit(role, volume)

    def _compare(self) -> None:
        source, synthetic, truth = (self.volumes[role] for role in Role)
        if source is not None and synthetic is not None and truth is not None:
            begin = partial(work.compare, source, synthetic, truth)
            self._comparing.ask("Compare with ground truth", begin, self._take_comparison)

    def _take_comparison(self, comparison: Comparison | None) -> None:
        if comparison is not self.comparison:
            self.comparison = comparison
            self.comparisonChanged.emit(comparison)

    # Translation ------------------------------------------------------------------------------------------------------

    def translate(self) -> None:
        """Translates the source with the chosen model; what runs already is given up."""
        problem, source, model = self.translation_problem, self.volumes[Role.SOURCE], self.library.chosen
        if problem or source is None or model is None:
            self.failed.emit(problem)
        else:
            self.translation.start(source, model, str(self.settings["device"]))

    @property
    def translation_problem(self) -> str:
        """Why the source cannot be translated now, in words; empty when it can."""
        if self.openings.previewing:
            return "A scan is being opened."
        return why_not(self.volumes[Role.SOURCE], self.library.chosen)

    def _translate_unasked(self) -> None:
        if self.volumes[Role.SYNTHETIC] is None and not self.translation_problem:
            self.translate()

    def _take_synthetic(self, synthetic: Volume, source: Volume) -> None:
        self._set(Role.SYNTHETIC, synthetic, source)
        self._compare()

    def _models_listed(self) -> None:
        self.library.choose_fitting(self.volumes[Role.SOURCE], self.volumes[Role.TRUTH])
        if self._translate_when_listed:
            self._translate_unasked()
        self._translate_when_listed = False

    # Saving and ending ------------------------------------------------------------------------------------------------

    def save(
        self,
        volume: Volume,
        target: Path,
        source: Volume | None = None,
        *,
        slices: Literal["dicom", "png"] = "dicom",
        deidentify: bool = False,
    ) -> None:
        """Writes a file by its suffix, else a folder of `slices`. `source`: what a synthetic volume was made from;
        `deidentify`: without the patient's data.
        """
        if writes_over(target, self.open_files):
            self.failed.emit(KEPT.format(name=target.name))
            return

        def saved(path: Path | None) -> None:
            if path is not None:
                self.saved.emit(target)

        begin = partial(work.save, volume, target, source, slices, deidentify)
        self.jobs.run("Save image", begin, on_result=saved)  # without a name: it stays in the list of jobs

    def warm_up(self) -> None:
        """Gets the heavy imports out of the way once the window stands."""
        self.jobs.run("Get ready", work.warm_up, listed=False)

    def close(self) -> None:
        """Asks all work to end, and begins none any more."""
        self.openings.stop()
        self.jobs.close()
