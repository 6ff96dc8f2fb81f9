"""R18: what could tell real from synthetic pictures beside what they show: the audit at full counts, order, files, loading.

    python -m tests.soak.study_blinding [TIMES]

A background one HU higher must be found in every one of TIMES studies; exchangeable halves must be told apart no more often than
chance allows; positions in the order of TIMES * 50 readers must be as many for both kinds; the packed file must hold nothing that
differs between them, and loading must take as long. What the reading window shows (titles, names) is tested with the window.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import numpy as np
from scipy import stats

from ctmri_core.studies.assignment import assign
from ctmri_core.studies.leak_audit import audit
from ctmri_core.studies.pack import pack
from ctmri_core.studies.pictures import Pictures, write_picture
from ctmri_core.studies.study_folder import StudyFolder, write_draft
from ctmri_core.studies.truth import REAL, Arm, Order, Plan, Truth
from tests.core import test_leak_audit
from tests.core.simulated_study import pictures, protocol

_CASES, _SHAPE = 30, (24, 160, 160)


def main(times: int) -> int:
    found = sum(audit(*test_leak_audit.study(test_leak_audit.by_one_hu, seed)).verdict != "clear" for seed in range(times))
    told = [audit(*test_leak_audit.study(lambda voxels: voxels, seed)) for seed in range(times)]
    alarms = sum(one.verdict != "clear" for one in told)
    allowed = int(stats.binom.ppf(0.999, times, 0.05))
    sys.stdout.write(f"+1 HU: found in {found} of {times}\n")
    mean = float(np.mean([one.area for one in told]))
    sys.stdout.write(f"exchangeable halves: {alarms} of {times} told apart ({allowed} by chance at most), mean area {mean:.3f}\n")
    order, files, loading = _order(50 * times), *_files(times)
    return int(found < times or alarms > allowed or not (order and files and loading))


def _order(readers: int) -> bool:
    """Whether, at each place in the order, both kinds stand equally often."""
    items, asked = pictures(_CASES), protocol()
    plan = Plan(seed="5e" * 32, practice=0, repeats=0.0, order=Order(may_relax=True))
    real = {item.token for item in items if item.arm == REAL}
    counts = np.zeros(2 * _CASES)
    for number in range(readers):
        counts += [trial.items[0] in real for trial in assign(asked, plan, items, f"R{number}").trials]
    z = (counts - readers / 2) / np.sqrt(readers / 4)
    most = float(np.abs(z).max())
    limit = float(stats.norm.isf(0.001 / 2 / len(z)))
    sys.stdout.write(f"order: {readers} readers, largest deviation of a place {most:.2f} SD (limit {limit:.2f})\n")
    return most <= limit


def _files(times: int) -> tuple[bool, bool]:
    """Whether packed entries are alike but for their bytes, and whether both kinds load equally fast."""
    asked, chance = protocol(), np.random.default_rng(18)
    tokens = [f"{number:016x}" for number in chance.choice(1 << 48, 2 * _CASES, replace=False)]  # by chance, as in any study
    items = [item.model_copy(update={"token": token}) for item, token in zip(pictures(_CASES), tokens, strict=True)]
    plan = Plan(seed="5e" * 32, practice=0, readers=("R1",), order=Order(may_relax=True))
    truth = Truth(protocol=asked.sha256, plan=plan, arms=(Arm(name=REAL), Arm(name="A")), items=tuple(items))
    with tempfile.TemporaryDirectory() as root:
        folder, packed = Path(root) / "study", Path(root) / "R1.ctmri-reader"
        shown = [write_picture(folder, item.token, chance.integers(-1000, 1000, _SHAPE).astype(np.int16), (3.0, 1.0, 1.0))
                 for item in items]  # fmt: skip
        write_draft(folder, asked, truth, shown)
        pack(StudyFolder(folder).open("2026-01-01T00:00:00Z", "1.0", {}), "R1", packed)
        with zipfile.ZipFile(packed) as entries:
            facts = {(one.file_size, one.compress_type, one.date_time, one.external_attr, len(one.extra), one.comment)
                     for one in entries.infolist() if one.filename.endswith(".raw")}  # fmt: skip
        taken = _load_times(packed, [item.token for item in items], times)
    rows = list(zip((item.arm == REAL for item in items), taken, strict=True))
    arms = [[t for real, row in rows for t in row if real == kind] for kind in (True, False)]
    test = stats.mannwhitneyu(*arms)
    area = float(test.statistic) / (len(arms[0]) * len(arms[1]))
    sys.stdout.write(f"packed pictures: {len(facts)} kind of entry\n")
    sys.stdout.write(f"loading: area {area:.3f} over {2 * len(arms[0])} loads, p {float(test.pvalue):.2f}\n")
    return len(facts) == 1, abs(area - 0.5) < 0.05


def _load_times(packed: Path, tokens: list[str], times: int) -> list[list[float]]:
    """In an order drawn anew each time, so that what else the machine does falls on both."""
    stored, chance = Pictures(packed), random.Random(18)
    taken: list[list[float]] = [[] for _ in tokens]
    for _ in range(max(1, times // 10)):
        for place in chance.sample(range(len(tokens)), len(tokens)):
            begun = time.perf_counter()
            stored.voxels(tokens[place])
            taken[place].append(time.perf_counter() - begun)
    return taken


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 200))
