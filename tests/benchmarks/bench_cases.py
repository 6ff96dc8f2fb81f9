"""What open cases cost: memory against their voxels, going to another case against showing one volume, what closing gives back.

    QT_QPA_PLATFORM=offscreen python tests/benchmarks/bench_cases.py SCAN SCAN SCAN [...]

Each scan is opened as a case of its own; nothing is translated. One is opened and closed before, for what is imported then.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import psutil
from PySide6.QtWidgets import QApplication

from ctmri_gui.app import build_window
from ctmri_gui.jobs.job import stop_and_join_all
from ctmri_gui.main_window import MainWindow
from ctmri_gui.settings import Settings
from ctmri_gui.viewer.roles import Role

ROUNDS, MEGABYTE = 5, 2**20


def resident() -> float:
    """MB of this process."""
    return float(psutil.Process().memory_info().rss) / MEGABYTE


def until_at_rest(window: MainWindow) -> None:
    app = QApplication.instance()
    assert app is not None
    while window.session.openings.busy or window.session.jobs.running:
        app.processEvents()
        time.sleep(0.002)
    app.processEvents()


def painted(window: MainWindow) -> None:
    for pane in window.views.panes.values():
        pane.repaint()


def main() -> None:
    app = QApplication(sys.argv[:1])
    with tempfile.TemporaryDirectory() as name:
        for variable in ("CTMRI_CONFIG_DIR", "CTMRI_LOG_DIR", "CTMRI_MODELS_DIR"):
            os.environ[variable] = str(Path(name, variable))
        settings = Settings()
        settings["translate_after_open"] = False
        window = build_window(settings=settings)
        window.resize(1600, 1000)
        window.show()
        app.processEvents()
        until_at_rest(window)
        session = window.session
        session.open_paths([Path(sys.argv[1])])
        until_at_rest(window)
        session.close_case()
        until_at_rest(window)
        empty = resident()
        for path in sys.argv[1:]:
            session.open_paths([Path(path)], alone=True)
            until_at_rest(window)
        voxels = sum(volume.voxels.nbytes for volume in session.open_volumes) / MEGABYTE
        more = resident() - empty
        print(f"{len(session.cases.all)} cases, {voxels:.0f} MB of voxels: {more:.0f} MB more, {more / voxels:.2f} x")
        going, alone = [], []
        for _ in range(ROUNDS * len(session.cases.all)):
            start = time.perf_counter()
            session.step_case(1)
            painted(window)
            going.append(time.perf_counter() - start)
            source = session.volumes[Role.SOURCE]
            window.views.clear()
            start = time.perf_counter()
            window.views.set_volume(Role.SOURCE, source)
            painted(window)
            alone.append(time.perf_counter() - start)
            app.processEvents()
        typical, one = 1e3 * statistics.median(going), 1e3 * statistics.median(alone)
        print(f"to another case {typical:.0f} ms (worst {1e3 * max(going):.0f}), {typical / one:.1f} x showing one volume")
        del source
        session.close_all_cases()
        until_at_rest(window)
        print(f"closed: {resident() - empty:.0f} MB more than before")
        window.close()
        stop_and_join_all()


if __name__ == "__main__":
    main()
