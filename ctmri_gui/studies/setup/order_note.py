"""What the numbers of a study come to, and what of its order cannot be kept: said at once, with what would work."""

from __future__ import annotations

from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from ctmri_core.studies.foreseen import Foreseen
from ctmri_gui.panels.small_parts import label, set_role
from ctmri_gui.studies.setup.draft import Draft
from ctmri_gui.training.new_run.flowing_row import FlowingRow


class OrderNote(QWidget):
    """Stands below fields that the order depends on. Its buttons do what would work."""

    def __init__(self, draft: Draft) -> None:
        super().__init__()
        self._draft = draft
        self.counted, self.said = label("", "muted"), label("", "warning")
        self.more, self.relax = QPushButton(""), QPushButton("Take the nearest order, on re&cord")
        self.relax.setToolTip("What cannot be kept is relaxed as little as possible; the report says so")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for part in (self.counted, self.said):
            column.addWidget(part)
        column.addWidget(FlowingRow(self.more, self.relax))
        self.more.clicked.connect(lambda _on=False: self._take_more())
        self.relax.clicked.connect(lambda _on=False: self._allow())
        draft.foreseenChanged.connect(self.follow)
        draft.changed.connect(self.follow)
        self.follow()

    def follow(self) -> None:
        foreseen, asked = self._draft.foreseen, self._draft.request
        problem = "" if foreseen is None else problem_of(foreseen, relaxed=asked.order_kept.may_relax)
        kept = "" if foreseen is None or not foreseen.relaxed else "; ".join(foreseen.relaxed)
        allowed = bool(kept) and not problem
        self.counted.setText("Counting …" if foreseen is None else _counted(foreseen))
        self.said.setText(problem or (f"On record will be: {kept}." if allowed else ""))
        self.said.setVisible(bool(self.said.text()))
        set_role(self.said, "warning" if problem else "muted")
        enough = 0 if foreseen is None else foreseen.cases
        self.more.setText(f"&Draw {enough} patients")
        self.more.setVisible(bool(problem) and enough > asked.cases)
        self.relax.setVisible(bool(problem) and bool(kept))

    def _take_more(self) -> None:
        if self._draft.foreseen is not None:
            self._draft.change(cases=self._draft.foreseen.cases)
            self._draft.replaced.emit()

    def _allow(self) -> None:
        order = self._draft.request.order_kept.model_copy(update={"may_relax": True})
        self._draft.change(order_kept=order)
        self._draft.replaced.emit()


def problem_of(foreseen: Foreseen, *, relaxed: bool) -> str:
    """Why there can be no such order, and what would work; empty where there can."""
    if foreseen.problem:
        return foreseen.problem
    if not foreseen.relaxed or relaxed:
        return ""
    enough = f" {foreseen.cases} patients are enough for it." if foreseen.cases else ""
    return f"This order cannot be kept: {'; '.join(foreseen.relaxed)}.{enough}"


def _counted(foreseen: Foreseen) -> str:
    if not foreseen.trials:
        return f"{foreseen.patients} patients, {foreseen.pictures} pictures."
    return (
        f"{foreseen.trials} trials for each reader, practice and repeats included; {foreseen.pictures} pictures of"
        f" {foreseen.patients} patients."
    )
