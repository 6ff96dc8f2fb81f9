"""How well a method translates slices that it was not trained on, in numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ctmri_core.data.prepared_slices import PreparedSlices
from ctmri_core.domain import Direction, Domain
from ctmri_core.events import StopSignal
from ctmri_core.method import Method
from ctmri_core.metrics.ssim import ssim
from ctmri_core.preprocess.mr_standard import AnyScale
from ctmri_core.preprocess.recipe import Recipe
from ctmri_core.training.overlap_sums import OverlapSums
from ctmri_core.training.scores import Scores

_SATURATED = 0.99  # of [-1, 1]
_SSIM_MARGIN = 3  # half the window: no window's centre lies nearer to the edge


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
    method: Method[Any], slices: PreparedSlices, recipe: Recipe, *,
    count: int, batch_size: int, device: torch.device, stop: StopSignal,
) -> dict[Direction, Scores] | None:  # fmt: skip
    """Scores inside the body over `count` evenly spaced pairs, for every direction the pairs show; None when stopped.

    Of nominal values, as a translated volume holds them: `mae_hu` for CT, `mae_percent` (of the recipe's range) for MR; `psnr_db`
    and `ssim` (mean over slices, uniform window of 7) with the recipe's whole range as data range and its low end as zero, as
    SynthRAD's is. Of what is outlined, `dice` and `iou`: see `OverlapSums`.
    """
    sums: dict[Direction, ScoreSums | OverlapSums] = {
        way: OverlapSums() if way.target is Domain.MASK else ScoreSums(recipe.intensity(way.target).nominal)
        for way in method.directions if {way.source, way.target} <= set(slices.domains)
    }  # fmt: skip
    with evaluating(method):
        for batch in slices.whole_batches(slices.evenly_spaced(count), batch_size):
            on_device = batch.to(device)
            for direction, own in sums.items():
                if stop():
                    return None
                synthetic = method.translate(on_device.seen(direction.source), direction).float().cpu()
                own.add(synthetic.numpy(), batch[direction.target].numpy(), batch.masks[direction.target].numpy() > 0)
    return {direction: own.scores(direction) for direction, own in sums.items()}


def named(scores: Mapping[Direction, Scores]) -> dict[str, float]:
    """All metrics in one table: with the direction before the name where there are several."""
    if len(scores) == 1:
        return dict(next(iter(scores.values())).metrics)
    return {f"{way.name}/{name}": value for way, each in scores.items() for name, value in each.metrics.items()}


class ScoreSums:
    """Of one direction, whose target has this scale. Errors are shares of its range."""

    def __init__(self, scale: AnyScale) -> None:
        self._scale = scale
        self._absolute = self._squared = self._saturated = 0.0
        self._voxels = 0
        self._similarities: list[float] = []

    def add(self, synthetic: NDArray[np.float32], target: NDArray[np.float32], body: NDArray[np.bool_]) -> None:
        """(n, 1, h, w) each, in [-1, 1]. A slice that holds values that are no numbers makes all scores none."""
        if not np.isfinite(synthetic[body]).all():
            self._absolute = self._squared = math.nan
            self._similarities.append(math.nan)
            self._voxels += int(np.count_nonzero(body))
            return
        saturated = np.count_nonzero(np.abs(synthetic[body]) > _SATURATED)
        synthetic, target = self._nominal(synthetic), self._nominal(target)
        difference = (synthetic - target)[body].astype(np.float64)
        self._absolute += float(np.abs(difference).sum())
        self._squared += float(np.square(difference).sum())
        self._saturated += float(saturated)
        self._voxels += int(np.count_nonzero(body))
        inner = (slice(_SSIM_MARGIN, -_SSIM_MARGIN),) * 2
        for one, other, mask in zip(synthetic[:, 0], target[:, 0], body[:, 0], strict=True):
            if mask[inner].any():
                self._similarities.append(ssim(one, other, data_range=1.0, mask=mask))

    def _nominal(self, pictures: NDArray[np.float32]) -> NDArray[np.float32]:
        """Shares of the range. Not half of [-1, 1]: a curve gives soft tissue most of that and few of the units."""
        low, high = self._scale.low, self._scale.high
        return (self._scale.from_unit(pictures) - np.float32(low)) / np.float32(high - low)

    def scores(self, direction: Direction) -> Scores:
        voxels = max(self._voxels, 1)
        error, power = self._absolute / voxels, self._squared / voxels
        metrics = {"psnr_db": 10 * math.log10(1 / max(power, 1e-12))}
        if direction.target is Domain.CT:
            metrics = {"mae_hu": error * (self._scale.high - self._scale.low), **metrics}
        else:
            metrics = {"mae_percent": error * 100, **metrics}
        metrics["ssim"] = float(np.mean(self._similarities)) if self._similarities else 0.0
        return Scores(metrics, self._saturated / voxels)
