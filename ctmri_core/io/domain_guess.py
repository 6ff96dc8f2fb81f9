"""What a file without a modality field shows: guessed from its name, then from its voxels, and said as a finding.

The guess is kept small on purpose. Words of the file name decide first (`head_ct`, `sub-01_T2w`). Without one, values that
lie as Hounsfield units do (air near -1000 and soft tissue around 0) mean CT; other pictures of many non-negative values are
taken for MR of unknown weighting; masks and everything else stay unknown. A wrong guess is
corrected by the user, who says what it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np

from ctmri_core.domain import Domain
from ctmri_core.recognition.hounsfield import FEW_VALUES, looks_like_hounsfield, sample_of
from ctmri_core.volume import Finding, Voxels

_WORDS = {
    "ct": Domain.CT, "cbct": Domain.CT, "sct": Domain.CT,
    "mr": Domain.MR, "mri": Domain.MR, "smr": Domain.MR,
    "t1": Domain.MR_T1, "t1w": Domain.MR_T1, "mprage": Domain.MR_T1,
    "t1gd": Domain.MR_T1_GD, "t1c": Domain.MR_T1_GD, "t1ce": Domain.MR_T1_GD,
    "t2": Domain.MR_T2, "t2w": Domain.MR_T2,
    "flair": Domain.MR_FLAIR, "pd": Domain.MR_PD, "pdw": Domain.MR_PD,
}  # fmt: skip
_CONTRAST_WORDS = {"gd", "gad", "contrast"}
_MASK_WORDS = {"mask", "seg", "segmentation", "label", "labels", "labelmap"}
DOUBT = "If that is wrong, say what it is (in the window under Images, with --modality on the command line)."
_UNSAID = "Say what it is (in the window under Images, with --modality on the command line)."


def domain_by_name(name: str) -> Domain:
    """The domain that the words of a file name say; the first modality counts, a later contrast refines a bare `mr`."""
    words = _words_of(name)
    if _MASK_WORDS.intersection(words):
        return Domain.UNKNOWN
    found = [_WORDS[word] for word in words if word in _WORDS]
    if not found:
        return Domain.UNKNOWN
    if Domain.MR_T1 in found and _CONTRAST_WORDS.intersection(words):
        return Domain.MR_T1_GD
    if found[0] is Domain.MR:
        return next((domain for domain in found if domain.is_mr and domain is not Domain.MR), Domain.MR)
    return found[0]


def known_words(name: str, also: Iterable[str] = ()) -> list[str]:
    """The words of a name that mean something here, or are among `also`, in order: all of it that says nothing of a patient."""
    vocabulary = {*_WORDS, *_CONTRAST_WORDS, *_MASK_WORDS, *also}
    return [word for word in _words_of(name) if word in vocabulary]


def _words_of(name: str) -> list[str]:
    return re.findall(r"[a-z]+\d?[a-z]*", re.sub(r"[_\W]+", " ", name.lower()))


def domain_by_voxels(named: Domain, name: str, voxels: Voxels) -> tuple[Domain, tuple[Finding, ...]]:
    """`named` where the name said a domain, else the domain by values; findings say what was guessed or contradicts."""
    hounsfield = looks_like_hounsfield(voxels)
    if named is Domain.CT and not hounsfield and float(voxels.min()) > -100:
        message = f"The name says CT, but the lowest value is {voxels.min():g}: these may not be Hounsfield units."
        return named, (Finding("not_hounsfield", message, serious=True),)
    if named.is_mr and hounsfield:
        message = f"The name says {named.label}, but the values look like CT. {DOUBT}"
        return named, (Finding("guessed_domain", message, serious=True),)
    if named is not Domain.UNKNOWN:
        return named, ()
    if hounsfield:
        return Domain.CT, (Finding("guessed_domain", f"Taken for CT because the values look like Hounsfield units. {DOUBT}"),)
    sample = sample_of(voxels)
    is_mask = _MASK_WORDS.intersection(re.split(r"[\W_]+", name.lower()))
    if not is_mask and sample.min() >= 0 and len(np.unique(sample)) > FEW_VALUES:
        return Domain.MR, (Finding("guessed_domain", f"Taken for MR of unknown weighting; the file does not say. {DOUBT}"),)
    return Domain.UNKNOWN, (Finding("guessed_domain", f"The file does not say what it shows. {_UNSAID}"),)
