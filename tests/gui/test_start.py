"""What starting the program loads, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

NETWORKS = ("torch", "monai", "lightning_fabric", "lightning")
HEAVY = (*NETWORKS, "scipy", "skimage", "SimpleITK", "numba", "nibabel", "matplotlib", "PIL")

SHOW = f"""
import sys
from PySide6.QtWidgets import QApplication
app = QApplication([])
from ctmri_gui.app import build_window
window = build_window()
window.show()
window.repaint()
print([name for name in {HEAVY!r} if name in sys.modules])
window.close()
"""


def start(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=dict(os.environ), check=False)


@pytest.mark.parametrize("code", ["import sys, ctmri_gui.__main__, ctmri_gui.app", "show"])
def test_the_window_stands_before_anything_heavy_is_loaded(code):
    if code == "show":
        done = start("-c", SHOW)
    else:
        done = start("-c", f"{code}; print([name for name in {HEAVY!r} if name in sys.modules])")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"


def test_help_is_given_without_a_window():
    done = start("-m", "ctmri_gui", "--help")
    assert done.returncode == 0
    assert "--demo" in done.stdout
    assert "DICOM" in done.stdout


QUIT_SOON = """
import sys
from PySide6.QtCore import QTimer
import ctmri_gui.app as app
build = app.build_window
def build_and_quit(*arguments, **more):
    window = build(*arguments, **more)
    QTimer.singleShot(300, window.close)
    return window
app.build_window = build_and_quit
from ctmri_gui.__main__ import main
sys.exit(main([]))
"""


def test_the_program_starts_and_ends_cleanly_even_while_it_warms_up():
    done = start("-c", QUIT_SOON)
    assert done.returncode == 0, done.stderr
    assert "QThread" not in done.stderr
    assert "Traceback" not in done.stderr


FAIL = """
import sys
import ctmri_gui.app as app
def fail(*arguments, **more):
    raise RuntimeError("DOE^JANE")
app.build_window = fail
from ctmri_gui.__main__ import main
sys.exit(main([]))
"""


def test_a_failing_start_is_not_silent(tmp_path):
    done = start("-c", FAIL)
    assert done.returncode != 0
    assert "unexpected error" in done.stderr
    assert str(tmp_path / "log") in done.stderr
    assert "DOE" not in done.stderr
    assert "Traceback" not in done.stderr
    assert "RuntimeError" in (tmp_path / "log" / "ctmri-studio.log").read_text()
