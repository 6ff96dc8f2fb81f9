"""Three panes of one place in the patient: source, synthetic, ground truth."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

import numpy as np
from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QMenu, QSplitter, QVBoxLayout, QWidget

from ctmri_core.volume import Finding, Volume
from ctmri_gui.viewer import palette
from ctmri_gui.viewer.frame_judge import FrameJudge
from ctmri_gui.viewer.gestures import Tool
from ctmri_gui.viewer.keys import PRESET_KEYS
from ctmri_gui.viewer.pane_contents import PaneContents
from ctmri_gui.viewer.presets import presets_for
from ctmri_gui.viewer.preview_cover import Covers
from ctmri_gui.viewer.readout import read_out
from ctmri_gui.viewer.roles import Role
from ctmri_gui.viewer.slice_view import SliceView
from ctmri_gui.viewer.viewer_actions import make_actions, name_presets, pane_menu
from ctmri_gui.viewer.viewer_model import ViewerModel

_TOOLS: dict[str, Tool] = {"crosshair_tool": "crosshair", "scroll_tool": "scroll"}


class LinkedViews(QWidget):
    """The viewer. Everything the window may want to change goes through `set_...`; what the user does comes as signals."""

    cursorMoved = Signal(object)  # Readout, or None when the mouse is over no volume
    sliceChanged = Signal(int)  # slice of the source's grid
    volumeDropped = Signal(object, object)  # tuple of Path, Role: everything that was dropped together
    offerTaken = Signal(object, str)  # Role, kind of the finding that is to be mended
    escaped = Signal()  # Esc where the panes have nothing to leave

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model = ViewerModel(self)
        self.panes = {role: SliceView(role) for role in Role}
        self._contents = PaneContents(self.model, self.panes)
        self.covers = Covers(self.model, self.panes)
        self._active = Role.SOURCE
        self._hovered: Role | None = None
        self._maximised: Role | None = None
        self._tool: Tool = "window"
        self._frames = FrameJudge(self.model, self.panes[Role.TRUTH])
        splitter = QSplitter(Qt.Orientation.Horizontal)
        splitter.setChildrenCollapsible(False)
        splitter.setHandleWidth(4)
        splitter.setStyleSheet(f"QSplitter::handle {{ background: {palette.OUTLINE.name()}; }}")
        for pane in self.panes.values():
            splitter.addWidget(pane)
        splitter.setSizes([10_000] * len(self.panes))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(splitter)
        self.actions_by_name = make_actions(self, self._handlers())
        self._connect()
        self._contents.show_volumes()
        self.set_active(Role.SOURCE)

    # What the window sets

    def set_volume(self, role: Role, volume: Volume | None) -> None:
        """Shows `volume` in a pane, or what to do when None. Another source grid opens where it tells most, or
        stays at the first picture of it that is seen there."""
        self.set_banner(role, volume.findings if volume else ())
        self._frames.comparable = None
        seen = self.covers.place(role)
        self.model.set_volume(role, volume)
        if volume is not None and seen is not None and role is self.model.reference:
            self.model.show_place(seen)

    def set_slice(self, k: int) -> None:
        """Slice `k` of the source's grid (axis 0), clamped."""
        self.model.set_slice(k)

    def set_preset(self, key: str) -> None:
        """The window preset on `key` ("0" to "9") of the active pane's modality."""
        shown = self._active if self._active in self.model.volumes else self.model.reference
        if shown is not None:
            self.model.apply_preset(key, shown)

    def reset_views(self) -> None:
        """The whole body in all panes."""
        self.model.reset_cameras()

    def set_crosshair(self, mm: Sequence[float] | None) -> None:
        """The crosshair at a point (LPS mm), showing the slice it lies in; None takes it away."""
        self.model.set_crosshair(None if mm is None else np.asarray(mm, np.float64), go=True)

    def set_banner(self, role: Role, findings: Iterable[Finding], offers: Mapping[str, str] | None = None) -> None:
        """What a person should know before trusting the picture, until replaced. `offers`: the words on the button of a kind of
        finding that something can be done about."""
        self.panes[role].banner.set_findings(tuple(findings), offers)

    def set_empty(self, role: Role, headline: str = "", detail: str = "") -> None:
        """What a pane without a volume says, such as the progress of what will fill it; without a headline the invitation."""
        self._contents.set_empty(role, headline, detail)

    def set_comparable(self, comparable: bool | None) -> None:
        """Whether synthetic and truth show the same thing in the same place; None while that is not known.

        Without a verdict (a new volume takes the last one away) volumes of two frames of reference are not linked.
        """
        self._frames.comparable = comparable
        self._frames.judge()
        self._say_cursor()

    def set_linked(self, role: Role, linked: bool) -> None:
        """Whether the pane follows the others' slices, zoom and position."""
        self.panes[role].header.set_linked(linked)

    def set_convention(self, *, neurological: bool) -> None:
        """Patient's right on screen left (radiological) or right."""
        self.actions_by_name["neurological"].setChecked(neurological)
        self.model.set_neurological(neurological)

    def set_active(self, role: Role) -> None:
        """The pane that keys and presets work on."""
        self._active = role
        for one, pane in self.panes.items():
            pane.set_active(one is role)
        self._follow_active()

    @property
    def active(self) -> Role:
        return self._active

    @property
    def slice(self) -> int:
        """The slice of the source's grid that is shown."""
        return self.model.slice

    def close_background(self) -> None:
        """No more pictures are made ahead; call before the program ends."""
        self._contents.close()

    def grab_picture(self) -> QImage:
        """The panes as they stand on the screen, warnings included, names of files left out."""
        strips = [*(pane.strip for pane in self.panes.values()), *self.covers.strips]
        for strip in strips:
            strip.set_private(True)
        try:
            return self.grab().toImage()
        finally:
            for strip in strips:
                strip.set_private(False)

    def make_menu(self, role: Role) -> QMenu:
        """The right-click menu of a pane."""
        volume = self.model.volumes.get(role)
        apply = partial(self.model.apply_preset, role=role)
        return pane_menu(self, presets_for(volume.domain) if volume else (), apply, self.actions_by_name)

    # What the user does

    def _handlers(self) -> dict[str, Callable[..., None]]:
        model = self.model
        steps = {"slice_forward": 1, "slice_back": -1, "slice_forward_10": 10, "slice_back_10": -10}
        return {
            **{name: partial(self._step_active, count) for name, count in steps.items()},
            "slice_first": lambda: model.set_slice(0, self._active),
            "slice_last": lambda: model.set_slice(10**9, self._active),
            **{f"preset_{key}": partial(self.set_preset, key) for key in PRESET_KEYS},
            "invert": self._contents.set_inverted,
            "reset_views": self.reset_views,
            "smooth": lambda on: self._tell_panes(SliceView.set_smooth, on),
            "toggle_text": lambda on: self._tell_panes(SliceView.set_text_visible, on),
            "crosshair_tool": lambda on: self._use_tool("crosshair_tool", on),
            "scroll_tool": lambda on: self._use_tool("scroll_tool", on),
            "neurological": model.set_neurological,
            "link": lambda on: self.set_linked(self._active, on),
            "next_pane": lambda: self._go_to_pane(1),
            "previous_pane": lambda: self._go_to_pane(-1),
            "maximise_pane": lambda: self._maximise(self._active),
            "cancel": self._cancel,
        }

    def _step_active(self, forward: int) -> None:
        self.model.step(forward, self._active)

    def _connect(self) -> None:
        model = self.model
        for role, pane in self.panes.items():
            pane.scrolled.connect(partial(model.step, role=role))
            pane.windowDragged.connect(partial(model.drag_window, role))
            pane.zoomed.connect(partial(model.zoom, role=role))
            pane.moved.connect(partial(model.move, role=role))
            pane.hovered.connect(partial(self._on_hovered, role))
            pane.pointed.connect(partial(self._on_pointed, role))
            pane.jumped.connect(partial(self._on_jumped, role))
            pane.maximiseAsked.connect(partial(self._maximise, role))
            pane.windowResetAsked.connect(partial(model.reset_window, role))
            pane.menuAsked.connect(partial(self._on_menu, role))
            pane.activated.connect(partial(self.set_active, role))
            pane.dropped.connect(partial(self._on_dropped, role))
            pane.linkToggled.connect(partial(self._on_link_toggled, role))
            pane.resized.connect(self._contents.fit_panes)
            pane.bars.changed.connect(self._align_pictures)
            pane.banner.offerTaken.connect(partial(self.offerTaken.emit, role))
        model.volumesChanged.connect(self._on_volumes)
        model.posesChanged.connect(self._say_cursor)
        model.sliceChanged.connect(self.sliceChanged)

    def _align_pictures(self) -> None:
        """All pictures begin at one height, whatever stands above them."""
        bars = [pane.bars for pane in self.panes.values() if not pane.isHidden()]
        highest = max(one.needed for one in bars)
        for one in bars:
            one.setFixedHeight(highest)

    def _on_volumes(self) -> None:
        self._frames.judge()
        self._follow_active()
        self._say_cursor()

    def _follow_active(self) -> None:
        volume = self.model.volumes.get(self._active)
        name_presets(self.actions_by_name, presets_for(volume.domain) if volume else ())
        self.actions_by_name["link"].setChecked(self.model.is_linked(self._active))

    def _on_link_toggled(self, role: Role, linked: bool) -> None:
        self.model.set_linked(role, linked)
        self._follow_active()

    def _on_hovered(self, role: Role, point: tuple[float, float] | None) -> None:
        self._hovered = None if point is None else role
        if point is None:
            self.cursorMoved.emit(None)
        else:
            self._say_cursor()

    def _say_cursor(self) -> None:
        """Under a mouse that stands still the volumes move."""
        if self._hovered is None:
            return
        point = self.panes[self._hovered].point_under_mouse
        mm = None if point is None else self.model.point_mm(self._hovered, point)
        same_thing = self._frames.comparable is not False
        self.cursorMoved.emit(None if mm is None else read_out(self.model.volumes, mm, comparable=same_thing))

    def _on_pointed(self, role: Role, point: tuple[float, float] | None) -> None:
        self.model.point_at(None if point is None else self.model.point_mm(role, point))

    def _on_jumped(self, role: Role, point: tuple[float, float] | None) -> None:
        self.model.set_crosshair(None if point is None else self.model.point_mm(role, point), go=True)

    def _on_menu(self, role: Role, where: QPoint) -> None:
        self.make_menu(role).popup(where)

    def _on_dropped(self, role: Role, paths: object) -> None:
        self.volumeDropped.emit(paths, role)

    def _maximise(self, role: Role) -> None:
        self._maximised = None if self._maximised is role else role
        for one, pane in self.panes.items():
            pane.setVisible(self._maximised in (None, one))
        self.panes[role].setFocus()
        self._contents.fit_panes()

    def _go_to_pane(self, step: int) -> None:
        roles = list(Role)
        role = roles[(roles.index(self._active) + step) % len(roles)]
        if self._maximised is not None:
            self._maximise(role)
        self.panes[role].setFocus()
        self.set_active(role)

    def _tell_panes(self, set_state: Callable[[SliceView, bool], None], on: bool) -> None:
        for pane in self.panes.values():
            set_state(pane, on)

    def _use_tool(self, name: str, on: bool) -> None:
        """One tool at a time; none is the window tool. The crosshair goes with its tool."""
        if self._tool == "crosshair":
            self.model.set_crosshair(None)
        self._tool = _TOOLS[name] if on else "window"
        for other, tool in _TOOLS.items():
            self.actions_by_name[other].setChecked(tool == self._tool)
        for pane in self.panes.values():
            pane.set_tool(self._tool)

    def _cancel(self) -> None:
        in_use = next((name for name, tool in _TOOLS.items() if tool == self._tool), None)
        if in_use is not None:
            self._use_tool(in_use, False)
        elif self.model.crosshair is not None:
            self.model.set_crosshair(None)
        elif self._maximised is not None:
            self._maximise(self._maximised)
        else:
            self.escaped.emit()
