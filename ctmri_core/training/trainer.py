"""The loop that trains any method, told as events."""

from __future__ import annotations

import time
import weakref
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, nullcontext, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal

from ctmri_core.data.preparation import PreparedData
from ctmri_core.domain import Direction
from ctmri_core.errors import CtmriError, OutOfMemory, TrainingFailed, WriteFailed
from ctmri_core.events import CheckpointSaved, Event, Finished, Noted, Started, StopSignal, Work, never, now
from ctmri_core.memory import is_out_of_memory
from ctmri_core.method import MethodCard, MethodConfig
from ctmri_core.registry import load_method
from ctmri_core.training.advice import Advice
from ctmri_core.training.averaged_weights import AveragedWeights
from ctmri_core.training.batch_steps import BatchSteps
from ctmri_core.training.best_models import BestModels
from ctmri_core.training.checkpoint import save_checkpoint
from ctmri_core.training.clock import RunClock
from ctmri_core.training.evaluation import NO_PAIRS, Evaluation
from ctmri_core.training.export import export_model, run_facts
from ctmri_core.training.fine_tuning import StartedFrom, begin_from
from ctmri_core.training.length import RunLength
from ctmri_core.training.optimisation import Optimisation
from ctmri_core.training.orders import Orders
from ctmri_core.training.precision import choose_precision
from ctmri_core.training.processes import Processes, choose_device, join_processes
from ctmri_core.training.public_start import start_with_public_weights
from ctmri_core.training.random_state import RandomState
from ctmri_core.training.run_folder import RunFolder, run_config
from ctmri_core.training.run_state import cases_of, changes, check_fit, check_same_cases, circumstances, identity, stored_state
from ctmri_core.training.schedules import Plateau, learning_rate_factor
from ctmri_core.training.settings import ModelDescription, TrainingSettings
from ctmri_core.training.steering import Steering
from ctmri_core.training.telling import Telling
from ctmri_core.training.tensorboard_log import TensorBoardLog
from ctmri_core.training.watch import StepAbandoned

_NO_MEMORY = "There was not enough memory. Close other programs, or use a smaller --crop. The last checkpoint is kept."


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
    """Trains one method on prepared slices. `orders`: what is asked of it while it does.

    `processes`: those that train it together, joined before the cases were prepared; by default this one alone. Only the first
    writes and yields events. `moved`: the run to resume began with these data elsewhere; others are refused.
    """

    def __init__(
        self, card: MethodCard, config: MethodConfig, data: PreparedData, run_folder: str | Path,
        settings: TrainingSettings, *, about: ModelDescription | None = None, resume: bool = False,
        processes: Processes | None = None, orders: Orders | None = None, moved: bool = False,
    ) -> None:  # fmt: skip
        self.card = card
        self.config = config
        self.data = data
        self.folder = RunFolder(run_folder)
        self.settings = settings
        self.iteration = 0
        # weakly: networks and optimisers of a run that is over must go at once, not when the collector of cycles comes
        self.models = BestModels(settings.best_metric, partial(Trainer._export, weakref.proxy(self)))
        self._about = about or ModelDescription()
        self._resume, self._moved = resume, moved
        self._processes = processes
        self._orders = orders or Orders()
        self._plateau = Plateau(settings.decay, settings.patience)
        self._average: AveragedWeights | None = None
        self._started_from: StartedFrom | None = None
        self._start_notes: list[Noted] = []
        self._clock = RunClock()
        self._ours = False
        self._board: TensorBoardLog | None = None
        self._beside = ExitStack()  # threads, which end with the run also where its listener leaves in the middle

    def run(self, stop: StopSignal = never) -> Work[RunResult]:
        """Trains to the end, or until `stop()` or the orders ask to end. Bugs pass through as what they are."""
        stop = self._orders.or_stop(stop)
        reason: Literal["completed", "stopped", "failed"] = "failed"
        message = ""
        try:
            for event in self._train(stop):
                self._log(event)
                yield event
            if self._board:
                self._board.close()
            done = self._length.done(self.iteration, self._clock.seconds)
            reason = "completed" if done else "stopped"
            message = "" if done else self._steering.how_far(self.iteration)
        except CtmriError as error:
            message = str(error)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            message = _NO_MEMORY
        finally:
            self._beside.close()
        finished = Finished(reason=reason, message=message, paths=self._paths(), at=now())
        if self._first:
            if self._ours:
                with suppress(WriteFailed):  # a full disk has been told of already
                    self.folder.log(finished)
            yield finished
        metrics = self.models.metrics.get(self.data.direction.name, {})
        return RunResult(reason, message, self.iteration, self.folder.path, metrics, self.models.files)

    @property
    def parts(self) -> int:
        """Into how many parts batches are cut at least, which grows where the memory does not suffice."""
        return self._batches.parts

    def _train(self, stop: StopSignal) -> Iterator[Event]:
        self.config = self.config.for_crop(self.settings.crop)
        check_fit(self.data, self.settings)
        state = stored_state(self.folder, identity(self.card, self.config, self.data), resume=self._resume)
        if self._moved:
            check_same_cases(state.get("circumstances", {}), cases_of(self.data))
        self._ours = True
        self._set_up(state)
        if self._first:
            yield self._started()
            yield from self._start_notes
            if state and "circumstances" in state:
                for change in changes(state["circumstances"], self._circumstances()):
                    yield Noted(message=change, serious=True)
            if not self.data.validation.pairs:
                yield Noted(message=NO_PAIRS)
        self._clock = RunClock(self._clock.seconds)  # setting up does not count
        try:
            yield from self._steps(stop)
        except (TrainingFailed, OutOfMemory):
            if self._together.count == 1:  # the others may be elsewhere
                yield from self._checkpoint()
            raise
        done = self._length.done(self.iteration, self._clock.seconds)
        if done:
            yield from self._evaluate(stop)
        yield from self._checkpoint()
        if self._first and self.iteration:
            self.models.finish(self.method.directions)

    def _steps(self, stop: StopSignal) -> Iterator[Event]:
        within = stop if self._together.count == 1 else never  # several processes end together, between two steps
        while (yield from self._between(stop)):
            begun = time.monotonic()
            self.optimisation.set_rate(self._rate_factor())
            try:
                report = self._batches.step(self.iteration, within)
            except StepAbandoned:
                break
            except OutOfMemory as error:
                yield Noted(message=self._batches.halve(error), serious=True)
                continue
            self.iteration += 1
            if self._average:
                self._average.update(self.iteration)
            seconds, elapsed = time.monotonic() - begun, self._clock.read()
            if self._first:
                yield from self._telling.of(report, self.iteration, seconds, self.optimisation.learning_rate, elapsed)
                yield from self._advice.of_step(self.iteration, report)
        yield from self._telling.rest()

    def _between(self, stop: StopSignal) -> Work[bool]:
        """What is due or asked for between two steps, and waiting while the run pauses. Whether it goes on."""
        if self.iteration and self.iteration % self.settings.validate_every == 0:
            yield from self._evaluate(stop)
        while True:
            asked = self._steering.asked(self.iteration, stop, self._clock, self._plateau)
            self._clock.stand(still=asked.pause)
            if self._first:
                yield from self._steering.told(self.iteration, asked)
                if asked.pictures:
                    with self._averaged():
                        yield from self._evaluation.pictures(self.iteration, stop)
            if asked.checkpoint:
                yield from self._checkpoint()
            if not asked.pause:
                return not asked.end and not self._length.done(self.iteration, self._clock.seconds)
            self._steering.wait()

    def _evaluate(self, stop: StopSignal) -> Iterator[Event]:
        """Unless it is done already."""
        if self._first and self._evaluation.last != self.iteration:
            with self._averaged():
                yield from self._evaluation.run(self.iteration, stop)

    def _set_up(self, state: Any) -> None:
        settings = self.settings
        if self._processes is None:
            device = choose_device(settings, elsewhere=bool(state))
            precision = choose_precision(state["precision"] if state else settings.precision, device, elsewhere=bool(state))
            self._processes = join_processes(settings, device, precision)
        fabric = self._together.fabric
        self._precision = _PRECISIONS[str(fabric.strategy.precision.precision)]
        random = RandomState(settings.seed, fabric.device)
        with random.active():
            self.method = load_method(self.card.name)(self.config, self.data.direction)
        if not state:
            self._start_notes = start_with_public_weights(self.config, self.method, self.data.direction)
        if settings.start_from and not state:
            self._started_from, self._start_notes = begin_from(settings.start_from, self.method, self.data)
        if self._together.number:
            random = RandomState(settings.seed + self._together.number, fabric.device)
        self.optimisation = Optimisation(self._together, self.method, self.config, random, settings.clip_norm)
        self._average = AveragedWeights(self.method, settings.ema) if settings.ema else None
        self._batches = BatchSteps(self.data.train, settings, self.optimisation, self._together)
        self._beside.callback(self._batches.close)
        self._advice = Advice(self.config)
        self._evaluation = Evaluation(
            self.method, self.data, settings, self.folder, fabric.device, self.models, self._plateau, self._advice
        )
        if state:
            self._restore(state)
        self._length = RunLength(settings, self.data.train.steps_per_epoch(settings.batch_size), self._clock.seconds)
        self._telling = Telling(self._length, fabric.device, self._clock.seconds)
        self._steering = Steering(self._orders, settings, self._length, self._together, self.iteration)
        if not self._first:
            return
        self.folder.rewind(self.iteration)
        data, settled = self.data, settings.model_copy(update={"precision": self._precision})
        self.folder.write_config(run_config(self.card, self.config, data.spec, data.direction, settled, self._about))
        if settings.tensorboard:
            self._board = TensorBoardLog(self.folder.tensorboard, self.iteration + 1)
            self._beside.enter_context(suppress(WriteFailed))
            self._beside.callback(self._board.close)

    def _restore(self, state: Mapping[str, Any]) -> None:
        own = state["others"][self._together.number - 1 :] if self._together.number else []
        optimisation = {**state["optimisation"], "own": own[0]} if own else state["optimisation"]
        self.optimisation.load_state_dict(optimisation)
        self.iteration, self._clock = state["iteration"], RunClock(state["seconds"])
        if state.get("started_from"):
            self._started_from = StartedFrom.model_validate(state["started_from"])
        self._batches.parts = state["parts"]
        self.models.load_state_dict(state["models"], self.folder.models)
        self._plateau.load_state_dict(state["plateau"])
        self._evaluation.last = state.get("evaluated", -1)
        if self._average and state["average"]:
            self._average.load_state_dict(state["average"])

    def _checkpoint(self) -> Iterator[CheckpointSaved]:
        others = self._together.gathered(self.optimisation.own_state() if self._together.number else None)
        self._steering.saved(self.iteration)
        if not self._first:
            return
        state = {
            "identity": identity(self.card, self.config, self.data),
            "circumstances": self._circumstances(),
            "precision": self._precision,
            "iteration": self.iteration,
            "seconds": self._clock.seconds,
            "parts": self._batches.parts,
            "started_from": self._started_from.stored() if self._started_from else None,
            "models": self.models.state_dict(),
            "plateau": self._plateau.state_dict(),
            "evaluated": self._evaluation.last,
            "average": self._average.state_dict() if self._average else None,
            "optimisation": self.optimisation.state_dict(),
            "others": others[1:],
        }
        begun = time.monotonic()
        save_checkpoint(self.folder.checkpoint, state)
        path, seconds = str(self.folder.checkpoint), time.monotonic() - begun
        yield CheckpointSaved(iteration=self.iteration, path=path, seconds=seconds, at=now())

    def _export(self, direction: Direction, suffix: str, metrics: Mapping[str, float]) -> Path:
        with self._averaged() if suffix else nullcontext():  # a best model is exported while it is being measured
            return export_model(
                self.folder.models, suffix, self.method, self.card, self.config, direction, self.data,
                run_facts(self.settings, self.data, self.iteration, self._precision, suffix), metrics, self._about,
                self._started_from,
            )  # fmt: skip

    def _averaged(self) -> AbstractContextManager[None]:
        """Inside, the networks hold the weights that are to be used."""
        return self._average.in_use() if self._average else nullcontext()

    @property
    def _together(self) -> Processes:
        assert self._processes is not None, "set up first"
        return self._processes

    @property
    def _first(self) -> bool:
        return self._processes is None or self._processes.first

    def _rate_factor(self) -> float:
        position = self._length.position(self.iteration, self._clock.seconds)
        return self._plateau.factor * learning_rate_factor(self.settings, position, self._length.total)

    def _started(self) -> Started:
        details = {
            "run": str(self.folder.path), "device": self._together.fabric.device.type, "precision": self._precision,
            "slices": len(self.data.train), "validation_slices": self.data.validation.pairs, "from_step": self.iteration,
            "processes": self._together.count,
        }  # fmt: skip
        job = f"Training {self.card.title}, {self.data.direction.label}"
        return Started(job=job, total=self._length.steps, unit="steps", details=details, at=now())

    def _circumstances(self) -> dict[str, Any]:
        return circumstances(self.data, self._together.fabric.device)

    def _log(self, event: Event) -> None:
        self.folder.log(event)
        if self._board:
            self._board.hear(event)

    def _paths(self) -> dict[str, str]:
        return {"run": str(self.folder.path), **{f"model {name}": str(path) for name, path in self.models.files.items()}}


_PRECISIONS = {"32-true": "32", "bf16-mixed": "bf16-mixed", "16-mixed": "16-mixed"}
