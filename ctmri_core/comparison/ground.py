"""What all comparisons with one truth, of what was made from one source, have in common."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ctmri_core.alignment import Alignment, CoarsePair
from ctmri_core.comparison.sampled_pair import Reference
from ctmri_core.comparison.scores import Range
from ctmri_core.preprocess.mr_range import body_range
from ctmri_core.preprocess.resample import resample_array
from ctmri_core.volume import Volume


class Ground:
    """Each part is found out when it is first asked for."""

    def __init__(self, source: Volume, truth: Volume) -> None:
        self.source, self.truth = source, truth

    def is_of(self, source: Volume, truth: Volume) -> bool:
        """Whether it is of these very volumes."""
        return self.source is source and self.truth is truth

    @cached_property
    def alignment(self) -> Alignment:
        return self._pair.alignment()

    @cached_property
    def mirrored(self) -> bool:
        """Whether the truth fits the source better with left and right exchanged."""
        return self.alignment.good and self._pair.looks_mirrored(self.alignment)

    def look(self) -> None:
        """Finds out how the truth lies, so that asking for it costs nothing from now on."""
        _ = self.alignment, self.mirrored

    @property
    def why_apart(self) -> str:
        """What is wrong with how the truth lies, in a sentence for people; empty where nothing is."""
        numbers = self.alignment.numbers
        if self.alignment.state == "no overlap":
            return "Not aligned with the source: it shows another part of space."
        if self.mirrored:
            return f"Mirrored: it fits the source better with left and right exchanged ({numbers})."
        return "" if self.alignment.good else f"Not aligned with the source ({numbers})."

    @cached_property
    def reference(self) -> Reference:
        return Reference(self.truth, self._pair.body, self._pair.grid)

    @cached_property
    def truth_range(self) -> Range:
        return self.range_of(self.truth)

    def range_of(self, volume: Volume) -> Range:
        """0.5-99.5 % of the volume's own voxels at the cells of the body that it covers."""
        pair = self._pair
        inside = pair.body & pair.seen(volume.geometry)
        values: NDArray[Any] = resample_array(volume.voxels, volume.geometry, pair.grid, order=0)
        low, high = np.nanpercentile(values[inside], (0.5, 99.5)) if inside.any() else body_range(volume)
        return float(low), float(max(high, low + 1e-6 * max(1.0, abs(low))))

    @cached_property
    def _pair(self) -> CoarsePair:
        return CoarsePair(self.source, self.truth)
