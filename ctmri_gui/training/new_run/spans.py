"""Times and sizes in words."""

from __future__ import annotations

from datetime import datetime, timedelta

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


def span(seconds: float) -> str:
    """`40 s`, `12 min`, `3 h 20 min`, `4 days`."""
    if seconds < 10:
        return f"{seconds:.2g} s"
    if seconds < 2 * _MINUTE:
        return f"{seconds:.0f} s"
    if seconds < 2 * _HOUR:
        return f"{seconds / _MINUTE:.0f} min"
    if seconds < 2 * _DAY:
        hours, minutes = divmod(round(seconds / _MINUTE), 60)
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{seconds / _DAY:.0f} days"


def end_after(seconds: float, now: datetime) -> str:
    """`21:40`, `7:05 tomorrow`, `Tue 3 Mar, 7:05`: when it is so many `seconds` after `now`."""
    if seconds > 3650 * _DAY:
        return "in more than ten years"
    end = now + timedelta(seconds=seconds)
    clock = f"{end.hour}:{end.minute:02d}"
    days = (end.date() - now.date()).days
    if days == 0:
        return f"about {clock}"
    return f"about {clock} tomorrow" if days == 1 else f"{end:%a} {end.day} {end:%b}, about {clock}"


def gigabytes(count: float) -> str:
    """`3.1 GB`."""
    return f"{count / 2**30:.1f} GB"
