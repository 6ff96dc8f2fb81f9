"""Mouse events into intents. All positions and distances are pane pixels; nothing is decided here about their effect."""

from __future__ import annotations

from typing import Literal, Protocol

from PySide6.QtCore import QObject, QPointF, Qt, Signal
from PySide6.QtGui import QMouseEvent, QWheelEvent

_NOTCH = 120
_FAST = 5
_CLICK_RADIUS = 3.0
_ZOOM_PER_NOTCH = 1.15
_ZOOM_PER_PIXEL = 1.005
_PIXELS_PER_SLICE = 6.0

Tool = Literal["window", "crosshair", "scroll", "draw"]

_CTRL, _SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
_LEFT, _RIGHT, _MIDDLE = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton, Qt.MouseButton.MiddleButton


class Grabber(Protocol):
    """Something drawn over a picture that is drawn, selected or dragged with the plain left button."""

    def takes(self, at: QPointF) -> bool:
        """Whether a press here is meant for it; if so it hears of the rest until the release."""

    def pull(self, at: QPointF) -> None:
        """The mouse went on, with the button held."""

    def let_go(self, at: QPointF, *, travelled: bool) -> None:
        """The button was released. `travelled`: the mouse went farther than a click may."""


class Gestures(QObject):
    """One pane's mouse. `tool`: what plain left presses and drags do. `grabbers`: asked in this order whether they want a press
    before the tool gets it; with the tool `draw` nobody else does."""

    scrolled = Signal(int)  # notches, positive away from the user
    windowDragged = Signal(float, float)  # pixels right, pixels up
    zoomed = Signal(float, object)  # factor, QPointF anchor or None
    moved = Signal(float, float)  # pixels right, pixels down
    hovered = Signal(object)  # QPointF, or None when the mouse left
    pointed = Signal(object)  # QPointF while Shift is held, None when it is no more
    jumped = Signal(object)  # QPointF, or None when the press turned out to be half of a double click
    maximiseAsked = Signal()
    windowResetAsked = Signal()
    menuAsked = Signal(object)  # QPoint on the screen
    pressed = Signal()
    released = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.tool: Tool = "window"
        self.grabbers: list[Grabber] = []
        self._grabber: Grabber | None = None
        self._drag: str | None = None
        self._start = self._last = QPointF()
        self.inverts_wheel = False
        self._wheel = 0
        self._pulled = 0.0
        self._pointing = self._travelled = False

    def wheel(self, event: QWheelEvent) -> None:
        turned = event.angleDelta()
        self._wheel += turned.y() or turned.x()  # some platforms turn Shift + wheel sideways
        notches = int(self._wheel / _NOTCH)
        self._wheel -= notches * _NOTCH
        if notches and event.modifiers() & _CTRL:
            self.zoomed.emit(_ZOOM_PER_NOTCH**notches, event.position())
        elif notches:
            self.scrolled.emit((-notches if self.inverts_wheel else notches) * (_FAST if event.modifiers() & _SHIFT else 1))
        event.accept()

    def press(self, event: QMouseEvent) -> None:
        self.pressed.emit()
        self._start = self._last = event.position()
        self._travelled = False
        held = event.modifiers()
        if event.button() == _MIDDLE or (event.button() == _LEFT and held & _SHIFT):
            self._drag = "move"
        elif event.button() == _RIGHT:
            self._drag = "zoom"
        elif event.button() == _LEFT and (held & _CTRL or self.tool == "crosshair"):
            self._drag = "jump"
            self.jumped.emit(event.position())
        elif event.button() == _LEFT:
            self._drag, self._pulled = self.tool, 0.0
            self._grabber = next((one for one in self.grabbers if one.takes(event.position())), None)

    def move(self, event: QMouseEvent) -> None:
        here = event.position()
        self._travelled = self._travelled or (here - self._start).manhattanLength() > _CLICK_RADIUS
        if self._grabber is not None:
            self._grabber.pull(here)
        elif self._drag == "jump":
            self.jumped.emit(here)
        elif self._drag is not None and self._travelled:
            self._pull(self._drag, here - self._last)
            self._last = here
        elif not event.buttons():
            self._point(here if event.modifiers() & _SHIFT else None)
        self.hovered.emit(here)

    def release(self, event: QMouseEvent) -> None:
        drag, self._drag = self._drag, None
        grabber, self._grabber = self._grabber, None
        if grabber is not None:
            grabber.let_go(event.position(), travelled=self._travelled)
        if drag == "zoom" and not self._travelled:
            self.menuAsked.emit(event.globalPosition().toPoint())
        self.released.emit()

    def double_click(self, event: QMouseEvent) -> None:
        if event.button() != _LEFT:
            return
        if event.modifiers() & _CTRL:
            self.jumped.emit(None)
            self.windowResetAsked.emit()
        elif self.tool == "draw":
            self.press(event)  # two quick clicks are two clicks
        else:
            self.maximiseAsked.emit()

    def leave(self) -> None:
        self._point(None)
        self.hovered.emit(None)

    def shift_released(self) -> None:
        self._point(None)

    def _point(self, where: QPointF | None) -> None:
        if where is not None or self._pointing:
            self.pointed.emit(where)
        self._pointing = where is not None

    def _pull(self, drag: str, step: QPointF) -> None:
        """A press that has once gone farther than a click may is a drag until its release, wherever it returns to."""
        if drag == "move":
            self.moved.emit(step.x(), step.y())
        elif drag == "zoom":
            self.zoomed.emit(_ZOOM_PER_PIXEL ** -step.y(), None)
        elif drag == "scroll":
            self._pulled -= step.y()
            slices = int(self._pulled / _PIXELS_PER_SLICE)
            self._pulled -= slices * _PIXELS_PER_SLICE
            if slices:
                self.scrolled.emit(slices)
        elif drag == "window":
            self.windowDragged.emit(step.x(), -step.y())
