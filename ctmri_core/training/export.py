"""From a trained method to a model file with its card."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import ctmri_core
from ctmri_core.data.learnt_range import learnt_range
from ctmri_core.data.preparation import PreparedData
from ctmri_core.domain import Direction, Domain
from ctmri_core.method import Method, MethodCard, MethodConfig
from ctmri_core.model_card import ModelCard
from ctmri_core.model_file import save_model
from ctmri_core.training.fine_tuning import StartedFrom
from ctmri_core.training.settings import ModelDescription, TrainingSettings

_PHANTOM_LIMITS = (
    "Trained on digital phantoms only, which show no pathology and far less variety than people: "
    "it will not do justice to any patient's scan."
)
_OUTLINE_LIMITS = "Outlines may be wrong, most of all in scans unlike those learnt from: look at them before they are used."
_GUESS = "A CT hardly shows what tells soft tissues apart in MR: their contrast is a guess at what is usual."
_LIMITS = "Synthetic images may miss or invent findings. Values outside the body and outside the trained region mean nothing."


def export_model(
    folder: Path, suffix: str, method: Method[Any], card: MethodCard, config: MethodConfig, direction: Direction,
    data: PreparedData, training: Mapping[str, Any], metrics: Mapping[str, float], about: ModelDescription,
    started_from: StartedFrom | None = None,
) -> Path:  # fmt: skip
    """Writes `<method>-<direction><suffix>.safetensors`; a suffix marks the model of the last step, not the best."""
    path = folder / f"{card.name}-{direction.name}{suffix}.safetensors"
    model_card = describe(card, config, direction, data, training, metrics, about)
    if started_from:
        facts = {"training": {**training, **started_from.fact(direction)}}
        learnt_before = tuple(each for each in started_from.training_data if each != data.facts)  # more of the same is told once
        model_card = model_card.model_copy(update={**facts, "training_data": (data.facts, *learnt_before)})
    if suffix:  # or two models of a run go by one name in lists
        model_card = model_card.model_copy(update={"name": f"{model_card.name} (last step)"})
    save_model(path, method.generator(direction).state_dict(), model_card)
    return path


def run_facts(settings: TrainingSettings, data: PreparedData, steps: int, precision: str, suffix: str) -> dict[str, Any]:
    """What a model's card says of a run after `steps`."""
    return {
        **settings.told(),
        "kept": "the last step" if suffix else f"the best {settings.best_metric} in validation",
        "steps": steps,
        "passes": round(steps / data.train.steps_per_epoch(settings.batch_size), 2),
        "precision": precision,
        "slices": len(data.train),
        "validation_slices": min(settings.validation_slices, data.validation.pairs),
    }


def describe(
    card: MethodCard, config: MethodConfig, direction: Direction, data: PreparedData, training: Mapping[str, Any],
    metrics: Mapping[str, float], about: ModelDescription,
) -> ModelCard:  # fmt: skip
    """The card of one direction's model. The recipe pads to what the networks need, as in training."""
    limits = [_PHANTOM_LIMITS] if data.facts.phantom else []
    common = _OUTLINE_LIMITS if card.outlines else _LIMITS
    if direction.source is Domain.CT and direction.target.is_mr:
        limits.append(_GUESS)
    return ModelCard(
        name=about.name or f"{card.title} {direction.label}",
        method=card.name,
        config=config.told(),
        direction=direction,
        recipe=data.recipe,
        body_region=about.body_region or ("head" if data.facts.phantom else "as in the training data"),
        training_data=(data.facts,),
        training_range=learnt_range(data.train, direction.source, data.recipe),
        training=dict(training),
        metrics=dict(metrics),
        intended_use=about.intended_use,
        limitations=" ".join(part for part in (about.limitations, *limits, common) if part),
        demo=about.demo,
        created=datetime.now(UTC),
        program_version=ctmri_core.__version__,
    )
