"""Truncates a file of every format at 200 places, and flips bits in every compressed container (promise R4).

    python tests/soak/sweep_damage.py [--places 200] [--flips 600]

Each damaged file must be refused, open to the very voxels of the whole one, or say that a slice is missing. Ends with 1 when one
did neither. JPEG-family and run-length code, and DICOM's bare deflate, have no checksum: what flips in there is only counted.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np

from ctmri_core.io.reader_process import shutdown
from tests.hostile.files import KINDS, lay_out
from tests.hostile.verdicts import Verdict, verdict_on

TRUNCATED = (
    "nifti_big_endian_f4", "nifti_2", "gzip_fine", "nifti_pair", "nifti_pair_packed", "mha_fine", "mha_packed", "mhd_data_good",
    "nrrd_fine", "nrrd_gzip", "nrrd_bzip2", "nhdr_data_good", "dicom_fine", "dicom_implicit", "dicom_big_endian",
    "dicom_deflated_fine", "dicom_rle", "dicom_jpeg", "png_fine", "png_deep", "jpeg_fine", "tiff_fine", "tiff_deep", "mgh_fine",
    "mgz_fine", "analyze_fine", "zip_fine", "zip_stored", "zip_one_nifti", "dicomdir_fine",
)  # fmt: skip
FLIPPED = (
    "gzip_fine", "nifti_pair_packed", "mha_packed", "nrrd_gzip", "nrrd_bzip2", "png_fine", "png_deep", "mgz_fine", "zip_fine",
    "zip_stored", "zip_one_nifti",
)  # fmt: skip
UNPROVABLE = ("jpeg_fine", "dicom_jpeg", "dicom_rle", "dicom_deflated_fine")


def damaged(name: str, places: int, flips: int, random: Random) -> Iterator[tuple[str, Path]]:
    """(what was done, path to open) for each damage to each file of a kind but those that are opened by name of another."""
    with tempfile.TemporaryDirectory(prefix="sweep-") as folder:
        path = lay_out(KINDS[name], Path(folder))
        files = [path] if not name.startswith("dicomdir") else [path.with_name("002")]
        files += [file for file in path.parent.iterdir() if file.suffix in (".img", ".raw", ".gz") and file != path]
        for file in files:
            whole = file.read_bytes()
            for at in sorted({int(place) for place in np.linspace(0, len(whole) - 1, places)}):
                file.write_bytes(whole[:at])
                yield f"{file.name} ends after {at} of {len(whole)}", path
            for _ in range(flips if file.suffix != ".hdr" else 0):  # a header on its own is no container
                at, bit = random.randrange(len(whole)), random.randrange(8)
                file.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << bit]) + whole[at + 1 :])
                yield f"{file.name}: bit {bit} of byte {at}", path
            file.write_bytes(whole)


def same(verdict: Verdict, voxels: np.ndarray) -> bool:
    """Whether what opened is what was there, or says that a part of it is missing."""
    if len(verdict.volumes) != 1:
        return False
    return np.array_equal(verdict.volumes[0].voxels, voxels) or bool(verdict.findings & {"left_out", "gap"})


def sweep(name: str, places: int, flips: int, seed: int = 0) -> tuple[Counter[str], list[str]]:
    """Counts of what became of the damaged files, and what should not have become of any."""
    with tempfile.TemporaryDirectory(prefix="sweep-") as folder:
        (whole,) = verdict_on(lay_out(KINDS[name], Path(folder))).volumes
    counts: Counter[str] = Counter()
    wrong = []
    for what, path in damaged(name, places, flips, Random(seed)):
        verdict = verdict_on(path)
        if verdict.outcome == "opened":
            kept = same(verdict, whole.voxels)
            counts["opened to the same voxels" if kept else "opened to other voxels"] += 1
            if not kept:
                wrong.append(f"{name}: {what}: {sorted(verdict.findings)}")
        else:
            counts[verdict.outcome] += 1
            if verdict.outcome != "refused":
                wrong.append(f"{name}: {what}: {verdict.message}")
    return counts, wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--places", type=int, default=200)
    parser.add_argument("--flips", type=int, default=600)
    options = parser.parse_args()
    defects = 0
    for title, names, places, flips in (
        ("truncated", TRUNCATED, options.places, 0), ("flipped", FLIPPED, 0, options.flips),
        ("flipped, cannot be proved", UNPROVABLE, 0, options.flips),
    ):  # fmt: skip
        total: Counter[str] = Counter()
        for name in names:
            counts, wrong = sweep(name, places, flips)
            total += counts
            if names is not UNPROVABLE:
                defects += len(wrong)
                print(*wrong[:5], sep="\n", end="\n" if wrong else "")
            print(json.dumps({title: name, **counts}), flush=True)
        print(json.dumps({f"all {title}": dict(total)}), flush=True)
    shutdown()
    return int(defects > 0)


if __name__ == "__main__":
    raise SystemExit(main())
