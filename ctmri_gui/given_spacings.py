"""Voxel sizes that files do not give and the user told, for as long as the program runs; never written anywhere."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING

from ctmri_core.io.series import ESTIMATED_SPACING, with_spacing

if TYPE_CHECKING:
    from ctmri_core.geometry import Triple
    from ctmri_core.io.series import Series


def lacks_spacing(series: Series) -> bool:
    """Whether lengths in the picture are not real until somebody tells the voxel size: that is worth a question.

    A lone slice of unknown thickness is not: nothing is measured across it.
    """
    serious = any(finding.kind == ESTIMATED_SPACING and finding.serious for finding in series.findings)
    return serious and series.refusal is None and series.given_spacing is None


class GivenSpacings:
    """What was answered for which series, so that nothing is asked twice. `last`: the answer before, to begin the next with."""

    def __init__(self) -> None:
        self._told: dict[Hashable, Triple | None] = {}
        self.last: Triple | None = None

    def settled(self, series: Series) -> bool:
        """Whether somebody has answered for this series, be it that nobody knows."""
        return _key(series) in self._told

    def settle(self, series: Series, spacing: Triple | None) -> None:
        """`spacing`: along (k, j, i), mm; None when nobody knows it."""
        self._told[_key(series)] = spacing
        self.last = spacing or self.last

    def applied(self, series: Series) -> Series:
        """`series` with what was told of it. Raises `FileRefused` when that is no voxel size."""
        told = self._told.get(_key(series))
        return series if told is None else with_spacing(series, told)


def _key(series: Series) -> Hashable:
    return series.path, series.files, series.label
