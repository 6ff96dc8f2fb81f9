"""MP4 through the program `ffmpeg`, which is run beside ours and fed through a pipe; nothing of it is loaded here.

`imageio-ffmpeg` brings such a program, or finds the one of the system; the variable IMAGEIO_FFMPEG_EXE names another. H.264 is
written where the program can, by whichever of its encoders comes first in `_ENCODERS`, else MPEG-4 part 2.
"""

from __future__ import annotations

import logging
import os
import re
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import numpy as np

from ctmri_core.errors import WriteFailed
from ctmri_core.files import provoke_refusal
from ctmri_core.io.film_palette import Frame

_log = logging.getLogger(__name__)
_ENCODERS = {
    "libx264": ("-preset", "medium", "-crf", "16"),
    "libopenh264": ("-rc_mode", "quality", "-qmin", "10", "-qmax", "24"),
    "h264_videotoolbox": ("-q:v", "75"),
    "h264_mf": ("-rate_control", "quality", "-quality", "90"),
    "mpeg4": ("-q:v", "2"),
}
"""What to ask of each encoder; all leave no visible trace of compression in grey slices."""
_COLOURS = ("-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709", "-color_range", "tv")
_PIXELS = "scale=out_color_matrix=bt709:out_range=tv,format=yuv420p"
_KEY_SECONDS = 0.5  # between whole pictures, so that players can be dragged through the film
_PATIENCE, _LAST_WORK = 20.0, 300.0  # seconds: for small things, and for what is left to do after the last frame
_HIDDEN = getattr(subprocess, "CREATE_NO_WINDOW", 0)
_MISSING = "MP4 cannot be written here: no ffmpeg was found. Install imageio-ffmpeg (or ffmpeg), or save a GIF."
_NO_ENCODER = "MP4 cannot be written here: the ffmpeg that was found has no encoder for it. Save a GIF."


def why_not() -> str:
    """Why no MP4 can be written on this machine, in words; empty where it can. Takes up to seconds when first asked."""
    program = _program()
    if program is None:
        return _MISSING
    return "" if _encoder(program) else _NO_ENCODER


class Mp4Writer:
    """Frames of one size, painted at `rate` per second; an odd last row or column is doubled, which the format asks for.

    `told`: the comment in the metadata. Raises `WriteFailed` where the program is missing or ends early.
    """

    def __init__(self, path: Path, rate: float, told: str) -> None:
        self._path, self._rate, self._told = path, rate, told
        self._process: subprocess.Popen[bytes] | None = None
        self._said: IO[bytes] | None = None

    def __enter__(self) -> Self:
        problem = why_not()
        if problem:
            raise WriteFailed(problem)
        self._said = tempfile.TemporaryFile()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:  # fmt: skip
        try:
            if self._process is not None:
                self._end(self._process, give_up=kind is not None)
        finally:
            if self._said is not None:
                self._said.close()

    def add(self, frame: Frame) -> None:
        rows, columns, _ = frame.shape
        even = np.pad(frame, ((0, rows % 2), (0, columns % 2), (0, 0)), mode="edge")
        if self._process is None:
            self._process = self._begin(even.shape[1], even.shape[0])
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(even.tobytes())
        except OSError:  # it has ended; the pipe says no more than that
            self._refuse(self._process)

    def _begin(self, width: int, height: int) -> subprocess.Popen[bytes]:
        program = _program()
        assert program is not None
        assert self._said is not None
        encoder = _encoder(program)
        rate = f"{self._rate:g}"
        words = [
            program, "-hide_banner", "-loglevel", "error", "-y",
            "-f", "rawvideo", "-pix_fmt", "rgb24", "-video_size", f"{width}x{height}", "-framerate", rate, "-i", "pipe:0",
            "-an", "-vf", _PIXELS, "-c:v", encoder, *_ENCODERS[encoder], "-g", str(max(round(self._rate * _KEY_SECONDS), 1)),
            *_COLOURS, "-map_metadata", "-1", "-fflags", "+bitexact", "-metadata", f"comment={self._told}",
            "-movflags", "+faststart", "-f", "mp4", str(self._path.absolute()),
        ]  # fmt: skip
        try:
            return subprocess.Popen(
                words, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=self._said, creationflags=_HIDDEN
            )
        except OSError as error:
            raise WriteFailed(_MISSING) from error

    def _end(self, process: subprocess.Popen[bytes], *, give_up: bool) -> None:
        assert process.stdin is not None
        if give_up:
            process.kill()
        try:
            process.stdin.close()
        except OSError:  # what was still in the pipe found nobody
            _log.info("the pipe to ffmpeg was closed early")
        try:
            code = process.wait(_PATIENCE if give_up else _LAST_WORK)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait(_PATIENCE)
        if code and not give_up:
            self._refuse(process)

    def _refuse(self, process: subprocess.Popen[bytes]) -> None:
        """Raises what the disk says against writing, else `WriteFailed`."""
        process.wait(_PATIENCE)
        assert self._said is not None
        self._said.seek(0)
        last = self._said.read().decode("utf-8", "replace").strip().rpartition("\n")[2]
        _log.warning("ffmpeg ended early: %s", last.replace(str(self._path), "the film").replace(str(self._path.parent), "…"))
        provoke_refusal(self._path)
        raise WriteFailed("The film could not be written: ffmpeg ended early. The log says why. Save a GIF instead.")


def _program() -> str | None:
    """The file of ffmpeg; None where there is none."""
    named = os.environ.get("IMAGEIO_FFMPEG_EXE")
    if named:
        return named
    try:
        from imageio_ffmpeg import get_ffmpeg_exe
    except ImportError:
        return None
    try:
        return str(get_ffmpeg_exe())
    except RuntimeError:
        return None


@cache
def _encoder(program: str) -> str:
    """The best encoder that `program` has; empty for none."""
    try:
        listed = subprocess.run(
            [program, "-hide_banner", "-encoders"], capture_output=True, timeout=_PATIENCE, creationflags=_HIDDEN, check=True
        ).stdout.decode("utf-8", "replace")
    except (OSError, subprocess.SubprocessError):
        return ""
    present = set(re.findall(r"^ V\S{5} (\S+)", listed, re.MULTILINE))
    return next((name for name in _ENCODERS if name in present), "")
