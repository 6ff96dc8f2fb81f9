"""The fitted part: four networks of one small hidden layer, whose mean is calibrated. Some ten thousand numbers, no torch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ctmri_core.resources_folder import resources_folder

_Array = NDArray[np.float64]
_FAR = 6.0
"""Deviations at which a feature is cut, in fitting too: further out nothing was learnt."""


@dataclass(frozen=True)
class Classifier:
    """`kinds`: what `probabilities` are of, the last one for anything else."""

    kinds: tuple[str, ...]
    mean: _Array
    deviation: _Array
    members: tuple[tuple[_Array, _Array, _Array, _Array], ...]
    temperature: float
    together: float

    @classmethod
    def from_fitted(cls, fitted: Mapping[str, Any]) -> Classifier:
        """Of what `packaging/fit_recognition.py` writes."""
        names = ("hidden", "hidden_bias", "out", "out_bias")
        parts = [[np.array(member[name], np.float64) for member in fitted["members"]] for name in names]
        members = tuple(zip(parts[0], parts[1], parts[2], parts[3], strict=True))
        mean, deviation = (np.array(fitted[name], np.float64) for name in ("mean", "deviation"))
        return cls(tuple(fitted["kinds"]), mean, deviation, members, float(fitted["temperature"]), float(fitted["together"]))

    def scores(self, features: _Array) -> _Array:
        """(members, n, kinds) of features (n, f)."""
        standard = ((features - self.mean) / self.deviation).clip(-_FAR, _FAR)
        return np.stack([np.tanh(standard @ a.T + b) @ c.T + d for a, b, c, d in self.members])

    def probabilities(self, features: _Array) -> dict[str, float]:
        """Of the picture whose slices have the features (n, f). What n slices tell counts as that of n ** `together` that have
        nothing to do with each other."""
        scores = self.scores(features).mean(1) * len(features) ** self.together / self.temperature
        powers = np.exp(scores - scores.max(-1, keepdims=True))
        shares = (powers / powers.sum(-1, keepdims=True)).mean(0)
        return {kind: float(share) for kind, share in zip(self.kinds, shares, strict=True)}

    def strangeness(self, features: _Array) -> float:
        """How many deviations the features (n, f) lie from what was fitted, as a root mean square; of the middle one of n."""
        return float(np.median(np.sqrt(np.mean(((features - self.mean) / self.deviation) ** 2, axis=-1))))


@cache
def shipped_classifier() -> Classifier:
    path = resources_folder() / "recognition" / "kinds.json"
    return Classifier.from_fitted(json.loads(path.read_text(encoding="utf-8")))
