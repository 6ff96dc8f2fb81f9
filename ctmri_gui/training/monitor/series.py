"""The numbers of one curve as arrays that grow, raw and smoothed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ctmri_core.training.run_record import Curve

Values = NDArray[np.float64]
_FIRST_ROOM = 1024
_LONGEST_BLOCK, _SMALLEST_SHARE = 4096, 1e-100


class Series:
    """Follows a `Curve`: takes over only what is new of it. `smoothing`: 0 for none, below 1."""

    def __init__(self, smoothing: float = 0.0) -> None:
        self._room = np.empty((3, _FIRST_ROOM))
        self._count = 0
        self._mean = Mean(smoothing)

    @property
    def x(self) -> Values:
        return self._room[0, : self._count]

    @property
    def raw(self) -> Values:
        return self._room[1, : self._count]

    @property
    def smooth(self) -> Values:
        return self._room[2, : self._count]

    def set_smoothing(self, smoothing: float) -> None:
        if smoothing == self._mean.smoothing:
            return
        self._mean = Mean(smoothing)
        self._room[2, : self._count] = self._mean.of(self.raw)

    def take(self, curve: Curve) -> bool:
        """Whether anything was new."""
        had, there = self._count, len(curve.iterations)
        if had and (there < had or not self._knows(curve, had - 1)):
            had = self._count = 0  # a run that was resumed says a part of it anew
            self._mean = Mean(self._mean.smoothing)
        if there == had:
            return False
        while there > self._room.shape[1]:
            self._room = np.concatenate((self._room, np.empty_like(self._room)), axis=1)
        self._room[0, had:there] = curve.iterations[had:there]
        self._room[1, had:there] = curve.values[had:there]
        self._room[2, had:there] = self._mean.of(self._room[1, had:there])
        self._count = there
        return True

    def _knows(self, curve: Curve, place: int) -> bool:
        """Whether the point at `place` is the one that was taken."""
        said = (curve.iterations[place], curve.values[place])
        return np.array_equal(self._room[:2, place], np.array(said), equal_nan=True)

    def at(self, x: float) -> float | None:
        """The smoothed value at the point nearest to `x`; None without any, or far outside."""
        if not self._count:
            return None
        after = int(np.clip(np.searchsorted(self.x, x), 0, self._count - 1))
        before = max(after - 1, 0)
        nearest = before if abs(self.x[before] - x) <= abs(self.x[after] - x) else after
        return float(self.smooth[nearest])

    def last(self) -> float | None:
        return float(self.smooth[-1]) if self._count else None

    def shown(self, values: Values, *, log: bool) -> tuple[Values, Values]:
        """(x, values) where they can be drawn: finite, on a logarithmic scale above 0 too."""
        there = np.isfinite(values)
        if log:
            there &= values > 0
        return (self.x, values) if there.all() else (self.x[there], values[there])


class Mean:
    """The exponential running mean s * before + (1 - s) * value, free of the pull to 0 at its start (Kingma and Ba 2015, 3).

    Values that are no numbers stay what they are and leave the mean alone.
    """

    def __init__(self, smoothing: float) -> None:
        if not 0 <= smoothing < 1:
            raise ValueError(f"smoothing must be from 0 to below 1, not {smoothing}")
        self.smoothing = smoothing
        self._sum = 0.0
        self._weight = 0.0

    def of(self, values: Values) -> Values:
        """The mean after each of `values`, which follow those given before."""
        finite = np.isfinite(values)
        result = np.array(values, dtype=np.float64)
        if self.smoothing > 0:
            known, length = result[finite], self._block_length
            blocks = [self._block(known[at : at + length]) for at in range(0, len(known), length)]
            result[finite] = np.concatenate(blocks or [known])
        return result

    @property
    def _block_length(self) -> int:
        """Short enough that powers of the smoothing stay far from what cannot be represented."""
        return int(min(np.log(_SMALLEST_SHARE) / np.log(self.smoothing), _LONGEST_BLOCK))

    def _block(self, values: Values) -> Values:
        share = self.smoothing ** np.arange(1, len(values) + 1)
        sums = share * (self._sum + (1 - self.smoothing) * np.cumsum(values / share))
        weights = 1 - share * (1 - self._weight)
        self._sum, self._weight = float(sums[-1]), float(weights[-1])
        return np.asarray(sums / weights)
