"""One curve of a plot: the numbers themselves, and their running mean over them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ctmri_gui.training.monitor.curve_kinds import DASHES, pen
from ctmri_gui.training.monitor.series import Series
from ctmri_gui.viewer.palette import scaled

_WIDTH = 2.0
_FEW = 40


class Line:
    """In the plot `item` of pyqtgraph. Smoothed, the numbers stay behind faintly.

    Qt takes a second to stroke a dashed line that is wider than one pixel, so the dashes of the mean are gaps in its points, of
    which there is one for each column of pixels.
    """

    def __init__(self, item: Any, place: int, palette: str) -> None:
        self._item, self._place, self._palette = item, place, palette
        self._smoothed = self._few = False
        self._mean: tuple[NDArray[np.float64], NDArray[np.float64]] = (np.empty(0), np.empty(0))
        self._raw = item.plot(skipFiniteCheck=True)
        self._raw.opts["autoDownsampleFactor"] = 1.0  # highest and lowest of each column of pixels, no more
        self._over = item.plot(skipFiniteCheck=True)
        self._over.setDownsampling(auto=False, ds=1)
        self._over.setClipToView(False)
        self._over.setZValue(1)
        item.getViewBox().removeItem(self._over)
        item.getViewBox().addItem(self._over, ignoreBounds=True)
        self.dress(palette)

    def remove(self) -> None:
        for part in (self._raw, self._over):
            self._item.removeItem(part)

    def dress(self, palette: str) -> None:
        self._palette = palette
        strong = pen(self._place, palette, width=_WIDTH if self._few else 1.0)
        self._raw.setPen(pen(self._place, palette, faint=True) if self._smoothed else strong)
        self._raw.setSymbolBrush(strong.color())
        self._over.setPen(pen(self._place, palette, width=_WIDTH, solid=True))

    def draw(self, series: Series, *, smoothed: bool, log: bool) -> None:
        """Points are marked where there are few."""
        few = len(series.x) < _FEW and not smoothed
        if (few, smoothed) != (self._few, self._smoothed):
            self._few, self._smoothed = few, smoothed
            self._raw.setSymbol("ostd+"[self._place % 5] if few else None)
            self._raw.setSymbolSize(scaled(7))
            self._raw.setSymbolPen(None)
            self.dress(self._palette)
        self._raw.setData(*series.shown(series.raw, log=log))
        self._mean = series.shown(series.smooth, log=log) if smoothed else (np.empty(0), np.empty(0))

    def fit(self, box: Any) -> None:
        """The running mean for what `box` shows."""
        x, y = self._mean
        (left, right), columns = box.viewRange()[0], max(int(box.width()), 2)
        if not len(x) or right <= x[0] or left >= x[-1]:
            self._over.setData([], [])
            return
        step = (right - left) / columns
        first, last = max(left, float(x[0])), min(right, float(x[-1]))
        at = np.linspace(first, last, max(int((last - first) / step), 2))
        dashes = np.array(DASHES[self._place % len(DASHES)])
        place = np.round((at - at[0]) / step).astype(np.int64) % len(dashes)
        self._over.setData(at, np.interp(at, x, y), connect=dashes[place].astype(np.int32))
