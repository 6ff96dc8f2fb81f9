"""Joint random changes of the pictures of a pair: drawn as data first, then applied without chance.

What is drawn follows from the generator that is given, so a batch stays a pure function of step and seed. Turning, scaling,
bending and the changes of MR's intensities are MONAI's; importing it takes seconds, so it is done when the first is applied.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

_BIAS_DEGREE = 3
_BEND_SPACING = 32
"""Pixels between the points that move by chance when a picture is bent; between them the field is smooth."""
_BEND_EDGE = 2
"""Such points beyond the square on each side: what lies between them does not know where they end."""
_BEND_REACH = 3
"""Standard deviations that such a point may move before the edge of what was cut out is repeated."""


@dataclass(frozen=True)
class Intensity:
    """A change of an MR's values: brightness to the power of `gamma`, a smooth gain of up to `bias` either way, noise of standard
    deviation `noise` of the range; field and noise by chance of `seed`. Planes share the field, not the noise: what stands in
    source and target alike is learnt as anatomy."""

    gamma: float = 1.0
    bias: float = 0.0
    noise: float = 0.0
    seed: int = 0

    def apply(self, picture: NDArray[np.float32], plane: int = 0) -> NDArray[np.float32]:
        """(h, w) in [-1, 1] -> the same, with noise of its own for each `plane`."""
        import torch
        from monai.transforms.intensity.array import AdjustContrast, RandBiasField, RandGaussianNoise
        from monai.utils.type_conversion import convert_to_numpy

        values = (torch.from_numpy(np.ascontiguousarray(picture))[None] + 1) / 2  # mirrored, it is a view from behind
        if self.bias:
            field_ = RandBiasField(degree=_BIAS_DEGREE, coeff_range=(-self.bias, self.bias), prob=1.0)
            values = field_.set_random_state(seed=self.seed)(values)
        if self.gamma != 1.0:
            values = AdjustContrast(gamma=self.gamma)(values)
        if self.noise:
            noise = RandGaussianNoise(prob=1.0, std=self.noise, sample_std=False)
            values = noise.set_random_state(seed=self.seed + plane)(values)
        result: NDArray[np.float32] = np.clip(convert_to_numpy(values)[0] * 2 - 1, -1, 1).astype(np.float32)
        return result


@dataclass(frozen=True)
class Placement:
    """A square of `size` pixels with its upper left corner at (top, left), mirrored left to right when `flipped`, then turned by
    `degrees` about its middle and shown `zoom` times as large, and bent: points 32 pixels apart move by `bend` pixels (standard
    deviation) by chance of `bend_seed`. `mr`: what befalls the planes that show MR."""

    top: int
    left: int
    size: int
    flipped: bool
    degrees: float = 0.0
    zoom: float = 1.0
    bend: float = 0.0
    bend_seed: int = 0
    mr: Intensity = field(default_factory=Intensity)

    def apply(
        self, planes: NDArray[Any], outside: NDArray[np.float32], mr: Sequence[int] = (), masks: Sequence[int] = ()
    ) -> NDArray[np.float32]:
        """(c, h, w) -> float32 (c, size, size); what lies beyond the picture gets the value of `outside`, (c,).

        `mr`: which planes show MR, `masks`: which are masks, 0 or 1, or numbers of labels, before and after.
        """
        result = self._cut(planes, outside, self._margin)
        if self._margin:
            result = self._moved(result, masks)
        if self.mr != Intensity(seed=self.mr.seed):
            for plane in mr:
                result[plane] = self.mr.apply(result[plane], plane)
        return result

    @property
    def _margin(self) -> int:
        """Pixels beyond the square on each side that it may take from; none: it is cut out as it lies."""
        turned = self.degrees != 0.0 or self.zoom != 1.0
        margin = math.ceil(self.size * (math.sqrt(0.5) / min(self.zoom, 1.0) - 0.5)) + 1 if turned else 0
        return margin + math.ceil(_BEND_REACH * self.bend)

    def _cut(self, planes: NDArray[Any], outside: NDArray[np.float32], margin: int) -> NDArray[np.float32]:
        """The square with `margin` more pixels on all sides, mirrored."""
        start = (self.top - margin, self.left - margin)
        size = self.size + 2 * margin
        cut = planes[:, max(start[0], 0) : max(start[0] + size, 0), max(start[1], 0) : max(start[1] + size, 0)]
        result = np.empty((len(planes), size, size), np.float32)
        result[:] = outside[:, None, None]
        top, left = max(-start[0], 0), max(-start[1], 0)
        result[:, top : top + cut.shape[1], left : left + cut.shape[2]] = cut
        return result[:, :, ::-1] if self.flipped else result

    def _moved(self, planes: NDArray[np.float32], masks: Sequence[int]) -> NDArray[np.float32]:
        import torch
        from monai.utils.type_conversion import convert_to_numpy

        move = self._bending() if self.bend else self._turning()
        result: NDArray[np.float32] = convert_to_numpy(move(torch.from_numpy(np.ascontiguousarray(planes)))).astype(np.float32)
        for plane in masks:
            if planes[plane].max() > 1:  # between labels 1 and 3 lies no label 2
                labels = torch.from_numpy(np.ascontiguousarray(planes[plane : plane + 1]))
                result[plane] = convert_to_numpy(move(labels, mode="nearest"))[0].round()
            else:
                result[plane] = result[plane] > 0.5
        return result

    def _turning(self) -> Callable[..., Any]:
        from monai.transforms.spatial.array import Affine

        affine: Callable[..., Any] = Affine(
            rotate_params=math.radians(self.degrees), scale_params=(1 / self.zoom, 1 / self.zoom),
            spatial_size=(self.size, self.size), mode="bilinear", padding_mode="border", image_only=True,
        )  # fmt: skip
        return affine

    def _bending(self) -> Callable[..., Any]:
        """Turned and scaled by the same field: what is interpolated twice is blurred twice."""
        import torch
        from monai.transforms.spatial.array import AffineGrid, Resample
        from monai.transforms.utils import create_grid

        grid = create_grid((self.size, self.size), backend="torch", dtype=torch.float32)
        grid[:2] += torch.from_numpy(self._offsets())
        placed, _ = AffineGrid(rotate_params=math.radians(self.degrees), scale_params=(1 / self.zoom, 1 / self.zoom))(grid=grid)
        resample = Resample(padding_mode="border")

        def bent(planes: Any, mode: str = "bilinear") -> Any:
            return resample(planes, placed, mode=mode)

        return bent

    def _offsets(self) -> NDArray[np.float32]:
        """(2, size, size): how far each pixel moves, in pixels; cubic between the points that move by chance."""
        import torch
        from torch.nn.functional import interpolate

        points = math.ceil(self.size / _BEND_SPACING) + 2 * _BEND_EDGE
        free = np.random.default_rng(self.bend_seed).normal(0, self.bend, (1, 2, points, points)).astype(np.float32)
        field_ = interpolate(torch.from_numpy(free), scale_factor=_BEND_SPACING, mode="bicubic", align_corners=False)[0]
        cut = slice(_BEND_EDGE * _BEND_SPACING, _BEND_EDGE * _BEND_SPACING + self.size)
        result: NDArray[np.float32] = field_[:, cut, cut].numpy()
        return result


@dataclass(frozen=True)
class Augmentation:
    """Random crops of `crop` pixels and, on request, mirroring, turning by up to `degrees` either way, scaling by up to the share
    `scale` either way and bending by up to `bend` pixels, alike for all pictures of a pair; and changes of MR alone: contrast
    (`gamma`), a smooth gain (`bias`) and `noise`, each up to the given share. Pictures smaller than the crop are placed inside.

    A crop's centre lies in the bounding box of the body, as far as the picture reaches: air teaches little.
    """

    crop: int
    flip: bool = True
    degrees: float = 0.0
    scale: float = 0.0
    gamma: float = 0.0
    bias: float = 0.0
    noise: float = 0.0
    bend: float = 0.0

    def draw(self, random: np.random.Generator, mask: NDArray[Any]) -> Placement:
        """A placement for a picture with this body, (h, w). What is not asked for draws nothing."""
        top, left = (self._start(random, np.asarray(mask.any(axis))) for axis in (1, 0))
        flipped = self.flip and bool(random.integers(2))
        degrees = random.uniform(-self.degrees, self.degrees) if self.degrees else 0.0
        zoom = 1 + random.uniform(-self.scale, self.scale) if self.scale else 1.0
        bend = (random.uniform(0, self.bend), int(random.integers(2**31))) if self.bend else (0.0, 0)
        return Placement(top, left, self.crop, flipped, degrees, zoom, *bend, self._intensity(random))

    def _intensity(self, random: np.random.Generator) -> Intensity:
        if not (self.gamma or self.bias or self.noise):
            return Intensity()
        gamma = math.exp(random.uniform(-1, 1) * math.log1p(self.gamma)) if self.gamma else 1.0
        return Intensity(gamma, random.uniform(0, self.bias), random.uniform(0, self.noise), int(random.integers(2**31)))

    def _start(self, random: np.random.Generator, occupied: NDArray[np.bool_]) -> int:
        room = len(occupied) - self.crop
        if room <= 0:
            return int(random.integers(room, 1))
        inside = np.flatnonzero(occupied) if occupied.any() else np.arange(len(occupied))
        centre = random.integers(inside[0], inside[-1] + 1)
        return int(np.clip(centre - self.crop // 2, 0, room))
