"""The writing of pictures and films, as the window starts it."""

from __future__ import annotations

from pathlib import Path

from ctmri_core.events import Progress, StopSignal, Work
from ctmri_gui.film.order import Kind, Order
from ctmri_gui.film.painted_frames import PaintedFrames


def write(order: Order, frames: PaintedFrames, target: Path, synthetic: bool, stop: StopSignal) -> Work[Path]:
    """Raises `WriteFailed`; `Stopped`."""
    from ctmri_core.io import film

    if order.kind is Kind.PICTURE:
        return (yield from film.write_still(frames, target, synthetic=synthetic, stop=stop))
    if order.kind is Kind.GRID:
        return (yield from film.write_montage(frames, target, order.columns, synthetic=synthetic, stop=stop))
    playing = film.Playing(order.rate, order.there_and_back)
    return (yield from film.write_film(frames, target, playing, synthetic=synthetic, stop=stop))


def why_no_mp4(_stop: StopSignal) -> Work[str]:
    """In words; empty where MP4 can be written. Runs a program."""
    yield Progress(done=0, message="looking for ffmpeg")
    from ctmri_core.io.film_mp4 import why_not

    return why_not()

