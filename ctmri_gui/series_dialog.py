"""Asks which of several series to open."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractItemView, QDialog, QDialogButtonBox, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from ctmri_core.io.series import Series
from ctmri_core.volume import Finding
from ctmri_gui.panels.small_parts import label

_AT_MOST = 2  # one to translate and its ground truth


class SeriesDialog(QDialog):
    """A list of what was found, fit for a choice of one, or two that belong together."""

    def __init__(self, series: Sequence[Series], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Which series?")
        self.resize(640, 420)
        self._series = tuple(series)
        self.list = QListWidget()
        self.list.setAccessibleName("Series found")
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.list.setWordWrap(True)
        for entry, text in zip(self._series, texts(self._series), strict=True):
            self.list.addItem(_item(entry, text))
        self.left_out = label("\n".join(left_out(self._series)), "muted")
        self.left_out.setVisible(bool(self.left_out.text()))
        self._buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Open | QDialogButtonBox.StandardButton.Cancel)
        self._buttons.accepted.connect(self.accept)
        self._buttons.rejected.connect(self.reject)
        self.list.itemSelectionChanged.connect(self._check)
        self.list.itemDoubleClicked.connect(lambda item: self.accept() if item.isSelected() else None)
        column = QVBoxLayout(self)
        column.addWidget(label(f"{len(self._series)} series were found. Choose one; hold Ctrl to add a second as ground truth."))
        column.addWidget(self.list, 1)
        column.addWidget(self.left_out)
        column.addWidget(self._buttons)
        usable = [row for row, entry in enumerate(self._series) if entry.refusal is None]
        if usable:
            self.list.setCurrentRow(usable[0])
        self._check()

    @property
    def chosen(self) -> tuple[Series, ...]:
        """What is selected, in the order of the list."""
        return tuple(entry for row, entry in enumerate(self._series) if self.list.item(row).isSelected())

    def _check(self) -> None:
        button = self._buttons.button(QDialogButtonBox.StandardButton.Open)
        button.setEnabled(1 <= len(self.chosen) <= _AT_MOST)


def describe(series: Series) -> str:
    """Two lines: what it is, and its size with what is odd about it."""
    facts = []
    if series.shape is not None:
        k, j, i = series.shape
        facts.append(f"{i} × {j}, 1 slice" if k == 1 else f"{i} × {j}, {k} slices")
    if series.spacing is not None:
        dk, dj, di = series.spacing
        single = series.shape is not None and series.shape[0] == 1
        facts.append(f"{di:.3g} × {dj:.3g} mm, {dk:.3g} mm {'thick' if single else 'apart'}")
    if series.localizer:
        facts.append("localizer, not a volume to work on")
    facts += [finding.message for finding in series.findings if not _is_elsewhere(finding)]
    return f"{series.label}\n{' · '.join(facts)}"


def texts(series: Sequence[Series]) -> list[str]:
    """What the rows say; those that would say the same are numbered."""
    described = [describe(entry) for entry in series]
    alike = Counter(described)
    numbers: Counter[str] = Counter()
    made = []
    for text in described:
        numbers[text] += 1
        head, _, facts = text.partition("\n")
        made.append(f"{head} ({numbers[text]} of {alike[text]} alike)\n{facts}" if alike[text] > 1 else text)
    return made


def left_out(series: Sequence[Series]) -> tuple[str, ...]:
    """What is said of the folder and not of one series, each once."""
    return tuple({finding.message: None for entry in series for finding in entry.findings if _is_elsewhere(finding)})


def _is_elsewhere(finding: Finding) -> bool:
    """Whether a finding tells of files that are no part of its series."""
    return finding.kind == "passed_over" or (finding.kind == "left_out" and not finding.serious)


def _item(series: Series, text: str) -> QListWidgetItem:
    item = QListWidgetItem(text)
    item.setData(Qt.ItemDataRole.AccessibleTextRole, text.replace("\n", ", "))
    if series.refusal is not None:
        item.setFlags(Qt.ItemFlag.ItemNeverHasChildren)
    return item
