"""One pane that compares: its second picture, their difference, and what is written over both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import QPointF, Qt

from ctmri_core.volume import Volume
from ctmri_gui.viewer.canvas import Canvas
from ctmri_gui.viewer.compare.colour_bar import ColourBar
from ctmri_gui.viewer.compare.compare_model import CompareModel
from ctmri_gui.viewer.compare.composition import ComparedPicture, beyond_line
from ctmri_gui.viewer.compare.difference import Scale, in_order
from ctmri_gui.viewer.compare.marks import CompareMarks, MarksState
from ctmri_gui.viewer.compare.modes import Compare, Mode
from ctmri_gui.viewer.displayed_grid import DisplayedGrid
from ctmri_gui.viewer.roles import Role
from ctmri_gui.viewer.slice_stack import SliceStack
from ctmri_gui.viewer.slice_stacks import SliceStacks


@dataclass(frozen=True)
class Shown:
    """What a pane goes through, where it is there, and the two volumes that it has; `volumes`: as they lie on the screen."""

    displayed: DisplayedGrid
    k: int
    own: Role
    other: Role
    volumes: Mapping[Role, Volume]


class PaneCompare:
    """Puts what the `model` says of `pane` on its `canvas`. `needed`: the stacks that its pictures come from."""

    def __init__(self, pane: str, canvas: Canvas, model: CompareModel, stacks: SliceStacks) -> None:
        self._pane, self._canvas, self._model, self._stacks = pane, canvas, model, stacks
        self._picture = ComparedPicture()
        self._compares = False
        self.needed: list[SliceStack] = []
        self.marks = CompareMarks(partial(model.set_amount, pane), partial(model.set_line, pane))
        self._tool_cursor: Qt.CursorShape | None = None
        self._mouse = self._pressed = QPointF()
        canvas.overlays.insert(0, self.marks)
        canvas.gestures.grabbers.append(self.marks)
        canvas.gestures.hovered.connect(self._follow_mouse)
        canvas.gestures.pressed.connect(self._note_press)

    def show(self, shown: Shown | None, hold_keys: str) -> None:
        """As the model has it; nothing is compared without a second volume. `hold_keys`: what is to be held to see it alone."""
        compare, held = self._model.of(self._pane), self._model.held == self._pane
        self.needed = []
        if shown is None or not (compare.active or held):
            self._show_one()
            return
        self._compares = True
        self._picture.compare, self._picture.alone = compare, held
        scale = self._model.scale(self._pane) if compare.mode is Mode.DIFFERENCE and not held else None
        self._take_difference(shown, scale if isinstance(scale, Scale) else None)
        self._take_other(shown, wanted=held or compare.mode is not Mode.DIFFERENCE)
        self.marks.state = self._marks_of(shown, compare, held, scale, hold_keys)
        self._canvas.set_composition(self._picture)

    def _show_one(self) -> None:
        if self._compares:
            self._compares = False
            self._picture.set_difference(None, None)
            self._picture.other.set_voxels(None)
            self.marks.state = MarksState()
            self._canvas.set_composition(None)

    def set_other_levels(self, black: float, white: float) -> None:
        """The window of the other volume."""
        if self._picture.other.set_levels(black, white):
            self._canvas.update()

    @property
    def drags_other(self) -> bool:
        """Whether a drag is meant for the other picture: it began beyond the line of a wipe, or nothing else is seen."""
        if self.marks.state.held:
            return True
        pane = self._canvas.width(), self._canvas.height()
        wipes = self._compares and self._picture.compare.mode is Mode.WIPE and self._picture.other.present
        return wipes and beyond_line(self._picture.compare, pane).contains(self._pressed.toPoint())

    def _marks_of(self, shown: Shown, compare: Compare, held: bool, scale: Scale | str | None, hold_keys: str) -> MarksState:
        bar, says, other = None, "", shown.other.label
        if isinstance(scale, str):
            says = f"No difference. {scale}"
        elif scale is not None and self._picture.shows_difference:
            bar = ColourBar(self._model.limit(scale.unit), scale.unit, scale.convention, self._model.colours)
        elif scale is not None or not self._picture.other.present:
            says = "Resampling …"
        elif compare.mode is Mode.FLICKER:
            says = f"Hold {hold_keys} to see: {other}"
        elif compare.mode is Mode.CHECKER:
            says = f"{compare.checker_mm:g} mm, in the middle: {shown.own.label}"
        return MarksState(compare, shown.own.label, other, held and self._picture.other.present, says, bar)

    def _take_other(self, shown: Shown, *, wanted: bool) -> None:
        if not wanted:
            self._picture.other.set_voxels(None)
            return
        stack = self._stacks.of(shown.volumes[shown.other], shown.displayed)
        self.needed.append(stack)
        found = stack.picture(shown.k)
        self._picture.other.set_voxels(None if found is None else shown.displayed.layout.arrange(found))

    def _take_difference(self, shown: Shown, scale: Scale | None) -> None:
        """On the displayed voxels themselves, where the scores are taken too."""
        if scale is None:
            self._picture.set_difference(None, None)
            return
        pair = in_order((shown.own, shown.other))
        stacks = [self._stacks.of(shown.volumes[role], shown.displayed, exactly=True) for role in pair]
        self.needed += stacks
        slices = [stack.picture(shown.k) for stack in stacks]
        synthetic, truth = (None if one is None else shown.displayed.layout.arrange(one) for one in slices)
        self._picture.set_difference(synthetic, truth)
        self._picture.set_scale(scale, self._model.limit(scale.unit), self._model.colours)

    def _follow_mouse(self, at: QPointF | None) -> None:
        """The mouse has the shape of what it would take."""
        self._mouse = at or self._mouse
        shape = None if at is None else self.marks.cursor_at(at)
        if shape is not None:
            self._tool_cursor = self._tool_cursor or self._canvas.cursor().shape()
            self._canvas.setCursor(shape)
        elif self._tool_cursor is not None:
            self._canvas.setCursor(self._tool_cursor)
            self._tool_cursor = None

    def _note_press(self) -> None:
        self._pressed = self._mouse
