"""Tang et al. 2019: both generators are updated together, then both discriminators."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from ctmri_core.domain import Direction, Domain
from ctmri_core.losses.adversarial import adversarial_loss
from ctmri_core.losses.pixelwise import l1_loss
from ctmri_core.losses.smoothness import total_variation
from ctmri_core.method import SliceBatch, Update
from ctmri_core.methods.aggan.card import AgganConfig
from ctmri_core.networks.attention_generators import AgganDiscriminator, AgganGenerator
from ctmri_core.networks.initialisation import initialise_normal
from ctmri_core.networks.patchgan import patch_discriminator
from ctmri_core.translators import TwoWay

_EARLY, _LATE = 0.01, 0.5
"""Share of cycle and pixel loss in the objective during and after the curriculum."""


def likeness_at(epoch: int, config: AgganConfig) -> float:
    """The share of cycle and pixel loss. It grows by a factor each epoch, over as many epochs as it was small, unless `faithful`:
    the sudden fiftyfold of the authors' code meets running means of Adam that know of small gradients alone, and its steps undo
    what was learned."""
    past = epoch - config.curriculum_epochs
    if past < 0:
        return _EARLY
    if config.faithful or past >= config.curriculum_epochs:
        return _LATE
    return float(_EARLY * (_LATE / _EARLY) ** ((past + 1) / (config.curriculum_epochs + 1)))


class Aggan(TwoWay):
    """A generator with one attention map into each domain, and a discriminator of each: of patches, or as in the authors' code of
    whole pictures."""

    def __init__(self, config: AgganConfig, direction: Direction) -> None:
        super().__init__(direction, config.pool_size)
        self.config = config
        self.set_networks(
            lambda: initialise_normal(self.build_generator(config, direction)),
            lambda: initialise_normal(
                AgganDiscriminator(1, config.discriminator_width) if config.faithful else patch_discriminator(config)
            ),
        )

    @staticmethod
    def build_generator(config: AgganConfig, direction: Direction) -> nn.Module:  # noqa: ARG004  # the same for every direction
        return AgganGenerator(1, config.width, config.blocks, bounded=not config.faithful)

    def training_step(self, batch: SliceBatch, update: Update) -> dict[str, Tensor]:
        real = self.real(batch)
        made = {domain: self.to(domain, real[self.other(domain)], attended=True) for domain in self.domains}
        synthetic = {domain: picture for domain, (picture, _) in made.items()}
        likeness = likeness_at(batch.epoch, self.config)
        attention = {domain: attention for domain, (_, attention) in made.items()}
        terms = self._generator_terms(real, synthetic, attention, likeness)
        return self.updated(real, synthetic, terms, update, share=0.5)  # Eq. 9

    def _generator_terms(
        self, real: Mapping[Domain, Tensor], synthetic: Mapping[Domain, Tensor], attention: Mapping[Domain, Tensor],
        likeness: float,
    ) -> dict[str, Tensor]:  # fmt: skip
        """`likeness`: the share of cycle and pixel loss in the objective; the others have the rest."""
        config, terms = self.config, {}
        for domain in self.domains:
            judged = self.judge(domain, synthetic[domain])
            terms[f"gan_{domain}"] = (1 - likeness) * 0.5 * adversarial_loss(judged, real=True, kind="lsgan")  # Eq. 4
            terms[f"attention_{domain}"] = (1 - likeness) * config.lambda_attention * total_variation(attention[domain])  # Eq. 5
            again = self.to(domain, synthetic[self.other(domain)])
            terms[f"cycle_{domain}"] = likeness * config.cycle_weight * l1_loss(again, real[domain])  # Eq. 6
            if config.faithful and config.lambda_pixel:
                kept = l1_loss(synthetic[domain], real[self.other(domain)])
                terms[f"pixel_{domain}"] = likeness * config.lambda_pixel * kept  # Eq. 7
        return terms
