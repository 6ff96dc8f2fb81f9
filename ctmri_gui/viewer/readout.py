"""The values of every volume at one point of the patient."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from ctmri_core.geometry import FloatArray
from ctmri_core.volume import Volume
from ctmri_gui.viewer.roles import Role

_AXES = (("L", "R"), ("P", "A"), ("S", "I"))


@dataclass(frozen=True)
class Readout:
    """`mm`: LPS. `values`: per shown volume the stored value of the nearest voxel, None outside it. `difference`: synthetic
    minus truth where both exist and are on one scale (HU; MR values of two origins have none in common); `further`: the same of
    what other models made."""

    mm: tuple[float, float, float]
    values: Mapping[Role, float | None]
    labels: Mapping[Role, str]
    units: Mapping[Role, str]
    difference: float | None
    further: Mapping[Role, float] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """`L 12.3 · P 4.0 · S 55.1 mm   CT 43 HU   Synthetic T1 MR 512 a.u.   Δ +14`"""
        return self.forms[0]

    @property
    def forms(self) -> tuple[str, ...]:
        """The text, then shorter ones for less room: without the place, without the names (in the order of the panes)."""
        place = " · ".join(f"{names[value < 0]} {abs(value):.1f}" for value, names in zip(self.mm, _AXES, strict=True))
        shown = [
            "outside" if value is None else f"{number_text(value)} {self.units[role]}" for role, value in self.values.items()
        ]
        named = [f"{self.labels[role]} {words}" for role, words in zip(self.values, shown, strict=True)]
        told = [] if self.difference is None else [("Δ", self.difference)]
        told += [(f"Δ {role.letter}", value) for role, value in self.further.items()]
        last = [f"{sign} {'+' if value > 0 else ''}{number_text(value)} HU" for sign, value in told]
        return "   ".join((f"{place} mm", *named, *last)), "   ".join((*named, *last)), " · ".join((*shown, *last))


def number_text(value: float) -> str:
    """Four significant digits, never in powers of ten: `14230`, `512.3`, `0.0042`."""
    if not math.isfinite(value):
        return "no number"
    if value == round(value):
        return str(round(value))
    return f"{value:.{min(max(3 - math.floor(math.log10(abs(value))), 0), 6)}f}"


def value_at(volume: Volume, mm: FloatArray) -> float | None:
    """The stored value of the voxel whose box holds the point, None outside the volume."""
    index = np.floor(volume.geometry.mm_to_index(mm) + 0.5 + 1e-9).astype(int)
    if (index < 0).any() or (index >= volume.geometry.shape).any():
        return None
    return float(volume.voxels[tuple(index)])


def read_out(volumes: Mapping[Role, Volume], mm: FloatArray, *, comparable: bool = True) -> Readout:
    """`comparable`: False where synthetic and truth are known not to show the same; then there is no difference."""
    values = {role: value_at(volume, mm) for role, volume in volumes.items()}
    truth, several = values.get(Role.TRUTH), sum(role.is_synthetic for role in volumes) > 1
    differences = {}
    if comparable and truth is not None and volumes[Role.TRUTH].unit == "HU":
        made = {role: value for role, value in values.items() if role.is_synthetic and volumes[role].unit == "HU"}
        differences = {role: value - truth for role, value in made.items() if value is not None}
    difference = differences.pop(Role.SYNTHETIC, None)
    x, y, z = (float(value) for value in mm)
    return Readout(
        (x, y, z),
        values,
        {role: f"{role.letter}: {volume.label}" if several and role.letter else volume.label for role, volume in volumes.items()},
        {role: volume.unit for role, volume in volumes.items()},
        difference,
        differences,
    )
