"""Prepared pairs of slices on disk, memory-mapped, in an order that follows from the seed alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ctmri_core.data.augmentation import Augmentation
from ctmri_core.method import PairedBatch

SOURCE, TARGET, MASK = range(3)
_OUTSIDE = np.array([-1.0, -1.0, 0.0], np.float32)


class PairedSlices:
    """Slices of several cases.

    `files`: one `.npy` per case, float16 (n, 3, h, w): source and target in [-1, 1], mask 0 or 1. float16 is good for
    2**-11 of the range, less than one HU. Nothing is read before it is asked for.
    """

    def __init__(self, files: Sequence[Path]) -> None:
        self.files = tuple(files)
        self._cases: list[NDArray[Any]] = [np.load(path, mmap_mode="r", allow_pickle=False) for path in self.files]
        self._places = [(case, n) for case, slices in enumerate(self._cases) for n in range(len(slices))]

    def __len__(self) -> int:
        return len(self._places)

    def planes(self, index: int) -> NDArray[np.float16]:
        """(3, h, w): source, target, mask of one slice."""
        case, n = self._places[index]
        result: NDArray[np.float16] = self._cases[case][n]
        return result

    def steps_per_epoch(self, batch_size: int) -> int:
        """Full batches in one pass; one incomplete batch when there are too few slices for any."""
        return max(len(self) // batch_size, 1)

    def training_batch(self, step: int, batch_size: int, augmentation: Augmentation, seed: int) -> PairedBatch:
        """The batch of the `step`-th training step, counted from 0 over all epochs: a pure function of its arguments.

        Every epoch shuffles anew; every slice is cropped and mirrored anew.
        """
        epoch, position = divmod(step, self.steps_per_epoch(batch_size))
        order = np.random.default_rng([seed, epoch]).permutation(len(self))
        pictures = []
        for index in order[position * batch_size : (position + 1) * batch_size]:
            planes = self.planes(index)
            random = np.random.default_rng([seed, epoch, int(index)])
            pictures.append(augmentation.draw(random, planes[MASK] > 0).apply(planes, _OUTSIDE))
        return _batch(np.stack(pictures))

    def whole_batches(self, indices: Sequence[int], batch_size: int) -> Iterator[PairedBatch]:
        """The named slices, uncropped and in order; a batch holds slices of one size only."""
        waiting: list[NDArray[np.float16]] = []
        for index in indices:
            planes = self.planes(index)
            if waiting and (len(waiting) == batch_size or waiting[0].shape != planes.shape):
                yield _batch(np.stack(waiting))
                waiting = []
            waiting.append(planes)
        if waiting:
            yield _batch(np.stack(waiting))

    def evenly_spaced(self, count: int) -> list[int]:
        """At most `count` indices spread over all slices."""
        return sorted({int(n) for n in np.linspace(0, len(self) - 1, min(count, len(self))).round()})


def _batch(pictures: NDArray[Any]) -> PairedBatch:
    tensor = torch.from_numpy(np.ascontiguousarray(pictures.transpose(1, 0, 2, 3), np.float32))[:, :, None]
    return PairedBatch(tensor[SOURCE], tensor[TARGET], tensor[MASK])
