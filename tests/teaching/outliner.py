"""Small models that outline, or translate, for tests: untrained, so that what they say means nothing."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import torch

from ctmri_core.domain import Direction, Domain
from ctmri_core.geometry import Geometry
from ctmri_core.model_card import ModelCard
from ctmri_core.model_file import LoadedModel
from ctmri_core.networks.initialisation import initialise_kaiming, initialise_normal
from ctmri_core.preprocess.recipe import Recipe
from ctmri_core.registry import build_generator
from ctmri_core.volume import Volume

GRID = Geometry((6, 64, 48), (3.0, 2.0, 2.0))


def ct() -> Volume:
    place = GRID.index_to_mm(np.stack(np.indices(GRID.shape), -1)) - GRID.centre
    hu = np.where(np.linalg.norm(place[..., :2], axis=-1) < 40, 40 + 2 * place[..., 1], -1000.0)
    return Volume(np.rint(hu).astype(np.int16), GRID, Domain.CT)


def made(method: str, config: dict[str, object], target: Domain, recipe: Recipe) -> LoadedModel:
    card = ModelCard(
        name=f"tiny {target}", method=method, config=config, recipe=recipe, direction=Direction(Domain.CT, target),
        body_region="head", created=datetime(2026, 1, 2, tzinfo=UTC), weights_sha256="ab" * 32,
    )  # fmt: skip
    torch.manual_seed(3)
    generator = build_generator(card)
    return LoadedModel((initialise_kaiming if method == "deeplab_v3_plus" else initialise_normal)(generator).eval(), card)


def outliner(labels: str = "body", spacing: float | None = None) -> LoadedModel:
    """Untrained: what it outlines means nothing, but is some of the scan and not all."""
    model = made("deeplab_v3_plus", {"width": 8, "labels": labels}, Domain.MASK, Recipe(spacing_mm=spacing, multiple=16))
    unit = torch.from_numpy(model.card.recipe.ct.nominal.to_unit(ct().voxels))[:, None]
    with torch.no_grad():
        means = model.generator(unit, logits=True).mean((0, 2, 3))
        model.generator.classifier.classifier[-1].bias -= means
    return model


def translator(recipe: Recipe) -> LoadedModel:
    return made("pix2pix", {"generator": "resnet_6", "width": 4, "norm": "instance"}, Domain.MR_T1, recipe)
