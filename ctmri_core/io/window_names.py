"""Which texts may be shown as the name of a window: they come from free text, which may hold the name of a patient."""

from __future__ import annotations

import re

_WORDS = """
ABDOMEN AIR ALGO ANGIO AORTA BODY BONE BONES BRAIN CARDIAC CEREBRUM CHEST CONTRAST CTA DEFAULT EAR EXTREMITY FAT FOSSA FULL HARD
HARDER HEAD HEART INNER KIDNEY LIVER LUNG LUNGS MEDIASTINUM MIP MUSCLE NARROW NECK NORMAL PELVIS POSTERIOR SHARP SINUS SKULL
SMOOTH SOFT SOFTER SPINE STANDARD STROKE SUBDURAL THORAX TISSUE USER VESSEL VESSELS WIDE WINDOW
"""
_KNOWN = frozenset(_WORDS.split())
_WORD = re.compile(r"([A-Z]+)\d{0,2}|\d{1,2}")
_LONGEST = 32


def names_a_window(text: str) -> bool:
    """Whether all words of a text are those of windows, with small numbers at most: `BRAIN`, `WINDOW1`, `soft tissue 2`."""
    words = [_WORD.fullmatch(word) for word in re.split(r"[ _/+-]+", text.upper())]
    return len(text) <= _LONGEST and all(word is not None and (word[1] is None or word[1] in _KNOWN) for word in words)
