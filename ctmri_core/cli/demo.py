"""Shows what the program does on a digital head: in the window, or headless into a folder."""

from __future__ import annotations

import argparse
import subprocess
import sys

from ctmri_core.cli.terminal import Terminal, given_path
from ctmri_core.cli.terminal import run as run_work


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--headless", type=given_path, metavar="DIR", help="no window: write volumes, pictures and scores to DIR")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="where to compute (default: auto)")
    parser.add_argument("--json", action="store_true", help="print events as JSON lines (headless)")


def run(arguments: argparse.Namespace) -> int:
    if arguments.headless is None:
        return subprocess.call([sys.executable, "-m", "ctmri_gui", "--demo"])
    from ctmri_core.demo import run_headless

    terminal = Terminal(as_json=arguments.json)
    return run_work(lambda stop: run_headless(arguments.headless, stop, device=arguments.device), terminal).status
