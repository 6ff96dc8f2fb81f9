"""Lists the models that can be used by name, or says all that one tells of itself."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ctmri_core.cli.terminal import Terminal
from ctmri_core.resources_folder import model_folders, user_models_folder

if TYPE_CHECKING:
    from ctmri_core.model_card import ModelCard, ModelEntry

_LABEL = 16  # columns


def add_arguments(parser: argparse.ArgumentParser) -> None:
    kinds = "say all of this model: a file, a name from the list, or the folder of a run"
    parser.add_argument("model", nargs="?", metavar="FILE_OR_NAME", help=kinds)
    parser.add_argument("--json", action="store_true", help="print whole cards as JSON, with the fingerprints of the cases")


def run(arguments: argparse.Namespace) -> int:
    from ctmri_core.model_card import find_model, list_models, read_card

    terminal = Terminal(as_json=False)
    if arguments.model:
        path = find_model(arguments.model, model_folders())
        card = read_card(path)
        terminal.say(card.model_dump_json(indent=2) if arguments.json else "\n".join(_report(card, path)))
        return 0
    entries = list_models(model_folders())
    if arguments.json:
        terminal.say(json.dumps([_as_json(entry) for entry in entries], indent=2))
        return 0
    for entry in entries:
        if entry.card is None:
            terminal.say(f"{entry.path.name}  cannot be used: {entry.problem}")
        else:
            terminal.say(f"{entry.card.name}  ({entry.card.direction})  {_megabytes(entry.path)}\n    {entry.card.summary}")
    if not entries:
        terminal.say(f"No models found. Put model files (.safetensors) into {user_models_folder()}.")
    return 0


def _as_json(entry: ModelEntry) -> dict[str, Any]:
    card = entry.card.model_dump(mode="json") if entry.card is not None else None
    return {"file": entry.path.name, "problem": entry.problem, "card": card}


def _report(card: ModelCard, path: Path) -> Iterator[str]:
    """For people: a line for each thing known, long ones under each other."""
    from ctmri_core.registry import method_cards

    method = method_cards().get(card.method)
    yield card.name + ("  (demonstration only: not for patients)" if card.demo else "")
    facts: dict[str, str | Iterable[str]] = {
        "translates": f"{card.direction.label}, {card.body_region}",
        "method": f"{method.title}. {method.citation}." if method else f"{card.method}, which this installation does not have",
        "its settings": _pairs(card.config),
        "learnt from": _data(card),
        "training": _pairs(card.training) or "not stated",
        "slices": _recipe(card),
        "validation": _pairs(card.metrics) or "not measured",
        "made for": card.intended_use,
        "limits": card.limitations,
        "file": f"{path.name}, {_megabytes(path)}, weights {card.weights_sha256}",
        "made": f"{card.created:%Y-%m-%d %H:%M} UTC, program {card.program_version or 'not stated'}",
    }
    for label, said in facts.items():
        lines = [said] if isinstance(said, str) else list(said)
        for number, line in enumerate(filter(None, lines)):
            yield f"  {'' if number else label:<{_LABEL}}{line}"


def _data(card: ModelCard) -> Iterator[str]:
    for data in card.training_data:
        prints = f"; fingerprints of {len(data.fingerprints)} scans (--json)" if data.fingerprints else ""
        yield f"{data.what}: {data.cases} cases{', phantoms' if data.phantom else ''}; licence: {data.licence}{prints}"
    if not card.training_data:
        yield "not stated"


def _recipe(card: ModelCard) -> Iterator[str]:
    recipe = card.recipe
    spacing = f"{recipe.spacing_mm:g} mm pixels" if recipe.spacing_mm else "the scan's own pixels"
    size = " x ".join(map(str, recipe.size)) if recipe.size else f"padded to multiples of {recipe.multiple}"
    yield f"{recipe.orientation}, {spacing}, {size}{', the body alone' if recipe.only_body else ''}"
    if recipe.field_mm is not None:
        rows, columns = recipe.field_mm
        yield f"about {columns:.0f} x {rows:.0f} mm wide; of clearly wider ones as much about the body"
    for label, step in (("CT", recipe.ct), ("MR", recipe.mr), ("N4", recipe.bias_field)):
        if step is not None:
            yield f"{label}: {_pairs(step.model_dump())}"


def _pairs(values: Mapping[str, Any]) -> str:
    shown = {name: f"{value:.4g}" if isinstance(value, float) else value for name, value in values.items()}
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in shown.items() if value != "")


def _megabytes(path: Path) -> str:
    return f"{path.stat().st_size / 1e6:.1f} MB"
