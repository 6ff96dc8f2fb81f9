"""A study that was made and is not open yet: what is in it, who was left out and why, the audit, and the button that opens it."""

from __future__ import annotations

from collections import Counter

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from ctmri_core.studies.truth import Truth
from ctmri_gui.evaluation.plain_table import Cell, PlainTable
from ctmri_gui.panels.small_parts import label
from ctmri_gui.studies.page.audit_box import AuditBox
from ctmri_gui.studies.setup.step_page import say
from ctmri_gui.studies.study_work import Looked
from ctmri_gui.training.new_run.flowing_row import FlowingRow

_NEXT = "Not open yet: look at what gives the pictures away, then open it. From then on nothing of it can be changed."
_UNKNOWN = "What gives the pictures away is not known yet: look at it first"
_REASONS = {
    "trained_on": "A model learnt from it", "geometry": "Its geometry", "kind": "Another kind of picture",
    "chance": "Not drawn: more were there than asked for", "hand": "Left out by hand", "failed": "Could not be shown",
    "reference": "Whether it has the finding is not known",
}  # fmt: skip


class DraftBox(QWidget):
    """`openWanted(str)`: with the reason that overrides the audit, empty where it needs none; `checkWanted`: look again."""

    openWanted = Signal(str)
    checkWanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._looked: Looked | None = None
        self._busy = False
        self.said, self.facts, self.relaxed = label(_NEXT, "muted"), label(""), label("", "warning")
        self.audit = AuditBox()
        self.out_said, self.out = label("", "heading"), PlainTable("Cases that are left out")
        self.open, self.check = QPushButton("&Open the study"), QPushButton("Look a&gain")
        self.open.setProperty("primary", True)
        self.check.setToolTip("Runs the leak audit once more")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        for part in (self.said, self.facts, self.relaxed, self.audit, FlowingRow(self.open, self.check), self.out_said, self.out):
            column.addWidget(part)
        self.open.clicked.connect(lambda _on=False: self.openWanted.emit(self.audit.override.text().strip()))
        self.check.clicked.connect(lambda _on=False: self.checkWanted.emit())
        self.audit.overrideChanged.connect(self._follow)
        self.take(None)

    def take(self, looked: Looked | None) -> None:
        """What was found; None while it is looked at."""
        self._looked = looked
        for part in (self.facts, self.out_said, self.out):
            part.setVisible(looked is not None)
        say(self.relaxed, "")
        if looked is None:
            self.audit.wait()
        else:
            self.audit.take_draft(looked)
            self.facts.setText(_facts(looked.truth))
            kept = "; ".join(looked.checked.relaxed)
            say(self.relaxed, f"Of the order that was asked for, on record: {kept}." if kept else "")
            self._list(looked.truth)
        self._follow()

    def set_busy(self, busy: bool, *, looking: bool) -> None:
        """While something runs nothing else can be begun. `looking`: it is being audited."""
        self._busy = busy or looking
        if self._looked is None and not self._busy:
            self.audit.title.setText(_UNKNOWN)
        elif self._looked is None and looking:
            self.audit.wait()
        self.audit.setEnabled(not busy)
        self._follow()

    def _follow(self) -> None:
        looked = self._looked
        blocked = looked is not None and looked.checked.audit.verdict == "blocks" and not self.audit.override.text().strip()
        self.open.setEnabled(looked is not None and not blocked and not self._busy)
        self.check.setEnabled(not self._busy)
        self.open.setToolTip("Write a reason first, or make the pictures more alike" if blocked else
                             "Draws every reader's order; fixes questions, pictures and truth")  # fmt: skip

    def _list(self, truth: Truth) -> None:
        out = truth.exclusions
        self.out_said.setText(f"Left out: {len(out)}" if out else "No case was left out")
        self.out.setVisible(bool(out))
        counted = Counter((one.reason, one.words) for one in out)
        rows = [[Cell(_REASONS[reason]), Cell(str(count)), Cell(words[:90], words)] for (reason, words), count in
                counted.most_common(12)]  # fmt: skip
        self.out.fill(("Reason", "Cases", "In words"), rows)


def _facts(truth: Truth) -> str:
    test = [item for item in truth.items if item.block == "test"]
    practice = len(truth.items) - len(test)
    patients = len({item.patient for item in test})
    counts = Counter(item.arm for item in test)
    arms = ", ".join(f"{count} {arm}" for arm, count in counts.items())
    done = f" Made more alike: {', '.join(dict.fromkeys(one.step for one in truth.harmonised))}." if truth.harmonised else ""
    whose = "one patient" if patients == 1 else f"{patients} patients"
    return f"{len(test)} pictures of {whose} in the test ({arms}); {practice or 'none'} for practice.{done}"
