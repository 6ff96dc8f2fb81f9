"""What may be asked of a run that goes on. Every button says what is under way, and has a key."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from ctmri_core.events import CheckpointSaved, Event, Sample
from ctmri_core.training.runs import own_score
from ctmri_gui.actions import with_keys
from ctmri_gui.panels.asking import ask
from ctmri_gui.panels.small_parts import label
from ctmri_gui.training.live_run import LiveRun
from ctmri_gui.training.monitor.flow import Flow
from ctmri_gui.training.monitor.state_words import is_preparing
from ctmri_gui.training.monitor.words import count, duration, score

_STOPPING = "Stopping: the step is ended and the state is kept, at most 10 s …"


@dataclass(frozen=True)
class _Press:
    name: str
    text: str
    tip: str
    keys: str


_PRESSES = (
    _Press("pause", "&Pause", "Holds after this step until Resume; the clock of the run stands still", "Ctrl+P"),
    _Press("epoch", "Stop after this &epoch", "Ends when all slices were seen; pressed again, goes on", "Ctrl+Shift+E"),
    _Press("stop", "&Stop now and keep", "Ends after this step; the state, models and pictures are kept", "Ctrl+."),
    _Press("sample", "S&ample now", "Writes sample pictures after this step", "Ctrl+Shift+P"),
    _Press("checkpoint", "&Checkpoint now", "Writes the state after this step, to resume from", "Ctrl+S"),
    _Press("discard", "&Discard…", "Stops the run and deletes its folder, after asking", "Ctrl+Shift+Del"),
)


class Controls(QWidget):
    """Follows one run. `discarded`: the person wants it gone, and the run was asked to stop. `keys_in`: while it is shown, keys
    work in its window.
    """

    discarded = Signal()

    def __init__(self, keys_in: QWidget) -> None:
        super().__init__()
        self._keys_in = keys_in
        self._run: LiveRun | None = None
        self._awaited: set[Literal["sample", "checkpoint"]] = set()
        self.discarding = False
        self.presses: dict[str, QPushButton] = {}
        self.under_way = label("", "warning")
        self.under_way.setAccessibleName("What is under way")
        flow = Flow()
        does: dict[str, Callable[[], None]] = {
            "pause": self._pause, "epoch": self._epoch, "stop": self._stop, "sample": lambda: self._once("sample"),
            "checkpoint": lambda: self._once("checkpoint"), "discard": self._discard,
        }  # fmt: skip
        for press in _PRESSES:
            flow.addWidget(self._made(press, does[press.name]))
        self.presses["epoch"].setCheckable(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(flow)
        column.addWidget(self.under_way)
        self.show_state()

    def _made(self, press: _Press, do: Callable[[], None]) -> QPushButton:
        made = self.presses[press.name] = QPushButton(press.text)
        made.setToolTip(with_keys(press.tip, (press.keys,)))
        made.setAccessibleDescription(press.tip)
        made.clicked.connect(lambda: do())
        keys = QShortcut(QKeySequence(press.keys), self._keys_in)  # wherever the keyboard is, while the run is shown
        keys.activated.connect(made.click)
        return made

    def follow(self, run: LiveRun | None) -> None:
        """Another run, or none."""
        self._run, self.discarding = run, False
        self._awaited.clear()
        self.show_state()

    def hear(self, event: Event) -> None:
        """What was asked for is done."""
        if isinstance(event, Sample):
            self._awaited.discard("sample")
        elif isinstance(event, CheckpointSaved):
            self._awaited.discard("checkpoint")

    def show_state(self) -> None:
        """Which buttons make sense now, and what is under way."""
        run = self._run
        running = run is not None and run.running
        stopping = run is not None and running and (run.orders.stop() or (run.state is not None and run.state.stopping))
        begun = run is not None and running and not stopping and not is_preparing(run.record)
        paused = run is not None and (run.orders.paused or run.record.paused)
        self.presses["pause"].setText("&Resume" if paused else "&Pause")
        self.presses["epoch"].setChecked(run is not None and run.orders.ends_with_epoch)
        for name in ("pause", "epoch", "sample", "checkpoint"):  # awaited ones as well: the keyboard would go on to "Discard…"
            self.presses[name].setEnabled(begun)
        self.presses["stop"].setEnabled(running and not stopping)
        self.presses["discard"].setEnabled(running and not self.discarding)
        said = self._said(run, stopping=stopping) if run is not None and running else ""
        if said != self.under_way.text():
            self.under_way.setText(said)
        self.under_way.setVisible(bool(said))

    def _said(self, run: LiveRun, *, stopping: bool) -> str:
        if stopping:
            return "Stopping, then deleting: at most 10 s …" if self.discarding else _STOPPING
        said = []
        if run.orders.paused and not run.record.paused:
            said.append("Pausing after this step …")
        if run.orders.ends_with_epoch:
            said.append("Stopping after this epoch; press the button again to take that back.")
        if "sample" in self._awaited:
            said.append("Sample pictures come after this step …")
        if "checkpoint" in self._awaited:
            said.append("The checkpoint is written after this step …")
        return " ".join(said)

    def _pause(self) -> None:
        if self._run is not None:
            self._run.ask("go_on" if self._run.orders.paused else "pause")
        self.show_state()

    def _epoch(self) -> None:
        if self._run is not None:
            ends = self._run.orders.ends_with_epoch
            self._run.ask("go_on" if ends and not self._run.orders.paused else "stop_after_epoch")
        self.show_state()

    def _stop(self) -> None:
        if self._run is not None:
            self._run.ask("stop")
        self.show_state()

    def _once(self, order: Literal["sample", "checkpoint"]) -> None:
        if self._run is not None:
            self._awaited.add(order)
            self._run.ask(order)
        self.show_state()

    def _discard(self) -> None:
        run = self._run
        if run is None:
            return
        ask(
            self, "Discard the run?", f"Discard {run.folder.name}?", what_is_lost(run),
            yes="Discard the run", no="Keep it", then=lambda: self._discard_now(run),
        )  # fmt: skip

    def _discard_now(self, run: LiveRun) -> None:
        if run is not self._run:
            return
        self.discarding = True
        if run.running:
            run.ask("stop")
        self.discarded.emit()
        self.show_state()


def what_is_lost(run: LiveRun) -> str:
    """What goes with the run's folder, by name."""
    record = run.record
    step = record.last_step
    lost = []
    if step is not None:
        trained = f" ({duration(step.elapsed)} of training)" if step.elapsed is not None else ""
        lost.append(f"{count(step.iteration)} steps{trained}")
    if record.best is not None:
        named = own_score(record.best, run.plan)
        lost.append("the best model so far" + (f" ({score(*named)})" if named else ""))
    if record.checkpoint is not None:
        lost.append("the checkpoint to resume from")
    if record.samples:
        lost.append(f"{len(record.samples)} sample pictures")
    what = ", ".join(lost) or "what was prepared so far"
    return f"Its folder {run.folder.name} is deleted for good: {what}. There is no way back."
