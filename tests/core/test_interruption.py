"""A share of `tests/soak/interrupted_writing.py`: writing killed, stopped, out of room, on read-only disks and vanishing ones."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

_SOAK = Path(__file__).parents[1] / "soak" / "interrupted_writing.py"


@pytest.mark.skipif(os.name == "nt", reason="forks and signals are POSIX")
def test_nothing_partial_is_ever_visible():
    done = subprocess.run([sys.executable, str(_SOAK), "--few", "29"], capture_output=True, text=True, check=False)
    told = json.loads(done.stdout)
    assert (told["faults"], done.returncode) == ([], 0)
    assert told["tried"]["kill at a point"] > 10
    if "small disks left out" not in told["tried"]:
        assert told["tried"]["full disk"] and told["tried"]["read-only disk"] == 6
