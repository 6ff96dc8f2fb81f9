"""All that was chosen, what is still missing, where the study goes, and the button that has it made."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QLineEdit, QProgressBar, QPushButton, QWidget

from ctmri_core.studies.request import StudyRequest
from ctmri_gui.evaluation.folder_field import FolderField
from ctmri_gui.panels.small_parts import label
from ctmri_gui.settings import Settings
from ctmri_gui.studies.places import new_folder, usual_place
from ctmri_gui.studies.setup.draft import Draft
from ctmri_gui.studies.setup.step_page import StepPage, say
from ctmri_gui.studies.studies import Studies
from ctmri_gui.training.new_run.flowing_row import FlowingRow

_WORDS = (
    "Patients are drawn, the synthetic pictures are made, and all are brought into one form. Then you see what gives them away,"
    " before the study is opened."
)
_SEED = "Of all chance in the study, 64 hexadecimal digits: the same seed draws the same patients, pictures and orders"
_NO_FOLDER = "There is no such place. Choose a folder that can be made."
_CLOSED = "Nothing may be written there. Choose a folder of your own."
_FULL = "The folder holds something already. Choose a new or an empty one."


class MakeStep(StepPage):
    """`goWanted(int)`: to the step with that number; `others`: the steps before, whose problems are listed."""

    goWanted = Signal(int)

    def __init__(self, draft: Draft, studies: Studies, settings: Settings, others: Sequence[tuple[str, StepPage]]) -> None:
        super().__init__(draft, "Make", _WORDS)
        self._studies, self._others = studies, others
        self._ways = QWidget()
        self._missing = QGridLayout(self._ways)
        self._missing.setContentsMargins(0, 0, 0, 0)
        self._missing.setColumnStretch(1, 1)
        self.facts = QWidget()
        self._grid = QGridLayout(self.facts)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setColumnStretch(1, 1)
        self.place = FolderField("the folder for the study", f"A new folder in {usual_place()}", settings, optional=True)
        self.place_note, self.seed_note = label("", "warning"), label("", "warning")
        self.seed = QLineEdit()
        self.seed.setMaxLength(64)
        self.seed.setPlaceholderText("drawn by chance")
        self.seed.setToolTip(_SEED)
        self.make, self.stop = QPushButton("Make the &study"), QPushButton("S&top")
        self.make.setProperty("primary", True)
        self.stop.setToolTip("Nothing is kept of a study that was not made to its end")
        self.bar, self.told = QProgressBar(), label("", "muted")
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(6)
        self.bar.setAccessibleName("Progress of making the study")
        self.column.addWidget(self.facts)
        self.form(("Study &in", self.place), ("", self.place_note), ("See&d", self.seed), ("", self.seed_note))
        self.column.addWidget(self._ways)
        for part in (FlowingRow(self.make, self.stop), self.bar, self.told):
            self.column.addWidget(part)
        self.complete(self.seed)
        self.place.changed.connect(self._take)
        self.make.clicked.connect(lambda _on=False: self.begin())
        self.stop.clicked.connect(lambda _on=False: studies.stop())
        studies.changed.connect(self._show_work)
        draft.foreseenChanged.connect(self.follow)

    @property
    def problem(self) -> str:
        asked = self.draft.request
        wrong = "" if asked.folder is None else _unusable(asked.folder)
        if wrong:
            return wrong
        return "" if not asked.seed or _is_seed(asked.seed) else "A seed has 64 digits from 0 to 9 and a to f."

    @property
    def summary(self) -> str:
        return "ready" if self.ready else ""

    @property
    def ready(self) -> bool:
        counted = self.draft.foreseen is not None
        return counted and not self.problem and not any(page.problem for _, page in self._others)

    def read(self) -> dict[str, Any]:
        return {"folder": self.place.folder, "seed": self.seed.text().strip().lower()}

    def show_request(self) -> None:
        self.place.set_folder(self.draft.request.folder)
        self.seed.setText(self.draft.request.seed)

    def begin(self) -> None:
        """Makes it, where nothing is missing."""
        if self.ready and not self._studies.running:
            folder = self.draft.request.folder or new_folder(usual_place(), "study", datetime.now().astimezone())
            self._studies.make(self.draft.complete(folder), self.draft.passphrase)

    def follow(self) -> None:
        asked = self.draft.request
        wrong = "" if asked.folder is None else _unusable(asked.folder)
        say(self.place_note, wrong)
        say(self.seed_note, "" if wrong else self.problem)
        _empty(self._grid)
        for row, (name, words) in enumerate(_facts(asked, self.draft)):
            self._grid.addWidget(label(name, "muted", wrap=False), row, 0)
            self._grid.addWidget(label(words), row, 1)
        _empty(self._missing)
        for number, (title, page) in enumerate(self._others):
            if page.problem:
                way = QPushButton(title)
                way.setProperty("role", "small")
                way.setToolTip(f"Goes to the step {title}")
                way.clicked.connect(lambda _on=False, number=number: self.goWanted.emit(number))
                row = self._missing.rowCount()
                self._missing.addWidget(way, row, 0)
                self._missing.addWidget(label(page.problem, "warning"), row, 1)
        self._show_work()

    def _show_work(self) -> None:
        running, state = self._studies.running, self._studies.state
        self.make.setEnabled(self.ready and not running)
        self.make.setToolTip("" if self.ready else "Something is still missing")
        self.stop.setVisible(running)
        self.bar.setVisible(running)
        self.told.setVisible(running)
        if state is not None and running:
            self.stop.setEnabled(not state.stopping)
            fraction = state.fraction
            self.bar.setRange(0, 1000 if fraction is not None else 0)
            self.bar.setValue(round((fraction or 0.0) * 1000))
            self.told.setText(" · ".join(part for part in (state.text, state.message if state.total else "") if part))


def _facts(asked: StudyRequest, draft: Draft) -> list[tuple[str, str]]:
    from ctmri_gui.studies.setup.design_step import DESIGNS

    made_by = ", ".join(_name(path) for path in (*asked.models, *asked.predictions)) or "nobody yet"
    foreseen = draft.foreseen
    trials = "" if foreseen is None else f", {foreseen.trials} trials for each reader"
    order = "; ".join(foreseen.relaxed) if foreseen is not None and asked.order_kept.may_relax else ""
    rows = [
        ("Title", asked.title.strip() or "none yet"), ("Design", DESIGNS[asked.design][0].replace("&", "")),
        ("Synthetic by", made_by), ("Patients", f"{asked.cases} in the test{trials}"),
        ("Readers", ", ".join(asked.readers) or "none yet"), ("Relaxed", order),
        ("Consent", "asked for" if asked.consent.strip() else "not asked for"),
        ("Truth", "locked by a passphrase" if draft.passphrase else "locked by a key kept in your settings"),
    ]  # fmt: skip
    return [row for row in rows if row[1]]


def _name(path: Path) -> str:
    return path.stem if path.suffix else path.name


def _unusable(folder: Path) -> str:
    """Why no study can be made there; empty where it can, as far as can be told before."""
    try:
        there = next((place for place in (folder, *folder.parents) if place.exists()), None)
        if there is None or not there.is_dir():
            return _NO_FOLDER
        if there == folder and any(folder.iterdir()):
            return _FULL
        writable = os.access(there if there != folder else folder.parent, os.W_OK | os.X_OK)
    except OSError:
        return _CLOSED
    return "" if writable else _CLOSED


def _is_seed(text: str) -> bool:
    return len(text) == 64 and set(text) <= set("0123456789abcdef")


def _empty(layout: QGridLayout) -> None:
    while (item := layout.takeAt(0)) is not None:
        widget = item.widget()
        if widget is not None:
            widget.hide()
            widget.deleteLater()
