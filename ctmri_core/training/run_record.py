"""What a run has said so far, as curves and lists: of one that goes on, and of one long over. No torch."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field

from ctmri_core.events import CheckpointSaved, Event, Finished, Health, Noted, Paused, Progress, Sample, Started, Step, Validated


@dataclass
class Curve:
    """Values at iterations, in order."""

    iterations: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)

    def add(self, iteration: int, value: float) -> None:
        self.iterations.append(iteration)
        self.values.append(value)

    def cut(self, iteration: int) -> None:
        """Leaves out what comes after `iteration`."""
        kept = bisect_right(self.iterations, iteration)
        del self.iterations[kept:], self.values[kept:]


@dataclass
class RunRecord:
    """Heard event by event. `metrics`, `signals`: as `Validated` and `Health` name them; `progress`: of the preparation;
    `checkpoints`: after which steps; `notes_after`: for each note the last step before it.
    """

    started: Started | None = None
    progress: Progress | None = None
    last_step: Step | None = None
    checkpoint: CheckpointSaved | None = None
    finished: Finished | None = None
    paused: bool = False
    losses: dict[str, Curve] = field(default_factory=dict)
    metrics: dict[str, Curve] = field(default_factory=dict)
    signals: dict[str, Curve] = field(default_factory=dict)
    learning_rate: Curve = field(default_factory=Curve)
    samples: list[Sample] = field(default_factory=list)
    notes: list[Noted] = field(default_factory=list)
    notes_after: list[Step | None] = field(default_factory=list)
    checkpoints: list[int] = field(default_factory=list)
    bests: list[Validated] = field(default_factory=list)

    @property
    def best(self) -> Validated | None:
        """The last validation that a model was kept of."""
        return self.bests[-1] if self.bests else None

    @classmethod
    def of(cls, events: Iterable[Event]) -> RunRecord:
        record = cls()
        for event in events:
            record.hear(event)
        return record

    def hear(self, event: Event) -> None:
        """Takes over what `event` says."""
        match event:
            case Started():
                self.started, self.finished, self.paused = event, None, False
                self._forget_after(event.details.get("from_step"))
            case Progress():
                self.progress = event
            case Step(iteration=iteration, losses=losses, learning_rate=rate):
                self.last_step = event
                self.learning_rate.add(iteration, rate)
                self._add(self.losses, iteration, losses)
            case Health(iteration=iteration, signals=signals):
                self._add(self.signals, iteration, signals)
            case Validated(iteration=iteration, metrics=metrics, best=best):
                self.bests += [event] if best else []
                self._add(self.metrics, iteration, metrics)
            case Sample():
                self.samples.append(event)
            case CheckpointSaved():
                self.checkpoint = event
                self.checkpoints.append(event.iteration)
            case Paused(paused=paused):
                self.paused = paused
            case Noted():
                self.notes.append(event)
                self.notes_after.append(self.last_step)
            case Finished():
                self.finished, self.paused = event, False

    def _forget_after(self, iteration: object) -> None:
        """A run that was resumed goes on from its last checkpoint: what it had said of later steps happens anew."""
        if not isinstance(iteration, int):
            return
        for curve in (*self.losses.values(), *self.metrics.values(), *self.signals.values(), self.learning_rate):
            curve.cut(iteration)
        self.samples = [sample for sample in self.samples if sample.iteration <= iteration]
        self.checkpoints = [step for step in self.checkpoints if step <= iteration]
        self.bests = [best for best in self.bests if best.iteration <= iteration]

    @staticmethod
    def _add(curves: dict[str, Curve], iteration: int, values: dict[str, float]) -> None:
        for name, value in values.items():
            curves.setdefault(name, Curve()).add(iteration, value)
