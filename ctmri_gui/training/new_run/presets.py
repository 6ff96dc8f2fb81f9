"""Settings that go together, to begin from."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from ctmri_core.config_fields import ConfigField, fields_of
from ctmri_core.config_flags import validated
from ctmri_core.errors import CtmriError
from ctmri_core.method import MethodCard, MethodConfig
from ctmri_core.training.run_plan import RunPlan
from ctmri_core.training.settings import TrainingSettings

Tables = dict[str, dict[str, Any]]
FROM_MODEL = "start_from"
_SMALL_CROPS = range(128, 257, 32)
_FEW_SLICES = 16
_GENTLER = 0.1


def papers() -> Tables:
    """As the method's authors had it: nothing is changed."""
    return {"config": {}, "settings": {}}


def small_and_quick(card: MethodCard) -> Tables:
    """Half as wide and half as deep, on the smallest squares from 128 pixels on that the networks take."""
    config = {field.name: _halved(field) for field in fields_of(card.config) if _makes_large(field.name)}
    crop = _least_crop(validated(card.config, config))
    return {"config": config, "settings": {"crop": crop, "validation_slices": _FEW_SLICES}}


def fine_tuned(plan: RunPlan) -> Tables:
    """Of a plan that goes on from a model (`RunPlan.from_model`): its settings, in steps a tenth as large."""
    return {"config": {**plan.changed["config"], **gentler(plan)}, "settings": {FROM_MODEL: plan.settings.start_from}}


def gentler(plan: RunPlan) -> dict[str, Any]:
    """What to change of the config of `plan` for what has learnt already: its steps are a tenth as large."""
    return {"learning_rate": float(f"{plan.config.learning_rate * _GENTLER:.3g}")}


def _makes_large(name: str) -> bool:
    return name in ("width", "blocks") or name.endswith("_width")


def _halved(field: ConfigField) -> int:
    return max(int(field.default) // 2, int(field.low or 1))


def _least_crop(config: MethodConfig) -> int:
    for crop in _SMALL_CROPS:
        with suppress(CtmriError):
            config.for_crop(crop)
            return crop
    return int(TrainingSettings.model_fields["crop"].default)
