"""Which model translates a volume where none was named: by what the file says, beside what the voxels show."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ctmri_core.domain import Domain
from ctmri_core.errors import ModelRefused, WrongInput

if TYPE_CHECKING:
    from ctmri_core.recognition import Recognition
    from ctmri_core.volume import Volume

DECIDE = "Say what it shows, or which model to use."


def chosen_model(volume: Volume, told: Domain | None, folders: Sequence[Path], decide: str = DECIDE) -> Path:
    """The best model for `volume`. `told`: what the user says that it shows, which ends every doubt; `decide`: how to say so.

    Raises `WrongInput` where file and voxels disagree, or nobody knows what it shows; `ModelRefused` where no model fits.
    """
    from ctmri_core.model_card import choose_model
    from ctmri_core.recognition import recognise

    if told is not None or volume.synthetic is not None:
        return choose_model(volume.domain, folders, phantom=volume.phantom)
    seen, name = recognise(volume), volume.name or "The input"
    if seen.inverted:
        raise WrongInput(f"{name}: black and white look exchanged. Export it anew; {_lowered(decide)}")
    if seen.contradicts(volume.domain):
        raise WrongInput(f"{name} is said to be {volume.domain.label}, but looks like {seen.label}. {decide}")
    if not seen.sure and any(finding.kind == "guessed_domain" for finding in volume.findings):
        raise WrongInput(f"{name}: the file does not say whether this is CT or MR, and its voxels do not tell. {decide}")
    if volume.domain is Domain.MR:
        return _for_unknown_weighting(volume, seen, folders, decide)
    return choose_model(volume.domain, folders, phantom=volume.phantom)


def _for_unknown_weighting(volume: Volume, seen: Recognition, folders: Sequence[Path], decide: str) -> Path:
    """One made for the weighting that is recognised; where none is, the only kind that there is a model for."""
    from ctmri_core.model_card import choose_model, offered_models

    name, phantom = volume.name or "The input", volume.phantom
    cards = [entry.card for entry in offered_models(folders) if entry.card is not None and not entry.card.outlines]
    takes = {card.direction.source for card in cards if card.direction.source.is_mr}
    if not seen.domain.is_mr or seen.domain is Domain.MR:
        if len(takes) > 1 and Domain.MR not in takes:
            kinds = ", ".join(sorted(kind.label for kind in takes))
            unknown = f"{name} is MR, but neither file nor voxels tell how it is weighted"
            raise WrongInput(f"{unknown}; there are models for {kinds}. {decide}")
        return choose_model(Domain.MR, folders, phantom=phantom)
    try:
        return choose_model(seen.domain, folders, phantom=phantom)
    except ModelRefused as refusal:
        raise ModelRefused(f"{name} looks like {seen.label}. {refusal} If it is something else: {_lowered(decide)}") from None


def _lowered(text: str) -> str:
    return text[0].lower() + text[1:]
