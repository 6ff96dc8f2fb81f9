"""Writing `.safetensors` files tensor by tensor.

The library of that name first builds the whole file in memory, twice, and aborts where there is no room for it; a checkpoint is
large, and is written when memory is short.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from ctmri_core.files import atomic_file

_NAMES = {
    torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.int64: "I64",
    torch.int32: "I32", torch.int16: "I16", torch.int8: "I8", torch.uint8: "U8", torch.bool: "BOOL",
}  # fmt: skip
_ALIGNED = 8


def write_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> None:
    """Atomically; tensors on the CPU, none but the table of them in memory twice. Raises `WriteFailed`."""
    ordered = in_file_order(tensors)
    table: dict[str, object] = {"__metadata__": dict(metadata)}
    end = 0
    for name, tensor in ordered.items():
        begin, end = end, end + tensor.numel() * tensor.element_size()
        table[name] = {"dtype": type_name(tensor), "shape": list(tensor.shape), "data_offsets": [begin, end]}
    header = json.dumps(table).encode()
    header += b" " * (-len(header) % _ALIGNED)
    with atomic_file(path) as temporary, temporary.open("wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        for tensor in ordered.values():
            file.write(raw_bytes(tensor))


def in_file_order(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Large elements first, so that each tensor begins at a multiple of its element's size; else as given."""
    return dict(sorted(tensors.items(), key=lambda item: -item[1].element_size()))


def type_name(tensor: Tensor) -> str:
    """What the header of a `.safetensors` file calls the type of its elements."""
    return _NAMES[tensor.dtype]


def raw_bytes(tensor: Tensor) -> memoryview:
    """The elements of a tensor on the CPU in order; a view of them where they lie in order."""
    content: memoryview = tensor.detach().contiguous().reshape(-1).view(torch.uint8).numpy().data
    return content
