"""Windows: what grey range is shown, what names it has, and with which a volume opens."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ctmri_core.domain import Domain
from ctmri_core.preprocess.body_mask import coarse_body_mask
from ctmri_core.preprocess.mr_range import body_range
from ctmri_core.volume import Volume

_NARROWEST = 1e-3


@dataclass(frozen=True)
class Window:
    """Centre (level) and width in the volume's unit."""

    centre: float
    width: float

    def levels(self, *, dicom: bool) -> tuple[float, float]:
        """Values shown black and white. DICOM sources follow the LINEAR function (PS3.3 C.11.2.1.2.1: W - 1, L - 0.5)."""
        if dicom and self.width > 1:
            half = (self.width - 1) / 2
            return self.centre - 0.5 - half, self.centre - 0.5 + half
        return self.centre - self.width / 2, self.centre + self.width / 2

    def dragged(self, right: float, up: float) -> Window:
        """After a drag of so many pixels: right widens, up brightens (lower level), in proportion to the present width."""
        gain = self.width / 300
        return Window(self.centre - up * gain, max(self.width + right * gain, _NARROWEST))

    @property
    def label(self) -> str:
        digits = 0 if self.width >= 20 else 2
        return f"W {self.width:.{digits}f}  L {self.centre:.{digits}f}"


@dataclass(frozen=True)
class Preset:
    """A named window. `window` is fixed (CT), else `percentiles` of the body are taken (MR), else the truth's.

    `key`: the number key that applies it, empty for none. `stored`: it is one of those that the volume's file offers.
    """

    name: str
    window: Window | None = None
    percentiles: tuple[float, float] | None = None
    matches_truth: bool = False
    key: str = ""
    stored: bool = False

    @property
    def id(self) -> str:
        """By which it is applied: unique among the presets of a volume."""
        return f"stored {self.name}" if self.stored else self.key or self.name

    @property
    def words(self) -> str:
        """What it shows: `W 80  L 40`, `2 to 98 % of the body`."""
        if self.window is not None:
            return self.window.label
        return f"{self.percentiles[0]:g} to {self.percentiles[1]:g} % of the body" if self.percentiles else "the truth's window"


_BRAIN = Window(40, 80)
_HEAD_MM = (120.0, 220.0)
_COARSE_MM = 4.0
_CUT_SHARE = 0.2


def first_window(volume: Volume) -> Window:
    """How a volume is shown when it opens: as its file says, else brain for the CT of a head and soft tissue for another,
    else the robust automatic window."""
    if volume.window is not None and volume.window[1] > 0:
        return Window(*volume.window)
    if volume.domain is Domain.CT:
        return _BRAIN if _is_head(volume) else Window(40, 400)
    return percentile_window(volume, 0.5, 99.5)


def percentile_window(volume: Volume, low: float, high: float) -> Window:
    """From the `low` to the `high` percentile of the body's voxels."""
    bottom, top = body_range(volume, percentiles=(low, high))
    return Window((bottom + top) / 2, top - bottom)


def _is_head(volume: Volume) -> bool:
    """Whether the body is as wide from right to left as a head is, on most of its axial slices.

    Only where both sides of it are in the picture: a cut-out of a trunk may be as narrow.
    """
    mask, grid = coarse_body_mask(volume, _COARSE_MM)
    across = int(np.argmax(np.abs(grid.axes[:, 0])))
    along = int(np.argmax(np.abs(grid.axes[:, 2])))
    if along == across:
        return False
    body = mask.transpose(along, across, 3 - along - across)
    seen: NDArray[np.bool_] = np.asarray(body.any(axis=2))  # (axial slices, right to left)
    seen = seen[seen.any(axis=1)]
    if not len(seen) or seen[:, (0, -1)].any(axis=1).mean() > _CUT_SHARE:
        return False
    first, last = seen.argmax(axis=1), seen.shape[1] - seen[:, ::-1].argmax(axis=1)
    width = float(np.percentile(last - first, 75)) * grid.spacing[across]
    return _HEAD_MM[0] <= width <= _HEAD_MM[1]
