"""The small networks that CUT compares patches with (Park et al. 2020, section 3 and appendix C.1)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional


class PatchFeatures(nn.Module):
    """Features (n, c, h, w) of several layers -> unit vectors (n patches, size) at the same random places of each layer."""

    def __init__(self, channels: Sequence[int], size: int = 256) -> None:
        super().__init__()
        self.size = size
        self.mlps = nn.ModuleList(nn.Sequential(nn.Linear(count, size), nn.ReLU(), nn.Linear(size, size)) for count in channels)

    def forward(
        self, features: Sequence[Tensor], patches: int, places: Sequence[Tensor] | None = None
    ) -> tuple[list[Tensor], list[Tensor]]:
        """(vectors, (n, p, size) by layer; places, indices into h x w by layer), new places where none are given."""
        vectors, chosen = [], []
        for number, (feature, mlp) in enumerate(zip(features, self.mlps, strict=True)):
            flat = feature.flatten(2).transpose(1, 2)
            if places is None:
                place = torch.randperm(flat.shape[1], device=flat.device)[: min(patches, flat.shape[1])]
            else:
                place = places[number]
            vectors.append(functional.normalize(mlp(flat[:, place]), dim=2, eps=1e-7))
            chosen.append(place)
        return vectors, chosen
