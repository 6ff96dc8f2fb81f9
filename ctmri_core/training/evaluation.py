"""What a run does now and then to see how far it has come: sample pictures, scores, best models."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from ctmri_core.data.preparation import PreparedData
from ctmri_core.errors import OutOfMemory
from ctmri_core.events import Event, Health, Sample, StopSignal, Validated
from ctmri_core.memory import is_out_of_memory
from ctmri_core.method import Method
from ctmri_core.training.advice import Advice
from ctmri_core.training.best_models import BestModels
from ctmri_core.training.health import saturation
from ctmri_core.training.previews import write_preview
from ctmri_core.training.run_folder import RunFolder
from ctmri_core.training.schedules import Plateau
from ctmri_core.training.scores import lower_is_better
from ctmri_core.training.settings import TrainingSettings
from ctmri_core.training.validation import measure, named

NO_PAIRS = "No validation case shows both pictures at one place: there are samples but no scores, and the last model counts."


class Evaluation:
    """Of one run. `last`: the step after which it was last done to its end, part of a checkpoint, so that a run that goes on
    neither leaves one out nor counts one twice. `models` and `plateau` hear of every result.
    """

    def __init__(
        self, method: Method[Any], data: PreparedData, settings: TrainingSettings, folder: RunFolder, device: torch.device,
        models: BestModels, plateau: Plateau, advice: Advice,
    ) -> None:  # fmt: skip
        self.last = -1
        self._method = method
        self._data = data
        self._settings = settings
        self._folder = folder
        self._device = device
        self._models = models
        self._plateau = plateau
        self._advice = advice

    def run(self, iteration: int, stop: StopSignal) -> Iterator[Event]:
        """After `iteration` steps, with the weights that are in the networks. Raises `OutOfMemory`."""
        with _whole_slices():
            yield from self._previews(iteration, stop)
            yield from self._scores(iteration, stop)

    def pictures(self, iteration: int, stop: StopSignal) -> Iterator[Event]:
        """Sample pictures alone. Raises `OutOfMemory`."""
        with _whole_slices():
            yield from self._previews(iteration, stop)

    def _scores(self, iteration: int, stop: StopSignal) -> Iterator[Event]:
        settings, data = self._settings, self._data
        if stop():
            return
        if not data.validation.pairs:
            self.last = iteration
            return
        scores = measure(
            self._method, data.validation, data.recipe, count=settings.validation_slices,
            batch_size=1, device=self._device, stop=stop,  # whole slices are larger than the crops that fit the memory
        )  # fmt: skip
        if scores is None:
            return
        best, self.last = self._models.hear(scores), iteration
        if settings.schedule == "plateau":
            metric = settings.best_metric
            self._plateau.hear(scores[data.direction].of(metric), lower_is_better=lower_is_better(metric))
        yield Validated(iteration=iteration, metrics=named(scores), best=best)
        if signals := saturation(scores):
            yield Health(iteration=iteration, signals=signals)
        yield from self._advice.of_validation(scores)

    def _previews(self, iteration: int, stop: StopSignal) -> Iterator[Event]:
        data = self._data
        shown = data.validation if data.validation.pairs else data.train
        shows = [way for way in self._method.directions if {way.source, way.target} <= set(shown.domains)]
        for direction in shows:
            way = "" if direction == data.direction else f"-{direction.name}"
            path = self._folder.samples / f"{iteration:08d}{way}.png"
            preview = write_preview(path, self._method, shown, direction, data.recipe, self._device, stop)
            if preview is None:
                return
            yield Sample(iteration=iteration, path=str(path), caption=preview.caption)
            if preview.variety is not None:
                yield Health(iteration=iteration, signals={f"variety_{direction.name}": preview.variety})
                yield from self._advice.of_pictures(iteration, direction, preview.variety)


@contextmanager
def _whole_slices() -> Iterator[None]:
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        advice = "Close other programs, or prepare the slices at a coarser --spacing-mm."
        raise OutOfMemory(f"A whole slice does not fit the memory of this device. {advice}") from error
