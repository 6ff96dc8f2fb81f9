"""Compares voxels and places of real files with what nibabel, SimpleITK, pydicom and Pillow read.

    python tests/soak/compare_readers.py FOLDER ...

Prints each file that others read otherwise, and counts. Files of several volumes are compared with nobody.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from ctmri_core.io.reader_process import shutdown
from tests.hostile.differences import OtherReaders
from tests.hostile.references import BY_FORMAT
from tests.hostile.verdicts import Verdict, verdict_on


def reader_for(verdict: Verdict) -> str:
    """The group of `BY_FORMAT` that a verdict belongs to, by what opened the file."""
    name = verdict.series[0].format_name
    return next((group for group in BY_FORMAT if group.lower() in name.lower()), "pictures" if "PNG" in name else "")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path)
    counts: Counter[str] = Counter()
    others = OtherReaders()
    for path in [file for folder in parser.parse_args().folders for file in sorted(folder.rglob("*")) if file.is_file()]:
        verdict = verdict_on(path)
        if len(verdict.volumes) != 1 or not reader_for(verdict):
            counts[f"{verdict.outcome}, not compared"] += 1
            continue
        different = others.differs(reader_for(verdict), path, verdict.volumes[0])
        counts["read by us alone" if different is None else "differs" if different else "agrees"] += 1
        if different:
            print(f"{path.name}: {different}; findings {sorted(verdict.findings)}", flush=True)
    others.close()
    shutdown()
    print(json.dumps(counts))
    return int(counts["differs"] > 0)


if __name__ == "__main__":
    raise SystemExit(main())
