"""A model of another program becomes a model file of this one: weights by our names, a card, and where it came from."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ctmri_core import __version__
from ctmri_core.errors import ModelRefused, printable, shown_name
from ctmri_core.events import Progress, StopSignal, Work, never
from ctmri_core.exchange.foreign_weights import read_weights
from ctmri_core.exchange.found_model import FoundModel, config_of, look
from ctmri_core.exchange.import_card import ImportCard
from ctmri_core.imported.card import IMPORTED, ImportedConfig
from ctmri_core.model_card import ModelCard, Origin, read_card
from ctmri_core.model_file import save_model
from ctmri_core.preprocess.recipe import Recipe
from ctmri_core.registry import build_generator

_PROOF_SIDE = 64
_WRAPPED = "network."
_LONGEST_NAME = 100


@dataclass(frozen=True)
class _Ready:
    card: ModelCard
    config: ImportedConfig
    weights: dict[str, Tensor]


def import_model(path: Path, table: Mapping[str, Any], folder: Path, *, stop: StopSignal = never) -> Work[Path | None]:
    """The model file in `folder` that was made of the one at `path` and of what `table` (an `ImportCard`) says of it.

    None when stopped. Raises `ModelRefused` where file or card cannot be used, or the network does not answer; `WriteFailed`,
    `OutOfMemory`. A model that is there already is not written again.
    """
    yield Progress(done=0, message=f"looking into {shown_name(path)}")
    found = look(path)
    by_hand = found.completed(table)
    if stop():
        return None
    yield Progress(done=0, message="reading the weights")
    ready = _ready(found, by_hand)
    if stop():
        return None
    yield Progress(done=0, message="trying it")
    _prove(ready)
    if stop():
        return None
    yield Progress(done=0, message="writing the model file")
    return _written(ready, folder)


def _ready(found: FoundModel, by_hand: ImportCard) -> _Ready:
    name = shown_name(found.path)
    try:
        config = config_of(found, by_hand)
    except ValueError as error:
        raise ModelRefused(f"{name}: {_first_line(error)}") from error
    if found.onnx is not None:
        title, weights = found.title, {"content": _bytes(found.path)}
    else:
        network = found.network(by_hand)
        title = network.layout.title
        weights = read_weights(found.path, network.weights)
        weights |= {added: torch.zeros((), dtype=torch.int64) for added in network.added}
        if "target" in network.layout.supplied:
            weights["target"] = torch.eye(config.domains)[config.wanted][None]
    told = by_hand.name or printable(found.path.stem)[:_LONGEST_NAME]
    changed = (*(() if found.onnx is not None else found.network(by_hand).changed), *_decided(config))
    origin = Origin(file=name[:_LONGEST_NAME], sha256=found.sha256, layout=title, licence=by_hand.licence, changed=changed)
    card = ModelCard(
        name=told, method=IMPORTED, config=config.model_dump(mode="json", exclude_unset=True), direction=by_hand.direction,
        recipe=_fitting(found, by_hand.recipe, config), body_region=by_hand.body_region,
        training_data=by_hand.training_data, intended_use=by_hand.intended_use,
        limitations=by_hand.limitations, origin=origin, created=datetime.now(UTC), program_version=__version__,
    )  # fmt: skip
    return _Ready(card, config, {f"{_WRAPPED}{own}": tensor for own, tensor in weights.items()})


def _fitting(found: FoundModel, recipe: Recipe, config: ImportedConfig) -> Recipe:
    """`recipe` with the sizes that the network is known to need, where the card does not say."""
    if found.onnx is not None and None not in found.onnx.picture.shape[2:]:
        rows, columns = (int(n or 0) for n in found.onnx.picture.shape[2:])
        if recipe.size not in (None, (rows, columns)):
            raise ModelRefused(f"{shown_name(found.path)}: recipe.size must be {[rows, columns]}, the one size that it takes.")
        return Recipe.model_validate({**recipe.model_dump(), "size": (rows, columns), "multiple": 1})
    if "multiple" in recipe.model_fields_set or config.size_multiple == 1:
        return recipe
    return recipe.model_copy(update={"multiple": math.lcm(recipe.multiple, config.size_multiple)})


def _decided(config: ImportedConfig) -> list[str]:
    """What the answers made of it, for the record."""
    said = []
    if config.in_channels > 1:
        what = "the slice is repeated in all" if config.channels == "copies" else "they hold neighbouring slices"
        said.append(f"{config.in_channels} input channels: {what}.")
    if config.out_channels > 1:
        which = {"mean": "their mean", "first": "the first", "middle": "the middle one"}[config.output]
        said.append(f"{config.out_channels} answers: {which} is the picture.")
    if config.norm == "batch" or config.dropout:
        training = config.statistics == "training"
        how = "of training, without dropout" if training else "of each picture, with dropout as in training"
        said.append(f"It translates by the statistics {how}.")
    return said


def _prove(ready: _Ready) -> None:
    """The network takes its weights and answers a picture. Raises `ModelRefused` where it does not."""
    with torch.device("meta"):
        generator = build_generator(ready.card)
    generator.load_state_dict({name: _plain(tensor) for name, tensor in ready.weights.items()}, assign=True)
    multiple = ready.config.size_multiple
    side = -(-_PROOF_SIDE // multiple) * multiple
    size = ready.card.recipe.size or (side, side)
    picture = torch.linspace(-1, 1, size[0] * size[1]).reshape(1, 1, *size).repeat(1, ready.config.context, 1, 1)
    with torch.inference_mode():
        answer = generator.eval()(picture)
    if tuple(answer.shape) != (1, 1, *size) or not bool(torch.isfinite(answer).all()):
        raise ModelRefused(f"{ready.card.name}: its network answers with what is no picture. Get the file again, or another.")


def _plain(tensor: Tensor) -> Tensor:
    return tensor.float() if tensor.is_floating_point() else tensor


def _written(ready: _Ready, folder: Path) -> Path:
    stem = re.sub(r"[^\w.-]+", "-", ready.card.name).strip("-.") or "model"
    target = folder / f"{stem}.safetensors"
    if target.exists():
        if _same(target, ready.card):
            return target
        assert ready.card.origin is not None
        target = folder / f"{stem}-{ready.card.origin.sha256[:12]}-{ready.card.direction}.safetensors"
    save_model(target, ready.weights, ready.card)
    return target


def _same(target: Path, card: ModelCard) -> bool:
    """Whether the file holds the same model with the same card."""
    try:
        there = read_card(target)
    except ModelRefused:
        return False
    other = {"weights_sha256", "created", "program_version"}
    return there.model_dump(exclude=other) == card.model_dump(exclude=other)


def _bytes(path: Path) -> Tensor:
    return torch.frombuffer(bytearray(path.read_bytes()), dtype=torch.uint8)


def _first_line(error: ValueError) -> str:
    errors = getattr(error, "errors", None)
    return str(errors()[0]["msg"]).removeprefix("Value error, ") + "." if errors else str(error)
