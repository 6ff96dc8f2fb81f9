"""The whole state of a run in one file, written atomically and checked on the way in. No pickle.

A safetensors file: the tensors, and in its header a JSON tree of everything else that refers to them, with a SHA-256 over
both. A damaged or truncated file is refused; the file under the name is always a whole one.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from torch import Tensor

from ctmri_core.errors import FileRefused
from ctmri_core.tensor_file import raw_bytes, write_tensors

FORMAT = "ctmri-checkpoint-1"


def save_checkpoint(path: Path, state: Any) -> None:
    """Writes nested dicts, lists and tuples of tensors, numbers, strings and None. Raises `WriteFailed` on a full disk."""
    tensors: dict[str, Tensor] = {}
    tree = json.dumps(_pack(state, tensors))
    metadata = {"format": FORMAT, "tree": tree, "sha256": _digest(tree, tensors)}
    write_tensors(path, tensors, metadata)


def load_checkpoint(path: Path) -> Any:
    """What `save_checkpoint` wrote, tensors on the CPU. Raises `FileRefused` when it is missing, damaged or not ours."""
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # not a dict
    except (SafetensorError, OSError) as error:
        way_out = "Start a new run, or choose another checkpoint."
        raise FileRefused(path, f"the checkpoint cannot be read ({error}).", way_out) from error
    if metadata.get("format") != FORMAT:
        raise FileRefused(path, "this is no checkpoint of this program.", "Choose the run folder that holds one.")
    tree = metadata.get("tree", "")
    if metadata.get("sha256") != _digest(tree, tensors):
        raise FileRefused(path, "the checkpoint is damaged: its checksum does not fit.", "Choose another checkpoint.")
    return _unpack(json.loads(tree), tensors)


def _pack(value: Any, tensors: dict[str, Tensor]) -> Any:
    if isinstance(value, Tensor):
        name = str(len(tensors))
        tensors[name] = value.detach().to("cpu").contiguous()
        return {"tensor": name}
    if isinstance(value, dict):
        return {"dict": [[key, _pack(item, tensors)] for key, item in value.items()]}
    if isinstance(value, list | tuple):
        return {type(value).__name__: [_pack(item, tensors) for item in value]}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"a checkpoint cannot hold a {type(value).__name__}")


def _unpack(value: Any, tensors: dict[str, Tensor]) -> Any:
    if not isinstance(value, dict):
        return value
    [(kind, content)] = value.items()
    if kind == "tensor":
        return tensors[content]
    if kind == "dict":
        return {key: _unpack(item, tensors) for key, item in content}
    items = [_unpack(item, tensors) for item in content]
    return tuple(items) if kind == "tuple" else items


def _digest(tree: str, tensors: dict[str, Tensor]) -> str:
    digest = hashlib.sha256(tree.encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(raw_bytes(tensor))
    return digest.hexdigest()
