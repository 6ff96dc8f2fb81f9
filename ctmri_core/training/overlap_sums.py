"""How far what a method outlines is what was drawn, over many slices."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ctmri_core.data.label_values import UNDECIDED
from ctmri_core.domain import Direction
from ctmri_core.training.scores import Scores


def found_labels(sure: NDArray[np.float32]) -> NDArray[np.uint8]:
    """(n, labels, h, w) in [-1, 1], -1 surely not -> (n, h, w): the surest label, 0 where none is surer than the background.

    How sure the background is, is what the labels leave of one; values that are no numbers are sure of nothing.
    """
    shares = (np.nan_to_num(sure, nan=-1.0) + 1) / 2
    best = shares.max(1)
    found: NDArray[np.uint8] = np.where(best > 1 - shares.sum(1), shares.argmax(1) + 1, 0).astype(np.uint8)
    return found


class OverlapSums:
    """Voxels of each label that were found, were drawn, and both, over all slices. A single label is all that is drawn."""

    def __init__(self) -> None:
        self._both = self._found = self._drawn = np.zeros(0)

    def add(self, sure: NDArray[np.float32], drawn: NDArray[np.float32], body: NDArray[np.bool_]) -> None:  # noqa: ARG002  # as ScoreSums
        """(n, labels, h, w) in [-1, 1]; numbers of labels (n, 1, h, w); where the body is, which does not count."""
        labels = sure.shape[1]
        if not len(self._both):
            self._both, self._found, self._drawn = np.zeros((3, labels))
        found, truth = found_labels(sure), drawn[:, 0]
        counted = truth != UNDECIDED
        truth = np.minimum(truth, 1) if labels == 1 else truth
        for number in range(1, labels + 1):
            one, other = (found == number) & counted, (truth == number) & counted
            self._both[number - 1] += np.count_nonzero(one & other)
            self._found[number - 1] += np.count_nonzero(one)
            self._drawn[number - 1] += np.count_nonzero(other)

    def scores(self, direction: Direction) -> Scores:  # noqa: ARG002  # as ScoreSums
        """`dice` and `iou`, means over the labels that were found or drawn, and of several labels each by its number."""
        size = self._found + self._drawn
        there = size > 0
        dice = 2 * self._both[there] / size[there]
        iou = self._both[there] / (size - self._both)[there]
        metrics = {"dice": float(dice.mean()) if dice.size else 0.0, "iou": float(iou.mean()) if iou.size else 0.0}
        if len(self._both) > 1:
            metrics |= {f"label_{n + 1}_dice": float(value) for n, value in zip(np.flatnonzero(there), dice, strict=True)}
        return Scores(metrics, None)
