"""Drops every kind of hostile file, and every file and folder named, on the real window without a screen (promises R1, R2, R3).

    python tests/soak/window_verdicts.py [--only WORD] [--list] [FILE OR FOLDER ...]

Each must be answered: a scan is shown, a question is asked, or a message says why not; the window stays alive, nothing reaches
the handler of unexpected errors, and its memory grows by less than 150 MB for a file that is not shown. `--list` prints every
verdict. Ends with 1 when something was not so.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
import psutil
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QApplication, QDialog

from ctmri_core.io.reader_process import default_memory_limit, shared_reader, shutdown
from ctmri_gui.app import build_window
from ctmri_gui.jobs.job import stop_and_join_all
from ctmri_gui.main_window import MainWindow
from ctmri_gui.messages import Funnel
from ctmri_gui.settings import Settings
from tests.hostile.files import KINDS, lay_out
from tests.soak.fuzz_readers import MOST_GROWTH, peak, reset_peak

_PRIVATE = tempfile.TemporaryDirectory(prefix="window-")
os.environ["QT_QPA_PLATFORM"] = "offscreen"
for _name in ("CONFIG", "LOG", "MODELS"):  # asked when they are needed, not when they are imported
    os.environ[f"CTMRI_{_name}_DIR"] = str(Path(_PRIVATE.name, _name))
_LONGEST_S = 60.0
_MOST_S = 15.0


@dataclass
class Answer:
    name: str
    verdict: str
    seconds: float
    growth: int
    worker: int
    said: list[str]
    faults: list[str] = field(default_factory=list)


class Desk:
    """The window and who sits before it."""

    def __init__(self) -> None:
        self.app = QApplication(sys.argv[:1])
        self.bugs: list[str] = []
        funnel = Funnel(self.app)
        funnel.install()
        funnel.bug.connect(self.bugs.append)
        settings = Settings()
        settings["translate_after_open"] = False
        self.window: MainWindow = build_window(settings=settings, models=[Path(_PRIVATE.name, "MODELS")])
        self.window.show()
        self._until(lambda: False, 3.0)  # the imports that a person's first seconds pay for
        shared_reader().start()
        with tempfile.TemporaryDirectory() as folder:  # in a new installation, the first picture waits for compiled code
            self.drop("a first picture", lay_out(KINDS["nifti_2"], Path(folder)))

    def _until(self, done, seconds: float) -> None:
        end = time.monotonic() + seconds
        while not done() and time.monotonic() < end:
            self.app.processEvents()
            time.sleep(0.002)

    def drop(self, name: str, path: Path) -> Answer:
        self.window.session.close_case()
        self.window.messages.clear()
        self.app.processEvents()
        held, start, self.bugs[:] = reset_peak(), time.monotonic(), []
        _drop(self.window, path)
        asked = self._wait()
        shown = [volume for volume in self.window.session.volumes.values() if volume is not None]
        said = list(self.window.messages.texts)
        verdict = "shown" if shown else "asked" if asked else "refused" if said else "silence"
        answer = Answer(name, verdict, time.monotonic() - start, peak() - held, _worker_memory(), said)
        self._judge(answer)
        return answer

    def _wait(self) -> bool:
        """Until the opening is over, dialogs answered with no; whether there was one."""
        asked, end = False, time.monotonic() + _LONGEST_S
        self.app.processEvents()
        while self.window.session.openings.busy and time.monotonic() < end:
            for dialog in [widget for widget in self.app.topLevelWidgets() if isinstance(widget, QDialog) and widget.isVisible()]:
                asked = True
                dialog.reject()
            self._until(lambda: not self.window.session.openings.busy, 0.02)
        self._until(lambda: False, 0.01)
        return asked

    def _judge(self, answer: Answer) -> None:
        if answer.verdict == "silence":
            answer.faults.append("not answered")
        if self.window.session.openings.busy:
            answer.faults.append("hangs")
            self.window.session.openings.stop()
        if self.bugs:
            answer.faults.append(f"unexpected error: {self.bugs[0][:200]}")
        if answer.seconds > _MOST_S:
            answer.faults.append(f"took {answer.seconds:.1f} s")
        if answer.verdict != "shown" and answer.growth > MOST_GROWTH:
            answer.faults.append(f"grew by {answer.growth >> 20} MB")
        if answer.worker > default_memory_limit():
            answer.faults.append(f"reader process holds {answer.worker >> 20} MB")
        if not self.window.isVisible():
            answer.faults.append("the window is gone")

    def close(self) -> None:
        self.window.close()
        stop_and_join_all()
        shutdown()


def _drop(window: MainWindow, path: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(os.fsdecode(os.fsencode(path)) if "\0" not in str(path) else str(path))])
    action, button, key = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    window.dropEvent(QDropEvent(QPointF(9, 9), action, data, button, key))


def _worker_memory() -> int:
    most = 0
    for child in psutil.Process().children():
        with suppress(psutil.Error):
            most = max(most, int(child.memory_info().rss))
    return most


def subjects(only: str, named: list[Path], root: Path) -> Iterator[tuple[str, Path]]:
    """(name, path) of every kind, then of every file and folder named, and every file below."""
    for kind in KINDS.values():
        if only in kind.name:
            yield kind.name, lay_out(kind, root)
    for start in named:
        for path in [start, *sorted(start.rglob("*"))]:
            if path.is_file() or path.is_dir():
                yield str(path.relative_to(start.parent)), path


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("paths", nargs="*", type=Path)
    parser.add_argument("--only", default="", help="only kinds whose name holds this; `-` for none")
    parser.add_argument("--list", action="store_true", help="print every verdict")
    options = parser.parse_args()
    desk, answers = Desk(), []
    with tempfile.TemporaryDirectory(prefix="window-files-") as folder:
        for name, path in subjects(options.only, options.paths, Path(folder)):
            answer = desk.drop(name, path)
            answers.append(answer)
            if options.list or answer.faults:
                print(json.dumps(answer.__dict__), flush=True)
    desk.close()
    times = np.array([answer.seconds for answer in answers])
    hidden = [answer for answer in answers if answer.verdict != "shown"]
    print(json.dumps({
        "files": len(answers), **Counter(answer.verdict for answer in answers),
        "faults": sum(len(answer.faults) for answer in answers),
        "median s": round(float(np.median(times)), 3), "p99 s": round(float(np.quantile(times, 0.99)), 3),
        "max s": round(float(times.max()), 2),
        "most growth MB, not shown": max((answer.growth for answer in hidden), default=0) >> 20,
        "reader process MB": max(each.worker for each in answers) >> 20,
    }))  # fmt: skip
    return int(any(answer.faults for answer in answers))


if __name__ == "__main__":
    raise SystemExit(main())
