"""Losses against their formulas worked out in NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ctmri_core.losses.adversarial import adversarial_loss, discriminator_loss
from ctmri_core.losses.pixelwise import l1_loss

LOGITS = torch.tensor([[-3.0, 0.0], [0.5, 40.0]], dtype=torch.float64)


@pytest.mark.parametrize("real", [True, False])
def test_vanilla_is_the_negative_log_likelihood(real: bool):
    z = LOGITS.numpy()
    expected = np.logaddexp(0, -z if real else z).mean()  # -log sigmoid(z), -log(1 - sigmoid(z))
    assert adversarial_loss(LOGITS, real=real, kind="vanilla").item() == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("real", [True, False])
def test_least_squares(real: bool):
    expected = ((LOGITS.numpy() - real) ** 2).mean()
    assert adversarial_loss(LOGITS, real=real, kind="lsgan").item() == pytest.approx(expected)


@pytest.mark.parametrize("kind", ["vanilla", "lsgan"])
def test_a_discriminator_that_is_right_has_almost_no_loss_and_learns_at_half_speed(kind):
    sure = torch.full((1, 1, 3, 3), 30.0 if kind == "vanilla" else 1.0)
    wrong = -sure if kind == "vanilla" else torch.zeros_like(sure)
    assert discriminator_loss(sure, wrong, kind).item() == pytest.approx(0, abs=1e-9)
    unsure = torch.zeros(1, 1, 3, 3)
    separate = sum(adversarial_loss(unsure, real=real, kind=kind).item() for real in (True, False))
    assert discriminator_loss(unsure, unsure, kind).item() == pytest.approx(separate / 2)


def test_l1_is_numpys_and_a_mask_is_a_weighted_mean():
    random = np.random.default_rng(0)
    a, b = random.normal(size=(2, 2, 1, 5, 5))
    mask = random.random((2, 1, 5, 5)) > 0.6
    tensors = [torch.from_numpy(x) for x in (a, b)]
    assert l1_loss(*tensors).item() == pytest.approx(np.abs(a - b).mean())
    assert l1_loss(*tensors, torch.from_numpy(mask)).item() == pytest.approx(np.abs(a - b)[mask].mean())
    assert l1_loss(*tensors, torch.zeros(2, 1, 5, 5)).item() == 0
