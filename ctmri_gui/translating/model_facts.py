"""What has to be asked of a model or of the machine before a person can choose: asked once, beside the window."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from ctmri_gui.jobs import translate_work
from ctmri_gui.jobs.latest import Latest
from ctmri_gui.jobs.queue import Jobs

if TYPE_CHECKING:
    from ctmri_core.model_card import ModelEntry

_Key = tuple[Path, str]


class ModelFacts(QObject):
    """`cards`: names of the graphics cards; None while nobody knows."""

    changed = Signal()

    def __init__(self, jobs: Jobs, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs, self._latest = jobs, Latest(jobs)
        self._ways: dict[_Key, tuple[str, ...]] = {}
        self._asked_cards = False
        self.cards: tuple[str, ...] | None = None

    def ways(self, entry: ModelEntry | None) -> tuple[str, ...] | None:
        """How a model can be asked for other answers; None while nobody knows."""
        return None if entry is None or entry.card is None else self._ways.get(_key(entry))

    def look(self, entry: ModelEntry | None) -> None:
        """Finds out what is not known yet; the first time that takes seconds, for torch is loaded."""
        if not self._asked_cards:
            self._asked_cards = True
            self._jobs.run("Ask for graphics cards", translate_work.graphics_cards, on_result=self._take_cards, listed=False)
        if entry is not None and entry.card is not None and self.ways(entry) is None:
            begin = partial(translate_work.ways_of_model, entry.path)
            self._latest.ask("Look into the model", begin, partial(self._take_ways, _key(entry)), listed=False)

    def _take_cards(self, names: tuple[str, ...]) -> None:
        self.cards = names
        self.changed.emit()

    def _take_ways(self, key: _Key, ways: tuple[str, ...]) -> None:
        self._ways[key] = ways
        self.changed.emit()


def _key(entry: ModelEntry) -> _Key:
    assert entry.card is not None
    return entry.path, entry.card.weights_sha256
