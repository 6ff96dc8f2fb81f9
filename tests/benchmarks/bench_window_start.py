"""How long until the window stands: whole process, against a bare Qt window in the same run.

    python tests/benchmarks/bench_window_start.py [ROUNDS]

Prints the medians of wall and processor time from the start of the interpreter to the first painted window.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time

END = "import os, time; t = os.times(); print(time.time(), t.user + t.system); os._exit(0)"
BARE = (
    "from PySide6.QtWidgets import QApplication, QMainWindow; app = QApplication([]); "
    "w = QMainWindow(); w.show(); w.repaint(); "
)
OURS = (
    "from PySide6.QtWidgets import QApplication; app = QApplication([]); from ctmri_gui.app import build_window; "
    "w = build_window(); w.show(); w.repaint(); "
)


def measure(code: str, rounds: int) -> tuple[float, float]:
    """(wall, processor) seconds, median."""
    with tempfile.TemporaryDirectory() as folder:
        places = {"CTMRI_CONFIG_DIR": folder, "CTMRI_LOG_DIR": folder, "CTMRI_MODELS_DIR": folder, "QT_QPA_PLATFORM": "offscreen"}
        walls, loads = [], []
        for _ in range(rounds):
            begin = time.time()
            command = [sys.executable, "-c", code + END]
            done = subprocess.run(command, env=os.environ | places, capture_output=True, text=True, check=True)
            end, load = map(float, done.stdout.split()[-2:])
            walls.append(end - begin)
            loads.append(load)
    return statistics.median(walls), statistics.median(loads)


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    bare, ours = measure(BARE, rounds), measure(OURS, rounds)
    print(f"bare Qt window: {bare[0]:.2f} s wall, {bare[1]:.2f} s processor")
    print(f"CT-MRI Studio:  {ours[0]:.2f} s wall, {ours[1]:.2f} s processor ({ours[1] / bare[1]:.1f} times)")


if __name__ == "__main__":
    main()
