"""The reader process itself: runs the functions it was started for, on request. `reader_process` starts it."""

from __future__ import annotations

import faulthandler
import importlib
import os
import pickle
import signal
import sys
from collections.abc import Callable
from multiprocessing import resource_tracker
from pathlib import Path
from typing import IO, Any

from ctmri_core.io.reader_channel import PackedResult, receive, send

_GRACE_S = 5.0


def main(memory_limit: int, task_prefix: str) -> None:
    """Serves requests until the parent closes the pipe. `memory_limit`: bytes of address space, 0 = none."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C reaches the whole terminal; the parent decides what ends
    requests, answers = _take_private_pipe()
    _limit_memory(memory_limit)
    # The parent alone decides how long a shared block lives; this process's tracker would only remove it too early.
    resource_tracker.register = lambda *_: None
    send(answers, "ready")
    while True:
        try:
            task, arguments, timeout_s, block_name = receive(requests)
        except EOFError:
            return
        # Ends even a task that holds the interpreter lock for ever after the parent has died.
        faulthandler.dump_traceback_later(timeout_s + _GRACE_S, exit=True)
        answer = _answer(task, task_prefix, arguments, block_name)
        faulthandler.cancel_dump_traceback_later()
        send(answers, answer)
        if isinstance(answer, PackedResult) and answer.block is not None:
            receive(requests)  # the parent says that it holds the block
            answer.block.close()


def _answer(task: str, task_prefix: str, arguments: tuple[Any, ...], block_name: str) -> PackedResult | Exception:
    try:
        return PackedResult(_find(task, task_prefix)(*arguments), block_name)
    except Exception as error:  # noqa: BLE001  # passed on whole; the parent raises it
        return _transportable(error)


def _find(task: str, task_prefix: str) -> Callable[..., Any]:
    module, _, function = task.partition(":")
    if not module.startswith(task_prefix) or not function.isidentifier() or function.startswith("_"):
        raise ValueError(f"{task!r} is no task of this process")
    found: Callable[..., Any] = getattr(importlib.import_module(module), function)
    return found


def _transportable(error: Exception) -> Exception:
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301  # made on the line itself
    except (pickle.PicklingError, TypeError, AttributeError):
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error


def _take_private_pipe() -> tuple[IO[bytes], IO[bytes]]:
    """Standard input and output become the protocol's own; what libraries print goes nowhere."""
    requests, answers = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    os.close(null)
    return os.fdopen(requests, "rb"), os.fdopen(answers, "wb")


def _limit_memory(limit: int) -> None:
    if not limit or os.name == "nt":
        return
    import resource

    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    soft = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
    try:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
    except (ValueError, OSError):  # macOS refuses it; the watchdog remains
        return


if __name__ == "__main__":
    sys.path[:] = [entry for entry in sys.path if entry and Path(entry).is_absolute()]
    main(int(sys.argv[1]), sys.argv[2])
