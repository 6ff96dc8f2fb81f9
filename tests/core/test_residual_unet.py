"""The U-Net of residual blocks for processors."""

from __future__ import annotations

import pytest
import torch

from ctmri_core.networks.initialisation import initialise_kaiming
from ctmri_core.networks.residual_unet import ResidualUnet


@pytest.fixture
def network() -> ResidualUnet:
    torch.manual_seed(3)
    made = ResidualUnet(3, 8, 1)
    initialise_kaiming(made)
    return made


def test_it_takes_any_multiple_of_32_and_looks_at_every_channel(network: ResidualUnet):
    x = torch.randn(2, 3, 64, 96, requires_grad=True)
    y = network(x)
    assert y.shape == (2, 1, 64, 96)
    y[0, 0, 32, 48].backward()
    assert x.grad is not None
    assert (x.grad[0].abs().sum((1, 2)) > 0).all()
    assert not x.grad[0, :, :, ::2].eq(0).all(), "half the resolution must lose no pixels"


def test_values_are_cut_off_in_use_alone(network: ResidualUnet):
    """A value that is cut off while it learns would have no gradient and stay where it is."""
    torch.nn.init.constant_(network.out.bias, 30.0)
    x = torch.randn(2, 3, 32, 32)
    loss = network(x).mean()
    assert loss > 1
    loss.backward()
    assert network.out.bias.grad is not None
    assert network.out.bias.grad.abs() > 0.5
    assert network.eval()(x).max() == 1


def test_mirrored_in_use_a_mirror_image_is_translated_to_the_mirror_image(network: ResidualUnet):
    twin = ResidualUnet(3, 8, 1, mirrored=True)
    twin.load_state_dict(network.state_dict())
    x = torch.randn(1, 3, 64, 64) / 4
    with torch.no_grad():
        plain, both = network.eval(), twin.eval()
        torch.testing.assert_close(both(x.flip(-1)), both(x).flip(-1))
        assert not torch.allclose(plain(x.flip(-1)), plain(x).flip(-1), atol=1e-3)
        mean = (plain._translated(x) + plain._translated(x.flip(-1)).flip(-1)) / 2
        torch.testing.assert_close(both(x), mean.clamp(-1, 1))


def test_more_blocks_are_deeper():
    sizes = [sum(each.numel() for each in ResidualUnet(1, 16, blocks).parameters()) for blocks in (1, 2, 3)]
    assert sizes[0] < sizes[1] < sizes[2]
    assert sizes[1] - sizes[0] == sizes[2] - sizes[1]
