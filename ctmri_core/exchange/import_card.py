"""What a person says of a model that does not say it itself: the card by hand, and the questions that lead to it."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ctmri_core.domain import Domain
from ctmri_core.errors import ModelRefused, shown_name
from ctmri_core.imported.card import Channels, Output, Statistics
from ctmri_core.model_card import TrainingData
from ctmri_core.model_card.card import DirectionField, Line, Text
from ctmri_core.preprocess.recipe import Recipe

_LARGEST = 1 << 20
SUFFIXES = (".json", ".toml")
Range = tuple[Annotated[float, Field(ge=-1e6, le=1e6)], Annotated[float, Field(ge=-1e6, le=1e6)]]


class ImportCard(BaseModel):
    """`part`: which of several networks in the file; `wanted`: the place of the target among a StarGAN's domains, from 0, in the
    order of training; `input_range`, `output_range`: the network's own values for the two ends of the recipe's scale."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: Line | None = None
    direction: DirectionField
    body_region: Line
    licence: Line
    recipe: Recipe
    part: Annotated[str, Field(max_length=200)] = ""
    channels: Channels | None = None
    output: Output | None = None
    statistics: Statistics | None = None
    wanted: Annotated[int, Field(ge=0, le=63)] | None = None
    input_range: Range = (-1.0, 1.0)
    output_range: Range = (-1.0, 1.0)
    training_data: Annotated[tuple[TrainingData, ...], Field(max_length=100)] = ()
    intended_use: Text = ""
    limitations: Text = ""


@dataclass(frozen=True)
class Question:
    """`field` of `ImportCard`, dotted within `recipe`; `asks` in words; `choices`: (value, meaning), where there are few;
    `suggested`: what such models usually need, None where nobody can know."""

    field: str
    asks: str
    choices: tuple[tuple[str, str], ...] = ()
    suggested: Any = None


GENERAL = (
    Question("direction", "from which kind of scan to which, as ct_to_mr_t1"),
    Question("body_region", "the part of the body it was made for, as head"),
    Question("licence", "under which licence its weights are"),
    Question("recipe.spacing_mm", "the size in mm of the pixels it was trained on; null: the scan's own"),
)
SCALINGS = {
    "CT": Question("recipe.ct", 'how CT values were scaled for it, as {"kind": "hu_range", "low": -1000, "high": 1000}'),
    "MR": Question(
        "recipe.mr", 'how MR values were scaled for it, as {"kind": "min_max"}; or "percentile_range", "z_score", "contrast",'
        ' "window", "interior"; "nyul" and "histogram" with their landmarks ("standard")',
    ),
}


def read_card_file(path: Path) -> dict[str, Any]:
    """The table in a JSON or TOML file. Raises `ModelRefused` where it is none."""
    name = shown_name(path)
    try:
        if path.stat().st_size > _LARGEST:
            raise ModelRefused(f"{name}: a card has some lines; this file is far larger.")
        text = path.read_bytes().decode("utf-8-sig")
        table = tomllib.loads(text) if path.suffix.lower() == ".toml" else json.loads(text)
    except OSError as error:
        raise ModelRefused(f"{name}: it cannot be read: {error.strerror or 'the disk gives no reason'}.") from error
    except (ValueError, RecursionError) as error:
        raise ModelRefused(f"{name}: it is no readable card: JSON, or TOML in a file that ends in .toml.") from error
    if not isinstance(table, dict):
        raise ModelRefused(f"{name}: a card is a table of fields.")
    return table


def card_beside(path: Path) -> Path | None:
    """The card that lies beside a model file and is named like it, `model.onnx.json` or `model.toml`."""
    beside = (Path(f"{stem}{suffix}") for stem in (path, path.with_suffix("")) for suffix in SUFFIXES)
    return next((each for each in beside if each.is_file()), None)


def completed(name: str, table: Mapping[str, Any], questions: tuple[Question, ...]) -> ImportCard:
    """The card in `table`. Raises `ModelRefused` telling all that is missing of `name`, or the first field that is wrong."""
    missing = [question for question in questions if not _answered(table, question.field)]
    if missing:
        raise ModelRefused("\n".join((f"{name}: this has to be known of it, in a card:", *map(told, missing))))
    try:
        card = ImportCard.model_validate(table)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise ModelRefused(f"{name}: its card is not valid: {field}: {first['msg']}.") from error
    unsaid = [SCALINGS[modality] for modality in _modalities(card) if not _answered(table, SCALINGS[modality].field)]
    if unsaid:
        raise ModelRefused("\n".join((f"{name}: this has to be known of it, in a card:", *map(told, unsaid))))
    return card


def told(question: Question) -> str:
    """A line of a list."""
    choices = f" ({'; '.join(f'{value}: {meaning}' for value, meaning in question.choices)})" if question.choices else ""
    usual = f"; usual: {json.dumps(question.suggested)}" if question.suggested is not None else ""
    return f"  {question.field}: {question.asks}{choices}{usual}"


def _modalities(card: ImportCard) -> list[str]:
    """CT and MR as far as the model has to do with them. Raises `ModelRefused` for a direction that is none."""
    ends = (card.direction.source, card.direction.target)
    if Domain.UNKNOWN in ends or ends[0] is ends[1]:
        raise ModelRefused(f"{card.direction} is no direction: name two different kinds of scan.")
    return sorted({end.modality for end in ends})


def _answered(table: Mapping[str, Any], field: str) -> bool:
    value: Any = table
    for part in field.split("."):
        if not isinstance(value, Mapping) or part not in value:
            return False
        value = value[part]
    return True
