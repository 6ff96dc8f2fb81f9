"""A head from file to file: what is done beside the network, against the network alone, eager float32 and the matrix rate.

    python tests/benchmarks/bench_translate_file.py [slices] [width]

160 slices of 256 x 256 through a ResNet-9 take minutes on a processor; fewer slices (40 at least) or channels show it sooner.
Prints the seconds of every part in one run of the very steps that `ctmri translate` takes, then the network alone on the same
slices in the same batches (best of the turns), and for the share also what a slice costs in eager float32. Memory is the
peak that tracemalloc counts of Python and numpy, which does not depend on the machine, with a small network in a process of its
own for each kind of order; without the rest: `memory` in place of the number of slices.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import torch

from ctmri_core.domain import Direction
from ctmri_core.events import Progress, Started, finish
from ctmri_core.geometry import Geometry
from ctmri_core.inference.fast_generator import FastGenerator
from ctmri_core.inference.order import Order
from ctmri_core.inference.precision import choose_device, choose_plan, prepare_generator
from ctmri_core.inference.translate import translate_as
from ctmri_core.io.opening import open_volume
from ctmri_core.io.saving import save
from ctmri_core.model_card import ModelCard
from ctmri_core.model_file import LoadedModel, load_model, save_model
from ctmri_core.networks.initialisation import initialise_normal
from ctmri_core.preprocess.recipe import Recipe
from ctmri_core.registry import build_generator

SIDE, MATRIX = 256, 2048
GIGA_OPERATIONS = 2 * 48.7  # multiply-adds of one forward pass of ResNet-9 at 256 x 256, width 64
PROMISED_OVERHEAD, PROMISED_MEMORY = 0.10, 2.5


def write_head(path: Path, slices: int) -> Path:
    """An ellipsoid of tissue with a skull, in air, 1 mm. Its contrast is that of bone and air throughout: random weights blow up
    what bfloat16 rounds of a nearly flat picture, and the plan would rightly be float32."""
    k, j, i = np.ogrid[-1 : 1 : slices * 1j, -1.25 : 1.25 : SIDE * 1j, -1.25 : 1.25 : SIDE * 1j]
    radius = k**2 * 0.6 + j**2 + i**2 * 1.2
    tissue = 400 + 700 * np.sin(9 * i) * np.cos(7 * j + 3 * k)
    hu = np.where(radius < 0.75, tissue, np.where(radius < 0.85, 900, np.where(radius < 1, 20, -1000))).astype(np.int16)
    nib.save(nib.Nifti1Image(hu.T, np.diag([-1.0, -1.0, 1.0, 1.0])), path)
    return path


def write_model(path: Path, width: int) -> Path:
    config = {"generator": "resnet_9", "width": width, "norm": "instance", "dropout": False}
    card = ModelCard(
        name="Benchmark", method="pix2pix", config=config, direction=Direction.parse("ct_to_mr_t1"), body_region="head",
        recipe=Recipe(spacing_mm=None), created=datetime(2026, 1, 2, tzinfo=UTC),
    )  # fmt: skip
    torch.manual_seed(0)
    save_model(path, initialise_normal(build_generator(card)).state_dict(), card)
    return path


def from_file_to_file(scan: Path, model: Path, out: Path) -> dict[str, float]:
    """Seconds of every part."""
    parts: dict[str, float] = {}
    begun = last = time.perf_counter()

    def part(name: str) -> None:
        nonlocal last
        parts[name] = parts.get(name, 0.0) + time.perf_counter() - last
        last = time.perf_counter()

    volume = open_volume(scan)
    part("opening")
    loaded = load_model(model)
    part("loading the model")
    work, made = translate_as(volume, loaded, Order()), None
    stage = "preparing, timing this machine, doubts"
    while True:
        try:
            event = next(work)
        except StopIteration as end:
            made = end.value
            break
        if isinstance(event, Started):
            part(stage)
            stage = "slices"
        elif isinstance(event, Progress) and event.done == event.total:
            part(stage)
            stage = "flags of slices and the record"
    part(stage)
    finish(save(made.volume, out, source=volume))
    part("writing and reading back")
    parts["all"] = time.perf_counter() - begun
    return parts


@torch.inference_mode()
def network_alone(loaded: LoadedModel, slices: np.ndarray) -> float:
    """Seconds for all slices, in the batches that a translation takes."""
    plan = choose_plan(loaded.generator, slices[len(slices) // 2], choose_device("auto"))
    network = prepare_generator(loaded.generator, plan)
    inputs = [torch.from_numpy(slices[n : n + plan.batch]).to(plan.device) for n in range(0, len(slices), plan.batch)]
    for each in inputs[:2]:
        network(each)
    begun = time.perf_counter()
    for each in inputs:
        network(each).cpu()
    return time.perf_counter() - begun


def best(run: Callable[[], Any], seconds: float = 4.0) -> float:
    fastest, end = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < end:
        begun = time.perf_counter()
        run()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        fastest = min(fastest, time.perf_counter() - begun)
    return fastest


@torch.inference_mode()
def rates(loaded: LoadedModel, one: np.ndarray, seconds_per_slice: float, width: int) -> None:
    device = choose_device("auto")
    x = torch.from_numpy(one[None]).to(device)
    eager = loaded.generator.to(device)
    matrix = torch.randn(MATRIX, MATRIX, device=device, dtype=torch.bfloat16)
    slow, rate = best(lambda: eager(x)), 2 * MATRIX**3 / best(lambda: matrix @ matrix, 2.0) / 1e9
    limit = GIGA_OPERATIONS * (width / 64) ** 2 / rate
    print(f"a slice: {seconds_per_slice * 1e3:.1f} ms from file to file, eager float32 {slow * 1e3:.1f} ms alone:")
    print(f"  {slow / seconds_per_slice:.2f} times as fast as that (promised on a processor 1.6, on a card 3)")
    print(f"  {seconds_per_slice / limit:.2f} times what the bfloat16 matrix rate of {rate:.0f} GFLOP/s allows (processor: 1.4)")
    fast = FastGenerator(loaded.generator, torch.bfloat16, device)(x) - eager(x)
    print(f"  bfloat16 against float32: {fast.abs().mean() / 2:.3%} of the range apart, bias {fast.mean() / 2:+.4%}")


PEAK = "peak"
_ORDERS: dict[str, dict[str, Any]] = {
    "plain": {},
    "three planes, mean": {"planes": "three"},
    "three planes, median": {"planes": "three", "fusion": "median"},
    "mirrored": {"doubt": "mirrored", "samples": 2},
    "three planes and how far they differ": {"planes": "three", "doubt": "planes"},
    "mirrored, with two draws": {"doubt": "mirrored", "samples": 3, "draws": 2},
}


def print_peak(scan: str, model: str, name: str) -> None:
    """In a process of its own: the most that Python and numpy held beyond the source, when all modules were loaded. What torch
    holds is the network's."""
    volume, loaded = open_volume(scan), load_model(model)
    order = Order(precision="float32", device="cpu", batch=1, **_ORDERS[name])
    few = np.zeros((48, 48, 48), np.int16)
    finish(translate_as(replace(volume, voxels=few, geometry=Geometry(few.shape, (1, 1, 1)), files=(), path=None), loaded, order))
    tracemalloc.start()
    finish(translate_as(volume, loaded, order))
    more = tracemalloc.get_traced_memory()[1]
    print(f"  {name}: {more / volume.voxels.nbytes:.2f} times the source (int16), {more / (volume.voxels.size * 4):.2f} times the"
          " result (float32)")  # fmt: skip


def main(slices: int, width: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        scan, model = write_head(folder / "ct.nii.gz", slices), write_model(folder / "m.safetensors", width)
        volume, loaded = open_volume(scan), load_model(model)
        prepared = loaded.card.recipe.forward(volume).slices[:, None]
        finish(translate_as(volume, loaded, Order()))  # the plan is known and all is loaded: what is measured is the work
        parts = from_file_to_file(scan, model, folder / "mr.nii.gz")
        alone = network_alone(loaded, prepared)
        again = from_file_to_file(scan, model, folder / "mr2.nii.gz")
        parts = min((parts, again), key=lambda each: each["all"])
        for part, seconds in parts.items():
            print(f"{part:42} {seconds:8.2f} s")
        overhead = parts["all"] / alone - 1
        print(f"{'the network alone':42} {alone:8.2f} s; beside it {overhead:.1%} (promised: under {PROMISED_OVERHEAD:.0%})")
        rates(loaded, prepared[slices // 2], parts["all"] / slices, width)
        peaks(folder, scan)


def peaks(folder: Path, scan: Path) -> None:
    tiny = write_model(folder / "tiny.safetensors", 4)
    print(f"memory beyond source and network (promised: all in all {PROMISED_MEMORY} volumes for the plain one):", flush=True)
    for order in _ORDERS:
        subprocess.run([sys.executable, __file__, PEAK, str(scan), str(tiny), order], check=True)


if __name__ == "__main__":
    if sys.argv[1:2] == [PEAK]:
        print_peak(*sys.argv[2:5])
    elif sys.argv[1:2] == ["memory"]:
        with tempfile.TemporaryDirectory() as made:
            peaks(Path(made), write_head(Path(made, "ct.nii.gz"), 160))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 160, int(sys.argv[2]) if len(sys.argv) > 2 else 64)
