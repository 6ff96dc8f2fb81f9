"""The fast way through a generator against the plain float32 way."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import psutil
import pytest
import torch
from torch import nn

from ctmri_core.errors import OutOfMemory
from ctmri_core.inference import precision
from ctmri_core.inference.fast_generator import FastGenerator, SampleNorm
from ctmri_core.inference.precision import Plan, choose_device, choose_plan, fitting_batch, prepare_generator
from ctmri_core.networks.antialiased_resnet import AntialiasedResnetGenerator
from ctmri_core.networks.as_in_training import as_in_training
from ctmri_core.networks.attention_generators import AgganGenerator, AttentionGenerator
from ctmri_core.networks.initialisation import initialise_normal
from ctmri_core.networks.plain_unet import PlainUnet
from ctmri_core.networks.resnet_generator import ResnetGenerator
from ctmri_core.networks.shared_latent import PlainResidual, SharedLatentTranslator, private_decoder, private_encoder
from ctmri_core.networks.stargan import StarganGenerator, StarganTranslator
from ctmri_core.networks.unet_generator import UnetGenerator
from ctmri_core.networks.unet_plus_plus import UnetPlusPlus
from ctmri_core.networks.unit import UnitDecoder, UnitEncoder, UnitTranslator
from ctmri_core.networks.variational_resnet import VariationalResnet
from ctmri_core.preprocess.recipe import Recipe

CPU = torch.device("cpu")
HU = Recipe().ct.high - Recipe().ct.low


@pytest.fixture(autouse=True)
def fresh_state(monkeypatch):
    monkeypatch.setattr(precision, "_KNOWN", {})
    before = torch.get_num_threads()
    torch.set_num_threads(1)  # networks this small are slowed by a second thread
    yield
    torch.set_num_threads(before)


def pictures(n: int, side: int) -> torch.Tensor:
    """Smooth pictures with an empty surround, like slices of a head."""
    y, x = torch.meshgrid(*[torch.linspace(-1.4, 1.4, side)] * 2, indexing="ij")
    inside = (x.square() + y.square() < 1).float()
    waves = [torch.sin(3 * (n + 1) * x) * torch.cos(4 * y + n) for n in range(n)]
    return torch.stack([inside * (0.5 + 0.4 * wave) * 2 - 1 for wave in waves])[:, None]


def trained_like(network: nn.Module) -> nn.Module:
    """Weights as of a trained network in what matters here: the output fills its range without saturating."""
    torch.manual_seed(3)
    return initialise_normal(network).eval().requires_grad_(False)


@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format])
@pytest.mark.parametrize("samples", [1, 3])
def test_sample_norm_is_instance_norm(layout, samples):
    x = (torch.randn(samples, 6, 9, 11) * 3 + 5).contiguous(memory_format=layout)
    torch.testing.assert_close(SampleNorm(1e-5)(x), nn.InstanceNorm2d(6)(x), rtol=1e-5, atol=1e-5)
    assert SampleNorm(1e-5)(x).is_contiguous(memory_format=layout)
    learnt = nn.InstanceNorm2d(6, affine=True)
    nn.init.normal_(learnt.weight)
    nn.init.normal_(learnt.bias)
    torch.testing.assert_close(SampleNorm(1e-5, learnt.weight, learnt.bias)(x), learnt(x), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    "network",
    [
        ResnetGenerator(width=8, blocks=2),
        ResnetGenerator(width=8, blocks=2, norm="batch"),
        UnetGenerator(width=4, downs=6),
        UnetGenerator(width=4, downs=6, norm="instance"),
        StarganTranslator(StarganGenerator(width=8, blocks=2), 1),
        UnitTranslator(UnitEncoder(width=8, blocks=2), UnitDecoder(width=8, blocks=2)),
        SharedLatentTranslator(private_encoder(width=8), PlainResidual(32), PlainResidual(32), private_decoder(width=8)),
        VariationalResnet(width=8, blocks=2, latent=8),
        AntialiasedResnetGenerator(width=8, blocks=2),
        AttentionGenerator(width=8, blocks=2, maps=4),
        AgganGenerator(width=8, blocks=2, bounded=True),
        PlainUnet(width=4),
        as_in_training(UnetGenerator(width=4, downs=6)),
    ],
    ids=[
        "resnet", "resnet batch", "unet", "unet instance", "stargan", "unit", "shared latent", "variational", "antialiased",
        "attention", "aggan", "plain unet", "as in training",
    ],
)  # fmt: skip
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_fast_equals_plain(network, dtype):
    network = trained_like(network)
    x = pictures(2, 128)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    with torch.inference_mode():
        plain, fast = network(x), FastGenerator(network, dtype, CPU)(x)
    assert fast.dtype == torch.float32
    difference = fast - plain
    if dtype is torch.float32:
        assert difference.abs().max() < 5e-3  # instance norm magnifies rounding where a picture is flat
        assert difference.abs().mean() < 1e-4
    assert difference.abs().mean() < 0.01 * 2
    assert abs(float(difference.mean())) / 2 * HU < 1.0
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_the_last_layer_keeps_fine_steps():
    """bfloat16 near 1 has steps of 1/256 of [-1, 1], about 6 HU; the output must be finer than that."""
    network = trained_like(ResnetGenerator(width=4, blocks=1))
    fast = FastGenerator(network, torch.bfloat16, CPU)
    with torch.inference_mode():
        values = fast(pictures(1, 128)).unique()
    assert len(values) > 2000


def test_a_plan_is_measured_once_and_never_slower(monkeypatch):
    network = trained_like(ResnetGenerator(width=4, blocks=1))
    sample = pictures(1, 160)[0].numpy()
    times = iter([0.1, 0.01, 0.05])
    monkeypatch.setattr(precision, "_best_times", lambda runs, x, device: dict(zip(runs, times, strict=False)))
    plan = choose_plan(network, sample, CPU)
    assert plan.fast
    assert plan.seconds_per_slice == pytest.approx(0.01 * (160 / 96) ** 2)
    assert plan.batch == 8
    monkeypatch.setattr(precision, "_best_times", lambda *_: pytest.fail("timed again"))
    assert choose_plan(network, sample, CPU) == plan


def test_other_weights_of_an_architecture_are_judged_anew(monkeypatch):
    """Weights that overflow a short type must not follow a plan that was found for others."""
    sample = pictures(1, 64)[0].numpy()
    offered = []
    monkeypatch.setattr(precision, "_best_times", lambda runs, x, device: offered.append(len(runs)) or dict.fromkeys(runs, 1.0))
    network = trained_like(ResnetGenerator(width=4, blocks=1))
    choose_plan(network, sample, CPU)
    next(network.parameters()).data.fill_(float("nan"))
    choose_plan(network, sample, CPU)
    choose_plan(network, sample, CPU)
    assert offered == [3, 1, 1]  # nothing is remembered of what is no number


@pytest.mark.parametrize("words", ["CUDA out of memory", "could not create a primitive", "can't allocate memory"])
def test_memory_that_does_not_suffice_for_the_timing_is_said_in_words(words):
    class Hungry(nn.Module):
        def forward(self, x):
            raise RuntimeError(words)

    with pytest.raises(OutOfMemory, match="32 x 48 pixels"):
        choose_plan(Hungry(), np.zeros((1, 32, 48), np.float32), CPU)


def test_memory_follows_the_size_and_counts_what_is_held_for_skips():
    shallow, skipping = nn.Sequential(nn.Conv2d(1, 8, 1), nn.Conv2d(8, 1, 1)), UnetGenerator(width=8, downs=5, norm="instance")
    for network in (shallow, skipping):
        small, large = (choose_plan(network, np.zeros((1, side, side), np.float32), CPU) for side in (128, 512))
        assert large.bytes_per_slice == pytest.approx(16 * small.bytes_per_slice, rel=0.01)
    pixels = 512 * 512
    with precision._layers_counted(shallow) as held:
        shallow(torch.zeros(1, 1, 512, 512))
    assert max(held) == pixels * (8 + 1) * 4 and held[-1] == 0  # both results at once; nothing is held for ever
    with torch.inference_mode(), precision._layers_counted(skipping) as held:
        skipping(torch.zeros(1, 1, 512, 512))
    skips = sum(pixels // 4**level * 8 * 2 ** (level - 1) for level in (1, 2, 3, 4))
    assert max(held) > skips * 4


def test_no_more_slices_at_a_time_than_fit_the_memory():
    free = psutil.virtual_memory().available
    plan = replace(Plan("cpu", torch.float32, False, 8, 0.1), bytes_per_slice=free // 10)
    assert fitting_batch(plan, 2) == 2
    assert 6 <= fitting_batch(plan, 100) <= 9
    assert fitting_batch(replace(plan, bytes_per_slice=4 * free), 1) == 0


def test_float32_is_kept_when_nothing_is_faster(monkeypatch):
    network = trained_like(ResnetGenerator(width=4, blocks=1))
    monkeypatch.setattr(precision, "_best_times", lambda runs, x, device: dict.fromkeys(runs, 0.5))
    plan = choose_plan(network, pictures(1, 64)[0].numpy(), CPU)
    assert (plan.fast, plan.dtype, plan.batch) == (False, torch.float32, 1)
    assert prepare_generator(network, plan) is network
    assert plan.precision == "float32"


def test_a_fast_way_with_another_result_is_not_taken(monkeypatch):
    class Touchy(nn.Module):
        """Loses everything in a short float type."""

        def __init__(self) -> None:
            super().__init__()
            self.first, self.last = nn.Conv2d(1, 1, 1), nn.Conv2d(1, 1, 1)

        def forward(self, x):
            hidden = self.first(x)
            return self.last(hidden) + (0.0 if hidden.dtype == torch.float32 else float("nan"))

    seen = {}
    monkeypatch.setattr(precision, "_best_times", lambda runs, x, device: seen.update(runs) or dict.fromkeys(runs, 1.0))
    choose_plan(Touchy(), np.zeros((1, 16, 16), np.float32), CPU)
    assert {plan.dtype for plan in seen} == {torch.float32}


def test_a_fast_way_that_fails_is_not_taken(monkeypatch):
    class Crossed(nn.Module):
        """Uses its layers in another order than they were made in, so that the short type meets the wrong one."""

        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.ModuleList(nn.Conv2d(1, 1, 1) for _ in range(3))

        def forward(self, x):
            return self.layers[2](self.layers[0](self.layers[1](x)))

    seen = {}
    monkeypatch.setattr(precision, "_best_times", lambda runs, x, device: seen.update(runs) or dict.fromkeys(runs, 1.0))
    choose_plan(Crossed(), np.zeros((1, 16, 16), np.float32), CPU)
    assert {plan.dtype for plan in seen} == {torch.float32}


@pytest.mark.parametrize("make", [AgganGenerator, AttentionGenerator])
def test_what_a_generator_keeps_of_its_input_is_not_rounded(make):
    torch.manual_seed(0)
    network = initialise_normal(make(1, 8)).eval()
    x = torch.rand(1, 1, 32, 32)  # bfloat16 would leave at most a few hundred values of these
    with torch.inference_mode():
        plain, fast = network(x), FastGenerator(network, torch.bfloat16, CPU)(x)
    assert (fast - plain).abs().mean() < 2e-3 and len(fast.unique()) > 900


def test_neighbouring_slices_are_taken_as_channels():
    network = trained_like(UnetPlusPlus(5, width=8))
    x = torch.cat([pictures(5, 64)[:, 0][None]] * 2)
    with torch.inference_mode():
        assert (FastGenerator(network, torch.bfloat16, CPU)(x) - network(x)).abs().mean() < 0.02
    plan = choose_plan(network, x[0].numpy(), CPU)
    assert precision.run_batch(prepare_generator(network, plan), x.numpy(), CPU).shape == (2, 64, 64)


def test_a_real_timing_gives_a_runnable_plan():
    network = trained_like(UnetGenerator(width=2, downs=5))
    plan = choose_plan(network, pictures(1, 64)[0].numpy(), choose_device("auto"))
    assert plan.seconds_per_slice > 0
    with torch.inference_mode():
        assert prepare_generator(network, plan)(pictures(2, 64).to(plan.device)).shape == (2, 1, 64, 64)
