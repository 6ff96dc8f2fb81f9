"""A process of our own in which native parsers may crash, hang or claim too much memory without taking the program along.

    volume = shared_reader().call("ctmri_core.io.native_itk:read", path, timeout_s=60)

Measured: see `tests/benchmarks/bench_reader_process.py`.
"""

from __future__ import annotations

import atexit
import os
import secrets
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, Literal

import psutil

import ctmri_core
from ctmri_core.errors import FileRefused
from ctmri_core.io.reader_channel import PackedResult, discard_block, receive, send

GIBIBYTE = 1 << 30
DEFAULT_TIMEOUT_S = 120.0
NATIVE_TASKS = "ctmri_core.io.native_"
_START_TIMEOUT_S = 120.0  # from a cold disk, beside programs that take every processor
_LOOK_EVERY_S = 0.05
_KEPT_VARIABLES = (
    "PATH", "SYSTEMROOT", "WINDIR", "TEMP", "TMP", "TMPDIR", "LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH",
    "PYTHONHOME", "PYTHONUTF8", "PYTHONDONTWRITEBYTECODE", "OMP_NUM_THREADS", "OMP_WAIT_POLICY",
)  # fmt: skip
"""What the worker inherits of the environment. Others can make ITK load libraries (ITK_AUTOLOAD_PATH) or Python run code."""


class ReaderProcess:
    """A persistent worker, started at the first call and again after whatever ended it. Safe to use from several threads.

    `memory_limit`: bytes that the worker may take, 0 for no limit; half of the machine's memory, at most 8 GiB, by default. Linux
    refuses it more; elsewhere, where nothing does, it is ended when it holds more. `task_prefix`: how the names of the modules
    begin whose functions it will run, and no others. It has no folder, no open files and hardly any variables of its parent.
    """

    def __init__(self, memory_limit: int | None = None, *, task_prefix: str = NATIVE_TASKS) -> None:
        self._task_prefix = task_prefix
        self._memory_limit = default_memory_limit() if memory_limit is None else memory_limit
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts the worker now, so that the first call need not wait for it."""
        with self._lock:
            self._running()

    def call(self, task: str, path: str | Path, *arguments: Any, timeout_s: float = DEFAULT_TIMEOUT_S) -> Any:
        """The result of `task`, `"module:function"` with a public function, for `(path, *arguments)`; `path` is made absolute.

        Arrays in the result live in memory shared with the worker and belong to the caller alone. Raises what the task
        raised, and `FileRefused` naming `path` when the worker crashed, ran out of memory or took longer than `timeout_s`.
        """
        if not task.startswith(self._task_prefix):
            raise ValueError(f"{task!r} is no task of the reader process")
        with self._lock:
            answer = self._ask(task, path, arguments, timeout_s)
        if isinstance(answer, MemoryError):
            raise self._too_much_memory(path)
        if isinstance(answer, FileRefused) and answer.path == Path(_absolute(path)):
            answer.path = Path(path)  # as the caller knows it
        if isinstance(answer, Exception):
            raise answer
        return answer

    def shutdown(self) -> None:
        """Ends the worker; a call that is waiting for it is refused. The next call starts a new one."""
        process = self._process
        if process is not None:
            process.kill()
        with self._lock:
            self._drop()

    def _ask(self, task: str, path: str | Path, arguments: tuple[Any, ...], timeout_s: float) -> Any:
        process = self._running()
        assert process.stdin is not None and process.stdout is not None
        block_name = f"ctmri-{secrets.token_hex(8)}"
        watchdog = _Watchdog(process, timeout_s, self._memory_limit)
        try:
            send(process.stdin, (task, (_absolute(path), *arguments), timeout_s, block_name))
            answer = receive(process.stdout)
            if not isinstance(answer, PackedResult):
                return answer
            result = answer.unpack()
            if answer.block_name is not None:
                send(process.stdin, "taken")
            return result
        except (EOFError, OSError) as error:
            self._drop()
            discard_block(block_name)
            if watchdog.cause == "memory":
                raise self._too_much_memory(path) from error
            raise _ended(path, timeout_s if watchdog.cause == "time" else None) from error
        except BaseException:  # Ctrl+C: an answer nobody waits for must not meet the next question
            self._drop()
            discard_block(block_name)
            raise
        finally:
            watchdog.cancel()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is None:
            return self._process
        self._drop()
        self._process = process = _spawn(self._memory_limit, self._task_prefix)
        assert process.stdout is not None
        watchdog = _Watchdog(process, _START_TIMEOUT_S, 0)
        try:
            receive(process.stdout)
        except EOFError:
            self._drop()
            raise RuntimeError("the reader process did not start") from None
        finally:
            watchdog.cancel()
        return process

    def _drop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            assert pipe is not None
            try:
                pipe.close()
            except OSError:  # a request that the dead worker never read
                continue

    def _too_much_memory(self, path: str | Path) -> FileRefused:
        limit = f" ({self._memory_limit / GIBIBYTE:.1f} GiB)" if self._memory_limit else ""
        return FileRefused(path, f"reading it needs more memory than a file is allowed{limit}.", "It may be damaged.")


class _Watchdog:
    """Ends `process` when it takes longer than `seconds` or holds more than `memory` bytes (0: any), until it is cancelled.

    `cause`: why it was ended, None while it was not.
    """

    def __init__(self, process: subprocess.Popen[bytes], seconds: float, memory: int) -> None:
        self.cause: Literal["time", "memory"] | None = None
        self._process, self._end, self._memory = process, time.monotonic() + seconds, memory
        self._cancelled = threading.Event()
        threading.Thread(target=self._watch, name="reader watchdog", daemon=True).start()

    def cancel(self) -> None:
        self._cancelled.set()

    def _watch(self) -> None:
        while not self._cancelled.wait(min(_LOOK_EVERY_S, max(self._end - time.monotonic(), 0))):
            if time.monotonic() >= self._end:
                self.cause = "time"
            elif self._memory and _resident(self._process.pid) > self._memory:
                self.cause = "memory"
            if self.cause is not None:
                self._process.kill()
                return


def _resident(process_id: int) -> int:
    try:
        return int(psutil.Process(process_id).memory_info().rss)
    except psutil.Error:  # it has ended already
        return 0


def _absolute(path: str | Path) -> str | Path:
    """The worker's current folder is not ours."""
    whole = os.path.abspath(path)  # noqa: PTH100  # keeps links and takes what is no name of a file
    return Path(whole) if isinstance(path, Path) else whole


def _ended(path: str | Path, timeout_s: float | None) -> FileRefused:
    if timeout_s is not None:
        return FileRefused(path, f"it was not read within {timeout_s:g} seconds.", "It may be damaged.")
    return FileRefused(path, "it made the reading library crash.", "It is damaged or not what its name says.")


def _spawn(memory_limit: int, task_prefix: str) -> subprocess.Popen[bytes]:
    """The worker, with the parent's import path; `-P` keeps modules in the current folder out, `-S` saves its search."""
    package_folder = str(Path(ctmri_core.__file__).parents[1])
    search_path = os.pathsep.join(dict.fromkeys([package_folder, *(entry for entry in sys.path if Path(entry).is_absolute())]))
    environment = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    environment |= {"PYTHONPATH": search_path, "OPENBLAS_NUM_THREADS": "1"}  # more threads only make its start slower
    return subprocess.Popen(
        [sys.executable, "-P", "-S", "-m", "ctmri_core.io.reader_worker", str(memory_limit), task_prefix],
        cwd=Path(sys.executable).anchor,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )


def default_memory_limit() -> int:
    """Half of the machine's memory, at least 2 and at most 8 GiB."""
    return min(8 * GIBIBYTE, max(2 * GIBIBYTE, int(psutil.virtual_memory().total) // 2))


_shared: ReaderProcess | None = None
_shared_owner = 0
_shared_lock = threading.Lock()


def shared_reader() -> ReaderProcess:
    """The reader process of this program; a forked child gets one of its own."""
    global _shared, _shared_owner
    with _shared_lock:
        if _shared is None or _shared_owner != os.getpid():
            _shared, _shared_owner = ReaderProcess(), os.getpid()
            atexit.register(_shared.shutdown)
        return _shared


def shutdown() -> None:
    """Ends the shared worker, if one is running."""
    with _shared_lock:
        if _shared is not None and _shared_owner == os.getpid():
            _shared.shutdown()
