"""The seeded digital head."""

from ctmri_core.phantom.head import make_head
from ctmri_core.phantom.tissues import Tissue

__all__ = ["Tissue", "make_head"]
