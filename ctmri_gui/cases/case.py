"""One case: a source, its synthetic twin, its truth, and the work on them. Knows no widget and no other case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import combinations
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from ctmri_core.aligning.kinds import NOT_ALIGNED
from ctmri_core.domain import Direction, Domain
from ctmri_core.volume import Finding, Volume
from ctmri_gui.changes import Changes
from ctmri_gui.doubts import doubts
from ctmri_gui.given_spacings import GivenSpacings
from ctmri_gui.jobs import work
from ctmri_gui.jobs.latest import Latest
from ctmri_gui.jobs.queue import Jobs
from ctmri_gui.models.library import Library
from ctmri_gui.origins import Origins
from ctmri_gui.placement import hides_a_better_truth, place_for, roles_together, same_patient
from ctmri_gui.translating.made import Made
from ctmri_gui.translation import Translation
from ctmri_gui.viewer.roles import FURTHER, SYNTHETICS, Pair, Role

if TYPE_CHECKING:
    from ctmri_core.comparison import Comparison, Ground
    from ctmri_core.model_card import ModelEntry

_TRUTH_GONE = (
    "The ground truth was taken off: nothing says that it shows the patient of the new scan. If it does, open it once more."
)
_TRUTH_KEPT = "{name} does not say what it shows; drop it on a pane to put it there."
_NOT_MARKED = "Nothing in this image says that a model made it, so it is shown as {place} and not as synthetic."


class Case(QObject):
    """Its jobs answer to it, whether or not it is the one on the screen.

    `number`: by which a person tells it from the others; `made`: all that came of the translation to the synthetic volume, where
    it was made here; `comparisons`: of the pairs that are there; `model`: what translates it; `waits_for_model`: its source came
    before the models were listed; `kept`: what parts of the window keep for it while another case is shown (`Cases.keep`).
    """

    volumeChanged = Signal(object, object)  # Role, Volume | None
    comparisonChanged = Signal(object)  # Comparison | None
    groundChanged = Signal()
    translationChanged = Signal(object)  # JobState | None
    translationDoubted = Signal(object)  # Doubt
    translationStopped = Signal(object, object)  # Made: a part of it, and the Volume it was made from
    sourcePlaced = Signal(object)  # this Case: a model has to be chosen, and may be run
    noted = Signal(str)

    def __init__(
        self, number: int, jobs: Jobs, library: Library, origins: Origins, spacings: GivenSpacings, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.number = number
        self.volumes: dict[Role, Volume | None] = dict.fromkeys(Role)
        self.made: Made | None = None
        self.comparisons: Mapping[Pair, Comparison] = {}
        self.model: ModelEntry | None = None
        self.waits_for_model = False
        self.kept: dict[str, object] = {}
        self._library, self._origins = library, origins
        self._made_from: dict[Role, Volume | None] = {}
        self._ground: Ground | None = None
        self._trying = False
        self._comparing = Latest(jobs)
        self.translation = Translation(jobs, self)
        self.translation.changed.connect(self.translationChanged)
        self.translation.made.connect(self._take_synthetic)
        self.translation.doubted.connect(self.translationDoubted)
        self.translation.stopped.connect(self.translationStopped)
        self.changes = Changes(jobs, origins, spacings, self)
        self.changes.made.connect(self._take_changed)

    # What it holds ----------------------------------------------------------------------------------------------------

    @property
    def held(self) -> tuple[Volume, ...]:
        """All volumes that it keeps in memory, each once."""
        everything = (*self.volumes.values(), *self._made_from.values(), *(self.made.answers if self.made is not None else ()))
        return tuple({id(volume): volume for volume in everything if volume is not None}.values())

    @property
    def synthetic_source(self) -> Volume | None:
        """What the synthetic volume was made from, where it was made here."""
        return self.made_from(Role.SYNTHETIC)

    def made_from(self, role: Role) -> Volume | None:
        """What the volume of a pane was made from, where it was made here."""
        return self._made_from.get(role)

    @property
    def comparison(self) -> Comparison | None:
        """Of synthetic and truth."""
        return self.comparisons.get((Role.SYNTHETIC, Role.TRUTH))

    @property
    def empty(self) -> bool:
        return not self.held

    @property
    def size(self) -> int:
        """Bytes of voxels."""
        maps = self.made.map_bytes if self.made is not None else 0
        return maps + sum(volume.voxels.nbytes for volume in self.held)

    @property
    def first(self) -> Volume | None:
        """What it is known by: its source, else what else lies there."""
        return next((volume for volume in self.volumes.values() if volume is not None), None)

    @property
    def label(self) -> str:
        """`2 CT`: nothing of the patient and no file name."""
        return f"{self.number} {'Empty' if self.first is None else self.first.label}"

    def warnings(self, role: Role) -> tuple[Finding, ...]:
        """What must stand on the pane: the volume's findings, and a synthetic image of doubtful origin."""
        volume = self.volumes[role]
        found = () if volume is None else doubts(volume, self.made_from(role), self._library)
        apart = self.apart if role is Role.TRUTH and volume is not None else ""
        return (*found, Finding(NOT_ALIGNED, apart, serious=True)) if apart else found

    @property
    def apart(self) -> str:
        """Why the truth does not lie on the source, in a sentence; empty where it does, and while that is not known."""
        return "" if self._ground is None else self._ground.why_apart

    def offers(self, role: Role) -> dict[str, str]:
        """By kind of warning, what the button beside it says."""
        may_align = role is Role.TRUTH and bool(self.apart)
        return {**self._origins.offers(self.volumes[role]), **({NOT_ALIGNED: "Align"} if may_align else {})}

    # Putting volumes there --------------------------------------------------------------------------------------------

    def place(self, volume: Volume, asked: Role | None = None) -> None:
        """Puts `volume` on a pane: `asked`, or where it belongs beside what is there. Only marked volumes are synthetic."""
        role = self.place_of(volume, asked)
        if role is None:
            self.noted.emit(_TRUTH_KEPT.format(name=volume.path.name if volume.path is not None else "The scan"))
            return
        if asked is not None and asked.is_synthetic and role is not asked:
            self.noted.emit(_NOT_MARKED.format(place=role.label.lower()))
        if role is Role.SOURCE:
            self._replace_source(volume)
            return
        if role.is_synthetic:
            self.translation.abandon()
        self._set(role, volume)
        self._compare()

    def place_of(self, volume: Volume, asked: Role | None) -> Role | None:
        """Where `volume` goes that was dropped on `asked`; None where it would push out a better truth."""
        if asked is not None and (not asked.is_synthetic or volume.synthetic is not None):
            return asked
        place = place_for(volume, self.volumes[Role.SOURCE], self._direction)
        better = place is Role.TRUTH and hides_a_better_truth(volume, self.volumes[Role.TRUTH])
        return None if better else place

    def place_together(self, volumes: Sequence[Volume]) -> None:
        """Puts volumes that belong together on the panes in place of what is there: a source, its truth, its synthetic twin."""
        together = roles_together(volumes, self._library.directions)
        self.translation.abandon()
        for role in (Role.SYNTHETIC, Role.TRUTH):
            self._set(role, together.get(role))
        self._set_source(together[Role.SOURCE])

    def place_scored(self, source: Volume | None, made: Made, truth: Volume | None) -> None:
        """Puts a case of an evaluation or a study on the panes, as far as there is something to show beside what was made."""
        self.translation.abandon()
        self.made = made
        self._set(Role.SYNTHETIC, made.volume, source)
        self._set(Role.TRUTH, truth)
        if source is not None:
            self._set_source(source)

    def set_domain(self, role: Role, domain: Domain) -> None:
        """Corrects what a volume is, where its file could not say."""
        volume = self.volumes[role]
        if volume is not None:
            self.changes.set_domain(role, volume, domain)

    def put_truth(self, volume: Volume, instead: Volume) -> None:
        """Puts `instead`, the same picture in another place, where `volume` lies as the truth, if it still does."""
        self._take_changed(Role.TRUTH, volume, instead)

    @property
    def trying(self) -> bool:
        """Whether the truth is shown in another place for a look: until that is over nothing is compared."""
        return self._trying

    def try_place(self, trying: bool) -> None:
        """See `trying`."""
        if trying is self._trying:
            return
        self._trying = trying
        if trying:
            self._comparing.drop()
            self._take_comparisons({pair: each for pair, each in self.comparisons.items() if Role.TRUTH not in pair})
        else:
            self._compare()

    def close(self) -> None:
        """Gives up its work and lets go of its volumes, without a word; it is of no use any more."""
        self.translation.abandon()
        self._comparing.drop()
        for role in Role:
            self.changes.drop(role)
        self.volumes = dict.fromkeys(Role)
        self.made = None
        self.comparisons, self._made_from, self._ground = {}, {}, None
        self.kept.clear()

    @property
    def _direction(self) -> Direction | None:
        return self.model.card.direction if self.model is not None and self.model.card is not None else None

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
            self._set(role, changed, self.made_from(role))
            self._compare()
            return
        self.translation.abandon()
        if self.synthetic_source is not None:
            self._set(Role.SYNTHETIC, None)
        self._set_source(changed)

    def take_made(self, made: Made, source: Volume) -> None:
        """Shows what came of translating `source`, finished or not, while that is the source."""
        if self.volumes[Role.SOURCE] is source:
            self._take_synthetic(made, source, Role.SYNTHETIC)

    def drop_further(self) -> None:
        """Lets go of what further models made."""
        for role in FURTHER:
            self._set(role, None)

    def show_answer(self, volume: Volume) -> None:
        """Puts one of the answers of the translation in the place of the one that is shown."""
        if self.made is not None and self.made.has(volume) and self.volumes[Role.SYNTHETIC] is not volume:
            self._set(Role.SYNTHETIC, volume, self.synthetic_source)
            self._compare()

    def _take_synthetic(self, made: Made, source: Volume, place: Role) -> None:
        if place is Role.SYNTHETIC:
            self.made = made
        self._set(place, made.volume, source)
        self._compare()

    def _set_source(self, volume: Volume) -> None:
        self.drop_further()
        self._set(Role.SOURCE, volume)
        self.waits_for_model = False
        self._compare()
        self.sourcePlaced.emit(self)

    def _set(self, role: Role, volume: Volume | None, made_from: Volume | None = None) -> None:
        self._made_from[role] = made_from
        if role is Role.SYNTHETIC:
            self.made = self.made if self.made is not None and self.made.has(volume) else None
        if self.volumes[role] is not volume:
            self._comparing.drop()
            left = {pair: each for pair, each in self.comparisons.items() if role is not Role.SOURCE and role not in pair}
            self._take_comparisons(left)
            self.volumes[role] = volume
            if role in (Role.SOURCE, Role.TRUTH):
                self._take_ground(None)
            self.volumeChanged.emit(role, volume)

    # Comparing --------------------------------------------------------------------------------------------------------

    def _compare(self) -> None:
        """How the truth lies on the source; each image that a model made with the truth, and with those that other models made.
        What is known already stays."""
        source, truth = self.volumes[Role.SOURCE], self.volumes[Role.TRUTH]
        if self._trying:
            return
        if source is not None and truth is not None and truth.synthetic is None and self._ground is None:
            self._comparing.ask("Compare with source", partial(work.look_where, source, truth), self._go_on_from)
            return
        present = {role: volume for role, volume in self.volumes.items() if volume is not None}
        made = [role for role in SYNTHETICS if role in present]
        pairs = [(role, Role.TRUTH) for role in made if Role.TRUTH in present] + list(combinations(made, 2))
        missing = [pair for pair in pairs if pair not in self.comparisons]
        if Role.SOURCE in present and missing:
            begin = partial(work.compare, present[Role.SOURCE], present, missing, self.comparisons, self._ground)
            title = "Compare with ground truth" if Role.TRUTH in present else "Compare models"
            self._comparing.ask(title, begin, self._take_comparisons)

    def _go_on_from(self, ground: Ground) -> None:
        self._take_ground(ground)
        self._compare()

    def _take_ground(self, ground: Ground | None) -> None:
        if ground is not self._ground:
            self._ground = ground
            self.groundChanged.emit()

    def _take_comparisons(self, comparisons: Mapping[Pair, Comparison]) -> None:
        if comparisons != self.comparisons:
            self.comparisons = comparisons
            self.comparisonChanged.emit(self.comparison)
