"""One training step: parts of batches, mixed precision, decay, means of weights, and that it happens whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins import MixedPrecision
from torch import Tensor, nn
from torch.nn import functional

from ctmri_core.data.augmentation import Augmentation
from ctmri_core.domain import Direction
from ctmri_core.errors import OutOfMemory, TrainingFailed
from ctmri_core.events import never
from ctmri_core.method import MethodConfig, SliceBatch
from ctmri_core.methods.cyclegan.card import CycleGanConfig
from ctmri_core.methods.cyclegan.method import CycleGan
from ctmri_core.methods.pix2pix.card import Pix2PixConfig
from ctmri_core.methods.pix2pix.method import Pix2Pix
from ctmri_core.methods.regressor.card import RegressorConfig
from ctmri_core.methods.unit.card import UnitConfig
from ctmri_core.training.averaged_weights import AveragedWeights
from ctmri_core.training.batch_steps import BatchSteps
from ctmri_core.training.health import losses_alone, signals
from ctmri_core.training.optimisation import Optimisation, StepReport, _adam
from ctmri_core.training.processes import Processes
from ctmri_core.training.random_state import RandomState
from ctmri_core.training.settings import TrainingSettings
from ctmri_core.training.watch import StepAbandoned, Watch

WAY = Direction.parse("ct_to_mr_t1")
CYCLE = CycleGanConfig(generator="resnet_6", width=4, discriminator_width=4, receptive_field=16, pool_size=2)
PAIR = Pix2PixConfig(generator="resnet_6", width=4, discriminator_width=4, receptive_field=16, norm="instance", dropout=False)

pytestmark = pytest.mark.usefixtures("one_thread")


def batch_of(size: int, seed: int = 0) -> SliceBatch:
    generator = torch.Generator().manual_seed(seed)
    pictures = {domain: torch.rand(size, 1, 16, 16, generator=generator) * 2 - 1 for domain in (WAY.source, WAY.target)}
    return SliceBatch(pictures, {domain: torch.ones_like(picture) for domain, picture in pictures.items()})


def optimisation_of(method, config, fabric: Fabric | None = None, **options) -> Optimisation:
    fabric = fabric or Fabric(accelerator="cpu", devices=1)
    return Optimisation(Processes(fabric), method, config, RandomState(0, fabric.device), **options)


def seeded(kind, config):
    torch.manual_seed(1)
    return kind(config, WAY)


def tensors(optimisation: Optimisation) -> dict[str, Tensor]:
    """Everything a step may change."""
    found: dict[str, Tensor] = {}

    def walk(value, name: str) -> None:
        if isinstance(value, Tensor):
            found[name] = value.detach().clone()
        elif isinstance(value, Mapping):
            for key, item in value.items():
                walk(item, f"{name}.{key}")
        elif isinstance(value, list | tuple):
            for key, item in enumerate(value):
                walk(item, f"{name}.{key}")

    walk(optimisation.state_dict(), "")
    return found


def assert_same(a: Mapping[str, Tensor], b: Mapping[str, Tensor]) -> None:
    assert a.keys() == b.keys()
    for key in a:
        assert torch.equal(a[key], b[key]), key


def assert_close_but_for_idle_biases(a: Mapping[str, Tensor], b: Mapping[str, Tensor]) -> None:
    """Biases before an instance norm have no gradient but rounding, of which Adam makes steps of full length."""
    compared = [key for key in a if ".networks." in key and key.endswith("weight")]
    assert compared
    for key in compared:
        torch.testing.assert_close(a[key], b[key], rtol=0, atol=2e-6, msg=key)


@pytest.mark.parametrize("parts", [2, 3])
def test_a_batch_in_parts_is_the_same_step(parts: int):
    """Generators first and instance norm: what the parts see does not depend on what is updated meanwhile."""
    config = CYCLE.model_copy(update={"pool_size": 0})
    whole, cut = (optimisation_of(seeded(CycleGan, config), config) for _ in range(2))
    for number in range(2):
        batch = batch_of(6, number)
        report = whole.step([batch], never)
        size = 6 // parts
        in_parts = cut.step([batch.part(slice(n * size, (n + 1) * size)) for n in range(parts)], never)
        assert in_parts.losses == pytest.approx(report.losses, rel=1e-3, abs=1e-5)
        assert in_parts.gradients == pytest.approx(report.gradients, rel=1e-3)
        assert in_parts.objectives == pytest.approx(report.objectives, rel=1e-4)
    assert_close_but_for_idle_biases(tensors(whole), tensors(cut))


def test_parts_of_a_method_whose_discriminator_moves_first_are_all_but_the_same_steps():
    """Earlier parts are judged by the discriminator from before the step. `generator_steps` must not add to that."""
    config = PAIR.model_copy(update={"generator_steps": 3})
    whole, cut, still = (optimisation_of(seeded(Pix2Pix, config), config) for _ in range(3))
    for number in range(4):
        batch = replace(batch_of(4, number), step=number)
        whole.step([batch], never)
        cut.step([batch.part(slice(0, 2)), batch.part(slice(2, 4))], never)
    ends = [tensors(each) for each in (whole, cut, still)]
    weights = [torch.cat([end[key].ravel() for key in ends[0] if ".networks." in key and key.endswith("weight")]) for end in ends]
    assert float((weights[0] - weights[1]).norm() / (weights[0] - weights[2]).norm()) < 0.01


def test_parts_of_unequal_size_count_by_their_size():
    config = CYCLE.model_copy(update={"pool_size": 0})
    whole, cut = (optimisation_of(seeded(CycleGan, config), config) for _ in range(2))
    batch = batch_of(3)
    whole.step([batch], never)
    cut.step([batch.part(slice(0, 1)), batch.part(slice(1, 3))], never)
    assert_close_but_for_idle_biases(tensors(whole), tensors(cut))


class _EveryOther:
    """A network that is updated in the first part of a batch only."""

    def __init__(self) -> None:
        self.networks: dict[str, nn.Module] = {"generator": nn.Conv2d(1, 1, 1)}
        self.optimised = {"generator": ("generator",)}
        self.directions = ()
        self.calls = 0

    def training_step(self, batch, update):
        loss = (self.networks["generator"](batch[WAY.source]) - batch[WAY.target]).square().mean()
        self.calls += 1
        if self.calls % 2:
            update("generator", loss)
        return {"loss": loss.detach()}

    def state_dict(self):
        return {}

    def load_state_dict(self, state):
        assert not state


def test_what_the_last_part_leaves_out_is_done_for_the_others():
    torch.manual_seed(1)
    cut = optimisation_of(_EveryOther(), MethodConfig())
    torch.manual_seed(1)
    alone = optimisation_of(_EveryOther(), MethodConfig())
    batch = batch_of(4)
    halves = [batch.part(slice(0, 2)), batch.part(slice(2, 4))]
    report = cut.step(halves, never)
    expected = alone.step(halves[:1], never)
    assert report.objectives == pytest.approx(expected.objectives) and report.gradients == pytest.approx(expected.gradients)
    torch.testing.assert_close(cut.method.networks["generator"].weight, alone.method.networks["generator"].weight)


@pytest.mark.parametrize("steps_before", [0, 2])
@pytest.mark.parametrize("question", [2, 4])
def test_an_abandoned_step_leaves_no_trace(steps_before: int, question: int):
    """Weights, optimisers, buffers of batch norms, image pools, random numbers: with fresh optimisers and with used ones."""
    config = Pix2PixConfig(generator="resnet_6", width=4, discriminator_width=4, receptive_field=16, norm="batch", dropout=True)
    for kind, chosen in ((CycleGan, CYCLE), (Pix2Pix, config)):
        optimisation = optimisation_of(seeded(kind, chosen), chosen)
        for number in range(steps_before):
            optimisation.step([batch_of(2, number)], never)
        before, asked = tensors(optimisation), iter(range(1, 100))
        with pytest.raises(StepAbandoned):
            optimisation.step([batch_of(2, 9)], lambda asked=asked: next(asked) == question)
        assert_same(before, tensors(optimisation))


@pytest.mark.parametrize("backwards", [False, True])
def test_a_stop_is_seen_between_two_layers(monkeypatch, backwards: bool):
    """On the way forward and back; outside of a step nothing is asked."""
    monkeypatch.setattr("ctmri_core.training.watch._SECONDS_BETWEEN_LOOKS", 0.0)
    network, reached, watch = nn.Sequential(*(nn.Linear(2, 2) for _ in range(6))), [], Watch()
    for layer in network if not backwards else ():
        layer.register_forward_pre_hook(lambda *_: reached.append("layer"))
    for layer in network if backwards else ():
        layer.weight.register_hook(lambda _gradient: reached.append("layer"))
    watch.over(network)
    with pytest.raises(StepAbandoned), watch.during(lambda: len(reached) >= 2):
        network(torch.ones(1, 2)).sum().backward()
    assert len(reached) == 2
    network(torch.ones(1, 2)).sum().backward()
    assert len(reached) >= 8


def test_a_stop_is_seen_before_the_way_back_is_through_the_last_of_several_passes(monkeypatch):
    """Gradients of parameters come only where all passes are done: in a cycle near the end of a long way back."""
    monkeypatch.setattr("ctmri_core.training.watch._SECONDS_BETWEEN_LOOKS", 0.0)
    network, reached, asked, watch = nn.Sequential(*(nn.Linear(2, 2) for _ in range(3))), [], [], Watch()
    watch.over(network)
    with pytest.raises(StepAbandoned), watch.during(lambda: bool(asked)):
        first = network(torch.ones(1, 2))
        first.register_hook(lambda _gradient: reached.append("first"))
        loss = network(first).sum()
        asked.append("stop")
        loss.backward()
    assert not reached


def test_float16_scales_its_losses_and_leaves_out_what_overflows():
    """On the CPU, whose scaler is the same code as the graphics card's."""
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**10)
    fabric = Fabric(accelerator="cpu", devices=1, plugins=[MixedPrecision("16-mixed", "cpu", scaler=scaler)])
    scaled = optimisation_of(seeded(Pix2Pix, PAIR), PAIR, fabric)
    plain = optimisation_of(seeded(Pix2Pix, PAIR), PAIR)
    report, expected = scaled.step([batch_of(2)], never), plain.step([batch_of(2)], never)
    assert report.objectives == pytest.approx(expected.objectives, rel=0.02)
    assert report.gradients == pytest.approx(expected.gradients, rel=0.1)
    assert scaled.state_dict()["precision"]["scale"] == 2.0**10

    scaler.update(new_scale=2.0**40)
    weights = {name: network.state_dict() for name, network in scaled.method.networks.items()}
    before = {f"{name}.{key}": value.clone() for name, state in weights.items() for key, value in state.items()}
    scaled.step([batch_of(2, 1)], never)
    after = {f"{name}.{key}": value for name, state in weights.items() for key, value in state.items()}
    assert_same(before, after)
    assert scaled.state_dict()["precision"]["scale"] == 2.0**38  # halved for either network


def test_float16_gives_up_when_no_scale_helps():
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**126)
    fabric = Fabric(accelerator="cpu", devices=1, plugins=[MixedPrecision("16-mixed", "cpu", scaler=scaler)])
    optimisation = optimisation_of(seeded(Pix2Pix, PAIR), PAIR, fabric)
    before = tensors(optimisation)
    with pytest.raises(TrainingFailed, match="no longer finite"):
        for _ in range(50):
            optimisation.step([batch_of(1)], never)
    assert before.keys() == tensors(optimisation).keys()


@pytest.mark.parametrize(("config", "reference"), [
    (UnitConfig(), torch.optim.Adam), (RegressorConfig(), torch.optim.AdamW), (Pix2PixConfig(), torch.optim.Adam),
])  # fmt: skip
def test_weights_decay_as_the_method_says(config: MethodConfig, reference):
    def run(make):
        torch.manual_seed(0)
        layer = nn.Linear(4, 3)
        optimiser = make(list(layer.parameters()))
        for number in range(5):
            optimiser.zero_grad()
            functional.mse_loss(layer(torch.full((2, 4), float(number))), torch.ones(2, 3)).backward()
            optimiser.step()
        return layer.weight

    expected = run(
        lambda parameters: reference(
            parameters, config.learning_rate, (config.beta_1, config.beta_2), weight_decay=config.weight_decay
        )
    )
    torch.testing.assert_close(run(lambda parameters: _adam(parameters, config, fused=True)), expected, rtol=1e-5, atol=1e-7)


def test_clipping_shortens_the_gradient_of_a_group():
    optimisation = optimisation_of(seeded(Pix2Pix, PAIR), PAIR, clip_norm=1e-3)
    report = optimisation.step([batch_of(2)], never)
    assert report.gradients["generator"] > 1e-3  # told as it was
    norm = torch.stack([each.grad.norm() for each in optimisation.method.networks["generator"].parameters()]).norm()
    assert float(norm) == pytest.approx(1e-3, rel=1e-3)


def test_the_mean_of_the_weights_is_the_one_of_the_formula():
    method = seeded(CycleGan, CYCLE)
    optimisation, average = optimisation_of(method, CYCLE), AveragedWeights(method, 0.9)
    parameters = {name: next(method.networks[name].parameters()) for name in ("to_ct", "judge_ct")}
    expected = parameters["to_ct"].detach().clone()
    for step in range(1, 5):
        optimisation.step([batch_of(1, step)], never)
        average.update(step)
        decay = min(0.9, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * parameters["to_ct"].detach()
    live = {name: parameter.detach().clone() for name, parameter in parameters.items()}
    other = AveragedWeights(method, 0.9)
    other.load_state_dict(average.state_dict())
    with other.in_use():
        torch.testing.assert_close(parameters["to_ct"].detach(), expected)
        torch.testing.assert_close(next(method.generator(WAY.reverse).parameters()).detach(), expected)
        assert torch.equal(parameters["judge_ct"], live["judge_ct"])  # no model file holds it
    assert all(torch.equal(parameters[name], live[name]) for name in live)


def test_a_batch_that_does_not_fit_is_cut_until_it_does(tiny_pairs, monkeypatch):
    settings, slices = TrainingSettings(batch_size=6, crop=16), tiny_pairs(cases=3, slices=4).train
    optimisation = optimisation_of(seeded(Pix2Pix, PAIR), PAIR)
    steps = BatchSteps(slices, settings, optimisation, optimisation._processes)
    sizes, step = [], Pix2Pix.training_step

    def narrow(self, batch, update):
        sizes.append(batch.size)
        if batch.size > 2:
            torch.empty(2**55)  # torch's own words when memory is short
        return step(self, batch, update)

    monkeypatch.setattr(Pix2Pix, "training_step", narrow)
    before = tensors(optimisation)
    for expected in (3, 2):
        with pytest.raises(OutOfMemory, match="--batch-size") as refused:
            steps.step(0, never)
        assert_same(before, tensors(optimisation))
        assert f"{expected} slices at a time" in steps.halve(refused.value)
    steps.step(0, never)
    assert sizes == [6, 3, 1, 2, 1, 2] or sizes == [6, 3, 1, 1, 2, 2]
    assert "1 slice at a time" in steps.halve(refused.value)
    with pytest.raises(OutOfMemory):
        steps.halve(refused.value)
    assert len(slices.training_batch(0, 6, Augmentation(16), 0)[WAY.source]) == 6


def test_what_discriminators_say_is_no_loss():
    report = StepReport({"gan": 2.0, "judged_real_ct": 0.9}, {"generators": 3.0, "discriminators": 1.0}, {"generators": 0.5})
    assert losses_alone(report) == {"gan": 2.0}
    assert signals(report) == {"gradient_generators": 0.5, "judged_real_ct": 0.9, "loss_ratio": 0.25}
