"""What a run would take of memory and time, measured with a few of its steps."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from ctmri_core.events import Finished
from ctmri_core.training.estimate import Estimate, smaller
from ctmri_core.training.run_plan import RunPlan
from ctmri_core.training.settings import LENGTHS
from ctmri_gui.jobs.latest import Latest
from ctmri_gui.jobs.queue import Jobs
from ctmri_gui.panels.small_parts import label, set_role
from ctmri_gui.training.new_run import start_work
from ctmri_gui.training.new_run.field_words import in_words, labels_of, run_fields
from ctmri_gui.training.new_run.spans import gigabytes, span
from ctmri_gui.training.new_run.summary import change_words

Changes = dict[str, dict[str, Any]]
_PATIENCE_MS = 900
_WITHOUT_WEIGHT = (*LENGTHS, "seed", "tensorboard", "checkpoint_seconds", "validate_every", "validation_slices", "best_metric")


class EstimatePanel(QWidget):
    """`found()`: `estimate` is another one, or none. `wanted(dict)`: smaller settings by table, that were asked for."""

    found = Signal()
    wanted = Signal(object)  # Changes

    def __init__(self, jobs: Jobs) -> None:
        super().__init__()
        self.estimate: Estimate | None = None
        self._plan: RunPlan | None = None
        self._slices: int | None = None
        self._key = ""
        self._changes: Changes = {}
        self._latest = Latest(jobs)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_PATIENCE_MS)
        self._soon.timeout.connect(self.measure)
        self.text = label("", "muted")
        self.bar = QProgressBar()
        self.bar.setRange(0, 0)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName("Measuring")
        self.again, self.cancel, self.smaller = QPushButton("Measure"), QPushButton("Cancel"), QPushButton("Use what fits")
        self.again.clicked.connect(self.measure)
        self.cancel.clicked.connect(self._give_up)
        self.smaller.clicked.connect(lambda: self.wanted.emit(self._changes))
        row = QHBoxLayout()
        for button in (self.smaller, self.again, self.cancel):
            row.addWidget(button)
        row.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for part in (self.text, self.bar):
            column.addWidget(part)
        column.addLayout(row)
        self._show(_LATER, measuring=False)

    @property
    def measuring(self) -> bool:
        if self._soon.isActive():
            return True
        return self.estimate is None and self._latest.state is not None and self._latest.state.running

    def want(self, plan: RunPlan | None, slices: int | None) -> None:
        """Measures `plan` soon, unless what matters of it is what was measured last. None: there is nothing to measure."""
        key = "" if plan is None else _key(plan, slices)
        self._plan, self._slices = plan, slices
        if key == self._key:
            return
        self.drop()
        self._key = key
        self.take(None)
        if plan is None:
            self._show(_LATER, measuring=False)
        else:
            self._show(_MEASURING, measuring=True)
            self._soon.start()

    def measure(self) -> None:
        """Measures now."""
        self._soon.stop()
        if self._plan is None:
            return
        self._show(_MEASURING, measuring=True)
        work = partial(start_work.measure, self._plan, self._slices)
        self._latest.ask("Measure what training takes", work, self.take, ended=self._ended, listed=False)

    def drop(self) -> None:
        """Measures no longer; it is measured anew when it is wanted again."""
        self._soon.stop()
        self._latest.drop()
        if self.estimate is None:
            self._key = ""

    def _give_up(self) -> None:
        key = self._key
        self.drop()
        self._key = key
        self._show("Not measured.", measuring=False)

    def take(self, found: Estimate | None) -> None:
        """What was found; None: nothing is known any more."""
        self.estimate = found
        self._changes = smaller(self._plan, found) if found is not None and found.tight and self._plan is not None else {}
        if found is not None:
            self._show(_told(found), measuring=False, tight=found.tight)
        self.found.emit()

    def _ended(self, end: Finished) -> None:
        if self.estimate is None:
            labels = labels_of(run_fields(self._plan.card)) if self._plan is not None else {}
            why = in_words(end.message.partition("\n")[0], labels) if end.message else ""
            self._show(f"It could not be measured. {why}" if why else "Not measured.", measuring=False)

    def _show(self, text: str, *, measuring: bool, tight: bool = False) -> None:
        self.text.setText(text)
        set_role(self.text, "warning" if tight else "muted")
        for part in (self.bar, self.cancel):
            part.setVisible(measuring)
        self.again.setVisible(not measuring and self._plan is not None and self.estimate is None)
        self.smaller.setVisible(bool(self._changes) and not measuring)
        if self._changes and self._plan is not None:
            sure = self.estimate is not None and self.estimate.fits
            offer = "Use what fits" if sure else "Try what may fit"
            self.smaller.setText(f"{offer}: {change_words(self._changes, run_fields(self._plan.card))}")


_LATER = "It is measured once everything is chosen."
_MEASURING = "Measuring: a few steps are tried in a process of their own …"


def _told(found: Estimate) -> str:
    memory = f"{gigabytes(found.memory_bytes)} of the {gigabytes(found.free_bytes)} of memory that are free"
    if not found.fits:
        return f"▲ It does not fit: trying a few steps took {memory}, and they did not suffice."
    sentences = [f"▲ It would take {memory}: that may not suffice." if found.tight else f"It would take about {memory}."]
    if found.seconds_per_step is not None:
        epoch = found.seconds_per_epoch
        pass_words = f", {span(epoch)} for a pass over the slices" if epoch is not None else ""
        sentences.append(f"{span(found.seconds_per_step)} for a step{pass_words}.")
    return " ".join(sentences)


def _key(plan: RunPlan, slices: int | None) -> str:
    """What memory and time go by."""
    stored = plan.stored()
    settings = {name: value for name, value in stored["settings"].items() if name not in _WITHOUT_WEIGHT}
    return json.dumps([stored["method"], stored["config"], stored["direction"], settings, slices])
