"""The ways in which one pane shows two volumes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ctmri_gui.viewer.roles import FURTHER, SYNTHETICS, Role


class Mode(StrEnum):
    """In the order in which one key goes through them."""

    OFF = "off"
    FADE = "fade"
    WIPE = "wipe"
    CHECKER = "checkerboard"
    DIFFERENCE = "difference"
    FLICKER = "flicker"

    @property
    def label(self) -> str:
        return _LABELS[self]

    @property
    def next(self) -> Mode:
        modes = list(Mode)
        return modes[(modes.index(self) + 1) % len(modes)]


_LABELS = {
    Mode.OFF: "One picture",
    Mode.FADE: "Fade",
    Mode.WIPE: "Wipe",
    Mode.CHECKER: "Checkerboard",
    Mode.DIFFERENCE: "Difference",
    Mode.FLICKER: "Flicker (hold the key)",
}
CHECKER_SIZES_MM = (5.0, 10.0, 15.0, 20.0, 30.0, 40.0, 60.0, 80.0)
_PARTNERS = {
    Role.SOURCE: (Role.SYNTHETIC, Role.TRUTH, *FURTHER),
    Role.TRUTH: (*SYNTHETICS, Role.SOURCE),
    **{role: (Role.TRUTH, *(other for other in SYNTHETICS if other is not role), Role.SOURCE) for role in SYNTHETICS},
}


@dataclass(frozen=True)
class Compare:
    """How a pane compares.

    `other`: with what; None for the volume that tells most beside the pane's own. `amount`: what the fade takes of the other
    picture, 0 to 1. `line`: where the wipe's line is, as a share of the pane's width, or of its height where it does not stand
    `upright`. `checker_mm`: the side of a square.
    """

    mode: Mode = Mode.OFF
    other: Role | None = None
    amount: float = 0.5
    line: float = 0.5
    upright: bool = True
    checker_mm: float = 20.0

    @property
    def active(self) -> bool:
        return self.mode is not Mode.OFF


def partners_of(role: Role, present: tuple[Role, ...]) -> tuple[Role, ...]:
    """With what a pane of `role` can be compared, the most telling first: a synthetic image with its truth and the other way
    round, a source with what was made from it."""
    return tuple(other for other in _PARTNERS[role] if other in present)


def next_checker(size: float, step: int) -> float:
    """The size of squares `step` places further in the list."""
    nearest = min(range(len(CHECKER_SIZES_MM)), key=lambda n: abs(CHECKER_SIZES_MM[n] - size))
    return CHECKER_SIZES_MM[min(max(nearest + step, 0), len(CHECKER_SIZES_MM) - 1)]
