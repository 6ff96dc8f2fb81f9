"""Three panes of one place in the patient: source, synthetic, ground truth."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial

import numpy as np
from PySide6.QtCore import QPoint, QSize, Qt, Signal
from PySide6.QtGui import QAction, QImage
from PySide6.QtWidgets import QMenu, QSplitter, QVBoxLayout, QWidget

from ctmri_core.geometry import Geometry
from ctmri_core.volume import Finding, Volume
from ctmri_gui.viewer import palette
from ctmri_gui.viewer.annotations import EmptyText, PaneText
from ctmri_gui.viewer.presets import presets_for
from ctmri_gui.viewer.readout import read_out
from ctmri_gui.viewer.roles import Role
from ctmri_gui.viewer.slice_stack import SampledSlices, SliceStack, slices_of
from ctmri_gui.viewer.slice_view import SliceView
from ctmri_gui.viewer.viewer_actions import make_actions, pane_menu
from ctmri_gui.viewer.viewer_model import ViewerModel

_EMPTY = {
    Role.SOURCE: EmptyText("Drop a CT or MR here", "DICOM folder, NIfTI, MHA, NRRD or PNG"),
    Role.SYNTHETIC: EmptyText("Translate to fill this pane", "Choose a model and run it"),
    Role.TRUTH: EmptyText("Drop the real image here", "to compare the synthetic one with it"),
}
_PREPARING = EmptyText("Resampling …", "onto the slices of the source")


class LinkedViews(QWidget):
    """The viewer. Everything the window may want to change goes through `set_...`; what the user does comes as signals."""

    cursorMoved = Signal(object)  # Readout, or None when the mouse is over no volume
    sliceChanged = Signal(int)  # slice of the source's grid
    volumeDropped = Signal(object, object)  # Path, Role
    windowChanged = Signal(object, float, float)  # Role, centre, width

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model = ViewerModel(self)
        self.panes = {role: SliceView(role) for role in Role}
        self._stacks: dict[Role, SliceStack] = {}
        self._active = Role.SOURCE
        self._maximised: Role | None = None
        self._inverted = self._crosshair_tool = False
        self._text_visible = self._smooth = True
        self._link_texts = dict.fromkeys(Role, "")
        self._empty = dict(_EMPTY)
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
        self._show_volumes()
        self.set_active(Role.SOURCE)

    # What the window sets

    def set_volume(self, role: Role, volume: Volume | None) -> None:
        """Shows `volume` in a pane, or what to do when None. Another source grid opens where it tells most."""
        self.set_banner(role, volume.findings if volume else ())
        self.model.set_volume(role, volume)

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

    def set_banner(self, role: Role, findings: Iterable[Finding | str]) -> None:
        """What a person should know before trusting the picture; shown until replaced."""
        self.panes[role].set_messages(tuple(one if isinstance(one, str) else one.message for one in findings))

    def set_empty(self, role: Role, headline: str = "", detail: str = "") -> None:
        """What a pane without a volume says, such as the progress of what will fill it; without a headline the invitation."""
        self._empty[role] = EmptyText(headline, detail) if headline else _EMPTY[role]
        if role not in self.model.volumes:
            self.panes[role].set_empty(self._empty[role])

    def set_link_state(self, role: Role, text: str) -> None:
        """A badge such as `not aligned` in the pane's header; empty takes it away."""
        self._link_texts[role] = text
        self.panes[role].header.set_link_state(text)

    def set_linked(self, role: Role, linked: bool) -> None:
        """Whether the pane follows the others' slices, zoom and position."""
        self.panes[role].header.set_linked(linked)

    def set_convention(self, *, neurological: bool) -> None:
        """Patient's right on screen left (radiological) or right."""
        self.model.set_neurological(neurological)

    def set_active(self, role: Role) -> None:
        """The pane that keys and presets work on."""
        self._active = role
        for one, pane in self.panes.items():
            pane.set_active(one is role)

    @property
    def active(self) -> Role:
        return self._active

    @property
    def slice(self) -> int:
        """The slice of the source's grid that is shown."""
        return self.model.slice

    def close_background(self) -> None:
        """No more pictures are made ahead; call before the program ends."""
        for stack in self._stacks.values():
            stack.close()

    def grab_picture(self) -> QImage:
        """The panes as they stand on the screen, warnings included."""
        return self.grab().toImage()

    def make_menu(self, role: Role) -> QMenu:
        """The right-click menu of a pane."""
        volume = self.model.volumes.get(role)
        names = ("invert", "reset_views", "smooth", "toggle_text", "crosshair_tool")
        common = tuple(self.actions_by_name[name] for name in names)
        mirror = QAction("Neurological display (left on left)", self)
        mirror.setCheckable(True)
        mirror.setChecked(self.model.neurological)
        mirror.toggled.connect(lambda on: self.set_convention(neurological=on))
        apply = partial(self.model.apply_preset, role=role)
        menu = pane_menu(self, presets_for(volume.domain) if volume else (), apply, common, mirror)
        mirror.setParent(menu)
        return menu

    # What the user does

    def _handlers(self) -> dict[str, Callable[[], None]]:
        model = self.model
        steps = {"slice_forward": 1, "slice_back": -1, "slice_forward_10": 10, "slice_back_10": -10}
        return {
            **{name: partial(self._step_active, count) for name, count in steps.items()},
            "slice_first": lambda: model.set_slice(0, self._active),
            "slice_last": lambda: model.set_slice(10**9, self._active),
            **{f"preset_{number}": partial(self.set_preset, str(number)) for number in range(10)},
            "invert": self._invert,
            "reset_views": self.reset_views,
            "smooth": self._toggle_smooth,
            "toggle_text": self._toggle_text,
            "crosshair_tool": self._toggle_crosshair_tool,
            "next_pane": lambda: self._go_to_pane(1),
            "previous_pane": lambda: self._go_to_pane(-1),
            "maximise_pane": lambda: self._maximise(self._active),
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
            pane.jumped.connect(partial(self._on_pointed, role))
            pane.maximiseAsked.connect(partial(self._maximise, role))
            pane.windowResetAsked.connect(partial(model.reset_window, role))
            pane.menuAsked.connect(partial(self._on_menu, role))
            pane.activated.connect(partial(self.set_active, role))
            pane.dropped.connect(partial(self._on_dropped, role))
            pane.linkToggled.connect(partial(model.set_linked, role))
            pane.resized.connect(self._fit_panes)
        model.volumesChanged.connect(self._show_volumes)
        model.posesChanged.connect(self._show_poses)
        model.windowsChanged.connect(self._show_windows)
        model.crosshairChanged.connect(self._show_crosshair)
        model.sliceChanged.connect(self.sliceChanged)

    def _on_hovered(self, role: Role, point: tuple[float, float] | None) -> None:
        mm = None if point is None else self.model.point_mm(role, point)
        self.cursorMoved.emit(None if mm is None else read_out(self.model.volumes, mm))

    def _on_pointed(self, role: Role, point: tuple[float, float] | None) -> None:
        self.model.set_crosshair(None if point is None else self.model.point_mm(role, point))

    def _on_menu(self, role: Role, where: QPoint) -> None:
        self.make_menu(role).popup(where)

    def _on_dropped(self, role: Role, path: object) -> None:
        self.volumeDropped.emit(path, role)

    def _maximise(self, role: Role) -> None:
        self._maximised = None if self._maximised is role else role
        for one, pane in self.panes.items():
            pane.setVisible(self._maximised in (None, one))
        self.panes[role].setFocus()
        self._fit_panes()

    def _go_to_pane(self, step: int) -> None:
        roles = list(Role)
        role = roles[(roles.index(self._active) + step) % len(roles)]
        if self._maximised is not None:
            self._maximise(role)
        self.panes[role].setFocus()
        self.set_active(role)

    def _invert(self) -> None:
        self._inverted = not self._inverted
        self._show_levels(tuple(self._stacks))

    def _toggle_smooth(self) -> None:
        self._smooth = not self._smooth
        for pane in self.panes.values():
            pane.set_smooth(self._smooth)

    def _toggle_text(self) -> None:
        self._text_visible = not self._text_visible
        for pane in self.panes.values():
            pane.set_text_visible(self._text_visible)

    def _toggle_crosshair_tool(self) -> None:
        self._crosshair_tool = not self._crosshair_tool
        if not self._crosshair_tool:
            self.model.set_crosshair(None)
        for pane in self.panes.values():
            pane.set_crosshair_tool(self._crosshair_tool)

    # What the panes show

    def _show_volumes(self) -> None:
        reference = self.model.reference
        grid = self.model.volumes[reference].geometry if reference else None
        for role, pane in self.panes.items():
            volume = self.model.volumes.get(role)
            if volume is None or grid is None:
                self._close_stack(role)
                pane.set_empty(self._empty[role])
                pane.set_picture(None, (1.0, 1.0))
                pane.header.set_title("")
                pane.strip.set_note("")
            elif role not in self._stacks or not self._stacks[role].serves(volume, grid):
                self._close_stack(role)
                self._open_stack(role, volume, grid)
        self._fit_panes()
        self._show_windows(tuple(self._stacks))
        self._show_poses(tuple(self._stacks))

    def _open_stack(self, role: Role, volume: Volume, grid: Geometry) -> None:
        stack = slices_of(volume, grid)
        resampled = isinstance(stack, SampledSlices)
        if isinstance(stack, SampledSlices):
            stack.ready.connect(partial(self._show_slice, role), Qt.ConnectionType.QueuedConnection)
        self._stacks[role] = stack
        self._show_provenance(self.panes[role], volume, resampled=resampled)

    def _close_stack(self, role: Role) -> None:
        if role in self._stacks:
            self._stacks.pop(role).close()

    @staticmethod
    def _show_provenance(pane: SliceView, volume: Volume, *, resampled: bool) -> None:
        pane.header.set_title(volume.label)
        if volume.synthetic is not None:
            pane.strip.set_synthetic("MRI" if volume.domain.is_mr else volume.domain.label, volume.synthetic.model_name)
        else:
            pane.strip.set_note(f"{volume.name} · resampled onto these slices" if resampled else volume.name)

    def _show_poses(self, roles: tuple[Role, ...]) -> None:
        for role in roles:
            self.panes[role].set_camera(self.model.pose(role).camera)
            self._show_slice(role)
        self._show_crosshair()

    def _show_slice(self, role: Role) -> None:
        layout, pane, stack = self.model.layout, self.panes[role], self._stacks.get(role)
        if layout is None or stack is None:
            return
        picture = stack.picture(self.model.pose(role).k)
        pane.set_empty(_PREPARING if picture is None else None)
        pane.set_picture(None if picture is None else layout.arrange(picture), layout.size_mm)
        self._show_text(role)

    def _show_text(self, role: Role) -> None:
        layout, stack = self.model.layout, self._stacks.get(role)
        if layout is None or stack is None:
            return
        convention = "NEUROLOGICAL" if self.model.neurological else "RADIOLOGICAL"
        position = stack.position_label(self.model.pose(role).k)
        text = PaneText(layout.edge_letters, position, self.model.windows[role].label, convention, layout.plane)
        self.panes[role].set_text(text)

    def _show_windows(self, roles: tuple[Role, ...]) -> None:
        self._show_levels(roles)
        for role in roles:
            self._show_text(role)
            window = self.model.windows[role]
            self.windowChanged.emit(role, window.centre, window.width)

    def _show_levels(self, roles: tuple[Role, ...]) -> None:
        for role in roles:
            low, high = self.model.levels(role)
            self.panes[role].set_levels(*((high, low) if self._inverted else (low, high)))

    def _show_crosshair(self) -> None:
        for role, pane in self.panes.items():
            pane.set_crosshair(self.model.crosshair_in(role) if role in self._stacks else None)

    def _fit_panes(self) -> None:
        shown = [pane.canvas.size() for pane in self.panes.values() if not pane.isHidden()]
        fit = QSize(min(size.width() for size in shown), min(size.height() for size in shown))
        for pane in self.panes.values():
            pane.set_fit(fit, self.model.frame)
