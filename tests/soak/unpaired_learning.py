"""Whether the methods that see no pairs come to translate digital heads they were not shown.

    python tests/soak/unpaired_learning.py [--steps 4000] [METHOD ...]

Each method trains on four heads, tiny and seeded, in one thread, at a rate that falls to zero in the second half. Every 250
steps a line tells the mean absolute error inside the body of two other heads, in percent of the range, beside that of the
source taken as it is. The end is judged: a method must beat the source as it is by a quarter in each direction that it was
made for. Ends with 1 when one did not. The identity loss is off: at this size it teaches copying (docs/measured.md).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from ctmri_core.domain import Direction
from ctmri_core.registry import method_cards
from tests.teaching.plain_training import PlainTraining, prepared_heads

SHARE = 0.75
"""Of the error of the source as it is; above it a method has not learned."""
NETWORKS: Mapping[str, Any] = {
    "generator": "resnet_6", "width": 12, "discriminator_width": 12, "receptive_field": 34, "blocks": 4, "feature_size": 32,
    "patches": 64, "discriminator_layers": 4, "levels": 3, "latent": 16, "scales": 2, "maps": 6, "critic_steps": 2,
    "curriculum_epochs": 7, "lambda_identity": 0.0,
}  # fmt: skip
RUNS: tuple[tuple[str, Mapping[str, Any]], ...] = (
    ("cyclegan", {}), ("ssim_cyclegan", {}), ("cut", {"blocks": 6}), ("unit", {}), ("unit", {"share_latent": True}),
    ("attention_gan", {}), ("stargan", {}), ("vae_cyclegan", {}), ("aggan", {}),
)  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("methods", nargs="*", metavar="METHOD")
    parser.add_argument("--steps", type=int, default=4000)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    failed = []
    with tempfile.TemporaryDirectory() as folder:
        heads = prepared_heads(Path(folder), range(6))
        for name, changes in RUNS:
            if (not asked.methods or name in asked.methods) and not learned(name, changes, heads, asked.steps):
                failed.append(f"{name} {dict(changes) or ''}".strip())
    print(f"not learned: {', '.join(failed)}" if failed else "every method learned to translate")
    return 1 if failed else 0


def learned(name: str, changes: Mapping[str, Any], heads: list[Any], steps: int) -> bool:
    """Trains one method and tells how it goes."""
    card = method_cards()[name]
    known = {field: value for field, value in NETWORKS.items() if field in card.config.model_fields}
    config = card.config(**{**known, **changes})
    training = PlainTraining(name, config, heads[:4], paired=False, crop=64, rate=5e-4)
    begun, worst = time.perf_counter(), float("inf")
    ways: tuple[Direction, ...] = training.method.directions
    for done in range(0, steps, 250):
        training.run(min(250, steps - done), end=steps)
        errors = {way: training.body_error(heads[4:], way) for way in ways}
        told = ", ".join(
            f"{way.name} {made * 50:.1f} % (as it is {left * 50:.1f} %, one grey {grey * 50:.1f} %)"
            for way, (made, left, grey) in errors.items()
        )
        worst = max(made / left for made, left, _ in errors.values())
        label = f"{name} {dict(changes) if changes else ''}".strip()
        print(f"{label}: {min(done + 250, steps)} steps, {time.perf_counter() - begun:.0f} s: {told}", flush=True)
    return worst < SHARE


if __name__ == "__main__":
    sys.exit(main())
