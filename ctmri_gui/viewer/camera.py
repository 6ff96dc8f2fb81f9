"""Which part of a slice plane a pane shows: pure arithmetic between plane millimetres and pane pixels."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

_MARGIN = 1.08
_LETTER_PIXELS = 34  # at the left and the right edge, for the letters that stand there
_NARROWEST_SHARE = 0.25
_NEIGHBOURHOOD = 0.25
_SMALLEST, _LARGEST = 0.2, 40.0


@dataclass(frozen=True)
class Frame:
    """The part of a slice that zoom 1 shows whole: (u, v) mm of its corner, width and height in mm."""

    left: float
    top: float
    width: float
    height: float

    def widened(self, width: float, height: float) -> Frame:
        """As large as that, about the same middle."""
        return Frame(self.left + (self.width - width) / 2, self.top + (self.height - height) / 2, width, height)


@dataclass(frozen=True)
class Camera:
    """`centre`: (u, v) mm in the plane at the middle of the pane; `zoom`: 1 shows the frame. Held by all linked panes."""

    centre: tuple[float, float] = (0.0, 0.0)
    zoom: float = 1.0

    @classmethod
    def on(cls, frame: Frame) -> Camera:
        return cls((frame.left + frame.width / 2, frame.top + frame.height / 2), 1.0)

    def zoomed(self, factor: float, anchor: tuple[float, float] | None) -> Camera:
        """Closer by `factor`, with the plane point `anchor` staying where it is on the screen (None: the middle)."""
        zoom = min(max(self.zoom * factor, _SMALLEST), _LARGEST)
        if anchor is None:
            return replace(self, zoom=zoom)
        ratio = self.zoom / zoom
        u, v = (a + (c - a) * ratio for a, c in zip(anchor, self.centre, strict=True))
        return Camera((u, v), zoom)

    def moved(self, right: float, down: float) -> Camera:
        """After the picture was dragged by so many mm."""
        return replace(self, centre=(self.centre[0] - right, self.centre[1] - down))


@dataclass(frozen=True)
class Projection:
    """A camera on a pane of `pane` pixels.

    `fit`: the pixels that `frame` is to fit into: the smallest pane's, so that linked panes have one scale.
    """

    camera: Camera
    pane: tuple[int, int]
    fit: tuple[int, int]
    frame: Frame

    @property
    def mm_per_pixel(self) -> float:
        across, down = (max(pixels, 1) for pixels in self.fit)
        beside = max(across - 2 * _LETTER_PIXELS, across / 2)
        return max(self.frame.width / beside, self.frame.height * _MARGIN / down) / self.camera.zoom

    def to_pixel(self, u: float, v: float) -> tuple[float, float]:
        scale = self.mm_per_pixel
        return (u - self.camera.centre[0]) / scale + self.pane[0] / 2, (v - self.camera.centre[1]) / scale + self.pane[1] / 2

    def to_plane(self, x: float, y: float) -> tuple[float, float]:
        scale = self.mm_per_pixel
        return (x - self.pane[0] / 2) * scale + self.camera.centre[0], (y - self.pane[1] / 2) * scale + self.camera.centre[1]


def body_frame(body: NDArray[np.bool_], around: float, size_mm: tuple[float, float]) -> Frame:
    """Around the body near a slice: `body` is (slices, rows, columns) in screen order, thinned or not, over `size_mm` (width,
    height); `around` says where in the stack, from 0 to 1. What lies far away, as shoulders below a head, does not count.

    Single bright voxels do not count. The whole slice where the body is a small part of it or not found.
    """
    width, height = size_mm
    reach = _NEIGHBOURHOOD * len(body)
    body = body[max(int(around * len(body) - reach), 0) : int(around * len(body) + reach) + 1]
    spans = []
    for axis, length in ((2, width), (1, height)):
        counts = body.sum(axis=tuple({0, 1, 2} - {axis}))
        filled = np.flatnonzero(counts > max(1, 0.01 * counts.max()))
        if filled.size < _NARROWEST_SHARE * counts.size:
            return Frame(0.0, 0.0, width, height)
        pixel = length / counts.size
        spans.append((filled[0] * pixel, (filled[-1] + 1 - filled[0]) * pixel))
    (left, across), (top, down) = spans
    return Frame(float(left), float(top), float(across), float(down))
