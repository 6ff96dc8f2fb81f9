"""Which part of a slice plane a pane shows: pure arithmetic between plane millimetres and pane pixels."""

from __future__ import annotations

from dataclasses import dataclass, replace

_MARGIN = 1.04
_SMALLEST, _LARGEST = 0.2, 40.0


@dataclass(frozen=True)
class Camera:
    """`centre`: (u, v) mm in the plane at the middle of the pane; `zoom`: 1 shows the whole slice. Held by all linked panes."""

    centre: tuple[float, float] = (0.0, 0.0)
    zoom: float = 1.0

    @classmethod
    def fitting(cls, size_mm: tuple[float, float]) -> Camera:
        return cls((size_mm[0] / 2, size_mm[1] / 2), 1.0)

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
    """A camera on a pane of `pane` pixels over a slice of `size_mm`.

    `fit`: the pixels that the whole slice is to fit into: the smallest pane's, so that linked panes have one scale.
    """

    camera: Camera
    pane: tuple[int, int]
    fit: tuple[int, int]
    size_mm: tuple[float, float]

    @property
    def mm_per_pixel(self) -> float:
        fit = max(size / max(pixels, 1) for size, pixels in zip(self.size_mm, self.fit, strict=True))
        return fit * _MARGIN / self.camera.zoom

    def to_pixel(self, u: float, v: float) -> tuple[float, float]:
        scale = self.mm_per_pixel
        return (u - self.camera.centre[0]) / scale + self.pane[0] / 2, (v - self.camera.centre[1]) / scale + self.pane[1] / 2

    def to_plane(self, x: float, y: float) -> tuple[float, float]:
        scale = self.mm_per_pixel
        return (x - self.pane[0] / 2) * scale + self.camera.centre[0], (y - self.pane[1] / 2) * scale + self.camera.centre[1]
