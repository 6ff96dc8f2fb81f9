"""How probabilities, spans, counts and lists of words are written, whatever a report is of."""

from __future__ import annotations

from collections.abc import Iterable

from ctmri_core.reporting.document import Number, number


def probability(p: float | None) -> Number:
    """`< 0.001` for what is smaller; a dash where there is none."""
    if p is None:
        return Number("–")
    return Number("< 0.001", p) if p < 0.001 else number(p, 3)


def plural(count: int, one: str, several: str = "") -> str:
    """`1 case`, `2 cases`."""
    return f"{count} {one if count == 1 else several or f'{one}s'}"


def sentence(parts: Iterable[str]) -> str:
    """`a, b and c`."""
    words = list(parts)
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""
