"""The loop that trains any method, told as events."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
from lightning_fabric import Fabric

from ctmri_core.data.augmentation import Augmentation
from ctmri_core.data.preparation import PreparedData
from ctmri_core.errors import CtmriError, OutOfMemory, TrainingFailed, WriteFailed
from ctmri_core.events import CheckpointSaved, Event, Finished, Sample, Started, Step, StopSignal, Validated, Work, never
from ctmri_core.method import MethodCard, MethodConfig
from ctmri_core.registry import load_method
from ctmri_core.training.checkpoint import load_checkpoint, save_checkpoint
from ctmri_core.training.export import export_models
from ctmri_core.training.optimisation import Optimisation, StepAbandoned
from ctmri_core.training.precision import choose_precision
from ctmri_core.training.random_state import RandomState
from ctmri_core.training.run_folder import RunFolder, run_config
from ctmri_core.training.schedules import learning_rate_factor
from ctmri_core.training.settings import ModelDescription, TrainingSettings
from ctmri_core.training.tensorboard_log import TensorBoardLog
from ctmri_core.training.validation import measure, write_sample

_SECONDS_BETWEEN_STEPS_TOLD = 0.2


@dataclass(frozen=True)
class RunResult:
    """How a run ended; `models`: direction name -> the file to use (best on validation, or the last without any)."""

    reason: Literal["completed", "stopped", "failed"]
    message: str
    iteration: int
    run_folder: Path
    metrics: dict[str, float] = field(default_factory=dict)
    models: dict[str, Path] = field(default_factory=dict)


class Trainer:
    """Trains one method on prepared pairs.

    `run` yields `Started`, then `Step` (a few per second and the last one), `Validated`, `Sample` and `CheckpointSaved`,
    and `Finished` exactly once: completed, stopped or failed. `resume` goes on from the folder's checkpoint: on a CPU with
    the very numbers of an uninterrupted run, unless its length is told in minutes.
    """

    def __init__(
        self, card: MethodCard, config: MethodConfig, data: PreparedData, run_folder: str | Path,
        settings: TrainingSettings, *, about: ModelDescription | None = None, resume: bool = False,
    ) -> None:  # fmt: skip
        self.card = card
        self.config = config
        self.data = data
        self.folder = RunFolder(run_folder)
        self.settings = settings
        self.iteration = 0
        self.metrics: dict[str, float] = {}
        self._about = about or ModelDescription()
        self._resume = resume
        self._best: float | None = None
        self._seconds = 0.0
        self._models: dict[str, Path] = {}
        self._last_validation = -1
        self._clock = 0.0
        self._board: TensorBoardLog | None = None

    def run(self, stop: StopSignal = never) -> Work[RunResult]:
        """Trains to the end, or until `stop()`. Bugs pass through as what they are."""
        reason: Literal["completed", "stopped", "failed"] = "failed"
        message = ""
        try:
            for event in self._train(stop):
                self._log(event)
                yield event
            reason = "completed" if self._done() else "stopped"
            message = "" if self._done() else f"Stopped after {self.iteration} steps; the state is kept."
        except CtmriError as error:
            message = str(error)
        finished = Finished(reason=reason, message=message, paths=self._paths())
        with suppress(WriteFailed):  # a full disk has been told of already
            self.folder.log(finished)
        if self._board:
            self._board.close()
        yield finished
        return RunResult(reason, message, self.iteration, self.folder.path, self.metrics, self._models)

    def _train(self, stop: StopSignal) -> Iterator[Event]:
        state = self._check_and_load()
        self._set_up(state)
        yield self._started()
        self._clock = time.monotonic() - self._seconds
        try:
            yield from self._steps(stop)
        except (TrainingFailed, OutOfMemory):
            yield self._checkpoint()
            raise
        if self._done() and self._last_validation != self.iteration:
            yield from self._validate(stop)
        yield self._checkpoint()
        last = self._export("-last")
        self._models = self._models or last

    def _steps(self, stop: StopSignal) -> Iterator[Event]:
        told = saved = time.monotonic()
        untold: Step | None = None
        while not self._done() and not stop():
            begun = time.monotonic()
            self.optimisation.set_rate(self._rate_factor())
            try:
                losses = self._step(stop)
            except StepAbandoned:
                break
            self.iteration += 1
            now = time.monotonic()
            self._seconds = now - self._clock
            untold = self._step_event(losses, now - begun)
            if now - told >= _SECONDS_BETWEEN_STEPS_TOLD or self.iteration == 1:
                yield untold
                untold, told = None, now
            if self.iteration % self.settings.validate_every == 0:
                yield from self._validate(stop)
            if now - saved >= self.settings.checkpoint_seconds:
                yield self._checkpoint()
                saved = now
        if untold is not None:
            yield untold

    def _step(self, stop: StopSignal) -> dict[str, float]:
        settings = self.settings
        augmentation = Augmentation(settings.crop, settings.flip)
        batch = self.data.train.training_batch(self.iteration, settings.batch_size, augmentation, settings.seed)
        try:
            return self.optimisation.step(batch.to(self._device), stop)
        except RuntimeError as error:
            if not isinstance(error, torch.OutOfMemoryError) and "allocate memory" not in str(error):
                raise
            advice = "Use a smaller --batch-size or --crop, or a narrower generator."
            raise OutOfMemory(f"The training step does not fit the memory of this device. {advice}") from error

    def _validate(self, stop: StopSignal) -> Iterator[Event]:
        settings, data = self.settings, self.data
        self._last_validation = self.iteration
        shown = data.validation if len(data.validation) else data.train
        picture = self.folder.samples / f"{self.iteration:08d}.png"
        write_sample(picture, self.method, shown, data.direction, data.recipe, self._device)
        yield Sample(iteration=self.iteration, path=str(picture), caption="source, synthetic, target")
        if not len(data.validation):
            return
        metrics = measure(
            self.method, data.validation, data.direction, data.recipe, count=settings.validation_slices,
            batch_size=settings.batch_size, device=self._device, stop=stop,
        )  # fmt: skip
        if metrics is None:
            return
        error = next(value for name, value in metrics.items() if name.startswith("mae"))
        best = self._best is None or error < self._best
        if best:
            self._best, self.metrics = error, metrics
            self._models = self._export("")
        yield Validated(iteration=self.iteration, metrics=metrics, best=best)

    def _check_and_load(self) -> Any:
        """The checkpoint to go on from, or None. Refuses to mix two runs in one folder."""
        self.config = self.config.for_crop(self.settings.crop)
        if not self._resume:
            if self.folder.checkpoint.exists():
                raise TrainingFailed(f"{self.folder.path.name} holds a run already. Resume it, or choose another folder.")
            return None
        state = load_checkpoint(self.folder.checkpoint)
        differing = [name for name, value in self._identity().items() if state["identity"].get(name) != value]
        if differing:
            raise TrainingFailed(f"The run to resume was made with another {differing[0]}. Use the same, or start a new run.")
        return state

    def _set_up(self, state: Any) -> None:
        cuda = torch.cuda.is_available()
        if self.settings.device == "cuda" and not cuda:
            raise TrainingFailed("--device cuda: there is no usable NVIDIA graphics card here. Use --device cpu or auto.")
        self._device = torch.device("cuda" if cuda and self.settings.device != "cpu" else "cpu")
        self._precision = state["precision"] if state else choose_precision(self.settings.precision, self._device)
        logging.getLogger("lightning_fabric").setLevel(logging.WARNING)  # it would write to the terminal; Started tells the same
        fabric = Fabric(accelerator=self._device.type, devices=1, precision=_FABRIC_PRECISION[self._precision])
        random = RandomState(self.settings.seed, fabric.device)
        with random.active():
            self.method = load_method(self.card.name)(self.config, self.data.direction)
        self.optimisation = Optimisation(fabric, self.method, self.config, random, self.settings.clip_norm)
        if state:
            self._restore(state)
        self.folder.rewind(self.iteration)
        data = self.data
        self.folder.write_config(run_config(self.card, self.config, data.spec, data.direction, self.settings, self._about))
        if self.settings.tensorboard:
            self._board = TensorBoardLog(self.folder.tensorboard, self.iteration + 1)

    def _restore(self, state: Any) -> None:
        self.optimisation.load_state_dict(state["optimisation"])
        self.iteration, self._seconds = state["iteration"], state["seconds"]
        self._best, self.metrics = state["best"], state["metrics"]
        known = {direction.name: self._model_path(direction.name) for direction in self.method.directions}
        self._models = {name: path for name, path in known.items() if path.exists()}

    def _checkpoint(self) -> CheckpointSaved:
        state = {
            "identity": self._identity(),
            "precision": self._precision,
            "iteration": self.iteration,
            "seconds": self._seconds,
            "best": self._best,
            "metrics": self.metrics,
            "optimisation": self.optimisation.state_dict(),
        }
        save_checkpoint(self.folder.checkpoint, state)
        return CheckpointSaved(iteration=self.iteration, path=str(self.folder.checkpoint))

    def _export(self, suffix: str) -> dict[str, Path]:
        return export_models(
            self.folder.models, suffix, self.method, self.card, self.config, self.data, self.metrics, self._about
        )

    def _model_path(self, direction: str) -> Path:
        return self.folder.models / f"{self.card.name}-{direction}.safetensors"

    def _identity(self) -> dict[str, Any]:
        return {"method": self.card.name, "config": self.config.model_dump(mode="json"), "direction": self.data.direction.name}

    def _position(self) -> float:
        unit = self.settings.length[1]
        if unit == "epochs":
            return self.iteration // self.data.train.steps_per_epoch(self.settings.batch_size)
        return self.iteration if unit == "iterations" else self._seconds

    def _done(self) -> bool:
        return self._position() >= self.settings.length[0]

    def _rate_factor(self) -> float:
        total = self.settings.length[0]
        return learning_rate_factor(self.settings.schedule, self._position(), total, total * self.settings.constant_share)

    def _started(self) -> Started:
        length, unit = self.settings.length
        per_epoch = self.data.train.steps_per_epoch(self.settings.batch_size)
        total = {"epochs": int(length) * per_epoch, "iterations": int(length), "seconds": None}[unit]
        details = {
            "device": self._device.type, "precision": self._precision, "slices": len(self.data.train),
            "validation_slices": len(self.data.validation), "from_step": self.iteration,
        }  # fmt: skip
        return Started(job=f"Training {self.card.title}, {self.data.direction.label}", total=total, unit="steps", details=details)

    def _step_event(self, losses: dict[str, float], seconds: float) -> Step:
        epoch = (self.iteration - 1) // self.data.train.steps_per_epoch(self.settings.batch_size)
        rate = self.optimisation.learning_rate
        return Step(iteration=self.iteration, epoch=epoch, losses=losses, learning_rate=rate, seconds=seconds)

    def _log(self, event: Event) -> None:
        self.folder.log(event)
        if self._board:
            self._board.hear(event)

    def _paths(self) -> dict[str, str]:
        return {"run": str(self.folder.path), **{f"model {name}": str(path) for name, path in self._models.items()}}


_FABRIC_PRECISION: dict[str, Literal["32-true", "bf16-mixed"]] = {"32": "32-true", "bf16-mixed": "bf16-mixed"}
