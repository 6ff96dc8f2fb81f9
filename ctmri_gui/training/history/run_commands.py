"""What can be done with the runs that are selected: one table, from which buttons and the context menu are made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QWidget

from ctmri_core.training.runs import RunSummary
from ctmri_gui.actions import with_keys

Runs = Sequence[RunSummary]


def _one(runs: Runs) -> bool:
    return len(runs) == 1


def _readable(runs: Runs) -> bool:
    return _one(runs) and runs[0].plan is not None


def _with_model(runs: Runs) -> bool:
    return _readable(runs) and bool(runs[0].models)


@dataclass(frozen=True)
class _Command:
    """`fits`: whether it can be done with these runs; otherwise it is not offered."""

    name: str
    text: str
    tip: str
    fits: Callable[[Runs], bool]
    keys: str = ""


_COMMANDS = (
    _Command("look", "&Look at it", "Curves, pictures and health of the run", _readable, "Return"),
    _Command("resume", "&Resume", "Goes on from the last checkpoint", lambda runs: _one(runs) and runs[0].can_go_on, "Ctrl+R"),
    _Command("verdict", "See the &verdict", "The model against doing nothing and others; made now where there is none",
             lambda runs: _with_model(runs) and runs[0].state != "running"),
    _Command("use", "&Use the model", "Chooses the run's best model in the main window", _with_model, "Ctrl+U"),
    _Command("keep", "&Keep in my models", "Copies the best model to your models: there it stays when the run is deleted",
             _with_model),
    _Command("tune", "&Fine-tune from it", "Sets up a new run that begins with this model", _with_model),
    _Command("template", "Use as a &template", "Sets up a new run with the same settings", _readable, "Ctrl+T"),
    _Command("compare", "&Compare", "Curves above one another, and which settings differ",
             lambda runs: len(runs) > 1 and all(run.plan is not None for run in runs), "Ctrl+Shift+C"),
    _Command("folder", "Open f&older", "The run's folder: settings, events, checkpoints, pictures, models", _one),
    _Command("board", "Open in Tensor&Board", "Starts TensorBoard over this run's logs and opens the browser", _readable),
    _Command("delete", "&Delete…", "Deletes the runs and their folders for good, after asking",
             lambda runs: bool(runs) and all(run.state != "running" for run in runs), "Del"),
)  # fmt: skip


class RunCommands(QObject):
    """`asked(name, runs)` when one is chosen. Keys work in `where`."""

    asked = Signal(str, object)

    def __init__(self, where: QWidget) -> None:
        super().__init__(where)
        self._runs: tuple[RunSummary, ...] = ()
        self.actions: dict[str, QAction] = {}
        for command in _COMMANDS:
            keys = (command.keys,) if command.keys else ()
            action = self.actions[command.name] = QAction(command.text, self)
            action.setToolTip(with_keys(command.tip, keys))
            action.setShortcuts([QKeySequence(key) for key in keys])
            action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            action.triggered.connect(lambda _checked=False, name=command.name: self.asked.emit(name, self._runs))
            where.addAction(action)
        self.follow(())

    def follow(self, runs: Runs) -> None:
        """Other runs are selected."""
        self._runs = tuple(runs)
        for command in _COMMANDS:
            fits = command.fits(runs)
            self.actions[command.name].setEnabled(fits)
            self.actions[command.name].setVisible(fits)
