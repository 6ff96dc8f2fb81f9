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
from ctmri_core.inference.order import SMALLEST_PATCH, overlap_of
from ctmri_core.inference.precision import Plan, run_batch, too_large
from ctmri_core.preprocess.slice_grid import Slices


class SliceRunner:
    """`network` on the device of `plan`, float32 (n, c, h, w) in, (n, h, w) out.

    `batch`: pictures at a time; `patch`: edge of the squares in which slices are cut, None for whole ones; both become smaller
    for good when the device's memory does not suffice, and what was answered before stays. `overlap`: as `overlap_of` takes it;
    `multiple`: of which edges must be.
    """

    def __init__(
        self, network: nn.Module, plan: Plan, batch: int, *,
        patch: int | None = None, overlap: int | None = None, multiple: int = 4,
    ) -> None:  # fmt: skip
        self.network, self.plan = network, plan
        self.batch = max(batch, 1)
        self._overlap, self._multiple = overlap, multiple
        self.patch = None if patch is None else allowed_patch(patch, multiple)

    def estimated_bytes(self, shape: Sequence[int]) -> int:
        """That a batch takes, of slices of `shape`."""
        part = 1.0 if self.patch is None else min(self.patch**2 / (shape[0] * shape[1]), 1.0)
        return int(self.plan.bytes_per_slice * part * self.batch)

    def answers(self, slices: Slices, stop: StopSignal) -> Slices:
        """Raises `Stopped`, and `OutOfMemory` when not even the smallest patch fits."""
        with _stoppable(self.network, stop):
            while True:
                try:
                    cuts = self.patch is not None and max(slices.shape[2:]) > self.patch
                    return self._in_patches(slices, stop) if cuts else self._whole(slices)
                except OutOfMemory as failure:
                    if not self._shrinks(max(slices.shape[2:])):
                        raise too_large(slices.shape[2:], torch.device(self.plan.device)) from failure

    def _whole(self, pictures: Slices) -> Slices:
        """Halves the batch as often as needed. Raises `OutOfMemory` when a single picture does not fit."""
        device = torch.device(self.plan.device)
        answers: list[Slices] = []
        done = 0
        while done < len(pictures):
            part = pictures[done : done + self.batch]
            try:
                answers.append(run_batch(self.network, part, device))
            except OutOfMemory:
                self.batch = max(len(part) // 2, 1)
                if len(part) == 1:
                    raise
            else:
                done += len(part)
        return answers[0] if len(answers) == 1 else np.concatenate(answers)

    def _in_patches(self, slices: Slices, stop: StopSignal) -> Slices:
        """Each pixel is the mean of the patches that hold it, weighted by how far inside of them it lies."""
        assert self.patch is not None
        shape, overlap = slices.shape[2:], overlap_of(self.patch, self._overlap)
        sums = np.zeros((len(slices), *shape), np.float32)
        weights = np.zeros(shape, np.float32)
        for rows in _spans(shape[0], self.patch, overlap):
            for columns in _spans(shape[1], self.patch, overlap):
                if stop():
                    raise Stopped("Translation was stopped.")
                part = np.ascontiguousarray(slices[:, :, rows, columns])
                weight = _weights(rows, shape[0], overlap)[:, None] * _weights(columns, shape[1], overlap)
                sums[:, rows, columns] += weight * self._whole(part)
                weights[rows, columns] += weight
        sums /= weights
        return sums

    def _shrinks(self, edge: int) -> bool:
        """Whether there is a smaller patch to be tried; takes it."""
        before = min(self.patch or edge, edge)
        smaller = allowed_patch(before // 2, self._multiple)
        if smaller < SMALLEST_PATCH or smaller >= before:
            return False
        self.patch = smaller
        return True


def allowed_patch(patch: int, multiple: int) -> int:
    """The nearest edge, not larger where there is one, that the network takes."""
    return max(patch // multiple, 1) * multiple


def fitting_patch(bytes_per_slice: int, shape: Sequence[int], free: float) -> int | None:
    """The edge of the largest square whose share of a slice's memory is `free` bytes; None where that is no patch at all."""
    edge = int(np.sqrt(free / max(bytes_per_slice, 1) * shape[0] * shape[1]))
    return edge if edge >= SMALLEST_PATCH else None


def _spans(size: int, patch: int, overlap: int) -> list[slice]:
    """As few as cover `size`, evenly spread, overlapping by at least so much."""
    if size <= patch:
        return [slice(0, size)]
    count = -(-(size - overlap) // (patch - overlap))
    starts = (round(n * (size - patch) / (count - 1)) for n in range(count))
    return [slice(start, start + patch) for start in starts]


def _weights(span: slice, size: int, overlap: int) -> NDArray[np.float32]:
    return _ramps(span.stop - span.start, overlap, span.start > 0, span.stop < size)


@cache
def _ramps(size: int, overlap: int, falls_before: bool, falls_behind: bool) -> NDArray[np.float32]:
    """(size,): 1, falling over `overlap` pixels towards an end that is none of the slice: there the network sees an edge that is
    not there, so that the outermost quarter of the overlap counts for nothing, as its neighbour answers it."""
    place = np.arange(size, dtype=np.float32)
    weights = np.ones(size, np.float32)
    unseen = overlap // 4
    for falls, distance in ((falls_before, place), (falls_behind, place[::-1])):
        if falls:
            weights *= np.clip((distance + 1 - unseen) / (overlap - 2 * unseen + 1), 0, 1)
    return weights


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
