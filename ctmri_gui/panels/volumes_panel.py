"""What is known about each volume on the panes; its kind can be corrected here."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFormLayout, QFrame, QVBoxLayout, QWidget

from ctmri_core.recognition import recognise
from ctmri_core.volume import Volume
from ctmri_gui.panels.kind_choice import KindChoice
from ctmri_gui.panels.small_parts import label
from ctmri_gui.session import Session
from ctmri_gui.viewer.roles import MAIN, Role


class VolumesPanel(QWidget):
    """One block for each pane that shows something."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(10, 8, 10, 8)
        self._empty = label("No scan is open.", "muted")
        self._column.addWidget(self._empty)
        self._places: dict[Role, QVBoxLayout] = {}
        for role in Role:
            self._places[role] = QVBoxLayout()
            self._column.addLayout(self._places[role])
        self._column.addStretch(1)
        session.volumeChanged.connect(self._show)

    def _show(self, role: Role, volume: Volume | None) -> None:
        place = self._places[role]
        had_focus = any(choice.hasFocus() for choice in self.findChildren(KindChoice, role.value))
        while (item := place.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        if volume is not None:
            choice = self._kind(role, volume)
            place.addWidget(self._block(role, volume, choice))
            if had_focus:
                choice.setFocus()
        self._empty.setVisible(all(shown is None for shown in self._session.volumes.values()))

    def _block(self, role: Role, volume: Volume, choice: KindChoice) -> QWidget:
        block = QFrame()
        form = QFormLayout(block)
        form.setContentsMargins(0, 0, 0, 10)
        form.setVerticalSpacing(4)
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        told = volume.label.startswith(role.label)  # a synthetic image says itself that it is one
        form.addRow(label(volume.label if told and role in MAIN else f"{role.label}: {volume.label}", "heading"))
        form.addRow("Kind", choice)
        if volume.synthetic is None:
            form.addRow("Looks like", label(recognise(volume).label, "muted"))
        for name, text in facts(volume):
            form.addRow(name, label(text, "muted"))
        for finding in volume.findings:
            form.addRow(label(finding.message, "error" if finding.serious else "warning"))
        return block

    def _kind(self, role: Role, volume: Volume) -> KindChoice:
        choice = KindChoice(volume.domain)
        choice.setObjectName(role.value)
        choice.setAccessibleName(f"Kind of image of the {role.label.lower()}")
        choice.setToolTip("Correct this when the file could not say what kind of image it holds")
        choice.setEnabled(not role.is_synthetic)
        choice.chosen.connect(lambda domain: self._session.set_domain(role, domain))
        return choice


def facts(volume: Volume) -> tuple[tuple[str, str], ...]:
    """(name, value) lines about grid and history; nothing about the patient."""
    k, j, i = volume.geometry.shape
    dk, dj, di = volume.geometry.spacing
    rows = [
        ("Size", f"{i} × {j}, {k} {'slice' if k == 1 else 'slices'}"),
        ("Voxel", f"{di:.3g} × {dj:.3g} mm, {dk:.3g} mm {'thick' if k == 1 else 'apart'}"),
        ("Axes", " ".join("→".join(volume.geometry.axis_letters(axis)) for axis in (2, 1, 0))),
    ]
    if volume.synthetic is not None:
        rows.append(("Made by", f"{volume.synthetic.model_name} {volume.synthetic.model_hash[:12]}".strip()))
        from ctmri_core.io.synthetic_mark import run_facts  # loads pydicom, which nothing needs before

        if run := run_facts(volume.synthetic):
            rows.append(("Run with", "; ".join(f"{name} {text}" for name, text in run)))
    if volume.history:
        rows.append(("History", "; ".join(volume.history)))
    return tuple(rows)
