"""What many tests at once cost."""

from __future__ import annotations

from collections.abc import Sequence


def holm(probabilities: Sequence[float | None]) -> list[float | None]:
    """The same corrected for how many there are (Holm, Scand J Stat 6, 1979): at most 1, in the order given; None stays None."""
    tests = sorted((p, place) for place, p in enumerate(probabilities) if p is not None)
    corrected: list[float | None] = [None] * len(probabilities)
    largest = 0.0
    for rank, (p, place) in enumerate(tests):
        largest = max(largest, min(1.0, p * (len(tests) - rank)))
        corrected[place] = largest
    return corrected
