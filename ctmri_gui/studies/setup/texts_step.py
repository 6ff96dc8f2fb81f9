"""What readers are told and agree to, and how the truth is locked."""

from __future__ import annotations

from typing import Any

from PySide6.QtWidgets import QCheckBox, QLineEdit, QPlainTextEdit, QPushButton

from ctmri_core.studies.request import QUESTIONS
from ctmri_gui.panels.small_parts import label
from ctmri_gui.studies.setup.draft import Draft
from ctmri_gui.studies.setup.step_page import StepPage, say
from ctmri_gui.training.new_run.flowing_row import FlowingRow
from ctmri_gui.viewer.palette import scaled

CONSENT = (
    "Taking part is voluntary; you may end it at any time. Your answers, times and what you look at are recorded under a code."
    " You do not look for the patients' original scans while the study runs, and do not speak with other readers about its"
    " pictures."
)
_WORDS = "Readers see these before the first trial. Say nothing of how many pictures are synthetic."
_LOCK = "Without, a key is kept in your own settings, and the study can be analysed on this machine and account alone"


class TextsStep(StepPage):
    """The passphrase is in the draft, but never kept with it."""

    def __init__(self, draft: Draft) -> None:
        super().__init__(draft, "Consent and texts", _WORDS)
        self.question = QLineEdit()
        self.question.setMaxLength(400)
        self.question.setToolTip("Above the answers of every trial")
        self.about = _text("What readers are told of the study")
        self.consent = _text("What readers agree to; empty asks for nothing")
        self.usual = QPushButton("Usual te&xt of consent")
        self.usual.setToolTip("A text to begin with; your ethics committee may want another")
        self.lock = QCheckBox("&Lock the truth by a passphrase")
        self.lock.setToolTip(_LOCK)
        self.first, self.second, self.note = _secret("Passphrase"), _secret("Passphrase again"), label("", "warning")
        self.form(("&Question", self.question), ("&About", self.about), ("&Consent", self.consent), ("", FlowingRow(self.usual)))
        self.heading("Truth")
        form = self.form(("", self.lock), ("&Passphrase", self.first), ("A&gain", self.second), ("", self.note))
        self._secrets = form
        self.complete(self.question, self.about, self.consent, self.lock, self.first, self.second)
        self.usual.clicked.connect(lambda _on=False: self.consent.setPlainText(CONSENT))
        for part in (self.lock.toggled, self.first.textChanged, self.second.textChanged):
            part.connect(lambda _now: self._take_secret())

    @property
    def problem(self) -> str:
        if not self.lock.isChecked():
            return ""
        if not self.first.text():
            return "Name a passphrase. Without it nobody can analyse the study: keep it where it is found again."
        return "" if self.first.text() == self.second.text() else "The two passphrases differ."

    @property
    def summary(self) -> str:
        return "with consent" if self.draft.request.consent.strip() else "no consent asked"

    def read(self) -> dict[str, Any]:
        return {"question": self.question.text(), "about": self.about.toPlainText()[:4000],
                "consent": self.consent.toPlainText()[:8000]}  # fmt: skip

    def show_request(self) -> None:
        asked = self.draft.request
        for field, text in ((self.about, asked.about), (self.consent, asked.consent)):
            if field.toPlainText() != text:
                field.setPlainText(text)
        self.question.setText(asked.question)

    def follow(self) -> None:
        self.question.setPlaceholderText(QUESTIONS[self.draft.request.design])
        for field in (self.first, self.second):
            self._secrets.setRowVisible(field, self.lock.isChecked())
        say(self.note, self.problem)

    def forget(self) -> None:
        self.lock.setChecked(False)
        for secret in (self.first, self.second):
            secret.clear()

    def _take_secret(self) -> None:
        self.draft.passphrase = self.first.text() if self.lock.isChecked() and not self.problem else ""
        self.follow()
        self.draft.changed.emit()


def _text(tip: str) -> QPlainTextEdit:
    made = QPlainTextEdit()
    made.setTabChangesFocus(True)
    made.setToolTip(tip)
    made.setMinimumHeight(scaled(84))
    return made


def _secret(name: str) -> QLineEdit:
    made = QLineEdit()
    made.setEchoMode(QLineEdit.EchoMode.Password)
    made.setAccessibleName(name)
    return made
