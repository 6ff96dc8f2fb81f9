"""One case before it is prepared: its pictures held against each other before and after registration, and what becomes of it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QComboBox, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from ctmri_core.aligning.by_hand import Nudge
from ctmri_core.aligning.kinds import KINDS
from ctmri_core.data.decisions import Placement
from ctmri_core.domain import Domain
from ctmri_core.events import Finished
from ctmri_gui.jobs.latest import Latest
from ctmri_gui.jobs.queue import Jobs, JobState
from ctmri_gui.panels.small_parts import label, set_primary, set_role
from ctmri_gui.preparing import pair_work
from ctmri_gui.preparing.move_fields import MoveFields
from ctmri_gui.preparing.pair_pictures import PairPictures
from ctmri_gui.preparing.pair_words import lying_told, problems_told
from ctmri_gui.preparing.pair_work import LoadedCase, Planes, Position
from ctmri_gui.preparing.preparer import Preparer
from ctmri_gui.training.new_run.flowing_row import FlowingRow

_KINDS = {"rigid": ("Rigid", "Place only"), "affine": ("Affine", "Sizes and angles too"),
          "bspline": ("Elastic (B-spline)", "Bends too, by a coarse field; look closely")}  # fmt: skip
_NONE = "Select a case to look at it."


class PairView(QWidget):
    """Follows the case that is chosen with `show_case`; decides nothing before a button is pressed. `buttons`: those that
    decide, to be placed where they are always in sight. `read`: the case is there."""

    read = Signal()

    def __init__(self, preparer: Preparer, jobs: Jobs) -> None:
        super().__init__()
        self._preparer, self._number = preparer, 0
        self._loading, self._placing, self._cutting = Latest(jobs), Latest(jobs), Latest(jobs)
        self.loaded: LoadedCase | None = None
        self.position: Position | None = None
        self.title, self.problems = label(_NONE, "heading"), label("", "muted")
        self.before, self.after = label("", "muted"), label("", "muted")
        self.other, self.kind = QComboBox(), QComboBox()
        self.register, self.stop = QPushButton("&Register"), QPushButton("Stop")
        self.accept, self.as_filed = QPushButton("&Accept"), QPushButton("As &filed")
        self.by_hand, self.leave_out = QPushButton("&Move by hand"), QPushButton("Leave &out")
        self.fields = MoveFields()
        self.bar = QProgressBar()
        self.pictures = PairPictures()
        self.buttons = FlowingRow(self.accept, self.as_filed, self.by_hand, self.leave_out)
        self._fill()
        self._lay_out()
        self._connect()
        self._follow()

    # Showing ----------------------------------------------------------------------------------------------------------

    def show_case(self, number: int) -> None:
        """Reads the `number`-th case, none for 0."""
        for latest in (self._loading, self._placing, self._cutting):
            latest.drop()
        self._number, self.loaded, self.position = number, None, None
        self.pictures.forget()
        look = self._preparer.look
        if number and look is not None:
            begin = partial(pair_work.load, number, self._preparer.cases[number - 1], look.domains)
            self._loading.ask(f"Read case {number}", begin, self._take, ended=self._ended, listed=False)
        self._follow()

    @property
    def busy(self) -> JobState | None:
        """What a person waits for here."""
        for latest in (self._loading, self._placing):
            if latest.state is not None and latest.state.running:
                return latest.state
        return None

    def _take(self, loaded: LoadedCase) -> None:
        self.loaded = loaded
        self._preparer.take_check(loaded.number, loaded.check)
        with QSignalBlocker(self.other):
            self.other.clear()
            for domain in loaded.domains[1:]:
                self.other.addItem(domain.label, domain.value)
        self._begin()
        self.read.emit()

    def _begin(self) -> None:
        """Where the chosen picture lies now: as was accepted, else as its file says."""
        loaded, domain = self.loaded, self._domain
        self.position = None
        self._cut(self.pictures.number)  # there is something to see while it is judged
        if loaded is not None and domain is not None:
            known = [each for each in self._preparer.placements(self._number) if each.domain is domain]
            usable = [each for each in known if each.fixed is loaded.domains[0]]
            begin = partial(pair_work.accepted, loaded, usable[0]) if usable else partial(pair_work.as_filed, loaded, domain)
            self._placing.ask("Look at a position", begin, self._place, ended=self._ended, listed=False)
        self._follow()

    def _place(self, position: Position) -> None:
        self.position = position
        self.fields.show_nudge(position.nudge)
        self._cut(self.pictures.number)
        self._follow()

    def _cut(self, number: int | None) -> None:
        loaded, position = self.loaded, self.position
        if loaded is not None and loaded.case is not None:
            domain = self._domain or loaded.domains[0]
            way = loaded.as_filed(domain) if position is None else position.transform
            begin = partial(pair_work.planes, loaded, domain, way, number)
            self._cutting.ask("Cut a slice", begin, self._draw, listed=False)

    def _draw(self, planes: Planes) -> None:
        if self.loaded is not None:
            other = "" if self._domain is None else self._domain.label
            self.pictures.show_planes(planes, self.loaded.domains[0].label, other)

    # What a person does -----------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Registers the chosen picture to the first."""
        if self.loaded is not None and self._domain is not None and not self._loading_now:
            begin = partial(pair_work.register, self.loaded, self._domain, self.kind.currentData())
            self._placing.ask(f"Register case {self._number}", begin, self._place, ended=self._ended)
            self._follow()

    def lay(self, nudge: Nudge) -> None:
        """By hand, all in all, on top of what was found."""
        position, loaded = self.position, self.loaded
        if position is None or loaded is None or position.base.spline is not None or nudge == position.nudge:
            return
        self.fields.show_nudge(nudge)
        self.position = replace(position, nudge=nudge)  # where it is seen at once; how well it lies is told later
        self._cut(self.pictures.number)
        begin = partial(pair_work.laid, loaded, position.domain, position.base, position.how, nudge=nudge, before=position.before)
        self._placing.ask("Look at a position", begin, self._place, ended=self._ended, listed=False)
        self._follow()

    def take(self) -> None:
        """Accepts where the picture lies; what was accepted of the case's other pictures stays."""
        position, loaded = self.position, self.loaded
        if position is None or loaded is None or not self.accept.isEnabled():
            return
        numbers = f"({position.after.numbers})"
        how = position.record if numbers in position.record else f"{position.record or 'as the files say'} {numbers}"
        own = Placement.of(position.domain, loaded.domains[0], position.transform, f"accepted: {how}", loaded.reference)
        others = [each for each in self._preparer.placements(self._number) if each.domain is not position.domain]
        self._preparer.accept(self._number, (*others, own))
        self._follow()

    def forget(self) -> None:
        """As the files say again; what was accepted of this picture is taken back."""
        others = [each for each in self._preparer.placements(self._number) if each.domain is not self._domain]
        if len(others) < len(self._preparer.placements(self._number)):
            self._preparer.accept(self._number, others)
        self._begin()

    def turn_out(self) -> None:
        """Leaves the case out, or takes it back."""
        if self._number:
            self._preparer.leave_out([self._number], out=not self._preparer.leaves_out(self._number))
            self._follow()

    def _push(self, left: float, back: float) -> None:
        """By arrow keys, mm."""
        if self.position is not None:
            x, y, z = self.position.nudge.mm
            self.lay(replace(self.position.nudge, mm=(x + left, y + back, z)))

    # Following --------------------------------------------------------------------------------------------------------

    @property
    def _domain(self) -> Domain | None:
        value = self.other.currentData()
        return Domain(value) if value and self.loaded is not None and len(self.loaded.domains) > 1 else None

    @property
    def _loading_now(self) -> bool:
        return self._loading.state is not None and self._loading.state.running

    def _ended(self, end: Finished) -> None:
        if end.reason in ("failed", "crashed"):
            _say(self.problems, end.message, "error")
        self._follow()

    def follow_job(self, state: JobState) -> None:
        """How far the work is that a person waits for."""
        if state is self.busy:
            self._follow_work(state)

    def _follow_work(self, state: JobState | None) -> None:
        for part in (self.bar, self.stop):
            part.setVisible(state is not None)
        if state is not None:
            _say(self.after, f"{state.text[:1].upper()}{state.text[1:]}", "muted")
            self.bar.setRange(0, 100 if state.fraction is not None else 0)
            self.bar.setValue(round(100 * (state.fraction or 0)))
            self.bar.setAccessibleName(f"Progress: {state.text}")

    def _follow(self) -> None:
        loaded, position, number = self.loaded, self.position, self._number
        self._show_title()
        self._show_numbers(position)
        self._follow_work(self.busy)
        pair = loaded is not None and len(loaded.domains) > 1
        busy = self.busy is not None
        for part in (self.register, self.kind, self.other):
            part.setEnabled(pair and not busy)
        placed = bool(number) and any(each.domain is self._domain for each in self._preparer.placements(number))
        moved = position is not None and bool(position.how or position.nudge)
        self.register.setText("&Register again" if moved else "&Register")
        set_primary(self.register, loaded is not None and pair and not moved and loaded.check.misplaced)
        set_primary(self.accept, moved)
        self.accept.setEnabled(position is not None and not position.problem and not busy)
        self.as_filed.setEnabled(pair and not busy and (placed or moved))
        movable = position is not None and position.base.spline is None
        self.by_hand.setEnabled(movable)
        self.fields.setVisible(movable and self.by_hand.isChecked())
        self.leave_out.setEnabled(bool(number))
        self.leave_out.setText("Take &back" if number and self._preparer.leaves_out(number) else "Leave &out")
        self.pictures.takes_arrows = movable and self.by_hand.isChecked()

    def _show_title(self) -> None:
        number, loaded = self._number, self.loaded
        if not number:
            self.title.setText(_NONE)
            self.problems.setText("")
            return
        placed = bool(self._preparer.placements(number))
        state = "left out" if self._preparer.leaves_out(number) else "position accepted" if placed else ""
        self.title.setText(f"Case {number}{', ' if state else ''}{state}")
        if loaded is not None:
            _say(self.problems, *problems_told(loaded, self.position, placed=placed))

    def _show_numbers(self, position: Position | None) -> None:
        told = (("", "muted"), ("", "muted"))
        if position is not None and self.loaded is not None:
            told = lying_told(self.loaded, position)
        for part, (words, role) in zip((self.before, self.after), told, strict=True):
            _say(part, words, role)

    # Building ---------------------------------------------------------------------------------------------------------

    def _fill(self) -> None:
        for kind in KINDS:
            self.kind.addItem(_KINDS[kind][0], kind)
            self.kind.setItemData(self.kind.count() - 1, _KINDS[kind][1], Qt.ItemDataRole.ToolTipRole)
        for part, words in ((self.other, "The picture that is laid on the first"), (self.kind, "What registering may change")):
            part.setAccessibleName(words)
            part.setToolTip(words)
        tips = ((self.register, "Looks for the place by mutual information, in the background"),
                (self.accept, "The picture is prepared where it lies now"),
                (self.as_filed, "Where the file says; what was accepted is taken back"),
                (self.by_hand, "With fields, or with arrow keys on the pictures"),
                (self.leave_out, "The case is not prepared"))  # fmt: skip
        for button, words in tips:
            button.setToolTip(words)
        self.by_hand.setCheckable(True)
        self.by_hand.setProperty("role", "switch")
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(6)
        keeps = self.bar.sizePolicy()
        keeps.setRetainSizeWhenHidden(True)  # pictures do not jump when work begins and ends
        self.bar.setSizePolicy(keeps)

    def _connect(self) -> None:
        self.register.clicked.connect(self.start)
        self.stop.clicked.connect(self._give_up)
        self.accept.clicked.connect(self.take)
        self.as_filed.clicked.connect(self.forget)
        self.leave_out.clicked.connect(self.turn_out)
        self.by_hand.toggled.connect(lambda _on: self._follow())
        self.fields.chosen.connect(self.lay)
        self.other.activated.connect(lambda _row: self._begin())
        self.pictures.sliceWanted.connect(self._cut)
        self.pictures.pushed.connect(self._push)

    def _give_up(self) -> None:
        self._placing.drop()
        self._begin()

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(self.title)
        column.addWidget(self.problems)
        column.addWidget(FlowingRow(self.other, self.kind, self.register, self.stop))
        column.addWidget(self.bar)
        column.addWidget(self.pictures, 1)
        for part in (self.before, self.after, self.fields):
            column.addWidget(part)


def _say(part: QLabel, words: str, role: str) -> None:
    part.setText(words)
    set_role(part, role)
