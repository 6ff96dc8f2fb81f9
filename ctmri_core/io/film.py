"""Pictures of what the panes show, as files: one picture, a grid of slices, a film.

Whoever paints hands over frames, arrays of red, green and blue; nothing here knows a pane. The metadata of every file say what
made it and, where a synthetic image is shown, that it is not for diagnosis; they hold nothing of a patient and no date.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

import ctmri_core
from ctmri_core import NOT_FOR_DIAGNOSIS
from ctmri_core.errors import WriteFailed
from ctmri_core.events import Progress, StopSignal, Work, never
from ctmri_core.files import atomic_file
from ctmri_core.io.film_gif import GifWriter
from ctmri_core.io.film_mp4 import Mp4Writer
from ctmri_core.io.film_palette import Frame, FramePalette

MOST_PIXELS = 100_000_000
"""Of one picture: 300 MB of bytes while it is put together."""
_SAMPLES = 8  # frames from which the colours of a GIF are chosen
_GAP = 4


class Frames(Protocol):
    """Pictures of one size that can be asked for in any order, painted when they are asked for."""

    def __len__(self) -> int: ...

    def pictures(self, numbers: Sequence[int], stop: StopSignal) -> Iterator[Frame]:
        """Frames (rows, columns, 3) by number, from 0. Raises `Stopped`; `CtmriError` where they cannot be painted any more."""


@dataclass(frozen=True)
class Playing:
    """`rate`: frames per second. `there_and_back`: forwards, then backwards without showing the ends twice."""

    rate: float = 10.0
    there_and_back: bool = False

    def order(self, count: int) -> tuple[int, ...]:
        """The numbers of the frames as they are played once."""
        there = tuple(range(count))
        return there + there[-2:0:-1] if self.there_and_back else there


def statement(*, synthetic: bool) -> str:
    """What stands in the metadata of a file."""
    program = f"CT-MRI Studio {ctmri_core.__version__}"
    return f"{NOT_FOR_DIAGNOSIS}; {program}" if synthetic else program


def write_picture(frame: Frame, target: Path, *, synthetic: bool) -> Path:
    """One frame as PNG, its statement in `tEXt` chunks. Raises `WriteFailed`."""
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    told = PngInfo()
    told.add_text("Software", "CT-MRI Studio")
    told.add_text("Comment", statement(synthetic=synthetic))
    with atomic_file(target) as temporary:
        Image.fromarray(frame).save(temporary, "PNG", pnginfo=told)
    return target


def write_still(frames: Frames, target: Path, *, synthetic: bool, stop: StopSignal = never) -> Work[Path]:
    """The first frame as PNG. Raises `WriteFailed`; `Stopped`."""
    yield Progress(done=0, total=1, message="painting")
    (frame,) = frames.pictures((0,), stop)
    return write_picture(frame, target, synthetic=synthetic)


def write_montage(frames: Frames, target: Path, columns: int, *, synthetic: bool, stop: StopSignal = never) -> Work[Path]:
    """All frames in rows of `columns`, in their order, as one PNG. Raises `WriteFailed`; `Stopped`."""
    sheet: Frame | None = None
    count = len(frames)
    for number, frame in enumerate(frames.pictures(range(count), stop)):
        if sheet is None:
            sheet = _empty_sheet(frame, count, columns)
        height, width = frame.shape[0] + _GAP, frame.shape[1] + _GAP
        top, left = number // columns * height, number % columns * width
        sheet[top : top + height - _GAP, left : left + width - _GAP] = frame
        yield Progress(done=number + 1, total=count, unit="slices", message=f"writing {target.name}")
    if sheet is None:
        raise WriteFailed(f"{target.name} would hold no slice.")
    return write_picture(sheet, target, synthetic=synthetic)


def sheet_size(frame: tuple[int, int], count: int, columns: int) -> tuple[int, int]:
    """(width, height) in pixels of a grid of `count` frames of (width, height)."""
    across, down = min(columns, count), -(-count // columns)
    return across * (frame[0] + _GAP) - _GAP, down * (frame[1] + _GAP) - _GAP


def write_film(
    frames: Frames, target: Path, playing: Playing, *, synthetic: bool, stop: StopSignal = never
) -> Work[Path]:  # fmt: skip
    """GIF or MP4 by the suffix of `target`; a GIF begins anew at its end. Raises `WriteFailed`; `Stopped`."""
    order = playing.order(len(frames))
    yield Progress(done=0, total=len(order), unit="frames", message=f"writing {target.name}")
    gif = target.suffix.lower() == ".gif"
    colours = FramePalette.of(frames.pictures(_spread(len(frames)), stop)) if gif else None
    with atomic_file(target) as temporary, _writer(temporary, playing, colours, statement(synthetic=synthetic)) as writer:
        for number, frame in enumerate(frames.pictures(order, stop)):
            writer.add(frame)
            yield Progress(done=number + 1, total=len(order), unit="frames", message=f"writing {target.name}")
    return target


class _Writer(Protocol):
    def add(self, frame: Frame) -> None: ...


def _writer(path: Path, playing: Playing, colours: FramePalette | None, told: str) -> AbstractContextManager[_Writer]:
    return Mp4Writer(path, playing.rate, told) if colours is None else GifWriter(path, playing.rate, colours, told)


def _spread(count: int) -> tuple[int, ...]:
    return tuple(dict.fromkeys(np.linspace(0, count - 1, min(count, _SAMPLES)).round().astype(int).tolist()))


def _empty_sheet(frame: Frame, count: int, columns: int) -> NDArray[np.uint8]:
    rows, width, _ = frame.shape
    across, down = sheet_size((width, rows), count, columns)
    if across * down > MOST_PIXELS:
        raise WriteFailed(f"A picture of {across} x {down} pixels is too large. Take fewer slices, or smaller ones.")
    return np.zeros((down, across, 3), np.uint8)
