"""How far two pictures of one place lie apart in the features of a network.

Features are those of its chosen layers, (channels, rows, columns) each; which network they come from belongs to the name of the
score. Both raise `GeometryMismatch` when layers or shapes differ, `NotComparable` on NaN.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ctmri_core.errors import GeometryMismatch, NotComparable
from ctmri_core.metrics.checks import Values, check_finite
from ctmri_core.metrics.errors import mse

Layer = NDArray[np.floating[Any]]
_TINY = 1e-10


def feature_distance(truth: Sequence[Layer], synthetic: Sequence[Layer]) -> float:
    """Mean squared difference of each layer, mean over the layers (Johnson et al., ECCV 2016, Eq. 2): with VGG-19 the feature
    loss of training."""
    _check_layers(truth, synthetic)
    return float(np.mean([mse(a, b) for a, b in zip(truth, synthetic, strict=True)]))


def perceptual_distance(
    truth: Sequence[Layer], synthetic: Sequence[Layer], weights: Sequence[NDArray[np.floating[Any]]] | None = None
) -> float:
    """Squared difference of the channels brought to unit length at every place, mean over places, sum over channels and layers
    (Zhang et al., CVPR 2018, Eq. 1).

    `weights`: (channels,) of each layer, none negative; the published ones, with its network, make it LPIPS. Without, all are 1.
    """
    _check_layers(truth, synthetic)
    if weights is not None and [w.shape for w in weights] != [(len(layer),) for layer in truth]:
        raise GeometryMismatch("The weights are not one for each channel of every layer.")
    total = 0.0
    for number, (a, b) in enumerate(zip(truth, synthetic, strict=True)):
        squares = ((_unit(a) - _unit(b)) ** 2).mean((1, 2))
        total += float(squares.sum() if weights is None else squares @ weights[number])
    return total


def _unit(layer: Layer) -> Values:
    wide = layer.astype(np.float64, copy=False)
    unit: Values = wide / (np.sqrt((wide**2).sum(0)) + _TINY)
    return unit


def _check_layers(truth: Sequence[Layer], synthetic: Sequence[Layer]) -> None:
    shapes = [layer.shape for layer in truth], [layer.shape for layer in synthetic]
    if shapes[0] != shapes[1] or any(len(shape) != 3 for shape in shapes[0]):
        raise GeometryMismatch(f"The features of the pictures have different shapes, or are none: {shapes[0]} and {shapes[1]}.")
    if not truth or any(layer.size == 0 for layer in truth):
        raise NotComparable("There are no features to compare.")
    for layer in (*truth, *synthetic):
        check_finite(layer)
