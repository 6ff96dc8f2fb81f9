"""`python -m ctmri_gui.studies.reading [PLACE] [--reader CODE]`: the window in which a study is read."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path


def main(argv: Sequence[str] | None = None) -> int:
    """Opens the window. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="ctmri-reading", description="Reads a reader study, without knowing its truth.")
    parser.add_argument("place", nargs="?", type=Path, metavar="PLACE", help="a packed study, or the folder of one")
    parser.add_argument("--reader", default="", metavar="CODE", help="whose trials; of a packed study there is one only")
    parser.add_argument("--windowed", action="store_true", help="not full screen (F11 changes it)")
    parser.add_argument("--light", action="store_true", help="light colours")
    parser.add_argument("--text-size", type=int, default=13, choices=range(12, 25), metavar="PX", help="12 to 24 (default: 13)")
    arguments = parser.parse_args(argv)
    from ctmri_gui.studies.reading.app import run

    return run(
        arguments.place, arguments.reader, windowed=arguments.windowed, light=arguments.light, text_size=arguments.text_size
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
