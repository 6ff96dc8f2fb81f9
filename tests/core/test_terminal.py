"""What a terminal, a file and a pipe see of a command, and what Ctrl+C does while it is loaded."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys

import pytest

from ctmri_core.cli import main
from ctmri_core.cli.terminal import Terminal, run
from ctmri_core.events import Noted, Progress, Step

STEP = Step(iteration=5, epoch=0, losses={f"loss_{n}": 0.5 for n in range(12)}, learning_rate=1, seconds=0.5, share=0.5)


class Window(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_line_that_is_rewritten_fits_the_terminal(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TERM", "xterm")
    window = Window()
    Terminal(as_json=False, err=window).hear(STEP)
    assert len(window.getvalue().removeprefix("\r\x1b[2K")) == 79
    monkeypatch.setenv("TERM", "dumb")
    for plain in (Window(), io.StringIO()):
        Terminal(as_json=False, err=plain).hear(STEP)
        assert "\x1b" not in plain.getvalue() and "\r" not in plain.getvalue()


def test_a_day_leaves_few_lines_of_progress_in_a_file(monkeypatch: pytest.MonkeyPatch):
    now = [1000.0]
    monkeypatch.setattr("ctmri_core.cli.terminal.time.monotonic", lambda: now[0])
    file = io.StringIO()
    terminal = Terminal(as_json=False, err=file)
    for _ in range(24 * 3600):
        terminal.hear(STEP)
        now[0] += 1
    assert 50 < len(file.getvalue().splitlines()) < 300


def test_work_whose_reader_has_gone_is_ended_as_by_ctrl_c():
    class Gone(io.StringIO):
        def write(self, _text: str) -> int:
            raise BrokenPipeError

    def work(stop):
        for n in range(100):
            if stop():
                ended.append(n)
                return
            yield Progress(done=n)
        yield Noted(message="")

    ended: list[int] = []
    with pytest.raises(BrokenPipeError):
        run(work, Terminal(as_json=True, out=Gone()))
    assert ended == [1]


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX")
@pytest.mark.parametrize("module", ["ctmri_core.cli.main", "pydantic", "ctmri_core.methods.cyclegan.card"])
def test_ctrl_c_while_the_program_is_loaded_ends_it_without_a_word(module: str):
    script = f"""
import os, signal, sys
class Interrupting:
    def find_spec(self, name, path, target=None):
        if name == {module!r}:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupting())
from ctmri_core.cli import main
sys.exit(main(["train", "--help"]))
"""
    script = f"import signal; signal.signal(signal.SIGINT, signal.default_int_handler){script}"
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (-signal.SIGINT, "", "")


def test_an_arrow_on_a_terminal_without_one_is_no_failure():
    words = [sys.executable, "-m", "ctmri_core.cli", "models"]
    ended = subprocess.run(words, capture_output=True, check=False, env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert ended.returncode == 0 and b"please report" not in ended.stderr


def test_ctrl_c_in_the_window_that_a_bare_ctmri_opens(monkeypatch: pytest.MonkeyPatch):
    def interrupted(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("subprocess.call", interrupted)
    assert main([]) == 130
