"""Training in a process of its own: the same events, the same orders, and nothing that happens there ends this program."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from pydantic import ValidationError

from ctmri_core.events import Event, Finished, StopSignal, Work, from_json
from ctmri_core.files import write_text
from ctmri_core.training.orders import Order, Orders
from ctmri_core.training.run_plan import RunPlan

LAST_LINES = 40
_PATIENCE_S = 10.0
_LOOK_EVERY_S = 0.1
_KILLED = "The system ended the training process, most likely because memory ran out. {way_out}"
_WAY_OUT = "What it had learned until its last checkpoint is kept: resume it with a smaller crop or batch size."


def train_in_process(plan: RunPlan, folder: Path, *, resume: bool, orders: Orders, stop: StopSignal) -> Work[Finished]:
    """Starts, or resumes, the run of `plan` in `folder` as `ctmri train` does; how it ended. Its last event is `Finished`."""
    with _settings_file(plan, resume) as settings, _started(_words(plan, folder, resume, settings)) as process:
        orders.pass_on(process.give)
        asked = 0.0
        end: Finished | None = None
        while (event := process.next_event()) is not None or process.running:
            if isinstance(event, Finished):
                end = event
            elif event is not None:
                yield event
            if stop():
                asked = asked or time.monotonic()
                process.end(time.monotonic() - asked)
        end = end or process.how_it_ended()
    yield end
    return end


def _words(plan: RunPlan, folder: Path, resume: bool, settings: Path | None) -> list[str]:
    words = [sys.executable, "-m", "ctmri_core.cli", "train", plan.card.name, "--run", str(folder), "--json", "--orders"]
    return [*words, "--resume"] if resume else [*words, "--config", str(settings)]


@contextmanager
def _settings_file(plan: RunPlan, resume: bool) -> Iterator[Path | None]:
    """Settings name the folder of the data: they are told through a private file, not where every process can be seen."""
    if resume:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="ctmri-") as private:
        path = Path(private) / "settings.json"
        write_text(path, json.dumps(plan.stored()))
        yield path


@contextmanager
def _started(words: list[str]) -> Iterator[_Process]:
    process = _Process(words)
    try:
        yield process
    finally:
        process.kill()


class _Process:
    """The child, its events as they come, and the last lines of what else it wrote."""

    def __init__(self, words: list[str]) -> None:
        self._child = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8",
            errors="replace", start_new_session=True, env={**os.environ, "PYTHONUTF8": "1"},
        )  # fmt: skip
        self._events: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self._log: deque[str] = deque(maxlen=LAST_LINES)
        self._sent: set[str] = set()
        assert self._child.stdout is not None and self._child.stderr is not None
        self._readers = [
            threading.Thread(target=read, args=(stream,), daemon=True)
            for read, stream in ((self._read_events, self._child.stdout), (self._read_log, self._child.stderr))
        ]
        for reader in self._readers:
            reader.start()

    @property
    def running(self) -> bool:
        """Whether more may come of it."""
        return self._child.poll() is None or any(reader.is_alive() for reader in self._readers) or not self._events.empty()

    def next_event(self) -> Event | None:
        try:
            return self._events.get(timeout=_LOOK_EVERY_S)
        except queue.Empty:
            return None

    def give(self, order: Order) -> None:
        """Hands an order on; to a process that has ended, nothing."""
        assert self._child.stdin is not None
        with suppress(OSError, ValueError):
            self._child.stdin.write(order + "\n")
            self._child.stdin.flush()

    def end(self, waited: float) -> None:
        """Asks for the end, and after each further ten seconds in a way that is harder to overhear."""
        if waited < _PATIENCE_S:
            self._once("stop", lambda: self.give("stop"))
        elif waited < 2 * _PATIENCE_S:
            self._once("terminate", self._child.terminate)
        else:
            self._once("kill", self._child.kill)

    def how_it_ended(self) -> Finished:
        """Of a process that did not say it itself."""
        code, log = self._child.wait(), "\n".join(self._log)
        if code < 0 and -code == signal.SIGKILL and "kill" not in self._sent:
            return Finished(reason="failed", message=_KILLED.format(way_out=_WAY_OUT), log=log)
        if self._sent:
            return Finished(reason="stopped", message="Training was ended before it could say how far it was.", log=log)
        how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        return Finished(reason="crashed", message=f"The training process ended unexpectedly ({how}). {_WAY_OUT}", log=log)

    def kill(self) -> None:
        """Whatever is left of it ends now."""
        if self._child.poll() is None:
            self._child.kill()
        self._child.wait()
        for reader in self._readers:
            reader.join()
        for stream in (self._child.stdin, self._child.stdout, self._child.stderr):
            if stream is not None:
                with suppress(OSError):
                    stream.close()

    def _once(self, name: str, do: object) -> None:
        if name not in self._sent:
            self._sent.add(name)
            assert callable(do)
            with suppress(OSError):
                do()

    def _read_events(self, stream: IO[str]) -> None:
        for line in stream:
            try:
                self._events.put(from_json(line))
            except ValidationError:
                self._log.append(line.rstrip())

    def _read_log(self, stream: IO[str]) -> None:
        for line in stream:
            self._log.append(line.rstrip())
