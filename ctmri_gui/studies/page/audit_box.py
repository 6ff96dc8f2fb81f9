"""What gives pictures away before a study opens: the verdict of the leak audit, what tells, and what can be done about it."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QFrame, QLineEdit, QPushButton, QVBoxLayout, QWidget

from ctmri_core.reporting.wording import plural
from ctmri_core.studies.leak_audit import LeakAudit
from ctmri_gui.evaluation.plain_table import Cell, PlainTable
from ctmri_gui.panels.small_parts import label, naming, set_role
from ctmri_gui.studies.setup.step_page import say
from ctmri_gui.studies.study_work import Looked

_TOLD = 6
_VERDICTS = {
    "clear": ("Nothing trivial gives them away", "good"), "warns": ("Trivial features tell a little", "warning"),
    "blocks": ("Trivial features give them away", "error"),
    "too few": ("Too few patients to tell", "warning"),
}  # fmt: skip
_HIDDEN = "What tells them apart is shown again once the study is closed: who reads here might go by it."
_OVERRIDE = "Readers could go by that. Whoever opens it all the same says why; it goes on record and into the report."


class AuditBox(QFrame):
    """`harmoniseWanted(tuple[Step, ...])`; `overrideChanged`: another reason is written."""

    harmoniseWanted = Signal(object)
    overrideChanged = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "card")
        self.title, self.words, self.done = label("", "heading"), label(""), label("", "muted")
        self.table = PlainTable("What tells real from synthetic")
        self.left = label("", "muted")
        self._offers = QWidget()
        self._ticks = QVBoxLayout(self._offers)
        self._ticks.setContentsMargins(0, 0, 0, 0)
        self.steps: list[tuple[QCheckBox, object]] = []
        self.harmonise = QPushButton("Make the pictures more &alike")
        self.harmonise.setToolTip("Changes the pictures of the draft as ticked, on record, and looks again")
        self.override, self.override_words = QLineEdit(), label(_OVERRIDE, "warning")
        self.override.setPlaceholderText("Why it is opened all the same")
        self.override_name = naming("&Reason", self.override)
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 10, 14, 12)
        column.setSpacing(8)
        for part in (self.title, self.words, self.done, self.table, self._offers, self.left, self.harmonise, self.override_words,
                     self.override_name, self.override):  # fmt: skip
            column.addWidget(part)
        self.harmonise.clicked.connect(lambda _on=False: self.harmoniseWanted.emit(self.chosen))
        self.override.textChanged.connect(lambda _text: self.overrideChanged.emit())
        self.wait()

    @property
    def chosen(self) -> tuple[object, ...]:
        """Steps that are ticked."""
        return tuple(step for tick, step in self.steps if tick.isChecked())

    def wait(self) -> None:
        """While a draft is looked at."""
        self.title.setText("Looking for what gives pictures away …")
        set_role(self.title, "heading")
        for part in (self.words, self.done, self.table, self._offers, self.left, self.harmonise):
            part.setVisible(False)
        self._show_override(False)

    def take_draft(self, looked: Looked) -> None:
        """Of a draft, with offers."""
        from ctmri_core.studies.harmonise import not_offered, offers

        audit = looked.checked.audit
        self._show(audit)
        say(self.done, looked.harmonised)
        for tick, _ in self.steps:
            tick.hide()
            tick.deleteLater()
        self.steps = []
        for step in offers(audit):
            tick = QCheckBox(f"{step.words[:1].upper()}{step.words[1:]}")
            tick.setChecked(True)
            tick.toggled.connect(lambda _on: self.harmonise.setEnabled(bool(self.chosen)))
            self._ticks.addWidget(tick)
            self.steps.append((tick, step))
        self._offers.setVisible(bool(self.steps))
        self.harmonise.setVisible(bool(self.steps))
        self.harmonise.setEnabled(bool(self.steps))
        say(self.left, not_offered(audit))
        self._show_override(audit.verdict == "blocks")

    def take_known(self, audit: LeakAudit | None, override: str, *, read: bool) -> None:
        """Of a study that was opened: as it was then. `read`: what tells stays out of sight, for readers may sit here."""
        self.setVisible(audit is not None)
        if audit is None:
            return
        self._show(audit)
        if read:
            self.words.setText(_HIDDEN)
            self.table.hide()
        say(self.done, f"Opened all the same, because: {override}" if override else "")
        for part in (self._offers, self.left, self.harmonise):
            part.setVisible(False)
        self._show_override(False)

    def _show(self, audit: LeakAudit) -> None:
        words, role = _VERDICTS[audit.verdict]
        self.title.setText(words)
        set_role(self.title, role)
        interval = "" if audit.low is None or audit.high is None else f" 95 % interval {audit.low:.2f} to {audit.high:.2f}."
        of = f"{audit.pictures} pictures of {plural(audit.patients, 'patient')}"
        self.words.setText(f"{audit.words}{interval} {of}.")
        rows = [[Cell(one.title), Cell(f"{one.area:.2f}"), Cell(f"{one.real:.4g}"), Cell(f"{one.synthetic:.4g}")]
                for one in audit.features[:_TOLD]]  # fmt: skip
        self.table.fill(("Feature alone", "Area", "Real (median)", "Synthetic (median)"), rows)
        self.words.show()
        self.table.setVisible(bool(rows))

    def _show_override(self, shown: bool) -> None:
        for part in (self.override_words, self.override_name, self.override):
            part.setVisible(shown)
