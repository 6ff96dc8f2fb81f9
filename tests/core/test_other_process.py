"""Training in a process of its own, with real processes: what is heard, what is obeyed, and what is left of it."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from ctmri_core.domain import Direction
from ctmri_core.errors import TrainingFailed
from ctmri_core.events import Event, Finished, Paused, Progress, Sample, Started, Step, never, to_json
from ctmri_core.registry import find_card
from ctmri_core.training.child_process import LAST_LINES, ChildProcess
from ctmri_core.training.orders import Orders
from ctmri_core.training.other_process import train_in_process
from ctmri_core.training.run_folder import RunFolder
from ctmri_core.training.run_plan import RunPlan
from ctmri_core.training.runs import list_runs

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


@pytest.fixture(autouse=True)
def nothing_left(monkeypatch):
    """No process, no thread and no open file stays of any of these tests; threads of numerics in the child are kept few."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    me, threads = psutil.Process(), set(threading.enumerate())
    files, others = me.num_fds(), set(me.children(recursive=True))  # others: the reader process of an earlier test
    monkeypatch.setattr(Heard, "others", others)
    yield
    assert set(me.children(recursive=True)) <= others
    assert set(threading.enumerate()) <= threads
    assert me.num_fds() <= files


def plan(**changed) -> RunPlan:
    config = {"generator": "resnet_6", "width": 4, "discriminator_width": 4, "receptive_field": 16}
    base = {
        "iterations": 1_000_000, "crop": 32, "precision": "32", "device": "cpu", "tensorboard": False, "spacing_mm": 5,
        "validation_slices": 1,
    }  # fmt: skip
    way = Direction.parse("ct_to_mr_t1")
    return RunPlan.made(find_card("pix2pix"), "phantom:2", way, config=config, settings=base | changed)


class Heard:
    """Drives the work. `others`: processes that were there before."""

    others: frozenset[psutil.Process] = frozenset()

    def __init__(self, folder: Path, what: RunPlan, orders: Orders | None = None, **named: object) -> None:
        self.events: list[Event] = []
        self.orders = orders or Orders()
        given = {"resume": False, "orders": self.orders, "stop": never, "patience": 200.0}  # as long as a busy machine takes
        self.work = train_in_process(what, folder, **{**given, **named})

    def until(self, kind: type[Event]) -> Event:
        for event in self.work:
            self.events.append(event)
            if isinstance(event, kind):
                return event
        raise AssertionError([event.kind for event in self.events[-5:]])

    @property
    def child(self) -> psutil.Process:
        [child] = set(psutil.Process().children()) - self.others
        return child


def test_a_run_is_heard_steered_and_gone_on_with(tmp_path: Path):
    heard = Heard(tmp_path / "run", plan())
    assert heard.until(Progress) and heard.until(Started).details["device"] == "cpu"
    words = heard.child.cmdline()
    assert not any("phantom" in word for word in words), "settings are told privately"
    heard.until(Step)
    heard.orders.give("pause")
    at = heard.until(Paused).iteration
    assert [run.state for run in list_runs(tmp_path)] == ["running"]
    heard.orders.give("sample")
    assert heard.until(Sample).iteration == at
    heard.orders.give("go_on")
    assert heard.until(Paused).paused is False
    heard.until(Step)
    heard.orders.give("stop")
    end = heard.until(Finished)
    assert end.reason == "stopped" and "state is kept" in end.message and not list(heard.work)
    [run] = list_runs(tmp_path)
    assert run.state == "stopped" and run.can_go_on and run.iteration >= at

    again = Heard(tmp_path / "run", plan(), resume=True)
    assert again.until(Started).details["from_step"] == run.iteration
    again.until(Step)
    again.child.kill()
    end = again.until(Finished)
    assert (end.reason, "memory ran out" in end.message) == ("failed", True) and "crop" in end.message
    [run] = list_runs(tmp_path)
    assert (run.state, run.message, run.can_go_on) == ("failed", end.message, True)


def instead(monkeypatch, text: str) -> None:
    """A short program in place of `ctmri train`: one that does what a training does only when it goes wrong."""
    monkeypatch.setattr("ctmri_core.training.other_process._words", lambda *_: [sys.executable, "-u", "-c", text])


HEARD = f"print({to_json(Progress(done=1))!r})\n"


def test_a_deaf_process_is_ended_all_the_same(tmp_path: Path, monkeypatch):
    """One that stands still hears neither orders nor SIGTERM."""
    instead(monkeypatch, f"{HEARD}import time; time.sleep(600)")
    asked = threading.Event()
    heard = Heard(tmp_path / "run", plan(), stop=asked.is_set, patience=0.3)
    heard.until(Progress)
    heard.child.suspend()
    asked.set()
    begun = time.monotonic()
    end = heard.until(Finished)
    assert end.reason == "stopped" and "did not answer" in end.message and time.monotonic() - begun >= 0.6


def test_closing_ends_it(tmp_path: Path, monkeypatch):
    instead(monkeypatch, f"{HEARD}import time; time.sleep(600)")
    heard = Heard(tmp_path / "run", plan())
    heard.until(Progress)
    child = heard.child
    heard.work.close()
    assert not child.is_running()


def test_a_failure_that_a_process_tells_of_comes_with_its_last_lines(tmp_path: Path, monkeypatch):
    said = Finished(reason="failed", message="The loss became nan.")
    instead(monkeypatch, f"import sys\nsys.stderr.write('why\\n')\nprint({to_json(said)!r})")
    assert Heard(tmp_path / "run", plan()).until(Finished) == said.model_copy(update={"log": "why"})


def test_a_crash_is_kept_with_the_run(tmp_path: Path, monkeypatch):
    folder = RunFolder(tmp_path / "run")
    folder.path.mkdir()
    folder.write_config(plan().stored())
    instead(monkeypatch, "import os, sys; sys.stderr.write('here'); sys.stderr.flush(); os.abort()")
    end = Heard(folder.path, plan()).until(Finished)
    assert end.reason == "crashed" and "signal 6" in end.message and end.log == "here"
    [run] = list_runs(tmp_path)
    assert (run.state, run.message) == ("crashed", end.message)


LINES = 30
CHATTY = f"""
import sys
for number in range({LINES}):
    print("line", number, file=sys.stderr)
{HEARD}
print("no event")
"""


def script(text: str) -> ChildProcess:
    return ChildProcess([sys.executable, "-u", "-c", text])


def all_of(child: ChildProcess, each: Callable[[], None] = lambda: None) -> list[Event]:
    events: list[Event] = []
    while (event := child.next_event()) is not None or child.running:
        events += [event] if event else []
        each()
    return events


@pytest.mark.parametrize(
    ("end", "words", "killed"),
    [
        ("sys.exit(3)", "exit code 3", False),
        ("os.kill(os.getpid(), 11)", "signal 11, segmentation fault", False),
        ("os.kill(os.getpid(), 9)", "signal 9, killed", True),
        ("os.abort()", "signal 6, aborted", False),
    ],
)
def test_how_a_process_ended_and_its_last_lines(end: str, words: str, killed: bool):
    with script(f"import os, resource\nresource.setrlimit(resource.RLIMIT_CORE, (0, 0)){CHATTY}\n{end}") as child:
        assert all_of(child) == [Progress(done=1)]
        assert child.how_it_ended() == words and child.killed is killed and not child.ended_by_us
        assert set(child.log) == {"no event", *(f"line {number}" for number in range(LINES))}


@pytest.mark.parametrize(
    ("deaf_to", "by", "waited"),
    [
        ("", -signal.SIGTERM, (0.5, 1.5)),
        ("import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)", -signal.SIGKILL, (0.5, 1.5, 2.5)),
    ],
)
def test_the_end_is_asked_for_ever_harder(deaf_to: str, by: int, waited: tuple[float, ...]):
    """What it started itself goes with it, although it holds the output open. `waited`: how often its patience of a second."""
    started = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])"
    with script(f"{deaf_to}\n{started}\n{HEARD}import time; time.sleep(600)") as child:
        while child.next_event() is None:
            pass
        looks = iter(waited)
        all_of(child, lambda: child.end(next(looks, waited[-1]), 1.0))  # by no clock: a busy system ends nothing at once
        assert child.how_it_ended().startswith(f"signal {-by}") and child.ended_by_us and not child.killed


def test_orders_to_a_process_that_has_ended_go_nowhere():
    with script("import sys\nfor number in range(100): print(number, file=sys.stderr)") as child:
        all_of(child)
        child.give("pause")
    child.give("stop")
    assert list(child.log) == [str(number) for number in range(100 - LAST_LINES, 100)]


def test_a_system_that_starts_no_process_is_told_of(monkeypatch):
    monkeypatch.setattr("os.environ", {**os.environ, "TOO_LONG": "x" * 3_000_000})
    with pytest.raises(TrainingFailed, match="could not start"):
        script("")
