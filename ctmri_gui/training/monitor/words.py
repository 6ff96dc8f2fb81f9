"""Numbers of a run in words."""

from __future__ import annotations

import math
from datetime import datetime

from ctmri_core.domain import Direction, Domain
from ctmri_core.method import JUDGED

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_METRICS = {
    "mae_hu": ("error", "HU"), "mae_percent": ("error", "%"), "psnr_db": ("PSNR", "dB"), "ssim": ("SSIM", ""),
    "dice": ("Dice", ""), "iou": ("IoU", ""),
}  # fmt: skip
_MEMORY = {
    "memory_gib": "in use", "memory_free_gib": "free", "host_memory_gib": "in use, main memory", "memory_mb": "in use",
    "device_memory_mb": "in use, graphics card",
}  # fmt: skip
_DEVICES = {"cpu": "processor", "cuda": "graphics card"}
_GROUPS = {"l1": "L1", "gan": "GAN", "kl": "KL", "nce": "NCE", "ssim": "SSIM"}


def duration(seconds: float) -> str:
    """`0:42 min`, `12 min`, `2 h 05 min`, `3 d 4 h`: two figures are enough."""
    whole = max(round(seconds), 0)
    if whole < 10 * _MINUTE:
        return f"{whole // _MINUTE}:{whole % _MINUTE:02d} min"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min"
    if whole < _DAY:
        return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE:02d} min"
    return f"{whole // _DAY} d {whole % _DAY // _HOUR} h"


def ago(then: datetime, now: datetime) -> str:
    """`just now`, `2 min ago`."""
    seconds = (now - then).total_seconds()
    return "just now" if seconds < 10 else f"{round(seconds)} s ago" if seconds < _MINUTE else f"{duration_short(seconds)} ago"


def duration_short(seconds: float) -> str:
    """Whole minutes below an hour."""
    return f"{round(seconds / _MINUTE)} min" if seconds < _HOUR else duration(seconds)


def number(value: float) -> str:
    """Three figures, without a power of ten where a person can do without; `no number` for what diverged."""
    if not math.isfinite(value):
        return "no number"
    size = abs(value)
    if size >= 1000:
        return f"{value:,.0f}".replace(",", "\u2009") if size < 1e6 else f"{value:.2e}"
    return f"{value:.3g}" if size >= 1e-3 or size == 0 else f"{value:.1e}"


def count(value: int) -> str:
    """`12 340`, with a thin blank."""
    return f"{value:,}".replace(",", "\u2009")


def rate(seconds_per_step: float) -> str:
    """`3.2 steps per s`, or `1.4 s per step` where a step is slow."""
    if seconds_per_step <= 0:
        return ""
    if seconds_per_step > 1:
        return f"{seconds_per_step:.1f} s per step"
    return f"{1 / seconds_per_step:.1f} steps per s"


def score(name: str, value: float) -> str:
    """`error 84.3 HU` for `mae_hu`."""
    words, unit = _METRICS.get(name, (plain(name), ""))
    return f"{words} {number(value)} {unit}".rstrip()


def metric_of(name: str) -> tuple[str, str, str]:
    """(direction in words or nothing, metric, unit) of `<direction>/<metric>`."""
    way, _, metric = name.rpartition("/")
    words, unit = _METRICS.get(metric, (plain(metric), ""))
    return (_direction(way), words, unit)


def signal_of(name: str) -> str:
    """What a sign of health measures: `real T1 MR`, `generator`."""
    for start in (JUDGED, "gradient_", "saturation_", "variety_"):
        if name.startswith(start):
            return _parts(name.removeprefix(start))
    return _MEMORY.get(name) or plain(name)


def plain(name: str) -> str:
    """`cycle_ct` as `cycle CT`."""
    return _parts(name)


def device(details: dict[str, object]) -> str:
    """`processor, 32 bit` of what a run's start tells."""
    named = str(details.get("device", ""))
    precision = str(details.get("precision", ""))
    said = {"32": "32 bit", "bf16-mixed": "bfloat16", "16-mixed": "float16"}.get(precision, precision)
    return ", ".join(part for part in (_DEVICES.get(named, named), said) if part)


def _direction(name: str) -> str:
    try:
        return Direction.parse(name).label if name else ""
    except ValueError:
        return name


def _parts(name: str) -> str:
    """With domains and directions as people write them, else blanks for underscores."""
    for domain in Domain:
        if name == domain.value or name.endswith(f"_{domain.value}"):
            front = name[: -len(domain.value)].rstrip("_")
            if front.endswith("_to"):
                return _direction(name)
            return f"{_parts(front)} {domain.label}".strip()
    return " ".join(_GROUPS.get(part, part) for part in name.split("_"))
