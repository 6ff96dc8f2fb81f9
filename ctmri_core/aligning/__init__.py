"""Laying a volume on another one of the same patient: by registration or by hand, judged, and told in the volume's record."""

from ctmri_core.aligning.align import KINDS, Aligned, Kind, align
from ctmri_core.aligning.by_hand import Nudge
from ctmri_core.aligning.placed import NOT_ALIGNED, REGISTERED, placed

__all__ = ["KINDS", "NOT_ALIGNED", "REGISTERED", "Aligned", "Kind", "Nudge", "align", "placed"]
