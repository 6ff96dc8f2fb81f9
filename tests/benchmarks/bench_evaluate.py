"""Scoring cases beside each other in processes against one after the other, and how much memory waits meanwhile.

Prints seconds of wall time of either way, their ratio (at most the number of processors; what else runs on the machine enters),
and the most jobs that were held at once. Sizes: `python tests/benchmarks/bench_evaluate.py [CASES] [EDGE] [WORKERS]`.
"""

from __future__ import annotations

import os
import sys
import time

import numpy as np

from ctmri_core.domain import Domain
from ctmri_core.evaluation.pool import Scorers
from ctmri_core.evaluation.scoring import ScoringJob
from ctmri_core.evaluation.shown_metrics import chosen_metrics
from ctmri_core.geometry import Geometry
from ctmri_core.training.measuring import peak_memory


def job(seed: int, edge: int) -> ScoringJob:
    """A block of tissues, `edge` x `edge` x 0.6 `edge`, as int16."""
    random, shape = np.random.default_rng(seed), (int(0.6 * edge), edge, edge)
    mask = np.zeros(shape, np.bool_)
    mask[:, edge // 8 : -edge // 8, edge // 8 : -edge // 8] = True
    tissue = random.choice(np.array([-900, -60, 40, 700], np.int16), shape)
    truth = np.where(mask, tissue, np.int16(-1000))
    made = (truth + random.integers(-60, 60, shape)).astype(np.int16)
    return ScoringJob(truth, made, mask, Geometry(shape, (1.0, 1.0, 1.0)), Domain.CT, chosen_metrics((), Domain.CT))


def seconds(cases: int, edge: int, workers: int) -> tuple[float, int]:
    """Wall time, and the most jobs that were held."""
    most, begun = 0, time.perf_counter()
    with Scorers[int](workers) as scorers:
        for number in range(cases):
            scorers.give(job(number, edge), number)
            most = max(most, len(scorers._running))
            list(scorers.finished())
        list(scorers.rest())
    return time.perf_counter() - begun, most


def main() -> None:
    cases, edge, workers = map(int, (sys.argv[1:] + ["6", "192", str(os.cpu_count() or 2)][len(sys.argv) - 1 :])[:3])
    one = job(0, edge)
    size = sum(array.nbytes for array in (one.truth, one.synthetic, one.mask)) / 2**20
    print(f"{cases} cases of {one.truth.shape} voxels, {size:.0f} MiB each; {os.cpu_count()} processors")
    alone, _ = seconds(cases, edge, 0)
    beside, most = seconds(cases, edge, workers)
    print(f"one after the other {alone:.1f} s, {workers} processes {beside:.1f} s (starting them included): {alone / beside:.2f}")
    peak = peak_memory() / 2**20
    print(f"at most {most} jobs held at once of {cases}; peak {peak:.0f} MiB here, which more cases do not change")


if __name__ == "__main__":
    main()
