"""Training steps against loops written from the papers: which network moves when, down which loss, on which pictures."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pytest
import torch
from skimage.metrics import structural_similarity
from torch import Tensor, nn
from torch.nn import functional

from ctmri_core.domain import Direction
from ctmri_core.method import SliceBatch
from ctmri_core.registry import load_method, method_cards

WAY = Direction.parse("ct_to_mr_t1")
A, B = WAY.source, WAY.target
RATE = 0.02
TINY = {"width": 4, "discriminator_width": 4, "receptive_field": 16, "generator": "resnet_6", "blocks": 1, "levels": 2}

pytestmark = pytest.mark.usefixtures("one_thread")


def batch_of(size: int, number: int, epoch: int = 0) -> SliceBatch:
    generator = torch.Generator().manual_seed(number)
    pictures = {domain: torch.rand(2, 1, size, size, generator=generator, dtype=torch.float64) * 2 - 1 for domain in (A, B)}
    masks = {domain: (picture > 0).double() for domain, picture in pictures.items()}
    return SliceBatch(pictures, masks, step=number, epoch=epoch)


def made(name: str, **changes: Any) -> Any:
    """A tiny method; weights four times as large as usual let its networks differ from one step to the next.

    In float64: where losses have kinks, rounding decides on which side a value is.
    """
    card = method_cards()[name]
    settings = {key: value for key, value in {**TINY, **changes}.items() if key in card.config.model_fields}
    torch.manual_seed(0)
    method = load_method(name)(card.config(**settings), WAY)
    with torch.no_grad():
        for network in method.networks.values():
            for parameter in network.double().parameters():
                parameter.mul_(4)
    return method


def descend(loss: Tensor, *networks: nn.Module) -> None:
    parameters = [parameter for network in networks for parameter in network.parameters()]
    gradients = torch.autograd.grad(loss, parameters, retain_graph=True)
    with torch.no_grad():
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter -= RATE * gradient


def assert_same_steps(method: Any, step: Callable[[Mapping[str, nn.Module], SliceBatch], None], size: int, **batch: Any) -> None:
    """Three steps of the method and of `step`, on copies of its networks, end with the same weights."""
    by_hand, before = copy.deepcopy(method.networks), copy.deepcopy(method.networks)

    def update(group: str, loss: Tensor) -> None:
        descend(loss, *(method.networks[name] for name in method.optimised[group]))

    for number in range(3):
        torch.manual_seed(number)
        method.training_step(batch_of(size, number, **batch), update)
        torch.manual_seed(number)
        step(by_hand, batch_of(size, number, **batch))
    for name, network in method.networks.items():
        moved = 0.0
        for key, value in network.named_parameters():
            expected, first = by_hand[name].get_parameter(key), before[name].get_parameter(key)
            torch.testing.assert_close(value, expected, rtol=1e-6, atol=1e-9, msg=lambda text, at=(name, key): f"{at}: {text}")
            moved += float((value - first).detach().abs().sum())
        assert moved > 0, name


def squares(judged: Tensor, goal: float) -> Tensor:
    return ((judged - goal) ** 2).mean()


def distance(one: Tensor, other: Tensor) -> Tensor:
    return (one - other).abs().mean()


class Pool:
    """As the public code has it, one picture at a time."""

    def __init__(self, size: int) -> None:
        self.size, self.kept = size, []

    def __call__(self, pictures: Tensor) -> Tensor:
        answers = []
        for picture in pictures.detach():
            if len(self.kept) < self.size:
                self.kept.append(picture)
            elif self.size and float(torch.rand(())) < 0.5:
                place = int(torch.randint(self.size, ()))
                picture, self.kept[place] = self.kept[place], picture
            answers.append(picture)
        return torch.stack(answers)


def cycle_step(weights: Mapping[str, float], pool: int = 3) -> Callable[[Mapping[str, nn.Module], SliceBatch], None]:
    """Zhu et al. 2017, with the structural term where `weights` has one."""
    pool_a, pool_b = Pool(pool), Pool(pool)

    def step(nets: Mapping[str, nn.Module], batch: SliceBatch) -> None:
        into_a, into_b, judge_a, judge_b = (nets[f"{kind}_{domain}"] for kind in ("to", "judge") for domain in (A, B))
        a, b = batch[A], batch[B]
        fake_a, fake_b = into_a(b), into_b(a)
        back_a, back_b = into_a(fake_b), into_b(fake_a)
        loss = squares(judge_a(fake_a), 1) + squares(judge_b(fake_b), 1)
        loss = loss + 10 * (distance(back_a, a) + distance(back_b, b))
        loss = loss + weights["identity"] * (distance(into_a(a), a) + distance(into_b(b), b))
        if "ssim" in weights:
            shift = weights["shift"]
            alike = [ssim(x + shift, y + shift, weights["range"]) for x, y in ((back_a, a), (back_b, b))]
            loss = loss + weights["ssim"] * (2 - alike[0] - alike[1])
        descend(loss, into_a, into_b)
        terms = [(judge_a, a, pool_a(fake_a)), (judge_b, b, pool_b(fake_b))]
        loss = torch.stack([squares(judge(real), 1) + squares(judge(fake), 0) for judge, real, fake in terms]).sum()
        descend(loss / 2, judge_a, judge_b)

    return step


def ssim(one: Tensor, other: Tensor, data_range: float) -> Tensor:
    """Wang et al. 2004, Eq. 13, with a window of two dimensions."""
    line = torch.exp(-(torch.arange(-5.0, 6.0, dtype=one.dtype) ** 2) / (2 * 1.5**2))
    window = (line[:, None] * line / line.sum() ** 2)[None, None]

    def mean(x: Tensor) -> Tensor:
        return functional.conv2d(x, window)

    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    m1, m2 = mean(one), mean(other)
    v1, v2, both = mean(one * one) - m1**2, mean(other * other) - m2**2, mean(one * other) - m1 * m2
    return ((2 * m1 * m2 + c1) * (2 * both + c2) / ((m1**2 + m2**2 + c1) * (v1 + v2 + c2))).mean()


@pytest.mark.parametrize(
    ("name", "changes", "weights", "pool"),
    [
        ("cyclegan", {}, {"identity": 5}, 3),
        ("attention_gan", {"maps": 4}, {"identity": 5}, 3),
        ("ssim_cyclegan", {"spectral_norm": False}, {"identity": 0.5, "ssim": 1, "range": 2, "shift": 1}, 3),
        ("ssim_cyclegan", {"faithful": True}, {"identity": 0.5, "ssim": 1, "range": 1, "shift": 0}, 0),
    ],
)
def test_the_step_of_cyclegan_and_its_kin(name: str, changes: dict[str, Any], weights: dict[str, float], pool: int):
    assert_same_steps(made(name, pool_size=3, **changes), cycle_step(weights, pool), 16)


@pytest.mark.parametrize(("faithful", "epoch", "share"), [(False, 9, 0.01), (True, 10, 0.5)])
def test_the_step_of_aggan(faithful: bool, epoch: int, share: float):
    pool_a, pool_b = Pool(3), Pool(3)

    def variation(attention: Tensor) -> Tensor:
        """Of the map three times over, weighed by a millionth, as the authors have it, mean over the batch."""
        thrice = attention.repeat(1, 3, 1, 1)
        down, right = thrice.diff(dim=2).abs().sum(), thrice.diff(dim=3).abs().sum()
        return 1e-6 * (down + right) / len(attention)

    def step(nets: Mapping[str, nn.Module], batch: SliceBatch) -> None:
        into_a, into_b, judge_a, judge_b = (nets[f"{kind}_{domain}"] for kind in ("to", "judge") for domain in (A, B))
        a, b = batch[A], batch[B]
        (fake_a, attention_a), (fake_b, attention_b) = into_a.attend(b), into_b.attend(a)
        cycle = distance(into_a(fake_b), a) + distance(into_b(fake_a), b)
        pixel = distance(fake_b, a) + distance(fake_a, b) if faithful else 0.0
        real = 0.5 * (squares(judge_a(fake_a), 1) + squares(judge_b(fake_b), 1))
        even = variation(attention_a) + variation(attention_b)
        weight = 10 if faithful else 1
        descend((real + even) * (1 - share) + (weight * cycle + pixel) * share, into_a, into_b)
        terms = [(judge_a, a, pool_a(fake_a)), (judge_b, b, pool_b(fake_b))]
        loss = torch.stack([squares(judge(x), 1) + squares(judge(fake), 0) for judge, x, fake in terms]).sum()
        descend(loss / 4, judge_a, judge_b)

    assert_same_steps(made("aggan", pool_size=3, faithful=faithful), step, 96, epoch=epoch)


def test_the_step_of_vae_cyclegan():
    pool_a, pool_b = Pool(3), Pool(3)

    def drawn(translator: nn.Module, x: Tensor, far: list[Tensor]) -> Tensor:
        hidden = translator.encoder(x)
        mean, logarithm = translator.mean(hidden), translator.log_variance(hidden)
        normal = torch.distributions.Normal(mean, (logarithm / 2).exp())
        far.append(torch.distributions.kl_divergence(normal, torch.distributions.Normal(0.0, 1.0)).mean())
        return translator.decoder(mean + normal.scale * torch.randn(mean.shape, dtype=mean.dtype))

    def levels(judge: nn.Module, x: Tensor, goal: float, *, apart: bool) -> Tensor:
        errors = []
        for block, head in zip(judge.trunk, judge.heads, strict=True):
            x = block(x)
            errors.append(squares(head(x), goal))
            x = x.detach() if apart else x
        return torch.stack(errors).mean()

    def step(nets: Mapping[str, nn.Module], batch: SliceBatch) -> None:
        into_a, into_b, judge_a, judge_b = (nets[f"{kind}_{domain}"] for kind in ("to", "judge") for domain in (A, B))
        a, b, far = batch[A], batch[B], []
        fake_a, fake_b = drawn(into_a, b, far), drawn(into_b, a, far)
        cycle = distance(drawn(into_a, fake_b, far), a)
        same = distance(drawn(into_a, a, far), a)
        cycle = cycle + distance(drawn(into_b, fake_a, far), b)
        same = same + distance(drawn(into_b, b, far), b)
        real = levels(judge_a, fake_a, 1, apart=False) + levels(judge_b, fake_b, 1, apart=False)
        descend(real + 10 * cycle + 5 * same + 0.01 * torch.stack(far).mean(), into_a, into_b)
        terms = [(judge_a, a, pool_a(fake_a)), (judge_b, b, pool_b(fake_b))]
        both = [levels(judge, x, 1, apart=True) + levels(judge, fake, 0, apart=True) for judge, x, fake in terms]
        descend(torch.stack(both).sum() / 2, judge_a, judge_b)

    assert_same_steps(made("vae_cyclegan", pool_size=3, lambda_cycle=10.0, lambda_identity=5.0, lambda_kl=0.01), step, 16)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"gan_loss": "lsgan", "generator_steps": 2, "body_only": True},
        {"lambda_penalty": 1.0, "norm": "instance", "lambda_gan": 2.0},
    ],
    ids=lambda changes: "-".join(changes) or "paper",
)
def test_the_step_of_pix2pix(changes: dict[str, Any]):
    method = made("pix2pix", lambda_l1=7.0, **changes)
    squared, weight = changes.get("gan_loss") == "lsgan", changes.get("lambda_gan", 1.0)

    def error(judged: Tensor, goal: float) -> Tensor:
        return squares(judged, goal) if squared else -functional.logsigmoid(judged if goal else -judged).mean()

    def penalty(judge: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
        share = torch.rand(len(real), 1, 1, 1)
        between = (share * real + (1 - share) * fake).requires_grad_()
        (slope,) = torch.autograd.grad(judge(between).sum(), between, create_graph=True)
        return (slope.square().sum((1, 2, 3)).sqrt() - 1).square().mean()

    def step(nets: Mapping[str, nn.Module], batch: SliceBatch) -> None:
        generator, judge = nets["generator"], nets["discriminator"]
        source, target = batch[A], batch[B]
        mask = batch.masks[B] if changes.get("body_only") else torch.ones_like(target)
        fake = generator(source)
        if batch.step % changes.get("generator_steps", 1) == 0:
            real, made_up = (torch.cat([source, x], 1) for x in (target, fake.detach()))
            loss = (error(judge(real), 1) + error(judge(made_up), 0)) / 2
            if changes.get("lambda_penalty"):
                loss = loss + penalty(judge, real, made_up)
            descend(loss, judge)
        seen = error(judge(torch.cat([source, fake], 1)), 1)
        descend(weight * seen + 7 * ((fake - target).abs() * mask).sum() / mask.sum(), generator)

    assert_same_steps(method, step, 16)


def networks_of(found: Iterable[nn.Module], kind: type[nn.Module]) -> list[nn.Module]:
    return [module for network in found for module in network.modules() if isinstance(module, kind)]


def test_spectral_norm_bounds_all_convolutions_but_the_last():
    method = made("ssim_cyclegan", receptive_field=70)
    method.training_step(batch_of(32, 0), lambda group, loss: None)  # each time it judges, it estimates once more
    for domain in (A, B):
        convolutions = networks_of([method.networks[f"judge_{domain}"].eval()], nn.Conv2d)
        largest = [float(torch.linalg.matrix_norm(layer.weight.detach().flatten(1), 2)) for layer in convolutions]
        assert len(largest) == 5 and all(0.9 < value < 1.35 for value in largest[:4]), largest
        assert not hasattr(convolutions[-1], "parametrizations")


def test_structure_is_judged_from_zero_on():
    """Two mid-greys of opposite sign, a hundredth of the range apart, are all but the same to scikit-image's SSIM on [0, 1]."""
    one, other = torch.full((1, 1, 16, 16), 0.01), torch.full((1, 1, 16, 16), -0.01)
    one[..., ::2] += 0.5
    other[..., ::2] += 0.5
    costs = {kind: float(made("ssim_cyclegan", faithful=kind)._ssim_loss(one, other)) for kind in (False, True)}
    settings = {"data_range": 1.0, "gaussian_weights": True, "use_sample_covariance": False, "full": True}
    _, places = structural_similarity((one[0, 0].numpy() + 1) / 2, (other[0, 0].numpy() + 1) / 2, **settings)
    assert costs[False] == pytest.approx(1 - places[5:-5, 5:-5].mean(), abs=1e-5)
    assert costs[True] > 4 * costs[False]
