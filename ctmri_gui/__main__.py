"""`python -m ctmri_gui [PATH ...] [--demo]`: the window."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path


def main(argv: Sequence[str] | None = None) -> int:
    """Opens the window on the given scans. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="ctmri-gui", description="CT, synthetic MRI and ground truth side by side.")
    parser.add_argument("paths", nargs="*", type=Path, metavar="PATH", help="a scan (file or DICOM folder) or a model file")
    parser.add_argument("--demo", action="store_true", help="open a digital head and translate it")
    arguments = parser.parse_args(argv)
    from ctmri_gui.app import run

    return run([path.resolve() for path in arguments.paths], demo=arguments.demo)


if __name__ == "__main__":
    sys.exit(main())
