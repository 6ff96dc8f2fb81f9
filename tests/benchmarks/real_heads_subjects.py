"""Who of the public brain slices is learnt from and who validates, and who was imaged after a contrast agent.

    python tests/benchmarks/real_heads_subjects.py [DATA]

DATA: the folder `synthrad_brain_slices` (default: below CTMRI_SHARED or ../shared). Writes `real_heads/contrast.csv`,
`split.json` and `split_unenhanced.json` beside this script. The same data give the same files.

The rule: in the axial slice the brain is what has 0 to 90 HU, is 4 mm from anything else, and the largest such piece, grown
back by 3 mm. Vessels in it are bright after gadolinium: where the 99.9th percentile of the T1 in there is more than 1.9
times its median the subject counts as enhanced, up to 1.6 times as unenhanced, between as unsure. In centre C the two
contrasts show as two groups with a gap from 1.68 to 1.82.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

HERE = Path(__file__).resolve().parent
KEPT = HERE / "real_heads"
VALIDATION_OF_EACH_CENTRE = 10
ENHANCED, UNENHANCED = 1.9, 1.6


def default_data() -> Path:
    """The folder of the slices."""
    shared = os.environ.get("CTMRI_SHARED")
    return (Path(shared) if shared else HERE.parents[2] / "shared") / "data" / "synthrad_brain_slices"


def brain_of(hu: NDArray[np.int32], inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(h, w): the largest piece of soft tissue that is thick."""
    soft = inside & (hu > 0) & (hu < 90)
    pieces, count = ndimage.label(ndimage.binary_erosion(soft, iterations=4))
    if not count:
        return soft
    largest = pieces == 1 + int(np.argmax(ndimage.sum(pieces > 0, pieces, range(1, count + 1))))
    brain: NDArray[np.bool_] = ndimage.binary_dilation(largest, iterations=3) & soft
    return brain


def vessel_ratio(subject: Path) -> float:
    """How much brighter the brightest of the brain is than its median, in the axial T1."""
    hu = np.asarray(Image.open(subject / "ct_axial.png")).astype(np.int32) - 1024
    inside = np.asarray(Image.open(subject / "mask_axial.png")) > 0
    values = np.asarray(Image.open(subject / "mr_t1_axial.png"))[brain_of(hu, inside)]
    return float(np.percentile(values, 99.9) / np.median(values))


def label_of(ratio: float) -> str:
    return "enhanced" if ratio > ENHANCED else "unenhanced" if ratio <= UNENHANCED else "unsure"


def split_of(labels: dict[str, str]) -> dict[str, list[str]]:
    """Ten of each centre validate, every contrast of a centre in about its share; who, follows from the names alone."""
    centres: dict[str, list[str]] = defaultdict(list)
    for key in labels:
        centres[key[2]].append(key)
    validation = []
    for keys in centres.values():
        ranked = []
        for label in sorted({labels[key] for key in keys}):
            own = sorted((key for key in keys if labels[key] == label), key=lambda key: hashlib.sha256(key.encode()).hexdigest())
            ranked += [((place + 0.5) / len(own), label, key) for place, key in enumerate(own)]
        validation += [key for _, _, key in sorted(ranked)[:VALIDATION_OF_EACH_CENTRE]]
    return {"train": sorted(set(labels) - set(validation)), "validation": sorted(validation)}


def main() -> None:
    data = Path(sys.argv[1]) if len(sys.argv) > 1 else default_data()
    ratios = {subject.name: vessel_ratio(subject) for subject in sorted(data.iterdir()) if (subject / "ct_axial.png").exists()}
    labels = {key: label_of(ratio) for key, ratio in ratios.items()}
    with (KEPT / "contrast.csv").open("w", newline="") as handle:
        rows = csv.writer(handle, lineterminator="\n")
        rows.writerow(("subject", "vessel_ratio", "contrast"))
        rows.writerows((key, f"{ratios[key]:.2f}", labels[key]) for key in labels)
    split = split_of(labels)
    plain = {side: [key for key in keys if labels[key] == "unenhanced"] for side, keys in split.items()}
    for name, lists in (("split", split), ("split_unenhanced", plain)):
        (KEPT / f"{name}.json").write_text(json.dumps(lists, indent=1) + "\n")
        counts = {side: len(keys) for side, keys in lists.items()}
        print(name, counts, {side: [sum(key[2] == centre for key in keys) for centre in "ABC"] for side, keys in lists.items()})
    print({label: [sum(own == label and key[2] == centre for key, own in labels.items()) for centre in "ABC"]
           for label in sorted(set(labels.values()))})  # fmt: skip


if __name__ == "__main__":
    main()
