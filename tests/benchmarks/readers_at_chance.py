"""How often a study of readers at chance finds them beyond it: the published test, ours, and pictures taken for patients.

    python tests/benchmarks/readers_at_chance.py [STUDIES]

Each study is drawn: readers with true accuracies around one half (`sd`), pictures that readers find alike (`icc`), and with
`pictures` of each patient, patients whose pictures are alike as well. 5 % would be ideal. `published`: Obuchowski and Rockette
with Hillis's degrees of freedom; `ours`: `mrmc.against`; `pictures`: ours, if each picture were a patient of its own.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from math import sqrt

import numpy as np
from scipy.special import ndtri

from ctmri_core.statistics import mrmc
from ctmri_core.statistics.answers import Estimate, Significance, t_above
from ctmri_core.statistics.readings import Readings

SETTINGS = [
    (readers, patients, 1, icc, sd)
    for readers in (2, 3, 4, 5, 8) for patients in (30, 100) for icc, sd in ((0.0, 0.0), (0.2, 0.0), (0.2, 0.05), (0.2, 0.1))
] + [(readers, patients, 4, 0.3, 0.05) for readers in (2, 3, 5, 8) for patients in (8, 30)]  # fmt: skip


def main() -> None:
    studies, random = int(sys.argv[1]) if len(sys.argv) > 1 else 1000, np.random.default_rng(0)
    print("readers  patients  pictures of each  icc  sd    published  ours  pictures")
    for setting in SETTINGS:
        wrong = np.mean([_wrong(_drawn(random, *setting)) for _ in range(studies)], axis=0)
        readers, patients, each, icc, sd = setting
        rates = "".join(f"{100 * rate:9.1f} %" for rate in wrong)
        print(f"{readers:7} {patients:9} {each:17} {icc:4} {sd:4} {rates}", flush=True)


def _drawn(random: np.random.Generator, readers: int, patients: int, each: int, icc: float, sd: float) -> Readings:
    """1 and 0. With several pictures of a patient half of `icc` is the patient's."""
    whose = np.repeat(np.arange(patients), each)
    parts = [icc / 2, icc / 2] if each > 1 else [0.0, icc]
    alike = sqrt(parts[0]) * random.normal(size=patients)[whose] + sqrt(parts[1]) * random.normal(size=len(whose))
    bent = ndtri(np.clip(random.normal(0.5, sd, (readers, 1)), 0.01, 0.99))
    right = (alike + sqrt(1 - icc) * random.normal(size=(readers, len(whose))) + bent > 0).astype(float)
    names = tuple(map(str, range(len(whose))))
    signal, patient = np.arange(len(whose)) % 2 == 0, tuple(map(str, whose))
    return Readings(("m",), tuple(map(str, range(readers))), names, signal, right[None], patient)


def _wrong(drawn: Readings) -> tuple[bool, bool, bool]:
    analysis = mrmc.analyse(drawn, "mean")
    by_picture = mrmc.analyse(replace(drawn, patients=()), "mean")
    assert isinstance(analysis, mrmc.Analysis) and isinstance(by_picture, mrmc.Analysis)
    parts, readers = by_picture.single[0], len(drawn.readers)
    total = parts.ms_reader + readers * max(parts.cov2, 0.0)
    published = False
    if total > 0:
        df = (readers - 1) * total**2 / parts.ms_reader**2 if parts.ms_reader > 0 else np.inf
        published = 2 * t_above(abs(by_picture.mean("m") - 0.5) / sqrt(total / readers), df) < 0.05
    return published, _beyond(analysis), _beyond(by_picture)


def _beyond(analysis: mrmc.Analysis) -> bool:
    found = mrmc.against(analysis, "m")
    return isinstance(found, Estimate) and isinstance(found.test, Significance) and found.test.p < 0.05


if __name__ == "__main__":
    main()
