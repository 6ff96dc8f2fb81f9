"""How long a run is: passes, steps, minutes, or until a time of day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QStackedWidget, QVBoxLayout, QWidget

from ctmri_core.config_fields import fields_of
from ctmri_core.method import MethodCard
from ctmri_core.training.estimate import Estimate
from ctmri_core.training.length import RunLength
from ctmri_core.training.settings import LENGTHS, TrainingSettings
from ctmri_gui.panels.small_parts import WheelGuard, label
from ctmri_gui.training.new_run.flowing_row import FlowingRow
from ctmri_gui.training.new_run.spans import end_after, span
from ctmri_gui.training.new_run.value_editors import editor_for
from ctmri_gui.viewer.palette import scaled

_TITLES = {"epochs": "Passes over the slices", "iterations": "Steps", "minutes": "Minutes", "until": "Until this time of day"}
_USUAL: Mapping[str, Any] = {"epochs": 200, "iterations": 20_000, "minutes": 60.0, "until": "7:00"}


class LengthChoice(QWidget):
    """`edited(dict)`: what is to stand in the settings, empty for as long as is usual."""

    edited = Signal(object)  # dict[str, Any]

    def __init__(self) -> None:
        super().__init__()
        self._usual = dict(_USUAL)
        self._quiet = False
        guard = WheelGuard(self)
        fields = {field.name: field for field in fields_of(TrainingSettings)}
        self.kind, stack = QComboBox(), QStackedWidget()
        self.kind.setAccessibleName("How the length is given")
        self.kind.setFocusPolicy(self.focusPolicy().StrongFocus)
        self.kind.installEventFilter(guard)
        self._editors = {}
        for name in LENGTHS:
            self.kind.addItem(_TITLES[name], name)
            field = replace(fields[name], optional=False, default=_USUAL[name])
            made = self._editors[name] = editor_for(field, guard, self._tell)
            made.focus.setAccessibleName(_TITLES[name])
            made.write(_USUAL[name])
            stack.addWidget(made.widget)
        stack.setFixedWidth(scaled(130))
        stack.setMaximumHeight(self.kind.sizeHint().height())
        self.kind.currentIndexChanged.connect(stack.setCurrentIndex)
        self.kind.currentIndexChanged.connect(self._tell)
        self.meaning = label("", "muted")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(FlowingRow(self.kind, stack))
        column.addWidget(self.meaning)

    @property
    def values(self) -> dict[str, Any]:
        """As the settings take it."""
        name = self.kind.currentData()
        value = self._editors[name].read()
        return {} if name == "epochs" and value == self._usual["epochs"] else {name: value}

    def editor(self, name: str) -> QWidget:
        return self._editors[name].focus

    def show_values(self, card: MethodCard, settings: Mapping[str, Any]) -> None:
        """What `settings` say, or what is usual for `card`."""
        self._usual["epochs"] = card.settings.get("epochs", _USUAL["epochs"])
        name = next((name for name in LENGTHS if settings.get(name) is not None), "epochs")
        value = settings.get(name) or self._usual[name]
        if (name, value) != (self.kind.currentData(), self._editors[name].read()):
            self._quiet = True
            self.kind.setCurrentIndex(LENGTHS.index(name))
            self._editors[name].write(value)
            self._quiet = False

    def tell(self, settings: TrainingSettings | None, found: Estimate | None, now: datetime) -> None:
        """When the run will end, where that is known. `settings`: those of the plan, None while there is none."""
        self.meaning.setText(length_words(settings, found, now) if settings is not None else "")
        self.meaning.setVisible(bool(self.meaning.text()))

    def _tell(self) -> None:
        if not self._quiet:
            self.edited.emit(self.values)


def length_words(settings: TrainingSettings, found: Estimate | None, now: datetime) -> str:
    """`About 3 h 20 min: it would end about 21:40.`"""
    per_step = None if found is None else found.seconds_per_step
    per_epoch = None if found is None else found.steps_per_epoch
    length = RunLength(settings, per_epoch or 1, now=now)
    if length.unit == "seconds":
        done = ""
        if per_step and per_epoch:
            epochs = length.total / per_step / per_epoch
            done = f" It is enough for about {epochs:.{0 if epochs >= 10 else 1}f} passes over the slices."
        return f"{span(length.total)}: it would end {end_after(length.total, now)}.{done}"
    if per_step is None or (length.unit == "epochs" and per_epoch is None):
        return ""
    seconds = (length.steps or 0) * per_step
    return f"About {span(seconds)}, if it goes on as measured: it would end {end_after(seconds, now)}."
