"""What a pane is for."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """The three places of a comparison, in the order they stand on the screen."""

    SOURCE = "source"
    SYNTHETIC = "synthetic"
    TRUTH = "truth"

    @property
    def label(self) -> str:
        return _LABELS[self]


_LABELS = {Role.SOURCE: "Source", Role.SYNTHETIC: "Synthetic", Role.TRUTH: "Ground truth"}
