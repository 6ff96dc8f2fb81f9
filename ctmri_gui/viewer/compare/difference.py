"""Synthetic minus truth, or minus what another model made: what may be subtracted from what, and the picture of it in colours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QImage

from ctmri_core.volume import Volume
from ctmri_gui.viewer.compare.colour_maps import NONE, STEPS, ZERO, argb_table
from ctmri_gui.viewer.roles import Role

_Range = tuple[float, float]
_WAITING = "It is not known yet whether both show the same place."
_WORDS = {Role.SYNTHETIC: "synthetic", Role.TRUTH: "truth"}
_NOT_A_PAIR = "{one} and {other} have no scale in common."


class Verdict(Protocol):
    """`ctmri_core.comparison.Verdict` as far as it is asked."""

    @property
    def comparable(self) -> bool: ...
    @property
    def aligned(self) -> bool | None: ...
    @property
    def message(self) -> str: ...


class Compared(Protocol):
    """`ctmri_core.comparison.Comparison` as far as it is asked. `ranges`: of both images, None for HU."""

    @property
    def verdict(self) -> Verdict: ...
    @property
    def ranges(self) -> tuple[_Range, _Range] | None: ...


@dataclass(frozen=True)
class Scale:
    """The difference is `gains[0] * synthetic - gains[1] * truth + offset`, in `unit`; `convention`: that in words."""

    unit: str
    convention: str
    gains: tuple[float, float] = (1.0, 1.0)
    offset: float = 0.0


def in_order(pair: Iterable[Role]) -> tuple[Role, Role]:
    """From which of two the other is subtracted: the truth from what a model made, else what lies further behind."""
    first, second = sorted(pair, key=lambda role: (role is Role.TRUTH, list(Role).index(role)))
    return first, second


def scale_of(compared: Compared | None, volumes: Mapping[Role, Volume], pair: set[Role]) -> Scale | str:
    """How the volumes of two panes are subtracted, or why they are not, in a sentence.

    MR values have no unit: each image is brought to percent of its own in-body 0.5-99.5 % range, as its scores are. They are
    not clipped to it: what lies beyond in one image alone is a difference too.
    """
    if Role.SOURCE in pair:
        one, other = (volumes[role].label for role in Role if role in pair)
        return _NOT_A_PAIR.format(one=one, other=other)
    if compared is None:
        return _WAITING
    if not compared.verdict.comparable:
        return compared.verdict.message
    words = " − ".join(_WORDS.get(role, f"synthetic {role.letter}") for role in in_order(pair))
    if compared.ranges is None:
        return Scale("HU", f"{words}, HU")
    gains = tuple(100 / (high - low) for low, high in compared.ranges)
    offset = gains[1] * compared.ranges[1][0] - gains[0] * compared.ranges[0][0]
    said = f"{words}, % of each image's own in-body 0.5–99.5 % range"
    return Scale("%", said, (gains[0], gains[1]), offset)


def number(limit: float) -> str:
    """A limit as it is written."""
    return f"{limit:.{0 if limit >= 20 else 1}f}"


class DifferencePicture:
    """Differences of one shape after another in colours, with buffers kept between them."""

    def __init__(self) -> None:
        self._resize((0, 0))

    def render(self, synthetic: NDArray[Any], truth: NDArray[Any], scale: Scale, limit: float, colours: str) -> QImage:
        """Both (rows, columns) on one lattice, any strides, int16 or float32. `limit`: the difference, of either sign, shown in
        the end colours. Where one of them is not a number nothing is coloured.

        The picture shares this object's buffer: the next call changes it.
        """
        if synthetic.shape != self._first.shape:
            self._resize(synthetic.shape)
        first, second, index = self._first, self._second, self._index
        steps = STEPS / limit
        with np.errstate(invalid="ignore", over="ignore"):
            np.multiply(synthetic, np.float32(scale.gains[0] * steps), out=first)
            np.multiply(truth, np.float32(scale.gains[1] * steps), out=second)
            np.subtract(first, second, out=first)
            np.add(first, np.float32(scale.offset * steps + ZERO + 0.5), out=first)  # cut off below, so the half rounds
            np.clip(first, 1, 255, out=first)
        np.isnan(first, out=self._outside)
        np.copyto(first, NONE, where=self._outside)
        np.copyto(index, first, casting="unsafe")
        np.take(argb_table(colours), index, out=self._argb, mode="clip")
        rows, columns = self._argb.shape
        return QImage(self._argb.data, columns, rows, 4 * columns, QImage.Format.Format_ARGB32_Premultiplied)

    def _resize(self, shape: tuple[int, ...]) -> None:
        self._first, self._second = np.empty(shape, np.float32), np.empty(shape, np.float32)
        self._outside, self._index = np.empty(shape, np.bool_), np.empty(shape, np.uint8)
        self._argb = np.empty(shape, np.uint32)
