"""The networks of imported models, by their published layouts."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from torch import nn

from ctmri_core.domain import Direction
from ctmri_core.imported.adapted import Adapted
from ctmri_core.imported.card import ImportedConfig
from ctmri_core.imported.onnx_network import OnnxNetwork
from ctmri_core.networks.antialiased_resnet import AntialiasedResnetGenerator
from ctmri_core.networks.as_in_training import as_in_training
from ctmri_core.networks.attention_generators import AgganGenerator, AttentionGenerator
from ctmri_core.networks.plain_unet import PlainUnet
from ctmri_core.networks.residual_unit_generator import ResidualUnitGenerator
from ctmri_core.networks.resnet_generator import ResnetGenerator
from ctmri_core.networks.stage_unet import StageUnet
from ctmri_core.networks.stargan import StarganGenerator, StarganTranslator
from ctmri_core.networks.unet_generator import UnetGenerator
from ctmri_core.networks.unet_plus_plus import UnetPlusPlus
from ctmri_core.networks.unit import UnitDecoder, UnitEncoder, UnitTranslator

_NETWORKS: Mapping[str, Callable[[ImportedConfig], nn.Module]] = {
    "resnet": lambda c: ResnetGenerator(c.in_channels, c.out_channels, c.width, c.blocks, c.norm, c.dropout),
    "unet": lambda c: UnetGenerator(c.in_channels, c.out_channels, c.width, c.downs, c.norm, c.dropout),
    "antialiased_resnet": lambda c: AntialiasedResnetGenerator(c.in_channels, c.out_channels, c.width, c.blocks),
    "unit": lambda c: UnitTranslator(
        UnitEncoder(c.in_channels, c.width, c.blocks), UnitDecoder(c.out_channels, c.width, c.blocks)
    ),
    "attention_gan": lambda c: AttentionGenerator(c.in_channels, c.width, c.blocks, c.maps),
    "aggan": lambda c: AgganGenerator(c.in_channels, c.width, c.blocks),
    "stargan": lambda c: StarganTranslator(StarganGenerator(c.in_channels, c.domains, c.width, c.blocks), c.wanted),
    "plain_unet": lambda c: PlainUnet(c.width, dropout=0.05 if c.dropout else 0.0),
    "residual_unit": lambda c: ResidualUnitGenerator(c.in_channels, c.out_channels, c.width, c.blocks),
    "stage_unet": lambda c: StageUnet(c.in_channels, c.out_channels, c.width),
    "unet_plus_plus": lambda c: UnetPlusPlus(c.in_channels, c.out_channels, c.width),
    "onnx": lambda c: OnnxNetwork(c.onnx_bytes),
}


class Imported:
    """In the place of a method's class, for models that are used and not trained."""

    @staticmethod
    def build_generator(config: ImportedConfig, direction: Direction) -> nn.Module:  # noqa: ARG004  # the same for every direction
        """(n, context, h, w) in [-1, 1] -> (n, 1, h, w) in [-1, 1], with the weights that a model file holds."""
        network = _NETWORKS[config.layout](config)
        return Adapted(as_in_training(network) if config.statistics == "picture" else network, config)
