"""Kong et al. 2021: generator and registration are updated together, then the discriminator."""

from __future__ import annotations

from torch import Tensor, nn

from ctmri_core.domain import Direction
from ctmri_core.losses.adversarial import adversarial_loss, discriminator_loss
from ctmri_core.losses.pixelwise import l1_loss
from ctmri_core.losses.smoothness import flow_roughness
from ctmri_core.method import SliceBatch, Update
from ctmri_core.methods.reggan.card import RegGanConfig
from ctmri_core.networks.initialisation import initialise_normal
from ctmri_core.networks.patchgan import PatchGan
from ctmri_core.networks.registration_net import RegistrationNet, warp
from ctmri_core.networks.resnet_generator import ResnetGenerator
from ctmri_core.translators import OneWay, added, detached, judgements


class RegGan(OneWay):
    """A generator, a registration network and a discriminator whose patches are averaged to one judgement."""

    def __init__(self, config: RegGanConfig, direction: Direction) -> None:
        super().__init__(direction)
        self.config = config
        self.networks = {
            "generator": initialise_normal(self.build_generator(config, direction)),
            "registration": RegistrationNet(width=config.registration_width),
            "discriminator": initialise_normal(PatchGan(1, config.discriminator_width)),
        }
        self.optimised = {
            "generator": ("generator", "registration"),
            "discriminator": ("discriminator",),
        }

    @staticmethod
    def build_generator(config: RegGanConfig, direction: Direction) -> nn.Module:  # noqa: ARG004  # the same for every direction
        return ResnetGenerator(width=config.width, blocks={"resnet_9": 9, "resnet_6": 6}[config.generator])

    def training_step(self, batch: SliceBatch, update: Update) -> dict[str, Tensor]:
        source, target = batch[self.source], batch[self.target]
        config = self.config
        synthetic: Tensor = self.networks["generator"](source)
        flow: Tensor = self.networks["registration"](synthetic, target)
        terms = {
            "gan": config.lambda_gan * adversarial_loss(self._judge(synthetic), real=True, kind="lsgan"),
            "correction": config.lambda_correction * l1_loss(warp(synthetic, flow.float()), target),  # Eq. 4
            "smooth": config.lambda_smooth * flow_roughness(flow),  # Eq. 5
        }
        update("generator", added(terms))  # Eq. 7
        of_real, of_synthetic = self._judge(target), self._judge(synthetic.detach())
        discriminator = discriminator_loss(of_real, of_synthetic, "lsgan")
        update("discriminator", discriminator)
        return detached(terms | {"discriminator": discriminator}) | judgements(self.target, of_real, of_synthetic)

    def _judge(self, x: Tensor) -> Tensor:
        logits: Tensor = self.networks["discriminator"](x)
        return logits.mean((1, 2, 3))
