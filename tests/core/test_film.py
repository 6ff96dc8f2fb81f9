"""Pictures, grids and films: what other programs read from the files, and that nothing is left behind."""

from __future__ import annotations

import os
import stat
import struct
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from ctmri_core.errors import CtmriError, Stopped, WriteFailed
from ctmri_core.events import finish, never
from ctmri_core.io import film, film_mp4
from ctmri_core.io.film_palette import FramePalette

SHAPE = (61, 97)  # odd, which H.264 is not
RED = (90, 15, 18)


def painted(number: int) -> np.ndarray:
    """A ramp of all 256 greys that moves, under a red bar that stands still, beside a small map of many colours."""
    frame = np.zeros((*SHAPE, 3), np.uint8)
    ramp = (np.arange(SHAPE[1]) * 255 // (SHAPE[1] - 1) + 9 * number) % 256
    frame[:] = ramp[None, :, None]
    frame[:12] = RED
    if number == 1:
        frame[20:30, 10:74] = np.stack([np.arange(64) * 4, np.full(64, 90), 255 - np.arange(64) * 4], -1)
    return frame


class Painted:
    """Frames as a pane would hand them over; stops at `last`."""

    def __init__(self, count: int, last: int | None = None, error: Exception | None = None) -> None:
        self._count, self._last, self._error = count, last, error
        self.asked: list[int] = []

    def __len__(self) -> int:
        return self._count

    def pictures(self, numbers: Sequence[int], stop) -> Iterator[np.ndarray]:
        for number in numbers:
            if stop():
                raise Stopped("Stopped.")
            if self._error is not None and len(self.asked) == self._last:
                raise self._error
            self.asked.append(number)
            yield painted(number)


def decoded_gif(path: Path) -> tuple[list[np.ndarray], list[int], dict]:
    with Image.open(path) as picture:
        frames, times = [], []
        for number in range(picture.n_frames):
            picture.seek(number)
            times.append(picture.info["duration"])
            frames.append(np.array(picture.convert("RGB")))
        return frames, times, dict(picture.info)


def decoded_mp4(path: Path) -> tuple[list[np.ndarray], tuple[str, str, float], dict]:
    """Frames, (codec, kind of pixels, rate) and metadata."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        facts = stream.codec.name, stream.pix_fmt, float(stream.average_rate)
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)], facts, dict(container.metadata)


def chunks(path: Path) -> list[tuple[bytes, bytes]]:
    content, place, found = path.read_bytes(), 8, []
    while place < len(content):
        length, kind = struct.unpack_from(">I4s", content, place)
        found.append((kind, content[place + 8 : place + 8 + length]))
        place += 12 + length
    return found


def test_there_and_back_shows_no_end_twice():
    assert film.Playing(10, there_and_back=True).order(4) == (0, 1, 2, 3, 2, 1)
    assert film.Playing(10, there_and_back=True).order(1) == (0,)
    assert film.Playing(10).order(3) == (0, 1, 2)


@pytest.mark.parametrize("synthetic", [True, False])
def test_png_holds_the_pixels_and_says_what_it_shows(tmp_path, synthetic):
    target = tmp_path / "one.png"
    finish(film.write_still(Painted(1), target, synthetic=synthetic))
    with Image.open(target) as picture:
        assert np.array_equal(np.array(picture), painted(0))
        told = picture.text["Comment"]
    assert ("synthetic, not for diagnosis" in told) is synthetic
    assert {kind for kind, _ in chunks(target)} == {b"IHDR", b"tEXt", b"IDAT", b"IEND"}  # no date, no place, no profile
    assert str(tmp_path).encode() not in target.read_bytes()


def test_montage_stands_in_rows_and_leaves_the_rest_black(tmp_path):
    target = tmp_path / "grid.png"
    finish(film.write_montage(Painted(5), target, 3, synthetic=True))
    rows, columns = SHAPE
    with Image.open(target) as picture:
        sheet = np.array(picture)
    assert (sheet.shape[1], sheet.shape[0]) == film.sheet_size((columns, rows), 5, 3)
    assert np.array_equal(sheet[rows + 4 :, columns + 4 : 2 * columns + 4], painted(4))
    assert not sheet[rows + 4 :, 2 * columns + 4 :].any()


def test_a_montage_beyond_all_measure_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(film, "MOST_PIXELS", 10_000)
    with pytest.raises(WriteFailed, match="too large"):
        finish(film.write_montage(Painted(5), tmp_path / "grid.png", 3, synthetic=False))
    assert not list(tmp_path.iterdir())


def test_gif_keeps_greys_exactly_and_colours_nearly(tmp_path):
    target = tmp_path / "scroll.gif"
    finish(film.write_film(Painted(5), target, film.Playing(15), synthetic=True))
    frames, times, info = decoded_gif(target)
    assert len(frames) == 5
    for number, frame in enumerate(frames):
        off = np.abs(frame.astype(int) - painted(number))
        assert off[30:].max() <= 1  # 256 greys and 65 colours do not fit 256 places
        assert off[:12].max() == 0
        assert off.max() <= 8
    assert times == [70, 60, 70, 70, 60]  # 15 a second, in hundredths
    assert info["loop"] == 0
    assert info["comment"].startswith(b"synthetic, not for diagnosis")


@pytest.mark.parametrize("rate", [7, 12, 24, 30])
def test_times_of_a_gif_add_up_to_its_length(tmp_path, rate):
    finish(film.write_film(Painted(9), tmp_path / "a.gif", film.Playing(rate, there_and_back=True), synthetic=False))
    frames, times, info = decoded_gif(tmp_path / "a.gif")
    assert len(frames) == 16
    assert sum(times) == pytest.approx(16_000 / rate, abs=5.001)
    assert b"synthetic" not in info["comment"]


def test_a_gif_of_greys_alone_is_exact(tmp_path):
    greys = [np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)] * 2
    assert np.array_equal(FramePalette.of(greys).colours[FramePalette.of(greys).indices(greys[0])], greys[0])


def test_greys_that_no_sample_has_are_in_the_palette_too():
    black = np.zeros((4, 4, 3), np.uint8)
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    palette = FramePalette.of([black])
    assert np.array_equal(palette.colours[palette.indices(ramp)], ramp)


def test_still_frames_of_a_gif_are_shown_for_their_time(tmp_path):
    class Same(Painted):
        def pictures(self, numbers, stop):
            return (painted(0) for _ in numbers)

    finish(film.write_film(Same(6), tmp_path / "a.gif", film.Playing(10), synthetic=False))
    assert sum(decoded_gif(tmp_path / "a.gif")[1]) == 600


def test_mp4_is_h264_with_the_frames_in_their_order(tmp_path):
    target = tmp_path / "scroll.mp4"
    finish(film.write_film(Painted(6), target, film.Playing(12, there_and_back=True), synthetic=True))
    frames, facts, metadata = decoded_mp4(target)
    assert facts == ("h264", "yuv420p", 12)
    assert len(frames) == 10
    for number, frame in zip(film.Playing(12, there_and_back=True).order(6), frames, strict=True):
        assert frame.shape == (62, 98, 3)
        off = np.abs(frame[: SHAPE[0], : SHAPE[1]].astype(int) - painted(number))[34:]
        assert off.mean() < 3
    assert metadata["comment"].startswith("synthetic, not for diagnosis")
    content = target.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")  # begins to play before it is there whole
    assert b"creation_time" not in content
    assert str(tmp_path).encode() not in content


@pytest.mark.parametrize("name", ["a.gif", "a.mp4"])
def test_a_stopped_film_leaves_the_old_file_and_nothing_else(tmp_path, name):
    target = tmp_path / name
    target.write_bytes(b"the old one")
    asked = 0

    def stop() -> bool:
        nonlocal asked
        asked += 1
        return asked > 12

    with pytest.raises(Stopped):
        finish(film.write_film(Painted(40), target, film.Playing(10), synthetic=True, stop=stop))
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert target.read_bytes() == b"the old one"


@pytest.mark.parametrize("name", ["a.gif", "a.mp4"])
def test_frames_that_end_early_are_no_film(tmp_path, name):
    frames = Painted(40, last=11, error=CtmriError("The pane shows another scan by now."))
    with pytest.raises(CtmriError, match="another scan"):
        finish(film.write_film(frames, tmp_path / name, film.Playing(10), synthetic=True, stop=never))
    assert not list(tmp_path.iterdir())


def test_without_ffmpeg_mp4_is_refused_in_words_and_gif_goes_on(tmp_path, monkeypatch):
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(tmp_path / "none"))
    assert "Save a GIF" in film_mp4.why_not()
    with pytest.raises(WriteFailed, match="GIF"):
        finish(film.write_film(Painted(2), tmp_path / "a.mp4", film.Playing(10), synthetic=True))
    finish(film.write_film(Painted(2), tmp_path / "a.gif", film.Playing(10), synthetic=True))
    assert [path.name for path in tmp_path.iterdir()] == ["a.gif"]


@pytest.mark.skipif(os.name == "nt", reason="stands in for ffmpeg with a shell script")
def test_an_encoder_that_dies_is_told_and_leaves_nothing(tmp_path, monkeypatch):
    program = tmp_path / "ffmpeg"
    program.write_text(f"#!{sys.executable}\nimport sys\nif '-encoders' in sys.argv:\n    print(' V....D mpeg4  MPEG-4')\nelse:\n"
                       "    sys.stdin.buffer.read(100); sys.exit('no room in ' + sys.argv[-1])\n")  # fmt: skip
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(program))
    folder = tmp_path / "films"
    with pytest.raises(WriteFailed, match="ended early"):
        finish(film.write_film(Painted(30), folder / "a.mp4", film.Playing(10), synthetic=True))
    assert not folder.exists() or not list(folder.iterdir())
