"""What readers are asked: the design of the study, and its title."""

from __future__ import annotations

from typing import Any, get_args

from PySide6.QtWidgets import QButtonGroup, QLineEdit, QRadioButton

from ctmri_core.studies.protocol import Design
from ctmri_gui.evaluation.folder_field import FolderField
from ctmri_gui.panels.small_parts import label, reveal
from ctmri_gui.settings import Settings
from ctmri_gui.studies.setup.draft import Draft
from ctmri_gui.studies.setup.step_page import StepPage, say

DESIGNS: dict[Design, tuple[str, str]] = {
    "yes_no": ("Real or &synthetic?", "One picture at a time, on six points from definitely real to definitely synthetic."),
    "two_alternatives": ("Which of t&wo?", "Real and synthetic of one patient side by side: which one is synthetic?"),
    "rank": ("&Rank", "Pictures of one patient, real and of each model, are put in order."),
    "grading": ("Visual &grading", "Each picture is graded on scales; synthetic ones are to be no worse by more than a margin."),
    "diagnosis": ("F&inding", "Is the finding there, how sure, and where? On real pictures and on synthetic ones."),
}
"""Words of each design, and what its trials are."""
_TITLE = "Give the study a title."
_FINDING = "Name the finding that readers look for."
_TABLE = "CSV: case, x, y, z (LPS mm), radius; numbers left empty where there is none. A case that is not in it is not shown"


class DesignStep(StepPage):
    """Title and design; the finding of a diagnostic task."""

    def __init__(self, draft: Draft, settings: Settings) -> None:
        super().__init__(draft, "Design", "What readers see on every page, and what a trial asks of them.")
        self._asks_finding = False
        self.title = QLineEdit()
        self.title.setMaxLength(200)
        self.title.setPlaceholderText("Synthetic MR of the head")
        self.title.setToolTip("Readers see it: it says nothing of which pictures are synthetic")
        self.title_note, self.finding_note = label("", "warning"), label("", "warning")
        self.form(("&Title", self.title), ("", self.title_note))
        self.heading("A trial asks")
        self._group = QButtonGroup(self)
        self.ways: dict[Design, QRadioButton] = {}
        for design in get_args(Design):
            words, more = DESIGNS[design]
            way = self.ways[design] = QRadioButton(words)
            way.setToolTip(more)
            way.setAccessibleDescription(more)
            self._group.addButton(way)
            self.column.addWidget(way)
            said = label(more, "muted")
            said.setContentsMargins(24, 0, 0, 4)
            self.column.addWidget(said)
        self.finding = QLineEdit()
        self.finding.setMaxLength(200)
        self.finding.setPlaceholderText("lesion")
        self.finding.setToolTip("As readers are asked for it")
        words = "None: label maps of the cases say where it is"
        self.findings = FolderField("the table of findings", words, settings, optional=True, pattern="Tables (*.csv)")
        self.findings.choose.setToolTip(_TABLE)
        self._form = self.form(("Fin&ding", self.finding), ("", self.finding_note), ("Where it is", self.findings))
        self.complete(self.title, self.finding, *self.ways.values())
        self.findings.changed.connect(self._take)

    @property
    def problem(self) -> str:
        asked = self.draft.request
        if not asked.title.strip():
            return _TITLE
        return _FINDING if asked.design == "diagnosis" and not asked.finding.strip() else ""

    @property
    def summary(self) -> str:
        return DESIGNS[self.draft.request.design][0].replace("&", "")

    def read(self) -> dict[str, Any]:
        design = next((design for design, way in self.ways.items() if way.isChecked()), self.draft.request.design)
        return {"title": self.title.text(), "design": design, "finding": self.finding.text(), "findings": self.findings.folder}

    def show_request(self) -> None:
        asked = self.draft.request
        self.title.setText(asked.title)
        self.finding.setText(asked.finding)
        self.findings.set_folder(asked.findings)
        self.ways[asked.design].setChecked(True)

    def follow(self) -> None:
        asked = self.draft.request
        diagnosis = asked.design == "diagnosis"
        for part in (self.finding, self.findings):
            self._form.setRowVisible(part, diagnosis)
        if diagnosis and not self._asks_finding:
            reveal(self.finding)
        self._asks_finding = diagnosis
        say(self.title_note, "" if asked.title.strip() or not self.draft.begun else _TITLE)
        say(self.finding_note, _FINDING if diagnosis and not asked.finding.strip() else "")
