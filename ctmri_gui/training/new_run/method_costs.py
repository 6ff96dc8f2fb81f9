"""What methods cost beside each other: the figures of `tests/benchmarks/bench_methods.py`, of default networks and 256 x 256.

On a processor a step took 0.65 to 0.7 times as long as its operations let expect, beside pix2pix (AGGAN, AttentionGAN, CUT).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

BESIDE = "pix2pix"
_STEPS = 5
_DEAREST_WORK, _DEAREST_MEMORY = 32.0, 4.0


@dataclass(frozen=True)
class Cost:
    """Arithmetic of a step and the memory it takes, one slice at a time, as multiples of those of `BESIDE`."""

    work: float
    memory: float

    @property
    def words(self) -> str:
        """For a card: `Work per step ●●●●○ 20 ×   Memory ●●●○○ 2.2 ×`."""
        work, memory = _dots(self.work / _DEAREST_WORK), _dots(self.memory / _DEAREST_MEMORY)
        return f"Work per step {work} {_times(self.work)}   Memory {memory} {_times(self.memory)}"

    @property
    def spoken(self) -> str:
        return f"A step takes {_times(self.work)} the arithmetic and {_times(self.memory)} the memory of one of {BESIDE}"


COSTS: Mapping[str, Cost] = MappingProxyType({
    "aggan": Cost(9.9, 1.49),
    "attention_gan": Cost(21.9, 2.51),
    "cut": Cost(15.5, 1.77),
    "cyclegan": Cost(20.3, 2.23),
    "deeplab_v3_plus": Cost(0.7, 0.19),
    "pix2pix": Cost(1.0, 1.00),
    "reggan": Cost(4.3, 0.74),
    "regressor": Cost(1.2, 0.60),
    "ssim_cyclegan": Cost(20.3, 2.26),
    "stargan": Cost(5.2, 1.88),
    "unit": Cost(25.2, 2.83),
    "vae_cyclegan": Cost(28.1, 2.75),
})  # fmt: skip


def _dots(share: float) -> str:
    """Full ones for a share of the dearest, by its logarithm: each is about twice the one before."""
    full = min(max(round(_STEPS + math.log2(max(share, 1e-3))), 1), _STEPS)
    return "●" * full + "○" * (_STEPS - full)


def _times(value: float) -> str:
    return f"{value:.1f} ×" if value < 10 else f"{value:.0f} ×"
