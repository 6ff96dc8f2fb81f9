"""Failures the user can act on. Everything else is a bug and is reported as one."""

from __future__ import annotations

import traceback
from pathlib import Path


def crash_report(error: BaseException) -> str:
    """What is needed to report a bug, in one line: type of the error and our lines it came through, innermost first.

    Without the error's own words and without values: those may hold a patient's data.
    """
    frames = [(frame.f_globals.get("__name__", ""), line) for frame, line in traceback.walk_tb(error.__traceback__)]
    ours = [f"{module}:{line}" for module, line in reversed(frames) if module.startswith("ctmri_")]
    return f"An error of this program, not of yours; please report it: {type(error).__name__} in {' < '.join(ours)}."


class CtmriError(Exception):
    """A failure with a way out. `str(error)` is one or two sentences fit to be shown, without patient data."""


_PREDICATES = {
    "is", "holds", "has", "cannot", "stores", "keeps", "names", "may", "maps", "does", "needs", "describes", "shares", "counts",
    "lists", "goes", "unpacks", "was",
}  # fmt: skip
"""First words of a problem that goes on from the name of its file."""


def shown_name(path: Path) -> str:
    """The last part of `path`, with what cannot be printed (line ends, escapes, broken encodings) replaced."""
    return printable(path.name or path.absolute().name)


def printable(text: str) -> str:
    """`text` in one line without invisible characters that could make it look like something else."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def told_of(subject: str, problem: str) -> str:
    """The `problem` of a `FileRefused`, with `subject` for the name of the file."""
    return f"{subject}{' ' if problem.partition(' ')[0] in _PREDICATES else ': '}{problem}"


class FileRefused(CtmriError):
    """An input file or folder that cannot be used.

    `path`: the file (only its name is shown), of which `problem` says in a predicate ("is empty.") or a sentence of its own
    what is wrong, with field and value; `way_out`: what to do.
    """

    def __init__(self, path: str | Path, problem: str, way_out: str = "") -> None:
        self.path = Path(path)
        self.problem = problem = printable(problem)
        self.way_out = way_out
        said = told_of(shown_name(self.path) or "The folder", problem)
        super().__init__(" ".join(part for part in (said, way_out) if part))

    def __reduce__(self) -> tuple[type[FileRefused], tuple[str, ...]]:
        return type(self), (str(self.path), self.problem, self.way_out)


class AmbiguousInput(FileRefused):
    """A folder that holds several series of which one must be chosen."""


class WriteFailed(CtmriError):
    """An output could not be written completely; nothing partial is left behind."""


class GeometryMismatch(CtmriError):
    """Two grids that had to be the same, or a grid that is no rigid lattice."""


class NotComparable(CtmriError, ValueError):
    """Images, outlines or sets of pictures of which a measure says nothing: empty, not finite, constant, without a range."""


class ModelRefused(CtmriError):
    """A model file that cannot be used: not ours, damaged, or not fitting its card."""


class WrongInput(CtmriError):
    """A volume of a domain that the chosen model does not take."""


class OutOfMemory(CtmriError):
    """Work that does not fit the device's memory; the message says what to make smaller."""


class TrainingFailed(CtmriError):
    """Training cannot go on (non-finite loss, no data); the last good state is kept."""


class Stopped(CtmriError):
    """Work that was asked to end through its stop signal and did so before it had a result. Not a failure."""
