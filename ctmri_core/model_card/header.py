"""The header of a model file, read without loading torch or a single weight.

A model is one `.safetensors` file: 8 bytes header length, a JSON header (tensor names, types, places, metadata), the
tensors. The card is the metadata entry `ctmri_card`. Everything in the header is hostile until checked.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from pydantic import ValidationError

from ctmri_core.errors import ModelRefused, printable
from ctmri_core.model_card.card import ModelCard

CARD_KEY = "ctmri_card"
SUFFIX = ".safetensors"
LARGEST_HEADER = 10 * 2**20
_DTYPE_BYTES = {"F32": 4, "F16": 2, "BF16": 2, "I64": 8, "U8": 1}
_DAMAGED = "it is not a readable .safetensors model file; it may be damaged. Copy or download it again."
_FOREIGN = {
    b"PK\x03\x04": "a PyTorch checkpoint (a zip with pickled objects), which could run code when opened",
    b"\x80": "a pickle, which could run code when opened",
    b"\x89HDF": "a Keras or HDF5 file",
}


@dataclass(frozen=True)
class TensorEntry:
    """Where a tensor lies: `begin` to `end` are bytes from the start of the file."""

    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


@dataclass(frozen=True)
class ModelHeader:
    """The card and the table of tensors, in the order they lie in the file."""

    card: ModelCard
    tensors: dict[str, TensorEntry]
    data_begin: int


def read_card(path: str | Path) -> ModelCard:
    """The card of a model file. Raises `ModelRefused` with what is wrong; reads at most the header."""
    return read_header(path).card


def read_header(path: str | Path) -> ModelHeader:
    """Card and tensor table, every number checked against the file's length. Raises `ModelRefused`."""
    path = Path(path)
    header, data_begin, size = _parse(path)
    metadata = header.pop("__metadata__", None)
    if not isinstance(metadata, dict) or not isinstance(metadata.get(CARD_KEY), str):
        _refuse(path, "it holds weights but no model card of this program. Export it from the program that trained it.")
    tensors = _tensor_table(path, header, data_begin, size)
    try:
        card = ModelCard.model_validate_json(metadata[CARD_KEY])
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "card"
        _refuse(path, f"its card is not valid: {_short(field)}: {_short(first['msg'])}. A newer program may have written it.")
    return ModelHeader(card, tensors, data_begin)


def _parse(path: Path) -> tuple[dict[str, Any], int, int]:
    """(header, where the tensors begin, file size)."""
    try:
        if not path.is_file():
            _refuse(path, "there is no such file." if not path.exists() else "it is not a file.")
        size = path.stat().st_size
        with path.open("rb") as handle:
            start = handle.read(8)
            length = int.from_bytes(start, "little")
            if size < 8 or not 2 <= length <= min(LARGEST_HEADER, size - 8):
                _refuse_foreign(path, start)
            text = handle.read(length)
    except OSError as error:
        _refuse(path, f"it cannot be read: {error.strerror}.")
    try:
        header = json.loads(text.decode("utf-8"), parse_constant=_not_finite, object_pairs_hook=_without_duplicates)
    except (ValueError, RecursionError):
        _refuse(path, _DAMAGED)
    if not isinstance(header, dict):
        _refuse(path, _DAMAGED)
    return header, 8 + length, size


def _tensor_table(path: Path, header: dict[str, Any], data_begin: int, size: int) -> dict[str, TensorEntry]:
    tensors = {name: _tensor_entry(path, name, entry, data_begin) for name, entry in header.items()}
    tensors = dict(sorted(tensors.items(), key=lambda item: (item[1].begin, item[1].end)))
    position = data_begin
    for name, entry in tensors.items():
        if entry.begin != position:
            _refuse(path, f"the place of tensor {_short(name)!r} does not follow the one before it; the file is damaged.")
        position = entry.end
    if position != size:
        state = "cut short" if position > size else "longer than its header says"
        _refuse(path, f"it is {state} ({size} bytes instead of {position}). Copy or download it again.")
    return tensors


def _tensor_entry(path: Path, name: str, entry: Any, data_begin: int) -> TensorEntry:
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        _refuse(path, f"the header entry of tensor {_short(name)!r} is malformed.")
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in _DTYPE_BYTES:
        _refuse(path, f"tensor {_short(name)!r} has the type {_short(dtype)!r}; allowed are {', '.join(_DTYPE_BYTES)}.")
    if not _whole_numbers(shape) or len(shape) > 8 or not _whole_numbers(offsets) or len(offsets) != 2:
        _refuse(path, f"shape or place of tensor {_short(name)!r} is malformed.")
    if offsets[1] - offsets[0] != math.prod(shape) * _DTYPE_BYTES[dtype]:
        _refuse(path, f"the shape {shape} of tensor {_short(name)!r} does not fit its {offsets[1] - offsets[0]} bytes.")
    return TensorEntry(dtype, tuple(shape), data_begin + offsets[0], data_begin + offsets[1])


def _whole_numbers(value: Any) -> bool:
    return isinstance(value, list) and all(type(n) is int and 0 <= n < 2**48 for n in value)


def _short(text: Any) -> str:
    """A name out of a hostile file, fit for a message."""
    return printable(str(text) if len(str(text)) <= 120 else f"{str(text)[:120]}...")


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a name occurs twice")
    return result


def _not_finite(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON number")


def _refuse_foreign(path: Path, start: bytes) -> NoReturn:
    kind = next((name for magic, name in _FOREIGN.items() if start.startswith(magic)), None)
    if kind:
        _refuse(path, f"it is {kind}. Only .safetensors model files of this program are opened.")
    _refuse(path, _DAMAGED)


def _refuse(path: Path, problem: str) -> NoReturn:
    raise ModelRefused(f"{path.name}: {problem}")
