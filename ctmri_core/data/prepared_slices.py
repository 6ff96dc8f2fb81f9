"""Prepared slices on disk, memory-mapped, in an order that follows from the seed alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ctmri_core.data.augmentation import Augmentation
from ctmri_core.domain import Domain
from ctmri_core.errors import FileRefused
from ctmri_core.method import SliceBatch
from ctmri_core.preprocess.recipe import Recipe
from ctmri_core.preprocess.slice_context import neighbours, stride_for

_AIR = -1.0
_MOST_MAPPED = 256
"""Files mapped at a time: each holds a file number, of which some systems give a process no more than 1024."""
Place = tuple[int, int]
"""A case and a slice of it."""


@dataclass(frozen=True)
class PreparedCase:
    """One patient's slices: a `.npy` file, float16 (n, len(domains) + 1, h, w), pictures in [-1, 1] and the body, 0 or 1.

    Of `Domain.MASK` numbers of labels. float16 is good for 2**-12 near the ends of the range: 0.4 HU on the linear range, 2.4 HU
    in bone and air on the soft tissue curve. `backgrounds`: what stands beside a picture, by domain; none means -1. `chosen`: the
    slices that count, None for all; the others are neighbours of these. `slice_mm`: how far slices are apart, None where nobody
    knows. `pictures`: what n must be.
    """

    file: Path
    domains: tuple[Domain, ...]
    backgrounds: tuple[float, ...] = ()
    chosen: tuple[int, ...] | None = None
    slice_mm: float | None = None
    pictures: int | None = None

    def mapped(self) -> NDArray[Any]:
        """The file's content, mapped into memory. Raises `FileRefused` when it is not as it was written."""
        try:
            slices: NDArray[Any] = np.load(self.file, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise FileRefused(self.file, "is missing or damaged.", "Prepare the data again.") from error
        expected = (len(slices) if self.pictures is None else self.pictures, len(self.domains) + 1)
        if slices.ndim != 4 or slices.dtype != np.float16 or slices.shape[:2] != expected:
            raise FileRefused(self.file, "does not hold what the index says.", "Prepare the data again.")
        return slices

    def unpacked(self, *domains: Domain) -> tuple[NDArray[Any], ...]:
        """(n, h, w) of each of `domains` and of the body, mapped into memory. Raises `FileRefused`."""
        slices = self.mapped()
        channels = (*(self.domains.index(domain) for domain in domains), len(self.domains))
        return tuple(slices[:, channel] for channel in channels)

    def spacing(self, recipe: Recipe) -> tuple[float, float, float]:
        """mm between slices, rows and columns; 1 where nobody knows."""
        edge = recipe.spacing_mm or 1.0
        return self.slice_mm or recipe.slice_mm or 1.0, edge, edge


class PreparedSlices:
    """Slices of several cases. Nothing is read before it is asked for.

    `domains`: of the batches, the source first. `paired`: batches show one place in all domains, and only cases that have them
    all are counted; else each domain is drawn by itself. `context`: how many neighbouring slices of the source a batch holds.
    `slice_mm`: how far apart, as nearly as a case has them; None takes the next ones. `multiple`: of height and width of whole
    slices, which are padded to it. Raises `FileRefused` for a file that is damaged.
    """

    def __init__(
        self, cases: Sequence[PreparedCase], domains: Sequence[Domain],
        *, paired: bool = True, context: int = 1, multiple: int = 1, slice_mm: float | None = None,
    ) -> None:  # fmt: skip
        self.cases = tuple(cases)
        self.domains = tuple(domains)
        self.paired = paired
        self.context = context
        self.multiple = multiple
        self._strides = [stride_for(slice_mm, case.slice_mm) for case in self.cases]
        self._slices = lru_cache(_MOST_MAPPED)(lambda number: self.cases[number].mapped())
        self._shapes = [self._slices(number).shape for number in range(len(self.cases))]
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

    def shapes(self, domain: Domain) -> list[tuple[int, int]]:
        """(rows, columns) of the slices of each case that is drawn from when a batch shows `domain`."""
        cases = {number for number, _ in self._drawn[domain]}
        return [self._shapes[number][2:] for number in sorted(cases)]

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
            return replace(_batch(self.domains, np.stack(placed), self.context), epoch=epoch, step=step)
        parts = {}
        for number, domain in enumerate(self.domains):
            places = self._drawn[domain]
            chosen = self._chosen(places, [seed, epoch, number], start, stop)
            placed = [self._augmented(index, places[index], (domain,), augmentation, seed, epoch) for index in chosen]
            parts[domain] = _batch((domain,), np.stack(placed), 1)
        return replace(_joined(parts), epoch=epoch, step=step)

    def whole_batches(self, indices: Sequence[int], batch_size: int) -> Iterator[SliceBatch]:
        """The named pairs, uncropped and in order; a batch holds slices of one size only."""
        waiting: list[NDArray[Any]] = []
        for index in indices:
            planes = self._padded(self._complete[index], self.domains)
            if waiting and (len(waiting) == batch_size or waiting[0].shape != planes.shape):
                yield _batch(self.domains, np.stack(waiting), self.context)
                waiting = []
            waiting.append(planes)
        if waiting:
            yield _batch(self.domains, np.stack(waiting), self.context)

    def count(self, domain: Domain) -> int:
        """How many slices show `domain`, whatever else they show."""
        return len(self._places((domain,)))

    def single_batches(self, domain: Domain, indices: Sequence[int]) -> Iterator[SliceBatch]:
        """The named ones among the slices that show `domain`, uncropped, one by one and in that domain alone."""
        places = self._places((domain,))
        for index in indices:
            context = self.context if domain is self.domains[0] else 1
            yield _batch((domain,), self._padded(places[index], (domain,))[None], context)

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
        slices = self._slices(case)
        own: NDArray[np.float16] = slices[n]
        planes = own[[*channels, len(self.cases[case].domains)]]
        if self.context == 1:
            return planes
        beside = neighbours(n, n + 1, self.context, len(slices), self._strides[case])[0]
        return np.concatenate([planes, slices[beside, channels[0]]])

    def _padded(self, place: Place, domains: Sequence[Domain]) -> NDArray[Any]:
        """`planes` with background around them up to a multiple of `multiple`, as a recipe pads."""
        planes = self.planes(place, domains)
        wanted = [-(-n // self.multiple) * self.multiple for n in planes.shape[1:]]
        if tuple(wanted) == planes.shape[1:]:
            return planes
        result = np.empty((len(planes), *wanted), planes.dtype)
        result[:] = self._outside(place, domains, len(planes))[:, None, None]
        top, left = ((new - old) // 2 for new, old in zip(wanted, planes.shape[1:], strict=True))
        result[:, top : top + planes.shape[1], left : left + planes.shape[2]] = planes
        return result

    def _outside(self, place: Place, domains: Sequence[Domain], count: int) -> NDArray[np.float32]:
        """What stands beside each of the `count` planes of a place: no body, and the background of its domain."""
        case = self.cases[place[0]]
        known = dict(zip(case.domains, case.backgrounds, strict=False))
        outside = np.full(count, known.get(domains[0], _AIR), np.float32)  # of the source: its neighbours come last
        outside[: len(domains)] = [known.get(domain, _AIR) for domain in domains]
        outside[len(domains)] = 0.0
        return outside

    def _places(self, domains: Sequence[Domain]) -> list[Place]:
        """Of all slices of the cases that have `domains`."""
        held = [(number, case) for number, case in enumerate(self.cases) if set(domains) <= set(case.domains)]
        return [
            (number, n)
            for number, case in held
            for n in (range(self._shapes[number][0]) if case.chosen is None else case.chosen)
        ]

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
        outside = self._outside(place, domains, len(planes))
        random = np.random.default_rng([seed, epoch, index, *(() if self.paired else (self.domains.index(domains[0]),))])
        mr = [n for n, domain in enumerate(domains) if domain.is_mr]
        if domains[0].is_mr:
            mr += range(body + 1, len(planes))  # its neighbours
        masks = (body, *(n for n, domain in enumerate(domains) if domain is Domain.MASK))
        return augmentation.draw(random, planes[body] > 0).apply(planes, outside, mr, masks)


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
