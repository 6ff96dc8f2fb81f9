"""A model is one file: weights and card in `.safetensors`, checked on the way in. No pickle is ever opened."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from ctmri_core.errors import ModelRefused, printable
from ctmri_core.model_card import CARD_KEY, ModelCard, ModelHeader, TensorEntry, read_header
from ctmri_core.registry import build_generator, validated_config
from ctmri_core.tensor_file import in_file_order, raw_bytes, type_name, write_tensors

StoredAs = Literal["float32", "float16", "bfloat16"]

_TORCH_TYPES = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16, "I64": torch.int64, "U8": torch.uint8}
_SMALL_TYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}


class LoadedModel(NamedTuple):
    """A generator in eval mode with float32 weights on the CPU, and its card."""

    generator: nn.Module
    card: ModelCard


def save_model(
    path: str | Path, state_dict: Mapping[str, Tensor], card: ModelCard, *, stored_as: StoredAs = "float32"
) -> ModelCard:
    """Writes weights and card atomically; returns the card with the hash of the weights filled in.

    `stored_as` applies to convolution kernels; biases and statistics stay float32.
    Raises `ModelRefused` when a weight is not finite, `WriteFailed` when the disk refuses.
    """
    tensors = {name: _stored(tensor, _SMALL_TYPES[stored_as]) for name, tensor in state_dict.items()}
    for name, tensor in tensors.items():
        if not bool(torch.isfinite(tensor).all()):
            raise ModelRefused(f"{Path(path).name}: the weights {name!r} hold values that are no numbers; nothing was saved.")
    tensors = in_file_order(tensors)
    table = ((name, type_name(tensor), tensor.shape) for name, tensor in tensors.items())
    digest = _digest(table, *map(raw_bytes, tensors.values()))
    complete = card.model_copy(update={"weights_sha256": digest})
    write_tensors(Path(path), tensors, {CARD_KEY: complete.model_dump_json()})
    return complete


def load_model(path: str | Path) -> LoadedModel:
    """The generator that a model file holds, and its card.

    The architecture is built from the validated config without memory, and names, shapes and sizes are compared with the
    file's header before a weight is read. Raises `ModelRefused` naming the file and what is wrong with it.
    """
    path = Path(path)
    header = read_header(path)
    try:
        with torch.device("meta"):
            generator = build_generator(header.card)
        _check_recipe(path, header.card)
    except ModelRefused as refusal:
        raise _of_file(path, refusal) from refusal
    _check_fit(path, header, generator.state_dict())
    weights = _read_weights(path, header)
    generator.load_state_dict(weights, assign=True)
    return LoadedModel(generator.eval().requires_grad_(False), header.card)


def _of_file(path: Path, refusal: ModelRefused) -> ModelRefused:
    """`refusal` of what a card says, which does not know the file; its words come out of the file, too."""
    words = printable(str(refusal))
    return ModelRefused(words if words.startswith(f"{path.name}: ") else f"{path.name}: {words}")


def _stored(tensor: Tensor, small: torch.dtype) -> Tensor:
    tensor = tensor.detach().cpu()
    if tensor.is_floating_point():
        tensor = tensor.to(small if tensor.ndim > 1 else torch.float32)
    return tensor.contiguous()


def _check_recipe(path: Path, card: ModelCard) -> None:
    """Whether every slice that the recipe prepares has a size that the network takes."""
    needed = validated_config(card).size_multiple
    sizes = {"multiple": [card.recipe.multiple]} if card.recipe.size is None else {"size": list(card.recipe.size)}
    for field, values in sizes.items():
        if any(value % needed for value in values):
            said = " x ".join(str(value) for value in values)
            raise ModelRefused(f"{path.name}: recipe.{field} is {said}, but its network takes multiples of {needed} only.")


def _check_fit(path: Path, header: ModelHeader, expected: Mapping[str, Tensor]) -> None:
    missing = [name for name in expected if name not in header.tensors]
    extra = [name for name in header.tensors if name not in expected]
    if missing or extra:
        kind, names = ("lacks", missing) if missing else ("holds the unknown", extra)
        raise ModelRefused(f"{path.name}: it {kind} tensor {names[0][:120]!r} ({len(names)} in all) for its architecture.")
    for name, tensor in expected.items():
        entry = header.tensors[name]
        if entry.shape != tuple(tensor.shape):
            raise ModelRefused(
                f"{path.name}: tensor {name!r} has the shape {list(entry.shape)}, the architecture needs {list(tensor.shape)}."
            )
        if tensor.is_floating_point() != _TORCH_TYPES[entry.dtype].is_floating_point:
            raise ModelRefused(f"{path.name}: tensor {name!r} has the type {entry.dtype}, the architecture needs {tensor.dtype}.")


def _read_weights(path: Path, header: ModelHeader) -> dict[str, Tensor]:
    """Reads the file once, so that what is hashed is what is used."""
    try:
        data = np.fromfile(path, np.uint8, offset=header.data_begin)
    except OSError as error:
        raise ModelRefused(f"{path.name}: it cannot be read: {error.strerror}.") from error
    digest = _digest(((name, entry.dtype, entry.shape) for name, entry in header.tensors.items()), data.data)
    if digest != header.card.weights_sha256:
        raise ModelRefused(f"{path.name}: the weights are not those its card was written for (wrong hash). Get the file again.")
    storage = torch.from_numpy(data)
    return {name: _tensor(path, name, entry, storage, header.data_begin) for name, entry in header.tensors.items()}


def _tensor(path: Path, name: str, entry: TensorEntry, storage: Tensor, data_begin: int) -> Tensor:
    own = storage[entry.begin - data_begin : entry.end - data_begin].clone()  # a place of its own is an aligned one
    tensor = own.view(_TORCH_TYPES[entry.dtype]).reshape(entry.shape)
    if not tensor.is_floating_point():
        return tensor
    if not bool(torch.isfinite(tensor).all()):
        raise ModelRefused(f"{path.name}: tensor {name!r} holds values that are no numbers. Get the file again.")
    return tensor.float()


def _digest(table: Iterable[tuple[str, str, Iterable[int]]], *data: memoryview) -> str:
    """SHA-256 over names, types and shapes in the order of the file, then over all weights."""
    digest = hashlib.sha256(json.dumps([[name, dtype, list(shape)] for name, dtype, shape in table]).encode())
    for part in data:
        digest.update(part)
    return digest.hexdigest()
