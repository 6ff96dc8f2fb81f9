"""From a trained method to a model file with its card."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import ctmri_core
from ctmri_core.data.preparation import PreparedData
from ctmri_core.domain import Direction
from ctmri_core.method import Method, MethodCard, MethodConfig
from ctmri_core.model_card import ModelCard
from ctmri_core.model_file import save_model
from ctmri_core.training.settings import ModelDescription

_PHANTOM_LIMITS = (
    "Trained on digital phantoms only, which show no pathology and far less variety than people: "
    "it will not do justice to any patient's scan."
)
_LIMITS = "Synthetic images may miss or invent findings. Values outside the body and outside the trained region mean nothing."


def export_model(
    folder: Path, suffix: str, method: Method[Any], card: MethodCard, config: MethodConfig, direction: Direction,
    data: PreparedData, metrics: Mapping[str, float], about: ModelDescription,
) -> Path:  # fmt: skip
    """Writes `<method>-<direction><suffix>.safetensors`."""
    path = folder / f"{card.name}-{direction.name}{suffix}.safetensors"
    model_card = describe(card, config, direction, data, metrics, about)
    save_model(path, method.generator(direction).state_dict(), model_card)
    return path


def describe(
    card: MethodCard, config: MethodConfig, direction: Direction, data: PreparedData,
    metrics: Mapping[str, float], about: ModelDescription,
) -> ModelCard:  # fmt: skip
    """The card of one direction's model. The recipe pads to what the networks need, as in training."""
    limits = [_PHANTOM_LIMITS] if data.facts.phantom else []
    return ModelCard(
        name=about.name or f"{card.title} {direction.label}",
        method=card.name,
        config=config.told(),
        direction=direction,
        recipe=data.recipe,
        body_region=about.body_region or ("head" if data.facts.phantom else "as in the training data"),
        training_data=(data.facts,),
        metrics=dict(metrics),
        intended_use=about.intended_use,
        limitations=" ".join(part for part in (about.limitations, *limits, _LIMITS) if part),
        demo=about.demo,
        created=datetime.now(UTC),
        program_version=ctmri_core.__version__,
    )
