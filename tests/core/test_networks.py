"""Architectures against published parameter counts, key names and receptive fields."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from ctmri_core.networks.initialisation import initialise_normal
from ctmri_core.networks.patchgan import PatchGan, receptive_field
from ctmri_core.networks.resnet_generator import ResnetGenerator
from ctmri_core.networks.unet_generator import UnetGenerator


def parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize(
    ("settings", "count"),
    [
        ({}, 11_365_633),
        ({"blocks": 6}, 7_825_153),
        ({"in_channels": 3, "out_channels": 3}, 11_378_179),
        ({"in_channels": 3, "out_channels": 3, "blocks": 6}, 7_837_699),
        ({"norm": "batch"}, 11_370_881),
    ],
)
def test_resnet_has_the_published_parameter_count(settings, count):
    with torch.device("meta"):
        assert parameters(ResnetGenerator(**settings)) == count


@pytest.mark.parametrize(
    ("settings", "count"),
    [
        ({}, 54_407_809),
        ({"in_channels": 3, "out_channels": 3}, 54_413_955),
        ({"norm": "instance"}, 54_403_457),
        ({"in_channels": 3, "out_channels": 3, "norm": "instance"}, 54_409_603),
    ],
)
def test_unet_has_the_published_parameter_count(settings, count):
    with torch.device("meta"):
        assert parameters(UnetGenerator(**settings)) == count


@pytest.mark.parametrize(
    ("layers", "field", "output", "count"),
    [(1, 16, 126, 134_337), (2, 34, 62, 660_929), (3, 70, 30, 2_762_689), (4, 142, 14, 6_957_505), (5, 286, 6, 11_152_321)],
)
def test_patchgan_table(layers, field, output, count):
    with torch.device("meta"):
        network = PatchGan(1, layers=layers)
        assert network(torch.zeros(1, 1, 256, 256)).shape == (1, 1, output, output)
    assert parameters(network) == count
    assert network.receptive_field == field


def test_other_published_discriminators():
    with torch.device("meta"):
        assert parameters(PatchGan(3)) == 2_764_737
        assert parameters(PatchGan(2, norm="batch")) == 2_764_609
        assert parameters(PatchGan(6, norm="batch")) == 2_768_705
        pixel = PatchGan(2, layers=0, norm="batch")
        assert parameters(pixel) == 8_768
        assert pixel(torch.zeros(1, 2, 256, 256)).shape[-1] == 256
        assert PatchGan(1, layers=4, penultimate=False)(torch.zeros(1, 1, 256, 256)).shape[-1] == 15
    assert receptive_field(0) == 1
    assert receptive_field(4, penultimate=False) == 94


@pytest.mark.parametrize("layers", [0, 1, 2, 3])
def test_receptive_field_is_where_the_gradient_reaches(layers):
    network = PatchGan(1, width=2, layers=layers, norm="none")
    for parameter in network.parameters():
        nn.init.constant_(parameter, 1.0)
    image = torch.ones(1, 1, 256, 256, requires_grad=True)
    output = network(image)
    output[0, 0, output.shape[2] // 2, output.shape[3] // 2].backward()
    rows = image.grad[0, 0].abs().sum(1).nonzero().ravel()
    assert rows[-1] - rows[0] + 1 == receptive_field(layers)


def test_tensor_counts_and_keys_of_public_checkpoints():
    with torch.device("meta"):
        resnet = ResnetGenerator().state_dict()
        unet = UnetGenerator().state_dict()
        patch = PatchGan(1).state_dict()
    assert (len(resnet), len(unet), len(patch)) == (48, 82, 10)
    assert {f"model.{n}.{kind}" for n in (1, 4, 7, 19, 22, 26) for kind in ("weight", "bias")} <= set(resnet)
    assert {f"model.{n}.conv_block.{m}.weight" for n in range(10, 19) for m in (1, 5)} <= set(resnet)
    assert resnet["model.19.weight"].shape == (256, 128, 3, 3)
    assert {"model.model.0.weight", "model.model.1.model.1.weight", "model.model.3.weight", "model.model.3.bias"} <= set(unet)
    assert {f"model.model.1.model.2.{kind}" for kind in ("weight", "bias", "running_mean", "running_var")} <= set(unet)
    assert set(patch) == {f"model.{n}.{kind}" for n in (0, 2, 5, 8, 11) for kind in ("weight", "bias")}


def test_dropout_moves_the_second_convolution_of_a_block():
    with torch.device("meta"):
        keys = set(ResnetGenerator(width=2, blocks=1, dropout=True).state_dict())
    assert "model.10.conv_block.6.weight" in keys
    assert "model.10.conv_block.5.weight" not in keys


def test_dropout_of_the_unet_is_in_three_levels():
    with torch.device("meta"):
        dropouts = [m for m in UnetGenerator(width=2).modules() if isinstance(m, nn.Dropout)]
    assert len(dropouts) == 3


@pytest.mark.parametrize("network", [ResnetGenerator(width=2, blocks=1), UnetGenerator(width=1, downs=5, norm="instance")])
def test_generators_keep_shape_range_and_feed_every_parameter(network):
    x = torch.randn(2, 1, 64, 96)
    y = network(x)
    assert y.shape == x.shape
    assert y.abs().max() <= 1
    y.square().sum().backward()
    assert all(parameter.grad is not None and parameter.grad.isfinite().all() for parameter in network.parameters())


def test_the_skip_of_the_unet_carries_the_activated_tensor():
    """Against the reference's formulation: an in-place LeakyReLU in a plain sequence, then a concatenation with its input."""
    block = UnetGenerator(width=1, downs=5, norm="instance").model.model[1]
    layers = [nn.LeakyReLU(0.2, inplace=True), *block.model[1:]]
    x = torch.randn(1, 1, 32, 32)
    reference_input = x.clone()
    reference = torch.cat([reference_input, nn.Sequential(*layers)(reference_input)], 1)
    torch.testing.assert_close(block(x), reference)
    assert (block(x)[:, 0][x[:, 0] < 0] == 0.2 * x[:, 0][x[:, 0] < 0]).all()


def test_initialisation_statistics():
    torch.manual_seed(0)
    network = initialise_normal(UnetGenerator(width=8, downs=5)).requires_grad_(False)
    convolutions = torch.cat([m.weight.ravel() for m in network.modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d)])
    norms = torch.cat([m.weight.ravel() for m in network.modules() if isinstance(m, nn.BatchNorm2d)])
    assert abs(convolutions.mean()) < 1e-3
    assert convolutions.std() == pytest.approx(0.02, rel=0.02)
    assert norms.mean() == pytest.approx(1.0, abs=0.01)
    assert norms.std() == pytest.approx(0.02, rel=0.2)
    assert network.model.model[3].bias.item() == 0
