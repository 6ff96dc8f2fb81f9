"""Learning rate factors against torch's own schedulers, and lengths of runs against the calendar."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from typing import get_args

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ctmri_core.training.length import RunLength
from ctmri_core.training.schedules import Plateau, learning_rate_factor
from ctmri_core.training.settings import Schedule, TrainingSettings


def _torch_factors(scheduler_of, count: int) -> list[float]:
    optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler = scheduler_of(optimiser)
    factors = []
    for _ in range(count):
        factors.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        scheduler.step()
    return factors


def _factors(schedule: Schedule, count: int, **settings) -> list[float]:
    chosen = TrainingSettings(schedule=schedule, **settings)
    return [learning_rate_factor(chosen, position, count) for position in range(count)]


def test_linear_is_constant_and_then_reaches_zero_just_after_the_last_epoch():
    constant, decay = 100, 100
    factors = _factors("linear", constant + decay, constant_share=0.5)
    expected = _torch_factors(  # Zhu et al. 2017 as METHODS of the field write it: 1 - max(0, e + 1 - n) / (decay + 1)
        lambda optimiser: torch.optim.lr_scheduler.LambdaLR(optimiser, lambda e: 1 - max(0, e + 1 - constant) / (decay + 1)),
        constant + decay,
    )
    assert factors == pytest.approx(expected)
    assert factors[99] == 1 and factors[100] == pytest.approx(100 / 101) and factors[-1] == pytest.approx(1 / 101)


def test_cosine_is_torchs():
    expected = _torch_factors(lambda optimiser: torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, 50), 50)
    assert _factors("cosine", 50) == pytest.approx(expected)


@pytest.mark.parametrize(("cycles", "growth", "first"), [(1, 1, 70), (5, 1, 14), (3, 2, 10), (2, 6, 10)])
def test_warm_restarts_are_torchs(cycles: int, growth: int, first: int):
    expected = _torch_factors(
        lambda optimiser: torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimiser, first, growth), 70
    )
    assert _factors("cosine_restarts", 70, cycles=cycles, cycle_growth=growth) == pytest.approx(expected)


def test_poly_is_torchs():
    expected = _torch_factors(lambda optimiser: torch.optim.lr_scheduler.PolynomialLR(optimiser, 40, power=0.9), 40)
    assert _factors("poly", 40) == pytest.approx(expected)


def test_step_is_torchs():
    expected = _torch_factors(lambda optimiser: torch.optim.lr_scheduler.StepLR(optimiser, 10, gamma=0.5), 100)
    assert _factors("step", 100, stages=10, decay=0.5) == pytest.approx(expected)


@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("patience", [0, 2])
def test_plateau_is_torchs_and_goes_on_where_it_was(mode: str, patience: int):
    optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimiser, mode=mode, factor=0.3, patience=patience, eps=0)
    values = torch.rand(60, generator=torch.Generator().manual_seed(3)).tolist()
    ours = Plateau(0.3, patience)
    for value in values:
        scheduler.step(value)
        again = Plateau(0.3, patience)
        again.load_state_dict(ours.state_dict())
        ours = again
        ours.hear(value, lower_is_better=mode == "min")
        assert ours.factor == pytest.approx(optimiser.param_groups[0]["lr"])
    assert ours.factor < 1


@given(
    st.sampled_from([name for name in get_args(Schedule) if name != "cosine_restarts"]),
    st.floats(0.5, 1e6),
    st.floats(0, 1),
    st.lists(st.floats(-1, 2e6), min_size=2, max_size=5),
)
def test_factors_fall_and_stay_between_zero_and_one(schedule, total, share, positions):
    settings = TrainingSettings(schedule=schedule, constant_share=share)
    factors = [learning_rate_factor(settings, position, total) for position in sorted(positions)]
    assert all(0 <= factor <= 1 for factor in factors)
    assert all(later <= earlier + 1e-12 for earlier, later in pairwise(factors))


def test_a_warm_up_rises_straight_to_the_schedule_and_changes_nothing_behind_it():
    plain, warm = _factors("cosine", 200), _factors("cosine", 200, warm_up=0.1)
    shares = np.array(warm[:20]) / np.array(plain[:20])
    np.testing.assert_allclose(shares, np.arange(1, 21) / 21)
    assert warm[20:] == plain[20:]
    assert _factors("constant", 10, warm_up=0.0) == [1.0] * 10


def test_the_length_is_counted_in_what_was_asked_for():
    epochs = RunLength(TrainingSettings(epochs=3), 10)
    assert epochs.steps == 30 and not epochs.done(29, 1e9) and epochs.done(30, 0) and epochs.share(15, 0) == 0.5
    assert epochs.position(19, 0) == 1  # whole epochs, as published schedules step
    assert RunLength(TrainingSettings(), 10).steps == 2000
    iterations = RunLength(TrainingSettings(iterations=7), 10)
    assert iterations.steps == 7 and iterations.position(5, 0) == 5
    minutes = RunLength(TrainingSettings(minutes=2), 10)
    assert minutes.steps is None and minutes.position(5, 60) == 60 and minutes.share(5, 60) == 0.5 and minutes.done(0, 120)


@pytest.mark.parametrize(
    ("now", "until", "hours"), [((20, 23, 0), "7:00", 8), ((20, 6, 30), "07:00", 0.5), ((20, 7, 0), "7:00", 24)]
)
def test_until_is_the_next_such_time(now, until, hours):
    moment = datetime(2026, 3, *now)
    length = RunLength(TrainingSettings(until=until), 10, now=moment)
    assert length.total == hours * 3600
    later = RunLength(TrainingSettings(until=until), 10, seconds=50.0, now=moment + timedelta(minutes=10))
    assert later.total == pytest.approx(length.total - 600 + 50)


@pytest.mark.parametrize("text", ["24:00", "7", "7:60", "-1:00", "soon"])
def test_until_takes_times_of_day_only(text):
    with pytest.raises(ValueError, match="until"):
        TrainingSettings(until=text)
