"""Keeps what panes compare, and the masks over them, in step with volumes, slices and windows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial

from PySide6.QtCore import QObject, QPointF

from ctmri_gui.viewer.compare.compare_model import CompareModel
from ctmri_gui.viewer.compare.marks import MarksState
from ctmri_gui.viewer.compare.mask_model import MaskModel
from ctmri_gui.viewer.compare.mask_overlay import MaskOverlay
from ctmri_gui.viewer.compare.modes import Mode
from ctmri_gui.viewer.compare.pane_compare import PaneCompare, Shown
from ctmri_gui.viewer.pane_contents import PaneContents
from ctmri_gui.viewer.roles import Role
from ctmri_gui.viewer.screen_layout import ScreenLayout
from ctmri_gui.viewer.slice_stack import SliceStack
from ctmri_gui.viewer.slice_view import SliceView
from ctmri_gui.viewer.viewer_model import ViewerModel


class CompareContents(QObject):
    """Follows the models' signals after `PaneContents` has: what that one put into a pane is added to here. `hold_keys`: what is
    held to see the other picture alone."""

    def __init__(
        self, viewer: ViewerModel, model: CompareModel, masks: MaskModel, contents: PaneContents, hold_keys: Callable[[], str]
    ) -> None:
        super().__init__(model)
        self._viewer, self._model, self._masks, self._contents, self._hold_keys = viewer, model, masks, contents, hold_keys
        self._panes: dict[str, SliceView] = {}
        self._by_pane: dict[str, PaneCompare] = {}
        self._titles: dict[str, str | None] = {}
        """In the bars, by pane; None where that is not known."""
        viewer.volumesChanged.connect(self._show_all)
        viewer.posesChanged.connect(self._show)
        viewer.windowsChanged.connect(self._show_windows)
        model.changed.connect(self._show)
        masks.changed.connect(self._paint_all)
        contents.stacks.listeners.append(self._show_first)

    def set_panes(self, panes: Mapping[str, SliceView]) -> None:
        """Other panes; those that were there before keep what they show."""
        before, self._panes = self._panes, dict(panes)
        old, self._by_pane = self._by_pane, {}
        for name, pane in panes.items():
            if before.get(name) is pane:
                self._by_pane[name] = old[name]
                continue
            self._by_pane[name] = PaneCompare(name, pane.canvas, self._model, self._contents.stacks)
            overlay = MaskOverlay(self._masks, partial(self.place, name))
            pane.canvas.overlays.insert(0, overlay)  # under all words
            pane.canvas.gestures.hovered.connect(partial(self._point, pane, overlay))
            mode = pane.spec.compare
            self._model.begin(name, Mode(mode) if mode in tuple(Mode) else Mode.OFF)
        self._show_all()

    def state(self, name: str) -> MarksState:
        """What is written over a pane."""
        return self._by_pane[name].marks.state

    def windowed(self, name: str) -> Role:
        """The volume whose window a drag over a pane changes."""
        other = self._model.partner(name)
        return other if other is not None and self._by_pane[name].drags_other else self._panes[name].role

    def show_inverted(self) -> None:
        """The other pictures follow the panes' own."""
        self._show_windows(tuple(Role))

    def _point(self, pane: SliceView, overlay: MaskOverlay, at: QPointF | None) -> None:
        overlay.pointed = at
        if self._masks.shown:
            pane.canvas.update()

    def place(self, name: str) -> tuple[ScreenLayout, int] | None:
        """The slice over which masks lie in a pane: they are in the space of the reference, and over nothing else."""
        displayed = self._viewer.displayed(name) if self._viewer.knows_places_of_reference(name) else None
        return None if displayed is None else (displayed.layout, self._viewer.pose(name).k)

    def _shown(self, name: str) -> Shown | None:
        displayed, other = self._viewer.displayed(name), self._model.partner(name)
        if displayed is None or other is None:
            return None
        return Shown(displayed, self._viewer.pose(name).k, self._panes[name].role, other, self._viewer.placed)

    def _show_all(self) -> None:
        """With other panes, or other volumes: by now the names of these may stand in the bars."""
        self._titles = dict.fromkeys(self._titles)
        self._show(tuple(self._by_pane))

    def _show_first(self, stack: SliceStack) -> None:
        self._show(name for name, pane in self._by_pane.items() if any(stack is one for one in pane.needed))

    def _show(self, names: Iterable[str]) -> None:
        for name in [name for name in names if name in self._by_pane]:
            self._by_pane[name].show(self._shown(name), self._hold_keys())
            self._name(name)
            self._show_window(name)
        self._contents.stacks.keep("compare", [stack for pane in self._by_pane.values() for stack in pane.needed])

    def _name(self, name: str) -> None:
        """What the pane shows stands in its bars; a synthetic image that takes part in it brings its warning."""
        pane, title, other = self._panes[name], self._model.title(name), self._model.partner(name)
        if title == self._titles.get(name, ""):
            return
        self._titles[name] = title
        self._contents.show_name(name)
        if not title or other is None:
            return
        pane.header.set_title(title)
        volume = self._viewer.placed[other]
        if volume.synthetic is not None and self._model.shows_both(name):
            pane.strip.set_synthetic("MRI" if volume.domain.is_mr else volume.domain.label, volume.synthetic.model_name)

    def _show_windows(self, roles: Iterable[Role]) -> None:
        wanted = set(roles)
        for name in self._by_pane:
            if {self._model.partner(name), self._panes[name].role} & wanted:
                self._show_window(name)

    def _show_window(self, name: str) -> None:
        """Levels of the other picture, and what of windows is written on the pane."""
        other = self._model.partner(name)
        if other is None or name not in self._viewer.panes:
            return
        low, high = self._viewer.levels(other)
        self._by_pane[name].set_other_levels(*((high, low) if self._contents.inverted else (low, high)))
        canvas, windows, own = self._panes[name].canvas, self._viewer.windows, self._panes[name].role
        if own not in windows:
            return
        words = windows[own].label
        if self._model.held == name:
            words = windows[other].label
        elif self._by_pane[name].marks.state.bar is not None:
            words = ""
        elif self._model.of(name).mode in (Mode.FADE, Mode.WIPE, Mode.CHECKER):
            words = f"{words} | {windows[other].label}"
        said = replace(canvas.annotations.text, window=words, doubt=self._model.doubt(name))
        if canvas.annotations.text != said:
            canvas.set_text(said)

    def _paint_all(self) -> None:
        for pane in self._panes.values():
            pane.canvas.update()
