"""Runs prepared slices through a network as the memory allows: in batches, in overlapping patches, smaller ones when it fails."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from ctmri_core.errors import OutOfMemory, Stopped
from ctmri_core.events import StopSignal
from ctmri_core.inference.order import SMALLEST_PATCH
from ctmri_core.inference.precision import Plan, run_batch
from ctmri_core.preprocess.slice_grid import Slices


class SliceRunner:
    """`network` on the device of `plan`, float32 (n, c, h, w) in, (n, h, w) out.

    `batch`: pictures at a time; `patch`: edge of the squares in which slices are cut, None for whole ones; both become smaller
    for good when the device's memory does not suffice, and what was answered before stays. `multiple`: of which edges must be.
    """

    def __init__(
        self, network: nn.Module, plan: Plan, batch: int, *, patch: int | None = None, overlap: int = 32, multiple: int = 4
    ) -> None:
        self.network, self.plan = network, plan
        self.batch = max(batch, 1)
        self.overlap, self._multiple = overlap, multiple
        self.patch = None if patch is None else self._allowed(patch)

    def answers(self, slices: Slices, stop: StopSignal) -> Slices:
        """Raises `Stopped`, and `OutOfMemory` when not even the smallest patch fits."""
        while True:
            try:
                with _stoppable(self.network, stop):
                    return self._in_patches(slices, stop) if self._cuts(slices) else self._whole(slices)
            except OutOfMemory:
                self._shrink(max(slices.shape[2:]))

    def _whole(self, pictures: Slices) -> Slices:
        device = torch.device(self.plan.device)
        parts = [run_batch(self.network, pictures[n : n + self.batch], device) for n in range(0, len(pictures), self.batch)]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _in_patches(self, slices: Slices, stop: StopSignal) -> Slices:
        """Each pixel is the mean of the patches that hold it, weighted by how far inside of them it lies."""
        assert self.patch is not None
        sums = np.zeros((len(slices), *slices.shape[2:]), np.float32)
        weights = np.zeros(slices.shape[2:], np.float32)
        for rows, columns in _places(slices.shape[2:], self.patch, self.overlap):
            if stop():
                raise Stopped("Translation was stopped.")
            part = np.ascontiguousarray(slices[:, :, rows, columns])
            weight = _ramp(part.shape[2], self.overlap)[:, None] * _ramp(part.shape[3], self.overlap)
            sums[:, rows, columns] += weight * self._whole(part)
            weights[rows, columns] += weight
        sums /= weights
        return sums

    def _cuts(self, slices: Slices) -> bool:
        return self.patch is not None and max(slices.shape[2:]) > self.patch

    def _shrink(self, edge: int) -> None:
        """Raises the `OutOfMemory` that is being handled when nothing smaller is left; `run_batch` has tried one at a time."""
        self.batch = 1
        smaller = self._allowed((self.patch or edge) // 2)
        if smaller < SMALLEST_PATCH or smaller >= (self.patch or edge):
            raise  # called while the failure is handled
        self.patch = smaller
        self.overlap = min(self.overlap, smaller // 4)

    def _allowed(self, patch: int) -> int:
        """The nearest edge, not larger where there is one, that the network takes."""
        return max(patch // self._multiple, 1) * self._multiple


def fitting_patch(bytes_per_slice: int, shape: Sequence[int], free: float) -> int | None:
    """The edge of the largest square whose share of a slice's memory is `free` bytes; None where that is no patch at all."""
    edge = int(np.sqrt(free / max(bytes_per_slice, 1) * shape[0] * shape[1]))
    return edge if edge >= SMALLEST_PATCH else None


def _places(shape: Sequence[int], patch: int, overlap: int) -> Iterator[tuple[slice, slice]]:
    rows, columns = (_starts(size, patch, overlap) for size in shape)
    return ((slice(r, r + patch), slice(c, c + patch)) for r in rows for c in columns)


def _starts(size: int, patch: int, overlap: int) -> list[int]:
    """As few as cover `size`, evenly spread, overlapping by at least so much."""
    if size <= patch:
        return [0]
    count = -(-(size - overlap) // (patch - overlap))
    return [round(n * (size - patch) / (count - 1)) for n in range(count)]


@cache
def _ramp(size: int, overlap: int) -> NDArray[np.float32]:
    """(size,): 1 inside, falling over `overlap` pixels towards either end, and nowhere 0."""
    inside = np.arange(1, size + 1, dtype=np.float32)
    return np.minimum(1.0, np.minimum(inside, inside[::-1]) / (overlap + 1)).astype(np.float32)


@contextmanager
def _stoppable(network: nn.Module, stop: StopSignal) -> Iterator[None]:
    """Asks `stop` before every layer: one slice alone may take seconds on a CPU."""

    def check(*_: object) -> None:
        if stop():
            raise Stopped("Translation was stopped.")

    layers = [module for module in network.modules() if isinstance(module, nn.Conv2d | nn.ConvTranspose2d)]
    hooks = [layer.register_forward_pre_hook(check) for layer in layers]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
