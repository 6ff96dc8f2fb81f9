"""Reader studies: how long after Enter the next trial stands on the screen, against loading it only then.

`python tests/benchmarks/bench_study_reading.py [TRIALS]`: volumes of 512 x 512 x 200 int16 in a folder that is made and removed,
in the real window (offscreen unless QT_QPA_PLATFORM says otherwise). The same window is run twice: pictures fetched while the
reader looks, and not. Real and synthetic ones are told apart to show that neither comes sooner.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from statistics import median

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from ctmri_core.files import atomic_folder
from ctmri_core.studies.pictures import write_picture
from ctmri_core.studies.protocol import Display, Protocol
from ctmri_core.studies.reading import Reading
from ctmri_core.studies.study_folder import StudyFolder, write_draft
from ctmri_core.studies.trials import ReaderFacts
from ctmri_core.studies.truth import REAL, Arm, ItemTruth, Order, Plan, Truth
from ctmri_gui.studies.reading.reading_window import ReadingWindow
from ctmri_gui.studies.reading.trial_flow import GAP_MS, State

SHAPE = (200, 512, 512)
LOOKED_MS = 2000


def make_study(path: Path, trials: int) -> None:
    """So many volumes of noise, half of each arm."""
    protocol = Protocol(study="0b" * 8, title="Speed", display=Display(least_seconds=0), break_every=0)
    items = [
        ItemTruth(token=f"{7919 * (1 + 2 * case + place):016x}", arm=arm, case=f"c{case}", patient=f"c{case}")
        for case in range(-(-trials // 2))
        for place, arm in enumerate((REAL, "model"))
    ]
    plan = Plan(seed="5e" * 32, readers=("R1",), repeats=0, practice=0, order=Order(may_relax=True))
    truth = Truth(protocol=protocol.sha256, plan=plan, arms=(Arm(name=REAL), Arm(name="model")), items=tuple(items))
    noise = np.random.default_rng(1)
    with atomic_folder(path) as folder:
        spacing = (1.0, 0.5, 0.5)
        written = [write_picture(folder, item.token, noise.integers(-1000, 1500, SHAPE, np.int16), spacing) for item in items]
        write_draft(folder, protocol, truth, written)
    StudyFolder(path).open("2026-01-01T00:00:00Z", "1.0", {})


def read_all(path: Path, *, ahead: bool) -> dict[str, float]:
    """ms from Enter to the picture, by token of the picture; without the first, which no Enter came before."""
    waited: dict[str, float] = {}
    reading = Reading(path, "R1")
    reading.introduce(ReaderFacts(reader="R1", years=1))
    window = ReadingWindow(reading)
    window.resize(1600, 1000)
    window.show()
    QTest.qWait(200)
    if not ahead:
        window.flow._after = lambda _trial: None  # type: ignore[method-assign]  # what is measured against: nothing is fetched ahead
    window._read()
    while reading.next_trial is not None:
        while window.flow.state is not State.LOOKING:
            QTest.qWait(2)
        trial = window.flow.trial
        QTest.qWait(LOOKED_MS)
        for key in (Qt.Key.Key_Up, Qt.Key.Key_1, Qt.Key.Key_Return):
            QTest.keyClick(window.focusWidget() or window, key)
        window.flow.writing.wait(60)
        if trial is not None:
            waited[trial.items[0]] = reading.answers[trial.token].load_ms or 0.0
    window.close()
    return dict(list(waited.items())[1:])


def told(name: str, values: list[float]) -> str:
    return f"{name}: median {median(values):.0f} ms, p99 {np.percentile(values, 99):.0f} ms, n {len(values)}"


def main() -> None:
    trials = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    app = QApplication(["bench"])
    with tempfile.TemporaryDirectory() as folder:
        os.environ["CTMRI_CONFIG_DIR"] = folder
        make_study(Path(folder) / "study", trials)
        arm = {item.token: item.arm for item in StudyFolder(Path(folder) / "study").truth().items}
        print(f"load {os.getloadavg()[0]:.1f}; the gap that every trial waits is {GAP_MS} ms")
        ahead = read_all(Path(folder) / "study", ahead=True)
        print(told("fetched ahead", list(ahead.values())))
        for kind in (REAL, "model"):
            print(told(f"  {kind}", [ms for token, ms in ahead.items() if arm[token] == kind]))
        (Path(folder) / "again").mkdir()
        later = make_again(Path(folder), min(trials, 10))
        print(told("fetched after Enter", list(later.values())))
        print(f"ratio of medians {median(later.values()) / median(ahead.values()):.1f}; load {os.getloadavg()[0]:.1f}")
    app.quit()


def make_again(folder: Path, trials: int) -> dict[str, float]:
    """Another study, read without fetching ahead."""
    make_study(folder / "again" / "study", trials)
    return read_all(folder / "again" / "study", ahead=False)


if __name__ == "__main__":
    main()
