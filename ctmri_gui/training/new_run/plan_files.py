"""A run's settings as a file, and as the line that starts the same run in a terminal."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QMimeData
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from ctmri_core.errors import CtmriError
from ctmri_core.events import Finished
from ctmri_core.training.run_plan import RunPlan
from ctmri_gui import file_choice
from ctmri_gui.jobs.queue import Jobs
from ctmri_gui.panels.small_parts import label, set_role
from ctmri_gui.training.new_run import start_work
from ctmri_gui.training.new_run.draft import Draft
from ctmri_gui.training.new_run.field_words import in_words, labels_of, run_fields
from ctmri_gui.training.new_run.flowing_row import FlowingRow

_SUFFIXES = (".json", ".toml")
_PATTERN = "Configuration (*.json *.toml)"


class PlanFiles(QWidget):
    """`plan`, `folder`: the run as it would start now, None while it cannot, and where it would be kept."""

    def __init__(self, draft: Draft, jobs: Jobs, plan: Callable[[], RunPlan | None], folder: Callable[[], Path]) -> None:
        super().__init__()
        self._draft, self._jobs, self._plan, self._folder = draft, jobs, plan, folder
        self.copy, self.keep, self.fetch = (
            QPushButton("&Copy as command"), QPushButton("Sa&ve configuration…"), QPushButton("&Load configuration…"),
        )  # fmt: skip
        self.copy.setToolTip("The line that starts the same run in a terminal")
        self.keep.setToolTip("Writes everything that was chosen to a file")
        self.fetch.setToolTip("Takes everything from such a file, or from the config.json of a run. It may be dropped here, too")
        self.copy.clicked.connect(self.copy_command)
        self.keep.clicked.connect(self._ask_where)
        self.fetch.clicked.connect(self._ask_which)
        self.said = label("", "muted")
        self.said.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(FlowingRow(self.copy, self.keep, self.fetch))
        column.addWidget(self.said)

    def follow(self) -> None:
        """What can be pressed now."""
        for button in (self.copy, self.keep):
            button.setEnabled(self._plan() is not None)

    def copy_command(self) -> None:
        plan = self._plan()
        if plan is not None:
            line = command_line(plan.command(self._folder()))
            QGuiApplication.clipboard().setText(line)
            self._say(f"Copied: {line}")

    def save(self, path: Path) -> None:
        """Writes everything to `path`."""
        plan = self._plan()
        if plan is not None:
            self._run("Save configuration", partial(start_work.save, path, plan), lambda to: self._say(f"Saved as {to.name}."))

    def load(self, path: Path) -> None:
        """Takes everything from `path`; data and direction stay where it does not name them."""
        self._run("Load configuration", partial(start_work.load, path), partial(self._take, path.name))

    def _take(self, name: str, stored: dict[str, Any]) -> None:
        draft = self._draft
        data = draft.data.spec if draft.data is not None else draft.source
        given = {"method": draft.method, "data": data, "direction": draft.direction.name if draft.direction else "", **stored}
        try:
            if not given["direction"]:
                raise CtmriError("It names no direction, and none is chosen yet.")
            plan = RunPlan.read(given)
        except CtmriError as error:
            self._say(f"{name} was not taken. {in_words(str(error), labels_of(run_fields(draft.card)))}", "error")
            return
        draft.take(plan)
        unseen = "" if draft.data is not None else " Its data must be checked first: go back to the first step."
        self._say(f"Everything is as in {name}.{unseen}")

    def _run(self, title: str, work: Callable[..., Any], take: Callable[[Any], None]) -> None:
        def end(how: Finished) -> None:
            if how.reason != "completed" and how.message:
                self._say(how.message, "error")

        self._jobs.run(title, work, on_result=take, on_end=end, listed=False)

    def _say(self, text: str, role: str = "muted") -> None:
        set_role(self.said, role)
        self.said.setText(text)
        self.said.show()

    def _ask_where(self) -> None:
        start = Path.home() / f"{self._folder().name}.json"
        path = file_choice.new_file(self, "Save configuration", start, _PATTERN)
        if path is not None:
            self.save(path if path.suffix else path.with_suffix(".json"))

    def _ask_which(self) -> None:
        chosen = file_choice.existing_files(self, "Load configuration", "", _PATTERN)
        if chosen:
            self.load(chosen[0])


def command_line(words: Sequence[str]) -> str:
    """`words` in one line, quoted as this system's terminal reads it."""
    return subprocess.list2cmdline(words) if os.name == "nt" else shlex.join(words)


def configuration_of(dropped: QMimeData) -> Path | None:
    """The file of settings among what is dropped; None where there is not just one."""
    paths = [Path(url.toLocalFile()) for url in dropped.urls() if url.isLocalFile()]
    return paths[0] if len(paths) == 1 and paths[0].suffix.lower() in _SUFFIXES else None
