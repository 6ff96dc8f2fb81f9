"""ResNet-9 at 256 x 256 on this CPU: the chosen plan against the eager float32 module and against the matrix rate.

    python tests/benchmarks/bench_resnet_cpu.py [seconds]

All alternatives take turns and the best time of each counts, so that other programs disturb all of them alike.
"""

from __future__ import annotations

import sys
import time

import torch

from ctmri_core.inference.fast_generator import FastGenerator
from ctmri_core.inference.precision import choose_plan, prepare_generator
from ctmri_core.networks.initialisation import initialise_normal
from ctmri_core.networks.resnet_generator import ResnetGenerator

GIGA_OPERATIONS = 2 * 48.7  # METHODS: multiply-adds of one forward pass at 256 x 256
MATRIX = 2048
NOMINAL_HU = 3024


def best_times(alternatives, seconds):
    best = dict.fromkeys(alternatives, float("inf"))
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        for name, run in alternatives.items():
            start = time.perf_counter()
            run()
            best[name] = min(best[name], time.perf_counter() - start)
    return best


def head_like(side):
    """A disc of smooth tissue in air, [-1, 1]."""
    y, x = torch.meshgrid(*[torch.linspace(-1.3, 1.3, side)] * 2, indexing="ij")
    inside = (x.square() + y.square() < 1).float()
    return (inside * (1 + 0.5 * torch.sin(9 * x) * torch.cos(7 * y)) - 1)[None, None]


@torch.inference_mode()
def main(seconds):
    torch.manual_seed(0)
    generator = initialise_normal(ResnetGenerator()).eval()
    x = head_like(256)
    start = time.perf_counter()
    plan = choose_plan(generator, x[0].numpy(), torch.device("cpu"))
    print(f"plan: {plan.precision}, batch {plan.batch}, chosen in {time.perf_counter() - start:.2f} s")
    chosen = prepare_generator(generator, plan)
    matrix = torch.randn(MATRIX, MATRIX)
    short = matrix.bfloat16()
    times = best_times(
        {
            "float32 matrix": lambda: matrix @ matrix,
            "bfloat16 matrix": lambda: short @ short,
            "eager float32": lambda: generator(x),
            "chosen plan": lambda: chosen(x),
        },
        seconds,
    )
    rates = {name: 2 * MATRIX**3 / times[f"{name} matrix"] / 1e9 for name in ("float32", "bfloat16")}
    limit = GIGA_OPERATIONS / rates["bfloat16"]
    print(f"matrix rates: float32 {rates['float32']:.0f}, bfloat16 {rates['bfloat16']:.0f} GFLOP/s")
    for name in ("eager float32", "chosen plan"):
        print(f"{name}: {times[name] * 1e3:.0f} ms per slice")
    print(f"chosen plan is {times['eager float32'] / times['chosen plan']:.2f} times as fast as eager float32 (wanted: 1.6)")
    print(f"chosen plan takes {times['chosen plan'] / limit:.2f} times what the bfloat16 matrix rate allows (wanted: 1.4)")
    difference = FastGenerator(generator, torch.bfloat16, torch.device("cpu"))(x) - generator(x)
    print(
        f"bfloat16 against float32: mean absolute difference {difference.abs().mean() / 2:.3%} of the range, "
        f"bias {difference.mean() / 2 * NOMINAL_HU:+.2f} HU"
    )


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 15.0)
