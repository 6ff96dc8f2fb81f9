"""Starting with weights that others trained on photographs, from a file of the user's. Nothing is ever fetched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from ctmri_core.domain import Direction
from ctmri_core.errors import ModelRefused, TrainingFailed, shown_name
from ctmri_core.events import Noted
from ctmri_core.exchange.checkpoint_file import contents
from ctmri_core.exchange.foreign_weights import Place, read_weights
from ctmri_core.exchange.inert_pickle import StoredTensor
from ctmri_core.method import Method, MethodConfig

_WRAPPERS = ("state_dict", "model", "model_state")
_GIVE_ANOTHER = "Give the plain weights of that encoder, as torchvision names them, or leave the file out."


def check_public_weights(config: MethodConfig) -> None:
    """Raises `TrainingFailed` where the file with weights that `config` names is not there."""
    if config.public_weights and not Path(config.public_weights).is_file():
        raise TrainingFailed(f"{shown_name(Path(config.public_weights))}: there is no such file of weights to start with.")


def start_with_public_weights(config: MethodConfig, method: Method[Any], direction: Direction) -> list[Noted]:
    """Puts the weights of the file that `config` names, if any, into the generator of `direction`, and says so.

    The generator's `take_public_weights` (name -> float32 tensor) says by `ValueError` what does not fit. Raises `ModelRefused`,
    `TrainingFailed`.
    """
    if not config.public_weights:
        return []
    check_public_weights(config)
    path = Path(config.public_weights)
    weights = _weights_in(path)
    try:
        taken = method.generator(direction).take_public_weights(weights)  # type: ignore[operator]  # nn.Module tells no type of it
    except ValueError as error:
        raise ModelRefused(f"{shown_name(path)}: {error} {_GIVE_ANOTHER}") from error
    return [Noted(message=f"The encoder starts with {taken} tensors of {shown_name(path)}.")]


def _weights_in(path: Path) -> dict[str, Tensor]:
    """The tensors of real numbers in a safetensors file or a PyTorch checkpoint, by name. Raises `ModelRefused`."""
    if path.suffix == ".safetensors":
        try:
            with safe_open(path, framework="pt") as file:
                found = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # no mapping
        except (SafetensorError, OSError, RuntimeError, ValueError) as error:
            raise ModelRefused(f"{shown_name(path)}: it is no safetensors file that can be read. {_GIVE_ANOTHER}") from error
    else:
        found = _of_checkpoint(path)
    weights = {name: tensor.float() for name, tensor in found.items() if tensor.is_floating_point()}
    if not all(bool(torch.isfinite(tensor).all()) for tensor in weights.values()):
        raise ModelRefused(f"{shown_name(path)}: it holds values that are no numbers. Get the file again.")
    return weights


def _of_checkpoint(path: Path) -> dict[str, Tensor]:
    tree: Any = contents(path)
    place: Place = ()
    for name in _WRAPPERS:
        if isinstance(tree, dict) and isinstance(tree.get(name), dict):
            tree, place = tree[name], (name,)
            break
    if not isinstance(tree, dict):
        raise ModelRefused(f"{shown_name(path)}: it holds no weights by name. {_GIVE_ANOTHER}")
    tensors = {name: stored for name, stored in tree.items() if isinstance(name, str) and isinstance(stored, StoredTensor)}
    wanted: dict[str, tuple[Place, StoredTensor]] = {name: ((*place, name), stored) for name, stored in tensors.items()}
    return read_weights(path, wanted)
