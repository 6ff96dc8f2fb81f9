"""T1 and T2 weighted MR of a tissue map: signal equations, coil bias, Rician noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ctmri_core.domain import Domain
from ctmri_core.geometry import FloatArray, Geometry, rigid_transform
from ctmri_core.phantom.noise import Generator
from ctmri_core.phantom.render_ct import softened
from ctmri_core.phantom.shapes import Array
from ctmri_core.phantom.tissues import Tissue, table
from ctmri_core.preprocess.resample import resample_array


def spoiled_gradient_echo(t1_ms: FloatArray, proton_density: FloatArray, tr_ms: float, flip_degrees: float) -> FloatArray:
    """Steady-state signal of a spoiled gradient echo at an echo time short against T2* (Ernst and Anderson 1966).

    PD sin(a) (1 - E1) / (1 - cos(a) E1) with E1 = exp(-TR / T1).
    """
    angle = np.deg2rad(flip_degrees)
    e1 = np.exp(-tr_ms / np.asarray(t1_ms, np.float64))
    result: FloatArray = proton_density * np.sin(angle) * (1 - e1) / (1 - np.cos(angle) * e1)
    return result


def spin_echo(t1_ms: FloatArray, t2_ms: FloatArray, proton_density: FloatArray, tr_ms: float, te_ms: float) -> FloatArray:
    """Signal of a spin echo with 90 and 180 degree pulses and TE much shorter than TR: PD (1 - exp(-TR / T1)) exp(-TE / T2)."""
    t1, t2 = np.asarray(t1_ms, np.float64), np.asarray(t2_ms, np.float64)
    result: FloatArray = proton_density * (1 - np.exp(-tr_ms / t1)) * np.exp(-te_ms / t2)
    return result


@dataclass(frozen=True)
class Sequence:
    """An acquisition. Spacing in units of the phantom's voxel size; `field_mm`: field of view along k, j, i.

    `full_scale`: stored value of the white-matter (T1) or CSF (T2) signal before bias; `noise`: share of that value.
    """

    domain: Domain
    spacing: tuple[float, float, float]
    field_mm: tuple[float, float, float]
    full_scale: float
    noise: float

    def signal(self) -> Array:
        """Signal per tissue, float32 (25,), scaled so that the reference tissue has `full_scale`."""
        t1, t2, density = (table(name).astype(np.float64) for name in ("t1_ms", "t2_ms", "proton_density"))
        if self.domain is Domain.MR_T1:
            values = spoiled_gradient_echo(t1, density, tr_ms=15.0, flip_degrees=35.0)
            reference = values[Tissue.WHITE_MATTER]
        else:
            values = spin_echo(t1, t2, density, tr_ms=4500.0, te_ms=100.0)
            reference = values[Tissue.CSF]
        return np.asarray(values * (self.full_scale / reference), np.float32)


T1 = Sequence(Domain.MR_T1, (1.2, 0.95, 0.95), (240.0, 258.4, 212.8), 520.0, 0.022)
T2 = Sequence(Domain.MR_T2, (2.5, 0.85, 0.85), (200.0, 244.8, 204.0), 900.0, 0.014)


def mr_geometry(sequence: Sequence, voxel_mm: float, top_mm: FloatArray, rng: Generator) -> Geometry:
    """Slightly oblique axial slices whose field of view reaches a little above `top_mm`, LPS mm of the vertex."""
    spacing = tuple(s * voxel_mm for s in sequence.spacing)
    shape = tuple(round(f / s) for f, s in zip(sequence.field_mm, spacing, strict=True))
    tilt = rigid_transform(tuple(rng.uniform(-7, 7, 3) * (1.0, 0.4, 0.5)), (0.0, 0.0, 0.0))
    axes = np.eye(3)[::-1] @ tilt[:3, :3].T
    half = (np.asarray(shape) - 1) / 2 * np.asarray(spacing)
    centre = np.asarray(top_mm) + np.array([rng.uniform(-3, 3), rng.uniform(-3, 3), 6.0 - half[0]])
    origin = centre - half @ axes
    s, n = spacing, shape
    x, y, z = origin.tolist()
    return Geometry((n[0], n[1], n[2]), (s[0], s[1], s[2]), (x, y, z), tuple(map(tuple, axes.tolist())))  # type: ignore[arg-type]  # three by three by construction


def render_mr(
    labels: NDArray[np.uint8], tissues: Geometry, grain: Array, geometry: Geometry, sequence: Sequence, rng: Generator
) -> NDArray[np.int16]:
    """int16 arbitrary units on `geometry`. `labels`, `grain` (white noise, unit variance): (k, j, i) on `tissues`."""
    signal = sequence.signal()
    field = signal[labels] + (signal * table("texture"))[labels] * grain
    voxels = resample_array(softened(field), tissues, geometry)
    voxels *= _bias(rng, geometry.shape)
    sigma = np.float32(sequence.noise * sequence.full_scale)
    real = voxels + sigma * rng.standard_normal(geometry.shape, np.float32)
    imaginary = sigma * rng.standard_normal(geometry.shape, np.float32)
    magnitude: NDArray[np.int16] = np.rint(np.hypot(real, imaginary)).clip(0, 4095).astype(np.int16)
    return magnitude


def _bias(rng: Generator, shape: tuple[int, int, int]) -> Array:
    """Smooth receive sensitivity around 1, about a tenth up and down, the same in every sequence of that size."""
    k, j, i = np.meshgrid(*(np.linspace(-1, 1, n, dtype=np.float32) for n in shape), indexing="ij", sparse=True)
    a = rng.uniform(-1, 1, 6).astype(np.float32)
    tilt = np.float32(0.07) * (a[0] * k + a[1] * j + a[2] * i)
    bowl = np.float32(0.06) * (a[3] * k * k + a[4] * j * j + (1 + a[5]) * (i * i + j * j) / 2)
    return np.asarray(np.exp(tilt + bowl), np.float32)
