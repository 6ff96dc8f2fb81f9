"""Tensors written one by one are those that the safetensors library reads."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file

from ctmri_core.tensor_file import write_tensors


def test_the_library_reads_what_was_written(tmp_path: Path):
    torch.manual_seed(0)
    whole = torch.rand(4, 5, 6)
    tensors = {
        "flags": torch.tensor([True, False, True]), "counts": torch.arange(7), "bytes": torch.arange(5, dtype=torch.uint8),
        "half": whole.half(), "brain": whole.bfloat16(), "turned": whole.permute(2, 0, 1), "none": torch.empty(0, 3),
        "one": torch.tensor(0.1, dtype=torch.float64), "grad": torch.nn.Parameter(whole), "last": whole.contiguous(),
        "int32": torch.arange(3, dtype=torch.int32), "int16": torch.arange(3, dtype=torch.int16),
        "int8": torch.arange(3, dtype=torch.int8),
    }  # fmt: skip
    path = tmp_path / "a.safetensors"
    write_tensors(path, tensors, {"said": "ü → \u2028 \n"})
    back = load_file(path)
    assert back.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert back[name].dtype == tensor.dtype and torch.equal(back[name], tensor.detach()), name
    with safe_open(path, framework="pt") as file:
        assert file.metadata() == {"said": "ü → \u2028 \n"}
    write_tensors(path, {}, {})
    assert load_file(path) == {}


def test_no_second_copy_is_made(tmp_path: Path):
    """The library's own writer holds the whole file twice."""
    tensors = {str(n): torch.zeros(500_000) for n in range(4)}
    tracemalloc.start()
    write_tensors(tmp_path / "a.safetensors", tensors, {})
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 200_000
