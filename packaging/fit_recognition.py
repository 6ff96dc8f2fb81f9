#!/usr/bin/env python3
"""Fits what recognises CT, T1, T2 and FLAIR (resources/recognition/kinds.json) on digital heads and bodies.

    .venv/bin/python packaging/fit_recognition.py [--samples 8000] [--heads 28] [--scans DIR] [--install]

With --scans, a folder with the sets that packaging/free_scans.py names, on slices of these as well. The same
arguments give the same file on the same machine; some minutes on two cores.
"""

from __future__ import annotations

import argparse
import json
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from free_scans import LICENCE, SCANS, WHAT, voxels_and_body
from numpy.typing import NDArray
from recognition_samples import KINDS, draw, draw_scan, head_labels

from ctmri_core.files import write_text
from ctmri_core.recognition.classifier import Classifier
from ctmri_core.recognition.features import features_of
from ctmri_core.recognition.sampled_slices import sampled
from ctmri_core.resources_folder import resources_folder

_MEMBERS, _HIDDEN = 4, 24
_SLICES = 9
_SCAN_MM = 1.25
_VALIDATION_HEADS = 1000
"""Seeds of the heads that calibrate begin here."""
Array = NDArray[np.float64]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=8000)
    parser.add_argument("--heads", type=int, default=28)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--scans", type=Path, help="folder with scans that anybody may use")
    parser.add_argument("--scan-samples", type=int, default=1200, help="slices of these scans")
    parser.add_argument("--out", type=Path, default=Path("kinds.json"))
    parser.add_argument("--install", action="store_true", help="replace the file that ships")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    learnt = collect(arguments.samples, range(arguments.heads), arguments.seed, arguments.processes)
    made_of = f"{arguments.samples} slices of {arguments.heads} digital heads and of digital bodies; nobody's scan"
    if arguments.scans is not None:
        learnt = together(learnt, collect_scans(arguments.scans, arguments.scan_samples, arguments.seed + 3))
        made_of = made_of.replace("nobody's scan", f"{arguments.scan_samples} of {WHAT} ({LICENCE})")
    unseen = range(_VALIDATION_HEADS, _VALIDATION_HEADS + max(arguments.heads // 3, 2))
    single = collect(arguments.samples // 5, unseen, arguments.seed + 1, arguments.processes)
    several = collect(arguments.samples // 25, unseen, arguments.seed + 2, arguments.processes, slices=_SLICES)
    fitted = fit(learnt, single, several, arguments.seed)
    fitted["made_of"] = made_of
    fitted["seed"] = arguments.seed
    for pictures in (single, several):
        report(fitted, pictures)
    target = resources_folder() / "recognition" / "kinds.json" if arguments.install else arguments.out
    target.parent.mkdir(exist_ok=True)
    write_text(target, json.dumps(fitted, separators=(",", ":")) + "\n")
    print(f"{target.name}: {target.stat().st_size / 1024:.0f} KiB")
    return 0


@dataclass(frozen=True)
class Pictures:
    """Each of some slices: their features (m, f) one below the other, the target (kinds) and the name of each picture, and of
    which picture a slice is."""

    features: Array
    targets: Array
    names: list[str]
    of_picture: NDArray[np.intp]


def collect(count: int, seeds: range, seed: int, processes: int, slices: int = 1) -> Pictures:
    """`count` pictures, fewer by those in which nothing is to be seen."""
    with ProcessPoolExecutor(processes) as pool:
        heads = list(pool.map(head_labels, seeds))
        numbers = np.array_split(np.arange(count), 8 * processes)
        parts = list(pool.map(partial(_part, heads=heads, seed=seed, slices=slices), numbers))
    rows = [row for part in parts for row in part]
    features, targets = np.concatenate([row[0] for row in rows]), np.array([row[1] for row in rows])
    return Pictures(features, targets, [row[2] for row in rows], np.repeat(np.arange(len(rows)), [len(row[0]) for row in rows]))


def _part(
    numbers: NDArray[np.int64], heads: list[NDArray[np.uint8]], seed: int, slices: int
) -> list[tuple[Array, tuple[float, ...], str]]:
    rows = []
    for number in numbers:
        voxels, target, name = draw(np.random.default_rng([seed, int(number)]), heads, slices)
        seen = [each for plane in voxels if (each := sampled(plane, (1.0, 1.0))) is not None and not each.inverted]
        if seen:
            rows.append((np.array([features_of(each) for each in seen]), target, name))
    return rows


def collect_scans(folder: Path, count: int, seed: int) -> Pictures:
    """`count` slices of scans, as many of each, fewer by those in which nothing is to be seen."""
    rows = []
    for scan in SCANS:
        voxels, _ = voxels_and_body(folder, scan, _SCAN_MM)
        for number in range(count // len(SCANS)):
            rng = np.random.default_rng([seed, number, len(scan.name)])
            planes, target, name = draw_scan(rng, voxels, scan.domain.value, scan.head)
            each = sampled(planes[0], (1.0, 1.0))
            if each is not None and not each.inverted:
                rows.append((features_of(each), target, name))
    features, targets = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    return Pictures(features, targets, [row[2] for row in rows], np.arange(len(rows)))


def together(first: Pictures, second: Pictures) -> Pictures:
    of_picture = np.concatenate([first.of_picture, second.of_picture + len(first.names)])
    features, targets = (np.concatenate(pair) for pair in ((first.features, second.features), (first.targets, second.targets)))
    return Pictures(features, targets, first.names + second.names, of_picture)


def fit(learnt: Pictures, single: Pictures, several: Pictures, seed: int) -> dict[str, object]:
    """An ensemble of small networks with one hidden layer. Temperature, and how slices of one picture add up, make probabilities
    true on heads that were not learnt from."""
    features, targets = learnt.features, learnt.targets
    mean, deviation = features.mean(0), features.std(0) + 1e-3
    inputs, answers = (torch.tensor(each, dtype=torch.float32) for each in ((features - mean) / deviation, targets))
    members = [_member(inputs.clamp(-6, 6), answers, seed + number) for number in range(_MEMBERS)]
    fitted: dict[str, object] = {
        "format": "ctmri-recognition-1", "kinds": list(KINDS), "mean": _rounded(mean), "deviation": _rounded(deviation),
        "members": members, "temperature": 1.0, "together": 0.0,
    }  # fmt: skip
    for name, tried, pictures in (("temperature", np.linspace(0.5, 3, 51), single), ("together", np.linspace(0, 1, 21), several)):
        losses = [_loss(fitted | {name: float(value)}, pictures) for value in tried]
        fitted[name] = round(float(tried[int(np.argmin(losses))]), 3)
    return fitted


def shares_of(fitted: dict[str, object], pictures: Pictures) -> Array:
    """(pictures, kinds)."""
    classifier = Classifier.from_fitted(fitted)
    found = [classifier.probabilities(pictures.features[pictures.of_picture == n]) for n in range(len(pictures.names))]
    return np.array([list(each.values()) for each in found])


def _loss(fitted: dict[str, object], pictures: Pictures) -> float:
    return float(-(pictures.targets * np.log(shares_of(fitted, pictures) + 1e-9)).sum(1).mean())


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
    first, _, second = layers
    weights = {"hidden": first.weight, "hidden_bias": first.bias, "out": second.weight, "out_bias": second.bias}
    return {name: _rounded(tensor.detach().numpy()) for name, tensor in weights.items()}


def report(fitted: dict[str, object], pictures: Pictures) -> None:
    """On digital heads that were not learnt from."""
    print("temperature", fitted["temperature"], "together", fitted["together"], "pictures to judge by", len(pictures.names))
    guess = shares_of(fitted, pictures).argmax(1)
    for name in sorted(set(pictures.names)):
        rows = np.array([each == name for each in pictures.names])
        told = "  ".join(f"{kind} {np.mean(guess[rows] == n):.3f}" for n, kind in enumerate(KINDS))
        print(f"  {name:10} {rows.sum():5}  {told}")


def _rounded(values: Array) -> list[float]:
    rounded: list[float] = np.round(np.asarray(values, np.float64), 3).tolist()
    return rounded


if __name__ == "__main__":
    sys.exit(main())
