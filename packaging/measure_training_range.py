#!/usr/bin/env python3
"""Writes into the cards of the shipped models what the digital heads are like that they learnt from; weights stay as they are.

    .venv/bin/python packaging/measure_training_range.py [--heads 24]

The heads are those of packaging/train_demo_models.py: seeds 0 and up.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ctmri_core.model_card import read_card
from ctmri_core.model_file import load_model, save_model
from ctmri_core.phantom import make_head
from ctmri_core.recognition import TrainingRange, facts_of
from ctmri_core.resources_folder import resources_folder


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--heads", type=int, default=24)
    arguments = parser.parse_args()
    paths = sorted((resources_folder() / "models").glob("phantom_*.safetensors"))
    cards = [read_card(path) for path in paths]
    facts = []
    for seed in range(arguments.heads):
        head = make_head(seed)
        facts.append([facts_of(head[card.direction.source], card.recipe) for card in cards])
    for number, path in enumerate(paths):
        known = TrainingRange.over(of[number] for of in facts if of[number] is not None)  # type: ignore[misc]  # None is left out
        print(path.name, known)
        _write(path, known)
    return 0


def _write(path: Path, known: TrainingRange | None) -> None:
    model, card = load_model(path)
    written = save_model(path, model.state_dict(), card.model_copy(update={"training_range": known}), stored_as="float16")
    if written.weights_sha256 != card.weights_sha256:
        raise SystemExit(f"{path.name}: the weights changed on the way; take the file back from version control.")


if __name__ == "__main__":
    sys.exit(main())
