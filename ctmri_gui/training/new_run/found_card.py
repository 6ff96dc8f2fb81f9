"""What a folder holds at a quick look, what of it to prepare and how, and the button that has it checked and prepared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QProgressBar,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from ctmri_core.data.layouts.known import LAYOUTS
from ctmri_core.domain import Domain
from ctmri_core.resources_folder import user_datasets_folder
from ctmri_gui.jobs.queue import JobState
from ctmri_gui.panels.kind_choice import KINDS, KindChoice
from ctmri_gui.panels.small_parts import label, naming, set_primary
from ctmri_gui.training.data_work import PREPARED, Look
from ctmri_gui.training.new_run.case_rows import without_flags
from ctmri_gui.training.new_run.config_form import ConfigForm
from ctmri_gui.training.new_run.data_choices import DOMAINS, LAYOUT, form_fields, form_values
from ctmri_gui.training.new_run.flowing_row import FlowingRow

_FOUND_OUT = "found out by itself"
_BAR_HEIGHT, _STEPS = 10, 1000
_USUAL = (Domain.CT, Domain.MR_T1)
_MASKED = ("voc", "labelme")
"""Layouts of one kind of pictures, with masks."""


class FoundCard(QFrame):
    """`edited(dict)`: what was chosen of how to prepare, in place of what was; `prepare()`, `cancel()`: as the buttons say."""

    edited = Signal(object)
    prepare = Signal()
    cancel = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "card")
        self._chosen: dict[str, Any] = {}
        self._look: Look | None = None
        self.found, self.remarks = label(), label("", "muted")
        self.layout_choice = QComboBox()
        self.kinds = _Kinds()
        self.kinds.chosen.connect(self._choose_kinds)
        self.how = QToolButton()
        self.how.setText("How pictures are prepared")
        self.how.setCheckable(True)
        self.how.setArrowType(Qt.ArrowType.RightArrow)
        self.how.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.how.toggled.connect(self._open_form)
        self.form: ConfigForm | None = None
        self.begin, self.stop = QPushButton("&Check and prepare"), QPushButton("Cancel")
        self.begin.setProperty("primary", True)
        self.begin.clicked.connect(self.prepare)
        self.stop.clicked.connect(self.cancel)
        self.stop.setToolTip("What is prepared is kept; it goes on from there")
        self.bar, self.progress = QProgressBar(), label("", "muted")
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(_BAR_HEIGHT)
        self.where = label(f"Prepared slices are kept on this computer, in {_short(user_datasets_folder())}.", "muted")
        self.where.setToolTip(str(user_datasets_folder()))
        self._list_layouts()
        self._lay_out()
        self.show_work(None)

    def show_look(self, look: Look, chosen: Mapping[str, Any]) -> None:
        """`chosen`: what a draft holds of how to prepare."""
        self._look, self._chosen = look, dict(chosen)
        mine = look.layout != PREPARED
        self.found.setText(_told(look))
        self.remarks.setText(without_flags(" ".join(look.remarks)))
        self.remarks.setVisible(bool(look.remarks))
        self.kinds.show_kinds(look.domains, _domains(chosen), unknown=not look.domains, masked=look.layout in _MASKED)
        for widget in (self._layout_line, self.how, self.where, self.begin):
            widget.setVisible(mine)
        self.kinds.setVisible(mine and (len(look.domains) > 2 or not look.domains))
        self._show_layout(look)
        if self.form is not None:
            self.form.set_values(form_values(chosen))
            self.form.setVisible(mine and self.how.isChecked())

    def show_problem(self, text: str) -> None:
        """What does not go together of what was chosen."""
        if text:
            self.how.setChecked(True)
        if self.form is not None:
            self.form.show_problem(text)

    def show_begin(self, begun: int, *, done: bool, possible: bool) -> None:
        """How the button begins: anew, where it was stopped, or over what is done."""
        self.begin.setText("&Check again" if done else f"&Go on ({begun} prepared)" if begun else "&Check and prepare")
        self.begin.setEnabled(possible)
        set_primary(self.begin, not done)

    def show_work(self, state: JobState | None) -> None:
        """How far preparing is; None when nothing goes on."""
        running = state is not None and state.running
        mine = self._look is None or self._look.layout != PREPARED
        for widget in (self.bar, self.progress, self.stop):
            widget.setVisible(running)
        self.where.setVisible(mine and not running)
        self.begin.setVisible(mine and not running)
        for part in (self.layout_choice, self.kinds, self.how, self.form):
            if part is not None:
                part.setEnabled(not running)
        if state is None or not running:
            return
        self.bar.setRange(0, _STEPS if state.fraction is not None else 0)
        self.bar.setValue(round((state.fraction or 0.0) * _STEPS))
        self.bar.setAccessibleName(f"Progress: {state.text}")
        self.progress.setText(state.text)
        self.stop.setEnabled(not state.stopping)

    def _list_layouts(self) -> None:
        self.layout_choice.setAccessibleName("Layout of the folder")
        self.layout_choice.addItem(_FOUND_OUT, "")
        for layout in LAYOUTS:
            self.layout_choice.addItem(_words(layout.name), layout.name)
            self.layout_choice.setItemData(self.layout_choice.count() - 1, layout.looks, Qt.ItemDataRole.ToolTipRole)
        self.layout_choice.activated.connect(lambda row: self._change({LAYOUT: self.layout_choice.itemData(row)}))

    def _show_layout(self, look: Look) -> None:
        row = self.layout_choice.findData(self._chosen.get(LAYOUT, ""))
        self.layout_choice.setCurrentIndex(max(row, 0))
        self.layout_choice.setToolTip(look.looks)

    def _choose_kinds(self, kinds: tuple[Domain, ...]) -> None:
        self._change({DOMAINS: [kind.value for kind in kinds]})

    def _change(self, values: Mapping[str, Any]) -> None:
        self._chosen |= values
        self._chosen = {name: value for name, value in self._chosen.items() if value not in ("", [])}
        self.edited.emit(dict(self._chosen))

    def _edit_form(self, values: Mapping[str, Any]) -> None:
        rest = {name: value for name, value in self._chosen.items() if name not in form_values(self._chosen)}
        self._chosen = {**rest, **values}
        self.edited.emit(dict(self._chosen))

    def _open_form(self, opened: bool) -> None:
        self.how.setArrowType(Qt.ArrowType.DownArrow if opened else Qt.ArrowType.RightArrow)
        if opened and self.form is None:
            self.form = ConfigForm(form_fields(), form_values(self._chosen))
            self.form.edited.connect(self._edit_form)
            self._column.insertWidget(self._column.indexOf(self._foot), self.form)
        if self.form is not None:
            self.form.setVisible(opened)

    def _lay_out(self) -> None:
        chosen = QWidget()
        line = QHBoxLayout(chosen)
        line.setContentsMargins(0, 0, 0, 0)
        line.addWidget(naming("&Layout", self.layout_choice))
        line.addWidget(self.layout_choice)
        self._layout_line = FlowingRow(chosen, self.how)
        self._foot = QWidget()
        foot = QHBoxLayout(self._foot)
        foot.setContentsMargins(0, 0, 0, 0)
        foot.setSpacing(12)
        foot.addWidget(self.begin)
        foot.addWidget(self.stop)
        foot.addWidget(self.where, 1)
        foot.addWidget(self.progress, 1)
        self._column = column = QVBoxLayout(self)
        column.setContentsMargins(16, 12, 16, 12)
        column.setSpacing(8)
        for part in (self.found, self.remarks, self._layout_line, self.kinds, self._foot, self.bar):
            column.addWidget(part)


class _Kinds(QWidget):
    """Which kinds of pictures to prepare; where nothing tells them, what A and B show."""

    chosen = Signal(object)  # tuple[Domain, ...]

    def __init__(self) -> None:
        super().__init__()
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._all: tuple[Domain, ...] = ()

    def show_kinds(self, there: Sequence[Domain], chosen: Sequence[Domain], *, unknown: bool, masked: bool) -> None:
        while (item := self._row.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.setParent(None)
                widget.deleteLater()
        if unknown and masked:
            self._ask(["The pictures sho&w"], chosen[:1] or _USUAL[:1], (Domain.MASK,))
        elif unknown:
            self._ask(["&A shows", "&B shows"], tuple(chosen[:2]) if len(chosen) > 1 else _USUAL)
        else:
            self._all = tuple(dict.fromkeys((*self._all, *there))) if set(there) <= set(self._all) else tuple(there)
            self._offer(chosen or there)
        self._row.addStretch(1)

    def _ask(self, words: Sequence[str], start: Sequence[Domain], besides: tuple[Domain, ...] = ()) -> None:
        """What a person must say; `besides`: what is there anyway."""
        boxes = [KindChoice(domain) for domain in start]
        use = QPushButton("&Use these" if len(words) > 1 else "&Use this")

        def kinds() -> tuple[Domain, ...]:
            return tuple(KINDS[box.currentIndex()] for box in boxes)

        def check() -> None:
            use.setEnabled(len(set(kinds())) == len(boxes) and Domain.UNKNOWN not in kinds())

        for said, box in zip(words, boxes, strict=True):
            box.currentIndexChanged.connect(lambda _row: check())
            box.setAccessibleName(said.replace("&", ""))
            self._row.addWidget(naming(said, box))
            self._row.addWidget(box)
        use.clicked.connect(lambda: self.chosen.emit((*kinds(), *besides)))
        self._row.addWidget(use)

    def _offer(self, chosen: Sequence[Domain]) -> None:
        self._row.addWidget(label("Prepare", wrap=False))
        boxes = {domain: QCheckBox(domain.label) for domain in self._all}

        def tell() -> None:
            kinds = tuple(domain for domain, box in boxes.items() if box.isChecked())
            if len(kinds) > 1:
                self.chosen.emit(kinds)

        for domain, box in boxes.items():
            box.setChecked(domain in chosen)
            box.toggled.connect(lambda _on: tell())
            self._row.addWidget(box)


def _told(look: Look) -> str:
    if look.layout == PREPARED:
        return f"Slices that are prepared already: {_counted(look.cases, 'case')} of {_counted(look.patients, 'patient')}."
    if not look.domains:
        return f"The folder is laid out as {_words(look.layout)} ({look.looks}). Say which kinds of pictures it holds."
    *others, last = (domain.label for domain in look.domains)
    kinds = f"{', '.join(others)} and {last}" if others else last
    centres = f" from {_counted(look.centres, 'centre')}" if look.centres > 1 else ""
    pairs = f"{'all' if look.pairs == look.cases else look.pairs or 'none'} of them pairs"
    if look.cases == 1:
        pairs = "a pair" if look.pairs else "no pair"
    if len(look.domains) == 1:
        pairs = "a method learns from two kinds of pictures or more, so scans of another kind must be added to the folder"
    return (
        f"{_counted(look.cases, 'case')} of {_counted(look.patients, 'patient')}{centres}, laid out as {_words(look.layout)}:"
        f" {kinds}; {pairs}."
    )


def _words(layout: str) -> str:
    """The name of a layout as a person writes it."""
    return layout.replace("_", " ")


def _counted(count: int, thing: str) -> str:
    return f"{count} {thing}{'' if count == 1 else 's'}"


def _domains(chosen: Mapping[str, Any]) -> tuple[Domain, ...]:
    known = {domain.value for domain in Domain}
    return tuple(Domain(name) for name in chosen.get(DOMAINS, ()) if name in known)


def _short(path: Path) -> str:
    return f"~/{path.relative_to(Path.home())}" if path.is_relative_to(Path.home()) else str(path)
