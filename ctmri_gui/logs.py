"""The log file: rotating, readable by its owner alone, and free of patient data.

Error messages of foreign libraries can quote header values (a patient's name), so a logged exception keeps its type and
the lines it passed through, never its message.
"""

from __future__ import annotations

import faulthandler
import logging
import os
import re
import traceback
from collections.abc import Iterator
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType
from typing import TextIO

import platformdirs

ExceptionInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
OUR_LOGGERS = ("ctmri_core", "ctmri_gui")
_BYTES, _BACKUPS = 500_000, 3
_QUOTED = re.compile(r"""(?<!\w)(["'])(?:(?!\1).|(?<=\w)\1(?=\w))*\1(?!\w)""")
_PATHS = re.compile(r"\S*[/\\].*", re.DOTALL)  # to the end: names of folders hold blanks
_crash_file: TextIO | None = None


def log_file() -> Path:
    """Where the log is. The environment's `CTMRI_LOG_DIR` overrides the user's log folder."""
    named = os.environ.get("CTMRI_LOG_DIR")
    folder = Path(named) if named else platformdirs.user_log_path("ctmri-studio", appauthor=False)
    return folder / "ctmri-studio.log"


def start_logging() -> Path | None:
    """Sends our own loggers (no foreign one) and fatal signals to files beside each other.

    Returns the log file, or None when the folder cannot be written: the program runs on without a log.
    """
    global _crash_file
    path = log_file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handler = _PrivateFileHandler(path, maxBytes=_BYTES, backupCount=_BACKUPS, encoding="utf-8")
        _crash_file = _open_private(path.with_suffix(".crash"))
    except OSError:
        return None
    handler.setFormatter(RedactingFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    for name in OUR_LOGGERS:
        logger = logging.getLogger(name)
        logger.setLevel(logging.INFO)
        logger.addHandler(handler)
    faulthandler.enable(_crash_file)
    return path


class RedactingFormatter(logging.Formatter):
    """Writes exceptions as types and places, without their messages."""

    def formatException(self, ei: ExceptionInfo) -> str:
        return describe_crash(ei[1]) if ei[1] is not None else ""


def describe_crash(error: BaseException) -> str:
    """Types and places of `error` and its causes, oldest first: what a bug report needs, without any value."""
    return "\n".join(line for link in _chain(error) for line in _describe_one(link))


def without_values(message: str) -> str:
    """A message of Qt's without what it quotes and without paths: both may hold a patient's name."""
    return _PATHS.sub("…", _QUOTED.sub('"…"', message))


def _describe_one(error: BaseException) -> Iterator[str]:
    yield f"{type(error).__module__}.{type(error).__qualname__} at"
    for frame in traceback.extract_tb(error.__traceback__):
        yield f"  {_short(frame.filename)}:{frame.lineno} in {frame.name}"


def _chain(error: BaseException) -> list[BaseException]:
    links: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and link not in links:
        links.append(link)
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
    return links[::-1]


def _short(filename: str) -> str:
    return "/".join(Path(filename).parts[-3:])


def _open_private(path: str | Path) -> TextIOWrapper:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a", encoding="utf-8")


class _PrivateFileHandler(RotatingFileHandler):
    def _open(self) -> TextIOWrapper:
        return _open_private(self.baseFilename)
