"""Signs of how training goes, beside the losses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import psutil
import torch
from torch import Tensor

from ctmri_core.domain import Direction
from ctmri_core.method import JUDGED
from ctmri_core.training.optimisation import StepReport
from ctmri_core.training.scores import Scores

_FEW_PIXELS = 50
_NO_SPREAD = 0.01  # of [-1, 1]

def losses_alone(report: StepReport) -> dict[str, float]:
    """What a method told of a step, without what its discriminators said."""
    return {name: value for name, value in report.losses.items() if not name.startswith(JUDGED)}


def signals(report: StepReport) -> dict[str, float]:
    """Of one step: lengths of the gradients, what discriminators said where the method tells, how the losses compare.

    `loss_ratio`: the discriminators' loss over all losses, for methods with two groups of networks: near 0 they have won.
    """
    found = {f"gradient_{group}": length for group, length in report.gradients.items()}
    found |= {name: value for name, value in report.losses.items() if name.startswith(JUDGED)}
    against = [abs(value) for group, value in report.objectives.items() if group.startswith("discriminator")]
    others = [abs(value) for group, value in report.objectives.items() if not group.startswith("discriminator")]
    if against and others and sum(against + others) > 0:
        found["loss_ratio"] = sum(against) / sum(against + others)
    return found


def memory_in_use(device: torch.device) -> dict[str, float]:
    """`memory_gib` and `memory_free_gib` of the device: of a graphics card the most that tensors needed so far, and
    `host_memory_gib` beside; else of this process and the machine."""
    ours = psutil.Process().memory_info().rss / 2**30
    if device.type != "cuda":
        return {"memory_gib": ours, "memory_free_gib": psutil.virtual_memory().available / 2**30}
    most, free = torch.cuda.max_memory_allocated(device), torch.cuda.mem_get_info(device)[0]
    return {"memory_gib": most / 2**30, "memory_free_gib": free / 2**30, "host_memory_gib": ours}


def saturation(scores: Mapping[Direction, Scores]) -> dict[str, float]:
    """Of one validation, by direction."""
    return {f"saturation_{way.name}": each.saturation for way, each in scores.items() if each.saturation is not None}


def variety(sources: Sequence[Tensor], synthetic: Sequence[Tensor], bodies: Sequence[Tensor]) -> float | None:
    """How much synthetic pictures (h, w) of different sources differ, over how much the sources do; 0 is mode collapse.

    Within what is body in all of them, in the middle of pictures of several sizes. None where sources do not differ either, or
    have too little in common.
    """
    size = [min(picture.shape[axis] for picture in sources) for axis in (0, 1)]
    body = torch.stack([_middle(mask, size) for mask in bodies]).amin(0) > 0
    if int(body.sum()) < _FEW_PIXELS:
        return None
    spread = [torch.stack([_middle(one, size)[body] for one in each]).std(0).mean().item() for each in (sources, synthetic)]
    return spread[1] / spread[0] if spread[0] > _NO_SPREAD else None


def _middle(picture: Tensor, size: Sequence[int]) -> Tensor:
    top, left = ((whole - part) // 2 for whole, part in zip(picture.shape, size, strict=True))
    return picture[top : top + size[0], left : left + size[1]]
