"""Opens the window in which a study is read, as a program of its own: it has no way to the truth."""

from __future__ import annotations

import argparse
import subprocess
import sys
from importlib.util import find_spec

from ctmri_core.cli.terminal import given_path
from ctmri_core.errors import CtmriError
from ctmri_core.events import Progress, StopSignal, Work

Lines = list[str]
_WINDOW = "ctmri_gui.studies.reading"
_LOOK_S = 0.3


def add_read(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("place", type=given_path, metavar="PLACE", help="a packed study, or the folder of one")
    parser.add_argument("--reader", default="", metavar="CODE", help="whose trials; of a packed study there is one only")
    parser.add_argument("--windowed", action="store_true", help="not full screen")


def read(arguments: argparse.Namespace, _secret: str, stop: StopSignal) -> Work[Lines | None]:
    """Until the window is closed. Raises `CtmriError` where it did not open."""
    if find_spec(_WINDOW.partition(".")[0]) is None or find_spec("PySide6") is None:
        raise CtmriError("The window is not installed here. Install ctmri-studio with its window, or read on another machine.")
    yield Progress(done=0, message="reading in its own window")
    named = ["--reader", arguments.reader] if arguments.reader else []
    command = [sys.executable, "-m", _WINDOW, str(arguments.place), *named, *(["--windowed"] if arguments.windowed else [])]
    with subprocess.Popen(command) as window:
        while True:
            try:
                status = window.wait(_LOOK_S)
                break
            except subprocess.TimeoutExpired:
                if stop():
                    window.terminate()  # what was answered is on the disk
    if status > 0:
        raise CtmriError("The study could not be read; the reason stands above.")
    return None if stop() else ["What was answered is on the disk."]
