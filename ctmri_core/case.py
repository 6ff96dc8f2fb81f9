"""One patient: volumes and masks that belong together."""

from __future__ import annotations

from collections.abc import Mapping
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

    `volumes`: at most one per domain. `masks`: named masks on the geometry of the volume they are keyed with. `labels`: numbers
    of what somebody outlined, 0 for nothing, on the geometry of the first volume; None where nobody did.
    `alignment`: per domain the rigid (4, 4) LPS -> LPS matrix that carries a point of that volume's own space into the
    space of the first volume; a missing domain means identity. `centre`: where the case comes from, for splits.
    """

    identifier: str
    volumes: Mapping[Domain, Volume]
    masks: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)
    alignment: Mapping[Domain, FloatArray] = field(default_factory=dict)
    centre: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)
    labels: NDArray[np.uint8] | None = None

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
