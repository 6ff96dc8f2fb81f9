"""Which series the open volumes were read from, and what can be done about what was found in them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from ctmri_core.io.series import ESTIMATED_SPACING, TILT

if TYPE_CHECKING:
    from ctmri_core.io.series import Series
    from ctmri_core.volume import Volume

GIVEN_SPACING = "given_spacing"
SPACING_KINDS = (ESTIMATED_SPACING, GIVEN_SPACING)
_OFFERS = {TILT: "Correct tilt", ESTIMATED_SPACING: "Set voxel size …", GIVEN_SPACING: "Change voxel size …"}


class Origins:
    """Remembers as long as a volume lives."""

    def __init__(self) -> None:
        self._series: WeakKeyDictionary[Volume, Series] = WeakKeyDictionary()

    def remember(self, volume: Volume, series: Series) -> None:
        self._series[volume] = series

    def series_of(self, volume: Volume | None) -> Series | None:
        """None for a volume that was made here."""
        return None if volume is None else self._series.get(volume)

    def offers(self, volume: Volume | None) -> dict[str, str]:
        """By kind of finding, what the button beside it says; only where there is a file to read again."""
        series = self.series_of(volume)
        if volume is None or series is None:
            return {}
        beyond = {TILT} if series.straighten or not series.has(TILT) else set()  # a copy tells of it, but cannot mend it
        kinds = {finding.kind for finding in volume.findings} - beyond
        return {kind: text for kind, text in _OFFERS.items() if kind in kinds}
