"""Runs work in a terminal: a progress line for people, JSON lines for programs, Ctrl+C to stop."""

from __future__ import annotations

import argparse
import os
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TextIO, TypeVar

from ctmri_core.cli.interrupts import interrupt_sets
from ctmri_core.errors import CtmriError, Stopped, crash_report
from ctmri_core.events import (
    CaseTold,
    Event,
    Finished,
    Noted,
    Paused,
    Progress,
    Started,
    Step,
    StopSignal,
    Validated,
    Work,
    to_json,
)

Result = TypeVar("Result")

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_STOPPED = 130


@dataclass(frozen=True)
class Outcome(Generic[Result]):
    """How work ended: its result where it has one, and the exit status."""

    result: Result | None
    status: int


_FIRST_PAUSE, _LONGEST_PAUSE = 10.0, 600.0  # seconds between lines of progress in a file
_PAUSE_SHARE = 0.1
_PASSING = ("waiting", "running")
"""How a case of many stands before its turn and in it, which no line is worth."""


class Terminal:
    """Where events are said: to stderr for people, to stdout as JSON lines.

    Progress is one line that is rewritten where stderr is a terminal. In a file it is a line now and then, ever more rarely: a
    run of a day leaves some two hundred.
    """

    def __init__(self, *, as_json: bool, out: TextIO | None = None, err: TextIO | None = None) -> None:
        self._json = as_json
        self._out = out or sys.stdout
        self._err = err or sys.stderr
        self._line_open = False
        self._rewrites = self._err.isatty() and os.environ.get("TERM") != "dumb"
        self._begun = time.monotonic()
        self._last_progress: float | None = None
        self.silent = False

    def say(self, text: str) -> None:
        """A line on stdout (the command's answer)."""
        self._end_line()
        self._put(self._out, f"{text}\n")

    def complain(self, text: str) -> None:
        """A line on stderr."""
        self._end_line()
        self._put(self._err, f"{text}\n")

    def hear(self, event: Event) -> None:
        """Shows one event."""
        if self._json:
            self._put(self._out, f"{to_json(event)}\n")
            return
        match event:
            case Started(job=job, details=details):
                plain = {name.replace("_", " "): value for name, value in details.items() if not isinstance(value, dict | list)}
                facts = ", ".join(f"{name} {value}" for name, value in plain.items())
                self.complain(f"{job}" + (f" ({facts})" if facts else ""))
            case Progress() | Step():
                self._rewrite(_progress_text(event))
            case Validated(iteration=iteration, metrics=metrics, best=best):
                values = ", ".join(f"{name} {value:.4g}" for name, value in metrics.items())
                self.complain(f"  after {iteration} steps: {values}" + ("  (best so far)" if best else ""))
            case Paused(iteration=iteration, paused=paused):
                self.complain(f"  {'paused' if paused else 'goes on'} after {iteration} steps")
            case Noted(message=message, serious=serious):
                self.complain(f"{'warning' if serious else 'note'}: {message}")
            case CaseTold(share=None) if event.status not in _PASSING:
                self.complain(_case_text(event))
            case Finished(reason=reason, message=message, paths=paths):
                if reason not in ("completed", "crashed"):  # a crash is told by whoever catches it
                    self.complain(message or reason)
                for name, path in paths.items() if reason != "failed" else ():  # what may have been left half done
                    self.say(f"{name}: {path}")
            case _:
                pass

    def _rewrite(self, text: str) -> None:
        if self._rewrites:
            self._put(self._err, f"\r\x1b[2K{text[: self._columns() - 1]}")  # what goes on in a second line cannot be rewritten
            self._line_open = True
        else:
            now = time.monotonic()
            pause = min(max(_FIRST_PAUSE, _PAUSE_SHARE * (now - self._begun)), _LONGEST_PAUSE)
            if self._last_progress is not None and now - self._last_progress < pause:
                return
            self._last_progress = now
            self._put(self._err, f"{text}\n")

    def _columns(self) -> int:
        try:
            return os.get_terminal_size(self._err.fileno()).columns or 80
        except (OSError, ValueError):
            return 80

    def _end_line(self) -> None:
        if self._line_open:
            self._put(self._err, "\n")
            self._line_open = False

    def _put(self, stream: TextIO, text: str) -> None:
        if not self.silent:
            stream.write(text)
            stream.flush()


def given_path(text: str) -> Path:
    """The type of an argument that names a file or folder. An empty one, as of an unset variable, would mean the folder here."""
    if not text.strip():
        raise argparse.ArgumentTypeError("the name is empty")
    return Path(text)


def run(work_of: Callable[[StopSignal], Work[Result]], terminal: Terminal) -> Outcome[Result]:
    """Runs work to its end: Ctrl+C asks it to stop, a second one ends the program.

    The last event is always `Finished`, once: what the work said of its end, or what became of it. Bugs and the second
    Ctrl+C pass through afterwards, and `BrokenPipeError` where nobody reads the output any more.
    """
    stop = threading.Event()
    result: Result | None = None
    end: Finished | None = None
    with interrupt_sets(stop):
        try:
            work = work_of(stop.is_set)
            while True:
                event = next(work)
                if isinstance(event, Finished):
                    end = event
                else:
                    _tell(terminal, event, stop)
        except StopIteration as ended:
            result = ended.value
            end = end or _end_of(result, stop)
        except Stopped as stopped:
            end = Finished(reason="stopped", message=str(stopped))
        except CtmriError as error:
            end = Finished(reason="failed", message=str(error))
        except MemoryError:
            end = Finished(reason="failed", message="There was not enough memory. Close other programs or use a smaller volume.")
        except KeyboardInterrupt:
            end = Finished(reason="stopped", message="Stopped at once.")
            raise
        except BaseException as error:  # told before it goes on, so that who reads JSON is not left without an end
            end = Finished(reason="crashed", message=crash_report(error))
            raise
        finally:
            if end is not None:
                _tell(terminal, end, stop)
    if terminal.silent:
        raise BrokenPipeError
    statuses = {"completed": 0, "stopped": EXIT_STOPPED}
    return Outcome(result, statuses.get(end.reason, EXIT_FAILED))


def _tell(terminal: Terminal, event: Event, stop: threading.Event) -> None:
    """Whoever read the output may have gone, or the terminal was closed: then the work is to end as by Ctrl+C, unheard."""
    try:
        terminal.hear(event)
    except OSError:
        terminal.silent = True
        stop.set()


def _end_of(result: object, stop: threading.Event) -> Finished:
    """Of work that did not say it itself: without a result after a stop, it was stopped."""
    if result is None and stop.is_set():
        return Finished(reason="stopped", message="Stopped before there was a result.")
    return Finished(reason="completed")


def _progress_text(event: Progress | Step) -> str:
    if isinstance(event, Step):
        losses = "  ".join(f"{name} {value:.3f}" for name, value in event.losses.items())
        bar = f"{_bar(event.share)}  " if event.share is not None else ""
        left = f", {duration(event.seconds_left)} left" if event.seconds_left is not None else ""
        return f"  {bar}step {event.iteration}{left}  epoch {event.epoch}  {_speed(event.seconds)}  {losses}"
    parts = [f"  {event.done}" + (f"/{event.total}" if event.total else "") + f" {event.unit}".rstrip()]
    if event.total:
        parts.append(_bar(event.done / event.total))
    if event.rate:
        parts.append(f"{event.rate:.1f}/s")
    if event.seconds_left is not None:
        parts.append(f"{duration(event.seconds_left)} left")
    if event.message:
        parts.append(event.message)
    return "  ".join(parts)


def _case_text(event: CaseTold) -> str:
    took = f" ({duration(event.seconds)})" if event.seconds is not None else ""
    return f"{event.status}: {event.name}{took}" + (f": {event.reason}" if event.reason else "")


def _speed(seconds: float) -> str:
    return f"{1 / max(seconds, 1e-9):.1f} steps/s" if seconds < 2 else f"{seconds:.1f} s/step"


def _bar(share: float) -> str:
    filled = int(24 * share)
    return "[" + "#" * filled + "." * (24 - filled) + "]"


def duration(seconds: float) -> str:
    """`42 s`, `3 min 05 s`, `2 h 10 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
