"""What model files say of themselves; no torch."""

from ctmri_core.model_card.card import ModelCard, Origin, TrainingData, case_fingerprint
from ctmri_core.model_card.header import CARD_KEY, ModelHeader, TensorEntry, read_card, read_header
from ctmri_core.model_card.listing import LAST, ModelEntry, choose_model, find_model, list_models, list_run_models, shipped_hashes

__all__ = [
    "CARD_KEY",
    "LAST",
    "ModelCard",
    "ModelEntry",
    "ModelHeader",
    "Origin",
    "TensorEntry",
    "TrainingData",
    "case_fingerprint",
    "choose_model",
    "find_model",
    "list_models",
    "list_run_models",
    "read_card",
    "read_header",
    "shipped_hashes",
]
