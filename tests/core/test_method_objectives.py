"""What UNIT, StarGAN, CUT and RegGAN go down, against the papers' formulas written out once more, with the same random draws."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from scipy.ndimage import map_coordinates
from torch import Tensor, nn
from torch.nn import functional

from ctmri_core.domain import Direction, Domain
from ctmri_core.method import SliceBatch
from ctmri_core.registry import load_method, method_cards

DIRECTION = Direction.parse("ct_to_mr_t1")
CT, T1 = DIRECTION.source, DIRECTION.target
SIZE, SEED = 32, 5


def pictures(domains: tuple[Domain, ...] = (CT, T1), count: int = 2, step: int = 0) -> SliceBatch:
    generator = torch.Generator().manual_seed(7)
    drawn = {domain: torch.rand(count, 1, SIZE, SIZE, generator=generator) * 2 - 1 for domain in domains}
    return SliceBatch(drawn, {domain: torch.ones_like(picture) for domain, picture in drawn.items()}, step=step)


def prepared(name: str, **settings: Any) -> Any:
    config = method_cards()[name].config(**settings).for_crop(SIZE)
    torch.manual_seed(0)
    return load_method(name)(config, DIRECTION)


def objectives(method: Any, batch: SliceBatch) -> dict[str, float]:
    """By group of networks, which stay where they are."""
    told: dict[str, float] = {}
    torch.manual_seed(SEED)
    method.training_step(batch, lambda group, loss: told.update({group: float(loss.detach())}))
    torch.manual_seed(SEED)  # for the reader's own draws
    return told


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize("share", [False, True])
def test_unit_adds_six_terms_for_each_domain(share: bool):
    method = prepared("unit", width=8, discriminator_width=8, scales=2, blocks=2, share_latent=share)
    batch, nets = pictures(), method.networks
    told = objectives(method, batch)

    def encode(domain: Domain, x: Tensor) -> Tensor:
        latent = nets[f"encode_{domain}"](x)
        return nets["shared_encoder"](latent) if share else latent

    def decode(domain: Domain, latent: Tensor) -> Tensor:
        return nets[f"decode_{domain}"](nets["shared_decoder"](latent) if share else latent)

    def judged(domain: Domain, x: Tensor, goal: float) -> Tensor:
        logits = nets[f"judge_{domain}"](x)
        if share:  # binary cross-entropy
            return torch.stack([functional.softplus(-each if goal else each).mean() for each in logits]).sum()
        return torch.stack([((each - goal) ** 2).mean() for each in logits]).sum()

    latent = {domain: encode(domain, batch[domain]) for domain in (CT, T1)}
    drawn = {domain: mean + torch.randn_like(mean) for domain, mean in latent.items()}
    made = {T1: decode(T1, drawn[CT]), CT: decode(CT, drawn[T1])}
    judges = torch.stack([judged(domain, made[domain], 0.0) + judged(domain, batch[domain], 1.0) for domain in made]).sum()
    assert told["discriminators"] == pytest.approx(float(judges.detach()), rel=1e-5)
    total = torch.zeros(())
    for domain, other in ((CT, T1), (T1, CT)):
        total = total + judged(domain, made[domain], 1.0)
        total = total + 10 * (decode(domain, drawn[domain]) - batch[domain]).abs().mean() + 0.01 * (latent[domain] ** 2).mean()
        there = encode(other, made[other])
        back = decode(domain, there + torch.randn_like(there))
        total = total + 10 * (back - batch[domain]).abs().mean() + 0.01 * (there**2).mean()
    assert told["generators"] == pytest.approx(float(total.detach()), rel=1e-5)


def test_stargan_is_a_wasserstein_critic_that_names_domains():
    method = prepared("stargan", width=8, discriminator_width=8, discriminator_layers=3, blocks=1, domains="mr_t1,ct,mr_t2")
    domains = (CT, T1, Domain.MR_T2)
    assert set(objectives(method, pictures(domains, 1, step=3))) == {"discriminator"}
    batch = pictures(domains, 1, step=4)
    told = objectives(method, batch)
    real, own = torch.cat([batch[domain] for domain in domains]), torch.arange(3)
    wanted = (own + torch.randint(1, 3, (3,))) % 3
    judge = method.networks["discriminator"]

    def translated(x: Tensor, target: Tensor) -> Tensor:
        planes = torch.stack([(target == label).float()[:, None, None].expand(-1, SIZE, SIZE) for label in range(3)], 1)
        result: Tensor = method.networks["generator"].main(torch.cat([x, planes], 1))
        return result

    def misnamed(logits: Tensor, label: Tensor) -> Tensor:
        return -logits.softmax(1).gather(1, label[:, None]).log().mean()

    made = translated(real, wanted)
    share = torch.rand(3, 1, 1, 1)
    between = (share * real + (1 - share) * made).detach().requires_grad_()
    slopes = [torch.autograd.grad(judge(between)[0][n].sum(), between)[0][n].norm() for n in range(3)]
    penalty = torch.stack([(slope - 1) ** 2 for slope in slopes]).mean()
    (of_real, named), (of_made, named_made) = judge(real), judge(made)
    critic = of_made.mean() - of_real.mean() + misnamed(named, own) + 10 * penalty
    assert told["discriminator"] == pytest.approx(float(critic.detach()), rel=1e-5)
    back = (translated(made, own) - real).abs().mean()
    generator = -of_made.mean() + misnamed(named_made, wanted) + 10 * back
    assert told["generator"] == pytest.approx(float(generator.detach()), rel=1e-5)


@pytest.mark.parametrize("fast", [False, True])
def test_cut_asks_each_patch_for_its_own_place(fast: bool):
    settings: dict[str, Any] = {"identity": False, "flip_equivariance": True, "lambda_nce": 10} if fast else {}
    method = prepared("cut", width=8, discriminator_width=8, blocks=6, receptive_field=34, patches=24, **settings)
    for layer in method.networks["features"].modules():
        if isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight)  # far from where a length of almost nothing is rounded
    batch = pictures()
    told = objectives(method, batch)
    generator, judge = method.networks["generator"], method.networks["discriminator"]
    mirrored = fast and float(torch.rand(())) < 0.5

    def features(x: Tensor) -> list[Tensor]:
        kept = []
        for place, layer in enumerate(generator.model):
            x = layer(x)
            if place in (0, 4, 8, 12, 16):
                kept.append(x.clone())
        return kept

    def contrast(source: Tensor, made: Tensor, *, mirror: bool = False) -> Tensor:
        keys, queries = features(source), features(made)
        places = [torch.randperm(key.shape[2] * key.shape[3])[:24] for key in keys]
        losses = []
        for key, query, mlp, place in zip(keys, queries, method.networks["features"].mlps, places, strict=True):
            rows, columns = place // key.shape[3], place % key.shape[3]
            across = key.shape[3] - 1 - columns if mirror else columns
            for n in range(2):
                known, asked = mlp(key[n, :, rows, columns].T), mlp(query[n, :, rows, across].T)
                cosine = functional.cosine_similarity(asked[:, None], known[None], dim=2) / 0.07
                losses.append((torch.logsumexp(cosine, 1) - cosine.diag()).mean())
        return torch.stack(losses).mean()

    source = batch[CT]
    made = generator(source.flip(3) if mirrored else source)
    assert told["discriminator"] == pytest.approx(
        float(((judge(made) ** 2).mean() + ((judge(batch[T1]) - 1) ** 2).mean()).detach()) / 2, rel=1e-5
    )
    total = ((judge(made) - 1) ** 2).mean()
    if fast:
        total = total + 10 * contrast(source, made, mirror=mirrored)
    else:
        total = total + (contrast(source, made) + contrast(batch[T1], generator(batch[T1]))) / 2
    assert told["generator"] == pytest.approx(float(total.detach()), rel=1e-4)


def test_reggan_compares_after_the_registration_and_wants_it_smooth():
    method = prepared("reggan", generator="resnet_6", width=4, discriminator_width=4, registration_width=4)
    nn.init.normal_(method.networks["registration"].flow.weight, 0, 0.3)
    batch = pictures()
    told = objectives(method, batch)
    with torch.no_grad():
        made = method.networks["generator"](batch[CT])
        flow = method.networks["registration"](made, batch[T1]).double().numpy()
        of_made, of_real = (method.networks["discriminator"](x).flatten(1).mean(1) for x in (made, batch[T1]))
    assert np.abs(flow).max() > 2
    rows, columns = np.mgrid[:SIZE, :SIZE]
    moved = [
        map_coordinates(picture, [rows + down, columns + right], order=1, mode="nearest")
        for picture, (down, right) in zip(made[:, 0].double().numpy(), flow, strict=True)
    ]
    off = np.abs(np.stack(moved) - batch[T1][:, 0].numpy()).mean()
    rough = (np.diff(flow, axis=2) ** 2).mean() + (np.diff(flow, axis=3) ** 2).mean()
    expected = 20 * off + 10 * rough + float(((of_made - 1) ** 2).mean())
    assert told["generator"] == pytest.approx(expected, rel=1e-4)
    assert told["discriminator"] == pytest.approx(float((of_made**2).mean() + ((of_real - 1) ** 2).mean()) / 2, rel=1e-5)
