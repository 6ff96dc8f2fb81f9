"""What is said of one of several answers of a model."""

from __future__ import annotations

from ctmri_core.volume import Volume


def draw_words(volume: Volume) -> str:
    """`Draw 2 of 5`; empty for what is none of several."""
    details = volume.synthetic.details if volume.synthetic is not None else {}
    draw, asked = details.get("draw"), details.get("asked")
    if not isinstance(draw, int):
        return ""
    count = asked.get("draws") if isinstance(asked, dict) else None
    return f"Draw {draw} of {count}" if isinstance(count, int) else f"Draw {draw}"


def other_answer(one: Volume | None, other: Volume | None) -> bool:
    """Whether both are what one model made of one scan."""
    if one is None or other is None or one.synthetic is None or other.synthetic is None:
        return False
    return one.geometry is other.geometry and one.synthetic.model_hash == other.synthetic.model_hash
