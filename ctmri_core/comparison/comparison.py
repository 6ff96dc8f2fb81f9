"""A synthetic volume beside the real one of the same patient: scores of slices, regions and the body, and their curve."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ctmri_core.comparison.ground import Ground
from ctmri_core.comparison.sampled_pair import SampledPair, Samples
from ctmri_core.comparison.scores import WINDOW, Convention, Inside, Range, Scores, VolumeTally
from ctmri_core.comparison.verdict import Verdict, verdict_on, why_never
from ctmri_core.errors import GeometryMismatch
from ctmri_core.events import Progress, Work
from ctmri_core.geometry import Geometry
from ctmri_core.volume import Volume

_FEWEST_PIXELS = 200
_BLOCK_VOXELS = 1 << 20


class Comparison:
    """`source`: what was translated; it is real, so the alignment of `truth` is judged against it, and `synthetic` shares its
    grid.

    Slices are those of that grid along one of its array axes, or of any lattice, whose axis 0 counts them; both volumes are
    then sampled there. Immutable after construction (up to some seconds), so any thread may ask it.
    """

    def __init__(
        self, source: Volume, synthetic: Volume, truth: Volume, *, beside: Comparison | None = None, ground: Ground | None = None
    ) -> None:
        """`beside`: of another synthetic volume; what it, or `ground`, found out of the same source and truth is not looked for
        again."""
        self._grid = source.geometry
        grounds = (beside._ground if beside is not None else None, ground)
        known = next((each for each in grounds if each is not None and each.is_of(source, truth)), None)
        self._ground: Ground = known or Ground(source, truth)
        self.verdict = self._judged(synthetic)
        if self.verdict.comparable:
            self._pair = SampledPair(synthetic, self._ground.reference)
            self._convention = Convention.of(synthetic.domain, self._ground.range_of(synthetic), self._ground.truth_range)

    def _judged(self, synthetic: Volume) -> Verdict:
        ground = self._ground
        refused = why_never(ground.source, synthetic, ground.truth)
        if refused:
            return Verdict(False, refused)
        return verdict_on(synthetic, ground.truth, ground.alignment, mirrored=ground.mirrored)

    @property
    def ranges(self) -> tuple[Range, Range] | None:
        """The values of synthetic and truth that count as 0 and 100 %, in their bodies; None where values are HU, and without a
        comparison."""
        return self._convention.ranges if self.verdict.comparable else None

    def slices(self, axis: int = 0) -> Geometry:
        """The source's grid with `axis` first: the lattice whose slices `scores` and `curve` count."""
        return self._grid.permuted([axis, *(other for other in range(3) if other != axis)], (False,) * 3)

    def scores(
        self, k: int, axis: int | Geometry = 0, *, inside: Inside = "body", truth: Samples | None = None
    ) -> Scores | None:
        """Scores of slice `k`, inside the body or wherever both volumes are; None where there is no such slice, less than 200
        pixels of it to compare, and without a comparison.

        `truth`: (rows, columns) of it on that very slice, where somebody has sampled it already; outside it any values.
        """
        lattice = self._lattice(axis)
        if not self.verdict.comparable or not 0 <= k < lattice.shape[0]:
            return None
        if truth is not None and truth.shape != lattice.shape[1:]:
            raise GeometryMismatch(f"The slice has {lattice.shape[1:]} pixels, the samples {truth.shape}.")
        return self._scores_of(lattice, range(k, k + 1), inside, truth)[0]

    def curve(
        self, axis: int | Geometry = 0, *, inside: Inside = "body"
    ) -> Iterator[tuple[range, tuple[Scores | None, ...]]]:
        """The same of all slices in order, a few at a time: which, and their scores. Whoever asks stops when he likes."""
        lattice = self._lattice(axis)
        count, rows, columns = lattice.shape
        step = max(1, _BLOCK_VOXELS // (rows * columns))
        for first in range(0, count, step) if self.verdict.comparable else ():
            ks = range(first, min(first + step, count))
            yield ks, self._scores_of(lattice, ks, inside)

    def region_scores(self, region: NDArray[np.bool_], lattice: Geometry | None = None) -> Scores | None:
        """Scores in a region, boolean on `lattice` (by default the source's grid): of one slice, or in three dimensions.

        None where it is empty or outside one of the volumes. Raises `GeometryMismatch` where it is not on its lattice.
        """
        lattice = lattice or self._grid
        if region.shape != lattice.shape or region.dtype != np.bool_:
            raise GeometryMismatch(f"A region is boolean on its grid of {lattice.shape}, not {region.dtype} of {region.shape}.")
        compared = self._pair.in_region(lattice, region) if self.verdict.comparable else None
        if compared is None:
            return None
        if len(region) == 1:
            return self._convention.scores_of_slice(compared, 0)
        tally = VolumeTally(self._convention)
        tally.add(compared)
        return tally.scores

    def volume_scores(self) -> Work[Scores | None]:
        """Scores inside the body, SSIM in three dimensions (SynthRAD2023 for CT); may be stopped every few slices."""
        box = self._pair.box_of_body(self._grid) if self.verdict.comparable else None
        if box is None:
            return None
        (first, *corner), (end, *far) = box
        sizes = [high - low for low, high in zip(corner, far, strict=True)]
        step = max(1, _BLOCK_VOXELS // math.prod(sizes))
        tally = VolumeTally(self._convention)
        for k in range(first, end, step):
            tally.add(self._pair.inside_body(self._grid.cropped((k, *corner), (min(step, end - k), *sizes))))
            yield Progress(done=min(k + step, end) - first, total=end - first, unit="slices")
        return tally.scores

    def _lattice(self, axis: int | Geometry) -> Geometry:
        return axis if isinstance(axis, Geometry) else self.slices(axis)

    def _scores_of(
        self, lattice: Geometry, ks: range, inside: Inside, truth: Samples | None = None
    ) -> tuple[Scores | None, ...]:
        """Of slices that follow each other, which are sampled together. `truth`: of the only one."""
        nothing = (None,) * len(ks)
        box = self._pair.box_of_body(lattice) if inside == "body" else ((0, 0, 0), lattice.shape)
        if box is None or ks.stop <= box[0][0] or ks.start >= box[1][0]:
            return nothing
        (_, *corner), (_, *far) = box
        sizes = [high - low for low, high in zip(corner, far, strict=True)]
        if min(sizes) < WINDOW:
            return nothing
        block = lattice.cropped((ks.start, *corner), (len(ks), *sizes))
        at_hand = None if truth is None else truth[None, corner[0] : far[0], corner[1] : far[1]]
        compare = self._pair.inside_body_closely if inside == "body" else self._pair.everywhere
        compared = compare(block, at_hand)
        if compared is None:
            return nothing
        return tuple(_enough(self._convention.scores_of_slice(compared, n)) for n in range(len(ks)))


def _enough(scores: Scores | None) -> Scores | None:
    """Numbers of a few pixels would say nothing of a slice."""
    return None if scores is None or scores.voxels < _FEWEST_PIXELS or math.isnan(scores.ssim) else scores
