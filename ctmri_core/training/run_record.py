"""What a run has said so far, as curves and lists: of one that goes on, and of one long over. No torch."""

from __future__ import annotations

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


@dataclass
class RunRecord:
    """Heard event by event. `metrics`, `signals`: as `Validated` and `Health` name them; `progress`: of the preparation."""

    started: Started | None = None
    progress: Progress | None = None
    last_step: Step | None = None
    best: Validated | None = None
    checkpoint: CheckpointSaved | None = None
    finished: Finished | None = None
    paused: bool = False
    losses: dict[str, Curve] = field(default_factory=dict)
    metrics: dict[str, Curve] = field(default_factory=dict)
    signals: dict[str, Curve] = field(default_factory=dict)
    learning_rate: Curve = field(default_factory=Curve)
    samples: list[Sample] = field(default_factory=list)
    notes: list[Noted] = field(default_factory=list)

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
                self.started, self.finished = event, None
            case Progress():
                self.progress = event
            case Step(iteration=iteration, losses=losses, learning_rate=rate):
                self.last_step = event
                self.learning_rate.add(iteration, rate)
                self._add(self.losses, iteration, losses)
            case Health(iteration=iteration, signals=signals):
                self._add(self.signals, iteration, signals)
            case Validated(iteration=iteration, metrics=metrics):
                self.best = event if event.best else self.best
                self._add(self.metrics, iteration, metrics)
            case Sample():
                self.samples.append(event)
            case CheckpointSaved():
                self.checkpoint = event
            case Paused(paused=paused):
                self.paused = paused
            case Noted():
                self.notes.append(event)
            case Finished():
                self.finished, self.paused = event, False

    @staticmethod
    def _add(curves: dict[str, Curve], iteration: int, values: dict[str, float]) -> None:
        for name, value in values.items():
            curves.setdefault(name, Curve()).add(iteration, value)
