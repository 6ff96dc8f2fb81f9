"""What a training step of each method costs beside pix2pix's: operations, processor time and memory, of one slice of 256 x 256.

    OMP_NUM_THREADS=1 python tests/benchmarks/bench_methods.py [--size 256] [--rounds 2]

Each method trains with its default networks in float32 in a process of its own, one after the other. Operations are counted by
torch and do not depend on the machine; memory is the most that the process held beyond what it held before.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time

from ctmri_core.domain import Direction
from ctmri_core.registry import find_card, load_method, method_cards

DIRECTION = Direction.parse("ct_to_mr_t1")
BESIDE = "pix2pix"


def measured(name: str, size: int, rounds: int) -> dict[str, float]:
    """In this process."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    from ctmri_core.method import SliceBatch
    from ctmri_core.training.optimisation import Optimisation
    from ctmri_core.training.processes import join_processes
    from ctmri_core.training.random_state import RandomState
    from ctmri_core.training.settings import TrainingSettings

    torch.manual_seed(0)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    card = find_card(name)
    config = card.config().for_crop(size)
    device = torch.device("cpu")
    domains = config.domains_of(DIRECTION)
    context = torch.rand(1, config.context, size, size) * 2 - 1 if config.context > 1 else None
    pictures = {domain: torch.rand(1, 1, size, size) * 2 - 1 for domain in domains}
    masks = {domain: torch.ones(1, 1, size, size) for domain in domains}
    batch = SliceBatch(pictures, masks, context)
    processes = join_processes(TrainingSettings(device="cpu"), device, "32")
    optimisation = Optimisation(processes, load_method(name)(config, DIRECTION), config, RandomState(0, device))
    with FlopCounterMode(display=False) as counter:
        optimisation.step([batch], lambda: False)
    times = []
    for _ in range(rounds):
        start = time.process_time()
        optimisation.step([batch], lambda: False)
        times.append(time.process_time() - start)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return {"operations": float(counter.get_total_flops()), "seconds": statistics.median(times), "kib": float(memory)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--method", help="this one, in this process, as JSON")
    arguments = parser.parse_args()
    if arguments.method:
        print(json.dumps(measured(arguments.method, arguments.size, arguments.rounds)))
        return
    flags = ["--size", str(arguments.size), "--rounds", str(arguments.rounds)]
    found = {}
    for name in sorted(method_cards(), key=lambda each: each != BESIDE):
        done = subprocess.run([sys.executable, __file__, "--method", name, *flags], capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"{name}: {done.stderr.strip().splitlines()[-1]}")
            continue
        found[name] = json.loads(done.stdout)
        own, usual = found[name], found[BESIDE]
        print(
            f"{name:15s} {own['operations'] / 1e9:7.0f} GFLOP ({own['operations'] / usual['operations']:4.1f} x)"
            f"  {own['seconds']:6.1f} s of a processor ({own['seconds'] / usual['seconds']:4.1f} x)"
            f"  {own['kib'] / 2**20:5.2f} GiB ({own['kib'] / usual['kib']:4.1f} x)", flush=True,
        )  # fmt: skip


if __name__ == "__main__":
    main()
