#!/usr/bin/env python3
"""Fits what recognises CT, T1, T2 and FLAIR (resources/recognition/kinds.json) on digital heads and bodies; nobody's scan.

    .venv/bin/python packaging/fit_recognition.py [--samples 6000] [--heads 28] [--install]

The same arguments give the same file on the same machine; some minutes on two cores.
"""

from __future__ import annotations

import argparse
import json
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from recognition_samples import KINDS, draw, head_labels

from ctmri_core.files import write_text
from ctmri_core.recognition.features import features_of
from ctmri_core.recognition.sampled_slices import sampled
from ctmri_core.resources_folder import resources_folder

_MEMBERS, _HIDDEN = 4, 24
_VALIDATION_HEADS = 1000
"""Seeds of the heads that calibrate begin here."""
Array = NDArray[np.float64]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=6000)
    parser.add_argument("--heads", type=int, default=28)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("kinds.json"))
    parser.add_argument("--install", action="store_true", help="replace the file that ships")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    features, targets, _ = collect(arguments.samples, range(arguments.heads), arguments.seed, arguments.processes)
    unseen = range(_VALIDATION_HEADS, _VALIDATION_HEADS + max(arguments.heads // 3, 2))
    held, wanted, names = collect(arguments.samples // 4, unseen, arguments.seed + 1, arguments.processes)
    fitted = fit(features, targets, held, wanted, arguments.seed)
    fitted["made_of"] = f"{arguments.samples} pictures of {arguments.heads} digital heads and of digital bodies; nobody's scan"
    fitted["seed"] = arguments.seed
    report(fitted, held, names)
    target = resources_folder() / "recognition" / "kinds.json" if arguments.install else arguments.out
    target.parent.mkdir(exist_ok=True)
    write_text(target, json.dumps(fitted, separators=(",", ":")) + "\n")
    print(f"{target.name}: {target.stat().st_size / 1024:.0f} KiB")
    return 0


def collect(count: int, seeds: range, seed: int, processes: int) -> tuple[Array, Array, list[str]]:
    """Features (n, f) and targets (n, kinds) of `count` pictures, fewer by those in which nothing is to be seen."""
    with ProcessPoolExecutor(processes) as pool:
        heads = list(pool.map(head_labels, seeds))
        parts = list(pool.map(partial(_part, heads=heads, seed=seed), np.array_split(np.arange(count), 8 * processes)))
    rows = [row for part in parts for row in part]
    return np.array([row[0] for row in rows]), np.array([row[1] for row in rows]), [row[2] for row in rows]


def _part(numbers: NDArray[np.int64], heads: list[NDArray[np.uint8]], seed: int) -> list[tuple[Array, tuple[float, ...], str]]:
    rows = []
    for number in numbers:
        voxels, target, name = draw(np.random.default_rng([seed, int(number)]), heads)
        slices = sampled(voxels, (1.0, 1.0, 1.0))
        if slices is not None and not slices.inverted:
            rows.append((features_of(slices), target, name))
    return rows


def fit(features: Array, targets: Array, held: Array, wanted: Array, seed: int) -> dict[str, object]:
    """An ensemble of small networks with one hidden layer; its temperature makes probabilities true on heads not learnt from."""
    mean, deviation = features.mean(0), features.std(0) + 1e-3
    inputs, answers = (torch.tensor(each, dtype=torch.float32) for each in ((features - mean) / deviation, targets))
    members = [_member(inputs.clamp(-6, 6), answers, seed + number) for number in range(_MEMBERS)]
    fitted: dict[str, object] = {
        "format": "ctmri-recognition-1", "kinds": list(KINDS), "mean": _rounded(mean), "deviation": _rounded(deviation),
        "members": members, "temperature": 1.0,
    }  # fmt: skip
    scores = logits(fitted, held)
    tried = np.linspace(0.5, 4, 71)
    losses = [float(-(wanted * np.log(_softmax(scores / t).mean(0) + 1e-9)).sum(1).mean()) for t in tried]
    fitted["temperature"] = round(float(tried[int(np.argmin(losses))]), 2)
    return fitted


def _member(inputs: torch.Tensor, answers: torch.Tensor, seed: int) -> dict[str, object]:
    torch.manual_seed(seed)
    layers = torch.nn.Linear(inputs.shape[1], _HIDDEN), torch.nn.Tanh(), torch.nn.Linear(_HIDDEN, len(KINDS))
    network = torch.nn.Sequential(*layers)
    optimiser = torch.optim.AdamW(network.parameters(), 5e-3, weight_decay=0.02)
    steps = 1500
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for _ in range(steps):
        chosen = torch.randint(len(inputs), (256,))
        shown = inputs[chosen] + 0.25 * torch.randn(256, inputs.shape[1])
        shown = torch.where(torch.rand(shown.shape) < 0.1, torch.zeros(()), shown)  # no feature is to decide alone
        loss = torch.nn.functional.cross_entropy(network(shown), answers[chosen] * 0.97 + 0.03 / len(KINDS))
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # untyped in torch
        optimiser.step()
        schedule.step()
    first, second = network[0], network[2]
    weights = {"hidden": first.weight, "hidden_bias": first.bias, "out": second.weight, "out_bias": second.bias}
    return {name: _rounded(tensor.detach().numpy()) for name, tensor in weights.items()}


def logits(fitted: dict[str, object], features: Array) -> Array:
    """(members, n, kinds)."""
    from ctmri_core.recognition.classifier import Classifier

    return Classifier.from_fitted(fitted).scores(features)


def _softmax(scores: Array) -> Array:
    powers = np.exp(scores - scores.max(-1, keepdims=True))
    return np.asarray(powers / powers.sum(-1, keepdims=True))


def report(fitted: dict[str, object], held: Array, names: list[str]) -> None:
    """On digital heads that were not learnt from."""
    shares = _softmax(logits(fitted, held) / float(str(fitted["temperature"]))).mean(0)
    print("temperature", fitted["temperature"], "pictures to judge by", len(held))
    for name in sorted(set(names)):
        rows = np.array([each == name for each in names])
        guess = shares[rows].argmax(1)
        print(f"  {name:10} {rows.sum():5}  " + "  ".join(f"{kind} {np.mean(guess == n):.3f}" for n, kind in enumerate(KINDS)))


def _rounded(values: Array) -> list[float]:
    rounded: list[float] = np.round(np.asarray(values, np.float64), 3).tolist()
    return rounded


if __name__ == "__main__":
    sys.exit(main())
