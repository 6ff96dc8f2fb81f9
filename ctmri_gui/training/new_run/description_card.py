"""The name of a run and of its model, and what the model's card is to say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFormLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from ctmri_core.config_fields import fields_of
from ctmri_core.domain import Direction
from ctmri_core.method import MethodCard
from ctmri_core.training.settings import ModelDescription
from ctmri_gui import file_choice
from ctmri_gui.panels.small_parts import label, naming
from ctmri_gui.private_paths import looks_like_patient
from ctmri_gui.training.new_run.config_form import ConfigForm
from ctmri_gui.training.new_run.flowing_row import FlowingRow
from ctmri_gui.training.new_run.run_names import LONGEST, name_problem, usual_name

_MODEL = "name"
_LONGEST_MODEL = 100
_TELLS = "▲ “{}” looks like a patient's name or number. It would stand in every file of the run: better choose another."


class DescriptionCard(QWidget):
    """`edited(dict)`: what the model's card says, where it differs; `renamed()`: the run has another name or place."""

    edited = Signal(object)  # dict[str, Any]
    renamed = Signal()

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._parent_folder = folder
        self._card: MethodCard | None = None
        self._direction: Direction | None = None
        self._own_name = False
        self._given: set[Path] = set()
        self.run, self.model = QLineEdit(), QLineEdit()
        self.run.setMaxLength(LONGEST)
        self.model.setMaxLength(_LONGEST_MODEL)
        self.run.setToolTip("The name of its folder, and in the list of runs")
        self.model.setToolTip("How the model is called in lists of models")
        self.place, self.elsewhere = label("", "muted"), QPushButton("Another folder…")
        self.warning = label("", "warning")
        told = [replace(field, group="What the model is for") for field in fields_of(ModelDescription) if field.name != _MODEL]
        self.more = ConfigForm(told, closed=True)
        self.run.textEdited.connect(self._name_run)
        self.model.textEdited.connect(lambda _text: self._tell())
        self.more.edited.connect(lambda _values: self._tell())
        self.elsewhere.clicked.connect(self._ask_place)
        form = QFormLayout()
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        form.addRow(naming("Name of the &run", self.run), self.run)
        form.addRow(naming("Name of the &model", self.model), self.model)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(form)
        for part in (self.warning, self.place, FlowingRow(self.elsewhere), self.more):
            column.addWidget(part)
        self._show_place()

    @property
    def folder(self) -> Path:
        """Where the run is kept."""
        return self._parent_folder / (self.run.text().strip() or "run")

    @property
    def problem(self) -> str:
        """Why there cannot be a run of this name; empty when there can."""
        return name_problem(self.run.text().strip(), self._parent_folder)

    def show_values(self, card: MethodCard, direction: Direction | None, about: Mapping[str, Any]) -> None:
        """What is told of the model now. A name that nobody gave follows method and direction."""
        if (card, direction) != (self._card, self._direction):
            self._card, self._direction = card, direction
            self.model.setPlaceholderText(f"{card.title} {direction.label}" if direction is not None else card.title)
            if not self._own_name:
                self._begin_anew()
        if self.model.text().strip() != (about.get(_MODEL) or ""):
            self.model.setText(about.get(_MODEL) or "")
        told = {name: value for name, value in about.items() if name != _MODEL}
        if self.more.values != told:
            self.more.set_values(told)
        self._warn()

    def take_up(self) -> None:
        """The run has begun: the next one has another name."""
        self._given.add(self.folder)
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._own_name = False
        if self._card is not None:
            self.run.setText(usual_name(self._card, self._direction, self._parent_folder, self._given))
            self._show_place()

    def _name_run(self, text: str) -> None:
        self._own_name = bool(text.strip())
        self._show_place()
        self._warn()
        self.renamed.emit()

    def _tell(self) -> None:
        name = self.model.text().strip()
        self._warn()
        self.edited.emit({**({_MODEL: name} if name else {}), **self.more.values})

    def _warn(self) -> None:
        telling = next((text for text in (self.run.text(), self.model.text()) if looks_like_patient(text.strip())), "")
        self.warning.setText(_TELLS.format(telling.strip()) if telling else "")
        self.warning.setVisible(bool(telling))

    def _show_place(self) -> None:
        self.place.setText(f"Kept in {self.folder}")

    def _ask_place(self) -> None:
        chosen = file_choice.existing_folder(self, "Where to keep the run", str(self._parent_folder))
        if chosen is not None:
            self._parent_folder = chosen
            self._show_place()
            self.renamed.emit()
