"""Cases to be evaluated, from wherever they come: found first, opened one at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ctmri_core.domain import Direction
from ctmri_core.evaluation.results import DataTold, Problem
from ctmri_core.geometry import Geometry
from ctmri_core.model_card import ModelCard, case_fingerprint
from ctmri_core.preprocess.resample import resample_array
from ctmri_core.volume import Volume


@dataclass(frozen=True, eq=False)
class Placed:
    """A mask (bool) or label map (whole numbers) on its own grid."""

    values: NDArray[Any] = field(repr=False)
    geometry: Geometry

    def on(self, grid: Geometry) -> NDArray[Any]:
        """The nearest voxels on another grid; 0 beyond."""
        if self.geometry.is_close(grid) and self.values.shape == grid.shape:
            return self.values
        if self.values.dtype == np.bool_:
            return resample_array(self.values, self.geometry, grid, order=0)
        return resample_array(self.values.astype(np.float32), self.geometry, grid, order=0).astype(np.int32)


@dataclass(frozen=True, eq=False)
class OpenedCase:
    """The real pictures of one case.

    `source`: None where only finished pictures are compared. `body`: None where it is to be outlined; `chosen`: which slices
    along axis 0 of the source count, None for all. `looked_at`: whether the pictures were checked for lying on each other before.
    `windowed`: whether CT has been cut to a display window. `oriented`: whether the files say how the patient lies. `problems`:
    what is known of the case, which is left out for those that say so.
    """

    truth: Volume
    source: Volume | None = None
    body: Placed | None = None
    chosen: tuple[int, ...] | None = None
    labels: Placed | None = None
    looked_at: bool = False
    windowed: bool = False
    oriented: bool = True
    problems: tuple[Problem, ...] = ()


KnownTo = Callable[[ModelCard, OpenedCase], bool | None]


@dataclass(frozen=True, eq=False)
class FoundCase:
    """A case that has not been opened. `key`, `patient`: salted; `stamp`: changes when its files do.

    `load` may raise `CtmriError`. `known_to`: whether a model learnt from it, None where nobody can tell. `predictions`: opens
    finished pictures by the number of their folder; None where there is none of this case. `predicted_labels` likewise.
    `place`: the file or folder of the real picture, absolute, None where it is no single one.
    """

    key: str
    patient: str
    name: str
    stamp: str
    load: Callable[[], OpenedCase]
    centre: str = ""
    known_to: KnownTo = lambda _card, _opened: None
    predictions: tuple[Callable[[], Volume] | None, ...] = ()
    prediction_stamps: tuple[str, ...] = ()
    predicted_labels: tuple[Callable[[], Volume] | None, ...] = ()
    predicted_label_stamps: tuple[str, ...] = ()
    place: Path | None = None


@dataclass(frozen=True, eq=False)
class FoundCases:
    """`data`: what is said of all; `problems`: what is to be known of all. `steps_done`: the steps of models' recipes that the
    pictures have been through already (`bias_field`, `only_body`). `given_masks`: whether masks come with the data."""

    direction: Direction
    data: DataTold
    cases: tuple[FoundCase, ...]
    problems: tuple[Problem, ...] = ()
    steps_done: tuple[str, ...] = ()
    given_masks: bool = False
    remarks: tuple[str, ...] = ()


def salted(name: str, salt: str) -> str:
    """16 hexadecimal digits for a name, as prepared data have them."""
    return hashlib.blake2b(name.encode(errors="surrogateescape"), key=salt.encode()[:64], digest_size=8).hexdigest()


def learnt_from_volumes(card: ModelCard, opened: OpenedCase) -> bool | None:
    """Whether the fingerprints of a card tell that a model learnt from this case; None where it has none.

    A case's print is of the voxels of whichever picture came first when it was prepared, so that both are tried.
    """
    salts = {data.salt: set(data.fingerprints) for data in card.training_data if data.fingerprints}
    if not salts:
        return None
    volumes = [volume for volume in (opened.truth, opened.source) if volume is not None]
    contents = [np.ascontiguousarray(volume.voxels).data.cast("B") for volume in volumes]
    return any(case_fingerprint(content, salt) in known for salt, known in salts.items() for content in contents)
