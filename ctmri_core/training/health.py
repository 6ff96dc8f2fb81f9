"""Signs of how training goes, beside the losses."""

from __future__ import annotations

import math
from collections.abc import Mapping

import psutil
import torch

from ctmri_core.domain import Direction
from ctmri_core.method import JUDGED
from ctmri_core.training.optimisation import StepReport
from ctmri_core.training.validation import Scores

_MUCH = 0.5


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
    """`memory_mb` of this process; on a graphics card `device_memory_mb` too, the most that its tensors needed so far."""
    found = {"memory_mb": psutil.Process().memory_info().rss / 2**20}
    if device.type == "cuda":
        found["device_memory_mb"] = torch.cuda.max_memory_allocated(device) / 2**20
    return found


def saturation(scores: Mapping[Direction, Scores]) -> dict[str, float]:
    """Of one validation, by direction."""
    return {f"saturation_{way.name}": each.saturation for way, each in scores.items()}


def warning(scores: Mapping[Direction, Scores]) -> str | None:
    """What a person should know of a validation."""
    for way, each in scores.items():
        if not all(map(math.isfinite, each.metrics.values())):
            return (
                f"Synthetic {way.target.label} holds values that are no numbers: the generator has diverged, its losses have not"
                " yet. Go on from an earlier model with a lower learning rate, or with precision 32."
            )
        if each.saturation > _MUCH:
            return (
                f"{each.saturation:.0%} of the body in synthetic {way.target.label} is black or white throughout: the generator"
                " has collapsed, or the values do not fit the recipe. Look at the sample pictures."
            )
    return None
