"""Where a run stands: state, progress and figures in words."""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime

from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from ctmri_core.events import Event, Step
from ctmri_core.training.run_plan import RunPlan
from ctmri_core.training.run_record import RunRecord
from ctmri_core.training.runs import own_score
from ctmri_gui.panels.small_parts import label, set_role
from ctmri_gui.training.monitor.flow import Flow
from ctmri_gui.training.monitor.health_words import memory
from ctmri_gui.training.monitor.state_words import RunState
from ctmri_gui.training.monitor.words import ago, count, device, duration, rate, score

_STEPS = 1000
_RECENT = 30
_CALIBRATED_STEPS, _CALIBRATED_S = 20, 30.0


class Header(QFrame):
    """`hear` each event of a run that goes on, `show_state` now and then."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "card")
        self._recent: deque[float] = deque(maxlen=_RECENT)
        self._heard = 0
        self._spent = 0.0
        self.title = label("", "heading")
        self.state = label("", "heading", wrap=False)
        self.sentence = label("", "muted")
        self.share = label("", wrap=False)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName("Progress of the run")
        self.folder = QPushButton("&Open folder")
        self.folder.setToolTip("The run's folder: settings, events, checkpoints, pictures, models")
        self.board = QPushButton("Open in &TensorBoard")
        self.board.setToolTip("Starts TensorBoard over this run's logs and opens the browser; it ends with this program")
        self.facts = Flow(gap=4, columns=True)
        self._values: dict[str, tuple[QWidget, QLabel]] = {}
        above = QHBoxLayout()
        above.addWidget(self.title, 1)
        for press in (self.folder, self.board):
            above.addWidget(press)
        middle = QHBoxLayout()
        middle.addWidget(self.state)
        middle.addWidget(self.bar, 1)
        middle.addWidget(self.share)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 8, 12, 8)
        column.setSpacing(6)
        column.addLayout(above)
        column.addLayout(middle)
        column.addWidget(self.sentence)
        column.addLayout(self.facts)

    def begin(self, title: str) -> None:
        """Another run."""
        self.title.setText(title)
        self._recent.clear()
        self._heard, self._spent = 0, 0.0

    def hear(self, event: Event) -> None:
        if isinstance(event, Step):
            self._recent.append(event.seconds)
            self._heard += 1
            self._spent += event.seconds

    def fact(self, name: str) -> str:
        """What stands beside `name`; nothing where it is not told."""
        pair = self._values.get(name)
        return pair[1].text() if pair and not pair[0].isHidden() else ""

    def show_state(self, state: RunState, record: RunRecord, plan: RunPlan | None) -> None:
        _say(self.state, state.word)
        if self.state.property("role") != state.role:
            set_role(self.state, state.role)
        _say(self.sentence, "" if state.over else state.sentence)
        self.sentence.setVisible(bool(self.sentence.text()))
        self._show_progress(state, record)
        for name, value in self._told(state, record, plan).items():
            self._set(name, value)

    def _show_progress(self, state: RunState, record: RunRecord) -> None:
        step, progress = record.last_step, record.progress
        share = step.share if step is not None else None
        if step is None and progress is not None and progress.total:
            share = progress.done / progress.total
        if state.over and record.finished is not None and record.finished.reason == "completed":
            share = 1.0
        unknown = share is None and not state.over
        self.bar.setRange(0, 0 if unknown else _STEPS)
        self.bar.setValue(round(min(max(share or 0.0, 0.0), 1.0) * _STEPS))
        _say(self.share, "" if share is None else f"{share * 100:.0f} %")

    def _told(self, state: RunState, record: RunRecord, plan: RunPlan | None) -> dict[str, str]:
        step, start = record.last_step, record.started
        total = start.total if start is not None and start.total else None
        used, free = memory(record)
        spare = f" ({free:.1f} free)" if free is not None else ""
        facts = {
            "Steps": "" if step is None else count(step.iteration) + (f" of {count(total)}" if total else ""),
            "Epoch": "" if step is None else count(step.epoch + 1),
            "Speed": self._rate(record),
            "Elapsed": "" if step is None or step.elapsed is None else duration(step.elapsed),
            "Time left": "" if state.over else self._left(step),
            "Memory": "" if used is None else f"{used:.1f} GiB{spare}",
            "Device": "" if start is None else device(start.details),
            "Last checkpoint": _checkpoint(record, live=not state.over),
        }
        if record.best is not None and plan is not None:
            named = own_score(record.best, plan)
            facts["Best so far"] = f"{score(*named)} at step {count(record.best.iteration)}" if named else ""
        return facts

    def _rate(self, record: RunRecord) -> str:
        if self._recent:
            return rate(sum(self._recent) / len(self._recent))
        step = record.last_step
        return rate(step.elapsed / step.iteration) if step is not None and step.elapsed else ""

    def _left(self, step: Step | None) -> str:
        if step is None or step.seconds_left is None:
            return ""
        calibrated = self._heard >= _CALIBRATED_STEPS and self._spent >= _CALIBRATED_S
        return duration(step.seconds_left) if calibrated else f"about {duration(step.seconds_left)}"

    def _set(self, name: str, value: str) -> None:
        if name not in self._values:
            self._add(name)
        cell, words = self._values[name]
        if words.text() != value:
            words.setText(value)
            cell.setAccessibleName(f"{name}: {value}")
        if cell.isHidden() == bool(value):
            cell.setVisible(bool(value))
            self.facts.invalidate()

    def _add(self, name: str) -> None:
        cell = QWidget()
        row = QHBoxLayout(cell)
        row.setContentsMargins(0, 0, 12, 0)
        words = label("", wrap=False)
        row.addWidget(label(name, "muted", wrap=False))
        row.addWidget(words, 1)
        self._values[name] = (cell, words)
        cell.hide()
        self.facts.addWidget(cell)


def _checkpoint(record: RunRecord, *, live: bool) -> str:
    saved = record.checkpoint
    if saved is None:
        return ""
    place = f"step {count(saved.iteration)}"
    return f"{ago(saved.at, datetime.now(UTC))}, {place}" if live and saved.at is not None else place


def _say(where: QLabel, text: str) -> None:
    if where.text() != text:
        where.setText(text)
