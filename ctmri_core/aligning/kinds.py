"""What a registration may change."""

from __future__ import annotations

from typing import Literal

Kind = Literal["rigid", "affine", "bspline"]
KINDS: tuple[Kind, ...] = ("rigid", "affine", "bspline")
