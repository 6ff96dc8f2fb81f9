"""Tells too little memory from other failures."""

from __future__ import annotations

import torch

_WORDS = ("allocate memory", "not enough memory", "could not create a memory", "could not create a primitive", "out of memory")
"""How torch and oneDNN tell of it where they have no exception of their own (measured with a limited address space)."""


def is_out_of_memory(error: RuntimeError | MemoryError) -> bool:
    """Whether `error` means that the device, or the machine, has no memory left."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return any(words in str(error) for words in _WORDS)
