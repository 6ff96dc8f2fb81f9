"""Which kind of picture a DICOM series is: the modality is a field, an MR's weighting has to be concluded.

Words of the series and sequence names decide first; where they say nothing, echo, repetition and inversion times of a spin or
inversion-recovery sequence do. What stays open is `Domain.MR`.
"""

from __future__ import annotations

import re

from ctmri_core.domain import Domain
from ctmri_core.io.dicom_slice import MrTiming, SliceHeader
from ctmri_core.io.synthetic_mark import told_domain

_OTHER = re.compile(
    r"(?<![a-z])(adc|e?dwi|dti|trace|diff\w*|perf\w*|asl|bold|epi|swi|swan|tof|mra|phase|fieldmap|b0map|t2 ?\*|t2 ?star)(?![a-z])"
)
_FLAIR = re.compile(r"flair|dark[ _-]?fluid")
_T1 = re.compile(r"(?<![a-z0-9])t1(?![0-9])|mp2?rage|spgr|bravo|vibe|(?<![a-z])tfl(?![a-z])")
_T2 = re.compile(r"(?<![a-z0-9])t2(?![0-9])|ciss|fiesta")
_PD = re.compile(r"(?<![a-z0-9])pdw?(?![a-z])|proton[ _-]?dens")
_NAMES = ((_T1, Domain.MR_T1), (_T2, Domain.MR_T2), (_PD, Domain.MR_PD))
_ENHANCED = re.compile(r"(?<![a-z])(gd|gado?\w*|post|ce|km|c\+|dotarem|gadavist|contrast)(?![a-z])|\+ ?(c|gd|km)(?![a-z])")


def domain_of(header: SliceHeader) -> Domain:
    """CT and MR by modality; anything else is unknown. Our own exports say in a fixed place what they show."""
    told = told_domain(header.origin)
    if told is not None and told.modality == header.modality:
        return told
    if header.modality == "CT":
        return Domain.CT
    return _weighting(header.timing) if header.modality == "MR" else Domain.UNKNOWN


def _weighting(timing: MrTiming) -> Domain:
    words = timing.words.replace("_", " ")
    if _OTHER.search(words):
        return Domain.MR
    if _FLAIR.search(words):
        return Domain.MR_FLAIR
    named = [domain for pattern, domain in _NAMES if pattern.search(words)]
    weighting = named[0] if len(named) == 1 else _by_times(timing) if not named else Domain.MR
    enhanced = timing.contrast_agent or bool(_ENHANCED.search(words))
    return Domain.MR_T1_GD if weighting is Domain.MR_T1 and enhanced else weighting


def _by_times(timing: MrTiming) -> Domain:
    """Common ranges at 1.5 and 3 T; None of the times is required to be there."""
    repetition, echo, inversion = timing.repetition, timing.echo, timing.inversion
    if repetition is None or echo is None:
        return Domain.MR
    if inversion is not None and inversion > 1500 and repetition > 4000:
        return Domain.MR_FLAIR
    if inversion is not None and 400 < inversion < 1400 and echo < 15 and repetition < 3500:
        return Domain.MR_T1
    if "SE" not in timing.scanning_sequence:
        return Domain.MR
    if repetition < 1000 and echo < 30:
        return Domain.MR_T1
    if repetition > 2000 and (inversion is None or inversion == 0):
        return Domain.MR_T2 if echo > 70 else Domain.MR_PD if echo < 40 else Domain.MR
    return Domain.MR
