"""What methods have in common that learn one direction, or a direction and its reverse at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ctmri_core.domain import Direction, Domain
from ctmri_core.losses.adversarial import adversarial_loss, discriminator_loss
from ctmri_core.losses.image_pool import ImagePool
from ctmri_core.losses.pixelwise import l1_loss
from ctmri_core.method import JUDGED, SliceBatch, Update


class OneWay:
    """A method with one network `generator` and no state of its own."""

    networks: dict[str, nn.Module]
    optimised: Mapping[str, tuple[str, ...]]

    def __init__(self, direction: Direction) -> None:
        self.source, self.target = direction.source, direction.target
        self.directions = (direction,)

    def translate(self, x: Tensor, direction: Direction) -> Tensor:
        result: Tensor = self.generator(direction)(x)
        return result

    def generator(self, direction: Direction) -> nn.Module:
        if direction not in self.directions:
            raise ValueError(f"this model translates {self.directions[0]}, not {direction}")
        return self.networks["generator"]

    def state_dict(self) -> dict[str, Tensor]:
        return {}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        if state:
            raise ValueError(f"this method keeps no state of its own; got {sorted(state)}")


class TwoWay:
    """Names of networks and directions, the pools of synthetic pictures, and the order of updates: generators, discriminators.

    `networks`: `to_<domain>` translates into a domain, `judge_<domain>` tells real pictures of it from synthetic ones. All
    translators are one group of optimisation, `generators`, all judges another, `discriminators`.
    """

    networks: dict[str, nn.Module]
    optimised: Mapping[str, tuple[str, ...]]

    def __init__(self, direction: Direction, pool_size: int) -> None:
        self.direction = direction
        self.domains = (direction.source, direction.target)
        self.directions = (direction, direction.reverse)
        self.pools = {domain: ImagePool(pool_size) for domain in self.domains}

    def set_networks(self, translator: Callable[[], nn.Module], judge: Callable[[], nn.Module]) -> None:
        """Makes a translator into each domain and a judge of each, by calls that give them with their initial weights."""
        generators = {f"to_{domain}": translator() for domain in self.domains}
        judges = {f"judge_{domain}": judge() for domain in self.domains}
        self.networks = generators | judges
        self.optimised = {"generators": tuple(generators), "discriminators": tuple(judges)}

    def other(self, domain: Domain) -> Domain:
        """The domain that is translated into `domain`."""
        return self.direction.source if domain is self.direction.target else self.direction.target

    def real(self, batch: SliceBatch) -> dict[Domain, Tensor]:
        """Real pictures by domain."""
        return {domain: batch[domain] for domain in self.domains}

    def to(self, domain: Domain, x: Tensor, **options: Any) -> Any:
        """What the translator into `domain` makes of `x`."""
        return self.networks[f"to_{domain}"](x, **options)

    def judge(self, domain: Domain, x: Tensor, **options: Any) -> Any:
        """What the judge of `domain` says of `x`."""
        return self.networks[f"judge_{domain}"](x, **options)

    def updated(
        self, real: Mapping[Domain, Tensor], synthetic: Mapping[Domain, Tensor], terms: Mapping[str, Tensor], update: Update,
        *, share: float = 1.0,
    ) -> dict[str, Tensor]:  # fmt: skip
        """Updates all generators down the sum of `terms`, then all discriminators on `real` and on pictures from the pools.

        `share`: weight of the discriminators' loss. Gives the losses for the log, with the mean judgements.
        """
        update("generators", added(terms))
        losses: dict[Domain, Tensor] = {}
        said: dict[str, Tensor] = {}
        for domain in self.domains:
            shown = self.pools[domain].exchange(synthetic[domain].detach())
            of_real, of_synthetic = self.verdicts(domain, real[domain]), self.verdicts(domain, shown)
            levels = zip(of_real, of_synthetic, strict=True)
            losses[domain] = torch.stack([discriminator_loss(*verdicts, "lsgan") for verdicts in levels]).mean()
            said |= judgements(domain, of_real[-1], of_synthetic[-1])
        discriminators = share * added(losses)
        update("discriminators", discriminators)
        return detached({**terms, "discriminators": discriminators}) | said

    def verdicts(self, domain: Domain, x: Tensor) -> Sequence[Tensor]:
        """What the judge of `domain` says of `x` while it learns: at one level or at several, the decision last."""
        return [self.judge(domain, x)]

    def translate(self, x: Tensor, direction: Direction) -> Tensor:
        result: Tensor = self.generator(direction)(x)
        return result

    def generator(self, direction: Direction) -> nn.Module:
        if direction not in self.directions:
            raise ValueError(f"this model translates {self.direction} and back, not {direction}")
        return self.networks[f"to_{direction.target}"]

    def state_dict(self) -> dict[str, Tensor]:
        """The pictures in the pools."""
        state: dict[str, Tensor] = {}
        for domain, pool in self.pools.items():
            state |= pool.state_dict(f"pool_{domain}")
        return state

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        device = next(next(iter(self.networks.values())).parameters()).device
        for domain, pool in self.pools.items():
            pool.load_state_dict(f"pool_{domain}", state, device)


class CycleConsistent(TwoWay):
    """The training step of CycleGAN and of those that differ from it in networks or in one more term.

    Zhu et al. 2017: Eq. 1 with least squares (section 4), Eq. 2, identity as in section 5.2; both generators are updated
    together, then both discriminators. `lambda_identity` is absolute here.
    """

    def __init__(self, direction: Direction, pool_size: int, lambda_cycle: float, lambda_identity: float) -> None:
        super().__init__(direction, pool_size)
        self.lambda_cycle, self.lambda_identity = lambda_cycle, lambda_identity

    def training_step(self, batch: SliceBatch, update: Update) -> dict[str, Tensor]:
        real = self.real(batch)
        synthetic = {domain: self.to(domain, real[self.other(domain)]) for domain in self.domains}
        return self.updated(real, synthetic, self.generator_terms(real, synthetic), update)  # Eq. 3

    def generator_terms(self, real: Mapping[Domain, Tensor], synthetic: Mapping[Domain, Tensor]) -> dict[str, Tensor]:
        """Weighted terms of the generators' objective by name."""
        terms: dict[str, Tensor] = {}
        for domain in self.domains:
            terms[f"gan_{domain}"] = adversarial_loss(self.judge(domain, synthetic[domain]), real=True, kind="lsgan")  # Eq. 1
            again = self.to(domain, synthetic[self.other(domain)])
            terms |= self.cycle_terms(domain, again, real[domain])
            if self.lambda_identity:
                identity = l1_loss(self.to(domain, real[domain]), real[domain])
                terms[f"identity_{domain}"] = self.lambda_identity * identity  # section 5.2
        return terms

    def cycle_terms(self, domain: Domain, again: Tensor, real: Tensor) -> dict[str, Tensor]:
        """What it costs that `again`, translated there and back, is not `real`."""
        return {f"cycle_{domain}": self.lambda_cycle * l1_loss(again, real)}  # Eq. 2


def bare(network: nn.Module) -> nn.Module:
    """The network itself without what the trainer wraps around it: in float32, and open to gradients of gradients."""
    inner = getattr(network, "module", None)
    return inner if isinstance(inner, nn.Module) else network


def judgements(of: str, real: Tensor, synthetic: Tensor) -> dict[str, Tensor]:
    """What a discriminator says of real and of synthetic pictures, on average: a sign of how training goes."""
    return {f"{JUDGED}real_{of}": real.detach().mean(), f"{JUDGED}synthetic_{of}": synthetic.detach().mean()}


def detached(terms: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Terms of a loss for the log."""
    return {name: term.detach() for name, term in terms.items()}


def added(terms: Mapping[Any, Tensor]) -> Tensor:
    """The sum of all terms."""
    return torch.stack(list(terms.values())).sum()
