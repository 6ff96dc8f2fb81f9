"""What must be said of an image before it is trusted: what was found in its file, and a model of doubtful origin."""

from __future__ import annotations

from ctmri_core.volume import Finding, Volume
from ctmri_gui.models.library import Library

_UNVERIFIED = Finding("unverified_model", "Made by an unverified model: it did not come with the program.")
_TWICE_REMOVED = Finding("synthetic_source", "Made from a synthetic image: twice removed from a patient.", serious=True)


def doubts(volume: Volume, made_from: Volume | None, library: Library) -> tuple[Finding, ...]:
    """`made_from`: what `volume` was made from here, if it was."""
    said = list(volume.findings)
    if made_from is not None and made_from.synthetic is not None:
        said.append(_TWICE_REMOVED)
    if volume.synthetic is not None and not library.vouches_for(volume.synthetic):
        said.append(_UNVERIFIED)
    return tuple(said)
