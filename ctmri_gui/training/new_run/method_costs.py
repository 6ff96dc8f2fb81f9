"""What methods cost beside each other: figures of `tests/benchmarks/bench_methods.py`, default networks, float32, 256 x 256."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

BESIDE = "pix2pix"
_STEPS = 5
_DEAREST_TIME, _DEAREST_MEMORY = 8.0, 4.0


@dataclass(frozen=True)
class Cost:
    """Processor time of a step and the memory it takes, one slice at a time, as multiples of those of `BESIDE`."""

    time: float
    memory: float

    @property
    def words(self) -> str:
        """For a card: `time ●●●○○ 4 ×, memory ●●○○○ 2 × pix2pix`."""
        time, memory = _dots(self.time / _DEAREST_TIME), _dots(self.memory / _DEAREST_MEMORY)
        return f"Time {time} {_times(self.time)}   Memory {memory} {_times(self.memory)}"

    @property
    def spoken(self) -> str:
        return f"A step takes {_times(self.time)} the time and {_times(self.memory)} the memory of {BESIDE}"


COSTS: Mapping[str, Cost] = MappingProxyType({})


def _dots(share: float) -> str:
    full = min(max(round(share * _STEPS), 1), _STEPS)
    return "●" * full + "○" * (_STEPS - full)


def _times(value: float) -> str:
    return f"{value:.1f} ×" if value < 10 else f"{value:.0f} ×"
