"""CT or MR, and which weighting, with how sure that is; doubt is an answer too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from ctmri_core.domain import Domain
from ctmri_core.recognition.classifier import shipped_classifier
from ctmri_core.recognition.features import features_of
from ctmri_core.recognition.hounsfield import few_values, looks_like_hounsfield
from ctmri_core.recognition.sampled_slices import some_slices
from ctmri_core.volume import Volume, once_per_volume

SURE = 0.85
"""Below this probability it is not told."""
_STRANGEST = 2.0
"""Of the pictures that were learnt from, none lies as far from the mean."""
_BY_UNIT = 0.99
"""That values which lie as Hounsfield units do are a CT's: nothing else is stored so, but a difference or phase map may be."""


@dataclass(frozen=True)
class Recognition:
    """`domain`: what it shows; `MR` where it is MR and the weighting cannot be told, `UNKNOWN` where nothing can. `probability`:
    of `domain`. `shares`: of CT and the three weightings, by domain; what they leave to 1 is anything else. `inverted`: black
    and white look exchanged."""

    domain: Domain
    probability: float
    shares: Mapping[Domain, float] = field(default_factory=dict)
    inverted: bool = False

    @property
    def sure(self) -> bool:
        return self.domain is not Domain.UNKNOWN

    @property
    def label(self) -> str:
        """`T2 MR (92 %)`, `MR (97 %), weighting not clear`, or why nothing can be told."""
        if self.inverted:
            return "black and white exchanged"
        if not self.sure:
            return "cannot be told"
        unclear = ", weighting not clear" if self.domain is Domain.MR else ""
        return f"{self.domain.label} ({100 * min(self.probability, 0.99):.0f} %){unclear}"

    def contradicts(self, told: Domain) -> bool:
        """Whether it shows another modality than `told`, or clearly another weighting."""
        if not self.sure or told is Domain.UNKNOWN:
            return False
        return self.domain.modality != told.modality or not alike(self.domain, told)


def alike(seen: Domain, told: Domain) -> bool:
    """Whether both may be meant by one picture. Contrast agent and proton density are not recognised."""
    if Domain.MR in (seen, told) or told is Domain.MR_PD:
        return seen.is_mr and told.is_mr
    return seen is (Domain.MR_T1 if told is Domain.MR_T1_GD else told)


@once_per_volume
def recognise(volume: Volume) -> Recognition:
    """What `volume` shows, by its voxels alone: domain, name and header are not looked at. Costs about a tenth of a second."""
    unknown = Recognition(Domain.UNKNOWN, 0.0)
    if few_values(volume.voxels):
        return unknown
    if looks_like_hounsfield(volume.voxels):
        return Recognition(Domain.CT, _BY_UNIT, {Domain.CT: _BY_UNIT})
    slices = list(some_slices(volume))
    inverted = bool(slices) and 2 * sum(one.inverted for one in slices) > len(slices)
    usual = [one for one in slices if not one.inverted]
    if inverted or not usual:
        return Recognition(Domain.UNKNOWN, 0.0, inverted=inverted)
    features, classifier = np.array([features_of(one) for one in usual]), shipped_classifier()
    if classifier.strangeness(features) > _STRANGEST:
        return unknown
    found = classifier.probabilities(features)
    return _judged({Domain(kind): share for kind, share in found.items() if kind != "other"})


def _judged(shares: Mapping[Domain, float]) -> Recognition:
    magnetic = sum(share for domain, share in shares.items() if domain.is_mr)
    likeliest = max((domain for domain in shares if domain.is_mr), key=lambda domain: shares[domain])
    if shares[Domain.CT] >= SURE:
        return Recognition(Domain.CT, shares[Domain.CT], shares)
    if shares[likeliest] >= SURE:
        return Recognition(likeliest, shares[likeliest], shares)
    if magnetic >= SURE:
        return Recognition(Domain.MR, magnetic, shares)
    return Recognition(Domain.UNKNOWN, max(shares[Domain.CT], magnetic), shares)
