"""Laying a volume on another one of the same patient: by registration or by hand, judged, and told in the volume's record."""

from ctmri_core.aligning.align import Aligned, align
from ctmri_core.aligning.kinds import KINDS, Kind
from ctmri_core.aligning.placed import placed

__all__ = ["KINDS", "Aligned", "Kind", "align", "placed"]
