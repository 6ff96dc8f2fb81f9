"""Panes of one place in the patient: source, synthetic, ground truth, along one plane or several."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from PySide6.QtCore import QPoint, Signal
from PySide6.QtWidgets import QMenu, QVBoxLayout, QWidget

from ctmri_core.volume import Finding, Volume
from ctmri_gui.viewer.arrangement import Arrangement
from ctmri_gui.viewer.compare.compare_views import CompareViews
from ctmri_gui.viewer.frame_judge import FrameJudge
from ctmri_gui.viewer.gestures import Tool
from ctmri_gui.viewer.keys import BODY_TOOLS, MEASURE_TOOLS
from ctmri_gui.viewer.layouts import BUILT_IN, SIDE_BY_SIDE, PaneLayout, models_side_by_side
from ctmri_gui.viewer.pane_contents import PaneContents
from ctmri_gui.viewer.pane_grid import PaneGrid
from ctmri_gui.viewer.pane_pointer import PanePointer
from ctmri_gui.viewer.panes import PaneSpec
from ctmri_gui.viewer.preset_book import PRESET_KEYS
from ctmri_gui.viewer.preview_cover import Covers
from ctmri_gui.viewer.roles import MAIN, SYNTHETICS, Role
from ctmri_gui.viewer.slice_view import SliceView
from ctmri_gui.viewer.viewer_actions import content_menu, make_actions, name_presets, pane_menu
from ctmri_gui.viewer.viewer_model import ViewerModel, ViewState
from ctmri_gui.viewer.window_entry import WindowEntry

_NO_TOOL = "window_tool"  # what a left drag does without another
_TOOLS: dict[str, Tool] = {
    **{_NO_TOOL: "window", "crosshair_tool": "crosshair", "scroll_tool": "scroll"},
    **dict.fromkeys((*MEASURE_TOOLS, *BODY_TOOLS), "draw"),
}  # fmt: skip

_MODELS_ROW = (Role.SOURCE, *SYNTHETICS, Role.TRUTH)


class LinkedViews(QWidget):
    """The viewer. Everything the window may want to change goes through `set_...`; what the user does comes as signals."""

    cursorMoved = Signal(object)  # Readout, or None when the mouse is over no volume
    sliceChanged = Signal(int)  # slice of the source's grid
    volumeDropped = Signal(object, object)  # tuple of Path, Role (None: a case of their own): everything dropped together
    offerTaken = Signal(object, str)  # Role, kind of the finding that is to be mended
    escaped = Signal()  # Esc where the panes have nothing to leave
    panesChanged = Signal()  # other panes than before
    activeChanged = Signal()  # what keys work on
    toolChanged = Signal(str)  # the name of its action, empty for the window tool

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model = ViewerModel(self)
        self.arrangement = Arrangement(PaneGrid(self), self._make_pane, self)
        self.contents = PaneContents(self.model, {})
        self.covers = Covers(self.model, {})
        self._active: str = Role.SOURCE.value
        self._tool = ""
        self.cancels: list[Callable[[], bool]] = []
        """Asked in this order, before all else, whether Esc is for them."""
        self._banners: dict[Role, tuple[tuple[Finding, ...], Mapping[str, str] | None]] = {}
        self._frames = FrameJudge(self.model)
        self._pointer = PanePointer(self.model, lambda: self._frames.comparable, self)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.arrangement.grid)
        self.actions_by_name = make_actions(self, self._handlers())
        self.compare = CompareViews(self)
        self._connect()
        self.arrangement.show(SIDE_BY_SIDE)

    # Panes ------------------------------------------------------------------------------------------------------------

    @property
    def panes(self) -> dict[str, SliceView]:
        """By id, in the order in which they stand."""
        return self.arrangement.panes

    @property
    def pane_layout(self) -> PaneLayout:
        """What stands on the screen, with its sizes."""
        return self.arrangement.layout

    def _on_panes(self) -> None:
        """Volumes, windows and places stay."""
        self._pointer.set_panes(self.panes)
        if self._active not in self.panes:
            self._active = next(iter(self.panes))
        self._frames.truths = [pane for pane in self.panes.values() if pane.role is Role.TRUTH]
        self.contents.set_panes(self.panes)
        self.covers.set_panes(self.panes)
        self.model.set_panes({name: pane.spec for name, pane in self.panes.items()})
        self.contents.show_volumes()
        for role, (findings, offers) in self._banners.items():
            self.set_banner(role, findings, offers)
        self._frames.judge()
        self.set_active(self._active)
        self.panesChanged.emit()

    def _make_pane(self, name: str, spec: PaneSpec) -> SliceView:
        pane, model = SliceView(spec, name), self.model
        pane.scrolled.connect(partial(model.step, pane=name))
        pane.windowDragged.connect(partial(self.compare.drag_window, name))
        pane.zoomed.connect(partial(model.zoom, pane=name))
        pane.moved.connect(partial(model.move, pane=name))
        self._pointer.follow(name, pane)
        pane.maximiseAsked.connect(partial(self.arrangement.maximise, name))
        pane.windowResetAsked.connect(partial(model.reset_window, spec.role))
        pane.menuAsked.connect(partial(self._on_menu, name))
        pane.activated.connect(partial(self.set_active, name))
        pane.dropped.connect(partial(self._on_dropped, spec.role))
        pane.linkToggled.connect(partial(self._on_link_toggled, name))
        pane.resized.connect(self.contents.fit_panes)
        pane.bars.changed.connect(self._align_pictures)
        pane.banner.offerTaken.connect(partial(self.offerTaken.emit, spec.role))
        pane.set_tool(_TOOLS.get(self._tool, "window"))
        pane.set_smooth(self.actions_by_name["smooth"].isChecked())
        pane.set_text_visible(self.actions_by_name["toggle_text"].isChecked())
        return pane

    # What the window sets

    def set_volume(self, role: Role, volume: Volume | None) -> None:
        """Shows `volume` in a pane, or what to do when None. Another source grid opens where it tells most; its slices
        as acquired stay at the first picture of it that is seen there."""
        self.set_banner(role, volume.findings if volume else ())
        if role in MAIN:
            self._frames.comparable = None
        seen = self.covers.place(role)
        self.model.set_volume(role, volume)
        if volume is not None and seen is not None and role is self.model.reference:
            self.model.show_acquired(seen)

    def clear(self) -> None:
        """Shows nothing: what comes next has to do with nothing that was here."""
        for role in Role:
            self.set_volume(role, None)
        self.model.link_all()

    def put_back(self, state: ViewState | None) -> None:
        """See `ViewerModel.put_back`."""
        self.model.put_back(state)

    def set_slice(self, k: int) -> None:
        """Slice `k` of the source's grid (axis 0), clamped."""
        self.model.set_slice(k)

    def set_preset(self, key: str) -> None:
        """The window preset on `key` ("0" to "9") of the active pane's modality, or by its id."""
        shown = self.active if self.active in self.model.volumes else self.model.reference
        if shown is not None:
            self.model.apply_preset(key, shown)

    def type_window(self) -> None:
        """Asks for the numbers of the active pane's window."""
        if self.active in self.model.windows:
            WindowEntry(self.model, self.active, self.panes[self._active]).open()

    def reset_views(self) -> None:
        """The whole body in all panes."""
        self.model.reset_cameras()

    def set_crosshair(self, mm: Sequence[float] | None) -> None:
        """The crosshair at a point (LPS mm), showing the slice it lies in; None takes it away."""
        self.model.set_crosshair(None if mm is None else np.asarray(mm, np.float64), go=True)

    def set_banner(self, role: Role, findings: Iterable[Finding], offers: Mapping[str, str] | None = None) -> None:
        """What a person should know before trusting the picture, until replaced. `offers`: the words on the button of a kind of
        finding that something can be done about. It stands on the first pane of the role."""
        self._banners[role] = tuple(findings), offers
        first = self.arrangement.first(role)
        if first is not None:
            first.banner.set_findings(*self._banners[role])

    def set_empty(self, role: Role, headline: str = "", detail: str = "") -> None:
        """What a pane without a volume says, such as the progress of what will fill it; without a headline the invitation."""
        self.contents.set_empty(role, headline, detail)

    def set_comparable(self, comparable: bool | None) -> None:
        """Whether synthetic and truth show the same thing in the same place; None while that is not known.

        Without a verdict (a new volume takes the last one away) volumes of two frames of reference are not linked.
        """
        self._frames.comparable = comparable
        self._frames.judge()
        self._pointer.say()

    def set_linked(self, pane: str, linked: bool) -> None:
        """Whether the pane follows the others' slices, zoom and position."""
        self.panes[pane].header.set_linked(linked)

    def link_as_shown(self) -> None:
        """What the active, unlinked pane shows is taken for the place that the others show."""
        self.model.link_as_shown(self._active)
        self._frames.judge()
        self._follow_active()

    def set_active(self, pane: str) -> None:
        """The pane that keys and presets work on."""
        if pane not in self.panes:
            return  # it is just being taken away
        self._active = pane
        for name, view in self.panes.items():
            view.set_active(name == pane)
        self._follow_active()
        self.activeChanged.emit()

    def focus_source(self) -> None:
        """Keys go to the source's pane, or to the first where it has none."""
        (self.arrangement.first(Role.SOURCE) or next(iter(self.panes.values()))).setFocus()

    def focus_active(self) -> None:
        """Keys go to the pane that they went to last."""
        self.panes[self._active].activateWindow()
        self.panes[self._active].setFocus()

    @property
    def active(self) -> Role:
        """Whose pane it is that keys and presets work on."""
        return self.panes[self._active].role

    @property
    def active_pane(self) -> str:
        return self._active

    @property
    def slice(self) -> int:
        """The slice of the source's grid that is shown."""
        return self.model.slice

    def close_background(self) -> None:
        """No more pictures are made ahead; call before the program ends."""
        self.contents.close()

    def show_models(self, roles: Sequence[Role]) -> None:
        """A pane for each of `roles`, so that the pictures are as large as they can be."""
        self.arrangement.show(models_side_by_side(roles, self.width(), self.height()))

    def make_menu(self, pane: str) -> QMenu:
        """The right-click menu of a pane."""
        role = self.panes[pane].role
        presets = self.model.presets.of(self.model.volumes.get(role))
        menu = pane_menu(self, presets, partial(self.model.apply_preset, role=role), self.actions_by_name)
        menu.addMenu(content_menu(menu, self.panes[pane].spec, self._choices, partial(self.arrangement.show_in, pane)))
        detached = self.arrangement.is_detached(pane)
        menu.addAction("Bring pane back" if detached else "Window of its own").triggered.connect(
            lambda _checked=False: self.arrangement.set_detached(pane, not detached)
        )
        self.compare.fill_menu(menu, pane)
        return menu

    @property
    def _choices(self) -> tuple[Role, ...]:
        """What a pane may show: places of further models only while something lies there."""
        used = {*MAIN, *self.model.volumes, *(pane.role for pane in self.panes.values())}
        return tuple(role for role in Role if role in used)

    # What the user does

    def _handlers(self) -> dict[str, Callable[..., None]]:
        model = self.model
        steps = {"slice_forward": 1, "slice_back": -1, "slice_forward_10": 10, "slice_back_10": -10}
        return {
            **{name: partial(self._step_active, count) for name, count in steps.items()},
            "slice_first": lambda: model.set_slice(0, self._active),
            "slice_last": lambda: model.set_slice(10**9, self._active),
            **{f"preset_{key}": partial(self.set_preset, key) for key in PRESET_KEYS},
            "type_window": self.type_window,
            "reset_window": lambda: model.reset_window(self.active),
            "invert": self.contents.set_inverted,
            "reset_views": self.reset_views,
            "smooth": lambda on: self._tell_panes(SliceView.set_smooth, on),
            "toggle_text": lambda on: self._tell_panes(SliceView.set_text_visible, on),
            **{name: partial(self.use_tool, name) for name in _TOOLS},
            "neurological": lambda on: model.set_display(replace(model.display, neurological=on)),
            "nose_right": lambda on: model.set_display(replace(model.display, nose_right=on)),
            "straight": lambda on: model.set_display(replace(model.display, straight=on)),
            "link": lambda on: self.set_linked(self._active, on),
            "link_as_shown": self.link_as_shown,
            **{f"layout_{n}": partial(self.arrangement.show, layout) for n, layout in enumerate(BUILT_IN, 1)},
            "layout_models": lambda: self.show_models([role for role in _MODELS_ROW if role in {*MAIN, *model.volumes}]),
            "single_pane": lambda: self.arrangement.show_single(self._active),
            "detach_pane": self._toggle_detached,
            "next_pane": lambda: self._go_to_pane(1),
            "previous_pane": lambda: self._go_to_pane(-1),
            "maximise_pane": lambda: self.arrangement.maximise(self._active),
            "cancel": self._cancel,
        }

    def _toggle_detached(self) -> None:
        self.arrangement.set_detached(self._active, not self.arrangement.is_detached(self._active))

    def _step_active(self, forward: int) -> None:
        self.model.step(forward, self._active)

    def _connect(self) -> None:
        model = self.model
        model.volumesChanged.connect(self._on_volumes)
        self._pointer.moved.connect(self.cursorMoved)
        model.sliceChanged.connect(self.sliceChanged)
        model.presets.changed.connect(self._follow_active)
        self.arrangement.changed.connect(self._on_panes)
        self.arrangement.moved.connect(self.contents.fit_panes)

    def _align_pictures(self) -> None:
        """All pictures of a row begin at one height, whatever stands above them."""
        for row in self.arrangement.rows:
            bars = [pane.bars for pane in row if not pane.isHidden()]
            highest = max((one.needed for one in bars), default=0)
            for one in bars:
                one.setFixedHeight(highest)

    def _on_volumes(self) -> None:
        self._frames.judge()
        self._follow_active()
        self._pointer.say()

    def _follow_active(self) -> None:
        name_presets(self.actions_by_name, self.model.presets.of(self.model.volumes.get(self.active)))
        self.actions_by_name["link"].setChecked(self.model.is_linked(self._active))
        self.actions_by_name["link_as_shown"].setEnabled(self.model.can_link_as_shown(self._active))

    def _on_link_toggled(self, pane: str, linked: bool) -> None:
        if linked != self.model.is_linked(pane):
            self.model.set_linked(pane, linked)
        self._follow_active()

    def _on_menu(self, pane: str, where: QPoint) -> None:
        self.make_menu(pane).popup(where)

    def _on_dropped(self, role: Role, paths: object, alone: bool) -> None:
        self.volumeDropped.emit(paths, None if alone else role)

    def _go_to_pane(self, step: int) -> None:
        names = list(self.panes)
        pane = names[(names.index(self._active) + step) % len(names)]
        if self.arrangement.grid.maximised is not None:
            self.arrangement.maximise(pane)
        self.panes[pane].activateWindow()
        self.panes[pane].setFocus()
        self.set_active(pane)

    def _tell_panes(self, set_state: Callable[[SliceView, bool], None], on: bool) -> None:
        for pane in self.panes.values():
            set_state(pane, on)

    def use_tool(self, name: str, on: bool = True) -> None:
        """One tool at a time, by the name of its action; none is the window tool. The crosshair goes with its tool."""
        if self._tool == "crosshair_tool":
            self.model.set_crosshair(None)
        self._tool = name if on and name != _NO_TOOL else ""
        for other in _TOOLS:
            self.actions_by_name[other].setChecked(other == (self._tool or _NO_TOOL))
        for pane in self.panes.values():
            pane.set_tool(_TOOLS.get(self._tool, "window"))
        self.toolChanged.emit(self._tool)

    def _cancel(self) -> None:
        if any(cancel() for cancel in self.cancels):
            return
        if self._tool:
            self.use_tool(self._tool, False)
        elif self.model.crosshair is not None:
            self.model.set_crosshair(None)
        elif self.arrangement.grid.maximised is not None:
            self.arrangement.maximise(self._active)
        else:
            self.escaped.emit()
