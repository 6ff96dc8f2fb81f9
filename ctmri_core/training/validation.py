"""How well a method translates slices that it was not trained on, in numbers and in a picture."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from ctmri_core.data.prepared_slices import PreparedSlices
from ctmri_core.domain import Direction, Domain
from ctmri_core.events import StopSignal
from ctmri_core.files import atomic_file
from ctmri_core.method import Method
from ctmri_core.preprocess.recipe import Recipe

_CT_WINDOW = (-200.0, 600.0)  # HU: soft tissue in greys and bone not all white
_GAP = 4


@contextmanager
def evaluating(method: Method[Any]) -> Iterator[None]:
    """Networks as they will be used: running statistics, no dropout, no gradients."""
    for network in method.networks.values():
        network.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for network in method.networks.values():
            network.train()


def measure(
    method: Method[Any], slices: PreparedSlices, direction: Direction, recipe: Recipe, *,
    count: int, batch_size: int, device: torch.device, stop: StopSignal,
) -> dict[str, float] | None:  # fmt: skip
    """Errors inside the body over `count` evenly spaced slices; None when stopped.

    `mae_hu` for CT, `mae_percent` (of the recipe's range) for MR; `psnr_db` with the recipe's whole range as data range.
    """
    absolute = squared = voxels = 0.0
    with evaluating(method):
        for batch in slices.whole_batches(slices.evenly_spaced(count), batch_size):
            if stop():
                return None
            on_device = batch.to(device)
            difference = (
                method.translate(on_device.seen(direction.source), direction).float() - on_device[direction.target]
            ).double() * on_device.masks[direction.target]
            absolute += float(difference.abs().sum())
            squared += float(difference.square().sum())
            voxels += float(on_device.masks[direction.target].sum())
    error, power = absolute / max(voxels, 1.0) / 2, squared / max(voxels, 1.0) / 4  # the range [-1, 1] as 1
    psnr = 10 * math.log10(1 / max(power, 1e-12))
    if direction.target is Domain.CT:
        return {"mae_hu": error * (recipe.ct.high - recipe.ct.low), "psnr_db": psnr}
    return {"mae_percent": error * 100, "psnr_db": psnr}


def write_sample(
    path: Path, method: Method[Any], slices: PreparedSlices, direction: Direction, recipe: Recipe, device: torch.device
) -> None:
    """A PNG with source, synthetic and target side by side, one row for each of three fixed slices."""
    rows = []
    with evaluating(method):
        for batch in slices.whole_batches([slices.pairs * quarter // 4 for quarter in (1, 2, 3)], 1):
            synthetic = method.translate(batch.seen(direction.source).to(device), direction).float().cpu()
            parts = (
                (batch[direction.source], direction.source),
                (synthetic, direction.target),
                (batch[direction.target], direction.target),
            )
            rows.append(np.hstack([_grey(part[0, 0].numpy(), domain, recipe) for part, domain in parts]))
    width = max(row.shape[1] for row in rows)
    page = np.vstack([np.pad(row, ((0, 0), (0, width - row.shape[1]))) for row in rows])
    with atomic_file(path, private=True) as temporary:
        Image.fromarray(page).save(temporary)


def _grey(picture: NDArray[np.float32], domain: Domain, recipe: Recipe) -> NDArray[np.uint8]:
    values = recipe.to_nominal(picture, domain)
    low, high = _CT_WINDOW if domain is Domain.CT else (0.0, recipe.mr.nominal_high)
    grey = (np.clip((values - low) / (high - low), 0, 1) * 255).round().astype(np.uint8)
    return np.pad(grey, _GAP)
