"""Models for other programs: ONNX, with the recipe in its metadata and in a card beside it that imports it again."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ctmri_core.errors import CtmriError, ModelRefused, WriteFailed
from ctmri_core.events import Noted, Progress, StopSignal, Work, never
from ctmri_core.exchange.found_model import IMPORT_KEY
from ctmri_core.exchange.import_card import ImportCard
from ctmri_core.exchange.onnx_graph import with_metadata
from ctmri_core.files import write_bytes, write_text
from ctmri_core.imported.card import IMPORTED, ImportedConfig
from ctmri_core.imported.onnx_network import OnnxNetwork
from ctmri_core.model_card import CARD_KEY, ModelCard
from ctmri_core.model_file import load_model
from ctmri_core.registry import validated_config

_SIDE = 64
_TOLERANCE = 1e-3
"""Of the output's range of 2: what a picture may differ that the exported model makes, on average."""


def export_onnx(model: Path, target: Path, *, overwrite: bool = False, stop: StopSignal = never) -> Work[Path | None]:
    """Writes `target` and, beside it, its card `target`.json; None when stopped.

    One slice at a time, (1, context, h, w) float32 in [-1, 1] -> (1, 1, h, w); h and w of any multiple that the network takes,
    unless the recipe fixes them. How a scan becomes such slices and what the answer means stands in the recipe. The written
    network is run once and compared. Raises `ModelRefused`, `WriteFailed`, `CtmriError` where the packages for it are missing.
    """
    beside = target.with_name(f"{target.name}.json")
    for each in (target, beside):
        if each.exists() and not overwrite:
            raise WriteFailed(f"{each.name} exists already. Choose another name, or say --overwrite.")
    yield Progress(done=0, message="loading the model")
    loaded = load_model(model)
    yield Progress(done=0, message="writing the network down")
    content = _written_down(loaded.generator, loaded.card)
    if stop():
        return None
    yield Progress(done=0, message="comparing")
    difference = _difference(loaded.generator, loaded.card, content)
    if difference > _TOLERANCE:
        raise ModelRefused(f"{loaded.card.name} cannot be exported: its ONNX model answers otherwise, by {difference:.2g} of 2.")
    if stop():
        return None
    card = _card_by_hand(loaded.card)
    write_bytes(target, with_metadata(content, {CARD_KEY: loaded.card.model_dump_json(), IMPORT_KEY: json.dumps(card)}))
    write_text(beside, json.dumps(card, indent=2) + "\n")
    yield Noted(message=f"Its pictures differ by {difference:.1g} of 2 on average from those of the model itself.")
    return target


def _card_by_hand(card: ModelCard) -> dict[str, Any]:
    """What has to be known to use the exported model: an `ImportCard`."""
    licence = card.origin.licence if card.origin else ", ".join(dict.fromkeys(data.licence for data in card.training_data))
    config = validated_config(card)
    told: dict[str, Any] = {
        "name": card.name[:110] + " (ONNX)", "direction": card.direction, "body_region": card.body_region,
        "licence": licence[:120] or "not stated", "recipe": card.recipe, "training_data": card.training_data,
        "intended_use": card.intended_use, "limitations": card.limitations,
    }  # fmt: skip
    if config.context > 1:
        told["channels"] = "neighbours"
    stored = ImportCard(**told).model_dump(mode="json", exclude_none=True)
    return {**stored, "recipe": card.recipe.model_dump(mode="json")}  # with its nulls: they say "the scan's own"


def _written_down(generator: nn.Module, card: ModelCard) -> bytes:
    inner = _onnx_inside(generator, card)
    if inner is not None:
        return bytes(inner.content.numpy().tobytes())
    config = validated_config(card)
    if getattr(config, "statistics", "training") == "picture" or getattr(config, "faithful", False):
        raise ModelRefused(f"{card.name} translates by each picture's own statistics, with dropout: ONNX has no such model.")
    example, moving = _example(card)
    try:
        import onnx  # noqa: F401  # torch needs both, and says so in its own way
        import onnxscript  # noqa: F401  # as above
    except ImportError as error:
        raise CtmriError("Writing ONNX models needs the packages onnx and onnxscript, which are not installed here.") from error
    with _quiet():
        program = torch.onnx.export(
            generator, (example,), dynamo=True, verbose=False, input_names=["slice"], output_names=["translated"],
            dynamic_shapes=({2: moving[0], 3: moving[1]},) if moving else None,
        )  # fmt: skip
        assert program is not None
        for node in program.model.graph.all_nodes():
            node.metadata_props.clear()  # lines of our sources, with the folders of this machine
        content: bytes = program.model_proto.SerializeToString()
    return content


def _example(card: ModelCard) -> tuple[torch.Tensor, tuple[Any, Any] | None]:
    """A picture as the network takes it, and which of its sizes may be others."""
    config = validated_config(card)
    if card.recipe.size is not None:
        return torch.rand(1, config.context, *card.recipe.size) * 2 - 1, None
    multiple = config.size_multiple
    count = -(-_SIDE // multiple) + 1
    picture = torch.rand(1, config.context, count * multiple, (count + 1) * multiple) * 2 - 1
    rows, columns = (torch.export.Dim(name, min=2, max=2048 // multiple) for name in ("rows", "columns"))
    return picture, (multiple * rows, multiple * columns)


def _difference(generator: nn.Module, card: ModelCard, content: bytes) -> float:
    """Mean absolute difference of the written network's picture, of a size that it was not written with."""
    inner = _onnx_inside(generator, card)
    if inner is not None:
        return 0.0
    example, moving = _example(card)
    picture = example.transpose(2, 3).contiguous() if moving else example
    network = OnnxNetwork(len(content))
    network.content = torch.frombuffer(bytearray(content), dtype=torch.uint8)
    with torch.inference_mode():
        return float((network(picture) - generator(picture)).abs().mean())


def _onnx_inside(generator: nn.Module, card: ModelCard) -> OnnxNetwork | None:
    """The ONNX model that an imported one is, where nothing is around it."""
    config = validated_config(card)
    if card.method != IMPORTED or not isinstance(config, ImportedConfig) or config.layout != "onnx":
        return None
    plain = (config.input_low, config.input_high, config.output_low, config.output_high) == (-1, 1, -1, 1)
    if not plain or config.out_channels > 1 or (config.in_channels > 1 and config.channels == "copies"):
        raise ModelRefused(f"{card.name} is an ONNX model already; export is for others. Use the file that it was made of.")
    inner = getattr(generator, "network", None)
    assert isinstance(inner, OnnxNetwork)
    return inner


@contextmanager
def _quiet() -> Iterator[None]:
    """The exporter warns of its own inner life."""
    logger = logging.getLogger("torch.onnx")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(before)
