"""A small share of the soak scripts of training, with a fixed seed; full counts are run by hand."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SOAK = Path(__file__).resolve().parents[1] / "soak"


@pytest.mark.skipif(os.name == "nt", reason="the scripts fork, and limit resources, as POSIX does")
@pytest.mark.parametrize(
    "words", [("training_kills.py", "--kills", "2", "--writes", "5", "--steps", "10"), ("training_failures.py", "--times", "1")]
)
def test_what_was_promised_holds(words: tuple[str, ...]):
    """R13, R14 and R15 of the robustness promises."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(SOAK.parents[1])}
    command = [sys.executable, str(SOAK / words[0]), *words[1:]]
    outcome = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
