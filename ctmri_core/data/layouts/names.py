"""What names of files and folders say of what they hold."""

from __future__ import annotations

import re

from ctmri_core.domain import Domain
from ctmri_core.io.domain_guess import domain_by_name, known_words

_NO_TRUTH = {"cbct", "sct", "smr"}
_MASKS = {"mask", "seg", "segmentation", "label", "labels", "labelmap"}
_NUMBERED = re.compile(r"(?:ct|mri?)(\d+)", re.IGNORECASE)


def domain_said(name: str) -> Domain:
    """The domain that a name says, to learn from: cone beam CT has no HU to be trusted and synthetic pictures are no truth, so
    these, masks and names that say nothing are `UNKNOWN`.
    """
    return domain_by_name(name) if _NO_TRUTH.isdisjoint(known_words(name)) else Domain.UNKNOWN


def says_domain_only(name: str) -> bool:
    """Whether a name says a domain and nothing else: `ct`, `MR_T1`, but not `ct_007` or `head_ct`."""
    return domain_said(name) is not Domain.UNKNOWN and re.findall(r"[^\W_]+", name.lower()) == known_words(name)


def says_mask(stem: str) -> bool:
    """Whether a file is called a mask or a segmentation."""
    return not _MASKS.isdisjoint(known_words(stem)) or re.fullmatch(r"(.*[_\-. ])?body", stem.lower()) is not None


def without_domain(stem: str) -> str:
    """`sub-01_ct` -> `sub-01`, `mr007` -> `007`: a name without what it says of the domain; all of it where nothing is left."""
    kept = ""
    for separator, word in re.findall(r"([_\-. ]*)([^_\-. ]+)", stem):
        if known_words(word) == [word.lower()] and not says_mask(word):
            continue
        numbered = _NUMBERED.fullmatch(word)
        said = numbered[1] if numbered else word
        kept += separator + said if kept else said
    return kept or stem
