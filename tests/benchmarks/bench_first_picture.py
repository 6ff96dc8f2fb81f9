"""How soon after a drop the real window shows a picture, against the whole volume, in one run.

    QT_QPA_PLATFORM=offscreen python tests/benchmarks/bench_first_picture.py [SLICES] [SCAN ...]

A CT series of SLICES (409) x 512 x 512 is made; further scans are files or folders. Each is opened three times; the medians
of seconds from the drop to the first painted slice and to the volume on its pane are printed, with their ratio.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from PySide6.QtWidgets import QApplication

from ctmri_gui.app import build_window
from ctmri_gui.jobs.job import stop_and_join_all
from ctmri_gui.main_window import MainWindow
from ctmri_gui.settings import Settings
from ctmri_gui.viewer.roles import Role

sys.path.insert(0, str(Path(__file__).resolve().parent))
from bench_dicom_open import write_series

REPEATS, PATIENCE = 3, 60.0


def opened(window: MainWindow, path: Path) -> tuple[float | None, float]:
    """Seconds to the first slice, None where there was none, and to the volume."""
    session, first, app = window.session, None, QApplication.instance()
    assert app is not None
    start = time.perf_counter()
    session.open_paths([path])
    while session.volumes[Role.SOURCE] is None:
        app.processEvents()
        time.sleep(0.001)  # the work needs the interpreter as well
        cover = window.views.covers.shown(Role.SOURCE)
        if first is None and cover is not None:
            cover.repaint()
            first = time.perf_counter() - start
        if time.perf_counter() - start > PATIENCE:
            raise SystemExit(f"{path.name} did not open: {window.messages.texts}")
    whole = time.perf_counter() - start
    session.close_case()
    while session.jobs.running:
        app.processEvents()
        time.sleep(0.001)  # the work needs the interpreter as well
    return first, whole


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 409
    with tempfile.TemporaryDirectory() as name:
        for variable in ("CTMRI_CONFIG_DIR", "CTMRI_LOG_DIR", "CTMRI_MODELS_DIR"):
            os.environ[variable] = str(Path(name, variable))
        series = Path(name, "series")
        series.mkdir()
        write_series(series, count)
        app = QApplication([])
        settings = Settings()
        settings["translate_after_open"] = False
        window = build_window((), settings=settings, models=[Path(name)])
        window.resize(1600, 1000)
        window.show()
        while window.session.jobs.running:
            app.processEvents()
        for path in (series, *map(Path, sys.argv[2:])):
            runs = [opened(window, path) for _ in range(REPEATS)]
            whole = statistics.median(run[1] for run in runs)
            firsts = [run[0] for run in runs if run[0] is not None]
            first = statistics.median(firsts) if firsts else whole
            print(f"{path.name}: first picture {first:.2f} s, volume {whole:.2f} s, ratio {first / whole:.2f}")
        window.close()
        stop_and_join_all()


if __name__ == "__main__":
    main()
