"""Networks that recognise things, with weights that others trained: from a file of the user, or through torchvision."""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from ctmri_core.errors import ModelRefused
from ctmri_core.networks.inception import InceptionFeatures
from ctmri_core.networks.vgg_features import VggFeatures

_COUNTER = "num_batches_tracked"
"""A number that only training needs, and that not every file holds."""


@dataclass(frozen=True, slots=True)
class PublicNetwork:
    """`build` makes it from the channels of its `first` tensor; its tensors begin with one of `prefixes`, from `first` to `last`
    as its public files name them; others, of classifiers, are left alone. `torchvision`: what it is called there."""

    title: str
    build: Callable[[int], nn.Module]
    first: str
    last: str
    prefixes: tuple[str, ...]
    torchvision: str


VGG_19 = PublicNetwork("VGG-19", VggFeatures, "features.0.weight", "features.34.bias", ("features.",), "vgg19")
INCEPTION_OF_FID = PublicNetwork(
    "Inception v3 of the FID", InceptionFeatures, "Conv2d_1a_3x3.conv.weight", "Mixed_7c.branch_pool.bn.running_var",
    ("Conv2d_", "Mixed_"), "",
)  # fmt: skip
INCEPTION = PublicNetwork(
    "Inception v3", lambda width: InceptionFeatures(width, of_fid=False), INCEPTION_OF_FID.first, INCEPTION_OF_FID.last,
    INCEPTION_OF_FID.prefixes, "inception_v3",
)  # fmt: skip


def network_from_file(public: PublicNetwork, path: Path, option: str = "") -> nn.Module:
    """With the weights of a safetensors file, in float32, for use, not training; the file may be gone tomorrow.

    The same layers in another width are taken, too. `option`: by which the file was given. Raises `ModelRefused` when it does not
    hold them.
    """
    if not path.is_file():
        raise ModelRefused(f"{option} {path.name}: there is no such file.".lstrip())
    try:
        with safe_open(path, framework="pt") as file:
            names = [name for name in file.keys() if _belongs(public, name)]  # noqa: SIM118  # no mapping
            weights = {name: file.get_tensor(name) for name in names}
        network = _filled(public, weights)
    except (SafetensorError, OSError, RuntimeError, ValueError) as error:
        raise ModelRefused(
            f"{path.name} does not hold the weights of {public.title}: {option or 'this'} takes a safetensors file with the keys "
            f"{public.first} to {public.last}."
        ) from error
    if not all(bool(torch.isfinite(value).all()) for value in network.state_dict().values()):
        raise ModelRefused(f"{path.name} holds values that are no numbers. Get the file again.")
    return network


def network_from_torchvision(public: PublicNetwork) -> nn.Module:
    """With the weights that torchvision gives it, which it fetches from the internet the first time.

    Raises `ModelRefused` where torchvision is not installed, lacks the network, or could not fetch them.
    """
    if not public.torchvision:
        raise ModelRefused(f"torchvision has no weights of {public.title}. Give a file that holds them.")
    try:
        models = importlib.import_module("torchvision.models")
    except (ImportError, RuntimeError, OSError) as error:  # one for another torch ends in any of these
        raise ModelRefused("torchvision is not installed, or not for this torch. Give a file with the weights.") from error
    try:
        chosen = models.get_model_weights(public.torchvision).DEFAULT
        state = chosen.get_state_dict(progress=False, check_hash=True, weights_only=True)
        return _filled(public, {name: value for name, value in state.items() if _belongs(public, name)})
    except (OSError, RuntimeError, ValueError) as error:
        raise ModelRefused(f"torchvision could not fetch the weights of {public.title}. Give a file with them.") from error


def fingerprint(network: nn.Module) -> str:
    """Eight hexadecimal digits that are the same for the same weights, whatever file they came from."""
    digest = hashlib.sha256()
    for name, value in sorted(network.state_dict().items()):
        if not name.endswith(_COUNTER):
            digest.update(name.encode())
            digest.update(value.contiguous().numpy().data)
    return digest.hexdigest()[:8]


def _belongs(public: PublicNetwork, name: str) -> bool:
    return name.startswith(public.prefixes) and not name.endswith(_COUNTER)


def _filled(public: PublicNetwork, weights: Mapping[str, Tensor]) -> nn.Module:
    """Raises `ValueError` or `RuntimeError` when the weights are not those of the network."""
    first = weights.get(public.first)
    if first is None or first.ndim != 4 or not len(first) or not all(value.is_floating_point() for value in weights.values()):
        raise ValueError("no first layer, or no real numbers")
    with torch.device("meta"):  # no memory, and none of the run's random numbers, for weights that are replaced
        network = public.build(len(first))
    counters = {name: torch.zeros((), dtype=torch.int64) for name in network.state_dict() if name.endswith(_COUNTER)}
    copies = {name: value.to("cpu", torch.float32, copy=True) for name, value in weights.items()}
    network.load_state_dict(copies | counters, assign=True)
    return network.eval().requires_grad_(False)
