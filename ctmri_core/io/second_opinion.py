"""What a volume shows by its voxels, set beside what its file says: the file is never overruled, and doubt is told.

A DICOM header and the words of a name stay as they are; where the voxels clearly show something else, a serious finding says so
and what it means. Where the file says nothing, or was only guessed about, the kind that is recognised counts, and is told as a
guess.
"""

from __future__ import annotations

from dataclasses import replace

from ctmri_core.domain import Domain
from ctmri_core.errors import WrongInput
from ctmri_core.io.domain_guess import DOUBT
from ctmri_core.recognition import Recognition, recognise
from ctmri_core.volume import Finding, Volume, kind_label

DISAGREES = "looks_otherwise"
GUESSED = "guessed_domain"
WEIGHTING = "looks_weighted"
INVERTED = "looks_inverted"
_INVERTED = Finding(
    INVERTED,
    "Black and white look exchanged in this image. Values mean nothing so, and no model was made for it. Export it anew.",
    serious=True,
)


def answered(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """`findings` without the questions that are settled once a person says what a volume shows."""
    return tuple(finding for finding in findings if finding.kind not in (DISAGREES, GUESSED, WEIGHTING))


def taken_for(volume: Volume, told: Domain) -> Volume:
    """`volume` as what the user says it is. Raises `WrongInput` when its DICOM header says otherwise."""
    if contradicts_header(volume, told):
        raise WrongInput(f"The DICOM header says that this is {volume.domain.label}, so it is not taken for {told.label}.")
    return volume.with_history(f"taken for {told.label}, as the user said", domain=told, findings=answered(volume.findings))


def contradicts_header(volume: Volume, told: Domain) -> bool:
    """Whether the DICOM header of `volume` says that it is of another modality than `told`."""
    return volume.dicom is not None and volume.domain.modality not in (told.modality, Domain.UNKNOWN.modality)


def with_second_opinion(volume: Volume) -> Volume:
    """`volume` with what its voxels say of its kind. Images that a model made keep the kind that is recorded in them."""
    if volume.synthetic is not None:
        return volume
    seen = recognise(volume)
    if seen.inverted:
        return replace(volume, findings=(*volume.findings, _INVERTED))
    if not seen.sure:
        return volume
    if volume.dicom is None and _is_guess(volume):
        return _taken_for(volume, seen)
    finding = _finding(volume, seen)
    return volume if finding is None else replace(volume, findings=(*volume.findings, finding))


def _is_guess(volume: Volume) -> bool:
    """Whether only values told what it is, or nothing did."""
    guessed = any(finding.kind == GUESSED and not finding.serious for finding in volume.findings)
    return volume.domain is Domain.UNKNOWN or guessed


def _taken_for(volume: Volume, seen: Recognition) -> Volume:
    """A second look at values finds more than the first; where both find CT, that it is CT need not be told twice."""
    if seen.domain is volume.domain:
        return volume
    others = tuple(finding for finding in volume.findings if finding.kind != GUESSED)
    finding = Finding(GUESSED, f"Taken for {seen.label} by how it looks; the file does not say. {DOUBT}")
    before, after = (kind_label(domain, synthetic=False, phantom=volume.phantom) for domain in (volume.domain, seen.domain))
    name = after + volume.name.removeprefix(before) if volume.name.startswith(before) else volume.name
    return replace(volume, domain=seen.domain, name=name, findings=(*others, finding))


def _finding(volume: Volume, seen: Recognition) -> Finding | None:
    told, source = volume.domain, "The DICOM header says" if volume.dicom is not None else "The name says"
    if told is Domain.UNKNOWN:
        return Finding(WEIGHTING, f"Looks like {seen.label}; the DICOM header names neither CT nor MR. {DOUBT}")
    if told is Domain.MR and seen.domain.is_mr:
        if seen.domain is Domain.MR:
            return None
        return Finding(WEIGHTING, f"Looks like {seen.label}; the file does not say how this MR is weighted. {DOUBT}")
    if not seen.contradicts(told):
        return None
    if any(finding.kind == GUESSED and finding.serious for finding in volume.findings):
        return None  # the same was told already
    message = f"{source} {told.label}, but this looks like {seen.label}."
    if told.modality == seen.domain.modality:
        return Finding(DISAGREES, f"{message} A model made for {told.label} may show something wrong. {DOUBT}")
    unit = "Values are shown and measured in HU" if told is Domain.CT else "Values are shown without a unit"
    wrong = f"{unit}, and models for {told.label} are offered, which is wrong if it is."
    return Finding(DISAGREES, f"{message} {wrong} {DOUBT}", serious=True)
