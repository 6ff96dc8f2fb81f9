"""Judges defective DICOM series and hundreds of clean ones (promise R5).

    python tests/soak/series_verdicts.py [--clean 300]

A defective series must be refused or open with the serious findings that are due; a clean one without any finding. Ends with 1
when one is not judged so.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from ctmri_core.errors import FileRefused
from ctmri_core.events import finish
from ctmri_core.io.opening import load, scan
from ctmri_core.io.reader_process import shutdown
from tests.hostile.clean_series import Clean, clean_series
from tests.hostile.defective_series import DEFECTS, Defect
from tests.hostile.series import write


def defect_is_told(defect: Defect, folder: Path) -> bool:
    try:
        volume = finish(load(scan(write(folder, defect.make()))[0]))
    except FileRefused as refusal:
        return bool(defect.refused and re.search(defect.refused, str(refusal)))
    assert volume is not None
    said = {finding.kind + "!" * finding.serious for finding in volume.findings}
    due = set(defect.findings.split())
    return not defect.refused and due <= said and {kind for kind in said if kind.endswith("!")} <= due


def clean_is_trusted(clean: Clean, folder: Path) -> bool:
    try:
        found = scan(write(folder, clean.slices))
        volumes = [finish(load(series)) for series in found]
    except FileRefused:
        return False
    return len(found) == len(clean.truths) and not any(volume.findings for volume in volumes if volume is not None)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clean", type=int, default=300)
    options = parser.parse_args()
    wrong: list[str] = []
    count = 0
    with tempfile.TemporaryDirectory(prefix="series-") as folder:
        wrong += [each.name for n, each in enumerate(DEFECTS) if not defect_is_told(each, Path(folder, f"defect{n}"))]
        for count, clean in enumerate(clean_series(options.clean, seed=1), 1):
            if not clean_is_trusted(clean, Path(folder, f"clean{count}")):
                wrong.append(clean.name)
    shutdown()
    print(json.dumps({"defective": len(DEFECTS), "clean": count, "wrong": wrong}))
    return int(bool(wrong))


if __name__ == "__main__":
    raise SystemExit(main())
