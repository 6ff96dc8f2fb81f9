"""What a named network sees in grey pictures, as arrays for the distances of features (`ctmri_core.metrics`).

Pictures are float (n, rows, columns) in [0, 1]: HU or MR brought there by one window for truth and synthetic alike, which belongs
beside the score. Grey becomes three equal channels. All raise `NotComparable` for pictures outside that range or with NaN, and
`GeometryMismatch` for those too small.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from ctmri_core.errors import GeometryMismatch, NotComparable
from ctmri_core.networks.public_weights import (
    INCEPTION,
    INCEPTION_OF_FID,
    VGG_19,
    PublicNetwork,
    fingerprint,
    network_from_file,
    network_from_torchvision,
)

VGG_LAYERS = (3, 8, 17, 26, 35)
"""The last activations before VGG-19 halves the picture."""
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_INCEPTION_SIZE = 299
_VGG_SMALLEST = 16
_BATCH = 8

Pictures = NDArray[np.floating[Any]]
Features = NDArray[np.float32]


class PictureFeatures(Protocol):
    """`name`: network and fingerprint of its weights, for the name of a score."""

    name: str

    def vectors(self, pictures: Pictures) -> Features:
        """(n, rows, columns) -> (n, features), for distances of sets."""


class VggPictures:
    """VGG-19 with the weights of a safetensors file, or those of torchvision. Raises `ModelRefused` where there are none."""

    def __init__(self, weights: Path | None = None) -> None:
        self._network, self.name = _found(VGG_19, weights)

    def vectors(self, pictures: Pictures) -> Features:
        """(n, rows, columns) of at least 16 x 16 -> (n, 512), means over places of the last activations."""
        return np.concatenate([self._seen(batch, VGG_LAYERS[-1:])[0].mean((2, 3)).numpy() for batch in _batches(pictures)])

    def layers(self, picture: Pictures) -> list[Features]:
        """(rows, columns) -> (channels, rows, columns) of five depths, for distances of pairs."""
        (batch,) = _batches(picture[None])
        return [layer[0].numpy() for layer in self._seen(batch, VGG_LAYERS)]

    def _seen(self, batch: Tensor, layers: tuple[int, ...]) -> list[Tensor]:
        if min(batch.shape[2:]) < _VGG_SMALLEST:
            raise GeometryMismatch(f"Pictures of {tuple(batch.shape[2:])} are too small for VGG-19: 16 x 16 are needed.")
        with torch.inference_mode():
            found: list[Tensor] = self._network(as_photograph(batch), layers)
        return found


class InceptionPictures:
    """Inception v3 as the FID was defined with, and the weights of a safetensors file; without one, that of torchvision, which
    is another, so that its distances are no FID. Raises `ModelRefused` where there are none."""

    def __init__(self, weights: Path | None = None) -> None:
        self._network, self.name = _found(INCEPTION if weights is None else INCEPTION_OF_FID, weights)

    def vectors(self, pictures: Pictures) -> Features:
        """(n, rows, columns), resampled to 299 x 299 -> (n, 2048)."""
        size = (_INCEPTION_SIZE, _INCEPTION_SIZE)
        with torch.inference_mode():
            resampled = (functional.interpolate(batch, size, mode="bilinear") for batch in _batches(pictures))
            return np.concatenate([self._network(2 * batch - 1).numpy() for batch in resampled])


def as_photograph(x: Tensor) -> Tensor:
    """(n, 1 or 3, h, w) in [0, 1], normalised as photographs were for training on ImageNet: three channels."""
    mean, deviation = (torch.tensor(values, device=x.device, dtype=x.dtype)[:, None, None] for values in (_MEAN, _DEVIATION))
    return (x - mean) / deviation


def _found(public: PublicNetwork, weights: Path | None) -> tuple[torch.nn.Module, str]:
    network = network_from_torchvision(public) if weights is None else network_from_file(public, weights)
    return network, f"{public.title}{' of torchvision' if weights is None else ''} (weights {fingerprint(network)})"


def _batches(pictures: Pictures) -> Iterator[Tensor]:
    """(at most 8, 3, rows, columns) float32 each, views of one channel."""
    if pictures.ndim != 3 or not pictures.size:
        raise GeometryMismatch(f"Pictures are (n, rows, columns), not {pictures.shape}.")
    low, high = float(pictures.min()), float(pictures.max())
    if not (low >= 0 and high <= 1):  # NaN neither
        raise NotComparable(f"Pictures for a network go from 0 to 1, not from {low:g} to {high:g}: bring them there first.")
    for start in range(0, len(pictures), _BATCH):
        part = np.array(pictures[start : start + _BATCH], np.float32, order="C")
        yield torch.from_numpy(part)[:, None].expand(-1, 3, -1, -1)
