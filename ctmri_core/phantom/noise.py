"""Band-limited random fields: the raw material of folds, muscle bundles and uneven thickness."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ctmri_core.phantom.shapes import Array, Point

Generator = np.random.Generator
_NODES_PER_WAVE = 9.0
_MARGIN = 3


class Noise:
    """A field of zero mean and unit variance whose waves are about `wavelength` mm long (x, y, z), over a box in mm.

    `bandwidth`: relative width of the ring of wave numbers that is kept; small gives regular labyrinths.
    """

    def __init__(self, rng: Generator, low: Point, high: Point, wavelength: Point, bandwidth: float = 0.25) -> None:
        wave = np.asarray(wavelength[::-1], float)
        self._step = wave / _NODES_PER_WAVE
        self._low = np.asarray(low[::-1], float)
        extent = np.asarray(high[::-1], float) - self._low
        shape = tuple(int(n) for n in np.ceil(extent / self._step) + 2 * _MARGIN)
        spectrum = np.fft.rfftn(rng.standard_normal(shape))
        frequency = [np.fft.fftfreq(n) * _NODES_PER_WAVE for n in shape[:2]] + [np.fft.rfftfreq(shape[2]) * _NODES_PER_WAVE]
        ring = np.sqrt(sum(g**2 for g in np.meshgrid(*frequency, indexing="ij", sparse=True)))
        field = np.fft.irfftn(spectrum * np.exp(-(((ring - 1) / bandwidth) ** 2) / 2), s=shape, axes=(0, 1, 2))
        self._nodes: Array = (field / max(float(field.std()), 1e-9)).astype(np.float32)

    def at(self, x: Array, y: Array, z: Array) -> Array:
        """Values at points that broadcast to one shape, by linear interpolation; constant beyond the box."""
        low, step = self._low.astype(np.float32), self._step.astype(np.float32)
        nodes = [(p - low[n]) / step[n] + _MARGIN for n, p in enumerate((z, y, x))]
        stacked = np.stack(np.broadcast_arrays(*nodes))
        return np.asarray(ndimage.map_coordinates(self._nodes, stacked, order=1, mode="nearest", output=np.float32), np.float32)


def cells(rng: Generator, low: Point, high: Point, size: float, x: Array, y: Array, z: Array) -> Array:
    """Distance in mm to the nearest wall between random cells about `size` mm wide (a Voronoi foam), (k, j, i)."""
    extent = np.asarray(high) - np.asarray(low)
    count = max(4, int(np.prod(extent) / size**3))
    sites: NDArray[np.float64] = np.asarray(low) + rng.random((count, 3)) * extent
    shape = np.broadcast_shapes(x.shape, y.shape, z.shape)
    nearest, second = np.full(shape, np.inf, np.float32), np.full(shape, np.inf, np.float32)
    for a, b, c in sites.astype(np.float32):
        d = np.sqrt((x - a) ** 2 + (y - b) ** 2 + (z - c) ** 2)
        second = np.minimum(second, np.maximum(nearest, d))
        nearest = np.minimum(nearest, d)
    return np.asarray((second - nearest) / 2, np.float32)
