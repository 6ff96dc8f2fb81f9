"""`phantom:COUNT[:SEED]`: digital heads made on the spot, no folder at all."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial

from ctmri_core.data.layouts.layout import CaseReference
from ctmri_core.errors import TrainingFailed

_MOST_PHANTOMS = 10_000
_TOLD = "digital head phantoms made by this program (seeds {} to {}), no patient"
_SEEDS = re.compile(r"\(seeds (\d{1,9}) to (\d{1,9})\)")


def phantom_cases(spec: str, voxel_mm: float) -> tuple[CaseReference, ...]:
    """COUNT heads with voxels near `voxel_mm`, seeds from SEED (0) on.

    Raises `TrainingFailed` where `spec` is not of that form.
    """
    from ctmri_core.phantom import make_head  # its kernels are loaded only when heads are made

    numbers = spec.split(":")[1:]
    if not 1 <= len(numbers) <= 2 or not all(number.isdecimal() for number in numbers):
        raise TrainingFailed(f"{spec!r} is not of the form phantom:COUNT or phantom:COUNT:SEED, with whole numbers.")
    count, first = int(numbers[0]), int(numbers[1]) if len(numbers) == 2 else 0
    if not 1 <= count <= _MOST_PHANTOMS:
        raise TrainingFailed(f"phantom:{count}: between 1 and {_MOST_PHANTOMS} heads can be made.")
    voxel_mm = min(max(voxel_mm, 0.7), 4.0)  # what a head can be made with
    seeds = range(first, first + count)
    return tuple(CaseReference(f"phantom-{seed}", partial(make_head, seed, voxel_mm=voxel_mm)) for seed in seeds)


def told_heads(cases: Sequence[CaseReference]) -> str:
    """What the cards of models say of `cases`, made by `phantom_cases`."""
    first, last = (case.identifier.partition("-")[2] for case in (cases[0], cases[-1]))
    return _TOLD.format(first, last)


def seeds_of(what: str) -> range | None:
    """The seeds that `told_heads` told of; None where it says nothing of them."""
    found = _SEEDS.search(what)
    return None if found is None else range(int(found[1]), int(found[2]) + 1)
