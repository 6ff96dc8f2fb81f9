"""Lists the models that can be used by name; says all that one tells of itself; imports and exports."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ctmri_core.cli import models_export, models_import, models_terms
from ctmri_core.cli.parser import Parser
from ctmri_core.cli.terminal import Terminal
from ctmri_core.resources_folder import model_folders, user_models_folder

if TYPE_CHECKING:
    from pydantic import BaseModel

    from ctmri_core.model_card import ModelCard, ModelEntry
    from ctmri_core.recognition import TrainingRange

_LABEL = 16  # columns


_WITHOUT_ACTION = "without one, `ctmri models` lists and `ctmri models NAME` shows"


def completed(words: list[str]) -> list[str]:
    """What stands behind `ctmri models` with the action that was left out: `list`, or `show` where something is named."""
    if words and (words[0] in _ACTIONS or words[0] in ("-h", "--help")):
        return words
    return ["show" if any(not word.startswith("-") for word in words) else "list", *words]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True, help=_WITHOUT_ACTION, parser_class=Parser)
    for name, (summary, arguments_of, run_of) in _ACTIONS.items():
        action = actions.add_parser(name, help=summary, description=summary)
        arguments_of(action)
        action.set_defaults(act=run_of)


def run(arguments: argparse.Namespace) -> int:
    status: int = arguments.act(arguments)
    return status


def _list_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print whole cards as JSON, with the fingerprints of the cases")
    parser.set_defaults(model="")


def _show_arguments(parser: argparse.ArgumentParser) -> None:
    _list_arguments(parser)
    parser.add_argument("model", metavar="FILE_OR_NAME", help="a file, a name from the list, or the folder of a run")


def _say(arguments: argparse.Namespace) -> int:
    from ctmri_core.model_card import find_model, offered_models, read_card
    from ctmri_core.model_card.listing import SHOW_HIDDEN
    from ctmri_core.model_card.terms import hides_noncommercial

    terminal = Terminal(as_json=False)
    if arguments.model:
        path = find_model(arguments.model, model_folders())
        card = read_card(path)
        terminal.say(card.model_dump_json(indent=2) if arguments.json else "\n".join(_report(card, path)))
        return 0
    entries = offered_models(model_folders())
    if arguments.json:
        terminal.say(json.dumps([_as_json(entry) for entry in entries], indent=2))
        return 0
    for entry in entries:
        if entry.card is None:
            terminal.say(f"{entry.path.name}  cannot be used: {entry.problem}")
        else:
            file = f"{entry.path.stem}, {_megabytes(entry.path)}"
            terminal.say(f"{entry.card.name}  ({entry.card.direction})  {file}\n    {entry.card.summary}")
    if not entries:
        way = "put model files (.safetensors) there, or take .pth and .onnx in with `ctmri models import`"
        terminal.say(f"No models found in {user_models_folder()}: {way}.")
    if hides_noncommercial():
        terminal.complain(f"Models that may not be used commercially are hidden; {SHOW_HIDDEN}")
    return 0


_ACTIONS = {
    "list": ("Lists the models that can be used by name.", _list_arguments, _say),
    "show": ("Says all that a model tells of itself.", _show_arguments, _say),
    "terms": (models_terms.__doc__ or "", models_terms.add_arguments, models_terms.run),
    "import": (models_import.__doc__ or "", models_import.add_arguments, models_import.run),
    "export": (models_export.__doc__ or "", models_export.add_arguments, models_export.run),
}


def _as_json(entry: ModelEntry) -> dict[str, Any]:
    card = entry.card.model_dump(mode="json") if entry.card is not None else None
    return {"file": entry.path.name, "problem": entry.problem, "card": card}


def _report(card: ModelCard, path: Path) -> Iterator[str]:
    """For people: a line for each thing known, long ones under each other."""
    from ctmri_core.model_card.terms import terms_of
    from ctmri_core.registry import maker_of

    method = maker_of(card)
    yield card.name + ("  (demonstration only: not for patients)" if card.demo else "")
    facts: dict[str, str | Iterable[str]] = {
        "translates": f"{card.direction.label}, {card.body_region}",
        "also takes": ", ".join(kind.label for kind in card.also_takes),
        "method": f"{method.title}. {method.citation}." if method else f"{card.method}, which this installation does not have",
        "its settings": _pairs(card.config),
        "imported from": _origin(card),
        "learnt from": _data(card),
        "what it saw": _range(card.training_range),
        "training": _pairs(card.training) or "not stated",
        "slices": _recipe(card),
        "validation": _pairs(card.metrics) or "not measured",
        "made for": card.intended_use,
        "limits": card.limitations,
        "terms": terms_of(card),
        "file": f"{path.name}, {_megabytes(path)}, weights {card.weights_sha256}",
        "made": f"{card.created:%Y-%m-%d %H:%M} UTC, program {card.program_version or 'not stated'}",
    }
    for label, said in facts.items():
        lines = [said] if isinstance(said, str) else list(said)
        for number, line in enumerate(filter(None, lines)):
            yield f"  {'' if number else label:<{_LABEL}}{line}"


def _origin(card: ModelCard) -> Iterator[str]:
    if card.origin is not None:
        yield f"{card.origin.file}, {card.origin.layout}; licence: {card.origin.licence}"
        yield f"SHA-256 {card.origin.sha256}"
        yield from card.origin.changed


def _data(card: ModelCard) -> Iterator[str]:
    for data in card.training_data:
        prints = f"; fingerprints of {len(data.fingerprints)} scans (--json)" if data.fingerprints else ""
        yield f"{data.what}: {data.cases} cases{', phantoms' if data.phantom else ''}; licence: {data.licence}{prints}"
        yield data.credit
    if not card.training_data:
        yield "not stated"


def _range(known: TrainingRange | None) -> Iterator[str]:
    """What the scans were like that it learnt from; others are warned of or asked about."""
    if known is None:
        yield "not measured: no scan is warned of for lying beyond it"
        return
    sizes = (("pixels", known.pixel_mm), ("slices", known.slice_mm), ("height", known.height_mm), ("width", known.width_mm))
    told = ", ".join(f"{name} {_span(span)} mm{' apart' if name == 'slices' else ''}" for name, span in sizes if span)
    single = f", single slices with {_span(known.body_mm2, 0.01)} cm2 of body" if known.body_mm2 else ""
    air = f"{_span(known.air, 100)} % of a slice is air"
    yield f"of {known.cases} scans or single slices: {told or 'sizes not known'}; {air}{single}"
    greys = (("dark", known.dark), ("middle", known.middle), ("bright", known.bright))
    places = ", ".join(f"{name} {_span((50 * (span[0] + 1), 50 * (span[1] + 1)))} %" for name, span in greys)
    yield f"greys in the body (5th, 50th, 95th percentile) lie at {places} of the scale"


def _span(span: tuple[float, float], times: float = 1.0) -> str:
    low, high = (f"{value * times:.3g}" for value in span)
    return low if low == high else f"{low} to {high}"


def _recipe(card: ModelCard) -> Iterator[str]:
    recipe = card.recipe
    spacing = f"{recipe.spacing_mm:g} mm pixels" if recipe.spacing_mm else "the scan's own pixels"
    size = " x ".join(map(str, recipe.size)) if recipe.size else f"padded to multiples of {recipe.multiple}"
    planes = "axial, coronal and sagittal, fused" if recipe.planes == "three" else recipe.orientation
    yield f"{planes}, {spacing}, {size}{', the body alone' if recipe.only_body else ''}"
    if recipe.field_mm is not None:
        rows, columns = recipe.field_mm
        yield f"about {columns:.0f} x {rows:.0f} mm wide; of clearly wider ones as much about the body"
    ends = {card.direction.source.modality, card.direction.target.modality}
    for label, step in (("CT", recipe.ct), ("MR", recipe.mr)):
        if label in ends:
            yield f"{label}: {_scaling(step)}"
    if recipe.bias_field is not None:
        yield f"MR: bias field corrected first (N4: {_pairs(recipe.bias_field.model_dump())})"


def _scaling(step: BaseModel) -> str:
    """How values become what the network is shown, in words."""
    told = step.model_dump()
    match told.pop("kind"):
        case "hu_range":
            return f"{told['low']:g} to {told['high']:g} HU, evenly"
        case "hu_curve":
            soft = f"{100 * told['share']:.0f} % of it for {told['soft_low']:g} to {told['soft_high']:g} HU"
            return f"{told['low']:g} to {told['high']:g} HU, {soft}"
        case "percentile_range":
            span = f"{told['low']:g}th to {told['high']:g}th percentile of the body"
            return f"{span}; the answer goes from 0 to {told['nominal_high']:g}"
        case "nyul" | "histogram" as kind:
            words = "landmarks of Nyul and Udupa" if kind == "nyul" else "a histogram"
            span = f"{told['low']:g}th to {told['high']:g}th percentile of the body onto {words} learnt from the training data"
            return f"{span}; the answer goes from 0 to {told['nominal_high']:g}"
        case "interior":
            span = f"0 to {told['reach']:g} times the median of what lies {told['depth_mm']:g} mm deep in the body"
            return f"{span}; the answer goes from 0 to {told['nominal_high']:g}"
        case kind:
            return f"{kind.replace('_', ' ')}, {_pairs(told)}".rstrip(", ")


def _pairs(values: Mapping[str, Any]) -> str:
    shown = {name: f"{value:.4g}" if isinstance(value, float) else value for name, value in values.items()}
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in shown.items() if value != "")


def _megabytes(path: Path) -> str:
    return f"{path.stat().st_size / 1e6:.1f} MB"
