"""Prepared slices on disk, memory-mapped, in an order that follows from the seed alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ctmri_core.data.augmentation import Augmentation
from ctmri_core.domain import Domain
from ctmri_core.method import SliceBatch
from ctmri_core.preprocess.slice_context import neighbours

_AIR = -1.0
Place = tuple[int, int]
"""A case and a slice of it."""


@dataclass(frozen=True)
class PreparedCase:
    """One patient's slices: a `.npy` file, float16 (n, len(domains) + 1, h, w), pictures in [-1, 1] and the body, 0 or 1.

    float16 is good for 2**-11 of the range, less than one HU.
    """

    file: Path
    domains: tuple[Domain, ...]


class PreparedSlices:
    """Slices of several cases. Nothing is read before it is asked for.

    `domains`: of the batches, the source first. `paired`: batches show one place in all domains, and only cases that have them
    all are counted; else each domain is drawn by itself. `context`: how many neighbouring slices of the source a batch holds.
    """

    def __init__(
        self, cases: Sequence[PreparedCase], domains: Sequence[Domain], *, paired: bool = True, context: int = 1
    ) -> None:
        self.cases = tuple(cases)
        self.domains = tuple(domains)
        self.paired = paired
        self.context = context
        self._slices: list[NDArray[Any]] = [np.load(case.file, mmap_mode="r", allow_pickle=False) for case in self.cases]
        complete = self._places(self.domains)
        self._drawn = {domain: complete if paired else self._places((domain,)) for domain in self.domains}
        self._complete = complete

    @property
    def files(self) -> tuple[Path, ...]:
        return tuple(case.file for case in self.cases)

    @property
    def pairs(self) -> int:
        """How many slices show all domains at one place."""
        return len(self._complete)

    def __len__(self) -> int:
        """Slices in an epoch: of the domain that has most; none when a domain has none."""
        counts = [len(places) for places in self._drawn.values()]
        return max(counts) if all(counts) else 0

    def steps_per_epoch(self, batch_size: int) -> int:
        """Full batches in one pass; one incomplete batch when there are too few slices for any."""
        return max(len(self) // batch_size, 1)

    def training_batch(self, step: int, batch_size: int, augmentation: Augmentation, seed: int) -> SliceBatch:
        """The batch of the `step`-th training step, counted from 0 over all epochs: a pure function of its arguments.

        Every epoch shuffles anew; every slice is cropped and mirrored anew, the domains of a pair alike.
        """
        epoch, position = divmod(step, self.steps_per_epoch(batch_size))
        start, stop = position * batch_size, min((position + 1) * batch_size, len(self))
        if self.paired:
            chosen = self._chosen(self._complete, [seed, epoch], start, stop)
            placed = [self._augmented(index, self._complete[index], self.domains, augmentation, seed, epoch) for index in chosen]
            return replace(_batch(self.domains, np.stack(placed), self.context), epoch=epoch)
        parts = {}
        for number, domain in enumerate(self.domains):
            places = self._drawn[domain]
            chosen = self._chosen(places, [seed, epoch, number], start, stop)
            placed = [self._augmented(index, places[index], (domain,), augmentation, seed, epoch) for index in chosen]
            parts[domain] = _batch((domain,), np.stack(placed), 1)
        return replace(_joined(parts), epoch=epoch)

    def whole_batches(self, indices: Sequence[int], batch_size: int) -> Iterator[SliceBatch]:
        """The named pairs, uncropped and in order; a batch holds slices of one size only."""
        waiting: list[NDArray[np.float16]] = []
        for index in indices:
            planes = self.planes(self._complete[index], self.domains)
            if waiting and (len(waiting) == batch_size or waiting[0].shape != planes.shape):
                yield _batch(self.domains, np.stack(waiting), self.context)
                waiting = []
            waiting.append(planes)
        if waiting:
            yield _batch(self.domains, np.stack(waiting), self.context)

    def evenly_spaced(self, count: int) -> list[int]:
        """At most `count` indices spread over all pairs."""
        if not self._complete:
            return []
        return sorted({int(n) for n in np.linspace(0, self.pairs - 1, min(count, self.pairs)).round()})

    def planes(self, place: Place, domains: Sequence[Domain]) -> NDArray[np.float16]:
        """(c, h, w): pictures of `domains`, the mask, and with a context the neighbouring slices of the first domain.

        At the ends of a case the last slice stands for those that are not there.
        """
        case, n = place
        channels = [self.cases[case].domains.index(domain) for domain in domains]
        own: NDArray[np.float16] = self._slices[case][n]
        planes = own[[*channels, len(self.cases[case].domains)]]
        if self.context == 1:
            return planes
        beside = neighbours(n, n + 1, self.context, len(self._slices[case]))[0]
        return np.concatenate([planes, self._slices[case][beside, channels[0]]])

    def _places(self, domains: Sequence[Domain]) -> list[Place]:
        """Of all slices of the cases that have `domains`."""
        held = [(number, case) for number, case in enumerate(self.cases) if set(domains) <= set(case.domains)]
        return [(number, n) for number, _ in held for n in range(len(self._slices[number]))]

    @staticmethod
    def _chosen(places: Sequence[Place], key: Sequence[int], start: int, stop: int) -> list[int]:
        """Indices into `places`, shuffled; a domain with fewer slices than the epoch begins again."""
        order = np.random.default_rng(list(key)).permutation(len(places))
        return [int(order[position % len(places)]) for position in range(start, stop)]

    def _augmented(
        self, index: int, place: Place, domains: Sequence[Domain], augmentation: Augmentation, seed: int, epoch: int
    ) -> NDArray[np.float32]:
        planes = self.planes(place, domains)
        body = len(domains)
        outside = np.full(len(planes), _AIR, np.float32)
        outside[body] = 0.0
        random = np.random.default_rng([seed, epoch, index, *(() if self.paired else (self.domains.index(domains[0]),))])
        return augmentation.draw(random, planes[body] > 0).apply(planes, outside)


def _batch(domains: Sequence[Domain], pictures: NDArray[Any], context: int) -> SliceBatch:
    """(n, c, h, w) as `PreparedSlices.planes` lays them out."""
    tensor = torch.from_numpy(np.ascontiguousarray(pictures.transpose(1, 0, 2, 3), np.float32))[:, :, None]
    body = len(domains)
    masks = dict.fromkeys(domains, tensor[body])
    neighbours = tensor[body + 1 :, :, 0].transpose(0, 1).contiguous() if context > 1 else None
    return SliceBatch({domain: tensor[n] for n, domain in enumerate(domains)}, masks, neighbours)


def _joined(parts: Mapping[Domain, SliceBatch]) -> SliceBatch:
    pictures = {domain: part[domain] for domain, part in parts.items()}
    return SliceBatch(pictures, {domain: part.masks[domain] for domain, part in parts.items()})
