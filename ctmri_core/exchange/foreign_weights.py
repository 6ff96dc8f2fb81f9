"""The only place where `torch.load` is called: weights of a checkpoint that was looked through before."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ctmri_core.errors import ModelRefused, OutOfMemory, shown_name
from ctmri_core.exchange.inert_pickle import StoredTensor
from ctmri_core.memory import is_out_of_memory

Place = tuple[Any, ...]
"""Keys from the outermost container of a checkpoint to a tensor."""


def read_weights(path: Path, wanted: Mapping[str, tuple[Place, StoredTensor]]) -> dict[str, Tensor]:
    """The tensors `wanted` by name, contiguous, on the processor. `wanted` must come from `checkpoint_file.contents` of `path`.

    Raises `ModelRefused` where the file no longer holds what was described, `OutOfMemory`.
    """
    try:
        tree = torch.load(path, map_location="cpu", weights_only=True, mmap=False)
    except (pickle.UnpicklingError, ValueError, TypeError, KeyError, EOFError, AttributeError) as error:
        raise ModelRefused(f"{shown_name(path)}: PyTorch cannot read its weights; it may be damaged. Get it again.") from error
    except OSError as error:
        raise ModelRefused(f"{shown_name(path)}: it cannot be read: {error.strerror or 'it is damaged'}.") from error
    except (RuntimeError, MemoryError) as error:
        if is_out_of_memory(error):
            raise OutOfMemory(f"{shown_name(path)} does not fit the memory. Close other programs.") from error
        raise ModelRefused(f"{shown_name(path)}: PyTorch cannot read its weights; it may be damaged. Get it again.") from error
    return {name: _found(path, tree, place, stored) for name, (place, stored) in wanted.items()}


def _found(path: Path, tree: Any, place: Place, stored: StoredTensor) -> Tensor:
    for key in place:
        tree = tree[key]
    if not isinstance(tree, Tensor) or tuple(tree.shape) != stored.shape or str(tree.dtype) != f"torch.{stored.storage.type}":
        raise ModelRefused(f"{shown_name(path)}: it was changed while it was read. Add it again.")
    return tree.detach().contiguous()
