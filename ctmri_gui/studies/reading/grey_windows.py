"""With which windows pictures of a study may be looked at: the same for all of them, never found from one picture."""

from __future__ import annotations

from ctmri_core.studies.pictures import Int16Array
from ctmri_gui.viewer.preset_book import CT_PRESETS
from ctmri_gui.viewer.presets import Preset, Window

_CT, _MR = Window(250.0, 2500.0), Window(500.0, 1000.0)
"""The whole range of the common form (`ctmri_core.studies.common_form`): HU from air to dense bone; MR on its own percentiles."""
_CT_NAMES = ("Brain", "Bone", "Lung", "Abdomen / soft tissue")
_MR_PRESETS = (Preset("Dark tissues", Window(250.0, 500.0)), Preset("Bright tissues", Window(700.0, 600.0)))


def windows_for(first: Int16Array, chosen: tuple[float, float] | None) -> tuple[Preset, ...]:
    """The study's own window first. `first`: any picture of the study: outside of the body CT lies far below 0 and MR never
    does, so all pictures give one answer. `chosen`: centre and width that the protocol names."""
    is_ct = bool(first.min() < 0)
    whole = _CT if is_ct else _MR
    own = (Preset("As at first", Window(*chosen)), Preset("Whole range", whole)) if chosen else (Preset("Whole range", whole),)
    more = tuple(one for one in CT_PRESETS if one.name in _CT_NAMES) if is_ct else _MR_PRESETS
    return (*own, *more)[:9]
