"""The typeface of figures and PDF: DejaVu Sans, which comes with matplotlib and knows Latin, Greek, Cyrillic and signs."""

from __future__ import annotations

from functools import cache
from pathlib import Path

UNKNOWN = "\N{WHITE SQUARE}"


def typeface(*, bold: bool = False) -> Path:
    """The file of the typeface."""
    import matplotlib

    return Path(matplotlib.get_data_path()) / "fonts" / "ttf" / f"DejaVuSans{'-Bold' if bold else ''}.ttf"


def drawable(text: str) -> str:
    """`text` in one line, with a square for each letter that the typeface does not have."""
    known = _known()
    return "".join(letter if ord(letter) in known else " " if letter.isspace() else UNKNOWN for letter in text)


def shortened(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


@cache
def _known() -> frozenset[int]:
    from matplotlib.ft2font import FT2Font

    return frozenset(letter for letter in FT2Font(str(typeface())).get_charmap() if chr(letter).isprintable())
