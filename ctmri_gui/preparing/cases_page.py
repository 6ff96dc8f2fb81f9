"""The cases of the folder beside the one that is looked at."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QPushButton, QSplitter, QVBoxLayout, QWidget

from ctmri_gui.jobs.queue import Jobs
from ctmri_gui.panels.small_parts import label, scrolling
from ctmri_gui.preparing.case_table import NAME, CaseTable, case_view
from ctmri_gui.preparing.pair_view import PairView
from ctmri_gui.preparing.preparer import Preparer
from ctmri_gui.training.new_run.flowing_row import FlowingRow
from ctmri_gui.viewer.palette import scaled

_LIST_WIDTH, _PAIR_WIDTH = 430, 640


class CasesPage(QWidget):
    """A list of the cases, and `pairs` for the selected one."""

    def __init__(self, preparer: Preparer, jobs: Jobs) -> None:
        super().__init__()
        self._preparer = preparer
        self.table = CaseTable(preparer, self)
        self.view, self.pairs = case_view(self.table), PairView(preparer, jobs)
        self.counts = label("", "muted")
        self.look_at_all, self.names = QPushButton("Look at a&ll"), QCheckBox("Show &names")
        self.look_at_all.setToolTip("Reads every case and says what is wrong with it; preparing does so too")
        self.names.setToolTip("Names of folders and files may tell who a patient is")
        self._lay_out()
        self.view.selectionModel().currentRowChanged.connect(lambda now, _before: self._select(now.row() + 1))
        self.names.toggled.connect(lambda shown: self.view.setColumnHidden(NAME, not shown))
        self.look_at_all.clicked.connect(self._turn_looking)
        preparer.listed.connect(self._list)
        preparer.changed.connect(self._follow)
        preparer.checked.connect(lambda _number: self._follow())
        preparer.decided.connect(self._follow)
        jobs.changed.connect(self.pairs.follow_job)
        self._follow()

    def select(self, number: int) -> None:
        """Looks at the `number`-th case."""
        self.view.setCurrentIndex(self.table.index(number - 1, 0))

    def _select(self, number: int) -> None:
        self.pairs.show_case(number if 0 < number <= len(self._preparer.cases) else 0)

    def _list(self) -> None:
        self.pairs.show_case(0)
        self._follow()
        if self._preparer.cases and self.isVisible():
            self.select(1)

    def _turn_looking(self) -> None:
        if self._preparer.checks_cases:
            self._preparer.stop_checking()
        else:
            self._preparer.check_all()

    def _follow(self) -> None:
        preparer = self._preparer
        cases, checks = len(preparer.cases), preparer.checks
        self.look_at_all.setText("&Stop looking" if preparer.checks_cases else "Look at a&ll")
        self.look_at_all.setEnabled(len(checks) < cases and not preparer.running)
        odd = sum(check.serious for check in checks.values())
        out = sum(preparer.leaves_out(number) for number in range(1, cases + 1))
        placed = sum(bool(preparer.placements(number)) for number in range(1, cases + 1))
        parts = [f"{len(checks)} of {cases} looked at", f"{odd} with something wrong" if odd else "",
                 f"{placed} accepted by hand" if placed else "", f"{out} left out" if out else ""]  # fmt: skip
        self.counts.setText(", ".join(part for part in parts if part) if cases else "Choose a folder with scans first.")

    def _lay_out(self) -> None:
        listing, inside, shown = QWidget(), QWidget(), QWidget()
        left = QVBoxLayout(listing)
        left.setContentsMargins(0, 0, 6, 0)
        left.addWidget(self.view, 1)
        left.addWidget(self.counts)
        left.addWidget(FlowingRow(self.look_at_all, self.names))
        right = QVBoxLayout(inside)
        right.setContentsMargins(6, 0, 6, 0)
        right.addWidget(self.pairs)
        both = QVBoxLayout(shown)
        both.setContentsMargins(0, 0, 0, 0)
        both.addWidget(scrolling(inside, "The selected case"), 1)
        foot = QVBoxLayout()
        foot.setContentsMargins(6, 0, 6, 0)
        foot.addWidget(self.pairs.buttons)
        both.addLayout(foot)
        parts = QSplitter(Qt.Orientation.Horizontal)
        parts.setChildrenCollapsible(False)
        parts.addWidget(listing)
        parts.addWidget(shown)
        parts.setSizes([scaled(_LIST_WIDTH), scaled(_PAIR_WIDTH)])
        parts.setStretchFactor(1, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 10, 12, 10)
        column.addWidget(parts)
