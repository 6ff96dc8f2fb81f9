"""What a pane is for."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """The places of a comparison: the three of every case in the order they stand on the screen, then those of further models."""

    SOURCE = "source"
    SYNTHETIC = "synthetic"
    TRUTH = "truth"
    SYNTHETIC_B = "synthetic_b"
    SYNTHETIC_C = "synthetic_c"
    SYNTHETIC_D = "synthetic_d"

    @property
    def label(self) -> str:
        return _LABELS[self]

    @property
    def is_synthetic(self) -> bool:
        """Whether what a model made lies there."""
        return self in SYNTHETICS

    @property
    def letter(self) -> str:
        """By which one of several models is told from the others; empty for what no model made."""
        return "ABCD"[SYNTHETICS.index(self)] if self.is_synthetic else ""


MAIN = (Role.SOURCE, Role.SYNTHETIC, Role.TRUTH)
"""Those of every case."""
FURTHER = (Role.SYNTHETIC_B, Role.SYNTHETIC_C, Role.SYNTHETIC_D)
"""What other models made of the same source."""
SYNTHETICS = (Role.SYNTHETIC, *FURTHER)
Pair = tuple[Role, Role]
"""What a model made, and what it is compared with: the truth, or what another model made."""
_LABELS = {
    **{Role.SOURCE: "Source", Role.SYNTHETIC: "Synthetic", Role.TRUTH: "Ground truth"},
    **{Role.SYNTHETIC_B: "Synthetic B", Role.SYNTHETIC_C: "Synthetic C", Role.SYNTHETIC_D: "Synthetic D"},
}
