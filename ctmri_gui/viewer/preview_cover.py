"""What lies over the panes while a scan is being opened: its first picture, or the word that a pane waits for it."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QLabel, QProgressBar, QVBoxLayout, QWidget

from ctmri_core.geometry import FloatArray
from ctmri_core.volume import Volume
from ctmri_gui.viewer import palette
from ctmri_gui.viewer.annotations import EmptyText, PaneText
from ctmri_gui.viewer.banner import Banner
from ctmri_gui.viewer.camera import Camera, Projection
from ctmri_gui.viewer.canvas import Canvas
from ctmri_gui.viewer.displayed_grid import Display, DisplayedGrid
from ctmri_gui.viewer.pane_frame import Header, Strip, show_provenance
from ctmri_gui.viewer.presets import first_window
from ctmri_gui.viewer.roles import Role
from ctmri_gui.viewer.slice_view import SliceView
from ctmri_gui.viewer.viewer_model import ViewerModel

_WAITING = EmptyText("Another scan is being opened", "This pane follows once it is there")
_BAR_HEIGHT, _STEPS, _EDGE = 5, 100, 34
_NOTE_SHEET = f"""
QFrame {{ background: rgba(16, 21, 27, 215); border: 1px solid {palette.OUTLINE.name()}; border-radius: 6px; }}
QLabel {{ color: {palette.TEXT.name()}; background: transparent; border: none; }}
QProgressBar {{ background: {palette.OUTLINE.name()}; border: none; border-radius: 2px; }}
QProgressBar::chunk {{ background: {palette.ACCENT.name()}; border-radius: 2px; }}
"""


class Covers:
    """One cover for each pane; none is shown until `show`."""

    def __init__(self, model: ViewerModel, panes: Mapping[str, SliceView]) -> None:
        self._model = model
        self._roles: dict[str, Role] = {}
        self._by_pane: dict[str, PreviewCover] = {}
        self.set_panes(panes)

    def set_panes(self, panes: Mapping[str, SliceView]) -> None:
        """Covers for these panes. New ones wait where others wait."""
        waiting = any(not cover.isHidden() for cover in self._by_pane.values())
        before, self._by_pane = self._by_pane, {}
        self._roles = {name: pane.role for name, pane in panes.items()}
        for name, pane in panes.items():
            known = before.pop(name, None)
            if known is not None and known.pane is pane:
                self._by_pane[name] = known
                continue
            self._by_pane[name] = PreviewCover(pane.role, pane)
            if waiting:
                self._by_pane[name].show_waiting()

    def show(self, role: Role, volume: Volume) -> None:
        """One slice of a volume that is on its way, over what the panes of its role hold. A new source takes the other panes with
        it: what they show belongs to the one before."""
        first = self._first(role)
        if first is not None:
            first.show_first(volume, display=self._model.display)
        for name, cover in self._by_pane.items():
            goes_too = role is Role.SOURCE and self._roles[name] in self._model.volumes
            if cover is not first and cover.isHidden() and (goes_too or self._roles[name] is role):
                cover.show_waiting()

    def tell(self, text: str, fraction: float | None) -> None:
        """How far the opening has come: words, and 0 to 1 where that is known."""
        for cover in self._by_pane.values():
            cover.progress.tell(text, fraction)

    def clear(self) -> None:
        """The panes show what they hold."""
        for cover in self._by_pane.values():
            cover.hide()

    def shown(self, role: Role) -> PreviewCover | None:
        """The cover over the first pane of a role, where one lies there."""
        cover = self._first(role)
        return None if cover is None or cover.isHidden() else cover

    def place(self, role: Role) -> FloatArray | None:
        """LPS mm of a point of the first picture that is seen on a pane; None where none is."""
        cover = self.shown(role)
        return None if cover is None else cover.place

    def _first(self, role: Role) -> PreviewCover | None:
        return next((cover for name, cover in self._by_pane.items() if self._roles[name] is role), None)


class PreviewCover(QWidget):
    """Covers the whole pane `parent`, so that nothing of another scan is taken for the new one, and takes the mouse: there is
    nothing to scroll yet. What it shows can be reached by no translation and no measurement.
    """

    def __init__(self, role: Role, parent: QWidget) -> None:
        super().__init__(parent)
        self._role, self.pane = role, parent
        self._shown: DisplayedGrid | None = None
        self.header, self.strip, self.banner, self.canvas = Header(role, fixed=True), Strip(), Banner(), Canvas(self)
        self.banner.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.progress = _Progress(self.canvas)
        column = QVBoxLayout(self)
        column.setContentsMargins(1, 1, 1, 1)
        column.setSpacing(0)
        column.addWidget(self.header)
        column.addWidget(self.strip)
        column.addWidget(self.banner)  # what is known already: the picture will not move when it is said
        column.addWidget(self.canvas, 1)
        parent.installEventFilter(self)
        self.canvas.resized.connect(self._place)
        self.hide()

    def show_first(self, volume: Volume, *, display: Display) -> None:
        """One slice (its middle one), in the window it opens with, fitted into the pane."""
        shown = self._shown = DisplayedGrid.of(volume, display=display)
        window, k = first_window(volume), shown.opening
        show_provenance(self.header, self.strip, volume)
        self.banner.set_findings(volume.findings)
        self.canvas.set_empty(None)
        self.canvas.set_voxels(shown.layout.arrange(volume.voxels[k]))
        self.canvas.set_levels(*window.levels(dicom=volume.dicom is not None))
        convention = "NEUROLOGICAL" if display.neurological else "RADIOLOGICAL"
        text = PaneText(shown.layout.edge_letters, "first picture", window.label, convention, shown.layout.plane)
        self.canvas.set_text(text)
        self.setAccessibleName(f"{self._role.label}: first picture of a scan that is being opened")
        self._cover()

    def show_waiting(self) -> None:
        """Instead of what the pane held before."""
        self._shown = None
        self.header.set_title("")
        self.strip.set_note("")
        self.banner.set_findings(())
        self.canvas.set_voxels(None)
        self.canvas.set_empty(_WAITING)
        self.setAccessibleName(f"{self._role.label}: {_WAITING.headline}")
        self._cover()

    @property
    def place(self) -> FloatArray | None:
        """LPS mm of a point of the first picture; None without one."""
        return None if self._shown is None else self._shown.layout.to_mm(0.0, 0.0, self._shown.opening)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and watched is self.pane:
            self.setGeometry(self.pane.rect())
        return super().eventFilter(watched, event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), palette.FRAME)
        painter.end()

    def _cover(self) -> None:
        self.progress.setVisible(self._shown is not None)
        self.canvas.set_font_size()
        self.setGeometry(self.pane.rect())
        self.raise_()
        self.show()
        self._place()

    def _place(self) -> None:
        width, height = self.canvas.width(), self.canvas.height()
        self.progress.place(width, height)
        if self._shown is None:
            return
        frame, size = self._shown.frame, self._shown.layout.size_mm
        projection = Projection(Camera.on(frame), (width, height), (width, height), frame)
        self.canvas.place_picture(projection, size)


class _Progress(QFrame):
    """How far the opening is, over the lower part of the picture."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._over = parent
        self.setStyleSheet(_NOTE_SHEET)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._words, self._bar = QLabel(), QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setFixedHeight(_BAR_HEIGHT)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 7, 12, 9)
        column.setSpacing(6)
        column.addWidget(self._words)
        column.addWidget(self._bar)
        self.tell("", None)

    def tell(self, text: str, fraction: float | None) -> None:
        """`text` after the word Opening; `fraction` 0 to 1, None when nobody knows."""
        self._words.setText(f"Opening · {text}" if text else "Opening …")
        self._bar.setRange(0, _STEPS if fraction is not None else 0)
        self._bar.setValue(round((fraction or 0.0) * _STEPS))
        self.setAccessibleName(self._words.text())
        self.place(self._over.width(), self._over.height())

    def text(self) -> str:
        return self._words.text()

    def place(self, width: int, height: int) -> None:
        """In the middle, above the letter at the lower edge of a picture of that size."""
        own = self.sizeHint()
        across = min(max(own.width(), palette.scaled(200)), width - 16)
        self.setGeometry((width - across) // 2, height - own.height() - palette.scaled(_EDGE) - 10, across, own.height())
