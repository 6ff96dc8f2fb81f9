"""Models whose answer is known, and scans for them; everything runs in float32, so that exact values can be compared."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import torch
from torch import nn

from ctmri_core.domain import Direction, Domain
from ctmri_core.geometry import Geometry, rigid_transform
from ctmri_core.inference.precision import Plan
from ctmri_core.model_card import ModelCard
from ctmri_core.model_file import LoadedModel
from ctmri_core.preprocess.recipe import Recipe
from ctmri_core.volume import Volume

CT_TO_T1 = Direction(Domain.CT, Domain.MR_T1)
PLAN = Plan("cpu", torch.float32, False, 2, 0.01)
OWN_PIXELS = Recipe(spacing_mm=None)
TURNED = tuple(map(tuple, np.array([[0, 0, -1], [0, -1, 0], [1, 0, 0]]) @ rigid_transform((8, -12, 5), (0, 0, 0))[:3, :3].T))
GRIDS = {
    "axial": Geometry((12, 16, 20), (4, 4, 4)),
    "flipped": Geometry((12, 16, 20), (4, 4, 4), (5, -3, 2), ((0, 0, -1), (0, -1, 0), (1, 0, 0))),
    "permuted": Geometry((16, 20, 12), (4, 4, 4), (5, -3, 2), ((1, 0, 0), (0, 0, 1), (0, -1, 0))),
    "oblique": Geometry((12, 16, 20), (4, 4, 4), (5, -3, 2), TURNED),
}


class Line(nn.Module):
    """a x + b for every pixel."""

    def __init__(self, a: float = -0.8, b: float = 0.1) -> None:
        super().__init__()
        self.layer = nn.Conv2d(1, 1, 1)
        self.layer.weight.data.fill_(a)
        self.layer.bias.data.fill_(b)
        self.calls: list[tuple[int, ...]] = []

    def forward(self, x):
        self.calls.append(tuple(x.shape))
        return self.layer(x)


class Sloped(nn.Module):
    """0.3 x + 0.2 r + 0.1 c, where r and c go from 0 to 1 down the rows and along the columns: what it says of a place depends
    on the plane."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(1, 1, 1, bias=False)
        self.layer.weight.data.fill_(0.3)

    def forward(self, x):
        rows, columns = (torch.linspace(0, 1, n) for n in x.shape[2:])
        return self.layer(x) + 0.2 * rows[:, None] + 0.1 * columns


RESNET = {"generator": "resnet_6", "width": 4, "norm": "instance", "dropout": False}
"""Settings of a network that takes multiples of 4 pixels."""


def model(
    network: nn.Module | None = None, direction: Direction = CT_TO_T1, recipe: Recipe = OWN_PIXELS, **changes
) -> LoadedModel:  # fmt: skip
    fields = {"name": "Known", "method": "pix2pix", "config": RESNET, "weights_sha256": "ab" * 32} | changes
    card = ModelCard(direction=direction, recipe=recipe, created=datetime(2026, 1, 2, tzinfo=UTC), body_region="head", **fields)
    return LoadedModel((network or Line()).eval(), card)


def scan(grid: Geometry = GRIDS["axial"], domain: Domain = Domain.CT, seed: int = 0) -> Volume:
    """A box of many values in air, so that a body is found."""
    values = np.random.default_rng(seed).integers(-200, 1200, grid.shape)
    inside = np.zeros(grid.shape, np.bool_)
    inside[2:-2, 2:-2, 2:-2] = True
    return Volume(np.where(inside, values, -1024 if domain is Domain.CT else 0).astype(np.int16), grid, domain, "scan")


def unit(volume: Volume) -> np.ndarray:
    """HU from -1024 to 2000 onto [-1, 1], by the book."""
    return (volume.voxels.astype(np.float64) + 1024) / 3024 * 2 - 1


def nominal(answer: np.ndarray) -> np.ndarray:
    """What MR is stored as."""
    return (np.clip(answer, -1, 1) + 1) * 500


def share_along(grid: Geometry, direction: tuple[float, float, float]) -> np.ndarray:
    """From 0 to 1, how far each voxel lies along a direction (LPS), of a grid whose axes are those of the patient."""
    index = np.stack(np.meshgrid(*map(np.arange, grid.shape), indexing="ij"), -1)
    along = grid.index_to_mm(index) @ np.array(direction)
    return (along - along.min()) / np.ptp(along)
