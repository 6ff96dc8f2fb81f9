"""What several models made of one source: how they differ from each other, and the scores of all of them together."""

from __future__ import annotations

from collections.abc import Sequence

from ctmri_core.comparison.comparison import Comparison
from ctmri_core.comparison.scores import Scores
from ctmri_core.comparison.verdict import Verdict
from ctmri_core.events import Event, Work
from ctmri_core.volume import Volume


class ModelComparison(Comparison):
    """Two synthetic volumes of one source; the second has the part of the truth. Both lie on the source's grid, so nothing has to
    be aligned; the body is that of the source."""

    def _judged(self, synthetic: Volume) -> Verdict:
        source, other = self._ground.source, self._ground.truth
        if not (synthetic.geometry.is_close(source.geometry) and other.geometry.is_close(source.geometry)):
            return Verdict(False, "Not both lie on the grid of the source; translate it again.")
        if synthetic.domain is not other.domain:
            return Verdict(False, f"One model made {synthetic.domain.label}, the other {other.domain.label}.")
        return Verdict(True, "Both were made from one source.")


def volume_scores_of(comparisons: Sequence[Comparison]) -> Work[tuple[Scores | None, ...]]:
    """What `Comparison.volume_scores` tells of each: a few slices of each in turn, so that what they have in common is sampled
    once."""
    running = dict(enumerate(comparison.volume_scores() for comparison in comparisons))
    found: list[Scores | None] = [None] * len(running)
    while running:
        said: Event | None = None
        for n, work in tuple(running.items()):
            try:
                said = next(work)
            except StopIteration as end:
                found[n] = end.value
                del running[n]
        if said is not None:
            yield said
    return tuple(found)
