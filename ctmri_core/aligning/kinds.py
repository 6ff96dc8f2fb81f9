"""What a registration may change, and what is found of how volumes lie."""

from __future__ import annotations

from typing import Literal

Kind = Literal["rigid", "affine", "bspline"]
KINDS: tuple[Kind, ...] = ("rigid", "affine", "bspline")
REGISTERED, NOT_ALIGNED = "registered", "not_aligned"
"""Kinds of findings."""
