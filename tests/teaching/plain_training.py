"""The barest trainer there is, for tests: Adam, float32, and a record of who received gradients."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ctmri_core.data.augmentation import Augmentation
from ctmri_core.data.label_values import prepared_labels
from ctmri_core.data.prepared_slices import PreparedCase, PreparedSlices
from ctmri_core.domain import Direction, Domain
from ctmri_core.method import MethodConfig
from ctmri_core.phantom import make_head
from ctmri_core.preprocess.intensity import HuCurve
from ctmri_core.preprocess.recipe import Recipe
from ctmri_core.registry import find_card, load_method
from ctmri_core.training.validation import measure

DOMAINS = (Domain.CT, Domain.MR_T1, Domain.MR_T2)
DIRECTION = Direction(Domain.CT, Domain.MR_T1)
RECIPE = Recipe(spacing_mm=4.0, multiple=32, ct=HuCurve())


head = lru_cache(make_head)
"""The digital head of a seed; the same ones are asked for again and again."""


def prepared_heads(folder: Path, seeds: Sequence[int]) -> list[PreparedCase]:
    """Digital heads of 64 x 64 pixels of 4 mm, in CT, T1 and T2, with what is body in truth as their mask."""
    cases = []
    for seed in seeds:
        case = head(seed, voxel_mm=4.0)
        slices, mask, _ = RECIPE.forward_group([case.aligned(domain) for domain in DOMAINS])
        drawn = prepared_labels(case.masks["body"].astype(np.uint8), RECIPE.grid_of(case.volumes[DOMAINS[0]].geometry))
        kept = mask.mean((1, 2)) > 0.1
        file = folder / f"head{seed}.npy"
        np.save(file, np.stack([part[kept] for part in (*slices, drawn, mask)], 1).astype(np.float16))
        cases.append(PreparedCase(file, (*DOMAINS, Domain.MASK), (-1.0,) * len(DOMAINS) + (0.0,)))
    return cases


class PlainTraining:
    """Trains `method` on crops of heads; `losses` by name and step, `unmoved` names parameters that never had a gradient."""

    def __init__(
        self, name: str, config: MethodConfig, cases: Sequence[PreparedCase], *, paired: bool, crop: int, rate: float
    ) -> None:
        self.config = config.for_crop(crop)
        direction = DIRECTION if not find_card(name).outlines else Direction(DIRECTION.source, Domain.MASK)
        self.slices = PreparedSlices(cases, self.config.domains_of(direction), paired=paired, context=config.context)
        self.augmentation = Augmentation(crop)
        torch.manual_seed(0)
        self.method = load_method(name)(self.config, direction)
        self.steps, self._rate = 0, rate
        self.losses: dict[str, list[float]] = defaultdict(list)
        self._parameters = {
            group: {f"{name}.{key}": value for name in names for key, value in self.method.networks[name].named_parameters()}
            for group, names in self.method.optimised.items()
        }
        self._adam = {
            group: torch.optim.Adam(parameters.values(), rate, (config.beta_1, config.beta_2), fused=True)
            for group, parameters in self._parameters.items()
        }
        self.unmoved = {key for parameters in self._parameters.values() for key in parameters}

    def run(self, steps: int, batch_size: int = 1, *, end: int | None = None) -> PlainTraining:
        """`end`: the step at which the rate is zero, after it has fallen since half the way there; without that the last steps
        make a lottery of short runs."""
        for step in range(self.steps, self.steps + steps):
            if end is not None:
                self._set_rate(min(1.0, 2 - 2 * step / end))
            batch = self.slices.training_batch(step, batch_size, self.augmentation, 0)
            for name, loss in self.method.training_step(batch, self._update).items():
                self.losses[name].append(float(loss))
        self.steps += steps
        return self

    def _set_rate(self, share: float) -> None:
        for adam in self._adam.values():
            for parameters in adam.param_groups:
                parameters["lr"] = share * self._rate

    def _update(self, group: str, loss: Tensor) -> None:
        assert loss.ndim == 0 and torch.isfinite(loss)
        self._adam[group].zero_grad()
        parameters = self._parameters[group]
        loss.backward(inputs=list(parameters.values()))
        self._adam[group].step()
        still = [(key, parameters[key].grad) for key in self.unmoved & parameters.keys()]
        self.unmoved -= {key for key, gradient in still if gradient is not None and bool(gradient.any())}

    def fall(self, *prefixes: str) -> float:
        """Losses whose names begin so, added: the mean of the last sixth of the steps as a share of that of the first."""
        chosen = np.array([values for name, values in self.losses.items() if name.startswith(prefixes)]).sum(0)
        part = max(len(chosen) // 6, 1)
        return float(chosen[-part:].mean() / chosen[:part].mean())

    def overlap(self, cases: Sequence[PreparedCase]) -> float:
        """Dice of what is outlined on `cases`."""
        (direction,) = self.method.directions
        held = PreparedSlices(cases, (direction.source, direction.target))
        scores = measure(
            self.method, held, RECIPE, count=12, batch_size=4, device=torch.device("cpu"), stop=lambda: False
        )  # fmt: skip
        assert scores is not None
        return scores[direction].metrics["dice"]

    def body_error(self, cases: Sequence[PreparedCase], direction: Direction = DIRECTION) -> tuple[float, float, float]:
        """Mean absolute error inside the body on `cases`: translated; the source as it is; the best single grey."""
        held = PreparedSlices(cases, (direction.source, direction.target), context=self.config.context)
        made, left, wanted = [], [], []
        for network in self.method.networks.values():
            network.eval()
        with torch.no_grad():
            for batch in held.whole_batches(held.evenly_spaced(12), 4):
                inside = batch.masks[direction.target] > 0
                made.append(self.method.translate(batch.seen(direction.source), direction)[inside])
                left.append(batch[direction.source][inside])
                wanted.append(batch[direction.target][inside])
        for network in self.method.networks.values():
            network.train()
        target = torch.cat(wanted)
        errors = [(torch.cat(guess) - target).abs().mean() for guess in (made, left)] + [(target.median() - target).abs().mean()]
        return float(errors[0]), float(errors[1]), float(errors[2])
