"""A few hundred slices that differ, in place of thousands that repeat each other."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ctmri_core.data.dataset import DatasetCase
from ctmri_core.domain import Domain

_EDGE = 12
"""Pixels along the edge of a thumbnail: position, outline and large structures."""


def thumbnail(planes: NDArray[Any]) -> NDArray[np.float32]:
    """(c, h, w) -> (c * 144,): means of blocks, whatever the size."""
    rows, columns = (np.linspace(0, n, _EDGE + 1).astype(int)[:-1] for n in planes.shape[1:])
    values = planes.astype(np.float32)
    if min(planes.shape[1:]) < _EDGE:
        return np.ascontiguousarray(np.resize(values, (len(planes), _EDGE, _EDGE))).reshape(-1)
    sums = np.add.reduceat(np.add.reduceat(values, rows, 1), columns, 2)
    areas = np.outer(np.diff([*rows, planes.shape[1]]), np.diff([*columns, planes.shape[2]]))
    result: NDArray[np.float32] = (sums / areas).astype(np.float32).reshape(-1)
    return result


def most_different(thumbnails: Sequence[NDArray[np.float32]], count: int, seed: int) -> list[int]:
    """Indices of `count` that lie farthest from each other, in order (Gonzalez 1985: next is always the one that is farthest
    from all that are chosen); the first by chance of `seed`. All where there are no more. The slice that is farthest from the
    nearest chosen one is at most twice as far as with the best choice of as many.
    """
    if count >= len(thumbnails):
        return list(range(len(thumbnails)))
    points = np.stack(thumbnails)
    lengths = np.einsum("ij,ij->i", points, points)
    chosen = [int(np.random.default_rng(seed).integers(len(points)))]
    distance = np.full(len(points), np.inf, np.float32)
    while len(chosen) < count:
        last = chosen[-1]
        np.minimum(distance, lengths + lengths[last] - 2 * np.einsum("ij,j->i", points, points[last]), out=distance)
        distance[last] = -np.inf  # equal ones may be taken, the same one never
        chosen.append(int(distance.argmax()))
    return sorted(chosen)


def limited(cases: Sequence[DatasetCase], folder: Path, limit: int, seed: int) -> list[DatasetCase]:
    """The training cases with the `limit` slices chosen that differ most; all others as they are.

    Slices of one kind are compared with each other, and so many are chosen of each kind. Raises `FileRefused`.
    """
    thumbnails: dict[tuple[Domain, ...], list[NDArray[np.float32]]] = {}
    places: dict[tuple[Domain, ...], list[tuple[int, int]]] = {}
    for number, case in enumerate(cases):
        if case.side == "train":
            planes = case.prepared_in(folder).mapped()
            for n in range(case.pictures) if case.chosen is None else case.chosen:
                thumbnails.setdefault(case.domains, []).append(thumbnail(planes[n, :-1]))
                places.setdefault(case.domains, []).append((number, n))
    chosen: dict[int, list[int]] = {number: [] for number, case in enumerate(cases) if case.side == "train"}
    for kind, vectors in thumbnails.items():
        for n in most_different(vectors, limit, seed):
            number, place = places[kind][n]
            chosen[number].append(place)
    return [
        case.model_copy(update={"chosen": tuple(chosen[number])}) if number in chosen else case
        for number, case in enumerate(cases)
    ]
