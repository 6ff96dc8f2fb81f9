"""Width and level of a window typed by hand."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QFormLayout, QVBoxLayout, QWidget

from ctmri_gui.panels.small_parts import label, naming
from ctmri_gui.viewer.number_field import SMALLEST_WIDTH, NumberField
from ctmri_gui.viewer.presets import Window
from ctmri_gui.viewer.roles import Role
from ctmri_gui.viewer.viewer_model import ViewerModel


class WindowEntry(QDialog):
    """Two numbers. Enter shows the window in the panes of the modality and closes, Esc leaves it as it was."""

    def __init__(self, model: ViewerModel, role: Role, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Window")
        self._model, self._role = model, role
        window, unit = model.windows[role], model.volumes[role].unit
        self._unit = f" {unit}" if unit == "HU" else ""
        self.width_field = NumberField("Width of the window", window.width, lowest=SMALLEST_WIDTH)
        self.level_field = NumberField("Level of the window", window.centre)
        self.range = label("", "muted", wrap=False)
        form = QFormLayout()
        form.addRow(naming("&Width", self.width_field), self.width_field)
        form.addRow(naming("&Level", self.level_field), self.level_field)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        buttons.button(QDialogButtonBox.StandardButton.Cancel).setAutoDefault(False)  # else Qt lets Enter press it
        apply = buttons.addButton("&Apply", QDialogButtonBox.ButtonRole.AcceptRole)
        apply.setDefault(True)
        apply.setProperty("primary", True)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.addLayout(form)
        column.addWidget(self.range)
        column.addWidget(buttons)
        for field in (self.width_field, self.level_field):
            field.valueChanged.connect(lambda _value: self._say())
        self._say()
        self.width_field.setFocus()
        self.width_field.selectAll()

    @property
    def window_typed(self) -> Window:
        return Window(self.level_field.value(), self.width_field.value())

    def accept(self) -> None:
        if self._role in self._model.windows:  # the volume may be gone
            self._model.set_window(self._role, self.window_typed)
        super().accept()

    def _say(self) -> None:
        low, high = self.window_typed.levels(dicom=self._model.volumes[self._role].dicom is not None)
        self.range.setText(f"Black at {low:g}{self._unit}, white at {high:g}{self._unit}")
