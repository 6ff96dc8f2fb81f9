"""One patient: volumes and masks that belong together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ctmri_core.domain import Domain
from ctmri_core.geometry import FloatArray, Geometry
from ctmri_core.volume import Volume


@dataclass(frozen=True, eq=False)
class Case:
    """Volumes of one patient, each on its own geometry.

    `volumes`: at most one per domain. `masks`: named masks on the geometry of the volume they are keyed with.
    `alignment`: per domain the rigid (4, 4) LPS -> LPS matrix that carries a point of that volume's own space into the
    space of the first volume; a missing domain means identity. `centre`: where the case comes from, for splits.
    """

    identifier: str
    volumes: Mapping[Domain, Volume]
    masks: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)
    alignment: Mapping[Domain, FloatArray] = field(default_factory=dict)
    centre: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, domain: Domain) -> Volume:
        return self.volumes[domain]

    def aligned(self, domain: Domain) -> Volume:
        """The volume of `domain` where it lies in the space of the first volume; voxels are left as they are."""
        volume = self.volumes[domain]
        if domain not in self.alignment:
            return volume
        moved = self.alignment[domain] @ volume.geometry.affine
        return replace(volume, geometry=Geometry.from_affine(volume.geometry.shape, moved))

    @property
    def domains(self) -> tuple[Domain, ...]:
        return tuple(self.volumes)


def split_by_patient(identifiers: Iterable[str], validation_share: float, seed: int) -> tuple[list[str], list[str]]:
    """(train, validation) identifiers: seeded, disjoint, never splitting a patient.

    At least one each when there are two; a share of 0 validates on none.
    """
    unique = sorted(set(identifiers))
    order = np.random.default_rng(seed).permutation(len(unique))
    count = round(len(unique) * validation_share)
    if len(unique) > 1 and validation_share > 0:
        count = min(max(count, 1), len(unique) - 1)
    chosen = {unique[n] for n in order[:count]}
    return [name for name in unique if name not in chosen], [name for name in unique if name in chosen]
