"""Which folder, what of it, how it is prepared and where the slices go; the button that has it done."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from ctmri_core.data.layouts.known import LAYOUTS
from ctmri_core.errors import CtmriError
from ctmri_gui import file_choice
from ctmri_gui.panels.small_parts import label, naming, scrolling, set_primary, set_role
from ctmri_gui.preparing.preparer import Preparer
from ctmri_gui.settings import Settings
from ctmri_gui.training.new_run.found_card import FoundCard

_WHAT = "Choose or drop a folder: patients with CT and MR, DICOM, or slices as pictures. The layout is found out."

_HINT = "Ctrl+Enter does so too. Look at the cases and the preview first; what is prepared is kept when it is cancelled."


class DataPage(QWidget):
    """Puts together what the `preparer` is to do."""

    def __init__(self, preparer: Preparer, settings: Settings) -> None:
        super().__init__()
        self._preparer, self._settings = preparer, settings
        self.name, self.choose = label("Prepare scans for training", "title"), QPushButton("Choose a &folder…")
        self.state, self.found, self.known = label(_WHAT, "muted"), FoundCard(), _known_layouts()
        self.place, self.other_place = label("", "muted"), QPushButton("Other f&older…")
        self.command, self.copy = QLineEdit(), QPushButton("Cop&y")
        self.other_place.setToolTip("Where the prepared slices go; what was decided about cases is kept there too")
        self.found.where.setText(_HINT)
        self.found.where.setToolTip("")
        self.command.setReadOnly(True)
        self.command.setAccessibleName("The same as a command for a terminal")
        self.copy.setToolTip("Copies the command; it names folders")
        self._lay_out()
        self._connect()
        self.follow()

    def follow(self) -> None:
        """Shows how all stands."""
        preparer = self._preparer
        look, cases = preparer.look, bool(preparer.cases)
        set_primary(self.choose, not preparer.source)
        self.choose.setEnabled(not preparer.running)
        self.found.setVisible(look is not None)
        self.known.setVisible(look is None)
        for part in (self._where, self._terminal):
            part.setVisible(look is not None and cases)
        self.place.setText(str(preparer.output) if preparer.source else "")
        self.other_place.setEnabled(not preparer.running)
        self.command.setText(preparer.command)
        self.command.setCursorPosition(0)
        if look is not None:
            self.found.show_begin(look.begun, done=preparer.done is not None, possible=cases)
            self.found.show_work(preparer.work if preparer.running else None)

    def _list(self) -> None:
        preparer = self._preparer
        self.name.setText(Path(preparer.source).name if preparer.source else "Prepare scans for training")
        if preparer.look is not None:
            self.found.show_look(preparer.look, preparer.choices_made)
        self.follow()

    def _how(self, chosen: object) -> None:
        self._preparer.choose_how(dict(chosen))  # type: ignore[call-overload]  # Qt hands on objects
        try:
            self._preparer.choices()
        except CtmriError as error:
            self.found.show_problem(str(error))
        else:
            self.found.show_problem("")

    def _say(self, words: str, role: str) -> None:
        self.state.setText(words)
        set_role(self.state, role)
        self.state.setVisible(bool(words))

    def _ask_source(self) -> None:
        chosen = file_choice.existing_folder(self, "Folder with scans", self._settings["last_folder"])
        if chosen is not None:
            self._preparer.choose(chosen)

    def _ask_place(self) -> None:
        chosen = file_choice.existing_folder(self, "Folder for prepared slices", str(self._preparer.output.parent))
        if chosen is not None:
            self._preparer.choose_output(chosen)

    def _connect(self) -> None:
        preparer = self._preparer
        self.choose.clicked.connect(self._ask_source)
        self.other_place.clicked.connect(self._ask_place)
        self.copy.clicked.connect(lambda _checked=False: QGuiApplication.clipboard().setText(self.command.text()))
        self.found.edited.connect(self._how)
        self.found.prepare.connect(preparer.prepare)
        self.found.cancel.connect(preparer.cancel)
        preparer.listed.connect(self._list)
        preparer.said.connect(self._say)
        for signal in (preparer.changed, preparer.chosen, preparer.decided):
            signal.connect(self.follow)
        preparer.prepared.connect(lambda _done: self.follow())

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.addWidget(self.name, 1)
        head.addWidget(self.choose)
        self._where, self._terminal = _row("Prepared slices go to", self.place, self.other_place), QWidget()
        terminal = QHBoxLayout(self._terminal)
        terminal.setContentsMargins(0, 0, 0, 0)
        terminal.addWidget(naming("In a &terminal", self.command))
        terminal.addWidget(self.command, 1)
        terminal.addWidget(self.copy)
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(12, 10, 12, 10)
        column.setSpacing(10)
        column.addLayout(head)
        for part in (self.state, self.known, self._where, self.found, self._terminal):
            column.addWidget(part)
        column.addStretch(1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scrolling(inside, "Data"))


def _known_layouts() -> QFrame:
    """How a folder may look."""
    card = QFrame()
    card.setProperty("role", "card")
    grid = QGridLayout(card)
    grid.setContentsMargins(16, 12, 16, 12)
    grid.setHorizontalSpacing(16)
    grid.setColumnStretch(1, 1)
    grid.addWidget(label("Folders that are known", "heading"), 0, 0, 1, 2)
    for number, layout in enumerate(LAYOUTS, 1):
        grid.addWidget(label(layout.name.replace("_", " "), wrap=False), number, 0, Qt.AlignmentFlag.AlignTop)
        grid.addWidget(label(layout.looks, "muted"), number, 1)
    return card


def _row(words: str, wide: QWidget, button: QPushButton) -> QWidget:
    row = QWidget()
    line = QHBoxLayout(row)
    line.setContentsMargins(0, 0, 0, 0)
    line.addWidget(naming(words, button))
    line.addWidget(wide, 1)
    line.addWidget(button)
    return row


