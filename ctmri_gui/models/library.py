"""The model files at hand, and the one that is chosen."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from ctmri_core.domain import Direction
from ctmri_core.resources_folder import model_folders, shipped_model_folders, user_models_folder
from ctmri_core.volume import Synthetic, Volume
from ctmri_gui.jobs import work
from ctmri_gui.jobs.queue import Jobs

if TYPE_CHECKING:
    from ctmri_core.model_card import ModelEntry


class Library(QObject):
    """`entries` lists usable and broken files; `chosen` is what the next translation uses; `marked`: what is to be compared."""

    changed = Signal()
    chose = Signal(object)  # ModelEntry | None
    added = Signal(str)  # file name
    markedChanged = Signal()

    def __init__(
        self, jobs: Jobs, folders: Sequence[Path] | None = None, parent: QObject | None = None, *, runs: Sequence[Path] = ()
    ) -> None:
        """`runs`: folders of training runs, whose best models are listed too."""
        super().__init__(parent)
        self.runs = tuple(runs)
        self._jobs = jobs
        self._folders = tuple(folders) if folders is not None else model_folders()
        self.entries: tuple[ModelEntry, ...] = ()
        self.chosen: ModelEntry | None = None
        self._picked: Path | None = None
        self._marks: set[Path] = set()

    @property
    def marked(self) -> tuple[ModelEntry, ...]:
        """The chosen one first, then in the order of the list."""
        marked = [entry for entry in self.entries if entry.path in self._marks and entry.card is not None]
        return tuple(sorted(marked, key=lambda entry: entry is not self.chosen))

    def is_marked(self, entry: ModelEntry) -> bool:
        return entry.path in self._marks

    def mark(self, entry: ModelEntry, on: bool) -> None:
        """Whether a model is one of those that are to be compared."""
        if entry.card is not None and on is not self.is_marked(entry):
            self._marks ^= {entry.path}
            self.markedChanged.emit()

    @property
    def directions(self) -> tuple[Direction, ...]:
        """What the usable models can do."""
        return tuple(entry.card.direction for entry in self.entries if entry.card is not None)

    @property
    def direction(self) -> Direction | None:
        """What the chosen model does."""
        return self.chosen.card.direction if self.chosen is not None and self.chosen.card is not None else None

    @property
    def folders(self) -> tuple[Path, ...]:
        """Where the models lie, runs left out."""
        return self._folders

    @property
    def own_folder(self) -> Path:
        """Where models go that the user adds."""
        return user_models_folder() if user_models_folder() in self._folders else self._folders[-1]

    def refresh(self, choose: Path | None = None) -> None:
        """Reads the model folders again; then chooses the file `choose`, if it is there."""
        begin = partial(work.list_models, self._folders, self.runs)
        self._jobs.run("List models", begin, on_result=partial(self._take, choose), listed=False)

    def add(self, path: Path) -> None:
        """Checks a model file, copies it to the user's models and chooses it."""
        self._jobs.run(f"Add model {path.name}", partial(work.add_model, path, self.own_folder), on_result=self.take_added)

    def take_added(self, target: Path) -> None:
        """Lists and chooses a model file that was just put among the user's."""
        self.added.emit(target.name)
        self.refresh(target)

    def choose(self, entry: ModelEntry | None) -> None:
        """Makes `entry` the model that the next translation uses; a broken one is not chosen."""
        if entry is not self.chosen and (entry is None or entry.card is not None):
            self.chosen = entry
            self.chose.emit(entry)

    def pick(self, entry: ModelEntry) -> None:
        """As `choose`, by a person, who knows why: it stays while it fits, whatever is opened."""
        if entry is not self.chosen and entry.card is not None:
            self._picked = entry.path
            self.choose(entry)

    def at(self, path: Path) -> ModelEntry | None:
        """The usable model in the file `path`."""
        return next((entry for entry in self.entries if entry.path == path and entry.card is not None), None)

    def fitting(self, present: ModelEntry | None, source: Volume | None, truth: Volume | None) -> ModelEntry | None:
        """`present` while it fits the source, if a person picked it or no other has learnt better from the like (phantoms, or
        people); else the best: a target like the truth's, then any before those that lie in a run, which nobody kept yet, then
        made for that very contrast, then by `preference` (as `choose_model` does), then the list's order. Where none fits,
        `present`.
        """
        if not self.entries:
            return present
        from ctmri_core.model_card import preference  # loads much, and there are no entries while the program starts

        phantom, stays = source is not None and source.phantom, present is not None and (source is None or fits(present, source))
        if present is not None and stays and (source is None or self._picked == present.path):
            return present
        ranks = {
            (truth is not None and not card.direction.target.accepts(truth.domain), bool(self.run_of(entry)),
             source is not None and card.direction.source is not source.domain, preference(card, phantom=phantom), number): entry
            for number, entry in enumerate(self.entries)
            if (card := entry.card) is not None and not card.outlines and (source is None or fits(entry, source))
        }  # fmt: skip
        best = ranks[min(ranks)] if ranks else present
        return present if stays and not _learnt_from_unlike(present, best, phantom) else best

    def back_of(self, model: ModelEntry | None) -> ModelEntry | None:
        """The one of the list that translates best back what `model` makes."""
        if model is None:
            return None
        from ctmri_core.model_card import best_back  # loads much, and no model is chosen while the program starts

        return best_back(model, self.entries)

    def is_shipped(self, entry: ModelEntry) -> bool:
        """Whether the model came with the program; any other is unverified."""
        return entry.path.parent in shipped_model_folders()

    def run_of(self, entry: ModelEntry) -> str:
        """The name of the run that made the model, where it lies there; empty for others."""
        inside = (runs for runs in self.runs if entry.path.is_relative_to(runs))
        return next((entry.path.relative_to(runs).parts[0] for runs in inside), "")

    def vouches_for(self, made: Synthetic) -> bool:
        """Whether a model that came with the program made it."""
        return any(
            entry.card.weights_sha256 == made.model_hash
            for entry in self.entries
            if entry.card is not None and self.is_shipped(entry)
        )

    def _take(self, choose: Path | None, entries: tuple[ModelEntry, ...]) -> None:
        self._picked = choose or self._picked
        wanted = choose or (self.chosen.path if self.chosen is not None else None)
        self.entries = entries
        self.chosen = None if wanted is None else self.at(wanted)
        self.changed.emit()
        self.chose.emit(self.chosen)
        self.markedChanged.emit()


def _learnt_from_unlike(present: ModelEntry | None, best: ModelEntry | None, phantom: bool) -> bool:
    """Whether `present` learnt from people where a phantom is shown, or the other way round, and `best` did not."""
    cards = [None if entry is None else entry.card for entry in (present, best)]
    unlike = [card is not None and card.only_phantoms is not phantom for card in cards]
    return unlike[0] and not unlike[1]


def fits(entry: ModelEntry, volume: Volume) -> bool:
    """Whether the model translates volumes of this kind."""
    return entry.card is not None and not entry.card.outlines and entry.card.takes(volume.domain)
