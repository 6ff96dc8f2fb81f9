"""Learning rate factors against torch's own schedulers."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ctmri_core.training.schedules import learning_rate_factor


def _torch_factors(scheduler_of, count: int) -> list[float]:
    optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler = scheduler_of(optimiser)
    factors = []
    for _ in range(count):
        factors.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        scheduler.step()
    return factors


def test_linear_is_constant_and_then_reaches_zero_just_after_the_last_epoch():
    constant, decay = 100, 100
    factors = [learning_rate_factor("linear", epoch, constant + decay, constant) for epoch in range(constant + decay)]
    expected = _torch_factors(  # Zhu et al. 2017 as METHODS of the field write it: 1 - max(0, e + 1 - n) / (decay + 1)
        lambda optimiser: torch.optim.lr_scheduler.LambdaLR(optimiser, lambda e: 1 - max(0, e + 1 - constant) / (decay + 1)),
        constant + decay,
    )
    assert factors == pytest.approx(expected)
    assert factors[99] == 1 and factors[100] == pytest.approx(100 / 101) and factors[-1] == pytest.approx(1 / 101)


def test_cosine_is_torchs():
    expected = _torch_factors(lambda optimiser: torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, 50), 50)
    assert [learning_rate_factor("cosine", n, 50) for n in range(50)] == pytest.approx(expected)


@given(
    st.sampled_from(["constant", "linear", "cosine"]),
    st.floats(0.5, 1e6),
    st.floats(0, 1),
    st.lists(st.floats(-1, 2e6), min_size=2, max_size=5),
)
def test_factors_fall_and_stay_between_zero_and_one(schedule, total, share, positions):
    factors = [learning_rate_factor(schedule, position, total, share * total) for position in sorted(positions)]
    assert all(0 <= factor <= 1 for factor in factors)
    assert all(later <= earlier + 1e-12 for earlier, later in pairwise(factors))
