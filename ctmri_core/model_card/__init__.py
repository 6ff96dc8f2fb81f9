"""What model files say of themselves; no torch."""

from ctmri_core.model_card.card import ModelCard, Origin, TrainingData, case_fingerprint
from ctmri_core.model_card.header import CARD_KEY, ModelHeader, TensorEntry, read_card, read_header
from ctmri_core.model_card.listing import (
    LAST,
    ModelEntry,
    best_back,
    choose_model,
    find_model,
    list_models,
    list_run_models,
    model_back,
    offered,
    offered_models,
    preference,
    shipped_hashes,
)

__all__ = [
    "CARD_KEY",
    "LAST",
    "ModelCard",
    "ModelEntry",
    "ModelHeader",
    "Origin",
    "TensorEntry",
    "TrainingData",
    "best_back",
    "case_fingerprint",
    "choose_model",
    "find_model",
    "list_models",
    "list_run_models",
    "model_back",
    "offered",
    "offered_models",
    "preference",
    "read_card",
    "read_header",
    "shipped_hashes",
]
