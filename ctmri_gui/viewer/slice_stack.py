"""Where a pane's pictures come from: the volume's own slices, or a volume sampled on another volume's slices."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from threading import Lock
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ctmri_core.geometry import FloatArray, Geometry
from ctmri_core.preprocess.resample import sample_plane
from ctmri_core.volume import Volume
from ctmri_gui.viewer.background import Background
from ctmri_gui.viewer.displayed_grid import DisplayedGrid
from ctmri_gui.viewer.plane_grids import Order
from ctmri_gui.viewer.screen_layout import position_text

_KEPT = 48
_AHEAD = 8
_FINEST_SAMPLES = 1024
_PARALLEL = np.cos(np.deg2rad(5.0))


class SliceStack(Protocol):
    """Pictures of one volume, slice by slice of the displayed grid."""

    def picture(self, k: int) -> NDArray[Any] | None:
        """(j, i) at slice `k`; None while the first one is being made."""

    def position_label(self, k: int) -> str:
        """`S 12.1 mm · 41/180`: where the displayed slice lies, and its number; `≈` before that of the volume's nearest one."""

    def reaches(self, k: int) -> bool:
        """Whether anything of the volume can lie on slice `k`."""

    def serves(self, volume: Volume, grid: Geometry, *, exactly: bool = False) -> bool:
        """Whether the pictures are of this volume on this grid. `exactly`: on the voxels of the grid themselves, and not a
        number outside the volume."""

    def close(self) -> None:
        """No more pictures are wanted."""


class OwnSlices:
    """A volume whose own voxels lie on the displayed grid: nothing is computed. `order`: of its array axes there."""

    def __init__(self, volume: Volume, grid: Geometry, order: Order = (0, 1, 2)) -> None:
        self._volume, self._grid, self._voxels = volume, grid, volume.voxels.transpose(order)

    def serves(self, volume: Volume, grid: Geometry, *, exactly: bool = False) -> bool:  # noqa: ARG002  # they always are exact
        return self._volume is volume and self._grid is grid

    def picture(self, k: int) -> NDArray[Any]:
        slice_: NDArray[Any] = self._voxels[k]
        return slice_

    def position_label(self, k: int) -> str:
        return f"{position_text(self._grid, k)} · {k + 1}/{self._grid.shape[0]}"

    def reaches(self, _k: int) -> bool:
        return True

    def close(self) -> None:
        """Nothing to end."""


class SampledSlices:
    """`volume` sampled (trilinear) on the slices of `grid`, at its own resolution where that is finer; or `exactly` on the
    voxels of the grid, and not a number outside the volume.

    The slices around the last one asked for are made ahead on one thread. Only the very first picture, which may have to
    wait for compilation, is made there alone: `picture` returns None until `ready` is called, in the interface thread.
    Replace the object when the volume or the grid changes, and close the old one: its answers then go nowhere.
    """

    def __init__(self, volume: Volume, grid: Geometry, ready: Callable[[], None], *, exactly: bool = False) -> None:
        self._volume, self._grid, self._ready, self._exactly = volume, grid, ready, exactly
        self._sampler = _Sampler(volume, grid, exactly)
        self._first, self._last = box_in(volume.geometry, grid)
        ends = np.asarray(grid.shape) - 0.5
        self._beside = bool((self._first[1:] < ends[1:]).all() and (self._last[1:] > -0.5).all())
        self._warm = self._started = False
        self._maker = Background("slices")
        self._queued: set[int] = set()

    def serves(self, volume: Volume, grid: Geometry, *, exactly: bool = False) -> bool:
        return self._volume is volume and self._grid is grid and self._exactly is exactly

    def picture(self, k: int) -> NDArray[np.float32] | None:
        direction = -1 if k < self._sampler.wanted else 1
        self._sampler.wanted = k
        if not self._warm:
            if not self._started:
                self._started = True
                self._maker.submit(self._sampler.make_wanted, self._warmed_up)
            return None
        found = self._sampler.picture(k)
        self._look_ahead(k, direction)
        return found

    def position_label(self, k: int) -> str:
        own = self._volume.geometry
        _, rows, columns = self._grid.shape
        middle = own.mm_to_index(self._grid.index_to_mm((k, (rows - 1) / 2, (columns - 1) / 2)))
        axis = int(np.argmax(np.abs(own.axes @ self._grid.axes[0])))
        if abs(own.axes[axis] @ self._grid.axes[0]) < _PARALLEL:
            return f"{position_text(self._grid, k)} · resliced"
        nearest, count = round(float(middle[axis])), own.shape[axis]
        if not 0 <= nearest < count:
            return f"{position_text(self._grid, k)} · outside"
        return f"{position_text(self._grid, k)} · ≈ {nearest + 1}/{count}"

    def reaches(self, k: int) -> bool:
        return bool(self._first[0] <= k <= self._last[0]) and self._beside

    def close(self) -> None:
        self._maker.close()

    def made(self, k: int) -> NDArray[np.float32] | None:
        """Slice `k` on the very voxels of the grid, where it has been made already; what lies outside the volume may hold any
        value."""
        return self._sampler.made(k)

    def _warmed_up(self, _made: object) -> None:
        self._warm = True
        self._ready()

    def _look_ahead(self, k: int, direction: int) -> None:
        for step in range(1, _AHEAD + 1):
            for neighbour in (k + direction * step, k - direction * step) if step == 1 else (k + direction * step,):
                inside = 0 <= neighbour < self._grid.shape[0]
                if inside and neighbour not in self._queued and not self._sampler.has(neighbour):
                    self._queued.add(neighbour)
                    self._maker.submit(partial(self._sampler.make_ahead, neighbour), self._queued.discard)


class _Sampler:
    """The pictures of `SampledSlices`, made in either thread. `wanted`: the slice last asked for."""

    def __init__(self, volume: Volume, grid: Geometry, exactly: bool) -> None:
        self._volume, self._grid = volume, grid
        self._finest, self._outside = (np.inf, np.nan) if exactly else (min(volume.geometry.spacing), volume.background)
        self._pictures: OrderedDict[int, NDArray[np.float32]] = OrderedDict()
        self._lock = Lock()
        self.wanted = 0

    def has(self, k: int) -> bool:
        return k in self._pictures

    def picture(self, k: int) -> NDArray[np.float32]:
        """The one that is there, else a new one."""
        with self._lock:
            found = self._pictures.get(k)
            if found is not None:
                self._pictures.move_to_end(k)
        return self._make(k) if found is None else found

    def made(self, k: int) -> NDArray[np.float32] | None:
        with self._lock:
            found = self._pictures.get(k)
        return found if found is not None and found.shape == self._grid.shape[1:] else None

    def make_wanted(self) -> None:
        self._make(self.wanted)

    def make_ahead(self, k: int) -> int:
        """Makes slice `k` unless it is there or far from what is shown by now; returns `k`."""
        if abs(k - self.wanted) <= _AHEAD and not self.has(k):
            self._make(k)
        return k

    def _make(self, k: int) -> NDArray[np.float32]:
        picture = sample_plane(self._volume, plane_through(self._grid, k, self._finest), self._outside)
        with self._lock:
            self._pictures[k] = picture
            while len(self._pictures) > _KEPT:
                self._pictures.popitem(last=False)
        return picture


def box_in(own: Geometry, grid: Geometry) -> tuple[FloatArray, FloatArray]:
    """The smallest and largest (k, j, i) of `grid` that `own`, voxel edges included, reaches."""
    ends = np.stack(np.meshgrid(*[(-0.5, n - 0.5) for n in own.shape], indexing="ij"), -1).reshape(8, 3)
    index = grid.mm_to_index(own.index_to_mm(ends))
    return index.min(axis=0), index.max(axis=0)


def plane_through(grid: Geometry, k: int, finest: float) -> Geometry:
    """Slice `k` of `grid` with the same outline, sampled no coarser than `grid` and down to `finest` mm where that helps."""
    _, height, width = grid.extent
    rows = max(grid.shape[1], min(round(height / finest), _FINEST_SAMPLES))
    columns = max(grid.shape[2], min(round(width / finest), _FINEST_SAMPLES))
    steps = (height / rows, width / columns)
    first = (k, 0.5 * steps[0] / grid.spacing[1] - 0.5, 0.5 * steps[1] / grid.spacing[2] - 0.5)
    x, y, z = grid.index_to_mm(first).tolist()
    return Geometry((1, rows, columns), (grid.spacing[0], *steps), (x, y, z), grid.direction)


def slices_of(
    volume: Volume, shown: DisplayedGrid, ready: Callable[[], None], *, exactly: bool = False
) -> OwnSlices | SampledSlices:
    """The volume's own slices when its voxels lie on those shown, else sampled ones, which call `ready` once the first can be
    had. `exactly`: as of `SliceStack.serves`."""
    order = shown.order or (0, 1, 2)
    own = volume.geometry if order == (0, 1, 2) else volume.geometry.permuted(order, (False, False, False))
    if shown.order is not None and own.is_close(shown.grid):
        return OwnSlices(volume, shown.grid, order)
    return SampledSlices(volume, shown.grid, ready, exactly=exactly)
