"""A run that goes on: what it has said, and what may be asked of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from PySide6.QtCore import QObject, Signal

from ctmri_core.events import Event, Finished, StopSignal, Work
from ctmri_core.training.orders import Order, Orders
from ctmri_core.training.run_plan import RunPlan
from ctmri_core.training.run_record import RunRecord
from ctmri_gui.jobs.queue import Jobs, JobState

Where = Literal["thread", "process"]


class LiveRun(QObject):
    """One run, driven by a job of its own. `record` holds what it said, also before it was resumed."""

    heard = Signal(object)  # Event, once `record` has it
    ended = Signal(object)  # Finished
    asked = Signal()  # something was asked of it: buttons show what is under way

    def __init__(
        self, plan: RunPlan, folder: Path, where: Where, *, record: RunRecord | None = None, parent: QObject | None = None
    ) -> None:
        """`record`: what a run has said that is resumed."""
        super().__init__(parent)
        self.plan, self.folder, self.where = plan, folder, where
        self.orders = Orders()
        self.record = record or RunRecord()
        self.state: JobState | None = None

    @property
    def title(self) -> str:
        return f"Train {self.plan.card.title}, {self.plan.direction.label}"

    @property
    def running(self) -> bool:
        return self.state is not None and self.state.running

    def begin(self, jobs: Jobs, work: Callable[[StopSignal], Work[Any]]) -> None:
        """Starts the work as a job; its stop signal is the job's or this run's own."""

        def either(stop: StopSignal) -> Work[Any]:
            return work(lambda: stop() or self.orders.stop())

        self.state = jobs.run(self.title, either, on_event=self._hear, on_end=self._end)

    def ask(self, order: Order) -> None:
        """Gives `order`; `stop` tells the job too, so that the list of jobs shows it."""
        self.orders.give(order)
        if order == "stop" and self.state is not None:
            self.state.stop()
        self.asked.emit()

    def _hear(self, event: Event) -> None:
        self.record.hear(event)
        self.heard.emit(event)

    def _end(self, end: Finished) -> None:
        self.record.hear(end)
        self.ended.emit(end)
