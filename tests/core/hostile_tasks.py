"""What native parsers do at their worst. Runs in a reader process of the tests only."""

from __future__ import annotations

import ctypes
import os
import sys
import threading
import time
from pathlib import Path

import numpy as np

from ctmri_core.errors import FileRefused
from ctmri_core.io import reader_channel


def echo(path, *values):
    return (path, *values)


def process_id(path):
    return os.getpid()


def modules(path):
    return sorted(sys.modules)


def numbers(path, count):
    return {"ramp": np.arange(count, dtype=np.float32), "twice": [np.full((3, 4), 7, np.int16), np.asfortranarray(np.eye(300))]}


def prints(path):
    os.write(1, b"\x00" * 100_000)
    sys.stdout.write("a library says something")
    return sys.stdin.read()


def aborts(path):
    os.abort()


def segfaults(path):
    ctypes.string_at(0)


def exits(path):
    os._exit(0)


def hangs(path):
    threading.Event().wait()


def sleeps(path, seconds):
    time.sleep(seconds)
    return path


def allocates(path, count):
    return np.ones(count, np.uint8).sum()


def grows(path, step):
    """Takes `step` bytes more every hundredth of a second, for ever."""
    held = []
    while True:
        held.append(np.ones(step, np.uint8))
        time.sleep(0.01)


def surroundings(path):
    open_files = [str(entry.readlink()) for entry in Path("/proc/self/fd").iterdir() if entry.is_symlink()]
    return str(Path.cwd()), dict(os.environ), open_files


def refuses(path):
    raise FileRefused(path, "field X is 3.", "Export it again.")


def has_a_bug(path):
    raise KeyError("a bug")


def dies_after_sharing(path):
    """The worker is the main module: its answer is packed into a shared block and then never sent."""
    sys.modules["__main__"].send = lambda *_: os._exit(1)
    return np.arange(100_000)


def without_room(path, count):
    reader_channel._room_for = lambda size: False
    return np.arange(count)
