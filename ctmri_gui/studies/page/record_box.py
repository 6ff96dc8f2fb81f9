"""Whether the record of a study is as it was written, and the anchors that show it later."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QPlainTextEdit, QPushButton, QVBoxLayout

from ctmri_core.studies.chain import Anchor
from ctmri_gui.panels.small_parts import label, set_role
from ctmri_gui.studies.study_state import StudyState
from ctmri_gui.training.new_run.flowing_row import FlowingRow
from ctmri_gui.viewer.palette import scaled

_WORDS = (
    "Write these down outside of this machine. Against them a cut, or a record that was computed anew as a whole, shows too."
)
_PASTE = "Paste anchors that were written down, one in each line, to compare"


class RecordBox(QFrame):
    """Chains and their anchors. `compareWanted(tuple[Anchor, ...])`: pasted ones are to be held against the record."""

    compareWanted = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "card")
        self.title, self.faults = label("", "heading"), label("", "error")
        self.hashes, self.anchors = label("", "muted"), QPlainTextEdit()
        self.anchors.setReadOnly(True)
        self.anchors.setAccessibleName("Anchors of the record")
        self.anchors.setTabChangesFocus(True)
        self.pasted, self.compared = QPlainTextEdit(), label("", "muted")
        self.pasted.setPlaceholderText(_PASTE)
        self.pasted.setAccessibleName(_PASTE)
        self.pasted.setTabChangesFocus(True)
        self.copy, self.compare = QPushButton("&Copy anchors"), QPushButton("Co&mpare")
        for field in (self.anchors, self.pasted):
            field.setFixedHeight(scaled(62))
            field.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 10, 14, 12)
        for part in (self.title, self.faults, self.hashes, label(_WORDS, "muted"), self.anchors, FlowingRow(self.copy),
                     self.pasted, FlowingRow(self.compare), self.compared):  # fmt: skip
            column.addWidget(part)
        self.copy.clicked.connect(lambda _on=False: QGuiApplication.clipboard().setText(self.anchors.toPlainText()))
        self.compare.clicked.connect(lambda _on=False: self._ask())
        self.pasted.textChanged.connect(lambda: self.compared.setText(""))

    def take(self, state: StudyState) -> None:
        whole = not state.faults
        self.title.setText("The record is as it was written" if whole else "The record was changed by other hands")
        set_role(self.title, "good" if whole else "error")
        self.faults.setText("\n".join(state.faults))
        self.faults.setVisible(not whole)
        self.hashes.setText(f"Protocol {state.sha256[:16]}… · truth {state.commitment[:16]}…")
        self.hashes.setToolTip(f"Protocol {state.sha256}\nTruth {state.commitment}")
        text = "\n".join(map(str, state.anchors))
        if text != self.anchors.toPlainText():
            self.anchors.setPlainText(text)

    def show_compared(self, faults: Sequence[str]) -> None:
        """What came of `compareWanted`."""
        self.compared.setText("; ".join(faults) or "All of them are in the record, as they were written down.")
        set_role(self.compared, "error" if faults else "good")

    def _ask(self) -> None:
        lines = [line.split() for line in self.pasted.toPlainText().splitlines() if line.strip()]
        wrong = next((number for number, parts in enumerate(lines, 1) if len(parts) != 3 or not parts[1].isdigit()), 0)
        if wrong:
            self.show_compared((f"Line {wrong} is no anchor: it has an origin, a number and a hash.",))
        elif lines:
            self.compareWanted.emit(tuple(Anchor(origin, int(count), head) for origin, count, head in lines))
