"""The nearest right word for a wrong one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest_hint(word: str, known: Iterable[object]) -> str:
    """` Did you mean ...?` to be put behind a sentence, or nothing when no known word comes near."""
    nearest = difflib.get_close_matches(word, [str(item) for item in known], n=1, cutoff=0.45)
    return f" Did you mean {nearest[0]}?" if nearest else ""
