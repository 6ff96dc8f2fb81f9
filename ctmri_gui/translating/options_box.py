"""How a translation is to be made: folded away, for the defaults need no look."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtGui import QHideEvent, QShowEvent, QStandardItemModel
from PySide6.QtWidgets import QComboBox, QFormLayout, QPushButton, QSpinBox, QToolButton, QVBoxLayout, QWidget

from ctmri_gui.jobs.queue import JobState
from ctmri_gui.panels.small_parts import label, naming, reveal
from ctmri_gui.session import Session
from ctmri_gui.settings import SETTINGS, TRANSLATION_OPTIONS
from ctmri_gui.settings_dialog import field_for
from ctmri_gui.translating.estimates import Estimates
from ctmri_gui.translating.model_facts import ModelFacts
from ctmri_gui.viewer.roles import Role

_PLANES, _DOUBT, _SAMPLES, _DRAWS, _CYCLE = (
    f"translation_{name}" for name in ("planes", "doubt", "samples", "draws", "cycle")
)  # fmt: skip
_HAS_NOT = {"dropout": "This model has no dropout.", "latent": "This model has no latent to take samples of."}
_NEEDS_THREE = "Needs three planes: choose them above."
_NO_DRAWS = "Draws come of mirrored slices, dropout or a latent."
_TIMING = "Timing this machine …"


class OptionsBox(QWidget):
    """A field for each of `TRANSLATION_OPTIONS`, kept in the settings as soon as it is changed, and what they cost."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session, self._settings = session, session.settings
        self.facts, self.estimates = ModelFacts(session.jobs, self), Estimates(session, self)
        self.head = QToolButton()
        self.head.setText("Options")
        self.head.setProperty("role", "heading")
        self.head.setCheckable(True)
        self.head.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.fields: dict[str, QWidget] = {}
        self._names: dict[str, QWidget] = {}
        self._read: dict[str, Any] = {}
        self._write: dict[str, Any] = {}
        self.device = QComboBox()
        self.device.setAccessibleName("Device")
        self.device.setToolTip(SETTINGS["device"].help)
        self.estimate = label("", "muted")
        self.reset = QPushButton("Defaults")
        self.reset.setToolTip("Puts every option of translating to its default")
        self._lay_out()
        self._connect()
        self._fold(False)
        self._follow()

    @property
    def opened(self) -> bool:
        return self.head.isChecked()

    # Building ---------------------------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        self.inside = QWidget()
        form = QFormLayout(self.inside)
        form.setContentsMargins(0, 0, 0, 0)
        form.setHorizontalSpacing(10)
        form.setVerticalSpacing(6)
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for setting in TRANSLATION_OPTIONS:
            key = setting.key
            field, self._read[key], self._write[key] = field_for(setting, partial(self._changed, key))
            self._write[key](self._settings[key])
            self.fields[key] = field
            self._dress(field, setting.label, setting.help)
            if isinstance(setting.default, bool):
                form.addRow(field)
            else:
                self._names[key] = naming(setting.label, field)
                form.addRow(self._names[key], field)
        self._dress(self.device, "Device", SETTINGS["device"].help)
        form.addRow(naming("Device", self.device), self.device)
        form.addRow(self.estimate)
        form.addRow(self.reset)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(self.head, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self.inside)

    @staticmethod
    def _dress(field: QWidget, name: str, tip: str) -> None:
        field.setAccessibleName(name)
        field.setAccessibleDescription(tip)
        field.setToolTip(tip)
        if isinstance(field, QComboBox):
            field.setMinimumContentsLength(6)
            field.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)

    def _connect(self) -> None:
        session = self._session
        self.head.toggled.connect(self._fold)
        self.head.clicked.connect(lambda _on: reveal(self))
        self.reset.clicked.connect(self._reset)
        self.device.activated.connect(lambda _row: self._device_chosen())
        self.facts.changed.connect(self._follow)
        self.estimates.changed.connect(self._show_estimate)
        self._settings.changed.connect(self._setting_changed)
        session.library.chose.connect(lambda _entry: self._look())
        session.volumeChanged.connect(lambda role, _volume: self._look() if role is Role.SOURCE else None)
        session.bodies.changed.connect(lambda _volume: self._look())
        session.translationChanged.connect(self._follow_run)

    # Following --------------------------------------------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._look()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.estimates.drop()

    def _fold(self, opened: bool) -> None:
        self.head.setArrowType(Qt.ArrowType.DownArrow if opened else Qt.ArrowType.RightArrow)
        self.head.setToolTip("Planes, uncertainty, precision, device" + ("" if opened else f"; {self._in_words}"))
        self.inside.setVisible(opened)
        if opened:
            self._look()
        else:
            self.estimates.drop()

    def _look(self) -> None:
        """Finds out about what is chosen now, while somebody sees it."""
        if self.opened and self.isVisible():
            self.facts.look(self._session.library.chosen)
            self.estimates.ask_soon()
        self._follow()

    def _follow_run(self, state: JobState | None) -> None:
        if state is not None:
            self.estimates.drop()
        elif self.opened and self.isVisible():
            self.estimates.ask_soon()  # the next one is estimated again
        self._show_estimate()

    def _setting_changed(self, key: str) -> None:
        if key in self._write and self._read[key]() != self._settings[key]:
            with QSignalBlocker(self.fields[key]):
                self._write[key](self._settings[key])
        if key in self._write or key in ("device", "graphics_card"):
            self._look()

    def _changed(self, key: str) -> None:
        if key in self._read:  # and not while it is being filled
            self._settings[key] = self._read[key]()

    def _reset(self) -> None:
        for setting in TRANSLATION_OPTIONS:
            self._settings[setting.key] = setting.default
        self._settings["device"], self._settings["graphics_card"] = SETTINGS["device"].default, 0

    def _device_chosen(self) -> None:
        self._settings["device"], self._settings["graphics_card"] = self.device.currentData()

    @property
    def _in_words(self) -> str:
        """What differs from the defaults."""
        changed = [one.label.lower() for one in TRANSLATION_OPTIONS if self._settings[one.key] != one.default]
        return f"changed: {', '.join(changed)}" if changed else "all as at first"

    def _follow(self) -> None:
        """What can be chosen, and why the rest cannot."""
        changed = any(self._settings[one.key] != one.default for one in TRANSLATION_OPTIONS)
        self.head.setText("Options (changed)" if changed else "Options")
        self.reset.setVisible(changed)
        self._offer_ways()
        doubt = self._settings[_DOUBT]
        three = self._settings[_PLANES] in ("mean", "median")
        self._allow(_SAMPLES, "" if doubt not in ("none", "planes") else "Only where uncertainty is asked for by samples.")
        draws = doubt not in ("none", "planes") and not (doubt == "auto" and three)
        self._allow(_DRAWS, "" if draws else _NO_DRAWS)
        most, field = SETTINGS[_DRAWS].limits, self.fields[_DRAWS]
        if most is not None and isinstance(field, QSpinBox):
            field.setMaximum(min(most[1], self._settings[_SAMPLES]))
        back = self._session.library.back_of(self._session.library.chosen)
        direction = self._session.library.direction
        missing = f"No model for {direction.reverse.label} is in the list." if direction is not None else "No model is chosen."
        self._allow(_CYCLE, "" if back is not None else missing)
        if back is not None and back.card is not None:
            self.fields[_CYCLE].setToolTip(f"{SETTINGS[_CYCLE].help} With: {back.card.name}.")
        self._offer_devices()
        self._show_estimate()

    def _allow(self, key: str, reason: str) -> None:
        self.fields[key].setEnabled(not reason)
        self.fields[key].setToolTip(reason or SETTINGS[key].help)
        if key in self._names:
            self._names[key].setEnabled(not reason)
            self._names[key].setToolTip(reason)

    def _offer_ways(self) -> None:
        """Greys what the model has not, or what the planes chosen do not allow."""
        box, ways = self.fields[_DOUBT], self.facts.ways(self._session.library.chosen)
        reasons: dict[str, str] = {}
        if ways is not None:
            reasons = {way: why for way, why in _HAS_NOT.items() if way not in ways}
        if self._settings[_PLANES] == "axial":
            reasons["planes"] = _NEEDS_THREE
        assert isinstance(box, QComboBox)
        _grey(box, reasons)
        refused = reasons.get(self._settings[_DOUBT], "")
        box.setToolTip(f"{refused} What tells most is taken instead." if refused else SETTINGS[_DOUBT].help)

    def _offer_devices(self) -> None:
        cards = self.facts.cards
        rows: list[tuple[str, tuple[str, int]]] = [("Automatic", ("auto", 0)), ("Processor", ("cpu", 0))]
        rows += [(name, ("cuda", number)) for number, name in enumerate(cards or ())]
        chosen = self._settings["device"], self._settings["graphics_card"] if self._settings["device"] == "cuda" else 0
        if chosen not in [data for _, data in rows]:
            rows.append(("Graphics card" + ("" if cards is None else " (not found)"), chosen))
        with QSignalBlocker(self.device):
            self.device.clear()
            for text, data in rows:
                self.device.addItem(text, data)
            self.device.setCurrentIndex([data for _, data in rows].index(chosen))

    def _show_estimate(self) -> None:
        estimates = self.estimates
        running = self._session.translation.state is not None
        text = "" if running else estimates.text or estimates.problem or (_TIMING if estimates.running else "")
        self.estimate.setText(text)
        self.estimate.setVisible(bool(text))


def _grey(box: QComboBox, reasons: Mapping[str, str]) -> None:
    """Rows that cannot be chosen say why."""
    model = box.model()
    assert isinstance(model, QStandardItemModel)
    for row in range(box.count()):
        reason = reasons.get(box.itemData(row), "")
        item = model.item(row)
        item.setEnabled(not reason)
        item.setToolTip(reason)
