"""Whether numbers may be shown for a synthetic volume and a truth, and in words why not."""

from __future__ import annotations

from dataclasses import dataclass

from ctmri_core.alignment import Alignment
from ctmri_core.domain import Domain
from ctmri_core.volume import Volume


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether numbers may be shown. `message` says why not, or how well the volumes lie on each other.

    `outline_dice` and `mutual_information` (see `Alignment`) compare truth and source; `aligned`: whether these show
    each place at one place. None where that was not measured.
    """

    comparable: bool
    message: str
    outline_dice: float | None = None
    mutual_information: float | None = None
    aligned: bool | None = None


def why_never(source: Volume, synthetic: Volume, truth: Volume) -> str:
    """What forbids numbers wherever the truth lies; empty when nothing does."""
    if truth.synthetic:
        return "The ground truth is itself synthetic, so there is nothing real to compare with."
    if not synthetic.geometry.is_close(source.geometry):
        return "The synthetic volume does not lie on the grid of the source; translate this source again."
    return ""


def verdict_on(synthetic: Volume, truth: Volume, alignment: Alignment, *, mirrored: bool = False) -> Verdict:
    """`mirrored`: truth and source fit better with left and right exchanged.

    The alignment is told even where the contrast alone forbids numbers: the pictures lie side by side all the same.
    """
    wrong_contrast = _wrong_contrast(synthetic, truth)
    if wrong_contrast:
        message = f"{wrong_contrast} Alignment: {alignment.state} ({alignment.numbers})."
    elif alignment.state == "no overlap":
        message = "No overlap: the ground truth shows another part of space than the source."
    elif mirrored:
        message = f"Mirrored: the ground truth fits the source better with left and right exchanged ({alignment.numbers})."
    elif not alignment.good:
        message = f"Not aligned: register the ground truth to the source first ({alignment.numbers})."
    else:
        message = f"Aligned: {alignment.numbers}."
    aligned = alignment.good and not mirrored
    comparable = aligned and not wrong_contrast
    return Verdict(comparable, message, alignment.outline_dice, alignment.mutual_information, aligned)


def _wrong_contrast(synthetic: Volume, truth: Volume) -> str:
    if truth.domain is synthetic.domain:
        return ""
    if truth.domain is Domain.UNKNOWN or (truth.domain is Domain.MR and synthetic.domain.is_mr):
        unknown = "weighting" if truth.domain is Domain.MR else "kind"
        return f"The {unknown} of the ground truth is not known; say that it is {synthetic.domain.label} if that is so."
    return f"{truth.domain.label} is not the target of a {synthetic.domain.label} model."
